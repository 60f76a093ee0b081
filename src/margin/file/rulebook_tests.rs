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
