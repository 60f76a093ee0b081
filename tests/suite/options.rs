//! Option rules on the random books: every way through them is taken, and what must hold whatever the engine.

use std::collections::BTreeSet;

use plimsoll::domain::{Instrument, Kind, Position};
use plimsoll::engine::Outcome;
use plimsoll::margin::{Basis, Rules, Setting, revalue};
use plimsoll::pricing::{Column, ShockedMarket, Unshocked};

use crate::books::Case;
use crate::engines::{engines, run};
use crate::properties::{assert_no_more_breaches, case, counts, rebuild};

#[test]
fn a_higher_share_required_or_a_lower_credit_never_makes_an_option_book_safer() {
    let mut case = case(150, 60, 9);
    let plain = case.rulebook.option.clone();
    for engine in engines() {
        let mut before: Option<Outcome> = None;
        for (factor, credit) in [(0.0, 1.0), (1.0, 1.0), (1.0, 0.5), (2.0, 0.5), (2.0, 0.0)] {
            case.rulebook.option = plain.clone();
            for (key, class) in &mut case.rulebook.option {
                for requirement in [&mut class.maintenance, &mut class.initial] {
                    requirement.rate *= factor;
                    requirement.floor *= factor;
                    requirement.long_of_mark *= 0.5 * factor;
                }
                class.long_credit = if key == "grouped" { 1.0 } else { credit };
            }
            let now = run(&case, engine.clone());
            if let Some(before) = before {
                assert_no_more_breaches(&before, &now);
                for (before, now) in before.pools.iter().zip(&now.pools) {
                    let slack = 1e-9 * (1.0 + before.base.gross_notional);
                    assert_eq!(now.base.equity, before.base.equity, "raw equity knows no rules");
                    assert!(now.base.adjusted_equity <= before.base.adjusted_equity + slack);
                    assert!(now.base.adjusted_equity <= now.base.equity + slack);
                    assert!(now.base.maintenance_margin >= before.base.maintenance_margin - slack);
                    assert!(now.base.maintenance_margin >= 0.0);
                }
            }
            before = Some(now);
        }
    }
}

#[test]
fn an_option_position_in_two_parts_decides_as_it_does_whole() {
    let mut case = case(150, 60, 10);
    // Under brackets of notional two small positions require less than a large one.
    let has_class = |i: &Instrument| i.kind == Kind::Option && case.rulebook.option.contains_key(&i.margin_class);
    let is_option: Vec<bool> = case.snapshot.instruments.iter().map(has_class).collect();
    // Halves of a size that is even in binary add up to the whole exactly.
    let parts = rebuild(&case, false, |_, _, positions| {
        let halves = |p: &Position| [Position { quantity: 0.5 * p.quantity, accrued_funding: 0.0, ..*p }; 2];
        let split = |p: &Position| if is_option[p.instrument as usize] { halves(p).to_vec() } else { vec![*p] };
        *positions = positions.iter().flat_map(split).collect();
    });
    case.snapshot = rebuild(&case, false, |_, _, positions| {
        let options = positions.iter_mut().filter(|position| is_option[position.instrument as usize]);
        options.for_each(|position| position.accrued_funding = 0.0);
    });
    let parts = Case { snapshot: parts, rulebook: case.rulebook.clone(), scenarios: case.scenarios.clone() };
    for engine in engines() {
        let (whole, parts) = (run(&case, engine.clone()), run(&parts, engine));
        assert_eq!(counts(&whole), counts(&parts));
        for (whole, parts) in whole.pools.iter().zip(&parts.pools) {
            let size = whole.base.equity.abs() + whole.base.gross_notional + whole.base.adjusted_collateral.abs();
            assert_eq!((whole.state, whole.worst_scenario), (parts.state, parts.worst_scenario));
            assert!((whole.base.maintenance_margin - parts.base.maintenance_margin).abs() <= 1e-13 * size);
        }
    }
}

/// What the explanations of a case name: every branch of the option rule, every way a group is margined.
fn ways(case: &Case) -> BTreeSet<String> {
    let rules = Rules::resolve(&case.rulebook, &case.snapshot).expect("rules resolve");
    let rows = revalue(&rules, &case.snapshot, &case.scenarios, Unshocked::Refuse).expect("rows");
    let setting = Setting { snapshot: &case.snapshot, rules: &rules, rows: &rows };
    let market = ShockedMarket::new(&case.snapshot, &case.scenarios);
    let mut ways = BTreeSet::new();
    for pool in case.snapshot.book.pools() {
        for scenario in 0..case.scenarios.len() {
            for term in setting.terms(&pool, Column::Scenario(scenario), &market) {
                match term.basis {
                    Basis::Option(option) => {
                        ways.insert(option.branch.map_or("Long".into(), |branch| format!("{branch:?}")));
                    }
                    Basis::Spread(spread) => {
                        ways.insert(spread.applied.into());
                    }
                    Basis::Kept { kept, value } if term.item.contains("202") && kept < value => {
                        ways.insert("LongCredit".into());
                    }
                    _ => {}
                }
            }
        }
    }
    ways
}

#[test]
fn random_books_go_every_way_through_the_option_rules() {
    let case = case(200, 40, 7);
    let expected = [
        "Expired",
        "Floor",
        "InitialOverMaintenance",
        "Long",
        "LongCredit",
        "PutCap",
        "PutFloor",
        "Rate",
        "isolated",
        "max_loss",
        "nothing",
    ];
    assert_eq!(ways(&case).iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
