//! `calibrate` through the real binary, on an exchange whose true thresholds are known.

mod exchange;

use exchange::{CLASSES, Planted, truth};
use serde_json::Value;

/// Every class's rate, free, covered at 99 %.
const JOB: &str = r#"
snapshot = "book"
scenarios = ["seen.csv"]
hold_out = ["later.csv"]
seed = 7

[[parameter]]
name = "rate"
at = ["margin.*.maintenance.rate"]
per = "each"
low = 0.005
high = 0.3

[[constraint]]
kind = "coverage"
level = 0.99
"#;

fn parameter<'a>(answer: &'a Value, class: &str) -> &'a Value {
    let name = format!("rate.{class}-PERP");
    let parameters = answer["parameters"].as_array().expect("a list");
    parameters.iter().find(|parameter| parameter["name"] == name.as_str()).expect(&name)
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// 80 intervals at 99 %: fewer than one is expected to miss.
#[test]
fn planted_thresholds_lie_in_their_intervals_over_twenty_seeds() {
    let mut missed = Vec::new();
    for seed in 0..20 {
        let planted = Planted::new(seed);
        planted.write("job.toml", JOB);
        let (exit, answer) = planted.calibrate("job.toml", &[]);
        assert_eq!(exit, 0, "{answer}");
        for (class, scale) in CLASSES {
            let found = parameter(&answer, class);
            let (low, high, new) = (number(found, "low"), number(found, "high"), number(found, "new"));
            assert!(low <= new && new <= high && high < 1.6 * low, "{found}");
            if !(low..=high).contains(&truth(scale)) {
                missed.push((seed, class, low, truth(scale), high));
            }
        }
    }
    assert!(missed.len() <= 2, "{missed:?}");
}
