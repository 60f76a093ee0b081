//! What must hold of components whatever the engine, and of their figures.

use plimsoll::domain::{Balance, Position, Snapshot};
use plimsoll::engine::{Arbiter, EngineChoice, Explainer, Figures, Statement, digest};
use plimsoll::margin::component::KINDS;
use plimsoll::margin::{Rulebook, Rules, Setting, TermSums, revalue};
use plimsoll::pricing::{Column, Unshocked};
use plimsoll::scenario::{Factor, FactorKind};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::books::Case;
use crate::component_books::{self, POOLS, TWIN, instrument, scenario_set};
use crate::component_rules::{alone, mixed, rulebook};
use crate::engines::{engines, run};
use crate::option_books::asset_index;
use crate::properties::{assert_no_more_breaches, counts, rebuild};

/// Rulebooks that together use every kind.
fn rulebooks() -> Vec<Rulebook> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    KINDS.chunks(3).map(|kinds| mixed(&kinds.iter().map(|kind| kind.name).collect::<Vec<_>>(), &mut random)).collect()
}

/// One component, the requirement of both sides.
fn of_component(text: &str) -> Rulebook {
    rulebook(&format!("[component.own]\n{text}"), "own.initial", "own.maintenance")
}

/// The case with another book, the same rules and scenarios.
fn with_book(case: &Case, snapshot: Snapshot) -> Case {
    Case { snapshot, rulebook: case.rulebook.clone(), scenarios: case.scenarios.clone() }
}

/// The case under other rules.
fn under(case: &Case, rulebook: Rulebook) -> Case {
    Case { snapshot: case.snapshot.clone(), rulebook, scenarios: case.scenarios.clone() }
}

/// Canonical figures of every pool in every market, the unshocked one first.
fn figures(case: &Case) -> Vec<Figures> {
    let rules = Rules::resolve(&case.rulebook, &case.snapshot).expect("rules");
    let rows = revalue(&rules, &case.snapshot, &case.scenarios, Unshocked::Refuse).expect("rows");
    let arbiter = Arbiter::new(Setting { snapshot: &case.snapshot, rules: &rules, rows: &rows });
    let columns = || std::iter::once(Column::Base).chain((0..case.scenarios.len()).map(Column::Scenario));
    let of_pool = |index| columns().map(move |column| (index, column));
    let all = (0..case.snapshot.book.len()).flat_map(of_pool);
    all.map(|(index, column)| arbiter.figures(&case.snapshot.book.pool(index), column)).collect()
}

/// Maintenance margins likewise.
fn maintenance(case: &Case) -> Vec<f64> {
    figures(case).iter().map(|figures| figures.maintenance_margin).collect()
}

#[test]
fn more_collateral_never_makes_a_breach() {
    for (at, rulebook) in rulebooks().into_iter().enumerate() {
        let case = component_books::random(POOLS, rulebook, 400 + at as u64);
        for name in ["USD", "USDT"] {
            let gift = Balance::new(asset_index(&case.snapshot.assets, name), 20_000.0);
            let richer = with_book(&case, rebuild(&case, false, |_, balances, _| balances.push(gift)));
            for engine in engines() {
                let (before, after) = (run(&case, engine.clone()), run(&richer, engine));
                assert_no_more_breaches(&after, &before);
                for (before, after) in before.pools.iter().zip(&after.pools) {
                    let slack = 1e-9 * (1.0 + before.base.gross_notional);
                    assert!(after.worst_excess >= before.worst_excess - slack, "{before:?} {after:?}");
                    assert!(after.state >= before.state, "{:?} became {:?}", before.state, after.state);
                }
            }
        }
    }
}

#[test]
fn the_order_of_accounts_and_holdings_changes_nothing() {
    for (at, rulebook) in rulebooks().into_iter().enumerate() {
        let case = component_books::random(POOLS, rulebook, 500 + at as u64);
        let backwards = with_book(&case, rebuild(&case, true, |_, _, _| ()));
        for engine in engines() {
            let (a, b) = (run(&case, engine.clone()), run(&backwards, engine));
            assert_eq!(a.pools, b.pools);
            assert_eq!(digest(&a.pools, &a.scenarios), digest(&b.pools, &b.scenarios));
        }
    }
}

