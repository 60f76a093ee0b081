//! Revaluation of every row under every scenario: elements are row values. Options, with none, four and eight Greeks:
//! elements are options × scenarios.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::domain::{Payoff, Snapshot};
use plimsoll::pricing::{Column, Greeks, OptionRow, Priced, Rows, ShockedMarket, Unshocked, revalue};
use plimsoll::scenario::{Factor, ScenarioSet};
use rayon::prelude::*;

#[path = "common/chain.rs"]
mod chain;
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

const SCENARIOS: usize = 4_096;

/// Prices every option under every scenario with N outputs, on all threads. Answers a checksum.
fn vector<const N: usize>(market: &ShockedMarket<'_>, snapshot: &Snapshot) -> f64 {
    let prices = snapshot.instruments.par_iter().map_init(
        || vec![vec![0.0; SCENARIOS]; N],
        |outputs, instrument| {
            let row = OptionRow::of(market, instrument).expect("an option");
            let mut rest = outputs.iter_mut();
            row.price::<N>(0, std::array::from_fn(|_| rest.next().expect("N outputs").as_mut_slice()));
            outputs.iter().map(|output| output[SCENARIOS / 2]).sum::<f64>()
        },
    );
    prices.sum()
}

/// The same by the plain reference, which always forms all eight Greeks.
fn scalar(market: &ShockedMarket<'_>, snapshot: &Snapshot) -> f64 {
    let prices = snapshot.instruments.par_iter().map(|instrument| {
        let row = OptionRow::of(market, instrument).expect("an option");
        let prices =
            (0..SCENARIOS).map(|scenario| row.option().reference(&row.market(Column::Scenario(scenario))).value);
        prices.sum::<f64>()
    });
    prices.sum()
}

/// Value and Greeks of every option under some scenarios are the reference's.
fn assert_options_are_right(snapshot: &Snapshot, scenarios: &ScenarioSet) {
    let market = ShockedMarket::new(snapshot, scenarios);
    let mut outputs = vec![vec![0.0; SCENARIOS]; 9];
    for instrument in &snapshot.instruments {
        let row = OptionRow::of(&market, instrument).expect("an option");
        let mut rest = outputs.iter_mut();
        row.price::<9>(0, std::array::from_fn(|_| rest.next().expect("nine outputs").as_mut_slice()));
        for scenario in (0..SCENARIOS).step_by(97) {
            let Priced { value, greeks } = row.option().reference(&row.market(Column::Scenario(scenario)));
            let expected: Vec<f64> = [value].into_iter().chain(greeks.to_array()).collect();
            for (output, expected) in expected.iter().enumerate() {
                let name = if output == 0 { "value" } else { Greeks::NAMES[output - 1] };
                let priced = outputs[output][scenario];
                let error = (priced - expected).abs();
                let size = expected.abs().max(1e-6 * largest(&outputs[output]));
                assert!(error <= 1e-11 * size, "{} {name}: {priced}, not {expected}", instrument.name);
            }
        }
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

fn bench_options(criterion: &mut Criterion) {
    let (snapshot, scenarios) = (chain::chain(18), chain::shocks(SCENARIOS));
    assert_options_are_right(&snapshot, &scenarios);
    let market = ShockedMarket::new(&snapshot, &scenarios);
    let mut group = criterion.benchmark_group("options");
    group.throughput(Throughput::Elements((snapshot.instruments.len() * SCENARIOS) as u64));
    group.bench_function("rows", |bencher| {
        bencher.iter(|| black_box(revalue(&snapshot, &scenarios, Unshocked::Refuse).expect("rows")));
    });
    group.bench_function("vector/value", |bencher| bencher.iter(|| black_box(vector::<1>(&market, &snapshot))));
    group.bench_function("vector/4 Greeks", |bencher| bencher.iter(|| black_box(vector::<5>(&market, &snapshot))));
    group.bench_function("vector/8 Greeks", |bencher| bencher.iter(|| black_box(vector::<9>(&market, &snapshot))));
    group.bench_function("plain/8 Greeks", |bencher| bencher.iter(|| black_box(scalar(&market, &snapshot))));
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = bench, bench_options }
criterion_main!(benches);
