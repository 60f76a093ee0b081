use super::*;
use crate::margin::{Form, MarkIn, OptionReference, Schedule};

const EXAMPLE: &str = r#"
version = 1
name = "example \"quoted\""
haircut_base = "balance_and_pnl"
orders = "initial"
[margin.BTCUSDT]
max_notional = 1e9
maintenance = { form = "marginal", from = [0, 50000], rate = [0.004, 0.005], deduction = [0, 50] }
initial = { form = "whole", from = [0, 50000], max_leverage = [125, 100] }
[margin."BTC/USDT:USDT"]
maintenance = { form = "flat", rate = 0.03 }
[option.ETH]
reference = "forward"
maintenance = { floor = 0.075, put_floor_of_mark = 0.075 }
initial = { rate = 0.15, floor = 0.1 }
initial_over_maintenance = { put = 1.05 }
[option."BTC options"]
reference = "strike"
mark = "requirement"
maintenance = { rate = 0.1, floor = 0.05, put_cap_of_strike = 0.25, long_of_mark = 0.5 }
initial_over_maintenance = 1.5
long_credit = 0
[option_spread]
classes = ["ETH"]
unpaired_initial = 1.2
unpaired_maintenance = 1.1
[haircut.stable]
flat = 0.01
[haircut.coin]
unit = "quote"
from = [0, 10, 20]
haircut = [0.02, 0.05, 0.1]
"#;

fn faults(text: &str) -> Vec<String> {
    match Rulebook::parse(text, "rulebook.toml") {
        Err(Error::Configuration(faults)) => faults.iter().map(ToString::to_string).collect(),
        other => panic!("faults expected, got {other:?}"),
    }
}

#[test]
fn sizes_scalars_ladders_and_caps_read_and_write_back_equal() {
    let rulebook = Rulebook::parse(SIZES, "rulebook.toml").expect("a valid rulebook");
    let half = &rulebook.margin["half"];
    let initial = Schedule { form: Form::Marginal, bounds: vec![1e6], rates: vec![0.02, 0.05] };
    assert_eq!(half.initial, initial.clone().into());
    assert_eq!(half.maintenance, Schedule { rates: vec![0.01, 0.025], ..initial }.into());
    assert_eq!((half.minimum.initial, half.minimum.maintenance), (5.0, 5.0));
    assert_eq!(rulebook.haircut["capped"].haircuts, [0.1, 1.0]);
    assert_eq!(rulebook.haircut["capped"].initial, Some(vec![0.3, 1.0]));
    assert_eq!(rulebook.status[1].name, "reduce");
    assert_eq!(Rulebook::parse(&rulebook.to_toml(), "rulebook.toml").expect("what was written"), rulebook);
}

const SIZES: &str = r#"
version = 1
[margin.half]
initial = { form = "marginal", from = [0, 1e6], max_leverage = [50, 20] }
maintenance = { form = "marginal", from = [0, 1e6], max_leverage = [50, 20], times = 0.5 }
minimum = 5
scale = "calm"
[scalar.calm]
value = "1"
[margin.root]
maintenance = { form = "square_root", base = 0.01, factor = 1e-4, unit = "quote" }
[margin.line]
maintenance = { form = "linear", base = 0.01, slope = 1e-4 }
initial = { form = "open_interest", base = 0.05, lower = 1e6, upper = 2e6 }
[haircut.capped]
flat = 0.1
initial = 0.3
cap = 100
[[status]]
action = "warn"
below = 1.5
[[status]]
action = "reduce_only"
name = "reduce"
below = 1.2
target_ratio = 1.3
hysteresis = 0.05
"#;