/// Half of every position in the contract's twin.
fn in_two_halves(case: &Case) -> Snapshot {
    let twin = |position: &Position| {
        let name = &case.snapshot.instruments[position.instrument as usize].name;
        instrument(&case.snapshot, &format!("{name}{TWIN}"))
    };
    rebuild(case, false, |_, _, positions| {
        let halves = |position: &Position| {
            let (quantity, accrued_funding) = (0.5 * position.quantity, 0.5 * position.accrued_funding);
            let half = Position { quantity, accrued_funding, ..*position };
            [half, Position { instrument: twin(position), ..half }]
        };
        *positions = positions.iter().flat_map(halves).collect();
    })
}

#[test]
fn a_position_in_two_halves_is_one_position() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    for (at, kind) in KINDS.iter().enumerate() {
        // Brackets, by class, are the only rule by position.
        let rulebook = loop {
            let found = alone(kind.name, &mut random);
            if !found.to_toml().contains("positions") {
                break found;
            }
        };
        let case = component_books::random(POOLS, rulebook, 600 + at as u64);
        let halves = with_book(&case, in_two_halves(&case));
        for engine in engines() {
            let (whole, halves) = (run(&case, engine.clone()), run(&halves, engine));
            assert_eq!(counts(&whole), counts(&halves), "{}", kind.name);
            for (whole, halves) in whole.pools.iter().zip(&halves.pools) {
                assert_eq!(whole.state, halves.state, "{}", kind.name);
                let slack = 1e-12 * (1.0 + whole.base.gross_notional);
                assert!((whole.worst_excess - halves.worst_excess).abs() <= slack, "{}", kind.name);
                let differs = (whole.base.initial_margin - halves.base.initial_margin).abs();
                assert!(differs <= slack, "{}: {differs}", kind.name);
            }
        }
    }
}

/// Components whose requirement doubles with the book: no amounts and no tiers in quote units.
const HOMOGENEOUS: [&str; 9] = [
    "kind = \"grid\"\nprices = [-1, -0.5, 0.5, 1]\nvolatilities = [-1, 1]\nrange = 0.2\ngain_share = 0.4\n\
     volatility = { up = 0.4, down = 0.2 }\nextremes = { prices = [-0.6, 1.5] }\ncollateral = [\"BTC\"]",
    "kind = \"grid\"\nprices = [-1, 1]\nrange = 0.2\n\
     discount = { positive = { base = 0.9, rate_add = 0.1 }, negative = {} }",
    "kind = \"tail\"\nset = \"moves\"\nmeasure = \"value_at_risk\"\nconfidence = 0.95\nper = \"pool\"",
    "kind = \"tail\"\nset = \"moves\"\nmeasure = \"expected_shortfall\"\nconfidence = 0.93\nmultiplier = 1.7",
    "kind = \"span\"\nrange = 0.15\nper = \"pool\"\ntiers = [20]\nspreads = [{ tiers = [1, 2], rate = 300 }]\n\
     inter = [{ rate = 0.6, legs = [{ underlying = \"BTC\", side = \"a\" }, \
     { underlying = \"ETH\", ratio = 20, side = \"b\" }] }]",
    "kind = \"calendar\"\nannual = { initial = 0.1, maintenance = 0.07 }\nof = \"offset\"",
    "kind = \"delta\"\nnet_rate = 0.02\nhedged_rate = 0.01",
    "kind = \"vega\"\npoints = 0.05\nshort_power = 0.3",
    "kind = \"contingency\"\nof = \"net_short_strikes\"\nrate = 0.01\nconfidence = { threshold = 0.9, rate = 0.1 }",
];

#[test]
fn twice_the_book_requires_twice_as_much() {
    for (at, component) in HOMOGENEOUS.into_iter().enumerate() {
        let case = component_books::random(POOLS, of_component(component), 700 + at as u64);
        let doubled = rebuild(&case, false, |_, balances, positions| {
            for balance in balances {
                balance.amount *= 2.0;
                balance.accrued_interest *= 2.0;
            }
            for position in positions {
                position.quantity *= 2.0;
                position.accrued_funding *= 2.0;
            }
        });
        let doubled = with_book(&case, doubled);
        for engine in engines() {
            let (once, twice) = (run(&case, engine.clone()), run(&doubled, engine));
            assert!(once.pools.iter().any(|pool| pool.base.maintenance_margin > 0.0), "{component}");
            assert_eq!(counts(&once), counts(&twice), "{component}");
            for (once, twice) in once.pools.iter().zip(&twice.pools) {
                assert_eq!(2.0 * once.base.maintenance_margin, twice.base.maintenance_margin, "{component}");
                assert_eq!(2.0 * once.base.initial_margin, twice.base.initial_margin, "{component}");
                assert_eq!(2.0 * once.worst_excess, twice.worst_excess, "{component}");
            }
        }
    }
}

