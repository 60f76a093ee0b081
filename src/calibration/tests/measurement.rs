//! Every figure against the direct formulas, pool by pool and scenario by scenario.

use std::collections::BTreeMap;

use super::super::measure::{Against, measure_alone};
use super::super::setup::Corner;
use super::super::touched::Touched;
use super::*;
use crate::backtest::{Backtest, LossOf, Options, Requirement};
use crate::domain::{Kind, Pool, PoolSettings, Position};
use crate::engine::{Arbiter, on_threads};
use crate::margin::{MarginSide, Rules, Setting, revalue};
use crate::pricing::{Column, Unshocked};

/// What the book amounts to under a rulebook, from figures alone.
#[derive(Debug, Default)]
struct Plain {
    margin: f64,
    observed: BTreeMap<String, Vec<u32>>,
    exceeded: BTreeMap<String, Vec<u32>>,
    shortfall: Vec<f64>,
    cover: Vec<f64>,
    probes: BTreeMap<String, Vec<Option<bool>>>,
}

fn threshold(arbiter: &Arbiter<'_>, pool: &Pool<'_>, job: &Job) -> (f64, f64) {
    let figures = arbiter.figures(pool, Column::Base);
    let required = match job.margin {
        MarginSide::Initial => figures.initial_margin,
        MarginSide::Maintenance => figures.maintenance_margin,
    };
    match job.resources {
        Resources::Required => (required, required),
        Resources::Held => (required, figures.equity.max(required + figures.equity - figures.adjusted_equity)),
    }
}

/// Whether a scenario quotes what moves a pool.
fn is_quoted(exchange: &Exchange, pool: &Pool<'_>, scenario: usize) -> bool {
    let Exchange { snapshot, scenarios, .. } = exchange;
    let quoted = |factor: &str| {
        scenarios.column(&Factor::price(factor)).is_none_or(|c| !scenarios.shocks[[scenario, c]].is_nan())
    };
    let asset = |index: u32| {
        let name = &snapshot.assets[index as usize].underlying;
        let moved = snapshot.underlyings.iter().find(|underlying| underlying.name == *name);
        quoted(name) && moved.is_none_or(|underlying| quoted(&underlying.factor))
    };
    let position = |position: &Position| {
        let instrument = &snapshot.instruments[position.instrument as usize];
        quoted(&snapshot.underlyings[instrument.underlying as usize].factor)
            && asset(instrument.settlement_asset)
            && asset(instrument.price_asset)
    };
    pool.positions.iter().all(position) && pool.balances.iter().all(|balance| asset(balance.asset))
}

fn class_of(exchange: &Exchange, arbiter: &Arbiter<'_>, pool: &Pool<'_>) -> Option<String> {
    let mut notionals: BTreeMap<&str, f64> = BTreeMap::new();
    for position in pool.positions {
        let alone = Pool { balances: &[], positions: std::slice::from_ref(position), ..*pool };
        let class = exchange.snapshot.instruments[position.instrument as usize].margin_class.as_str();
        *notionals.entry(class).or_default() += arbiter.figures(&alone, Column::Base).gross_notional;
    }
    let most = notionals.values().copied().fold(0.0, f64::max);
    notionals.into_iter().find(|(_, notional)| *notional == most).map(|(class, _)| class.to_string())
}

