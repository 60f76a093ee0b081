//! Recomputes a seeded sample of pools by the reference and compares every decision and the kernel's own values; reprices
//! the options those pools hold by the plain formula.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::job::Job;
use super::ledger::Witness;
use super::outcome::{Audit, PoolOutcome, State};
use crate::domain::{Instrument, InstrumentIndex};
use crate::margin::Setting;
use crate::pricing::{Column, Rows, ShockedMarket, option_unit_value};
use crate::scenario::ScenarioSet;

/// Fewest pools audited, where the book has them.
const POOLS_MIN: usize = 64;
/// Most pools audited.
const POOLS_MAX: usize = 1_024;
/// One cell in this many is audited: the reference is about a hundred times slower than an engine, and the audit may take
/// a twentieth of the sweep's time.
const CELLS_PER_AUDITED_CELL: u64 = 2_000;

/// Scenarios under which the audited pools' options are repriced.
const SCENARIOS_REPRICED: usize = 32;

/// Audits a sweep. The sample depends on the seed and the book, never on time or threads.
pub fn audit(
    job: &Job<'_>,
    scenarios: &ScenarioSet,
    pools: &[PoolOutcome],
    witnesses: &[Option<Witness>],
    seed: u64,
) -> Audit {
    let known: Vec<usize> = (0..pools.len()).filter(|&index| pools[index].state != State::Unknown).collect();
    let cells = job.setting.snapshot.book.position_count() as u64 * job.scenario_count() as u64;
    let mut sample = Sample::draw(seed, (known.len(), scenarios.len()), cells);
    sample.pools.iter_mut().for_each(|place| *place = known[*place]);
    let mut auditor = Auditor::new(sample);
    auditor.add(job, 0, pools, witnesses);
    auditor.finish(&job.setting, scenarios)
}

/// What is audited of a run.
#[derive(Debug)]
pub struct Sample {
    /// Places among the known pools, ascending.
    pools: Vec<usize>,
    /// Scenarios under which options are repriced.
    scenarios: Vec<usize>,
}

impl Sample {
    /// Draws from so many known pools and scenarios of a sweep of so many cells.
    pub fn draw(seed: u64, (n_pools, n_scenarios): (usize, usize), cells: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut pools = index::sample(&mut random, n_pools, sample_size(cells, n_pools)).into_vec();
        pools.sort_unstable();
        let amount = SCENARIOS_REPRICED.min(n_scenarios);
        Self { pools, scenarios: index::sample(&mut random, n_scenarios, amount).into_vec() }
    }
}

/// Audits the pools of a sample as they come.
#[derive(Debug)]
pub struct Auditor {
    sample: Sample,
    held: BTreeSet<InstrumentIndex>,
    sum: Audit,
}

impl Auditor {
    /// Nothing audited yet.
    pub fn new(sample: Sample) -> Self {
        Self { sample, held: BTreeSet::new(), sum: Audit::default() }
    }

    /// Audits those of the sample among the pools of a job, the first of which stands at `first` in the whole book.
    pub fn add(&mut self, job: &Job<'_>, first: usize, pools: &[PoolOutcome], witnesses: &[Option<Witness>]) {
        let place = |limit: usize| self.sample.pools.partition_point(|&index| index < limit);
        let sample = &self.sample.pools[place(first)..place(first + pools.len())];
        let of = |&index: &usize| audit_pool(job, index - first, &pools[index - first], witnesses[index - first]);
        let parts: Vec<Audit> = sample.par_iter().map(of).collect();
        let positions = sample.iter().flat_map(|&index| job.pool(index - first).positions);
        self.held.extend(positions.map(|position| position.instrument));
        self.sum = parts.into_iter().fold(self.sum, add);
    }

    /// Reprices the options that the audited pools hold; what was found in all.
    pub fn finish(self, setting: &Setting<'_>, scenarios: &ScenarioSet) -> Audit {
        let market = ShockedMarket::new(setting.snapshot, scenarios);
        let options = Vec::from_iter(self.held).into_par_iter().filter_map(|index| {
            let row = setting.rows.of_instrument(index)?;
            let instrument = &setting.snapshot.instruments[index as usize];
            reprice(&market, setting.rows, instrument, row, &self.sample.scenarios)
        });
        options.collect::<Vec<Audit>>().into_iter().fold(self.sum, add)
    }
}

fn add(sum: Audit, part: Audit) -> Audit {
    Audit {
        pools: sum.pools + part.pools,
        cells: sum.cells + part.cells,
        verdicts: sum.verdicts + part.verdicts,
        decisions_differ: sum.decisions_differ + part.decisions_differ,
        worst_bound_ratio: sum.worst_bound_ratio.max(part.worst_bound_ratio),
        prices: sum.prices + part.prices,
        worst_price_ratio: sum.worst_price_ratio.max(part.worst_price_ratio),
    }
}

