//! Jobs that ask for nothing, or for what cannot be.

use super::super::constraint::{AtLeast, Cover, Floor};
use super::*;

fn with(parameters: Vec<ParameterRequest>) -> Job {
    Job { parameters, ..job() }
}

fn rates() -> ParameterRequest {
    scaled("rates", "margin.*.maintenance.rate", Per::One, (0.5, 4.0))
}

#[test]
fn degenerate_jobs_are_refused_with_their_place() {
    let exchange = Exchange::new();
    let refused = |job: &Job| exchange.refused(job);
    assert_eq!(refused(&job()), [""; 0]);
    assert_eq!(refused(&with(Vec::new())), ["parameter"]);
    assert_eq!(refused(&Job { constraints: Vec::new(), ..job() }), ["constraint"]);
    let reversed = ParameterRequest { low: 4.0, high: 4.0, ..rates() };
    assert_eq!(refused(&with(vec![reversed])), ["parameter[0].low"]);
    let infinite = ParameterRequest { high: f64::INFINITY, ..rates() };
    assert_eq!(refused(&with(vec![infinite])), ["parameter[0].low"]);
    let coarse = ParameterRequest { tolerance: Some(9.0), ..rates() };
    assert_eq!(refused(&with(vec![coarse])), ["parameter[0].tolerance"]);
    let unknown = ParameterRequest { at: vec!["margin.*.maintenanse.rate".into()], ..rates() };
    assert_eq!(refused(&with(vec![unknown])), ["parameter[0].at[0]"]);
    let nowhere = ParameterRequest { at: Vec::new(), ..rates() };
    assert_eq!(refused(&with(vec![nowhere])), ["parameter[0].at"]);
    let word = ParameterRequest { at: vec!["margin.*.maintenance.form".into()], ..rates() };
    assert_eq!(refused(&with(vec![word])), ["parameter[0].at[0]"]);
    // The name stands twice, and so does every number.
    let twice = refused(&with(vec![rates(), rates()]));
    assert!(twice.contains(&"parameter[1].name".into()), "{twice:?}");
    let renamed = refused(&with(vec![rates(), ParameterRequest { name: "again".into(), ..rates() }]));
    assert!(!renamed.is_empty() && renamed.iter().all(|column| column == "parameter[1].at"), "{renamed:?}");
    // Rates above 1.
    let steep = ParameterRequest { high: 1e3, ..rates() };
    assert_eq!(refused(&with(vec![steep])), ["parameter[0].high"]);
}

#[test]
fn a_parameter_that_changes_nothing_is_refused() {
    let exchange = Exchange::new();
    let haircuts = || scaled("haircuts", "haircut.*.haircut", Per::One, (0.0, 2.0));
    assert_eq!(exchange.refused(&with(vec![haircuts()])), ["parameter[0].at"], "positions alone have no haircut");
    assert_eq!(exchange.refused(&Job { resources: Resources::Held, ..with(vec![haircuts()]) }), [""; 0]);
    let target = ParameterRequest {
        how: How::Set,
        low: 1.0,
        high: 2.0,
        ..scaled("target", "liquidation.target_health", Per::One, (1.0, 2.0))
    };
    assert_eq!(exchange.refused(&with(vec![target])), ["parameter[0].at"], "only liquidations would show it");
}

#[test]
fn constraints_are_checked_against_the_job_and_the_rulebook() {
    let mut exchange = Exchange::new();
    let refused = |exchange: &Exchange, rules: Vec<Constraint>| exchange.refused(&Job { constraints: rules, ..job() });
    let coverage = |level: f64| covered(CoverageOf::Accounts, Each::Book, level);
    assert_eq!(refused(&exchange, vec![coverage(1.0)]), ["constraint[0].level"]);
    assert_eq!(refused(&exchange, vec![coverage(f64::NAN)]), ["constraint[0].level"]);
    assert_eq!(refused(&exchange, vec![coverage(0.9), coverage(0.8)]), ["constraint[1].name"]);
    let cover = |accounts: usize| constraint(Rule::Cover(Cover { accounts, limit: Limit::Amount(1.0) }));
    assert_eq!(refused(&exchange, vec![cover(1), cover(2)]).len(), 2);
    assert_eq!(refused(&exchange, vec![cover(0)]), ["constraint[0].accounts"]);
    let floor = |parameter: &str, at_least| constraint(Rule::Floor(Floor { parameter: parameter.into(), at_least }));
    assert_eq!(refused(&exchange, vec![floor("rate", AtLeast::Number(0.1))]), ["constraint[0].parameter"]);
    let fees = AtLeast::SumOf(vec!["liquidation.costs.trading_fe".into()]);
    assert_eq!(refused(&exchange, vec![floor("rates", fees)]), ["constraint[0].at_least_sum_of[0]"]);
    assert_eq!(refused(&exchange, vec![shortfall_within(Limit::Fund)]), [""; 0]);
    exchange.rulebook.liquidation = None;
    assert_eq!(refused(&exchange, vec![shortfall_within(Limit::Fund)]), ["constraint[0].limit"]);
    let cost = Objective::Cost { margin: 1.0, shortfall: 1.0, fund: 1.0 };
    assert_eq!(exchange.refused(&Job { objective: cost, ..job() }), ["objective.fund_cost"]);
    let nothing = Objective::Cost { margin: 0.0, shortfall: 0.0, fund: 0.0 };
    assert_eq!(exchange.refused(&Job { objective: nothing, ..job() }), ["objective"]);
}

