//! One rulebook of many, and what every portfolio has against its losses under it.

use super::document::Document;
use super::job::Job;
use super::population::Population;
use super::threshold::Thresholds;
use crate::domain::Snapshot;
use crate::error::Result;
use crate::margin::Rulebook;
use crate::policy::{FundScope, Purse};

/// A rulebook with its thresholds.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The file.
    pub(super) document: Document,
    /// What it says.
    pub(super) rulebook: Rulebook,
    /// What portfolios have against their losses.
    pub(super) thresholds: Thresholds,
    /// Insurance funds in all, quote units.
    pub(super) fund: f64,
}

impl Candidate {
    /// Reads a rulebook file and forms its thresholds.
    ///
    /// # Errors
    /// [`crate::Error::Configuration`] or [`crate::Error::Refused`] where it is no rulebook, or not one for this book.
    pub(super) fn of(document: Document, book: (&Snapshot, &Population), job: &Job) -> Result<Self> {
        let rulebook = document.rulebook()?;
        let thresholds = Thresholds::of(book, &rulebook, job)?;
        let fund = fund(&rulebook, book.0);
        Ok(Self { document, rulebook, thresholds, fund })
    }

    /// As [`Self::of`], from a candidate that differs in numbers which touch these pools alone.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn beside(
        &self,
        document: Document,
        book: (&Snapshot, &Population),
        job: &Job,
        touched: &[u32],
    ) -> Result<Self> {
        let rulebook = document.rulebook()?;
        let thresholds = self.thresholds.renewed(book, &rulebook, job, touched)?;
        let fund = fund(&rulebook, book.0);
        Ok(Self { document, rulebook, thresholds, fund })
    }

    /// Whether a measurement could tell it from another.
    pub(super) fn measures_as(&self, other: &Self) -> bool {
        self.thresholds == other.thresholds && self.fund.to_bits() == other.fund.to_bits()
    }
}

/// The opening balances of a rulebook's insurance funds in all, quote units: 0 where it says nothing of liquidation, +∞ where
/// one of them is unlimited.
fn fund(rulebook: &Rulebook, snapshot: &Snapshot) -> f64 {
    let Some(policy) = &rulebook.liquidation else { return 0.0 };
    let money = |purse: &Purse| match purse {
        Purse::Quote(amount) => *amount,
        Purse::Unlimited => f64::INFINITY,
    };
    let fund = &policy.fund;
    match fund.scope {
        FundScope::Global => money(&fund.balance),
        FundScope::Underlying => {
            let own = |name: &str| fund.balances.get(name).unwrap_or(&fund.balance);
            snapshot.underlyings.iter().map(|underlying| money(own(&underlying.name))).sum()
        }
    }
}
