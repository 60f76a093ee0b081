//! The options workload: 20 perpetuals, 2,000 options, a table of values and four Greeks under every scenario.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use ndarray::{Array1, Array2, Array3, Axis};
use rayon::prelude::*;

use super::arrays::{array, array2, save};
use super::workload::{Workload, market, misfit, name, rulebook, scenarios};
use crate::domain::{Instrument, Kind, Right, Snapshot, VolatilityShock};
use crate::engine::Outcome;
use crate::error::Result;
use crate::margin::{MarkIn, OptionClass, OptionReference, OptionRequirement, Rulebook};
use crate::pricing::{Column, Greeks, OptionRow, ShockedMarket, YEAR_SECONDS};
use crate::scenario::ScenarioSet;

/// Names of the tables: the value and the first Greeks of [`Greeks::NAMES`].
const TABLES: [&str; 5] = ["opt_value", "opt_delta", "opt_gamma", "opt_vega", "opt_theta"];
const CLASS: &str = "option";

/// Market, rules and shocks; the book is read apart.
pub(super) fn read(dir: &Path, meta: &serde_json::Value) -> Result<(Snapshot, Rulebook, ScenarioSet)> {
    let prices: Array1<f64> = array(dir, "spot")?;
    let mut snapshot = market(&prices);
    let as_of = Timestamp::UNIX_EPOCH;
    snapshot.as_of = Some(as_of);
    for underlying in &mut snapshot.underlyings {
        underlying.volatility_shock = VolatilityShock { minimum: 0.01, ..VolatilityShock::default() };
    }
    let rate = meta["r"].as_f64().unwrap_or(0.03);
    snapshot.instruments.extend(listed(dir, &prices, as_of, rate)?);
    let mut rules = rulebook(&array2(dir, "tier_rate")?, &array2(dir, "tier_ded")?, 2.0);
    rules.option.insert(CLASS.into(), class());
    Ok((snapshot, rules, scenarios(array2(dir, "shock_spot")?, Some(array2(dir, "shock_vol")?))))
}

fn listed(dir: &Path, prices: &Array1<f64>, as_of: Timestamp, rate: f64) -> Result<Vec<Instrument>> {
    let underlyings: Array1<i32> = array(dir, "opt_und")?;
    let strikes: Array1<f64> = array(dir, "opt_strike")?;
    let years: Array1<f64> = array(dir, "opt_tau")?;
    let volatilities: Array1<f64> = array(dir, "opt_iv")?;
    let calls: Array1<u8> = array(dir, "opt_call")?;
    let lengths = [strikes.len(), years.len(), volatilities.len(), calls.len()];
    let known = |index: &i32| (*index as usize) < prices.len();
    if lengths.iter().any(|&length| length != underlyings.len()) || !underlyings.iter().all(known) {
        return Err(misfit(dir));
    }
    let option = |k: usize| {
        let underlying = underlyings[k] as usize;
        let seconds = SignedDuration::from_nanos((years[k] * YEAR_SECONDS * 1e9) as i64);
        // Without dividends the forward grows at the rate.
        let forward_price = prices[underlying] * (rate * years[k]).exp();
        Instrument {
            kind: Kind::Option,
            strike: Some(strikes[k]),
            expiry: Some(as_of + seconds),
            right: Some(if calls[k] == 1 { Right::Call } else { Right::Put }),
            implied_volatility: Some(volatilities[k]),
            forward_price: Some(forward_price),
            rate,
            margin_class: CLASS.into(),
            ..Instrument::perpetual(name(prices.len() + k), underlying as u32, 0, 0.0)
        }
    };
    Ok((0..underlyings.len()).map(option).collect())
}

/// Short: 7.5 % of the index, initially 15 % less what is out of the money and at least 10 %; the mark on top of both.
fn class() -> OptionClass {
    OptionClass {
        reference: OptionReference::Index,
        mark: MarkIn::Requirement,
        maintenance: OptionRequirement { floor: 0.075, ..OptionRequirement::default() },
        initial: OptionRequirement { rate: 0.15, floor: 0.1, ..OptionRequirement::default() },
        call_initial_over_maintenance: 0.0,
        put_initial_over_maintenance: 0.0,
        long_credit: 1.0,
    }
}

/// What the peers compute beside the sweep. Its memory is taken once, as theirs is.
pub(super) struct Tables {
    /// Value and four Greeks of every option under every scenario, each `[n_options × n_scenarios]`.
    options: Vec<Array2<f64>>,
    /// Delta, gamma, vega and theta of every account by underlying, `[n_accounts × n_underlyings × 4]`.
    greeks: Array3<f64>,
}

impl Tables {
    /// Empty tables; `None` where the workload has no options.
    pub(super) fn of(work: &Workload) -> Option<Self> {
        let snapshot = &work.snapshot;
        let options = snapshot.instruments.iter().filter(|instrument| instrument.kind == Kind::Option).count();
        let tables = vec![Array2::zeros((options, work.scenarios.len())); TABLES.len()];
        let greeks = Array3::zeros((snapshot.book.len(), snapshot.underlyings.len(), 4));
        (options > 0).then_some(Self { options: tables, greeks })
    }

    /// Prices every option under every scenario; answers the revaluations.
    pub(super) fn price(&mut self, work: &Workload) -> usize {
        let market = ShockedMarket::new(&work.snapshot, &work.scenarios);
        let rows: Vec<OptionRow<'_>> =
            work.snapshot.instruments.iter().filter_map(|instrument| OptionRow::of(&market, instrument)).collect();
        if let [value, delta, gamma, vega, theta] = self.options.as_mut_slice() {
            let lines = rows.par_iter().zip(value.axis_iter_mut(Axis(0)));
            let lines = lines.zip(delta.axis_iter_mut(Axis(0))).zip(gamma.axis_iter_mut(Axis(0)));
            let lines = lines.zip(vega.axis_iter_mut(Axis(0))).zip(theta.axis_iter_mut(Axis(0)));
            lines.for_each(|(((((row, mut value), mut delta), mut gamma), mut vega), mut theta)| {
                let lines = [&mut value, &mut delta, &mut gamma, &mut vega, &mut theta];
                // Rows of a table in standard order are slices.
                row.price(0, lines.map(|line| line.as_slice_mut().unwrap_or_default()));
            });
        }
        rows.len() * work.scenarios.len()
    }

    /// Sums the Greeks of every account in the unshocked market.
    pub(super) fn add_up(&mut self, work: &Workload) {
        let snapshot = &work.snapshot;
        let market = ShockedMarket::new(snapshot, &work.scenarios);
        let units: Vec<Greeks> = snapshot
            .instruments
            .par_iter()
            .map(|instrument| market.contract(instrument, Column::Base).greeks)
            .collect();
        self.greeks.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(index, mut account)| {
            account.fill(0.0);
            for position in snapshot.book.pool(index).positions {
                let underlying = snapshot.instruments[position.instrument as usize].underlying as usize;
                let unit = units[position.instrument as usize].to_array();
                for (sum, greek) in account.row_mut(underlying).iter_mut().zip(unit) {
                    *sum += position.quantity * greek;
                }
            }
        });
    }

    /// Writes the arrays that the peers write.
    pub(super) fn write(&self, out: &Path, outcome: &Outcome) -> Result<()> {
        for (table, values) in TABLES.iter().zip(&self.options) {
            save(out, table, values)?;
        }
        save(out, "greeks", &self.greeks)?;
        let restricted = outcome.pools.iter().map(|pool| pool.restricted_scenarios as i32);
        save(out, "acct_n_im", &restricted.collect::<Array1<i32>>())
    }
}