#[test]
fn floors_read_the_numbers_of_the_candidate() {
    let exchange = Exchange::new();
    let fees = ["liquidation.costs.trading_fee", "liquidation.costs.liquidation_fee"].map(String::from);
    let floor = Floor { parameter: "rates".into(), at_least: AtLeast::SumOf(fees.into()) };
    let job = Job { constraints: vec![constraint(Rule::Floor(floor))], ..job() };
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let costs = exchange.rulebook.liquidation.as_ref().expect("a policy").costs;
    let fees = costs.trading_fee + costs.liquidation_fee;
    // The lowest rate of the deepest market is 0.4 %.
    for factor in [0.5, 1.0, 4.0] {
        let reading = calibration.evaluate(&[factor], 1.0).expect("evaluated").readings[0];
        assert_eq!((reading.value, reading.limit), (0.004 * factor, fees));
        assert_eq!(reading.is_met(), 0.004 * factor >= fees);
    }
}

/// Tiers that are rulebooks at every end, and none where the first has grown and the second has shrunk.
#[test]
fn a_candidate_that_is_no_rulebook_breaks_everything() {
    let mut exchange = Exchange::new();
    // Small tiers, so that everybody reaches the second.
    exchange.rulebook.haircut.get_mut("major").expect("a class").bounds = vec![10.0, 20.0];
    let tier = |at: usize, (low, high): (f64, f64)| ParameterRequest {
        how: How::Set,
        ..scaled(&format!("tier{at}"), &format!("haircut.major.haircut[{at}]"), Per::One, (low, high))
    };
    let job = Job { resources: Resources::Held, ..with(vec![tier(0, (0.0, 0.07)), tier(1, (0.06, 0.075))]) };
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let refused = calibration.evaluate(&[0.07, 0.06], 1.0).expect("evaluated");
    assert!(!refused.is_met() && refused.objective.is_infinite());
    assert!(calibration.evaluate(&[0.06, 0.07], 1.0).expect("evaluated").objective.is_finite());
}

#[test]
fn one_scenario_is_enough_to_measure() {
    let mut exchange = Exchange::new();
    exchange.scenarios = scenarios(&exchange.snapshot, 1);
    let job = job();
    let mut calibration = exchange.calibration(&job).expect("a calibration");
    let evaluation = calibration.evaluate(&[4.0], 1.0).expect("evaluated");
    assert!(evaluation.readings[0].value.is_finite());
    drop(calibration);
    exchange.scenarios = ScenarioSet::default();
    assert!(matches!(exchange.calibration(&job), Err(Error::Refused(_))));
}

#[test]
fn what_was_evaluated_is_recorded_once_and_recalled() {
    struct Log(std::sync::Arc<std::sync::Mutex<Vec<Evaluated>>>);
    impl Recorder for Log {
        fn record(&mut self, evaluated: &Evaluated) -> Result<()> {
            self.0.lock().expect("no panic").push(evaluated.clone());
            Ok(())
        }
    }
    let exchange = Exchange::new();
    let job = job();
    let log = std::sync::Arc::default();
    let options = SweepOptions::default();
    let recorder = Box::new(Log(std::sync::Arc::clone(&log)));
    let mut calibration =
        Calibration::new(exchange.subject(None), &job, options, (&(), recorder)).expect("a calibration");
    for point in [1.0, 2.0, 1.0] {
        calibration.evaluate(&[point], 1.0).expect("evaluated");
    }
    let evaluated = log.lock().expect("no panic").clone();
    assert_eq!(evaluated.len(), 2);
    let mut later = exchange.calibration(&job).expect("a calibration");
    later.recall(evaluated.clone());
    assert_eq!(later.evaluate(&[2.0], 1.0).expect("recalled"), evaluated[1].evaluation);
    assert_eq!(later.sweeps(), 0, "nothing is swept for what is known");
}
