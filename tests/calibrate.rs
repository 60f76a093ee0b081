//! `plimsoll calibrate`: examples, exit codes, checkpoints.

mod bars;
mod schema;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plimsoll::io::job_file;
use serde_json::Value;

/// A directory with a synthetic exchange, a scenario set, bars, a rulebook with an overlay, and the examples.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        desk.ok(&["synth", "exchange", "--accounts", "300", "--seed", "7", "--instruments", "8", "--tables", "csv"]);
        desk.ok(&["scenarios", "monte-carlo", "exchange", "--count", "512", "--seed", "7", "--out", "shocks.csv"]);
        std::fs::write(desk.path("bars.csv"), bars::bars(bars::HOURS)).expect("written");
        let overlay = "\n[overlay]\nblend = 0.5\ncap = 3\n";
        std::fs::write(desk.path("followed.toml"), desk.text("exchange/rulebook.toml") + overlay).expect("written");
        for example in examples() {
            std::fs::copy(&example, desk.path(&file_name(&example))).expect("copied");
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.dir.path()).output().expect("the binary runs")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
        serde_json::from_str(&self.ok(&all)).expect("one JSON object")
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a readable file")
    }

    /// The exit code and the message of a job that is the example with some text replaced.
    fn refused(&self, example: &str, (old, new): (&str, &str)) -> (Option<i32>, String) {
        let text = self.text(example);
        assert!(text.contains(old), "{example} has {old}");
        std::fs::write(self.path("changed.toml"), text.replace(old, new)).expect("written");
        // A job that is complete and cannot meet its constraints leaves its results.
        let _ = std::fs::remove_dir_all(self.path("changed"));
        let output = self.run(&["calibrate", "changed.toml", "--out", "changed", "--engine", "cpu"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn examples() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/calibrations");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("examples").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn examples_run_and_follow_the_schema() {
    let desk = Desk::new();
    for example in examples() {
        let name = file_name(&example);
        let table: toml::Table = desk.text(&name).parse().expect("TOML");
        let value = serde_json::to_value(table).expect("JSON");
        assert_eq!(schema::against(&job_file::schema(), &value, ""), Vec::<String>::new(), "{name}");
        let out = format!("out-{name}");
        let object = desk.json(&["calibrate", &name, "--out", &out, "--engine", "cpu"]);
        assert!(object["parameters"].as_array().is_some_and(|list| !list.is_empty()), "{name}");
        let met = |constraint: &Value| constraint["met"] == true && constraint["value"].is_number();
        assert!(object["constraints"].as_array().is_some_and(|list| list.iter().all(met)), "{name}: {object:#}");
        assert!(object["sweeps"].as_u64().is_some_and(|sweeps| sweeps >= 1));
        assert!(!desk.path(&format!("{out}.checkpoint")).exists(), "nothing is left of a complete run");
        desk.ok(&["rulebook", "check", &format!("{out}/rulebook.toml")]);
    }
    let printed: Value =
        serde_json::from_str(&desk.ok(&["rulebook", "schema", "calibrate"])).expect("a schema is one JSON object");
    assert_eq!(printed, job_file::schema());
    // Whatever the threads.
    let digest = |threads: &str| {
        let arguments = ["calibrate", "coverage.toml", "--out", "again", "--engine", "cpu", "--threads", threads];
        desk.json(&arguments)["digest"].clone()
    };
    assert_eq!(digest("1"), digest("2"));
}

#[test]
fn what_is_wrong_with_a_job_has_its_line_and_its_exit_code() {
    let desk = Desk::new();
    for (change, code, message) in [
        (("margin.*.maintenance.rate", "margin.*.maintenance.rte"), 2, "changed.toml:13 key parameter[0].at[0]"),
        (("high = 0.6", "high = 0.003"), 2, "changed.toml:16 key parameter[0].low"),
        (("high = 0.6", "high = 6"), 2, "key parameter[0].high"),
        (("seed = 7", "sed = 7"), 2, "did you mean \"seed\"?"),
        (("shocks.csv", "none.csv"), 2, "none.csv"),
        (("hold_out_share = 0.25", "hold_out_share = 0.0001"), 2, "leaves nothing on one side"),
        (("high = 0.6", "high = 0.006"), 5, "coverage_outrights"),
    ] {
        let (exit, error) = desk.refused("coverage.toml", change);
        assert_eq!(exit, Some(code), "{change:?}: {error}");
        assert!(error.contains(message), "{change:?}: {error}");
        assert_eq!(desk.path("changed").exists(), code == 5, "{change:?}");
        assert!(!desk.path("changed.checkpoint").exists(), "{change:?}");
    }
}

#[test]
fn an_overlay_needs_a_history_and_a_rulebook_that_has_one() {
    let desk = Desk::new();
    for (change, code, message) in [
        (("bars.csv", "none.csv"), 2, "none.csv"),
        (("followed.toml", "exchange/rulebook.toml"), 2, "add [overlay] to the rulebook"),
        (("asset = \"BTC\"", "asset = \"XRP\""), 2, "the history holds no XRP"),
        (("asset = \"BTC\"", "underlying = \"BTX\""), 2, "did you mean \"BTC\"?"),
        (("asset = \"BTC\"", "from = \"2020-01-01\""), 2, "is too early"),
        (("asset = \"BTC\"", "from = \"soon\""), 2, "key history.from"),
    ] {
        let (exit, error) = desk.refused("overlay.toml", change);
        assert_eq!(exit, Some(code), "{change:?}: {error}");
        assert!(error.contains(message), "{change:?}: {error}");
    }
}

#[test]
fn a_checkpoint_serves_its_own_job_alone() {
    let desk = Desk::new();
    let arguments = ["calibrate", "shortfall.toml", "--out", "result", "--engine", "cpu"];
    let fresh = desk.json(&arguments);
    // As an interrupted run leaves it: a header, nothing evaluated.
    std::fs::write(desk.path("result.checkpoint"), "{\"plimsoll_checkpoint\":1,\"job\":\"other\"}\n").expect("written");
    let output = desk.run(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("remove it"));
    std::fs::remove_file(desk.path("result.checkpoint")).expect("removed");
    assert_eq!(desk.json(&arguments)["digest"], fresh["digest"]);
}