fn plain(exchange: &Exchange, rulebook: &Rulebook, job: &Job) -> Plain {
    let Exchange { snapshot, scenarios, .. } = exchange;
    let rules = Rules::resolve(rulebook, snapshot).expect("rules of the book");
    let rows = revalue(&rules, snapshot, scenarios, Unshocked::Refuse).expect("values");
    let arbiter = Arbiter::new(Setting { snapshot, rules: &rules, rows: &rows });
    let n = scenarios.len();
    let mut plain = Plain::default();
    let mut by_account: Vec<BTreeMap<&str, f64>> = vec![BTreeMap::new(); n];
    for pool in snapshot.book.pools() {
        let pool = if job.resources == Resources::Required { Pool { balances: &[], ..pool } } else { pool };
        let (required, has) = threshold(&arbiter, &pool, job);
        plain.margin += required;
        if job.resources == Resources::Held {
            let figures = arbiter.figures(&pool, Column::Base);
            plain.margin += figures.equity - figures.adjusted_equity;
        }
        let owes = pool.balances.iter().any(|balance| balance.amount < 0.0);
        if required == 0.0 && !owes {
            continue;
        }
        let equity = arbiter.figures(&pool, Column::Base).equity;
        let groups = class_of(exchange, &arbiter, &pool).into_iter().chain(["book".to_string()]);
        let groups: Vec<String> = groups.collect();
        for scenario in (0..n).filter(|scenario| is_quoted(exchange, &pool, *scenario)) {
            let loss = equity - arbiter.figures(&pool, Column::Scenario(scenario)).equity;
            for group in &groups {
                plain.observed.entry(group.clone()).or_insert_with(|| vec![0; n])[scenario] += 1;
                plain.exceeded.entry(group.clone()).or_insert_with(|| vec![0; n])[scenario] += u32::from(loss > has);
            }
            if loss > has {
                *by_account[scenario].entry(pool.account).or_default() += loss - has;
            }
        }
    }
    for accounts in by_account {
        let mut excesses: Vec<f64> = accounts.into_values().collect();
        excesses.sort_by(|a, b| b.total_cmp(a));
        plain.shortfall.push(excesses.iter().sum());
        plain.cover.push(excesses.iter().take(2).sum());
    }
    plain.probes = plain_probes(exchange, &arbiter, job);
    plain
}

fn plain_probes(exchange: &Exchange, arbiter: &Arbiter<'_>, job: &Job) -> BTreeMap<String, Vec<Option<bool>>> {
    let Exchange { snapshot, scenarios, .. } = exchange;
    let settings = PoolSettings::default();
    let mut probes = BTreeMap::new();
    for (index, instrument) in (0u32..).zip(&snapshot.instruments) {
        let is_held = snapshot.book.positions().iter().any(|position| position.instrument == index);
        if !is_held || instrument.kind == Kind::Option {
            continue;
        }
        for (side, sign) in [("long", 1.0), ("short", -1.0)] {
            let mut position = Position::new(index, 1.0, instrument.mark_price);
            let with = |position: &Position, use_pool: &mut dyn FnMut(&Pool<'_>)| {
                let positions = [*position];
                let pool = Pool {
                    account: "",
                    pool: "",
                    balances: &[],
                    positions: &positions,
                    settings: &settings,
                    unknown: false,
                };
                use_pool(&pool);
            };
            let mut unit = 0.0;
            with(&position, &mut |pool| unit = arbiter.figures(pool, Column::Base).gross_notional);
            position.quantity = sign * (job.outright_notional / unit);
            with(&position, &mut |pool| {
                let positions_alone = Job { resources: Resources::Required, ..job.clone() };
                let (_, has) = threshold(arbiter, pool, &positions_alone);
                let equity = arbiter.figures(pool, Column::Base).equity;
                let exceeds = |s: usize| equity - arbiter.figures(pool, Column::Scenario(s)).equity > has;
                let of = |s: usize| is_quoted(exchange, pool, s).then(|| exceeds(s));
                let name = format!("{} {} {side}", instrument.margin_class, instrument.name);
                probes.insert(name, (0..scenarios.len()).map(of).collect());
            });
        }
    }
    probes
}

fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-4 + 1e-12 * expected.abs(), "{found} {expected}");
    }
}

fn assert_equal(measured: &Measured, plain: &Plain) {
    assert_near(&[measured.margin], &[plain.margin]);
    let n = measured.shortfall.len();
    for group in &measured.groups {
        let none = vec![0; n];
        assert_eq!(&group.observed, plain.observed.get(&group.name).unwrap_or(&none), "{}", group.name);
        assert_eq!(&group.exceeded, plain.exceeded.get(&group.name).unwrap_or(&none), "{}", group.name);
    }
    assert!(plain.observed.keys().all(|name| measured.groups.iter().any(|group| group.name == *name)));
    assert_near(&measured.shortfall, &plain.shortfall);
    assert_near(&measured.cover, &plain.cover);
    let probes: BTreeMap<String, Vec<Option<bool>>> =
        measured.probes.iter().map(|probe| (probe.name.clone(), probe.exceeded.clone())).collect();
    assert_eq!(probes, plain.probes);
}

