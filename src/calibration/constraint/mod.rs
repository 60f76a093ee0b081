//! What must hold: one rule per file.

mod bankruptcy;
mod binomial;
mod christoffersen;
mod cover;
mod coverage;
mod floor;
mod fund_draw;
mod kupiec;
mod limit;
mod overlay_coverage;
mod procyclicality;
mod shortfall;

pub use bankruptcy::BankruptcyGivenLiquidation;
pub use christoffersen::Christoffersen;
pub use cover::Cover;
pub use coverage::{Coverage, CoverageOf, Each};
pub use floor::{AtLeast, Floor};
pub use fund_draw::FundDraw;
pub use kupiec::Kupiec;
pub use limit::Limit;
pub use overlay_coverage::OverlayCoverage;
pub use procyclicality::Procyclicality;
pub use shortfall::Shortfall;

pub(super) use floor::Floored;

use super::job::{Job, fault};
use super::landscape::{Measured, Reading};
use crate::error::Fault;
use crate::forecast::overlay::Figures;

/// A constraint of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// Name, unique in the job.
    pub name: String,
    /// What must hold.
    pub rule: Rule,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// The share of losses that requirements cover.
    Coverage(Coverage),
    /// Kupiec's test of every outright portfolio.
    Kupiec(Kupiec),
    /// Christoffersen's test of every outright portfolio.
    Christoffersen(Christoffersen),
    /// What all accounts lose beyond their resources.
    Shortfall(Shortfall),
    /// What the accounts lose that lose most beyond their resources.
    Cover(Cover),
    /// How many of the liquidated pools are bankrupt.
    Bankruptcy(BankruptcyGivenLiquidation),
    /// What insurance pays after liquidations.
    FundDraw(FundDraw),
    /// What a parameter's numbers are at least.
    Floor(Floor),
    /// How far the overlay moves requirements over a history.
    Procyclicality(Procyclicality),
    /// The share of a history's losses that requirements moved by the overlay cover.
    OverlayCoverage(OverlayCoverage),
}

/// What a constraint is read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// What was measured.
    pub(super) measured: &'a Measured,
    /// Weights of the scenarios, the largest 1.
    pub(super) weights: &'a [f64],
    /// Factor on what is tolerated.
    pub(super) relaxed: f64,
    /// Which scenarios these are.
    pub(super) sample: Sample,
}

/// Which scenarios a constraint is read over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    /// Those that are searched over: confidence leaves room for those that are not.
    Searched,
    /// Those held out: the plain level counts.
    HeldOut,
}

/// The reading of a rule that asks nothing here.
pub(super) fn met(value: f64, limit: f64) -> Reading {
    Reading { value, limit, slack: f64::INFINITY }
}

impl Rule {
    /// The constraint as it reads from what was measured: the part of it with the least slack. What needs a run of its own, or
    /// depends on the candidate alone, is met; so is what there is nothing of.
    pub(super) fn reading(&self, view: &View<'_>) -> Reading {
        let worse = |worst: Reading, part: Reading| if part.slack < worst.slack { part } else { worst };
        self.parts(view).into_iter().reduce(worse).unwrap_or(met(f64::NAN, f64::NAN))
    }

    /// Every part that must hold by itself, in an order that no weights change: classes, portfolios, or one for all.
    pub(super) fn parts(&self, view: &View<'_>) -> Vec<Reading> {
        match self {
            Self::Coverage(rule) => rule.parts(view),
            Self::Kupiec(rule) => rule.parts(view),
            Self::Christoffersen(rule) => rule.parts(view),
            Self::Shortfall(rule) => vec![rule.reading(view)],
            Self::Cover(rule) => vec![rule.reading(view)],
            Self::Bankruptcy(_)
            | Self::FundDraw(_)
            | Self::Floor(_)
            | Self::Procyclicality(_)
            | Self::OverlayCoverage(_) => vec![met(f64::NAN, f64::NAN)],
        }
    }

    /// The reading of a rule about what the candidate's overlay does over the history; `None` of every other rule.
    pub(super) fn followed(&self, overlay: &Figures, relaxed: f64) -> Option<Reading> {
        match self {
            Self::Procyclicality(rule) => Some(rule.reading(overlay)),
            Self::OverlayCoverage(rule) => Some(rule.reading(overlay, relaxed)),
            _ => None,
        }
    }

    /// Whether it is read from a history.
    pub(super) fn needs_history(&self) -> bool {
        matches!(self, Self::Procyclicality(_) | Self::OverlayCoverage(_))
    }

    /// Whether reading it needs a run of its own.
    pub(super) fn needs_run(&self) -> bool {
        matches!(self, Self::Bankruptcy(_) | Self::FundDraw(_))
    }

    /// Whether it speaks of the insurance fund of the rulebook.
    pub(super) fn needs_fund(&self) -> bool {
        match self {
            Self::Shortfall(rule) => rule.limit == Limit::Fund,
            Self::Cover(rule) => rule.limit == Limit::Fund,
            Self::FundDraw(rule) => rule.limit == Limit::Fund,
            _ => false,
        }
    }

    /// The name of a constraint that a job does not name.
    pub fn default_name(&self) -> String {
        match self {
            Self::Coverage(rule) => format!("coverage_{}", rule.of.name()),
            Self::Kupiec(_) => "kupiec".into(),
            Self::Christoffersen(_) => "christoffersen".into(),
            Self::Shortfall(rule) => format!("shortfall_{}", rule.measure.name()),
            Self::Cover(rule) => format!("cover_{}", rule.accounts),
            Self::Bankruptcy(_) => "bankruptcy_given_liquidation".into(),
            Self::FundDraw(rule) => format!("fund_draw_{}", rule.measure.name()),
            Self::Floor(rule) => format!("floor_{}", rule.parameter),
            Self::Procyclicality(_) => "procyclicality".into(),
            Self::OverlayCoverage(_) => "overlay_coverage".into(),
        }
    }

    /// Rules that the constraint breaks by itself. `place` is the path of a key of it.
    pub(super) fn faults(&self, place: &dyn Fn(&str) -> String, job: &Job) -> Vec<Fault> {
        let share = |key: &str, value: f64| {
            let is_share = value > 0.0 && value < 1.0;
            (!is_share).then(|| fault(&place(key), value.to_string(), "between 0 and 1, neither of them", "correct it"))
        };
        match self {
            Self::Coverage(rule) => {
                let confidence =
                    fault(&place("confidence"), rule.confidence.to_string(), "at least 0.5, below 1", "correct it");
                let is_confidence = (0.5..1.0).contains(&rule.confidence);
                share("level", rule.level).into_iter().chain((!is_confidence).then_some(confidence)).collect()
            }
            Self::Kupiec(rule) => {
                share("level", rule.level).into_iter().chain(share("significance", rule.significance)).collect()
            }
            Self::Christoffersen(rule) => share("significance", rule.significance).into_iter().collect(),
            Self::Shortfall(rule) => {
                rule.measure.has_level().then(|| share("level", rule.level)).flatten().into_iter().collect()
            }
            Self::FundDraw(rule) => {
                rule.measure.has_level().then(|| share("level", rule.level)).flatten().into_iter().collect()
            }
            Self::Bankruptcy(rule) => share("limit", rule.limit).into_iter().collect(),
            Self::Cover(rule) => rule.faults(place, job),
            Self::Floor(rule) => rule.faults(place, job),
            Self::Procyclicality(rule) => rule.faults(place),
            Self::OverlayCoverage(rule) => share("level", rule.level).into_iter().collect(),
        }
    }
}
