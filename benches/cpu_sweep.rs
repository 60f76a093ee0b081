//! The CPU engine: compilation, kernels and certification of a book, by number of scenarios. Elements are cells.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::engine::EngineChoice;

mod common;

fn bench(criterion: &mut Criterion) {
    common::assert_equals_reference(&EngineChoice::Cpu);
    let mut group = criterion.benchmark_group("cpu_sweep");
    for scenarios in [256, 1_024, 4_096] {
        let case = common::case(common::accounts(), scenarios);
        group.throughput(Throughput::Elements(case.cells()));
        group.bench_function(BenchmarkId::from_parameter(scenarios), |bencher| {
            bencher.iter_custom(|iterations| common::sweep_stage(&case, &EngineChoice::Cpu, iterations));
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = bench }
criterion_main!(benches);
