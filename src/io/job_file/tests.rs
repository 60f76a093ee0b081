use super::*;
use crate::calibration::LossMeasure;
use crate::calibration::constraint::{Limit, OverlayCoverage, Procyclicality, Rule, Shortfall};
use crate::forecast::ModelKind;

const LEAST: &str = "\
snapshot = \"exchange\"
scenarios = [\"shocks.csv\"]
[[parameter]]
name = \"rates\"
at = [\"margin.*.maintenance.rate\"]
how = \"scale\"
low = 0.5
high = 4
[[constraint]]
kind = \"coverage\"
";

fn faults(text: &str) -> Vec<(u64, String)> {
    match parse(text, "job.toml") {
        Err(Error::Configuration(faults)) => {
            faults.into_iter().map(|fault| (fault.line.unwrap_or_default(), fault.column)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_least_job_has_its_defaults() {
    let file = parse(LEAST, "job.toml").expect("a job");
    assert_eq!(file.rulebook, Path::new("exchange/rulebook.toml"));
    assert_eq!(file.hold_out, HoldOut::Nothing);
    let Job { margin, resources, search, objective, .. } = file.job;
    assert_eq!((margin, resources, search), (MarginSide::Maintenance, Resources::Required, SearchBudget::default()));
    assert_eq!(objective, Objective::Margin);
    assert_eq!(file.job.constraints[0].name, "coverage_accounts");
    assert_eq!(file.job.parameters[0].strict, Strict::High);
}

#[test]
fn everything_that_is_written_is_read() {
    let text = LEAST.replace("[[parameter]]", "hold_out_share = 0.25\nresources = \"held\"\nmargin = \"initial\"\nunshocked = \"hold\"\nseed = 7\n[objective]\nminimise = \"cost\"\nmargin_cost = 0.1\n[[parameter]]\nstrict = \"neither\"")
        + "name = \"c\"\n[[constraint]]\nkind = \"shortfall\"\nmeasure = \"var\"\nlevel = 0.95\nlimit = \"fund\"\n[[constraint]]\nkind = \"cover\"\nlimit = 5\n[search]\nblock = 3\n";
    let JobFile { job, hold_out, .. } = parse(&text, "job.toml").expect("a job");
    assert_eq!(hold_out, HoldOut::Share(0.25));
    assert_eq!(
        (job.resources, job.margin, job.unshocked, job.seed),
        (Resources::Held, MarginSide::Initial, Unshocked::Hold, 7)
    );
    assert_eq!(job.objective, Objective::Cost { margin: 0.1, shortfall: 0.0, fund: 0.0 });
    assert_eq!((job.parameters[0].strict, job.search.block), (Strict::Neither, Some(3)));
    let names: Vec<&str> = job.constraints.iter().map(|constraint| constraint.name.as_str()).collect();
    assert_eq!(names, ["c", "shortfall_var", "cover_2"]);
    let shortfall = Shortfall { measure: LossMeasure::ValueAtRisk, level: 0.95, limit: Limit::Fund };
    assert_eq!(job.constraints[1].rule, Rule::Shortfall(shortfall));
}

#[test]
fn faults_have_the_line_of_their_key() {
    assert_eq!(faults(&LEAST.replace("high = 4", "high = 0.5")), [(7, "parameter[0].low".to_string())]);
    assert_eq!(
        faults(&LEAST.replace("scenarios = [\"shocks.csv\"]", "scenarios = []")),
        [(2, "scenarios".to_string())]
    );
    assert_eq!(faults(&LEAST.replace("coverage", "coverag")), [(10, "constraint[0].kind".to_string())]);
    assert_eq!(faults(&LEAST.replace("how =", "hows =")), [(6, "parameter[0].hows".to_string())]);
    let both = format!("hold_out = [\"a.csv\"]\nhold_out_share = 0.1\n{LEAST}");
    assert_eq!(faults(&both), [(2, "hold_out_share".to_string())]);
    let floor = format!("{LEAST}[[constraint]]\nkind = \"floor\"\nparameter = \"rates\"\n");
    assert_eq!(faults(&floor), [(11, "constraint[1].at_least".to_string())]);
    let unknown = floor.replace("parameter = \"rates\"", "parameter = \"rate\"\nat_least = 0.1");
    assert_eq!(faults(&unknown), [(13, "constraint[1].parameter".to_string())]);
    assert_eq!(faults(&format!("{LEAST}[objective]\nfund_cost = 1\n")), [(12, "objective.fund_cost".to_string())]);
    assert_eq!(faults("snapshot = \"x\"\n").len(), 2);
}

#[test]
fn faults_against_the_rulebook_get_their_line() {
    let file = parse(LEAST, "job.toml").expect("a job");
    let fault = |table: &str| Fault { column: "parameter[0].at[0]".into(), ..Fault::of_table(table, "rule", "remedy") };
    let Error::Configuration(faults) = file.located(Error::Configuration(vec![fault("job"), fault("rulebook")])) else {
        panic!("still a configuration");
    };
    assert_eq!((faults[0].table.as_str(), faults[0].line), ("job.toml", Some(5)));
    assert_eq!((faults[1].table.as_str(), faults[1].line), ("rulebook", None));
}

#[test]
fn a_history_and_what_is_asked_of_it_are_read() {
    let text = LEAST.to_string()
        + "[[constraint]]\nkind = \"procyclicality\"\nrise_5d = 0.5\n[[constraint]]\nkind = \"overlay_coverage\"\n\
           [history]\nfile = \"bars.csv\"\nwith = []\nmodel = \"log_har\"\nfrom = \"2021-07-01\"\n";
    let file = parse(&text, "job.toml").expect("a job");
    assert_eq!(file.history, Some(PathBuf::from("bars.csv")));
    let request = file.job.history.expect("a history");
    assert_eq!((request.with, request.model, request.from), (Some(Vec::new()), ModelKind::LogHar, Some(451_416)));
    let caps = Procyclicality { peak_to_trough: None, rises: [None, Some(0.5), None] };
    assert_eq!(file.job.constraints[1].rule, Rule::Procyclicality(caps));
    assert_eq!(file.job.constraints[2].rule, Rule::OverlayCoverage(OverlayCoverage { level: 0.99 }));
    assert_eq!(faults(&text.replace("2021-07-01", "July")), [(20, "history.from".to_string())]);
    assert_eq!(faults(&text.replace("log_har", "garch_t")), [(19, "history.model".to_string())]);
    assert_eq!(faults(&text.replace("rise_5d = 0.5\n", "")), [(11, "constraint[1].peak_to_trough".to_string())]);
    let without = &text[..text.find("[history]").expect("a table")];
    let places = [(12, "constraint[1].kind".to_string()), (15, "constraint[2].kind".to_string())];
    assert_eq!(faults(without), places);
}
