//! Programs so long that a device does not finish a group of them in one dispatch.

use super::*;
use crate::margin::Rulebook;

/// Iterations that llvmpipe grants all loops of an invocation together.
const LLVMPIPE_ITERATIONS: u64 = 65_535;

/// A grid of 300 points, of which every pool with contracts takes the largest loss.
fn fine_grid_case(n_pools: usize, n_scenarios: usize) -> Case {
    let mut case = random_without_options(n_pools, n_scenarios);
    let prices: Vec<String> = (0..300).map(|k| format!("{:.3}", (f64::from(k) - 150.0) / 150.0)).collect();
    let text = format!(
        "version = 1\nhaircut_base = \"balance\"\n[component.scan]\nkind = \"grid\"\nprices = [{}]\nrange = 0.2",
        prices.join(", ")
    );
    case.rulebook.component = Rulebook::parse(&text, "fine_grid").expect("a rulebook").component;
    case
}

#[test]
fn a_group_too_long_for_one_dispatch_is_taken_in_slices() {
    let Some(adapter) = adapter() else { return };
    let case = fine_grid_case(150, 60);
    let chosen = adapter.clone();
    with_job(&case, move |job| {
        let packed = Chunk::new(job, &open(&chosen)).prepared.packed;
        let groups = packed.steps.chunks(plan::GROUP_POOLS).map(|group| group.iter().sum::<u64>());
        let longest = groups.max().unwrap_or(0);
        println!("{longest} steps in a group, {} pools a slice", packed.slice_pools());
        assert!(longest > LLVMPIPE_ITERATIONS && packed.slice_pools() < plan::GROUP_POOLS);
        let device = open(&chosen);
        let mut chunk = Chunk::new(job, &device);
        assert_eq!(chunk.verify(job, &chunk.run(&device)), Ok(()));
        chunk.prepared.packed.steps.fill(0);
        if device.summary.name.contains("llvmpipe") {
            let refused = chunk.verify(job, &chunk.run(&device));
            assert!(matches!(refused, Err(Void::NotComputed { .. })), "without slices: {refused:?}");
        }
    });
    let device = open(&adapter);
    let outcome = sweep_on_device(&case, device, || Err(Error::Bug("lost".into()))).expect("the sweep succeeds");
    assert_eq!((outcome.engine.as_str(), outcome.warnings.len()), ("gpu", 0), "{:?}", outcome.warnings);
    assert_same(&outcome, &sweep_plainly(&case, EngineChoice::Cpu));
}

/// One reduction of a value over `points`: three steps at each.
fn repeated(job: &Job<'_>, points: u32) -> crate::program::Program {
    let row = job.ranges.iter().position(|range| !range.is_constant()).expect("a row that moves") as u32;
    let mut builder = Builder::new(job.ranges);
    builder.emit(Instruction::Repeat { points });
    builder.emit(Instruction::Constant(0.0));
    builder.emit(Instruction::Term { row, coefficient: 1.0 });
    builder.emit(Instruction::Reduce(Reduction::Max));
    builder.emit(Instruction::Fold(Weights::MAINTENANCE));
    builder.finish_pool();
    builder.build()
}

#[test]
fn slices_shrink_with_the_longest_and_what_fits_none_stays_on_the_host() {
    with_job(&random_without_options(20, 50), |job| {
        let none = vec![None; job.ranges.len()];
        let facts = pack::RowFacts { ranges: job.ranges, errors: &none };
        let packed_with = |points: &[u32]| {
            let mut packed = pack::Packed::default();
            let took: Vec<bool> = points
                .iter()
                .map(|&points| packed.push(repeated(job, points).parts(0), facts, Filter::Certified))
                .collect();
            (packed, took)
        };
        let slice_pools = |points: &[u32]| packed_with(points).0.slice_pools();
        assert_eq!(slice_pools(&[1; 200]), plan::GROUP_POOLS);
        // 3 · 1,000 + 66 steps: ten of them fit, eight is the half of a half of a half.
        assert_eq!(slice_pools(&[1_000; 200]), 8);
        // One group of them decides for all.
        let mut mixed = vec![1; 200];
        mixed[130..140].fill(5_000);
        assert_eq!(slice_pools(&mixed), 2);
        let (packed, took) = packed_with(&[10_900, 10_901, 10_900]);
        assert_eq!((took, packed.pools.len(), packed.slice_pools()), (vec![true, false, true], 2, 1));
        assert!(!packed_with(&[u32::MAX]).1[0]);
    });
}

/// What the kernel does where it gets no slices: a loop that a device ends early leaves verdicts out, and never a wrong one.
#[test]
fn a_loop_that_ends_early_is_seen_in_every_pool() {
    let Some(adapter) = adapter() else { return };
    with_job(&random_without_options(20, 50), move |job| {
        let device = open(&adapter);
        let rows = &Chunk::new(job, &device).panels[0];
        let none = vec![None; job.ranges.len()];
        let facts = pack::RowFacts { ranges: job.ranges, errors: &none };
        let panel = device.upload_panel(&rows.data, rows.row_count(), rows.scenario_count);
        // 64 pools of 1,019 steps are the first that llvmpipe does not finish.
        for (points, is_enough) in [(338, true), (339, false), (400, false), (1_000, false)] {
            let program = repeated(job, points);
            let mut packed = pack::Packed::default();
            (0..plan::GROUP_POOLS).for_each(|_| assert!(packed.push(program.parts(0), facts, Filter::Certified)));
            let sliced = device.wait(device.submit(&packed, &panel)).expect("a readback");
            packed.steps.fill(0);
            let whole = device.wait(device.submit(&packed, &panel)).expect("a readback");
            let is_computed = |tile: &&layout::PoolTile| tile.verdict_counts().iter().sum::<u32>() == 50;
            let computed = |readback: &Readback| readback.pool_tiles.iter().filter(is_computed).count();
            println!("{points} points: {} pools computed, {} in slices", computed(&whole), computed(&sliced));
            assert_eq!(computed(&sliced), plan::GROUP_POOLS);
            assert!(sliced.pool_tiles.iter().all(|tile| *tile == sliced.pool_tiles[0]), "one program, one answer");
            assert!(whole.pool_tiles.iter().filter(is_computed).all(|tile| *tile == sliced.pool_tiles[0]));
            if device.summary.name.contains("llvmpipe") {
                assert_eq!(computed(&whole) == plan::GROUP_POOLS, is_enough, "{points} points");
            }
        }
    });
}
