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
        let pools: Vec<(f64, f64)> =
            (0..book.len()).into_par_iter().map(|index| of_pool(&setting, &book.pool(index), job)).collect();
        let (pools, requirements) = pools.into_iter().unzip();
        let of_outright = |outright| requirement(&setting, &population.pool(outright), job.margin);
        let outrights = population.outrights.par_iter().map(of_outright).collect();
        Ok(Self { pools, outrights, requirements })
    }

    /// Σ of the calibrated requirement, in whole quanta: no order of summation shows.
    pub(super) fn margin(&self) -> f64 {
        self.requirements.iter().map(|requirement| quanta(*requirement)).sum::<i128>() as f64 * QUANTUM
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

/// Threshold and requirement.
fn of_pool(setting: &Setting<'_>, pool: &Pool<'_>, job: &Job) -> (f64, f64) {
    if pool.unknown {
        return (f64::INFINITY, 0.0);
    }
    let pool = lossy(pool, job.resources);
    let required = requirement(setting, &pool, job.margin);
    match job.resources {
        Resources::Required => (required, required),
        Resources::Held => {
            let equity = setting.equity::<f64>(&pool, &(setting.rows, Column::Base));
            let called_for = required + equity.raw - equity.adjusted;
            (if called_for > equity.raw { called_for } else { equity.raw }, required)
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