/// Points from the loosest to the strictest, on a book with several pools per account.
#[test]
fn every_figure_is_that_of_the_direct_formulas() {
    let exchange = Exchange::new();
    let accounts: Vec<&str> = exchange.snapshot.book.pools().map(|pool| pool.account).collect();
    assert!(accounts.windows(2).any(|pair| pair[0] == pair[1]), "an account has two pools");
    let both = [(MarginSide::Maintenance, Resources::Required), (MarginSide::Initial, Resources::Held)];
    for (margin, resources) in both {
        let mut parameters = vec![scaled("rates", "margin.*.maintenance.rate", Per::Each, (0.3, 4.0))];
        if resources == Resources::Held {
            parameters.push(scaled("haircuts", "haircut.*.haircut", Per::One, (0.0, 2.0)));
        }
        let job = Job { margin, resources, parameters, ..job() };
        let mut calibration = exchange.calibration(&job).expect("a calibration");
        let axes = calibration.axes().to_vec();
        let mut exceeded = Vec::new();
        for share in [0.0, 0.2, 0.5, 1.0] {
            let point: Vec<f64> = axes.iter().map(|axis| axis.low + share * (axis.high - axis.low)).collect();
            let measured = calibration.measure(&point).expect("measured");
            let text = calibration.text(&point);
            let rulebook = Rulebook::parse(&text, "candidate").expect("a rulebook");
            let plain = plain(&exchange, &rulebook, &job);
            assert_equal(&measured, &plain);
            exceeded.push(measured.groups.last().expect("the book").exceeded.iter().sum::<u32>());
        }
        assert!(exceeded[0] > exceeded[3], "{exceeded:?}");
        assert_eq!(calibration.sweeps(), 1, "one sweep serves every candidate");
    }
}

/// The old rulebook lies below the range of what is free: more losses are needed than were kept.
#[test]
fn what_was_not_kept_is_swept_again() {
    let exchange = Exchange::new();
    let job = Job { parameters: vec![scaled("rates", "margin.*.maintenance.rate", Per::One, (2.0, 4.0))], ..job() };
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    calibration.measure(&[2.0]).expect("measured");
    assert_eq!(calibration.sweeps(), 1);
    let (old, _) = calibration.old().expect("measured");
    assert_equal(&old, &plain(&exchange, &exchange.rulebook, &job));
    assert_eq!(calibration.sweeps(), 2);
    let again = calibration.measure(&[3.0]).expect("measured");
    let rulebook = Rulebook::parse(&calibration.text(&[3.0]), "candidate").expect("a rulebook");
    assert_equal(&again, &plain(&exchange, &rulebook, &job));
    assert_eq!(calibration.sweeps(), 2, "the second sweep serves all");
}

/// Where too much would have to be kept, a candidate is measured by a sweep of its own.
#[test]
fn a_sweep_that_keeps_nothing_measures_the_same() {
    let exchange = Exchange::new();
    let job = job();
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let measured = calibration.measure(&[1.0]).expect("measured");
    let (_, candidate) = calibration.last.clone().expect("the candidate that was measured");
    let (thresholds, fund) = (&candidate.thresholds, candidate.fund);
    let against = Against { population: &calibration.population, thresholds, accounts: 2, fund };
    let market = calibration.market(&calibration.searched);
    assert_eq!(measure_alone(&against, &market, &()).expect("measured"), measured);
}

