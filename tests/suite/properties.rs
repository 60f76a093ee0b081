//! What must hold whatever the engine: each property runs on the reference, the CPU engine and a GPU.

use plimsoll::domain::{Balance, BookBuilder, Position, Side, Snapshot};
use plimsoll::engine::plan::PlanOptions;
use plimsoll::engine::{EngineChoice, Outcome, State, SweepOptions, Totals, digest, sweep};
use plimsoll::margin::{
    Form, Growth, HaircutBase, HaircutSchedule, MarginClass, Rulebook, Schedule, SizeFunction, SizeUnit,
};
use plimsoll::scenario::{Factor, ScenarioSet};

use crate::books::{self, Case};
use crate::engines::{engines, run};

pub fn case(n: usize, n_scenarios: usize, seed: u64) -> Case {
    books::random(n, n_scenarios, seed, HaircutBase::BalanceAndPnl, SizeUnit::Quote)
}

/// Rebuilds a book, pool by pool, in another input order.
pub fn rebuild(
    case: &Case,
    backwards: bool,
    mut change: impl FnMut(usize, &mut Vec<Balance>, &mut Vec<Position>),
) -> Snapshot {
    let book = &case.snapshot.book;
    let mut builder = BookBuilder::default();
    let order: Vec<usize> = if backwards { (0..book.len()).rev().collect() } else { (0..book.len()).collect() };
    for index in order {
        let pool = book.pool(index);
        let id = builder.pool(pool.account, pool.pool);
        let (mut balances, mut positions) = (pool.balances.to_vec(), pool.positions.to_vec());
        change(index, &mut balances, &mut positions);
        if backwards {
            balances.reverse();
            positions.reverse();
        }
        balances.into_iter().for_each(|balance| builder.add_balance(id, balance));
        positions.into_iter().for_each(|position| builder.add_position(id, position));
        *builder.settings(id) = pool.settings.clone();
    }
    Snapshot { book: builder.build(), ..case.snapshot.clone() }
}

/// One flat rate for everything, one flat haircut: linear rules.
fn flat_rulebook(rate: f64, haircut: f64) -> Rulebook {
    let class = MarginClass::brackets(Schedule::flat(rate), Schedule::flat(2.0 * rate));
    let schedule = HaircutSchedule::flat(haircut);
    Rulebook {
        margin: ["major", "alt", "linear", "rooted"].map(|key| (key.to_string(), class.clone())).into(),
        haircut: ["coin", "stable"].map(|key| (key.to_string(), schedule.clone())).into(),
        ..books::rulebook(HaircutBase::Balance, SizeUnit::Quote)
    }
}

fn asset(snapshot: &Snapshot, name: &str) -> u32 {
    snapshot.assets.iter().position(|asset| asset.name == name).unwrap() as u32
}

pub fn counts(outcome: &Outcome) -> Vec<[u32; 3]> {
    let of = |pool: &plimsoll::engine::PoolOutcome| {
        [pool.restricted_scenarios, pool.liquidatable_scenarios, pool.bankrupt_scenarios]
    };
    outcome.pools.iter().map(of).collect()
}

pub fn assert_no_more_breaches(better: &Outcome, worse: &Outcome) {
    for (index, (better, worse)) in counts(better).iter().zip(counts(worse)).enumerate() {
        assert!(better.iter().zip(&worse).all(|(b, w)| b <= w), "pool {index}: {better:?} > {worse:?}");
    }
}

