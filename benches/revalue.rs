//! Revaluation of every row under every scenario. Elements are row values.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::domain::Payoff;
use plimsoll::pricing::{Rows, Unshocked, revalue};
use plimsoll::scenario::Factor;

mod common;

fn rows(case: &common::Case) -> Rows {
    revalue(&case.snapshot, &case.scenarios, Unshocked::Refuse).expect("every underlying has a factor")
}

/// Linear contracts under price shocks are worth contract size · mark · (1 + beta · shock) · settlement price: a formula
/// that shares nothing with the row code.
fn assert_linear_rows_are_right(case: &common::Case) {
    let rows = rows(case);
    let mut checked = 0;
    for (index, instrument) in (0u32..).zip(&case.snapshot.instruments) {
        let Some(row) = rows.of_instrument(index).filter(|_| instrument.payoff == Payoff::Linear) else { continue };
        let underlying = &case.snapshot.underlyings[instrument.underlying as usize];
        let column = case.scenarios.column(&Factor::price(&underlying.factor)).expect("a factor");
        let settlement = rows.of_asset(instrument.settlement_asset).expect("a settlement price");
        for scenario in 0..case.scenarios.len() {
            let move_of_mark = 1.0 + underlying.beta * case.scenarios.shock(scenario, column);
            let price = rows.shocked[[settlement as usize, scenario]];
            let expected = instrument.contract_size * instrument.mark_price * move_of_mark * price;
            let value = rows.shocked[[row as usize, scenario]];
            assert!((value - expected).abs() <= 1e-12 * expected.abs(), "{}: {value}, not {expected}", instrument.name);
            checked += 1;
        }
    }
    assert!(checked > 1_000, "only {checked} values were checked");
}

fn bench(criterion: &mut Criterion) {
    assert_linear_rows_are_right(&common::case(500, 64));
    let mut group = criterion.benchmark_group("revalue");
    for scenarios in [256, 1_024, 4_096] {
        let case = common::case(500, scenarios);
        let rows_of_case = rows(&case).len();
        group.throughput(Throughput::Elements(rows_of_case as u64 * scenarios as u64));
        group.bench_function(BenchmarkId::from_parameter(scenarios), |bencher| bencher.iter(|| black_box(rows(&case))));
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = bench }
criterion_main!(benches);
