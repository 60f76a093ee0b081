//! Worked cases: published examples restated as tiny snapshots, with the numbers worked out beside them.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use plimsoll::domain::Snapshot;
use plimsoll::engine::{EngineChoice, Explainer, Outcome, Progress, Statement, SweepOptions, sweep};
use plimsoll::error::Error;
use plimsoll::io::{read_rulebook, scenario_file, snapshot};
use plimsoll::margin::{Rulebook, TermSums};
use plimsoll::pricing::Unshocked;
use plimsoll::scenario::ScenarioSet;

/// One file of `fixtures/cases`, or `NAME.cases.toml` of `fixtures/rulebooks`.
struct Case {
    name: String,
    tolerance: f64,
    expects: Vec<toml::Table>,
    snapshot: Snapshot,
    rulebook: Rulebook,
    scenarios: ScenarioSet,
}

/// Nothing to see.
struct Quiet;

impl Progress for Quiet {
    fn advance(&self, _done: u64, _total: u64) {}
}

fn fixtures(dir: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(dir)
}

/// The rulebook of a case: its own, with the sets of moves beside it, or a shipped one that `rulebook` names, with the texts
/// under `edit` replaced.
fn rulebook(case: &toml::Table, name: &str) -> Rulebook {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = match case.get("rulebook") {
        None => {
            let files = case["files"].as_table().expect("files");
            for file in files.keys().filter(|file| *file == "rulebook.toml" || file.starts_with("set-")) {
                std::fs::write(dir.path().join(file), files[file].as_str().expect("text")).expect("a writable file");
            }
            dir.path().join("rulebook.toml")
        }
        Some(shipped) => {
            let path = fixtures("rulebooks").join(shipped.as_str().expect("a file name"));
            let Some(edits) = case.get("edit") else {
                return read_rulebook(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            };
            let mut text = std::fs::read_to_string(path).expect("a shipped rulebook");
            for (from, to) in edits.as_table().expect("texts") {
                assert_eq!(text.matches(from).count(), 1, "{name}: {from:?}");
                text = text.replace(from, to.as_str().expect("text"));
            }
            let edited = dir.path().join("rulebook.toml");
            std::fs::write(&edited, text).expect("a writable file");
            edited
        }
    };
    read_rulebook(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// One scenario in which nothing moves.
fn still() -> ScenarioSet {
    ScenarioSet {
        ids: vec!["still".into()],
        weights: vec![1.0],
        labels: vec![String::new()],
        factors: Vec::new(),
        shocks: Array2::zeros((1, 0)),
    }
}

impl Case {
    fn read(path: &Path) -> Self {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("a readable case");
        let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let dir = tempfile::tempdir().expect("a temporary directory");
        let rulebook = rulebook(&table, &name);
        for (file, content) in table["files"].as_table().expect("files") {
            std::fs::write(dir.path().join(file), content.as_str().expect("text")).expect("a writable file");
        }
        let scenarios = dir.path().join("scenarios.csv");
        let scenarios =
            scenarios.exists().then(|| scenario_file::read(&scenarios).unwrap_or_else(|e| panic!("{name}: {e}")));
        // A snapshot has no tables of these names.
        for entry in std::fs::read_dir(dir.path()).expect("a directory") {
            let file = entry.expect("a file").file_name().to_string_lossy().into_owned();
            if file == "scenarios.csv" || file.starts_with("set-") {
                std::fs::remove_file(dir.path().join(file)).expect("a removable file");
            }
        }
        Self {
            tolerance: table["tolerance"].as_float().expect("a tolerance"),
            expects: table["expect"]
                .as_array()
                .expect("expect")
                .iter()
                .map(|e| e.as_table().expect("a table").clone())
                .collect(),
            snapshot: snapshot::read(dir.path()).unwrap_or_else(|error| panic!("{name}: {error}")),
            rulebook,
            scenarios: scenarios.unwrap_or_else(still),
            name,
        }
    }

    fn explainer(&self) -> Explainer<'_> {
        let unshocked = Unshocked::Hold;
        Explainer { snapshot: &self.snapshot, rulebook: &self.rulebook, scenarios: Some(&self.scenarios), unshocked }
    }

    /// Compares one `[[expect]]`; answers how many numbers it holds.
    fn check(&self, expect: &toml::Table) -> usize {
        let text = |key: &str| expect.get(key).map(|value| value.as_str().expect("text"));
        let (account, pool) = (text("account").expect("an account"), text("pool").unwrap_or("main"));
        let place = format!("{}: {account}/{pool} {}", self.name, text("scenario").unwrap_or("base"));
        let index = self.snapshot.book.pools().position(|p| (p.account, p.pool) == (account, pool)).expect("a pool");
        let scenario = text("scenario").map(|id| self.scenarios.position(id).expect("a scenario"));
        let explanation = self.explainer().explain(index, scenario).unwrap_or_else(|error| panic!("{place}: {error}"));
        let statement = match scenario {
            None => &explanation.base,
            Some(_) => explanation.scenario.as_ref().expect("a scenario"),
        };
        adds_up(statement, &place);
        let figures = statement.figures;
        let mut checked = 0;
        for (key, expected) in expect {
            let value = match key.as_str() {
                "equity" => figures.equity,
                "adjusted_equity" => figures.adjusted_equity,
                "initial_margin" => figures.initial_margin,
                "maintenance_margin" => figures.maintenance_margin,
                "initial_excess" => figures.adjusted_equity - figures.initial_margin,
                "maintenance_excess" => figures.maintenance_excess(),
                "health_ratio" => figures.health_ratio().expect("a requirement"),
                "state" => {
                    assert_eq!(statement.state.name(), expected.as_str().expect("a state"), "{place}");
                    continue;
                }
                "account" | "pool" | "scenario" => continue,
                other => panic!("{place}: nothing is called {other}"),
            };
            let expected = expected.as_float().expect("a number");
            let difference = (value - expected).abs();
            assert!(
                difference <= self.tolerance * expected.abs().max(1.0),
                "{place}: {key} {value}, expected {expected}"
            );
            checked += 1;
        }
        checked
    }

    /// The sweep says what the explanation says, bit for bit.
    fn check_sweep(&self, engine: EngineChoice) -> Outcome {
        let outcome = self.sweep(engine).expect("a sweep");
        for (index, swept) in outcome.pools.iter().enumerate() {
            let explanation = self.explainer().explain(index, None).expect("an explanation");
            let worst = explanation.scenario.expect("a worst scenario");
            let place = format!("{} pool {index}", self.name);
            assert_eq!((swept.base, swept.state), (explanation.base.figures, explanation.base.state), "{place}");
            assert_eq!(plimsoll::pricing::Column::Scenario(swept.worst_scenario as usize), worst.column, "{place}");
            assert_eq!(
                (swept.worst_excess, swept.worst_equity),
                (worst.figures.maintenance_excess(), worst.figures.equity)
            );
            for statement in [&explanation.base, &worst] {
                adds_up(statement, &place);
            }
            for reach in &explanation.reaches {
                assert!(reach.down.is_none_or(|fall| (-1.0..0.0).contains(&fall)), "{place}: {reach:?}");
                assert!(reach.up.is_none_or(|rise| rise > 0.0), "{place}: {reach:?}");
                // Whoever is bankrupt is liquidatable, so the way there is longer.
                let further = |bankrupt: Option<f64>, liquidating: Option<f64>| {
                    bankrupt.is_none_or(|to| liquidating.is_some_and(|from| to.abs() >= from.abs()))
                };
                assert!(further(reach.bankrupt_down, reach.down), "{place}: {reach:?}");
                assert!(further(reach.bankrupt_up, reach.up), "{place}: {reach:?}");
            }
        }
        outcome
    }

    fn sweep(&self, engine: EngineChoice) -> plimsoll::error::Result<Outcome> {
        let options = SweepOptions { engine, unshocked: Unshocked::Hold, ..SweepOptions::default() };
        sweep(&self.snapshot, &self.rulebook, &self.scenarios, &options, &Quiet)
    }

    /// The faults of a sweep that is refused.
    fn refusal(&self) -> Vec<String> {
        match self.sweep(EngineChoice::Cpu) {
            Err(Error::Refused(faults) | Error::Configuration(faults)) => {
                faults.iter().map(ToString::to_string).collect()
            }
            other => panic!("{}: refused, not {:?}", self.name, other.map(|outcome| outcome.warnings)),
        }
    }
}

/// The terms of a statement add up to its figures.
fn adds_up(statement: &Statement, place: &str) {
    let size = TermSums::of(&statement.terms).size;
    assert!(statement.rounding <= 1e-14 * size, "{place}: terms differ by {} of {size}", statement.rounding);
}

fn cases() -> Vec<Case> {
    let files =
        |dir: &str| std::fs::read_dir(fixtures(dir)).expect("the cases").map(|entry| entry.expect("a file").path());
    let of_rulebooks = files("rulebooks").filter(|path| path.to_string_lossy().ends_with(".cases.toml"));
    // A table of all examples lies beside them.
    let of_cases = files("cases").filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut paths: Vec<_> = of_cases.chain(of_rulebooks).collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

#[test]
fn worked_cases_give_the_worked_numbers() {
    let cases = cases();
    assert!(cases.len() >= 12);
    let mut checked = 0;
    for case in &cases {
        checked += case.expects.iter().map(|expect| case.check(expect)).sum::<usize>();
    }
    assert!(checked >= 40, "{checked} numbers");
}

#[test]
fn sweeps_of_the_worked_cases_agree_with_their_explanations() {
    for case in cases() {
        let (cpu, reference) = (case.check_sweep(EngineChoice::Cpu), case.check_sweep(EngineChoice::Reference));
        assert_eq!(cpu.pools, reference.pools, "{}", case.name);
    }
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).expect("the case")
}

#[test]
fn what_a_scalar_reads_moves_inside_scenarios() {
    let outcome = case("volatility-scalar").check_sweep(EngineChoice::Cpu);
    assert!(outcome.warnings.iter().all(|warning| !warning.contains("ignored")), "{:?}", outcome.warnings);
    let required: Vec<f64> = outcome.scenarios.iter().map(|scenario| scenario.maintenance_total).collect();
    // BTC 500, 500, 1,000, 250, 250 and ETH 475, 475, 475, 500, 250.
    for (found, expected) in required.iter().zip([975.0, 975.0, 1_475.0, 750.0, 500.0]) {
        assert!((found - expected).abs() < 1e-9, "{required:?}");
    }
}

#[test]
fn what_a_class_cannot_read_is_one_fault_each() {
    let mut scaled = case("volatility-scalar");
    scaled.snapshot.underlyings.iter_mut().for_each(|underlying| underlying.volatility_index = None);
    let faults = scaled.refusal();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].contains("volatility_index(BTC)"), "{faults:?}");
    let mut interested = case("dydx-open-interest-rate");
    interested.snapshot.underlyings[1].open_interest_quote = None;
    let faults = interested.refusal();
    assert!(faults.len() == 1 && faults[0].contains("the open interest of B"), "{faults:?}");
    let mut negative = case("volatility-scalar");
    let scalar = negative.rulebook.scalar.get_mut("tightness").expect("a scalar");
    (scalar.value, scalar.minimum) = ("-1 * volatility_index(underlying)".parse().expect("an expression"), -10.0);
    let faults = negative.refusal();
    assert!(faults.len() == 1 && faults[0].contains("not negative"), "{faults:?}");
    let mut unknown = case("volatility-scalar");
    unknown.rulebook.scalar.remove("stepped");
    let faults = unknown.refusal();
    assert!(faults.len() == 1 && faults[0].contains("\"stepped\""), "{faults:?}");
}

