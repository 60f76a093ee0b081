//! What every portfolio has against its losses, under one rulebook.

use rayon::prelude::*;

use super::job::{Job, Resources};
use super::population::Population;
use crate::domain::{Pool, Snapshot};
use crate::engine::{QUANTUM, quanta};
use crate::error::Result;
use crate::margin::{MarginRows, MarginSide, Rulebook, Rules, Setting, revalue};
use crate::pricing::{Column, Unshocked};
use crate::scenario::ScenarioSet;

/// Thresholds of losses, quote units: a loss above it exceeds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Thresholds {
    /// By pool; +∞ where nothing is claimed about the pool.
    pub(super) pools: Vec<f64>,
    /// By outright portfolio.
    pub(super) outrights: Vec<f64>,
    /// The calibrated requirement by pool; 0 where nothing is claimed about the pool.
    pub(super) requirements: Vec<f64>,
    /// What the requirement binds of a pool's equity: itself or, of what pools hold, with what haircuts take.
    pub(super) margins: Vec<f64>,
}

impl Thresholds {
    /// Thresholds of the book under `rulebook`, in the unshocked market.
    ///
    /// # Errors
    /// As [`Rules::resolve`] and [`revalue`].
    pub(super) fn of((snapshot, population): (&Snapshot, &Population), rulebook: &Rulebook, job: &Job) -> Result<Self> {
        let rules = Rules::resolve(rulebook, snapshot)?;
        let rows = unshocked_rows(&rules, snapshot)?;
        let setting = Setting { snapshot, rules: &rules, rows: &rows };
        let book = &snapshot.book;
        let formed: Vec<Formed> =
            (0..book.len()).into_par_iter().map(|index| Formed::of(&setting, &book.pool(index), job)).collect();
        let of_outright = |outright| requirement(&setting, &population.pool(outright), job.margin);
        Ok(Self {
            pools: formed.iter().map(|formed| formed.threshold).collect(),
            outrights: population.outrights.par_iter().map(of_outright).collect(),
            requirements: formed.iter().map(|formed| formed.required).collect(),
            margins: formed.iter().map(|formed| formed.bound).collect(),
        })
    }

    /// These thresholds where only some pools are touched by what differs; those of outright portfolios are formed again.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn renewed(
        &self,
        (snapshot, population): (&Snapshot, &Population),
        rulebook: &Rulebook,
        job: &Job,
        touched: &[u32],
    ) -> Result<Self> {
        let rules = Rules::resolve(rulebook, snapshot)?;
        let rows = unshocked_rows(&rules, snapshot)?;
        let setting = Setting { snapshot, rules: &rules, rows: &rows };
        let of_pool = |pool: &u32| Formed::of(&setting, &snapshot.book.pool(*pool as usize), job);
        let formed: Vec<Formed> = touched.par_iter().map(of_pool).collect();
        let of_outright = |outright| requirement(&setting, &population.pool(outright), job.margin);
        let outrights = population.outrights.par_iter().map(of_outright).collect();
        let mut renewed = Self { outrights, ..self.clone() };
        for (pool, formed) in touched.iter().map(|pool| *pool as usize).zip(formed) {
            renewed.pools[pool] = formed.threshold;
            renewed.requirements[pool] = formed.required;
            renewed.margins[pool] = formed.bound;
        }
        Ok(renewed)
    }

    /// Σ of what requirements bind, in whole quanta: no order of summation shows.
    pub(super) fn margin(&self) -> f64 {
        self.margins.iter().map(|margin| quanta(*margin)).sum::<i128>() as f64 * QUANTUM
    }
}

/// Rows of the unshocked market alone.
pub(super) fn unshocked_rows(rules: &Rules, snapshot: &Snapshot) -> Result<MarginRows> {
    revalue(rules, snapshot, &ScenarioSet::default(), Unshocked::Hold)
}

/// What losses of a pool are taken of.
pub(super) fn lossy<'a>(pool: &Pool<'a>, resources: Resources) -> Pool<'a> {
    match resources {
        Resources::Required => Pool { balances: &[], ..*pool },
        Resources::Held => *pool,
    }
}

/// What one pool has against its losses.
struct Formed {
    threshold: f64,
    required: f64,
    /// What the requirement binds of its equity.
    bound: f64,
}

impl Formed {
    fn of(setting: &Setting<'_>, pool: &Pool<'_>, job: &Job) -> Self {
        if pool.unknown {
            return Self { threshold: f64::INFINITY, required: 0.0, bound: 0.0 };
        }
        let pool = lossy(pool, job.resources);
        let required = requirement(setting, &pool, job.margin);
        match job.resources {
            Resources::Required => Self { threshold: required, required, bound: required },
            Resources::Held => {
                let equity = setting.equity::<f64>(&pool, &(setting.rows, Column::Base));
                let bound = required + equity.raw - equity.adjusted;
                Self { threshold: if bound > equity.raw { bound } else { equity.raw }, required, bound }
            }
        }
    }
}

/// A requirement in the unshocked market; the initial one is never below the maintenance one.
fn requirement(setting: &Setting<'_>, pool: &Pool<'_>, side: MarginSide) -> f64 {
    let required = setting.requirement::<f64>(pool, &(setting.rows, Column::Base));
    match side {
        MarginSide::Initial if required.initial > required.maintenance => required.initial,
        MarginSide::Initial | MarginSide::Maintenance => required.maintenance,
    }
}
