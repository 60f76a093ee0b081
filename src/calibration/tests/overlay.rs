//! Overlays over a history: by hand, searched, and refused.

use super::super::constraint::{OverlayCoverage, Procyclicality};
use super::*;
use crate::forecast::{ModelKind, Outlook};
use crate::margin::{InForce, MarginSide, Overlay, OverlayCoefficients};
use crate::scenario::philox::Stream;

/// Initial requirement of the deepest market, whose leverage is 125 at most.
const RATE: f64 = 0.008;

/// Multipliers that are where they want to be at every step.
const FREE: OverlayCoefficients = OverlayCoefficients {
    blend: 1.0,
    floor: 1.0,
    cap: 3.0,
    rise_per_day: 99.0,
    half_life_days: 1e-9,
    notice_hours: 24.0,
};

impl Exchange {
    fn followed(coefficients: OverlayCoefficients) -> Self {
        let mut exchange = Self::new();
        exchange.rulebook.overlay = Some(Overlay { coefficients, ..Overlay::default() });
        exchange
    }

    fn over<'a>(&'a self, job: &'a Job, history: OverlayHistory) -> Result<Calibration<'a>> {
        let options = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
        let subject = Subject { history: Some(history), ..self.subject(None) };
        Calibration::new(subject, job, options, (&(), Box::new(())))
    }
}

/// Outlooks every four hours by their ratio to the long run; losses in multiples of [`RATE`].
fn history(ratios: &[f64], losses: [&[f64]; 2]) -> OverlayHistory {
    let outlook = |(hour, ratio): (i64, &f64)| Outlook {
        hour,
        variance: 4e-4 * ratio,
        long_run_variance: 4e-4,
        spike_probability: None,
    };
    OverlayHistory {
        underlying: "BTC".into(),
        outlooks: (480_000..).step_by(4).zip(ratios).map(outlook).collect(),
        losses: losses.map(|losses| losses.iter().map(|loss| RATE * loss).collect()),
    }
}

fn request() -> HistoryRequest {
    HistoryRequest { asset: None, with: None, model: ModelKind::HarX, from: None, underlying: None }
}

fn coefficient(key: &str, (low, high): (f64, f64), tolerance: f64) -> ParameterRequest {
    ParameterRequest {
        how: How::Set,
        strict: Strict::Neither,
        tolerance: Some(tolerance),
        ..scaled(key, &format!("overlay.{key}"), Per::One, (low, high))
    }
}

fn overlay_job() -> Job {
    let caps = Procyclicality { peak_to_trough: Some(2.0), rises: [None; 3] };
    Job {
        margin: MarginSide::Initial,
        history: Some(request()),
        parameters: vec![coefficient("blend", (0.0, 1.0), 1.0 / 64.0), coefficient("cap", (1.0, 4.0), 1.0 / 16.0)],
        constraints: vec![
            constraint(Rule::Procyclicality(caps)),
            constraint(Rule::OverlayCoverage(OverlayCoverage { level: 0.99 })),
        ],
        ..job()
    }
}

/// √1, √4, and √16 within the cap of 3: mean 2. Longs are covered thrice, shorts at the second step alone.
#[test]
fn three_steps_are_those_of_a_hand() {
    let exchange = Exchange::followed(FREE);
    let job = overlay_job();
    let history = history(&[1.0, 4.0, 16.0], [&[0.5, 1.99, 2.9], &[1.01, 1.99, 3.01]]);
    let mut calibration = exchange.over(&job, history.clone()).expect("a calibration");
    let (measured, evaluation) = calibration.old().expect("measured");
    let [procyclicality, coverage] = [0, 1].map(|at| evaluation.readings[at]);
    assert_eq!((procyclicality.value, procyclicality.is_met()), (1.5, false));
    assert!((coverage.value - 1.0 / 3.0).abs() < 1e-12 && !coverage.is_met(), "{coverage:?}");
    let base = Job {
        history: None,
        constraints: super::job().constraints,
        parameters: super::job().parameters,
        ..job.clone()
    };
    let (plain, _) = exchange.calibration(&base).expect("a calibration").old().expect("measured");
    assert_eq!((measured.margin, evaluation.objective), (2.0 * plain.margin, 2.0 * plain.margin));
    // A cap of 2 leaves 1, 2, 2.
    let capped = calibration.evaluate(&[1.0, 2.0], 1.0).expect("evaluated");
    assert_eq!((capped.readings[0].value, capped.objective), (1.0, 5.0 / 3.0 * plain.margin));
    // Multipliers in force are left out of account.
    let mut moved = Exchange::followed(FREE);
    let since = jiff::Timestamp::UNIX_EPOCH;
    let in_force = InForce { initial: 2.5, maintenance: 1.5, since, earlier: Vec::new(), model: None };
    moved.rulebook.overlay.as_mut().expect("an overlay").in_force.insert("BTC".into(), in_force);
    let alone = Job { parameters: vec![job.parameters[0].clone()], ..job.clone() };
    let mut calibration = moved.over(&alone, history).expect("a calibration");
    assert_eq!(calibration.old().expect("measured").0, measured);
}

