//! What certainty costs: compiling pools to programs, deciding verdicts by intervals, deciding them by exact numbers.
//!
//! The sweep compiles every pool once and decides by intervals only what a kernel's bound leaves open; exact numbers are
//! for what intervals leave open. Elements are positions compiled, or cells decided.

use std::cmp::Ordering;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::domain::Pool;
use plimsoll::engine::{Arbiter, Decision};
use plimsoll::margin::{Rules, Setting, revalue};
use plimsoll::number::{Exact, Number};
use plimsoll::pricing::{Column, Unshocked};
use plimsoll::program::{Builder, Program, RowRange, row_ranges};

mod common;

/// Scenarios of every case: the programs' ranges depend on them.
const SCENARIOS: usize = 64;

fn compile(setting: Setting<'_>, ranges: &[RowRange], pools: usize) -> Program {
    let mut builder = Builder::new(ranges);
    for pool in (0..pools).map(|index| setting.snapshot.book.pool(index)) {
        setting.lower(&pool, &mut builder);
        builder.finish_pool();
    }
    builder.build()
}

/// The decision by exact numbers alone.
fn decide_exactly(setting: Setting<'_>, pool: &Pool<'_>, column: Column) -> Decision {
    let market = (setting.rows, column);
    let equity = setting.equity::<Exact>(pool, &market);
    let requirement = setting.requirement::<Exact>(pool, &market);
    let is_negative = |number: Exact| number.sign() == Some(Ordering::Less);
    let liquidatable = is_negative(equity.adjusted.minus(&requirement.maintenance));
    let restricted = liquidatable || is_negative(equity.adjusted.minus(&requirement.initial));
    Decision { restricted, liquidatable, bankrupt: is_negative(equity.raw) }
}

/// Every verdict of the first pools.
fn verdicts<'a>(setting: Setting<'a>, pools: usize) -> impl Iterator<Item = (Pool<'a>, Column)> {
    let pools = (0..pools).map(move |index| setting.snapshot.book.pool(index));
    pools.flat_map(|pool| (0..SCENARIOS).map(move |scenario| (pool, Column::Scenario(scenario))))
}

fn bench(criterion: &mut Criterion) {
    let case = common::case(common::accounts(), SCENARIOS);
    let rules = Rules::resolve(&case.rulebook, &case.snapshot).expect("the rulebook fits the book");
    let rows =
        revalue(&rules, &case.snapshot, &case.scenarios, Unshocked::Refuse).expect("every underlying has a factor");
    let ranges = row_ranges(&rows);
    let setting = Setting { snapshot: &case.snapshot, rules: &rules, rows: &rows };
    let arbiter = Arbiter::new(setting);
    for (pool, column) in verdicts(setting, 200) {
        assert_eq!(arbiter.decide(&pool, column), decide_exactly(setting, &pool, column), "{}", pool.account);
    }
    let positions = |pools: usize| (0..pools).map(|k| case.snapshot.book.pool(k).positions.len() as u64).sum::<u64>();

    let mut group = criterion.benchmark_group("certify");
    for pools in [256, 1_024, 4_096].into_iter().filter(|pools| *pools <= case.snapshot.book.len()) {
        group.throughput(Throughput::Elements(positions(pools)));
        group.bench_function(BenchmarkId::new("compile", pools), |bencher| {
            bencher.iter(|| black_box(compile(setting, &ranges, pools)));
        });
    }
    for pools in [16, 64, 256].into_iter().filter(|pools| *pools <= case.snapshot.book.len()) {
        group.throughput(Throughput::Elements(positions(pools) * SCENARIOS as u64));
        group.bench_function(BenchmarkId::new("interval", pools), |bencher| {
            bencher
                .iter(|| verdicts(setting, pools).filter(|(pool, at)| arbiter.decide(pool, *at).liquidatable).count());
        });
        group.bench_function(BenchmarkId::new("exact", pools), |bencher| {
            bencher.iter(|| {
                verdicts(setting, pools).filter(|(pool, at)| decide_exactly(setting, pool, *at).liquidatable).count()
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = common::criterion(); targets = bench }
criterion_main!(benches);
