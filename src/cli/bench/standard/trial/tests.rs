use super::super::fixture::{engine, measured, report};
use super::super::workload::Work;
use super::*;

fn contender(choice: EngineChoice) -> Contender {
    Contender { choice, engine: engine() }
}

fn plan(sizes: &[Size]) -> Plan {
    Plan { workloads: vec![Workload::Linear], sizes: sizes.to_vec(), seed: 7, threads: None, reps: 2 }
}

fn run(plan: &Plan, choice: EngineChoice, seconds: u64) -> Vec<Row> {
    let contenders = [contender(choice)];
    let budget = Budget::of(std::time::Duration::from_secs(seconds));
    Trial::new(plan, &contenders, budget, &()).run().expect("rows")
}

#[test]
fn a_row_holds_as_many_runs_as_asked_for_and_figures_of_their_median() {
    let rows = run(&plan(&[Size::Tiny]), EngineChoice::Cpu, 100);
    let [Row { result: RowResult::Measured(measured), .. }] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(measured.runs.len(), 2);
    assert!(measured.runs.contains(&measured.seconds));
    assert!(measured.runs.iter().all(|run| run.sweep <= measured.seconds.sweep));
    let speed = measured.cells as f64 / measured.seconds.sweep;
    assert!((measured.cells_per_second / speed - 1.0).abs() < 1e-12);
    assert!((measured.ceiling_share - speed / measured.ceiling_cells_per_second).abs() < 1e-12);
}

#[test]
fn what_does_not_fit_is_left_out_with_the_time_it_needs() {
    let rows = run(&plan(&[Size::Tiny, Size::Large]), EngineChoice::Cpu, 1);
    assert!(matches!(rows[0].result, RowResult::Measured(_)), "{rows:?}");
    let RowResult::LeftOut { needs_seconds } = rows[1].result else { panic!("{rows:?}") };
    assert!(needs_seconds > 1.0, "8.2 G cells: {needs_seconds}");
}

#[test]
fn an_engine_under_another_name_fails_and_has_no_speed() {
    // The contender is called `cpu` and runs the reference.
    let rows = run(&plan(&[Size::Tiny]), EngineChoice::Reference, 100);
    let RowResult::Failed { reason } = &rows[0].result else { panic!("{rows:?}") };
    assert!(reason.contains("reference"), "{reason}");
}

#[test]
fn engines_that_disagree_have_no_speed() {
    let mut rows = report(&[("linear", measured(1e9)), ("linear", measured(2e9))]).rows;
    agree(&mut rows);
    assert!(rows.iter().all(|row| matches!(row.result, RowResult::Measured(_))));
    let RowResult::Measured(second) = &mut rows[1].result else { panic!("measured") };
    second.digest = "another".into();
    agree(&mut rows);
    assert!(rows.iter().all(|row| matches!(row.result, RowResult::Wrong { .. })), "{rows:?}");
}

#[test]
fn the_lower_ceiling_bounds_a_workload() {
    let bound = |numbers, operations| engine().bound(Work { numbers, operations });
    // 64 GB/s and 32 G multiply-adds per second, in f64.
    assert_eq!((bound(1.0, 2.0).name, bound(1.0, 2.0).cells_per_second), ("l2", 8e9));
    assert_eq!((bound(1.0, 8.0).name, bound(1.0, 8.0).cells_per_second), ("multiply_add", 4e9));
}

#[test]
fn a_ceiling_of_nothing_gives_no_speed() {
    let mut contender = contender(EngineChoice::Cpu);
    contender.engine.ceilings.l2_bytes = 0.0;
    let (plan, contenders) = (plan(&[Size::Tiny]), [contender]);
    let budget = Budget::of(std::time::Duration::from_secs(100));
    let rows = Trial::new(&plan, &contenders, budget, &()).run().expect("rows");
    assert!(matches!(&rows[0].result, RowResult::Failed { reason } if reason.contains("ceiling")), "{rows:?}");
}
