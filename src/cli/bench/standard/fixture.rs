//! A run that tests make up.

use super::machine::Machine;
use super::report::{Engine, Measured, Report, Row, RowResult, SCHEMA, Stages};
use crate::engine::ceiling::{Ceilings, Clock};

/// A round machine: 64 GB/s from L2, 32 G multiply-adds in f64.
pub(super) fn engine() -> Engine {
    let ceilings = Ceilings {
        copy_bytes: 1e10,
        l2_bytes: 64e9,
        l1_bytes: Some(128e9),
        multiply_adds_f32: 64e9,
        multiply_adds_f64: Some(32e9),
        clock: Clock::Host,
    };
    Engine { name: "cpu".into(), adapter: None, is_software: false, number_bytes: 8, ceilings }
}

/// A row's result at this speed.
pub(super) fn measured(cells_per_second: f64) -> RowResult {
    let seconds = Stages { revalue: 0.25, sweep: 0.5, audit: 0.125 };
    RowResult::Measured(Measured {
        pools: 100,
        positions: 800,
        cells: (cells_per_second / 2.0) as u64,
        digest: "digest".into(),
        runs: vec![seconds],
        seconds,
        cells_per_second,
        cells_per_second_revalued: cells_per_second * 2.0 / 3.0,
        bytes_per_second: 8.0 * cells_per_second,
        ceiling: "l2".into(),
        ceiling_cells_per_second: 8e9,
        ceiling_share: cells_per_second / 8e9,
        redecided_share: 0.0,
        exact_verdicts: 0,
    })
}

/// A run of these workloads, small, on the CPU.
pub(super) fn report(rows: &[(&str, RowResult)]) -> Report {
    let row = |(workload, result): &(&str, RowResult)| Row {
        workload: workload.to_string(),
        size: "small".into(),
        engine: "cpu".into(),
        is_software: false,
        accounts: 100,
        scenarios: 256,
        result: result.clone(),
    };
    Report {
        schema: SCHEMA.into(),
        version: "0.1.0".into(),
        commit: None,
        date: "2026-11-23T00:00:00Z".into(),
        seed: 7,
        machine: Machine { cpu: "a processor".into(), cores: 2, threads: 2, system: "linux x86_64".into() },
        engines: vec![engine()],
        not_run: Vec::new(),
        rows: rows.iter().map(row).collect(),
    }
}
