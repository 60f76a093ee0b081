//! `plimsoll bench` through the real binary: what it prints, writes and compares, and its exit codes.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A software adapter, which stands for a GPU where there is none.
const SOFTWARE_GPU: &str = "llvmpipe";

fn bench(arguments: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.arg("bench").args(arguments).current_dir(dir).output().expect("the binary runs")
}

/// One linear case of the smallest size, timed once.
fn tiny(arguments: &[&str], dir: &Path) -> Output {
    let all = [&["--size", "tiny", "--workload", "linear", "--reps", "1"], arguments].concat();
    bench(&all, dir)
}

fn object(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn positive(value: &Value) -> f64 {
    let value = value.as_f64().unwrap_or_else(|| panic!("{value} is a number"));
    assert!(value > 0.0 && value.is_finite(), "{value}");
    value
}

/// Whether there is an adapter to test on; without one the tests fail, unless that is meant.
fn has_adapter(dir: &Path) -> bool {
    let found = tiny(&["--adapter", SOFTWARE_GPU], dir).status.code() != Some(7);
    let is_meant = std::env::var("PLIMSOLL_TEST_WITHOUT_GPU").is_ok_and(|value| value == "1");
    assert!(found || is_meant, "no {SOFTWARE_GPU} adapter; PLIMSOLL_TEST_WITHOUT_GPU=1 tests the CPU alone");
    found
}

fn check_engine(engine: &Value) {
    let ceilings = &engine["ceilings"];
    for name in ["copy_bytes", "l2_bytes", "multiply_adds_f32"] {
        positive(&ceilings[name]);
    }
    assert!(ceilings["clock"] == "host" || ceilings["clock"] == "device");
}

fn check_row(row: &Value) {
    assert_eq!(
        (&row["workload"], &row["size"], &row["result"]),
        (&"linear".into(), &"tiny".into(), &"measured".into())
    );
    let seconds = positive(&row["seconds"]["sweep"]);
    let speed = positive(&row["cells_per_second"]);
    assert!((speed * seconds / positive(&row["cells"]) - 1.0).abs() < 1e-9);
    let share = speed / positive(&row["ceiling_cells_per_second"]);
    assert!((positive(&row["ceiling_share"]) / share - 1.0).abs() < 1e-9);
    assert_eq!(positive(&row["cells"]), positive(&row["positions"]) * positive(&row["scenarios"]));
    assert_eq!(row["runs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_host_is_measured_and_a_second_run_is_compared_with_the_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = object(&tiny(&["--engine", "cpu", "--json", "first.json", "--format", "json"], dir.path()));
    let written: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("first.json")).expect("the file")).expect("JSON");
    assert_eq!(written, first);
    assert_eq!(first["schema"], "plimsoll-bench/1");
    assert!(positive(&first["machine"]["cores"]) >= 1.0 && first["date"].as_str().is_some());
    check_engine(&first["engines"][0]);
    positive(&first["engines"][0]["ceilings"]["multiply_adds_f64"]);
    check_row(&first["rows"][0]);
    let second = object(&tiny(&["--engine", "cpu", "--compare", "first.json", "--format", "json"], dir.path()));
    let comparison = &second["comparison"];
    assert_eq!(comparison["differs"], Value::Array(Vec::new()));
    let ratio = positive(&comparison["ratios"][0]["ratio"]);
    let expected = positive(&second["rows"][0]["cells_per_second"]) / positive(&first["rows"][0]["cells_per_second"]);
    assert!((ratio / expected - 1.0).abs() < 1e-9);
    let other = object(&tiny(
        &["--engine", "cpu", "--seed", "8", "--threads", "1", "--compare", "first.json", "--format", "json"],
        dir.path(),
    ));
    let differs = other["comparison"]["differs"].to_string();
    assert!(differs.contains("seed: 7 then, 8 here") && differs.contains("1 threads"), "{differs}");
    assert_eq!(other["comparison"]["ratios"], Value::Array(Vec::new()), "other work has no ratio");
}

#[test]
fn a_software_adapter_runs_only_where_it_is_named_and_is_marked() {
    let dir = tempfile::tempdir().expect("a directory");
    if !has_adapter(dir.path()) {
        return;
    }
    let named = object(&tiny(&["--adapter", SOFTWARE_GPU, "--format", "json"], dir.path()));
    let engines = named["engines"].as_array().expect("a list");
    assert_eq!(engines.iter().map(|engine| engine["is_software"] == true).collect::<Vec<_>>(), [false, true]);
    engines.iter().for_each(check_engine);
    let rows = named["rows"].as_array().expect("a list");
    rows.iter().for_each(check_row);
    assert_eq!(rows.iter().map(|row| row["is_software"] == true).collect::<Vec<_>>(), [false, true]);
    assert_eq!(rows[0]["digest"], rows[1]["digest"]);
    let text = tiny(&["--engine", "gpu", "--adapter", SOFTWARE_GPU], dir.path());
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("(software)") && text.contains("says nothing of any GPU"), "{text}");

    let unnamed = object(&tiny(&["--format", "json"], dir.path()));
    let ran: Vec<bool> =
        unnamed["rows"].as_array().expect("a list").iter().map(|row| row["is_software"] == true).collect();
    assert!(ran.iter().all(|is_software| !is_software));
    assert!(unnamed["not_run"].to_string().contains("name it with --adapter"), "{}", unnamed["not_run"]);
}

#[test]
fn what_does_not_fit_the_budget_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let arguments =
        ["--workload", "grid", "--size", "large", "--engine", "cpu", "--budget-seconds", "1", "--format", "json"];
    let object = object(&bench(&arguments, dir.path()));
    let row = &object["rows"][0];
    assert_eq!(row["result"], "left_out");
    assert!(positive(&row["needs_seconds"]) > 1.0 && row["cells_per_second"].is_null());
}

#[test]
fn wrong_calls_end_before_anything_is_measured() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("garbled.json"), "{\"schema\": 1").expect("written");
    std::fs::write(dir.path().join("other.json"), "{\"schema\": \"other/1\"}").expect("written");
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--compare", "missing.json"], 2, "missing.json"),
        (&["--compare", "garbled.json"], 3, "garbled.json"),
        (&["--compare", "other.json"], 3, "other/1"),
        (&["--json", "missing/out.json"], 2, "missing/out.json"),
        (&["--engine", "cpu", "--adapter", "0"], 2, "--adapter"),
        (&["--adapter", "no such adapter"], 7, "no such adapter"),
    ];
    for (arguments, code, reason) in cases {
        let output = tiny(arguments, dir.path());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains(reason), "{arguments:?}");
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("a directory").collect();
    assert_eq!(left.len(), 2, "nothing was written: {left:?}");
}
