//! The whole way on a synthetic history with long memory: no look-ahead, what beats what, what the gate lets pass, models as data.

use super::*;
use crate::error::Error;
use crate::scenario::philox::Stream;

/// 2020-01-01 00:00 UTC.
const FIRST_HOUR: i64 = 438_288;

/// Two assets whose log volatility is the sum of three mean-reverting parts, of half a day, a week and two months, common to both.
fn history(hours: usize) -> BarHistory {
    let stream = Stream::new(5, "forecast");
    let normals = |hour: usize, block: u64| {
        let [u, v] = stream.uniforms(hour as u64, block);
        let radius = (-2.0 * u.ln()).sqrt();
        [radius * (std::f64::consts::TAU * v).cos(), radius * (std::f64::consts::TAU * v).sin()]
    };
    let mut parts = [0.0; 3];
    let mut prices = [20_000.0, 1_000.0];
    let mut assets = ["BTC", "ETH"].map(|name| Bars {
        name: name.into(),
        open: Vec::new(),
        high: Vec::new(),
        low: Vec::new(),
        close: Vec::new(),
        volume: (name == "BTC").then(Vec::new),
    });
    for hour in 0..hours {
        let shocks = [normals(hour, 0), normals(hour, 1), normals(hour, 2), normals(hour, 3)];
        for (part, (size, (reversion, shock))) in parts.iter_mut().zip(
            [0.3, 0.4, 0.4].into_iter().zip([12.0, 168.0, 1_440.0].into_iter().zip(shocks[0].iter().chain(&shocks[1]))),
        ) {
            let kept: f64 = 1.0 - 1.0 / reversion;
            *part = kept * *part + size * (1.0_f64 - kept * kept).sqrt() * shock;
        }
        let volatility = 0.006 * parts.iter().sum::<f64>().exp();
        for (asset, (bars, price)) in assets.iter_mut().zip(&mut prices).enumerate() {
            let step = volatility * (0.8 * shocks[2][0] + 0.6 * shocks[2 + asset / 2][1] * (1.0 + asset as f64 / 4.0));
            let open = *price;
            *price *= step.exp();
            let reach = volatility * shocks[3][asset].abs();
            bars.open.push(open);
            bars.close.push(*price);
            bars.high.push(open.max(*price) * (1.0 + reach));
            bars.low.push(open.min(*price) / (1.0 + reach));
            bars.volume.iter_mut().for_each(|volume| volume.push(1_000.0 * volatility * (2.0 + shocks[3][0].sin())));
        }
    }
    let moments: Vec<i64> = (0..hours as i64).map(|hour| FIRST_HOUR + hour).collect();
    BarHistory::new(&moments, assets.to_vec()).expect("a history")
}

fn samples(history: &BarHistory) -> Samples {
    Samples::new(history, "btc", &["eth".to_owned()]).expect("samples")
}

fn walk(history: &BarHistory) -> WalkForward {
    walk_forward(&samples(history), None).expect("a walk")
}

/// Two years and eight months.
const HOURS: usize = 23_500;
/// 2022-08-01 00:00 UTC: a year of forecasts lies before it, so that recalibrations have begun.
const AUGUST: i64 = FIRST_HOUR + (366 + 365 + 212) * 24;

#[test]
fn nothing_after_a_moment_changes_a_forecast_at_it() {
    let past = history(HOURS);
    // The models of August, recalibrations included, may rest on nothing that came later than its first moment.
    let moment = AUGUST;
    let known = past.known_at(moment).expect("within the history");
    let altered = past
        .assets()
        .iter()
        .map(|bars| {
            let alter = |column: &Vec<f64>, factor: f64| {
                let changed = |(hour, value): (usize, &f64)| {
                    if hour < known { *value } else { value * (factor + (hour % 7) as f64) }
                };
                column.iter().enumerate().map(changed).collect::<Vec<f64>>()
            };
            Bars {
                name: bars.name.clone(),
                open: alter(&bars.open, 3.0),
                high: alter(&bars.high, 9.0),
                low: alter(&bars.low, 0.5)
                    .iter()
                    .enumerate()
                    .map(|(hour, low)| if hour < known { *low } else { low / 20.0 })
                    .collect(),
                close: alter(&bars.close, 2.0),
                volume: bars.volume.as_ref().map(|volume| alter(volume, 50.0)),
            }
        })
        .collect();
    let hours: Vec<i64> = (0..HOURS as i64).map(|hour| FIRST_HOUR + hour).collect();
    let altered = BarHistory::new(&hours, altered).expect("a history");
    let (first, second) = (walk(&past), walk(&altered));
    assert_eq!(first.courses.len(), ModelKind::ALL.len());
    for (course, other) in first.courses.iter().zip(&second.courses) {
        let until =
            |course: &Course| course.outlooks.iter().copied().take_while(|at| at.hour <= moment).collect::<Vec<_>>();
        let (before, after) = (until(course), until(other));
        assert!(before.len() > 100 && before == after, "{:?}: a forecast changed", course.model);
        assert_ne!(course.outlooks, other.outlooks, "{:?}: the altered part is seen later", course.model);
    }
}

