//! Random programs over rows with one common move: what is passed over holds nothing, and most of it is passed over.

use pulp::Arch;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::engine::cpu::fixture::no_rows;
use crate::engine::plan::{Plan, PlanOptions, SCENARIO_BLOCK};
use crate::engine::tile::Tiles;
use crate::pricing::Rows;
use crate::program::{Builder, RowRange, Weights, row_ranges};

const SCENARIOS: usize = 700;
const ROWS: u32 = 6;
const POOLS: usize = 40;

#[test]
fn both_ends_meet_in_the_middle() {
    assert_eq!(from_both_ends(5).collect::<Vec<_>>(), [0, 4, 1, 3, 2]);
    assert_eq!(from_both_ends(4).collect::<Vec<_>>(), [0, 3, 1, 2]);
    assert_eq!(from_both_ends(0).count(), 0);
}

/// Rows around 100 that follow one ascending market, each with noise of its own.
fn rows(random: &mut ChaCha8Rng) -> Rows {
    let mut rows = no_rows(SCENARIOS);
    for _ in 0..ROWS {
        let market = |scenario: usize| 60.0 + 80.0 * scenario as f64 / SCENARIOS as f64;
        let values: Vec<f64> = (0..SCENARIOS).map(|s| market(s) + random.random_range(-4.0..4.0)).collect();
        rows.append(100.0, &values);
    }
    rows
}

/// A position on each of some rows with brackets that the rows cross, and equity that a large move exhausts.
fn add_pool(builder: &mut Builder<'_>, random: &mut ChaCha8Rng) {
    let mut size = 0.0;
    for row in 0..ROWS {
        if random.random_bool(0.6) {
            let quantity = random.random_range(-3.0f64..3.0);
            builder.affine(row, quantity, Weights::VALUE);
            builder.constant(-100.0 * quantity, Weights::VALUE);
            let weights = Weights { initial: -0.04, maintenance: -0.02, requirement: 0.02, ..Weights::default() };
            builder.affine(row, quantity.abs(), weights);
            builder.hinge(row, quantity.abs(), 105.0 * quantity.abs(), weights);
            size += 100.0 * quantity.abs();
        }
    }
    builder.constant(size * random.random_range(0.05..0.6), Weights::VALUE);
    builder.finish_pool();
}

/// A root of a pool in a scenario, one summand after the other.
fn value(parts: PoolParts<'_>, root: &Root, (rows, ranges): (&Rows, &[RowRange]), scenario: usize) -> f64 {
    let delta = |row: u32| rows.shocked[[row as usize, scenario]] - ranges[row as usize].level;
    let terms = parts.terms.iter().map(|term| (root.term)(term) * delta(term.row));
    let kinks =
        parts.kinks.iter().map(|kink| (root.kink)(kink) * (kink.offset + kink.slope * delta(kink.row)).max(0.0));
    (root.constant)(parts.pool) + terms.chain(kinks).sum::<f64>()
}

#[test]
fn a_block_passed_over_holds_nothing() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let rows = rows(&mut random);
    let ranges = row_ranges(&rows);
    let mut builder = Builder::new(&ranges);
    (0..POOLS).for_each(|_| add_pool(&mut builder, &mut random));
    let program = builder.build();
    let tiles = Tiles::new(&rows, &ranges, Plan::for_cpu((POOLS, SCENARIOS), PlanOptions::default()));
    let tile = tiles.tile(0);
    let watch = |(index, pool): (usize, &PoolProgram)| {
        let errors = Errors::of(program.parts(index)).expect("small sizes");
        Watch::new(index as u32, pool, errors, 2.0 * (errors.maintenance + 2.0 * pool.compile_error))
    };
    let mut watches: Vec<Watch> = program.pools.iter().enumerate().map(watch).collect();
    let arch = Arch::new();
    arch.dispatch(BoundsOfPools { program: &program, tile, first: 0, watches: &mut watches });
    let n_blocks = SCENARIOS.div_ceil(SCENARIO_BLOCK);
    let mut evaluated = vec![[false; RANGE_BLOCKS]; POOLS];
    let mut scanned = Vec::new();
    for k in from_both_ends(n_blocks) {
        let block = TileBlock { tile, lane: k * SCENARIO_BLOCK };
        arch.dispatch(ScanBlock { program: &program, block, k, watches: &mut watches, scanned: &mut scanned });
        for &(at, lowest) in &scanned {
            evaluated[at as usize][k] = true;
            let parts = program.parts(at as usize);
            let scenarios = block.first()..block.first() + block.len();
            let plain =
                scenarios.map(|s| value(parts, &MAINTENANCE, (&rows, &ranges), s)).fold(f64::INFINITY, f64::min);
            assert!((plain - lowest).abs() < 1e-9, "{plain} is {lowest}");
        }
    }
    let mut passed_over = 0;
    for (index, watch) in watches.iter().enumerate() {
        for scenario in 0..SCENARIOS {
            let k = scenario / SCENARIO_BLOCK;
            let [maintenance, initial] =
                [MAINTENANCE, INITIAL].map(|root| value(program.parts(index), &root, (&rows, &ranges), scenario));
            assert!(
                maintenance >= watch.maintenance.0[k] - 1e-9,
                "{maintenance} lies below {}",
                watch.maintenance.0[k]
            );
            assert!(initial >= watch.initial.0[k] - 1e-9, "{initial} lies below {}", watch.initial.0[k]);
            assert!(watch.may_restrict(k) || initial > 0.0 && maintenance > 0.0, "somebody is restricted");
            assert!(evaluated[index][k] || maintenance > watch.lowest + watch.slack, "the worst may stand here");
        }
        passed_over += evaluated[index][..n_blocks].iter().filter(|evaluated| !**evaluated).count();
    }
    assert!(passed_over > POOLS * n_blocks / 2, "only {passed_over} of {} blocks are passed over", POOLS * n_blocks);
}
