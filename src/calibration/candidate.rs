//! One rulebook of many, and what every portfolio has against its losses under it.

use super::document::Document;
use super::history::Replays;
use super::job::Job;
use super::population::Population;
use super::threshold::Thresholds;
use crate::domain::Snapshot;
use crate::error::Result;
use crate::forecast::overlay::Figures;
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
    /// What its overlay does over the history of the job; `None` without one.
    pub(super) overlay: Option<Figures>,
}

/// What every candidate is formed for.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) population: &'a Population,
    pub(super) job: &'a Job,
    pub(super) replays: Option<&'a Replays>,
}

impl Candidate {
    /// Reads a rulebook file and forms its thresholds. With a history these are of the base: it stands for the multipliers in force.
    ///
    /// # Errors
    /// [`crate::Error::Configuration`] or [`crate::Error::Refused`] where it is no rulebook, or not one for this book.
    pub(super) fn of(document: Document, ground: Ground<'_>) -> Result<Self> {
        let book = (ground.snapshot, ground.population);
        Self::formed(document, ground, |rulebook| Thresholds::of(book, rulebook, ground.job))
    }

    /// As [`Self::of`], from a candidate that differs in numbers which touch these pools alone.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn beside(&self, document: Document, ground: Ground<'_>, touched: &[u32]) -> Result<Self> {
        let book = (ground.snapshot, ground.population);
        Self::formed(document, ground, |rulebook| self.thresholds.renewed(book, rulebook, ground.job, touched))
    }

    fn formed(
        document: Document,
        ground: Ground<'_>,
        thresholds: impl FnOnce(&Rulebook) -> Result<Thresholds>,
    ) -> Result<Self> {
        let mut rulebook = document.rulebook()?;
        let overlay = rulebook.overlay.as_mut().zip(ground.replays);
        let replayed = overlay.map(|(overlay, replays)| {
            overlay.in_force.clear();
            (overlay.coefficients, replays)
        });
        let thresholds = thresholds(&rulebook)?;
        let figures = |(coefficients, replays): (_, &Replays)| {
            replays.figures(&coefficients, &thresholds.outrights, ground.job.outright_notional)
        };
        let overlay = replayed.map(figures);
        Ok(Self { fund: fund(&rulebook, ground.snapshot), document, rulebook, thresholds, overlay })
    }

    /// Whether a measurement could tell it from another.
    pub(super) fn measures_as(&self, other: &Self) -> bool {
        self.thresholds == other.thresholds
            && self.fund.to_bits() == other.fund.to_bits()
            && self.overlay == other.overlay
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
