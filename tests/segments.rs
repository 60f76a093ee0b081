//! A book that is swept in segments gives what it gives as a whole, through the real binary.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use plimsoll::domain::{Balance, Book, Position};
use plimsoll::io::TableFormat;
use plimsoll::io::snapshot;
use plimsoll::io::snapshot_write::SnapshotWriter;
use serde_json::Value;

/// Files of a run that hold no wall-clock time.
const FILES: [&str; 5] = ["pools.csv", "greeks.csv", "scenarios.csv", "scenario_greeks.csv", "report.html"];

fn plimsoll(dir: &Path, args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.current_dir(dir).args(args.split(' ').filter(|arg| !arg.is_empty())).output().expect("the binary runs")
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A synthetic exchange and two sets of scenarios.
fn exchange(accounts: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for args in [
        format!("synth book --accounts {accounts} --seed 5 --near-threshold 0.01"),
        "scenarios monte-carlo book --count 40 --seed 3 --horizon-days 0.1 --out many.csv".into(),
        "scenarios monte-carlo book --count 2 --seed 3 --horizon-days 0.1 --out few.csv".into(),
    ] {
        let output = plimsoll(dir.path(), &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    dir
}

fn sweep(dir: &Path, engine: &str, options: &str, out: &str) -> Output {
    let set = if engine == "cpu" { "many.csv" } else { "few.csv" };
    let args = format!(
        "--format json --progress off sweep book --scenarios {set} --engine {engine} --tables csv --out {out} {options}"
    );
    plimsoll(dir, &args)
}

/// A run's object without what depends on the clock.
fn timeless(mut value: Value) -> Value {
    let object = value.as_object_mut().expect("an object");
    object.remove("seconds");
    object.remove("cells_per_second");
    value
}

#[test]
fn segments_publish_what_the_whole_book_does() {
    let dir = exchange(6_000);
    for engine in ["cpu", "reference"] {
        let options = "--chunk-pools 256 --segment-pools";
        let whole = timeless(json(&sweep(dir.path(), engine, &format!("{options} 0"), "whole")));
        for pools in [1, 4_096, 100_000] {
            let cut = timeless(json(&sweep(dir.path(), engine, &format!("{options} {pools}"), "cut")));
            assert_eq!(cut, whole, "{engine}, {pools}");
            for file in FILES {
                let read = |run: &str| fs::read(dir.path().join(run).join(file)).expect("a file");
                assert!(read("cut") == read("whole"), "{engine}, {pools}: {file} differs");
            }
            let manifest = |run: &str| {
                let text = fs::read(dir.path().join(run).join("manifest.json")).expect("a manifest");
                timeless(serde_json::from_slice(&text).expect("JSON"))
            };
            assert_eq!(manifest("cut"), manifest("whole"));
        }
    }
}

#[test]
fn what_cannot_be_cut_is_read_as_a_whole_and_says_so() {
    let dir = exchange(200);
    let whole = json(&sweep(dir.path(), "cpu", "--segment-pools 0", "whole"));
    let quarantined = json(&sweep(dir.path(), "cpu", "--segment-pools 64 --quarantine", "quarantined"));
    assert_eq!(quarantined["digest"], whole["digest"]);
    let read = snapshot::read(&dir.path().join("book")).expect("a snapshot");
    let rulebook = fs::read_to_string(dir.path().join("book/rulebook.toml")).expect("rules");
    fs::remove_dir_all(dir.path().join("book")).expect("removed");
    let mut writer = SnapshotWriter::create(&dir.path().join("book"), TableFormat::Csv, &read).expect("a writer");
    writer.write_book(&read.book).expect("written");
    writer.write_text("rulebook.toml", &rulebook).expect("written");
    writer.finish().expect("published");
    let of_text = json(&sweep(dir.path(), "cpu", "--segment-pools 64", "text"));
    assert_eq!(of_text["digest"], whole["digest"]);
    for (run, reason) in [(&quarantined, "quarantine"), (&of_text, "no Parquet file")] {
        let warnings = run["warnings"].as_array().expect("a list");
        let last = warnings.last().and_then(Value::as_str).expect("a warning");
        assert!(last.starts_with("the book was read as a whole: ") && last.contains(reason), "{last}");
    }
}

#[test]
fn a_fault_in_a_late_segment_refuses_everything() {
    let dir = exchange(6_000);
    let book = dir.path().join("book");
    let read = snapshot::read(&book).expect("a snapshot");
    let rulebook = fs::read_to_string(book.join("rulebook.toml")).expect("rules");
    fs::remove_dir_all(&book).expect("removed");
    let mut writer =
        SnapshotWriter::create(&book, TableFormat::Parquet, &read.with_book(Book::default())).expect("a writer");
    writer.write_book(&read.book).expect("written");
    let twice = [Position::new(0, 1.0, 2.0), Position::new(0, 1.0, 2.0)];
    writer.write_pool("z1", "main", &[Balance::new(0, f64::NAN)], &twice).expect("written");
    writer.write_pool("z2", "main", &[], &[Position::new(1, f64::INFINITY, 2.0)]).expect("written");
    writer.write_text("rulebook.toml", &rulebook).expect("written");
    writer.finish().expect("published");
    let refused = |pools: u32, out: &str| {
        let output = sweep(dir.path(), "cpu", &format!("--chunk-pools 256 --segment-pools {pools}"), out);
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        let mut files: Vec<String> = fs::read_dir(dir.path().join(out))
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        assert_eq!(files, ["manifest.json", "refused.csv"], "nothing else is published");
        (output.stderr, fs::read(dir.path().join(out).join("refused.csv")).expect("faults"))
    };
    let whole = refused(0, "whole");
    assert_eq!(String::from_utf8_lossy(&whole.1).lines().count(), 4);
    for pools in [1, 4_096] {
        assert_eq!(refused(pools, "cut"), whole);
    }
}

#[test]
fn a_killed_run_leaves_no_results() {
    let dir = exchange(6_000);
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let args = "sweep book --scenarios many.csv --engine reference --out out --chunk-pools 256 --segment-pools 1";
    let mut child =
        command.current_dir(dir.path()).args(args.split(' ')).stderr(Stdio::null()).spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    let is_writing = || {
        let partial = dir.path().join(format!(".out.{}.partial", child.id()));
        partial.join("pools.parquet").exists() || dir.path().join("out").exists()
    };
    while !is_writing() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let was_writing = is_writing();
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(was_writing && !dir.path().join("out").exists());
}

#[test]
fn a_book_without_pools_names_its_engine() {
    let dir = exchange(10);
    let book = dir.path().join("book");
    let empty = snapshot::read(&book).expect("a snapshot").with_book(Book::default());
    let rulebook = fs::read_to_string(book.join("rulebook.toml")).expect("rules");
    fs::remove_dir_all(&book).expect("removed");
    let mut writer = SnapshotWriter::create(&book, TableFormat::Parquet, &empty).expect("a writer");
    writer.write_text("rulebook.toml", &rulebook).expect("written");
    writer.finish().expect("published");
    for engine in ["cpu", "reference"] {
        let [cut, whole] = [("1", "cut"), ("0", "whole")]
            .map(|(pools, out)| timeless(json(&sweep(dir.path(), engine, &format!("--segment-pools {pools}"), out))));
        assert_eq!((&cut, cut["engine"].as_str()), (&whole, Some(engine)));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_table_that_cannot_be_written_is_the_reason() {
    let dir = exchange(20_000);
    // No file grows past some kilobytes: the write that would is refused.
    let run = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} --progress off sweep book --scenarios few.csv --engine cpu --tables csv --out out \
         --chunk-pools 256 --segment-pools 1",
        env!("CARGO_BIN_EXE_plimsoll")
    );
    let output = Command::new("sh").current_dir(dir.path()).args(["-c", &run]).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("File too large"), "{error}");
    assert!(!dir.path().join("out").exists());
}