#[test]
fn a_model_fitted_at_the_start_of_a_month_says_what_the_walk_says() {
    let whole = history(HOURS);
    let all = walk(&whole);
    let known = whole.known_at(AUGUST).expect("within the history");
    let then = whole.truncated(known);
    let samples = samples(&then);
    let walked = walk_forward(&samples, None).expect("a walk");
    for (kind, recalibration) in [
        (ModelKind::LogHar, "none"),
        (ModelKind::HarX, "none"),
        (ModelKind::HarXLogistic, "logistic"),
        (ModelKind::HarXIsotonic, "isotonic"),
    ] {
        let model = Model::fit(&samples, &walked, kind, Gate::Passed).expect("a model");
        assert_eq!(model.recalibration.name(), recalibration);
        let read = Model::parse(&model.to_toml().expect("text"), "model.toml").expect("a model");
        assert_eq!(read, model, "text keeps every bit");
        let course = all.course(kind).expect("a course");
        let month: Vec<&Outlook> =
            course.outlooks.iter().filter(|at| (AUGUST..AUGUST + 31 * 24).contains(&at.hour)).collect();
        assert_eq!(month.len(), 186);
        for outlook in month.iter().step_by(30) {
            assert_eq!(read.outlook(&whole, outlook.hour).expect("an outlook"), **outlook, "{kind:?}");
        }
    }
}

#[test]
fn long_memory_is_forecast_better_than_by_fading_squares() {
    let evaluation = Evaluation::of(&walk(&history(HOURS)), GateRule::default());
    let score = |model: ModelKind| evaluation.score(model).expect("a score");
    assert!(score(ModelKind::LogHar).qlike < score(ModelKind::Ewma).qlike, "{evaluation:?}");
    assert!(score(ModelKind::LogHar).qlike < score(ModelKind::GarchT).qlike);
    assert!(score(ModelKind::LogHar).qlike < score(ModelKind::Yesterday).qlike);
    let area = |model: ModelKind| score(model).spikes.as_ref().and_then(|spikes| spikes.pr_auc).expect("an area");
    assert!(area(ModelKind::LogHar) > area(ModelKind::Ewma) && area(ModelKind::Ewma) > area(ModelKind::Climatology));
    assert!(score(ModelKind::GarchT).spikes.is_none() && score(ModelKind::LogHar).used());
    assert!(!score(ModelKind::Climatology).used());
}

#[test]
fn a_ridge_that_sees_noise_does_not_pass_the_gate() {
    let mut samples = samples(&history(HOURS));
    let stream = Stream::new(9, "noise");
    for (at, row) in samples.rows.iter_mut().enumerate() {
        for (feature, value) in row.features.iter_mut().enumerate() {
            *value = stream.uniforms(at as u64, feature as u64)[0];
        }
    }
    let walked = walk_forward(&samples, None).expect("a walk");
    let evaluation = Evaluation::of(&walked, GateRule::default());
    for model in [ModelKind::HarX, ModelKind::HarXLogistic, ModelKind::HarXIsotonic] {
        let score = evaluation.score(model).expect("a score");
        assert_eq!((score.verdict, score.used()), (Verdict::Failed, false), "{model:?}");
    }
    assert_eq!(evaluation.choice(), ModelKind::LogHar);
    let model = Model::gated(&samples, &walked, &evaluation).expect("a model");
    assert_eq!((model.kind, model.gate, model.features.len()), (ModelKind::LogHar, Gate::Baseline, 3));
    assert_eq!(Model::ungated(&samples, &walked, &evaluation).expect("a model").gate, Gate::Failed);
}

#[test]
fn a_walk_of_few_months_lets_nothing_pass() {
    let short = history(15_200);
    let walked = walk(&short);
    let evaluation = Evaluation::of(&walked, GateRule::default());
    let others = evaluation.scores.iter().filter(|score| score.gain.is_some());
    assert!(others.clone().count() == 7 && others.clone().all(|score| score.verdict == Verdict::TooShort));
    assert_eq!(evaluation.choice(), ModelKind::LogHar);
    let model = Model::ungated(&samples(&short), &walked, &evaluation).expect("a model");
    assert_eq!(model.gate, Gate::Failed, "what cannot be judged did not pass");
    let judged = Evaluation::of(&walked, GateRule { months: 1, spikes: 0 });
    assert!(judged.scores.iter().all(|score| score.verdict != Verdict::TooShort));
}