/// Compares a row of option values with the plain formula's. `None` for what is no option.
fn reprice(
    market: &ShockedMarket<'_>,
    rows: &Rows,
    instrument: &Instrument,
    row: u32,
    scenarios: &[usize],
) -> Option<Audit> {
    let mut part = Audit::default();
    for &scenario in scenarios {
        let column = Column::Scenario(scenario);
        let (option, state) = market.option(instrument, column)?;
        let settlement_price = market.asset_price(instrument.settlement_asset, column);
        let quote = |value: f64| option_unit_value(instrument, value, state.index) * settlement_price;
        let expected = option.reference(&state).value;
        let difference = (rows.value(row, column) - quote(expected)).abs();
        let tolerance = quote(option.tolerance(&state, expected)).abs();
        // Both are 0 where nothing is left of the index.
        let ratio = if difference == 0.0 { 0.0 } else { difference / tolerance };
        part.prices += 1;
        part.decisions_differ += u64::from(ratio.is_nan() || ratio > 1.0);
        part.worst_price_ratio = part.worst_price_ratio.max(ratio);
    }
    Some(part)
}

fn sample_size(cells: u64, known: usize) -> usize {
    let cells_per_pool = (cells / known.max(1) as u64).max(1);
    let wanted = (cells / CELLS_PER_AUDITED_CELL / cells_per_pool) as usize;
    wanted.clamp(POOLS_MIN, POOLS_MAX).min(known)
}

fn audit_pool(job: &Job<'_>, index: usize, outcome: &PoolOutcome, witness: Option<Witness>) -> Audit {
    let pool = job.pool(index);
    let (mut restricted, mut liquidatable, mut bankrupt) = (0, 0, 0);
    let worst = job.arbiter.examine(&pool, Column::Scenario(job.order.place(outcome.worst_scenario as usize))).1;
    let mut differ = u64::from(job.arbiter.decide(&pool, Column::Base).state() != outcome.state);
    let mut worse_elsewhere = false;
    for scenario in 0..job.scenario_count() {
        let (decision, excess) = job.arbiter.examine(&pool, Column::Scenario(scenario));
        restricted += u32::from(decision.restricted);
        liquidatable += u32::from(decision.liquidatable);
        bankrupt += u32::from(decision.bankrupt);
        worse_elsewhere |= excess.high < worst.low;
    }
    for (counted, published) in [
        (restricted, outcome.restricted_scenarios),
        (liquidatable, outcome.liquidatable_scenarios),
        (bankrupt, outcome.bankrupt_scenarios),
    ] {
        differ += u64::from(counted.abs_diff(published));
    }
    let ratio = witness.map_or(0.0, |witness| {
        let exact = job.arbiter.examine(&pool, Column::Scenario(witness.place as usize)).1.middle();
        (witness.value - exact).abs() / witness.bound
    });
    // A kernel value outside its bound is a broken promise even where no decision turned on it.
    differ += u64::from(worse_elsewhere) + u64::from(ratio.is_nan() || ratio > 1.0);
    let verdicts = job.scenario_count() as u64;
    Audit {
        pools: 1,
        cells: pool.positions.len() as u64 * verdicts,
        verdicts,
        decisions_differ: differ,
        worst_bound_ratio: ratio,
        ..Audit::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Asset, BookBuilder, Kind, Payoff, Position, Premium, Right, Snapshot, Underlying};
    use crate::pricing::{Unshocked, revalue};
    use crate::scenario::Factor;

    #[test]
    fn a_wrong_price_is_found() {
        let option = Instrument {
            kind: Kind::Option,
            payoff: Payoff::Inverse,
            price_asset: 1,
            strike: Some(60_000.0),
            expiry: "2026-12-25T08:00:00Z".parse().ok(),
            right: Some(Right::Put),
            implied_volatility: Some(0.6),
            premium: Premium::Paid,
            ..Instrument::perpetual("PUT", 0, 0, 0.02)
        };
        let mut book = BookBuilder::default();
        let pool = book.pool("a", "main");
        book.add_position(pool, Position::new(0, 1.0, 0.02));
        let snapshot = Snapshot {
            as_of: "2026-11-22T00:00:00Z".parse().ok(),
            quote: "USD".into(),
            assets: vec![Asset::new("BTC", 62_000.0), Asset::new("USD", 1.0)],
            underlyings: vec![Underlying::new("BTC", 62_000.0)],
            instruments: vec![option],
            routes: Vec::new(),
            haircut_curves: Vec::new(),
            book: book.build(),
        };
        let scenarios = ScenarioSet {
            ids: (0..3).map(|k| k.to_string()).collect(),
            weights: vec![1.0; 3],
            labels: vec![String::new(); 3],
            factors: vec![Factor::price("BTC")],
            shocks: ndarray::array![[-0.5], [0.0], [-0.9]],
        };
        let mut rows = revalue(&snapshot, &scenarios, Unshocked::Refuse).expect("rows");
        let market = ShockedMarket::new(&snapshot, &scenarios);
        let row = rows.of_instrument(0).expect("held");
        let audited =
            |rows: &Rows| reprice(&market, rows, &snapshot.instruments[0], row, &[0, 1, 2]).expect("an option");
        let clean = audited(&rows);
        assert_eq!((clean.prices, clean.decisions_differ), (3, 0));
        assert!(clean.worst_price_ratio < 1.0);
        rows.shocked[[row as usize, 1]] *= 1.0 + 1e-11;
        let wrong = audited(&rows);
        assert_eq!(wrong.decisions_differ, 1);
        assert!(wrong.worst_price_ratio > 4.0, "{}", wrong.worst_price_ratio);
    }
}
