//! The GPU engine, from opened device to certified results, by number of scenarios. Elements are cells.
//!
//! Runs on the first hardware GPU, or on the adapter that PLIMSOLL_BENCH_ADAPTER names (its index, or a part of its name);
//! a software adapter is measured only if named. Without either the bench says that it is skipped.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::Error;
use plimsoll::engine::EngineChoice;

mod common;

/// The engine to measure; `None`, said aloud, where there is no GPU and none is named.
fn engine() -> Option<EngineChoice> {
    let named = std::env::var("PLIMSOLL_BENCH_ADAPTER").ok().filter(|name| !name.is_empty());
    let engine = EngineChoice::Gpu(named.clone());
    match common::case(10, 32).sweep(&engine) {
        Ok(outcome) => {
            eprintln!("gpu_sweep: {} on {}", outcome.engine, outcome.adapter);
            assert_eq!(outcome.engine, "gpu", "the device must do the work: {:?}", outcome.warnings);
            Some(engine)
        }
        Err(Error::NoAdapter(reason)) if named.is_none() => {
            eprintln!("gpu_sweep: SKIPPED, nothing is measured: {reason}");
            None
        }
        Err(error) => panic!("gpu_sweep: {error}"),
    }
}

fn bench(criterion: &mut Criterion) {
    let Some(engine) = engine() else { return };
    common::assert_equals_reference(&engine);
    let mut group = criterion.benchmark_group("gpu_sweep");
    for scenarios in [256, 1_024, 4_096] {
        let case = common::case(common::accounts(), scenarios);
        group.throughput(Throughput::Elements(case.cells()));
        group.bench_function(BenchmarkId::from_parameter(scenarios), |bencher| {
            bencher.iter_custom(|iterations| common::sweep_stage(&case, &engine, iterations));
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = bench }
criterion_main!(benches);