#[test]
fn sizes_scalars_ladders_and_caps_that_contradict_themselves_are_faults() {
    for (wrong, from, to) in [
        ("one of scalar (did you mean \"calm\"", "scale = \"calm\"", "scale = \"clam\""),
        ("times belongs to max_leverage", "max_leverage = [50, 20], times", "rate = [0.01, 0.02], times"),
        ("upper is above lower", "upper = 2e6", "upper = 1e6"),
        ("at least the haircut of its tier", "initial = 0.3", "initial = 0.05"),
        ("the ratios of a ladder descend", "below = 1.5", "below = 1.1"),
        ("a target is at least", "target_ratio = 1.3", "target_ratio = 1.1"),
        ("flat has no unit", "cap = 100", "unit = \"quote\""),
    ] {
        let text = SIZES.replace(from, to);
        let found = faults(&text);
        assert!(found.len() == 1 && found[0].contains(wrong), "{wrong}: {found:?}");
    }
}

#[test]
fn the_example_reads_and_writes_back_equal() {
    let rulebook = Rulebook::parse(EXAMPLE, "rulebook.toml").expect("a valid rulebook");
    let class = &rulebook.margin["BTCUSDT"];
    let schedule = |form, rates: [f64; 2]| Schedule { form, bounds: vec![50_000.0], rates: rates.to_vec() };
    assert_eq!(class.initial, schedule(Form::Whole, [1.0 / 125.0, 1.0 / 100.0]).into());
    assert_eq!(class.maintenance, schedule(Form::Marginal, [0.004, 0.005]).into());
    assert_eq!(rulebook.margin["BTC/USDT:USDT"].initial, Schedule::flat(0.03).into());
    assert_eq!(rulebook.haircut["coin"].bounds, [10.0, 20.0]);
    let (eth, btc) = (&rulebook.option["ETH"], &rulebook.option["BTC options"]);
    assert_eq!((eth.reference, eth.mark, eth.long_credit), (OptionReference::Forward, MarkIn::Equity, 1.0));
    assert_eq!((eth.call_initial_over_maintenance, eth.put_initial_over_maintenance), (0.0, 1.05));
    assert_eq!((eth.initial.rate, eth.maintenance.rate, eth.maintenance.floor), (0.15, 0.0, 0.075));
    assert_eq!((btc.initial, btc.initial.put_cap_of_strike), (btc.maintenance, Some(0.25)));
    assert_eq!((btc.call_initial_over_maintenance, btc.long_credit), (1.5, 0.0));
    let spread = rulebook.option_spread.as_ref().expect("a spread");
    assert_eq!((spread.unpaired_initial, spread.classes.len()), (1.2, 1));
    assert!(rulebook.warnings().is_empty(), "{:?}", rulebook.warnings());
    assert_eq!(Rulebook::parse(&rulebook.to_toml(), "again").expect("its own output"), rulebook);
}

#[test]
fn every_fault_is_reported_at_once() {
    let text = EXAMPLE
        .replace("deduction = [0, 50]", "deduction = [0, 60]")
        .replace("[125, 100]", "[125, 0.5]")
        .replace("flat = 0.01", "flatt = 0.01")
        .replace("[0.02, 0.05, 0.1]", "[0.02, 0.01, 1.1]")
        .replace("reference = \"forward\"", "reference = \"forwards\"")
        .replace("{ put = 1.05 }", "{ put = 0.5, calls = 1 }")
        .replace("rate = 0.15, floor = 0.1", "rate = 15, flor = 0.1")
        .replace("unpaired_initial = 1.2\n", "unpaired_initial = -1\n");
    let faults = faults(&text);
    for expected in [
        "margin.BTCUSDT.maintenance.deduction value \"60\": bracket 2 continues the one before with a deduction of 50",
        "rulebook.toml:9 key margin.BTCUSDT.initial.max_leverage value \"0.5\": at least 1",
        "option.ETH.reference value \"forwards\": one of index, forward, strike",
        "option.ETH.initial_over_maintenance.calls: no such key here",
        "did you mean \"call\"?",
        "option.ETH.initial_over_maintenance.put value \"0.5\": 0 (none) or between 1 and 10",
        "option.ETH.initial.rate value \"15\": between 0 and 1",
        "option.ETH.initial.flor: no such key here",
        "option.ETH.initial.floor: a required key is missing",
        "option_spread.unpaired_initial value \"-1\": between 0 and 100",
        "haircut.stable.flatt: no such key here",
        "did you mean \"flat\"?",
        "haircut.coin.haircut value \"1.1\": between 0 and 1",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected:?} is not in {faults:#?}");
    }
}