/// Files and tests that the table of `fixtures/cases/README.md` names.
#[test]
#[expect(clippy::print_stdout, reason = "the table is for a reader of the test's output")]
fn every_worked_example_is_accounted_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("fixtures/cases/README.md")).expect("the table");
    let rows = text.lines().filter_map(|line| {
        line.strip_prefix("| ")?.strip_suffix(" |")?.splitn(3, " | ").collect::<Vec<_>>().try_into().ok()
    });
    let rows: Vec<[&str; 3]> = rows.skip(1).collect();
    assert_eq!(rows.len(), 83);
    for [example, result, place] in &rows {
        println!("{example:32} {result:10} {place}");
        let files = place.split([' ', ',', ';']).filter(|word| word.ends_with(".toml"));
        let tests = place.split('`').filter_map(|word| word.split_once("::"));
        let mut named = 0;
        for file in files {
            assert!(root.join("fixtures/cases").join(file).exists(), "{example}: {file}");
            named += 1;
        }
        for (file, test) in tests {
            let source = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(source.contains(&format!("fn {test}(")), "{example}: {file} has no test {test}");
            named += 1;
        }
        assert!(["reproduced", "later", "refused"].contains(result), "{example}: {result}");
        assert!(*result != "reproduced" || named > 0, "{example}: by nothing");
    }
}

