//! From files to files, as the command does it: read a Parquet snapshot and a scenario set, sweep on the CPU, audit, write
//! the results. By number of accounts; elements are cells.

use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::engine::{EngineChoice, digest};
use plimsoll::io::results::ResultsWriter;
use plimsoll::io::{TableFormat, read_rulebook, scenario_file, snapshot, snapshot_write};

mod common;

const SCENARIOS: usize = 1_024;

fn write_inputs(dir: &Path, case: &common::Case) {
    snapshot_write::write(&dir.join("exchange"), TableFormat::Parquet, &case.snapshot).expect("a written snapshot");
    std::fs::write(dir.join("rulebook.toml"), case.rulebook.to_toml()).expect("a written rulebook");
    scenario_file::write(&dir.join("shocks.parquet"), &case.scenarios).expect("written scenarios");
}

/// Files to files; answers the digest.
fn run(dir: &Path) -> String {
    let snapshot = snapshot::read(&dir.join("exchange")).expect("a snapshot");
    let rulebook = read_rulebook(&dir.join("rulebook.toml")).expect("a rulebook");
    let scenarios = scenario_file::read(&dir.join("shocks.parquet")).expect("scenarios");
    let case = common::Case { snapshot, rulebook, scenarios };
    let outcome = case.sweep(&EngineChoice::Cpu).expect("the engine sweeps");
    common::assert_clean(&outcome);
    let digest = digest(&outcome.pools, &outcome.scenarios);
    let writer = ResultsWriter::create(&dir.join("results"), TableFormat::Parquet).expect("a directory");
    writer.write_pools(&case.snapshot.book, &outcome, &case.scenarios).expect("written pools");
    writer.write_scenarios(&case.scenarios, &outcome).expect("written scenarios");
    writer.finish(serde_json::json!({ "digest": digest })).expect("a published directory");
    digest
}

/// Files lose nothing: the digest is that of the reference on the book in memory.
fn assert_files_change_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let case = common::case(200, 300);
    write_inputs(dir.path(), &case);
    let reference = case.sweep(&EngineChoice::Reference).expect("the reference sweeps");
    assert_eq!(run(dir.path()), digest(&reference.pools, &reference.scenarios), "files and memory differ");
}

fn bench(criterion: &mut Criterion) {
    assert_files_change_nothing();
    let mut group = criterion.benchmark_group("end_to_end");
    for accounts in [common::accounts() / 4, common::accounts()] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let case = common::case(accounts, SCENARIOS);
        write_inputs(dir.path(), &case);
        group.throughput(Throughput::Elements(case.cells()));
        group.bench_function(BenchmarkId::from_parameter(accounts), |bencher| bencher.iter(|| run(dir.path())));
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = bench }
criterion_main!(benches);