#[test]
fn coverage_of_the_old_rulebook_is_that_of_the_back_test() {
    let exchange = Exchange::new();
    let options = Options {
        requirement: Requirement::Maintenance,
        loss_of: LossOf::Positions,
        unshocked: Unshocked::Refuse,
        level: 0.99,
        horizon: 1,
        rows_per_day: 1,
        rolling: None,
    };
    let backtest = Backtest::new(&exchange.rulebook, &exchange.scenarios, options).expect("a back-test");
    let pooled = backtest.book(&exchange.snapshot, &()).expect("tested").pooled[0].coverage;
    let job = job();
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let (measured, evaluation) = calibration.old().expect("measured");
    let book = measured.groups.last().expect("the book");
    let sum = |counts: &[u32]| u64::from(counts.iter().sum::<u32>());
    assert_eq!((sum(&book.observed), sum(&book.exceeded)), (pooled.observations, pooled.exceedances));
    assert!((measured.shortfall.iter().sum::<f64>() - pooled.shortfall_sum).abs() < 1e-6 * pooled.shortfall_sum);
    assert!((evaluation.readings[0].value - pooled.share().expect("observed")).abs() < 1e-12);
}

#[test]
fn threads_do_not_show() {
    let exchange = Exchange::new();
    let job = Job {
        constraints: vec![covered(CoverageOf::Accounts, Each::Class, 0.9), shortfall_within(Limit::Amount(1e5))],
        ..job()
    };
    let measured = |threads: usize| {
        let run = || {
            let mut calibration = exchange.calibration(&job).expect("a calibration");
            (calibration.measure(&[1.3]).expect("measured"), calibration.evaluate(&[1.3], 2.0).expect("evaluated"))
        };
        on_threads(Some(threads), run).expect("threads")
    };
    let (one, three) = (measured(1), measured(3));
    assert_eq!(one, three);
    assert_eq!(one.0.margin.to_bits(), three.0.margin.to_bits());
}

/// Stricter is never less margin, and never a loss more.
#[test]
fn thresholds_are_monotone() {
    let exchange = Exchange::new();
    let job = job();
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let mut before: Option<Measured> = None;
    for step in 0..8 {
        let measured = calibration.measure(&[0.5 + 0.5 * f64::from(step)]).expect("measured");
        if let Some(before) = before {
            assert!(measured.margin > before.margin);
            for (less, more) in measured.groups.iter().zip(&before.groups) {
                assert!(less.exceeded.iter().zip(&more.exceeded).all(|(less, more)| less <= more));
            }
            assert!(measured.shortfall.iter().zip(&before.shortfall).all(|(less, more)| less <= more));
        }
        before = Some(measured);
    }
}

#[test]
fn excesses_add_up_to_the_shortfall() {
    let exchange = Exchange::new();
    let job = job();
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let measured = calibration.measure(&[1.0]).expect("measured");
    let mut sums = vec![0.0; measured.shortfall.len()];
    for (scenario, excess) in calibration.excesses(Some(&[1.0])).expect("excesses").into_iter().flatten() {
        assert!(excess > 0.0);
        sums[scenario] += excess;
    }
    assert_near(&sums, &measured.shortfall);
    let requirements = calibration.requirements(Some(&[1.0])).expect("requirements");
    assert_near(&[requirements.iter().sum()], &[measured.margin]);
}

#[test]
fn a_candidate_beside_another_is_what_it_is_alone() {
    let exchange = Exchange::new();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let rates = scaled("rates", "margin.*.maintenance.rate", Per::Each, (0.3, 4.0));
    let job = Job { margin: MarginSide::Initial, resources: Resources::Held, parameters: vec![rates], ..job() };
    let mut walking = exchange.calibration(&job).expect("a calibration");
    assert!(walking.touched.iter().all(|touched| matches!(touched, Touched::Pools(pools) if !pools.is_empty())));
    let mut point = walking.corner(Corner::Strictest);
    for step in 0..12 {
        let axis = step % point.len();
        point[axis] = random.random_range(0.3..4.0);
        let measured = walking.measure(&point).expect("measured");
        let mut alone = exchange.calibration(&job).expect("a calibration");
        assert_eq!(measured, alone.measure(&point).expect("measured"), "step {step}");
    }
}