#[test]
fn more_collateral_never_lowers_equity_nor_makes_a_breach() {
    let case = case(150, 100, 1);
    for engine in engines() {
        for name in ["USD", "USDT", "BTC"] {
            let asset = asset(&case.snapshot, name);
            let price = case.snapshot.assets[asset as usize].price;
            let gift = Balance::new(asset, 500.0 / price);
            let richer = rebuild(&case, false, |_, balances, _| balances.push(gift));
            let richer = Case { snapshot: richer, rulebook: case.rulebook.clone(), scenarios: case.scenarios.clone() };
            let (before, after) = (run(&case, engine.clone()), run(&richer, engine.clone()));
            assert_no_more_breaches(&after, &before);
            for (before, after) in before.pools.iter().zip(&after.pools) {
                // Published figures are rounded: monotone within their rounding.
                let slack = 1e-9 * (1.0 + before.base.gross_notional);
                assert!(after.base.equity > before.base.equity);
                assert!(after.base.adjusted_equity >= before.base.adjusted_equity - slack);
                assert!(after.worst_excess >= before.worst_excess - slack);
                assert!(after.state >= before.state, "{:?} became {:?}", before.state, after.state);
            }
        }
    }
}

#[test]
fn the_order_of_input_rows_and_accounts_changes_nothing() {
    let case = case(150, 100, 2);
    let shuffled = Case {
        snapshot: rebuild(&case, true, |_, _, _| ()),
        ..books::random(0, 1, 0, HaircutBase::Balance, SizeUnit::Asset)
    };
    let shuffled = Case { rulebook: case.rulebook.clone(), scenarios: case.scenarios.clone(), ..shuffled };
    for engine in engines() {
        let (a, b) = (run(&case, engine.clone()), run(&shuffled, engine));
        assert_eq!(a.pools, b.pools);
        assert_eq!(digest(&a.pools, &a.scenarios), digest(&b.pools, &b.scenarios));
    }
}

#[test]
fn two_lots_are_one_balance() {
    let mut case = case(150, 100, 3);
    // Halves add up to the whole exactly; accrued interest would round on its own.
    case.snapshot = rebuild(&case, false, |_, balances, _| {
        balances.iter_mut().for_each(|balance| balance.accrued_interest = 0.0);
        balances.dedup_by_key(|balance| balance.asset);
    });
    let split = rebuild(&case, false, |_, balances, _| {
        *balances = balances.iter().flat_map(|b| [Balance { amount: 0.5 * b.amount, ..*b }; 2]).collect();
    });
    let split = Case { snapshot: split, rulebook: case.rulebook.clone(), scenarios: case.scenarios.clone() };
    for engine in engines() {
        let (whole, split) = (run(&case, engine.clone()), run(&split, engine));
        assert_eq!(counts(&whole), counts(&split));
        for (whole, split) in whole.pools.iter().zip(&split.pools) {
            assert_eq!(whole.state, split.state);
            // Decisions are exact; a published figure is one f64 summation, and two lots are one summand more.
            let size = whole.base.equity.abs() + whole.base.gross_notional + whole.base.adjusted_collateral.abs();
            assert!((whole.base.equity - split.base.equity).abs() <= 1e-13 * size);
        }
    }
}

/// A size function for sizes `factor` times as large; √factor is a power of two, so nothing rounds.
fn scale_money(size: &mut SizeFunction, factor: f64) {
    match size {
        SizeFunction::Brackets(schedule) => schedule.bounds.iter_mut().for_each(|bound| *bound *= factor),
        SizeFunction::Curve(curve) => match &mut curve.growth {
            Growth::Linear { slope } => *slope /= factor,
            Growth::SquareRoot { factor: growth, .. } => *growth /= factor.sqrt(),
        },
        SizeFunction::OpenInterest(_) => {}
    }
}