/// Asserts that the first is nowhere below the second, and somewhere above it.
fn assert_at_least(larger: &[f64], smaller: &[f64]) {
    assert_eq!(larger.len(), smaller.len());
    assert!(larger.iter().zip(smaller).all(|(larger, smaller)| larger >= smaller));
    assert!(larger.iter().zip(smaller).any(|(larger, smaller)| larger > smaller));
}

#[test]
fn a_grid_requires_nothing_negative_and_a_further_point_lowers_nothing() {
    let grid =
        |prices: &str| of_component(&format!("kind = \"grid\"\nprices = {prices}\nrange = 0.2\ngain_share = 0.5"));
    let case = component_books::random(POOLS, grid("[-1, 0.5]"), 800);
    let few = maintenance(&case);
    assert!(few.iter().all(|margin| *margin >= 0.0));
    let more = maintenance(&under(&case, grid("[-1, 0.5, 1]")));
    assert_at_least(&more, &few);
    assert_at_least(&maintenance(&under(&case, grid("[-1, -0.5, 0.5, 1, 1.5]"))), &more);
}

#[test]
fn the_expected_shortfall_is_at_least_the_value_at_risk_and_both_rise_with_the_confidence() {
    let tail = |measure: &str, confidence: f64| {
        of_component(&format!(
            "kind = \"tail\"\nset = \"moves\"\nmeasure = \"{measure}\"\nconfidence = {confidence}\nper = \"pool\""
        ))
    };
    let case = component_books::random(POOLS, tail("value_at_risk", 0.9), 810);
    // The sum of equal losses times the inverse of their number may round below each of them.
    let lowered = |margins: Vec<f64>| margins.iter().map(|margin| margin * (1.0 - 1e-14)).collect::<Vec<_>>();
    let mut before = [vec![0.0; POOLS * (1 + case.scenarios.len())], vec![0.0; POOLS * (1 + case.scenarios.len())]];
    for confidence in [0.8, 0.9, 0.93, 0.99] {
        let of = |measure| maintenance(&under(&case, tail(measure, confidence)));
        let (value_at_risk, shortfall) = (of("value_at_risk"), of("expected_shortfall"));
        if confidence < 0.99 {
            assert_at_least(&shortfall, &lowered(value_at_risk.clone()));
        } else {
            assert_eq!(shortfall, value_at_risk, "a tail of less than one move of 40 is the largest loss");
        }
        assert_at_least(&value_at_risk, &lowered(before[0].clone()));
        assert_at_least(&shortfall, &lowered(before[1].clone()));
        before = [value_at_risk, shortfall];
    }
}

#[test]
fn a_maximum_is_at_least_each_operand_and_a_minimum_at_most() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let parts: String = ["grid", "vega", "unwind"]
        .iter()
        .map(|kind| crate::component_rules::component(&format!("of_{kind}"), kind, &[], &mut random))
        .collect();
    let of = |text: &str| rulebook(&parts, text, text);
    let case = component_books::random(POOLS, of("max(of_grid.maintenance, of_vega.maintenance)"), 820);
    let at = |text: &str| maintenance(&under(&case, of(text)));
    let [grid, vega] = ["of_grid.maintenance", "of_vega.maintenance"].map(at);
    let [largest, least] = ["max", "min"].map(|pick| at(&format!("{pick}(of_grid.maintenance, of_vega.maintenance)")));
    assert_at_least(&largest, &grid);
    assert_at_least(&largest, &vega);
    assert_at_least(&grid, &least);
    assert_at_least(&vega, &least);
    for ((sum, grid), vega) in at("of_grid.maintenance + of_vega.maintenance").iter().zip(&grid).zip(&vega) {
        // A pool's multiplier rounds each on its own.
        assert!((sum - (grid + vega)).abs() <= 1e-15 * sum, "{sum} {grid} {vega}");
    }
    assert_at_least(&at("of_unwind.initial"), &at("of_unwind.maintenance"));
}

