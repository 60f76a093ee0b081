//! Rulebooks survive being written and read back, bit for bit.

use std::collections::BTreeMap;

use plimsoll::margin::{Form, HaircutBase, HaircutSchedule, MarginClass, OrderReserve, Rulebook, Schedule, SizeUnit};
use proptest::prelude::*;

fn bounds() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(1e-9..1e12f64, 0..6).prop_map(|mut bounds| {
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        bounds
    })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    (prop_oneof![Just(Form::Marginal), Just(Form::Whole)], bounds(), prop::collection::vec(0.0..=1.0f64, 6)).prop_map(
        |(form, bounds, mut rates)| {
            rates.truncate(bounds.len() + 1);
            Schedule { form, bounds, rates }
        },
    )
}

prop_compose! {
    fn margin_class()(
        maintenance in schedule(),
        initial in schedule(),
        max_notional in proptest::option::of(1e-9..1e20f64),
    ) -> MarginClass {
        MarginClass { maintenance, initial, max_notional }
    }
}

prop_compose! {
    fn haircut_class()(
        quoted in any::<bool>(),
        bounds in bounds(),
        mut haircuts in prop::collection::vec(0.0..=1.0f64, 6),
    ) -> HaircutSchedule {
        haircuts.sort_by(f64::total_cmp);
        haircuts.truncate(bounds.len() + 1);
        HaircutSchedule { unit: if quoted { SizeUnit::Quote } else { SizeUnit::Asset }, bounds, haircuts }
    }
}

proptest! {
    #[test]
    fn a_rulebook_reads_back_equal(
        name in any::<String>(),
        margin in prop::collection::btree_map(any::<String>(), margin_class(), 0..5),
        haircut in prop::collection::btree_map("[a-zA-Z0-9 .\"\\\\:/é\n\t\u{1b}]{0,8}", haircut_class(), 0..5),
        on_pnl in any::<bool>(),
        reserves in any::<bool>(),
    ) {
        let rulebook = Rulebook {
            name,
            margin,
            haircut,
            haircut_base: if on_pnl { HaircutBase::BalanceAndPnl } else { HaircutBase::Balance },
            orders: if reserves { OrderReserve::Initial } else { OrderReserve::None },
        };
        let text = rulebook.to_toml();
        let read = Rulebook::parse(&text, "rulebook.toml").map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(read, rulebook);
    }

    #[test]
    fn deductions_continue_the_requirement(schedule in schedule()) {
        let deductions = schedule.deductions();
        prop_assert_eq!(deductions.len(), schedule.rates.len());
        for (j, bound) in schedule.bounds.iter().enumerate() {
            let below = bound * schedule.rates[j] - deductions[j];
            let above = bound * schedule.rates[j + 1] - deductions[j + 1];
            let scale = bound.abs() * 16.0 + 1.0;
            prop_assert!((below - above).abs() <= 1e-12 * scale, "{below} and {above} at {bound}");
        }
    }
}

#[test]
fn an_empty_rulebook_is_valid() {
    let empty = Rulebook { margin: BTreeMap::new(), ..Rulebook::default() };
    assert_eq!(Rulebook::parse("version = 1", "rulebook.toml").expect("valid"), empty);
}
