//! Concentration charge: what a group pays for being large against its market.
//!
//! ```text
//! tiers        Σ over slices of the size x, each at its tier's rate (linear beyond a threshold: two tiers, the first free)
//! square root  factor · √(units / threshold units) · |Σ quantity · units · index|, of contracts without optionality
//! ```
//!
//! Thresholds are quote units, or shares of what the snapshot says of each underlying; a scenario's `depth:U` moves those of
//! its depth. Each underlying of a group is then charged by itself.

mod keys;
mod root;
mod size;

pub(super) use keys::KEYS;

use super::exposure::{Ranges, sum};
use super::{ComponentRows, Cover, Part, Rule};
use crate::domain::UnderlyingIndex;
use crate::error::Fault;
use crate::margin::bracket::Schedule;
use crate::margin::pool::{MarginSide, Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

/// Charge on a size beyond what its market bears.
#[derive(Debug, Clone, PartialEq)]
pub struct Concentration {
    /// What thresholds are measured in.
    pub share_of: ShareOf,
    /// How the charge rises with the size.
    pub form: Form,
}

/// What a concentration's thresholds are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShareOf {
    /// Quote units.
    #[default]
    Quote,
    /// The underlying's depth.
    Depth,
    /// The underlying's average daily volume.
    Adv,
    /// The underlying's open interest.
    OpenInterest,
}

/// How a concentration charge rises with the size.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// By tiers.
    Tiers {
        /// What the size is.
        measure: Measure,
        /// Rate by size; bounds in units of [`Concentration::share_of`].
        rates: Requirement<Schedule>,
    },
    /// By the square root of the size. The root is of the pool's own units (an inverse contract's at the unshocked index),
    /// formed once in f64: it is an atom.
    SquareRoot {
        /// Size at which the rate is `factor`, in units of [`Concentration::share_of`]; > 0.
        threshold: f64,
        /// Rate at the threshold; ≥ 0.
        factor: Requirement<f64>,
    },
}

/// What the size of a group is, quote units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// |Σ quantity · delta · index|, and what balances are worth that move with an underlying.
    #[default]
    NetDelta,
    /// Σ |quantity| · units · index, and Σ |balance|.
    GrossNotional,
}

impl Concentration {
    /// Quote units that a threshold of 1 stands for; `None` where the snapshot does not say.
    fn unit(&self, underlying: UnderlyingIndex, column: Column, sheet: &RowSheet<'_>) -> Option<f64> {
        let market = &sheet.snapshot.underlyings[underlying as usize];
        match self.share_of {
            ShareOf::Quote => Some(1.0),
            ShareOf::Depth => sheet.market.depth_quote(underlying, column),
            ShareOf::Adv => market.adv_quote,
            ShareOf::OpenInterest => market.open_interest_quote,
        }
    }

    /// Whether the snapshot says what thresholds are shares of; records every underlying where it does not.
    fn check(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> bool {
        let column = match self.share_of {
            ShareOf::Quote => return true,
            ShareOf::Depth => "depth",
            ShareOf::Adv => "adv",
            ShareOf::OpenInterest => "open_interest",
        };
        let mut is_known = true;
        for underlying in sheet.covered_underlyings(cover) {
            let unit = self.unit(underlying, Column::Base, sheet);
            // A root is of a quotient by it.
            let least = if matches!(self.form, Form::SquareRoot { .. }) { f64::MIN_POSITIVE } else { 0.0 };
            if unit.is_none_or(|unit| unit < least) {
                is_known = false;
                let name = &sheet.snapshot.underlyings[underlying as usize].name;
                let rule = format!(
                    "{name} has a {column}: the concentration charge of the rulebook is measured in shares of it"
                );
                let value = unit.map_or(String::new(), |unit| unit.to_string());
                let fault =
                    Fault::of_table("underlyings", rule, "fill the cell in, or leave the underlying out of the cover");
                sheet.faults.push(Fault { column: column.into(), value, ..fault });
            }
        }
        is_known
    }
}

impl Rule for Concentration {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        if !self.check(cover, sheet) {
            return ComponentRows::default();
        }
        match &self.form {
            Form::Tiers { measure, rates } => self.tier_rows((*measure, rates), cover, sheet),
            Form::SquareRoot { threshold, factor } => self.root_rows((*threshold, factor), cover, sheet),
        }
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let zero = N::of(0.0);
        match &self.form {
            Form::Tiers { measure, rates } => {
                let sizes = self.sizes((*measure, rates), part);
                Requirement::each(|margin| {
                    let schedule = rates.of(margin);
                    sizes.iter().fold(zero.clone(), |total, size| {
                        let bounds = size.bounds(schedule, margin, market);
                        total.plus(&schedule.charge(&size.value(market), &bounds))
                    })
                })
            }
            Form::SquareRoot { .. } => Requirement::each(|margin| {
                self.roots(margin, part).iter().fold(zero.clone(), |total, (root, terms)| {
                    total.plus(&N::of(*root).times(&sum(terms, market).magnitude()))
                })
            }),
        }
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        Some(Requirement::each(|margin| match &self.form {
            Form::Tiers { measure, rates } => {
                let sizes = self.sizes((*measure, rates), part).into_iter();
                Node::Sum(sizes.map(|size| size.charge_node(rates.of(margin), margin)).collect())
            }
            Form::SquareRoot { .. } => {
                let roots = self.roots(margin, part).into_iter();
                Node::Sum(roots.map(|(root, terms)| Node::leaf(terms).absolute().scaled(root)).collect())
            }
        }))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let market = (part.setting().rows, column);
        match &self.form {
            Form::Tiers { measure, rates } => {
                let sizes = self.sizes((*measure, rates), part);
                let valued = sizes.iter().map(|size| (size, size.value::<f64>(&market)));
                let (size, value) = valued.max_by(|a, b| a.1.total_cmp(&b.1))?;
                let schedule = &rates.maintenance;
                Some(schedule.tier_at(value, &size.bounds::<f64>(schedule, MarginSide::Maintenance, &market)))
            }
            Form::SquareRoot { .. } => {
                let roots = self.roots(MarginSide::Maintenance, part).into_iter().map(|(root, _)| root * root);
                roots.reduce(f64::max).map(|units| format!("{units:.4} units"))
            }
        }
    }
}
