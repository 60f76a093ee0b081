//! Rulebooks survive being written and read back, bit for bit.

mod schema;

use std::collections::BTreeMap;

use plimsoll::io::rulebook_schema;
use plimsoll::margin::{
    Form, Growth, HaircutBase, HaircutSchedule, MarginClass, MarkIn, OpenInterestRate, OptionClass, OptionReference,
    OptionRequirement, OptionSpread, OrderReserve, Requirement, Rulebook, Schedule, SizeCurve, SizeFunction, SizeUnit,
};
use plimsoll::synth::{Market, MarketOptions};
use proptest::prelude::*;
use schema::against;

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

fn size_function() -> impl Strategy<Value = SizeFunction> {
    let units = prop::sample::select(vec![SizeUnit::Asset, SizeUnit::Quote]);
    let growths = prop_oneof![
        (0.0..1e3f64).prop_map(|slope| Growth::Linear { slope }),
        (0.0..1e3f64, 0.0..=1.0f64).prop_map(|(factor, share_of_base)| Growth::SquareRoot { factor, share_of_base }),
    ];
    let curves = (0.0..=1.0f64, growths, units).prop_map(|(base, growth, unit)| SizeCurve { base, growth, unit });
    let open_interest = (0.0..=1.0f64, 0.0..1e6f64, 1e6..1e9f64).prop_map(|(base, lower, upper)| OpenInterestRate {
        base,
        lower,
        upper,
    });
    prop_oneof![
        schedule().prop_map(SizeFunction::Brackets),
        curves.prop_map(SizeFunction::Curve),
        open_interest.prop_map(SizeFunction::OpenInterest),
    ]
}

prop_compose! {
    fn margin_class()(
        maintenance in size_function(),
        initial in size_function(),
        minimum in 0.0..1e6f64,
        max_notional in proptest::option::of(1e-9..1e20f64),
    ) -> MarginClass {
        MarginClass { maintenance, initial, max_notional, minimum: Requirement { initial: minimum, maintenance: 0.0 }, scale: None }
    }
}

prop_compose! {
    fn haircut_class()(
        quoted in any::<bool>(),
        more in any::<bool>(),
        bounds in bounds(),
        mut haircuts in prop::collection::vec(0.0..=1.0f64, 6),
    ) -> HaircutSchedule {
        haircuts.sort_by(f64::total_cmp);
        haircuts.truncate(bounds.len() + 1);
        HaircutSchedule { unit: if quoted { SizeUnit::Quote } else { SizeUnit::Asset }, bounds, initial: more.then(|| haircuts.iter().map(|haircut| haircut.sqrt()).collect()), haircuts }
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
            ..Rulebook::default()
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

fn against_schema(text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().expect("TOML");
    against(&rulebook_schema::schema(), &serde_json::to_value(table).expect("JSON"), "")
}

#[test]
fn the_schema_is_draft_07() {
    assert_eq!(rulebook_schema::schema()["$schema"], "http://json-schema.org/draft-07/schema#");
}

#[test]
fn shipped_rulebooks_follow_the_schema() {
    let market = Market::built_in(&MarketOptions::default()).expect("a market");
    assert_eq!(against_schema(&plimsoll::synth::rulebook(&market).to_toml()), Vec::<String>::new());
    let documented = include_str!("../docs/formats.md").split("```toml\n").skip(1);
    let mut rulebooks = 0;
    for text in documented.filter_map(|text| text.split("```").next()).filter(|text| text.starts_with("version")) {
        assert_eq!(against_schema(text), Vec::<String>::new(), "{text}");
        Rulebook::parse(text, "docs/formats.md").expect("a valid rulebook");
        rulebooks += 1;
    }
    let files =
        |dir: &str| std::fs::read_dir(dir).expect("the worked examples").map(|entry| entry.expect("an entry").path());
    let of_rulebooks = files("fixtures/rulebooks").filter(|path| path.to_string_lossy().ends_with(".cases.toml"));
    let cases = files("fixtures/cases").filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    for case in cases.chain(of_rulebooks) {
        let text = std::fs::read_to_string(&case).expect("a readable file");
        let table: toml::Table = text.parse().expect("TOML");
        let rulebook = match table.get("rulebook") {
            Some(shipped) => {
                let path = std::path::Path::new("fixtures/rulebooks").join(shipped.as_str().expect("a file name"));
                std::fs::read_to_string(path).expect("a shipped rulebook")
            }
            None => table["files"]["rulebook.toml"].as_str().expect("a rulebook").to_string(),
        };
        assert_eq!(against_schema(&rulebook), Vec::<String>::new(), "{}", case.display());
        rulebooks += 1;
    }
    assert!(rulebooks > 10, "{rulebooks} rulebooks");
}

#[test]
fn the_schema_refuses_what_no_reader_takes() {
    for (text, expected) in [
        ("", ": required [\"version\"]"),
        ("version = 2", ".version: maximum 1"),
        ("version = 1\nnmae = \"x\"", ".nmae: unknown"),
        ("version = 1\norders = \"all\"", ".orders: enum [\"none\",\"initial\"]"),
        (
            "version = 1\n[margin.X]\nmax_notional = 0\nmaintenance = { form = \"flat\", rate = 0.1 }",
            ".margin.X.max_notional: exclusiveMinimum 0",
        ),
        ("version = 1\n[margin.X]\nmaintenance = { form = \"flat\", rate = 5 }", ".margin.X.maintenance: oneOf"),
        ("version = 1\n[haircut.X]\nflat = 5", ".haircut.X.flat: maximum 1.0"),
        ("version = 1\n[haircut.X]\nfrom = []\nhaircut = [\"1\"]", ".haircut.X.from: minItems 1"),
    ] {
        let broken = against_schema(text);
        assert!(broken.iter().any(|rule| rule.starts_with(expected)), "{text}: {expected} is not in {broken:?}");
    }
}