#[test]
fn money_scaled_by_a_power_of_two_scales_every_figure_and_no_decision() {
    let mut case = case(150, 100, 4);
    for rulebook in [flat_rulebook(0.02, 0.1), books::rulebook(HaircutBase::BalanceAndPnl, SizeUnit::Quote)] {
        case.rulebook = rulebook;
        for factor in [0.25, 64.0] {
            let snapshot = rebuild(&case, false, |_, balances, positions| {
                for balance in balances {
                    balance.amount *= factor;
                    balance.accrued_interest *= factor;
                }
                for position in positions {
                    position.quantity *= factor;
                    position.accrued_funding *= factor;
                }
            });
            let mut rulebook = case.rulebook.clone();
            for class in rulebook.margin.values_mut() {
                class.minimum.initial *= factor;
                class.minimum.maintenance *= factor;
                for size in [&mut class.maintenance, &mut class.initial] {
                    scale_money(size, factor);
                }
            }
            rulebook.haircut.values_mut().flat_map(|haircut| &mut haircut.bounds).for_each(|bound| *bound *= factor);
            let mut snapshot = snapshot;
            let mut builder = BookBuilder::default();
            for index in 0..snapshot.book.len() {
                let pool = snapshot.book.pool(index);
                let id = builder.pool(pool.account, pool.pool);
                pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
                pool.positions.iter().for_each(|position| builder.add_position(id, *position));
                *builder.settings(id) = pool.settings.clone();
                builder.settings(id).open_order_margin *= factor;
            }
            snapshot.book = builder.build();
            let scaled = Case { snapshot, rulebook, scenarios: case.scenarios.clone() };
            for engine in engines() {
                let (a, b) = (run(&case, engine.clone()), run(&scaled, engine));
                assert_eq!(counts(&a), counts(&b));
                for (a, b) in a.pools.iter().zip(&b.pools) {
                    assert_eq!(a.worst_scenario, b.worst_scenario);
                    assert_eq!(a.base.equity * factor, b.base.equity);
                    assert_eq!(a.worst_excess * factor, b.worst_excess);
                    assert_eq!(a.expected_shortfall * factor, b.expected_shortfall);
                }
            }
        }
    }
}

#[test]
fn a_zero_shock_gives_the_base_figures() {
    let mut case = case(150, 3, 5);
    case.scenarios.shocks.fill(0.0);
    for engine in engines() {
        let outcome = run(&case, engine);
        for pool in &outcome.pools {
            assert_eq!(pool.worst_equity, pool.base.equity);
            assert_eq!(pool.worst_excess, pool.base.adjusted_equity - pool.base.maintenance_margin);
            let everywhere = |holds: bool| if holds { 3 } else { 0 };
            assert_eq!(pool.bankrupt_scenarios, everywhere(pool.state == State::Bankrupt));
            // A bankrupt pool without requirements is not above zero adjusted equity either.
            assert_eq!(pool.liquidatable_scenarios, everywhere(pool.state <= State::Liquidatable));
            assert_eq!(pool.restricted_scenarios, everywhere(pool.state <= State::Restricted));
        }
    }
}

fn first_scenarios(case: &Case, n: usize) -> Case {
    let set = &case.scenarios;
    let scenarios = ScenarioSet {
        ids: set.ids[..n].to_vec(),
        weights: set.weights[..n].to_vec(),
        labels: set.labels[..n].to_vec(),
        factors: set.factors.clone(),
        shocks: set.shocks.slice(ndarray::s![..n, ..]).to_owned(),
    };
    Case { snapshot: case.snapshot.clone(), rulebook: case.rulebook.clone(), scenarios }
}

#[test]
fn another_scenario_never_raises_the_worst_excess_nor_lowers_a_count() {
    let all = case(150, 290, 6);
    for engine in engines() {
        let mut before: Option<Outcome> = None;
        for n in [1, 40, 257, 290] {
            let now = run(&first_scenarios(&all, n), engine.clone());
            if let Some(before) = &before {
                assert_no_more_breaches(before, &now);
                for (before, now) in before.pools.iter().zip(&now.pools) {
                    assert!(now.worst_excess <= before.worst_excess);
                }
            }
            before = Some(now);
        }
    }
}

#[test]
fn a_higher_rate_or_haircut_never_makes_a_breached_pool_solvent() {
    let mut case = case(150, 100, 7);
    for engine in engines() {
        let mut before: Option<Outcome> = None;
        for (rate, haircut) in [(0.01, 0.0), (0.02, 0.0), (0.02, 0.15), (0.05, 0.15), (0.05, 0.9)] {
            case.rulebook = flat_rulebook(rate, haircut);
            let now = run(&case, engine.clone());
            if let Some(before) = before {
                assert_no_more_breaches(&before, &now);
            }
            before = Some(now);
        }
    }
}

