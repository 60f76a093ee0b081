//! Waves of auto-deleveraging through the real binary.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const WAVES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/adl/waves.csv");

fn adl(file: &Path, format: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.arg("adl").arg(file).args(["--format", format]).output().expect("the binary runs")
}

/// The fixture with one text replaced, through the binary: exit code and stderr.
fn refused(from: &str, to: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("waves.csv");
    let text = std::fs::read_to_string(WAVES).expect("the fixture");
    assert!(text.contains(from), "{from}");
    std::fs::write(&file, text.replacen(from, to, 1)).expect("a file");
    let output = adl(&file, "table");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn close(value: &Value, expected: f64) {
    let value = value.as_f64().expect("a number");
    assert!((value - expected).abs() < 1e-7, "{value} is not {expected}");
}

#[test]
fn waves_are_summed_and_allocated_at_the_needed_severity() {
    let output = adl(Path::new(WAVES), "json");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let waves = all["waves"].as_array().expect("a list");
    let numbers: Vec<_> = waves.iter().map(|wave| wave["wave"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, [1, 2, 4, 7]);
    assert_eq!(waves[1]["end"], "2026-03-02T10:00:13.75Z");
    for (wave, (severity, haircut)) in waves.iter().zip([(0.2001, 0.050025), (0.25, 0.25025), (1.25, 0.8)]) {
        close(&wave["severity"], severity);
        close(&wave["pro_rata"]["largest_haircut"], haircut);
        close(&wave["pro_rata"]["budget"], wave["needed"].as_f64().expect("a number"));
        close(&wave["published"]["pr"]["largest_haircut"], haircut);
    }
    close(&waves[2]["largest_severity"], 100.0 / 64.0);
    assert!(waves[3]["severity"].is_null() && waves[3]["pro_rata"]["largest_haircut"].is_null(), "nothing was lost");
    let sums = &all["sums"];
    close(&sums["needed"], 1_330.75);
    close(&sums["deficit"], 6_065.0);
    let venue = &sums["published"]["prod"];
    close(&venue["budget"], 2_251.0);
    close(&venue["overshoot"], 920.25);
    close(&venue["absolute_overshoot"], 2_120.75);
    close(&sums["published"]["pr"]["absolute_overshoot"], 0.0);
    close(&sums["published"]["vector"]["absolute_overshoot"], 10.75);
    close(&sums["published"]["contract_pr"]["absolute_overshoot"], 31.75);
    close(&sums["published"]["fixed_point_ilp_integer"]["absolute_overshoot"], 0.75);
    close(&sums["pro_rata"]["largest_difference"], 0.0);
}

#[test]
fn the_table_holds_the_same_sums() {
    let output = adl(Path::new(WAVES), "table");
    let text = String::from_utf8(output.stdout).expect("text");
    let sums = "4 waves: needed 1,330.75, taken by the venue 2,251.00, overshoot 920.25, deficit 6,065.00";
    assert!(text.contains(sums), "{text}");
    assert!(text.contains("-600.25"), "{text}");
}

#[test]
fn broken_files_are_refused_by_row_and_column() {
    for (from, to, words) in [
        ("-600.25", "-600.5", "waves row 1 column overshoot_prod value \"-600.5\": an overshoot is the budget less"),
        ("1000.5,400.25", "1000.5,-400.25", "waves row 1 column budget_prod"),
        ("1000.5,400.25", "1000.5,1e20", "an amount is at most 1e15 dollars"),
        ("1000.5,400.25", "1000.5,", "row 1 column budget_prod: a required value is missing"),
        ("1000.5,400.25", "1000.5,NaN", "waves row 1 column budget_prod value \"NaN\""),
        ("\n2,", "\n1,", "waves row 2 column wave value \"1\": waves ascend: the last is 1"),
        ("\n2,", "\n2.5,", "a wave has a whole number"),
        ("10:00:13.750", "10:00:03.750", "a wave does not end before its start"),
        ("2026-03-02 10:00:00.125+00:00", "", "row 1 column t_start: a required value is missing"),
        ("2026-03-02 10:00:00.125+00:00", "noon", "row 1 column t_start value \"noon\": a moment is RFC 3339"),
        (",total_cap", ",total", "column total_cap: a required column is missing"),
    ] {
        let (code, stderr) = refused(from, to);
        assert_eq!(code, Some(3), "{words}: {stderr}");
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
}

#[test]
fn a_file_without_waves_and_no_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("waves.csv");
    let header = std::fs::read_to_string(WAVES).expect("the fixture");
    std::fs::write(&file, header.lines().next().expect("a header")).expect("a file");
    let output = adl(&file, "table");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the file has no waves"));
    assert_eq!(adl(&dir.path().join("absent.csv"), "table").status.code(), Some(2));
}
