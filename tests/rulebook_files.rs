//! Rulebooks survive being written and read back, bit for bit.

use std::collections::BTreeMap;

use plimsoll::margin::{
    Form, HaircutBase, HaircutSchedule, MarginClass, MarkIn, OptionClass, OptionReference, OptionRequirement,
    OptionSpread, OrderReserve, Rulebook, Schedule, SizeUnit,
};
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

prop_compose! {
    fn option_requirement()(
        shares in prop::array::uniform5(0.0..=1.0f64),
        capped in any::<bool>(),
    ) -> OptionRequirement {
        let [rate, floor, cap, put_floor_of_mark, long_of_mark] = shares;
        OptionRequirement { rate, floor, put_cap_of_strike: capped.then_some(cap), put_floor_of_mark, long_of_mark }
    }
}

fn ratio() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 1.0..=10.0f64]
}

prop_compose! {
    fn option_class()(
        reference in prop::sample::select(
            vec![OptionReference::Index, OptionReference::Forward, OptionReference::Strike]
        ),
        mark in prop::sample::select(vec![MarkIn::Equity, MarkIn::Requirement]),
        maintenance in option_requirement(),
        initial in option_requirement(),
        call_initial_over_maintenance in ratio(),
        put_initial_over_maintenance in ratio(),
        long_credit in 0.0..=1.0f64,
    ) -> OptionClass {
        OptionClass {
            reference,
            mark,
            maintenance,
            initial,
            call_initial_over_maintenance,
            put_initial_over_maintenance,
            long_credit,
        }
    }
}

/// Option classes under keys that no margin class has, the first of them netted where it can be.
fn options() -> impl Strategy<Value = (BTreeMap<String, OptionClass>, Option<OptionSpread>)> {
    let classes = prop::collection::btree_map(".{0,4}\n?~", option_class(), 0..4);
    (classes, proptest::option::of((0.0..=100.0f64, 0.0..=100.0f64))).prop_map(|(mut classes, unpaired)| {
        let spread = unpaired.map(|(unpaired_initial, unpaired_maintenance)| {
            let first = classes.iter_mut().next();
            let first = first.map(|(key, class)| {
                (class.mark, class.long_credit) = (MarkIn::Equity, 1.0);
                (class.initial.long_of_mark, class.maintenance.long_of_mark) = (0.0, 0.0);
                key.clone()
            });
            OptionSpread { classes: first.into_iter().collect(), unpaired_initial, unpaired_maintenance }
        });
        (classes, spread)
    })
}

proptest! {
    #[test]
    fn a_rulebook_reads_back_equal(
        name in any::<String>(),
        margin in prop::collection::btree_map(any::<String>(), margin_class(), 0..5),
        haircut in prop::collection::btree_map("[a-zA-Z0-9 .\"\\\\:/é\n\t\u{1b}]{0,8}", haircut_class(), 0..5),
        (option, option_spread) in options(),
        on_pnl in any::<bool>(),
        reserves in any::<bool>(),
        description in any::<String>(),
        seconds in proptest::option::of(-1e11..1e11f64),
    ) {
        let margin = margin.into_iter().filter(|(key, _)| !option.contains_key(key)).collect();
        let rulebook = Rulebook {
            name,
            effective: seconds.map(|seconds| jiff::Timestamp::from_nanosecond((seconds * 1e9) as i128).expect("in range")),
            description,
            margin,
            option,
            option_spread,
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
