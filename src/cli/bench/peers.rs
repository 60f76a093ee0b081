//! The same work as other implementations of it, in their on-disk format (`.npy` arrays and `meta.json`), so that they can
//! be run side by side and their answers compared.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::{Array1, Array2};
use ndarray_npy::{ReadableElement, WritableElement, read_npy, write_npy};

use crate::cli::engine_args::EngineArgs;
use crate::cli::print_text;
use crate::domain::{Asset, Balance, Book, BookBuilder, Instrument, Position, Snapshot, Underlying};
use crate::engine::{Outcome, SweepOptions, Totals, sweep};
use crate::error::{Error, Result};
use crate::margin::{Form, MarginClass, Rulebook, Schedule};
use crate::scenario::{Factor, ScenarioSet};

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
    let clock = Instant::now();
    let (mut seconds, mut cpu) = (Vec::new(), Vec::new());
    while seconds.len() < args.reps.max(1) && (seconds.is_empty() || clock.elapsed().as_secs_f64() < args.limit) {
        let before = cpu_seconds();
        outcome = once()?;
        // The audit is left out: no peer checks itself. Revaluation, compilation, the sweep and all reductions count.
        seconds.push(outcome.seconds.revalue + outcome.seconds.sweep);
        cpu.push(cpu_seconds() - before);
    }
    if let Some(out) = args.out.as_deref().filter(|out| !out.is_empty()) {
        write(Path::new(out), &outcome)?;
    }
    print_text(report(&work, &outcome, &seconds, &cpu));
    Ok(0)
}

fn report(work: &Workload, outcome: &Outcome, seconds: &[f64], cpu: &[f64]) -> serde_json::Value {
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

/// A workload of the peers, as a book.
struct Workload {
    name: String,
    size: String,
    snapshot: Snapshot,
    rulebook: Rulebook,
    scenarios: ScenarioSet,
}

impl Workload {
    fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("meta.json");
        let text = std::fs::read_to_string(&path).map_err(|error| Error::io(&path, error))?;
        let meta: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| Error::Usage(format!("{}: not a workload description: {error}", path.display())))?;
        let text = |key: &str| meta[key].as_str().unwrap_or_default().to_string();
        if text("workload") != "linear" {
            let rule = format!("{}: workload {:?}; this version runs \"linear\"", path.display(), text("workload"));
            return Err(Error::Usage(rule));
        }
        let prices: Array1<f64> = array(dir, "price")?;
        let rates: Array2<f64> = array2(dir, "tier_rate")?;
        let deductions: Array2<f64> = array2(dir, "tier_ded")?;
        let shocks: Array2<f64> = array2(dir, "shock")?;
        let mut snapshot = market(&prices);
        snapshot.book = book(dir, &prices)?;
        Ok(Self {
            name: text("workload"),
            size: text("size"),
            snapshot,
            rulebook: rulebook(&rates, &deductions),
            scenarios: ScenarioSet {
                ids: (0..shocks.nrows()).map(|k| k.to_string()).collect(),
                weights: vec![1.0; shocks.nrows()],
                labels: vec![String::new(); shocks.nrows()],
                factors: (0..prices.len()).map(|k| Factor::price(name(k))).collect(),
                shocks,
            },
        })
    }
}

fn name(index: usize) -> String {
    format!("i{index:06}")
}

fn market(prices: &Array1<f64>) -> Snapshot {
    let underlying = |(index, &price): (usize, &f64)| Underlying::new(name(index), price);
    let instrument = |(index, &price): (usize, &f64)| Instrument::perpetual(name(index), index as u32, 0, price);
    let cash = Asset::new("USD", 1.0);
    Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets: vec![cash],
        underlyings: prices.iter().enumerate().map(underlying).collect(),
        instruments: prices.iter().enumerate().map(instrument).collect(),
        book: Book::default(),
    }
}

fn book(dir: &Path, prices: &Array1<f64>) -> Result<Book> {
    let starts: Array1<u32> = array(dir, "acct_ptr")?;
    let instruments: Array1<i32> = array(dir, "pos_inst")?;
    let quantities: Array1<f64> = array(dir, "pos_qty")?;
    let cash: Array1<f64> = array(dir, "acct_cash")?;
    let fits = starts.len() == cash.len() + 1
        && starts.iter().zip(starts.iter().skip(1)).all(|(a, b)| a <= b)
        && starts.iter().all(|&start| start as usize <= instruments.len())
        && instruments.len() == quantities.len()
        && instruments.iter().all(|&index| (index as usize) < prices.len());
    if !fits {
        return Err(Error::Usage(format!("{}: the arrays do not fit each other", dir.display())));
    }
    let mut builder = BookBuilder::default();
    for (account, &amount) in cash.iter().enumerate() {
        let pool = builder.pool(&format!("a{account:08}"), "main");
        builder.add_balance(pool, Balance::new(0, amount));
        for at in starts[account] as usize..starts[account + 1] as usize {
            let instrument = instruments[at] as u32;
            builder.add_position(pool, Position::new(instrument, quantities[at], prices[instrument as usize]));
        }
    }
    Ok(builder.build())
}

/// `max_j(rate_j·n − ded_j)` as brackets: bounds are where neighbouring lines meet.
fn rulebook(rates: &Array2<f64>, deductions: &Array2<f64>) -> Rulebook {
    let mut rulebook = Rulebook { name: "peers".into(), ..Rulebook::default() };
    for (index, (rates, deductions)) in rates.rows().into_iter().zip(deductions.rows()).enumerate() {
        let bounds =
            (1..rates.len()).map(|j| (deductions[j] - deductions[j - 1]) / (rates[j] - rates[j - 1])).collect();
        let schedule = Schedule { form: Form::Marginal, bounds, rates: rates.to_vec() };
        let class = MarginClass { maintenance: schedule.clone(), initial: schedule, max_notional: None };
        rulebook.margin.insert(name(index), class);
    }
    rulebook
}

fn write(out: &Path, outcome: &Outcome) -> Result<()> {
    std::fs::create_dir_all(out).map_err(|error| Error::io(out, error))?;
    let pools = &outcome.pools;
    let scenarios = &outcome.scenarios;
    save(out, "acct_min", pools.iter().map(|pool| pool.worst_excess).collect::<Array1<f64>>())?;
    save(out, "acct_argmin", pools.iter().map(|pool| pool.worst_scenario as i32).collect::<Array1<i32>>())?;
    save(out, "acct_n_mm", pools.iter().map(|pool| pool.liquidatable_scenarios as i32).collect::<Array1<i32>>())?;
    save(out, "acct_n_neg", pools.iter().map(|pool| pool.bankrupt_scenarios as i32).collect::<Array1<i32>>())?;
    let breached = scenarios.iter().map(|scenario| scenario.liquidatable_pools as i64).collect::<Array1<i64>>();
    save(out, "scen_breached", breached)?;
    save(out, "scen_shortfall", scenarios.iter().map(|scenario| scenario.shortfall).collect::<Array1<f64>>())
}

fn save<T: WritableElement>(out: &Path, name: &str, values: Array1<T>) -> Result<()> {
    let path = out.join(format!("{name}.npy"));
    write_npy(&path, &values).map_err(|error| Error::Temporary(format!("{}: {error}", path.display())))
}

fn array<T: ReadableElement>(dir: &Path, name: &str) -> Result<Array1<T>> {
    let path = dir.join(format!("{name}.npy"));
    read_npy(&path).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
}

fn array2<T: ReadableElement>(dir: &Path, name: &str) -> Result<Array2<T>> {
    let path = dir.join(format!("{name}.npy"));
    read_npy(&path).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
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
