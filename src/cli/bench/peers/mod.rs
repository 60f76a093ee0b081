//! The same work as other implementations of it, in their on-disk format (`.npy` arrays and `meta.json`), so that they can
//! be run side by side and their answers compared.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::Array1;

use crate::cli::engine_args::EngineArgs;
use crate::cli::print_text;
use crate::engine::{Outcome, SweepOptions, Totals, sweep};
use crate::error::{Error, Result};

mod arrays;
mod options;
mod workload;

use arrays::save;
use options::Tables;
use workload::Workload;

/// Arguments of `bench peers`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory with `meta.json` and the input arrays.
    dir: PathBuf,
    /// Directory for the output arrays; empty for none, as drivers of many peers pass it.
    #[arg(long)]
    out: Option<String>,
    /// Timed runs, after one that warms up.
    #[arg(long, default_value_t = 5)]
    reps: usize,
    /// Seconds of timed runs after which no further run starts.
    #[arg(long, default_value_t = 60.0)]
    limit: f64,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Runs the workload; returns the exit code.
pub fn run(args: &Args) -> Result<u8> {
    let work = Workload::read(&args.dir)?;
    // The outputs asked for do not include exact integer totals; a bounded total is within its bound of them.
    let options = SweepOptions { totals: Some(Totals::Bounded), ..args.engine.options()? };
    let once = || sweep(&work.snapshot, &work.rulebook, &work.scenarios, &options, &());
    let mut outcome = once()?;
    let mut tables = Tables::of(&work);
    let clock = Instant::now();
    let (mut seconds, mut cpu, mut pricing) = (Vec::new(), Vec::new(), Vec::new());
    while seconds.len() < args.reps.max(1) && (seconds.is_empty() || clock.elapsed().as_secs_f64() < args.limit) {
        let before = cpu_seconds();
        outcome = once()?;
        let option_clock = Instant::now();
        let mut revaluations = 0;
        let mut priced_seconds = 0.0;
        if let Some(tables) = &mut tables {
            revaluations = tables.price(&work);
            priced_seconds = option_clock.elapsed().as_secs_f64();
            tables.add_up(&work);
        }
        let option_seconds = option_clock.elapsed().as_secs_f64();
        pricing.push(revaluations as f64 / priced_seconds);
        // The audit is left out: no peer checks itself. Revaluation, compilation, the sweep and all reductions count.
        seconds.push(outcome.seconds.revalue + outcome.seconds.sweep + option_seconds);
        cpu.push(cpu_seconds() - before);
    }
    if let Some(out) = args.out.as_deref().filter(|out| !out.is_empty()) {
        let out = Path::new(out);
        write(out, &outcome)?;
        tables.iter().try_for_each(|tables| tables.write(out, &outcome))?;
    }
    let pricing = tables.is_some().then(|| median(&pricing));
    print_text(report(&work, &outcome, (&seconds, &cpu), pricing));
    Ok(0)
}

fn report(
    work: &Workload,
    outcome: &Outcome,
    (seconds, cpu): (&[f64], &[f64]),
    pricing: Option<f64>,
) -> serde_json::Value {
    let median = median(seconds);
    serde_json::json!({
        "peer": format!("plimsoll_{}", outcome.engine),
        "workload": work.name,
        "size": work.size,
        "seconds_median": median,
        "runs": seconds.len(),
        "cells_per_s": outcome.cells as f64 / median,
        "peak_rss": peak_memory_bytes(),
        "max_rel_err_vs_ref": null,
        "decisions_mismatched": null,
        "times": seconds,
        "cpu_times": cpu,
        "cpu_seconds_median": self::median(cpu),
        "stages": {"revalue": outcome.seconds.revalue, "sweep": outcome.seconds.sweep},
        "opt_per_s": pricing,
        "adapter": outcome.adapter,
        "redecided_pools": outcome.redecided_pools,
        "audit": {"pools": outcome.audit.pools, "decisions_differ": outcome.audit.decisions_differ,
            "worst_bound_ratio": outcome.audit.worst_bound_ratio},
    })
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn write(out: &Path, outcome: &Outcome) -> Result<()> {
    std::fs::create_dir_all(out).map_err(|error| Error::io(out, error))?;
    let pools = &outcome.pools;
    let scenarios = &outcome.scenarios;
    save(out, "acct_min", &pools.iter().map(|pool| pool.worst_excess).collect::<Array1<f64>>())?;
    save(out, "acct_argmin", &pools.iter().map(|pool| pool.worst_scenario as i32).collect::<Array1<i32>>())?;
    save(out, "acct_n_mm", &pools.iter().map(|pool| pool.liquidatable_scenarios as i32).collect::<Array1<i32>>())?;
    save(out, "acct_n_neg", &pools.iter().map(|pool| pool.bankrupt_scenarios as i32).collect::<Array1<i32>>())?;
    let breached = scenarios.iter().map(|scenario| scenario.liquidatable_pools as i64).collect::<Array1<i64>>();
    save(out, "scen_breached", &breached)?;
    save(out, "scen_shortfall", &scenarios.iter().map(|scenario| scenario.shortfall).collect::<Array1<f64>>())
}

/// CPU seconds of all threads of this process so far; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    // Fields 14 and 15 of /proc/self/stat, in clock ticks of 10 ms, counted after the parenthesised name.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Largest resident memory of this process, bytes; 0 where the system does not say.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