#[test]
fn maintenance_follows_after_its_notice() {
    let exchange = Exchange::followed(FREE);
    let job = Job { margin: MarginSide::Maintenance, ..overlay_job() };
    let steps = [4.0; 8];
    // Of half the initial rate: the multiplier is 1 for a day, then 2.
    let history = history(&steps, [&[0.6; 8], &[0.4; 8]]);
    let mut calibration = exchange.over(&job, history).expect("a calibration");
    let readings = calibration.old().expect("measured").1.readings;
    assert_eq!(readings[1].value, 0.25);
}

/// Blend and cap traded against each other: what the overlay must reach is the coverage, at the least mean multiplier.
#[test]
fn blend_and_cap_are_as_low_as_coverage_lets_them() {
    let stream = Stream::new(3, "ratios");
    let n = 3_000u64;
    let ratio = |at: u64| libm::pow(10.0, 1.4 * stream.uniforms(at / 40, 0)[0] - 0.7);
    let ratios: Vec<f64> = (0..n).map(ratio).collect();
    let loss = |at: u64| 0.9 * libm::sqrt(ratio(at)) * stream.uniforms(at, 1)[0];
    let losses: Vec<f64> = (0..n).map(loss).collect();
    let exchange = Exchange::followed(OverlayCoefficients { rise_per_day: 1.0, ..OverlayCoefficients::default() });
    let job = overlay_job();
    let mut calibration = exchange.over(&job, history(&ratios, [&losses, &losses])).expect("a calibration");
    let options = SearchOptions { evaluations: 600, refine: 100 };
    let solution = solve(&mut calibration, &options, 1.0, None, &mut |_| {}).expect("a solution");
    assert!(solution.is_met(), "{solution:?}");
    let [procyclicality, coverage] = [0, 1].map(|at| solution.evaluation.readings[at]);
    assert!(procyclicality.value <= 1.0 && coverage.value >= 0.99, "{solution:?}");
    let names: Vec<String> = job.constraints.iter().map(|constraint| constraint.name.clone()).collect();
    let why: Vec<String> = solution.why.iter().map(|why| why.text(&names)).collect();
    assert!(why.contains(&"overlay_coverage".to_string()), "{why:?}");
    // No better candidate among those of a coarse grid; the freest one moves too far.
    for (blend, cap) in (0..=16).flat_map(|blend| (0..=12).map(move |cap| (blend, cap))) {
        let point = [f64::from(blend) / 16.0, 1.0 + f64::from(cap) / 4.0];
        let other = calibration.evaluate(&point, 1.0).expect("evaluated");
        assert!(!other.is_met() || other.objective >= 0.999 * solution.evaluation.objective, "{point:?} {solution:?}");
    }
    let free = calibration.evaluate(&[1.0, 4.0], 1.0).expect("evaluated");
    assert!(!free.readings[0].is_met() && free.readings[1].is_met(), "{free:?}");
}

#[test]
fn what_no_history_answers_is_refused() {
    let exchange = Exchange::followed(FREE);
    let columns = |result: Result<Calibration<'_>>| match result {
        Err(Error::Configuration(faults)) => faults.into_iter().map(|fault| fault.column).collect::<Vec<_>>(),
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    };
    let steps = || history(&[1.0, 4.0], [&[0.5, 0.5], &[0.5, 0.5]]);
    let job = overlay_job();
    assert_eq!(columns(exchange.over(&job, steps())), [""; 0]);
    let without = Job { history: None, ..job.clone() };
    assert_eq!(exchange.refused(&without), ["constraint[0].kind", "constraint[1].kind"]);
    let idle = Job { constraints: super::job().constraints, ..without };
    assert_eq!(exchange.refused(&idle), ["parameter[0].at", "parameter[1].at"]);
    assert_eq!(columns(Exchange::new().over(&job, steps())), ["parameter[0].at[0]", "parameter[1].at[0]", "history"]);
    let elsewhere = OverlayHistory { underlying: "BTX".into(), ..steps() };
    assert_eq!(columns(exchange.over(&job, elsewhere)), ["history.underlying"]);
    let with = |rule| Job { constraints: vec![constraint(rule)], ..job.clone() };
    assert_eq!(
        columns(exchange.over(&with(Rule::Procyclicality(Procyclicality::default())), steps())),
        ["constraint[0].peak_to_trough"]
    );
    let low = Procyclicality { peak_to_trough: Some(0.5), rises: [None, Some(f64::NAN), None] };
    let places = ["constraint[0].peak_to_trough", "constraint[0].rise_5d"];
    assert_eq!(columns(exchange.over(&with(Rule::Procyclicality(low)), steps())), places);
    let sure = Rule::OverlayCoverage(OverlayCoverage { level: 1.0 });
    assert_eq!(columns(exchange.over(&with(sure), steps())), ["constraint[0].level"]);
}
