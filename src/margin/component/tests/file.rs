//! Charges in a rulebook file.

use super::super::{
    Across, Calendar, Concentration, Confidence, Contingency, Counted, Delta, Depeg, Depth, Form as Charge, Kind,
    Measure, ShareOf, SlopeUnit, Unwind, Vega,
};
use super::lowering::pair;
use super::*;
use crate::margin::Form;
use crate::pricing::TermScale;

const FILE: &str = r#"
version = 1

[component.a_roll]
kind = "calendar"
annual = { initial = 0.1, maintenance = 0.075 }
minimum = 0.01
per = "settlement"

[component.b_vega]
kind = "vega"
points = 0.05
short_power = 0.3
of = "offset"

[component.c_delta]
kind = "delta"
net_rate = 0.02
hedged_rate = 0.01

[component.d_depth]
kind = "depth"
threshold = 20e6
slope = 5e-5
maximum = 0.1
relieve_long_options = true

[component.e_static]
kind = "contingency"
of = "net_short_strikes"
rate = 0.01
collateral = ["BTC"]
confidence = { threshold = 0.6, rate = 0.5 }

[component.f_unwind]
kind = "unwind"
rate = 0.001
from = [0, 250000, 500000]
multiplier = { initial = [2, 4, 6], maintenance = [1, 2, 4] }

[component.g_size]
kind = "concentration"
share_of = "adv"
charge = { form = "linear", threshold = 0.5, rate = 0.02, measure = "gross_notional" }

[component.h_root]
kind = "concentration"
charge = { form = "square_root", threshold = 1000000, factor = 0.02 }

[component.i_depeg]
kind = "depeg"
pairs = [{ of = "USDT", against = "USD" }, { of = "USDT", against = "USDC" }]
from = [0]
rate = [0.03]
"#;

fn kinds() -> [Kind; 9] {
    let schedule = |form, bounds: &[f64], rates: &[f64]| Schedule { form, bounds: bounds.into(), rates: rates.into() };
    let sides = |initial, maintenance| Requirement { initial, maintenance };
    let tiers = |rates: [f64; 3]| schedule(Form::Whole, &[250_000.0, 500_000.0], &rates);
    let beyond = Requirement::both(schedule(Form::Marginal, &[0.5], &[0.0, 0.02]));
    [
        Kind::Calendar(Calendar { minimum: both(0.01), annual: sides(0.1, 0.075), of: Across::Each }),
        Kind::Vega(Vega {
            points: both(0.05),
            term: TermScale { power_short: 0.3, ..TermScale::default() },
            of: Across::Offset,
        }),
        Kind::Delta(Delta { net_rate: both(0.02), hedged_rate: both(0.01) }),
        Kind::Depth(Depth {
            threshold: 20e6,
            slope: both(5e-5),
            slope_unit: SlopeUnit::Underlying,
            maximum: both(0.1),
            relieve_long_options: true,
        }),
        Kind::Contingency(Contingency {
            of: Counted::NetShortStrikes,
            rate: both(0.01),
            amount: both(0.0),
            confidence: Some(Confidence { threshold: 0.6, rate: both(0.5) }),
        }),
        Kind::Unwind(Unwind {
            rate: both(0.001),
            multiplier: Requirement { initial: tiers([2.0, 4.0, 6.0]), maintenance: tiers([1.0, 2.0, 4.0]) },
        }),
        Kind::Concentration(Concentration {
            share_of: ShareOf::Adv,
            form: Charge::Tiers { measure: Measure::GrossNotional, rates: beyond },
        }),
        Kind::Concentration(Concentration {
            share_of: ShareOf::Quote,
            form: Charge::SquareRoot { threshold: 1e6, factor: both(0.02) },
        }),
        Kind::Depeg(Depeg {
            pairs: vec![pair("USDT", "USD"), pair("USDT", "USDC")],
            rates: Requirement::both(schedule(Form::Marginal, &[], &[0.03])),
        }),
    ]
}

#[test]
fn every_charge_reads_as_it_is_written() {
    let rulebook = Rulebook::parse(FILE, "rulebook.toml").expect("a rulebook");
    let read: Vec<Kind> = rulebook.component.values().map(|component| component.kind.clone()).collect();
    assert_eq!(read, kinds());
    assert_eq!(rulebook.component["a_roll"].per, Per::Settlement);
    assert_eq!(rulebook.component["e_static"].cover.collateral, ["BTC".to_string()].into());
    let again = Rulebook::parse(&rulebook.to_toml(), "rulebook.toml").expect("the same rulebook");
    assert_eq!(again, rulebook);
}

#[test]
fn every_fault_names_its_key() {
    let columns = |component: &str| -> Vec<(String, String)> {
        let text = format!("version = 1\n[component.x]\n{component}\n");
        match Rulebook::parse(&text, "rulebook.toml") {
            Err(Error::Configuration(faults)) => faults.into_iter().map(|fault| (fault.column, fault.value)).collect(),
            other => panic!("{other:?}"),
        }
    };
    let at = |column: &str, value: &str| vec![(format!("component.x.{column}"), value.to_string())];
    assert_eq!(columns("kind = \"calendar\"\nminimum = 0.01"), at("annual", ""));
    assert_eq!(columns("kind = \"calendar\"\nannual = -1"), at("annual", "-1"));
    assert_eq!(columns("kind = \"vega\"\npoints = { initial = 0.1 }"), at("points.maintenance", ""));
    assert_eq!(columns("kind = \"vega\"\npoints = 1\nfloor_days = 0"), at("floor_days", "0"));
    let unwind = "kind = \"unwind\"\nrate = 0.1\nfrom = [0, 5]\nmultiplier = ";
    assert_eq!(columns(&format!("{unwind}[1]")), at("multiplier", ""));
    let sides = "{ initial = [1, 2, 3], maintenance = [1, 2] }";
    assert_eq!(columns(&format!("{unwind}{sides}")), at("multiplier.initial", ""));
    assert_eq!(columns("kind = \"unwind\"\nrate = 0.1\nfrom = [1]\nmultiplier = [1]"), at("from", "1"));
    let pairs = "kind = \"depeg\"\nfrom = [0]\nrate = [0.1]\npairs = ";
    assert_eq!(columns(&format!("{pairs}[{{ of = \"USD\", against = \"USD\" }}]")), at("pairs[0].against", "USD"));
    let charge = "kind = \"concentration\"\ncharge = { form = \"linear\", threshold = 0, rate = 0.1 }";
    assert_eq!(columns(charge), at("charge.threshold", "0"));
}
