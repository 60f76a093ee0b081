#[cfg(feature = "gpu")]
mod adapters;

use comfy_table::{Table, presets};
use serde_json::{Map, Value, json};

use super::{Context, Format, print_json};
#[cfg(not(feature = "gpu"))]
use crate::error::Error;
use crate::error::Result;
use crate::program::UNIT_ROUNDOFF_F32;

/// What to do where a machine has no adapter at all.
const HOW_TO_GET_ONE: &str = "no adapter: install the driver of your GPU, or for a software Vulkan device a package like \
                              Debian's: apt-get install mesa-vulkan-drivers. The CPU engine needs none";
/// Exit code of a probe or a known answer that failed.
const PROBE_FAILED: u8 = 4;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Probe this adapter only: its index, or a part of its name in any case.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

/// An adapter and what its probes said.
struct AdapterReport {
    name: String,
    kind: &'static str,
    backend: String,
    driver: String,
    limits: [(&'static str, u64); 4],
    features: [(&'static str, bool); 4],
    /// `None` where another adapter was asked for.
    probe: Option<Probe>,
}

/// What probes say: for reading, for programs, and what is wrong.
#[derive(Default)]
struct Probe {
    lines: Vec<(&'static str, String)>,
    json: Value,
    faults: Vec<String>,
}

/// What `--engine auto` would run on.
struct Choice {
    index: Option<usize>,
    reason: String,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let (adapters, choice) = examine(args.adapter.as_deref())?;
    match context.format {
        Format::Json => print_json(&object(&adapters, &choice)),
        Format::Table => print(&adapters, &choice),
    }
    let failed = adapters.iter().filter_map(|adapter| adapter.probe.as_ref()).any(|probe| !probe.faults.is_empty());
    Ok(if failed { PROBE_FAILED } else { 0 })
}

#[cfg(feature = "gpu")]
fn examine(asked: Option<&str>) -> Result<(Vec<AdapterReport>, Choice)> {
    adapters::examine(asked)
}

#[cfg(not(feature = "gpu"))]
fn examine(asked: Option<&str>) -> Result<(Vec<AdapterReport>, Choice)> {
    match asked {
        Some(_) => Err(Error::NoAdapter("this build has no GPU engine".into())),
        None => Ok((Vec::new(), Choice { index: None, reason: "this build has no GPU engine".into() })),
    }
}

/// Threads that a sweep would use.
fn threads() -> usize {
    rayon::current_num_threads()
}

/// The widest vectors that the CPU engine would use.
fn simd() -> &'static str {
    match pulp::Arch::new() {
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V4(_) => "AVX-512",
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V3(_) => "AVX2 and FMA",
        #[cfg(target_arch = "aarch64")]
        pulp::Arch::Neon(_) => "NEON",
        _ => "scalar",
    }
}

fn object(adapters: &[AdapterReport], choice: &Choice) -> Value {
    let list = |(index, adapter): (usize, &AdapterReport)| {
        json!({
            "index": index,
            "name": adapter.name,
            "kind": adapter.kind,
            "backend": adapter.backend,
            "driver": adapter.driver,
            "limits": Map::from_iter(adapter.limits.map(|(name, value)| (name.into(), value.into()))),
            "features": Map::from_iter(adapter.features.map(|(name, has)| (name.into(), has.into()))),
            "probe": adapter.probe.as_ref().map(|probe| &probe.json),
            "faults": adapter.probe.as_ref().map(|probe| &probe.faults),
        })
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "cpu": {"threads": threads(), "simd": simd()},
        "auto": {
            "engine": if choice.index.is_some() { "gpu" } else { "cpu" },
            "adapter": choice.index,
            "reason": choice.reason,
        },
        "assumed_error": UNIT_ROUNDOFF_F32,
        "adapters": adapters.iter().enumerate().map(list).collect::<Value>(),
        "remedy": adapters.is_empty().then_some(HOW_TO_GET_ONE),
    })
}

#[expect(clippy::print_stdout, reason = "the command's result")]
fn print(adapters: &[AdapterReport], choice: &Choice) {
    println!("CPU: {} threads, {}", threads(), simd());
    println!("--engine auto: {}", choice.reason);
    if adapters.is_empty() {
        println!("{HOW_TO_GET_ONE}");
    }
    for (index, adapter) in adapters.iter().enumerate() {
        println!("\nadapter {index}: {} ({}, {}, {})", adapter.name, adapter.kind, adapter.backend, adapter.driver);
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(["", "value"]);
        for (name, value) in adapter.limits {
            table.add_row([name, &grouped(value)]);
        }
        for (name, has) in adapter.features {
            table.add_row([name, if has { "yes" } else { "no" }]);
        }
        for (name, value) in adapter.probe.iter().flat_map(|probe| &probe.lines) {
            table.add_row([*name, value]);
        }
        println!("{table}");
        match &adapter.probe {
            None => println!("not probed"),
            Some(probe) if probe.faults.is_empty() => {
                println!("PASS: worst error within the assumed {UNIT_ROUNDOFF_F32:e}, known answers right")
            }
            Some(probe) => probe.faults.iter().for_each(|fault| println!("FAIL: {fault}")),
        }
    }
}

/// A number in groups of three digits.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
