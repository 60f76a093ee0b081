//! Option revaluations per second of every pricer there is, on the options of a snapshot under one seeded scenario set,
//! each checked against the plain f64 formula first.

#[cfg(feature = "gpu")]
mod device;
mod host;
mod work;

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::{Context, Format, print_json, print_text};
use crate::error::{Error, Result};
use host::{Plain, Revaluer};
use work::Work;

/// Exit code of an answer outside its bound.
const OUTSIDE_BOUND: u8 = 4;
/// Arguments of `bench options`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables; its options are priced, whoever holds them.
    snapshot: PathBuf,
    /// Scenarios of price, volatility and time.
    #[arg(long, default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    scenarios: u32,
    /// Adapter to price on: its index, or a part of its name. Naming a software adapter is asking for it; without one the
    /// first hardware adapter, if there is any.
    #[arg(long)]
    adapter: Option<String>,
    /// Seed of the scenarios.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Timed runs of each; the fastest counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    reps: u32,
}

/// How many Greeks are asked for beside the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// None.
    Value,
    /// Delta, gamma, vega, theta.
    FourGreeks,
    /// And rho, vanna, volga, charm.
    EightGreeks,
}

impl Asked {
    const ALL: [Self; 3] = [Self::Value, Self::FourGreeks, Self::EightGreeks];

    fn greeks(self) -> usize {
        match self {
            Self::Value => 0,
            Self::FourGreeks => 4,
            Self::EightGreeks => 8,
        }
    }
}

/// What a pricer's answers are, compared with the plain formula.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Of the value and each Greek: its name and the largest error in units of its bound.
    pub ratios: Vec<(&'static str, f64)>,
    /// Answers compared.
    pub compared: u64,
    /// Answers left out, since the bound does not speak of them.
    pub left_out: u64,
}

/// The larger ratio; NaN, which is no answer, above all.
pub fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

impl Check {
    fn is_right(&self) -> bool {
        // A NaN is not right.
        self.ratios.iter().all(|(_, ratio)| *ratio < 1.0)
    }
}

/// A way to price a chain.
pub trait Pricer {
    /// What it is called, and what it runs on.
    fn name(&self) -> String;

    /// Compares its answers with the plain formula.
    fn check(&self, work: &Work) -> Result<Check>;

    /// Seconds to price every option under every scenario.
    fn seconds(&self, work: &Work, asked: Asked) -> Result<f64>;
}

/// A pricer's name, its check, and seconds of each run by what was asked for.
struct Measured {
    name: String,
    check: Check,
    seconds: [Vec<f64>; 3],
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let work = Work::read(&args.snapshot, args.scenarios as usize, args.seed)?;
    let pricers = pricers(args)?;
    let mut measured = Vec::new();
    for pricer in &pricers {
        measured.push(Measured { name: pricer.name(), check: pricer.check(&work)?, seconds: Default::default() });
    }
    // Taken in turns, so that a machine that slows down slows all of them.
    for _ in 0..args.reps {
        for (pricer, measured) in pricers.iter().zip(&mut measured) {
            for (asked, seconds) in Asked::ALL.into_iter().zip(&mut measured.seconds) {
                seconds.push(pricer.seconds(&work, asked)?);
            }
        }
    }
    match context.format {
        Format::Json => print_json(&object(&work, &measured)),
        Format::Table => print(&work, &measured),
    }
    Ok(if measured.iter().all(|one| one.check.is_right()) { 0 } else { OUTSIDE_BOUND })
}

/// Every pricer of this build and machine. One more is one more entry.
fn pricers(args: &Args) -> Result<Vec<Box<dyn Pricer>>> {
    let on_host: [Box<dyn Pricer>; 2] = [Box::new(Plain), Box::new(Revaluer)];
    Ok(on_host.into_iter().chain(on_device(args.adapter.as_deref())?).collect())
}

/// The device, where there is one; one that was asked for must be there.
#[cfg(feature = "gpu")]
fn on_device(asked: Option<&str>) -> Result<Option<Box<dyn Pricer>>> {
    match device::OnDevice::open(asked) {
        Ok(device) => Ok(Some(Box::new(device))),
        Err(Error::NoAdapter(_)) if asked.is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(not(feature = "gpu"))]
fn on_device(asked: Option<&str>) -> Result<Option<Box<dyn Pricer>>> {
    match asked {
        None => Ok(None),
        Some(_) => Err(Error::NoAdapter("this build has no GPU engine".into())),
    }
}

fn fastest(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(f64::INFINITY, f64::min)
}

fn object(work: &Work, measured: &[Measured]) -> Value {
    let one = |measured: &Measured| {
        let speeds = Asked::ALL.into_iter().zip(&measured.seconds).map(|(asked, seconds)| {
            json!({"greeks": asked.greeks(), "seconds": seconds,
                "revaluations_per_second": work.revaluations() as f64 / fastest(seconds)})
        });
        let ratios: serde_json::Map<String, Value> =
            measured.check.ratios.iter().map(|(name, ratio)| (name.to_string(), json!(ratio))).collect();
        json!({"pricer": measured.name, "runs": speeds.collect::<Vec<_>>(), "largest_error_per_bound": ratios,
            "compared": measured.check.compared, "left_out": measured.check.left_out,
            "within_bounds": measured.check.is_right()})
    };
    json!({"options": work.indices.len(), "scenarios": work.scenarios.len(), "revaluations": work.revaluations(),
        "pricers": measured.iter().map(one).collect::<Vec<_>>()})
}

fn print(work: &Work, measured: &[Measured]) {
    let (options, scenarios) = (work.indices.len(), work.scenarios.len());
    print_text(format_args!("{options} options × {scenarios} scenarios; millions of revaluations per second"));
    for measured in measured {
        let speed = |seconds: &Vec<f64>| work.revaluations() as f64 / fastest(seconds) / 1e6;
        let [value, four, eight] = [0, 1, 2].map(|k: usize| speed(&measured.seconds[k]));
        print_text(format_args!(
            "{}: value {value:.2}, with 4 Greeks {four:.2}, with 8 Greeks {eight:.2}",
            measured.name
        ));
        for (name, ratio) in &measured.check.ratios {
            let verdict = if *ratio < 1.0 { "" } else { "  OUTSIDE ITS BOUND" };
            print_text(format_args!("  {name}: largest error {ratio:.4} of its bound{verdict}"));
        }
        if measured.check.left_out > 0 {
            print_text(format_args!(
                "  {} of {} answers not compared: |d₁| or |d₂| about 12, or at the money with nothing left",
                measured.check.left_out,
                measured.check.left_out + measured.check.compared
            ));
        }
    }
}