fn one_pool(balances: &[(&str, f64)], positions: &[(&str, f64, Side)]) -> Snapshot {
    let mut snapshot = books::market();
    let mut builder = BookBuilder::default();
    let id = builder.pool("a", "main");
    for &(name, amount) in balances {
        builder.add_balance(id, Balance::new(asset(&snapshot, name), amount));
    }
    for &(name, quantity, side) in positions {
        let at = snapshot.instruments.iter().position(|instrument| instrument.name == name).unwrap();
        let entry_price = snapshot.instruments[at].mark_price;
        builder.add_position(
            id,
            Position { instrument: at as u32, quantity, entry_price, leverage: None, accrued_funding: 0.0, side },
        );
    }
    snapshot.book = builder.build();
    snapshot
}

/// Scenarios that move one coin.
fn moves_of(name: &str, shocks: &[f64]) -> ScenarioSet {
    ScenarioSet {
        ids: (0..shocks.len()).map(|k| format!("s{k}")).collect(),
        weights: vec![1.0; shocks.len()],
        labels: vec![String::new(); shocks.len()],
        factors: vec![Factor::price(name)],
        shocks: ndarray::Array2::from_shape_vec((shocks.len(), 1), shocks.to_vec()).unwrap(),
    }
}

#[test]
fn a_long_and_an_equal_short_leg_have_no_price_exposure_and_two_requirements() {
    let snapshot = one_pool(&[("USD", 10_000.0)], &[("ETH-USDT", 8.0, Side::Long), ("ETH-USDT", -8.0, Side::Short)]);
    let shocks = [-0.9, -0.3, 0.0, 0.4, 2.0];
    let case = Case { snapshot, rulebook: flat_rulebook(0.01, 0.1), scenarios: moves_of("ETH", &shocks) };
    for engine in engines() {
        let outcome = run(&case, engine);
        let pool = &outcome.pools[0];
        assert_eq!(pool.worst_equity, 10_000.0, "legs cancel to the last bit");
        assert_eq!(pool.worst_scenario, 4, "only the requirement grows with the price");
        let notional = 16.0 * 3_000.0 * 1.0003 * 1.0002;
        assert!((pool.base.gross_notional - notional).abs() < 1e-6, "both legs are margined");
    }
}

#[test]
fn the_digest_does_not_depend_on_threads_chunks_or_tiles() {
    let case = case(200, 300, 8);
    for engine in engines() {
        let mut digests = std::collections::BTreeSet::new();
        let plain = PlanOptions::default();
        let plans = [
            plain,
            PlanOptions { chunk_pools: Some(1), ..plain },
            PlanOptions { chunk_pools: Some(17), ..plain },
            PlanOptions { chunk_pools: Some(1_000), ..plain },
            PlanOptions { tile_scenarios: Some(32), ..plain },
            PlanOptions { tile_scenarios: Some(320), ..plain },
        ];
        // A chunk of one pool is a submission each on a GPU: a few are enough.
        let is_gpu = matches!(engine, EngineChoice::Gpu(_));
        for (k, plan) in plans.into_iter().enumerate().filter(|(k, _)| !is_gpu || *k != 1) {
            let threads = Some(1 + k % 2);
            let options = SweepOptions { engine: engine.clone(), threads, plan, ..SweepOptions::default() };
            let outcome = sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).unwrap();
            digests.insert(digest(&outcome.pools, &outcome.scenarios));
        }
        assert_eq!(digests.len(), 1, "{engine:?}");
    }
}