/// The published liquidation prices, from the other side: how far the price may fall.
#[test]
fn the_reach_of_a_pool_is_its_liquidation_price() {
    // Bankruptcy: where what the contracts lost is all that the pool had.
    let isolated = 1456.84 - 1_535_443.01 / 3_683.979;
    for (name, factor, entry, price, bankruptcy_price) in [
        ("binance-isolated-liquidation-price", "ETH", 1456.84, 1_114.784_963_745_872_3, isolated),
        ("cross-liquidation-price", "X", 100.0, 99.0 / 0.996, 95.0),
    ] {
        let case = cases().into_iter().find(|case| case.name == name).expect("the case");
        let explanation = case.explainer().explain(0, None).expect("an explanation");
        let reach = explanation.reaches.iter().find(|reach| reach.factor == factor).expect("a factor");
        let found = entry * (1.0 + reach.down.expect("a liquidation price"));
        assert!((found - price).abs() < 1e-8, "{name}: {found}, published {price}");
        assert_eq!(reach.up, None, "{name}");
        let found = entry * (1.0 + reach.bankrupt_down.expect("a bankruptcy price"));
        assert!((found - bankruptcy_price).abs() < 1e-8, "{name}: {found}, {bankruptcy_price}");
    }
}

/// Every rulebook that is shipped is read, says what it is, has worked cases and reads back from what is written of it.
#[test]
fn shipped_rulebooks_are_whole() {
    let names: Vec<_> = std::fs::read_dir(fixtures("rulebooks"))
        .expect("the rulebooks")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| !path.to_string_lossy().ends_with(".cases.toml"))
        .collect();
    assert!(names.len() >= 16);
    for path in names {
        let rulebook = read_rulebook(&path).unwrap_or_else(|error| panic!("{error}"));
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert_eq!(rulebook.name, name);
        assert!(rulebook.effective.is_some() && rulebook.description.len() > 80, "{name}");
        assert!(path.with_extension("cases.toml").exists(), "{name} has no worked cases");
        let mut again = Rulebook::parse(&rulebook.to_toml(), &name).unwrap_or_else(|error| panic!("{error}"));
        for (set, read) in &rulebook.sets {
            again.sets.get_mut(set).expect("the set").moves = read.moves.clone();
        }
        assert_eq!(again, rulebook, "{name}");
    }
}
