use super::*;
use crate::calibration::{
    Answer, Axis, ConstraintAnswer, Contribution, CoverNeed, CoverNeeds, CoverageAnswer, Covered, Division, FrontPoint,
    FundLevel, Interval, KEY_PARTS, ParameterAnswer, PoolChange, Reading, Segment, Sensitivity, Sizing, Strict, Why,
};

fn reading(slack: f64) -> Reading {
    Reading { value: 1.0 - slack, limit: 1.0, slack }
}

fn answer() -> Answer {
    let axis =
        |name: &str| Axis { name: name.into(), old: 0.05, low: 0.0, high: 0.2, tolerance: 0.001, strict: Strict::High };
    let interval = Interval { low: 0.04, high: 0.2, standard_error: 0.01, is_open_below: false, is_open_above: true };
    let point = |relaxed: f64, margin: f64, expected_shortfall: f64| FrontPoint {
        relaxed,
        point: vec![0.06, 0.05],
        is_met: relaxed != 0.25,
        objective: margin,
        margin,
        mean_shortfall: expected_shortfall / 3.0,
        expected_shortfall,
        coverage: Some(0.99),
    };
    let moved = |axis: usize, moved: f64| Sensitivity {
        axis,
        moved,
        value: 0.06 * (1.0 + moved),
        margin_change: 1e6 * moved,
        objective_change: 1e6 * moved,
        readings: vec![reading(moved), reading(f64::INFINITY)],
    };
    Answer {
        is_met: false,
        confidence: 0.99,
        margin: [1e7, 1.2e7],
        objective: [1e7, 1.2e7],
        parameters: vec![
            ParameterAnswer {
                axis: axis("margin.<b>.rate"),
                new: 0.06,
                interval: Some(interval),
                why: Why::Constraint(0),
            },
            ParameterAnswer { axis: axis("fee"), new: 0.05, interval: None, why: Why::Untested },
        ],
        constraints: vec![
            ConstraintAnswer {
                name: "coverage & more".into(),
                old: reading(-1.0),
                new: reading(0.01),
                hold_out: Some(reading(-0.2)),
                stops: vec!["margin.<b>.rate".into()],
                is_reachable: true,
            },
            ConstraintAnswer {
                name: "cover_2".into(),
                old: reading(-1.0),
                new: reading(-0.5),
                hold_out: None,
                stops: vec![],
                is_reachable: false,
            },
        ],
        coverage: vec![CoverageAnswer {
            name: "BTC".into(),
            in_sample: Covered { observed: 1000, exceeded: 10, share: Some(0.99) },
            hold_out: Some(Covered { observed: 100, exceeded: 3, share: Some(0.97) }),
        }],
        front: vec![point(0.25, 1.5e7, 1e4), point(0.5, 1.3e7, 2e4), point(1.0, 1.2e7, 4e4), point(2.0, 1.0e7, 9e4)],
        sensitivities: vec![moved(0, -0.1), moved(0, 0.1), moved(1, 0.1)],
        segments: vec![Segment {
            division: Division::Side,
            name: "hedged".into(),
            pools: 4,
            old: 10.0,
            new: 13.0,
            paying_more: 3,
            largest_rise: Some((0.5, 0)),
        }],
        sizing: Sizing {
            levels: vec![FundLevel { level: 0.999, value_at_risk: 5e5, expected_shortfall: 6e5 }],
            cheapest_fund: Some(4.5e5),
            needs: CoverNeeds {
                cover_2: CoverNeed { amount: 8.8e5, scenario: Some(1), accounts: vec![0] },
                ..CoverNeeds::default()
            },
            contributions: vec![Contribution {
                name: "acc<1>".into(),
                requirement: 10.0,
                mean_excess: 1.0,
                key: KEY_PARTS,
            }],
        },
        evaluations: 123,
        sweeps: 1,
    }
}

fn page_of(answer: &Answer) -> String {
    let pools = [PoolChange {
        name: "acc<1> / main".into(),
        mode: "cross".into(),
        class: "BTC".into(),
        gross: 1.0,
        net: 0.1,
        old: 2.0,
        new: 3.0,
    }];
    calibration_html(&CalibrationInput {
        answer,
        pools: &pools,
        scenario_ids: &["s0".into(), "crash".into()],
        limits: &["One horizon.".into()],
        warnings: &[],
        facts: &[("seed".into(), "7".into())],
        digest: "abc",
    })
}

#[test]
fn a_calibration_page_shows_every_part_and_escapes_names() {
    let html = page_of(&answer());
    let parts = [
        "Constraints cannot all be met",
        "cover_2: 1.5 against a limit of 1, met by no value in the ranges that was tried",
        "margin.&lt;b&gt;.rate",
        "0.04 to ≥ 0.2",
        "coverage &amp; more",
        "nothing tests it",
        "× 0.5",
        "+20 %",
        "99 %",
        "97 %",
        "hedged",
        "acc&lt;1&gt; / main",
        "The fund of least cost holds 450 k",
        "crash",
        "100 %",
        "change of margin, quote units",
    ];
    for part in parts {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<b>.rate") && !html.contains("acc<1>") && !html.contains("NaN") && !html.contains("inf"));
    assert_eq!(html, page_of(&answer()));
    let (open, close) = (html.matches("<svg").count(), html.matches("</svg>").count());
    assert_eq!((open, close), (2, 2));
}

#[test]
fn a_calibration_of_nothing_still_makes_a_page() {
    let empty = Answer {
        is_met: true,
        margin: [0.0, 0.0],
        parameters: vec![],
        constraints: vec![],
        coverage: vec![],
        front: vec![],
        sensitivities: vec![],
        segments: vec![],
        sizing: Sizing::default(),
        ..answer()
    };
    let html = page_of(&empty);
    assert!(html.contains("Every constraint is met.") && html.contains("No parameter was free."));
    assert!(!html.contains("NaN") && !html.contains("<svg"));
}