/// Whole-position rates for maintenance, with a bound that one scenario meets exactly.
fn on_the_bound() -> Case {
    // The contract is worth 8 · (mark · price) in quote units; its value at the scenario is the bound.
    let mut snapshot = one_pool(&[("USD", 1_500.0)], &[("ETH-USDT", 8.0, Side::Net)]);
    let usdt = asset(&snapshot, "USDT") as usize;
    snapshot.assets[usdt].price = 1.0;
    let eth = snapshot.instruments.iter().position(|instrument| instrument.name == "ETH-USDT").unwrap();
    snapshot.instruments[eth].mark_price = 3_000.0;
    let mut rulebook = flat_rulebook(0.01, 0.1);
    let whole = Schedule { form: Form::Whole, bounds: vec![30_000.0], rates: vec![0.01, 0.02] };
    rulebook.margin.values_mut().for_each(|class| class.maintenance = whole.clone().into());
    // Scenario 3 of 300 takes the notional to 30,000 exactly; the worst is another one, a tile later.
    let mut shocks = vec![0.0; 300];
    (shocks[3], shocks[5], shocks[290]) = (0.25, 0.5, -0.5);
    Case { snapshot, rulebook, scenarios: moves_of("ETH", &shocks) }
}

#[test]
fn a_branch_in_doubt_hides_neither_the_worst_scenario_nor_the_maintenance_total() {
    let case = on_the_bound();
    let reference = run(&case, EngineChoice::Reference);
    assert_eq!(reference.pools[0].worst_scenario, 290);
    for engine in engines() {
        let outcome = run(&case, engine);
        assert_eq!(outcome.pools, reference.pools);
        for (scenario, expected) in outcome.scenarios.iter().zip(&reference.scenarios) {
            let close = (scenario.maintenance_total - expected.maintenance_total).abs() < 0.01;
            // On the bound itself a kernel may take the other branch in the total, never lose the total.
            assert!(close || (expected.maintenance_total - 600.0).abs() < 0.01, "{scenario:?} {expected:?}");
            assert!(scenario.maintenance_total.is_finite());
        }
    }
}

#[test]
fn a_settlement_asset_without_its_haircut_class_is_refused_where_profit_is_cut() {
    let snapshot = one_pool(&[("USD", 10_000.0)], &[("ETH-USDT", 8.0, Side::Net)]);
    let mut rulebook = flat_rulebook(0.01, 0.1);
    rulebook.haircut.remove("stable");
    let scenarios = moves_of("ETH", &[-0.1]);
    let options = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
    for (base, refused) in [(HaircutBase::Balance, false), (HaircutBase::BalanceAndPnl, true)] {
        rulebook.haircut_base = base;
        assert_eq!(sweep(&snapshot, &rulebook, &scenarios, &options, &()).is_err(), refused, "{base:?}");
    }
}

#[test]
fn pools_that_no_kernel_sums_are_part_of_bounded_totals() {
    let mut snapshot = one_pool(&[("USD", -1_000.0)], &[]);
    let mut builder = BookBuilder::default();
    for (account, amount) in [("a", -1_000.0), ("b", 1_000.0)] {
        let id = builder.pool(account, "main");
        builder.add_balance(id, Balance::new(asset(&snapshot, "USD"), amount));
    }
    let id = builder.pool("c", "main");
    builder.add_balance(id, Balance::new(asset(&snapshot, "ETH"), -1.0));
    snapshot.book = builder.build();
    let case = Case { snapshot, rulebook: flat_rulebook(0.01, 0.1), scenarios: moves_of("ETH", &[-0.5, 0.0, 1.0]) };
    for engine in engines() {
        for totals in [Totals::Exact, Totals::Bounded] {
            let options = SweepOptions { engine: engine.clone(), totals: Some(totals), ..SweepOptions::default() };
            let outcome = sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).unwrap();
            for (scenario, expected) in outcome.scenarios.iter().zip([2_500.0, 4_000.0, 7_000.0]) {
                let off = (scenario.shortfall - expected).abs();
                assert!(off <= scenario.shortfall_bound, "{engine:?} {totals:?}: {scenario:?}, expected {expected}");
            }
        }
    }
}
