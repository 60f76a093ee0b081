//! Every engine gives the same decisions, states, worst scenarios and figures, on books where a plain f32 sweep does not.

use plimsoll::engine::{EngineChoice, Outcome, digest};
use plimsoll::margin::{HaircutBase, SizeUnit};
use plimsoll::synth::{self, Market, MarketOptions, Options};

use crate::books::{self, Case};
use crate::engines::{engines, run};

fn counts(outcome: &Outcome) -> Vec<(u64, u64, u64)> {
    let scenarios = outcome.scenarios.iter();
    scenarios.map(|s| (s.restricted_pools, s.liquidatable_pools, s.bankrupt_pools)).collect()
}

fn assert_all_engines_agree(name: &str, case: &Case) {
    let reference = run(case, EngineChoice::Reference);
    for engine in engines().into_iter().filter(|engine| *engine != EngineChoice::Reference) {
        let outcome = run(case, engine);
        println!(
            "{name}: {} cells, {} {}: {} of {} pools re-decided, {} verdicts exactly; audit worst ratio {:.3}",
            outcome.cells,
            outcome.engine,
            outcome.adapter,
            outcome.redecided_pools,
            outcome.pools.len(),
            outcome.exact_verdicts,
            outcome.audit.worst_bound_ratio,
        );
        assert_eq!(counts(&outcome), counts(&reference), "{name}");
        for (index, (a, b)) in outcome.pools.iter().zip(&reference.pools).enumerate() {
            assert_eq!(a, b, "{name}: pool {index}");
        }
        assert_eq!(digest(&outcome.pools, &outcome.scenarios), digest(&reference.pools, &reference.scenarios));
    }
}

#[test]
fn ten_million_cells_of_an_ordinary_leveraged_book() {
    let market = Market::built_in(&MarketOptions { seed: 5, ..MarketOptions::default() }).expect("a market");
    let rulebook = synth::rulebook(&market);
    let options = Options { accounts: 2_000, seed: 5, near_threshold_share: 0.02 };
    let snapshot = synth::snapshot(&market, &rulebook, options).expect("a book");
    let names = snapshot.underlyings.iter().map(|underlying| underlying.factor.clone());
    let case = Case { scenarios: books::scenarios_of(names, 700, 5), snapshot, rulebook };
    let cells = case.snapshot.book.position_count() * case.scenarios.len();
    assert!(cells >= 10_000_000, "{cells} cells");
    assert_all_engines_agree("ordinary book", &case);
}

#[test]
fn ten_million_cells_within_a_few_ulps_of_every_threshold() {
    for (base, unit) in [(HaircutBase::Balance, SizeUnit::Asset), (HaircutBase::BalanceAndPnl, SizeUnit::Quote)] {
        let ordinary = books::random(2_000, 640, 11, base, unit);
        let case = books::adversarial(&ordinary, 12);
        let cells = case.snapshot.book.position_count() * case.scenarios.len();
        assert!(cells >= 5_000_000, "{cells} cells in each half");
        assert_all_engines_agree(&format!("adversarial book, {base:?}, {unit:?}"), &case);
    }
}