#[test]
fn the_same_walk_on_any_number_of_threads() {
    let history = history(15_200);
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    let run = |threads: usize| pool(threads).install(|| Evaluation::of(&walk(&history), GateRule::default()));
    assert_eq!(run(1), run(3));
}

#[test]
fn histories_that_are_too_short_and_wrong_names_are_refused() {
    let short = history(13_000);
    let whole = samples(&short);
    let exit = |result: crate::Result<WalkForward>| result.err().map_or(0, |error| error.exit_code());
    assert_eq!(exit(walk_forward(&whole, None)), 3, "less than 181 days, a year and a month");
    let tiny = Samples::new(&history(100), "BTC", &[]).expect("no samples");
    assert_eq!(exit(walk_forward(&tiny, None)), 3);
    let enough = samples(&history(15_200));
    assert_eq!(exit(walk_forward(&enough, Some(FIRST_HOUR + 10_000))), 2);
    assert_eq!(exit(walk_forward(&enough, Some(FIRST_HOUR + 20_000))), 2);
    for (asset, companion) in [("SOL", "ETH"), ("BTC", "SOL"), ("BTC", "BTC")] {
        let error = Samples::new(&short, asset, &[companion.to_owned()]).expect_err("a wrong name");
        assert_eq!(error.exit_code(), 2, "{error}");
    }
}

#[test]
fn a_price_between_two_values_has_no_volatility_to_forecast() {
    let close: Vec<f64> = (0..15_200).map(|hour| 100.0 + f64::from(hour % 2)).collect();
    let bars = Bars {
        name: "PEG".into(),
        open: close.clone(),
        high: vec![101.0; 15_200],
        low: vec![100.0; 15_200],
        close,
        volume: Some(vec![0.0; 15_200]),
    };
    let hours: Vec<i64> = (0..15_200).map(|hour| FIRST_HOUR + hour).collect();
    let history = BarHistory::new(&hours, vec![bars]).expect("a history");
    let samples = Samples::new(&history, "PEG", &[]).expect("samples");
    let error = walk_forward(&samples, None).expect_err("nothing to fit");
    assert!(error.exit_code() == 3 && error.to_string().contains("differ"), "{error}");
}

#[test]
fn models_of_other_versions_and_altered_ones_are_refused() {
    let history = history(15_200);
    let samples = samples(&history);
    let walked = walk_forward(&samples, None).expect("a walk");
    let model = Model::ungated(&samples, &walked, &Evaluation::of(&walked, GateRule::default())).expect("a model");
    let text = model.to_toml().expect("text");
    let smearing = format!("smearing = {:?}", model.function.residuals.smearing);
    assert!(text.contains(&smearing), "{text}");
    for (altered, word) in [
        (text.replace("version = 1", "version = 2"), "version"),
        (text.replace(&smearing, "smearing = 1.5"), "hash"),
        (text.replace("[model]", "[model]\nextra = 1"), "keys"),
        (text.replace("hash = ", "hash "), "TOML"),
        (String::new(), "version"),
    ] {
        match Model::parse(&altered, "model.toml") {
            Err(Error::Configuration(faults)) => assert!(faults[0].to_string().contains(word), "{}", faults[0]),
            other => panic!("{word}: not refused: {other:?}"),
        }
    }
    let mut broken = model.clone();
    broken.function.regression.scales[0] = 0.0;
    broken.function.residuals.quantiles.clear();
    broken.features.pop();
    let error = Model::parse(&broken.to_toml().expect("text"), "model.toml").expect_err("broken");
    assert!(matches!(&error, Error::Configuration(faults) if faults.len() == 3), "{error}");
    let error = model.outlook(&history, FIRST_HOUR + 4_000).expect_err("too early");
    assert_eq!(error.exit_code(), 3);
    let alone = Bars { volume: None, ..history.assets()[0].clone() };
    let hours: Vec<i64> = (0..15_200).map(|hour| FIRST_HOUR + hour).collect();
    let bare = BarHistory::new(&hours, vec![alone, history.assets()[1].clone()]).expect("a history");
    assert_eq!(model.outlook(&bare, FIRST_HOUR + 15_000).expect_err("no volumes").exit_code(), 2);
}