#[test]
fn a_scenario_of_its_volatility_index_or_depth_raises_requirements() {
    let component = "[component.own]\nkind = \"grid\"\nprices = [-1, 1]\nrange = 0.15\n\
                     [component.size]\nkind = \"concentration\"\nshare_of = \"depth\"\n\
                     charge = { form = \"linear\", threshold = 0.001, rate = 0.05 }";
    let factor = |kind, name: &str| Factor { kind, name: name.into() };
    let shocked = |requirement: &str| {
        let mut case = component_books::random(POOLS, rulebook(component, requirement, requirement), 830);
        let mut factors: Vec<Factor> = component_books::COINS.iter().map(|(coin, _)| Factor::price(*coin)).collect();
        factors.extend([factor(FactorKind::VolatilityIndex, "BTC"), factor(FactorKind::Depth, "BTC")]);
        let mut shocks = ndarray::Array2::zeros((3, factors.len()));
        (shocks[[1, 3]], shocks[[2, 4]]) = (1.0, -0.5);
        case.scenarios = scenario_set(factors, shocks);
        case
    };
    for (requirement, scenario) in [("stress * own", 1), ("thin * own", 2), ("own + size", 2)] {
        let case = shocked(requirement);
        let all = maintenance(&case);
        let mut raised = 0;
        for margins in all.chunks_exact(4) {
            let [base, of] = [margins[0], margins[1 + scenario]];
            assert_eq!(base, margins[1], "the first scenario moves nothing");
            assert!(
                if requirement.contains('*') { of == 2.0 * base } else { of >= base },
                "{requirement}: {margins:?}"
            );
            raised += usize::from(of > base);
        }
        assert!(raised > POOLS / 4, "{requirement}: {raised} pools");
        let reference = run(&case, EngineChoice::Reference);
        let breaches = |scenario: usize| reference.scenarios[scenario].liquidatable_pools;
        assert!(breaches(scenario) >= breaches(0));
        for engine in engines() {
            assert_eq!(run(&case, engine).pools, reference.pools, "{requirement}");
        }
    }
}

fn assert_adds_up(statement: &Statement, case: &Case, multiplier: f64) {
    let (sums, figures) = (TermSums::of(&statement.terms), statement.figures);
    let slack = 1e-11 * (1.0 + sums.size);
    assert!(statement.rounding <= slack, "{} of {}", statement.rounding, sums.size);
    let close = |a: f64, b: f64| (a - b).abs() <= slack;
    assert!(close(sums.maintenance_margin, figures.maintenance_margin), "{sums:?} {figures:?}");
    assert!(close(sums.initial_margin, figures.initial_margin), "{sums:?} {figures:?}");
    let names: Vec<&String> = statement.components.iter().map(|component| &component.name).collect();
    assert_eq!(names, case.rulebook.component.keys().collect::<Vec<_>>());
    // With the one component as the requirement, its groups are all there is.
    if let ([own], 1.0) = (statement.components.as_slice(), multiplier) {
        let sum: f64 = own.groups.iter().map(|group| group.value.maintenance).sum();
        assert!(close(sum, figures.maintenance_margin), "{sum} {figures:?}");
        assert!(own.groups.iter().all(|group| !group.group.is_empty()));
    }
}

#[test]
fn an_explanation_adds_up_and_lists_every_component_by_group() {
    let mut random = ChaCha8Rng::seed_from_u64(10);
    let alone = KINDS.iter().map(|kind| alone(kind.name, &mut random)).collect::<Vec<_>>();
    for (at, rulebook) in rulebooks().into_iter().chain(alone).enumerate() {
        let case = component_books::random(6, rulebook, 900 + at as u64);
        let (snapshot, rulebook, scenarios) = (&case.snapshot, &case.rulebook, Some(&case.scenarios));
        let explainer = Explainer { snapshot, rulebook, scenarios, unshocked: Unshocked::Refuse };
        let reference = run(&case, EngineChoice::Reference);
        for (index, pool) in reference.pools.iter().enumerate() {
            let multiplier = snapshot.book.pool(index).settings.mm_multiplier;
            let explanation = explainer.explain(index, None).expect("an explanation");
            assert_eq!(explanation.base.figures, pool.base);
            assert_eq!(explanation.base.state, pool.state);
            assert_adds_up(&explanation.base, &case, multiplier);
            let worst = explanation.scenario.expect("a worst scenario");
            assert_eq!(worst.column, Column::Scenario(pool.worst_scenario as usize));
            assert_eq!(worst.figures.maintenance_excess(), pool.worst_excess);
            assert_adds_up(&worst, &case, multiplier);
        }
    }
}