#[test]
fn a_class_is_of_one_kind_and_a_spread_of_whole_value() {
    let text = EXAMPLE
        .replace("[option.ETH]", "[option.BTCUSDT]")
        .replace("classes = [\"ETH\"]", "classes = [\"BTCUSD\", \"BTC options\"]");
    let faults = faults(&text);
    for expected in [
        "option.BTCUSDT: a class is either a margin class or an option class",
        "option_spread.classes value \"BTCUSD\": a class of option_spread is an option class (did you mean \"BTCUSDT\"?)",
        "option_spread.classes value \"BTC options\": a class of option_spread has long_credit 1",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected:?} is not in {faults:#?}");
    }
}

#[test]
fn an_initial_requirement_below_maintenance_is_a_warning() {
    let text = "version = 1\n[margin.X]\nmaintenance = { form = \"flat\", rate = 0.05 }\n\
                initial = { form = \"whole\", from = [0, 100], rate = [0.1, 0.04] }\n";
    let rulebook = Rulebook::parse(text, "rulebook.toml").expect("valid, if odd");
    assert_eq!(rulebook.warnings().len(), 1);
    assert!(rulebook.warnings()[0].contains("from a notional of 100"));
}

const OVERLAY: &str = r#"
version = 1
[overlay]
blend = 0.25
cap = 2.5
notice_hours = 48
[overlay.in_force.BTC]
initial = 1.5
maintenance = 1.2
since = "2026-03-01T04:00:00Z"
model = "5f0c"
earlier = [{ initial = 1.2, since = "2026-02-20T00:00:00Z" }, { initial = 1.4, since = "2026-03-01T00:00:00Z" }]
[overlay.in_force."BTC/USD"]
initial = 1
maintenance = 1
since = "2026-03-01T00:00:00Z"
"#;

#[test]
fn an_overlay_reads_and_writes_back_equal() {
    let rulebook = Rulebook::parse(OVERLAY, "rulebook.toml").expect("a valid rulebook");
    let overlay = rulebook.overlay.as_ref().expect("an overlay");
    let defaults = crate::margin::OverlayCoefficients::default();
    let coefficients = crate::margin::OverlayCoefficients { blend: 0.25, cap: 2.5, notice_hours: 48.0, ..defaults };
    assert_eq!(overlay.coefficients, coefficients);
    assert_eq!(overlay.in_force["BTC"].earlier[1].initial, 1.4);
    assert_eq!(Rulebook::parse(&rulebook.to_toml(), "again").expect("its own output"), rulebook);
    assert_eq!(Rulebook::parse("version = 1", "plain").expect("a rulebook").overlay, None);
}

#[test]
fn an_overlay_that_breaks_its_own_rules_is_refused_with_its_line() {
    for (wrong, from, to) in [
        ("rulebook.toml:8 key overlay.in_force.BTC.initial: the maintenance", "maintenance = 1.2", "maintenance = 1.6"),
        (
            "rulebook.toml:8 key overlay.in_force.BTC.initial: multipliers in force lie between floor 1 and cap 1.4",
            "cap = 2.5",
            "cap = 1.4",
        ),
        (
            "rulebook.toml:12 key overlay.in_force.BTC.earlier: earlier multipliers are in order",
            "2026-02-20",
            "2026-03-02",
        ),
        ("rulebook.toml:5 key overlay.cap value", "cap = 2.5", "cap = -1"),
    ] {
        let text = OVERLAY.replace(from, to);
        let found = faults(&text);
        assert!(found.len() == 1 && found[0].contains(wrong), "{wrong}: {found:?}");
    }
    let inverted = faults(&OVERLAY.replace("cap = 2.5", "cap = 0.5"));
    assert!(inverted.iter().any(|fault| fault.contains("floor is at most cap")), "{inverted:?}");
}
