use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{Context, Format, print_json, print_text};
use crate::error::Result;
use crate::io::wave_file::{self, POLICIES, Wave};
use crate::liquidation::deleverage::{Severity, severity};

/// Quanta in a dollar.
const QUANTA: f64 = 1e8;
/// Where the venue, proportion to wealth, mirror descent and integer min-max stand in [`POLICIES`].
const VENUE: usize = 0;
const PRO_RATA: usize = 1;
const VECTOR: usize = 4;
const MIN_MAX: usize = 6;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// CSV, Parquet or Arrow: one row per wave; wave, t_start, t_end, budget_needed, total_cap, deficit_usd, and budget_,
    /// overshoot_ and max_pct_ of prod, pr, pnl_pr, eq_pr, vector, contract_pr and fixed_point_ilp_integer.
    waves: PathBuf,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let waves: Vec<Allocated> = wave_file::read(&args.waves)?.into_iter().map(Allocated::of).collect();
    match context.format {
        Format::Json => print_json(&json!({
            "waves": waves.iter().map(Allocated::json).collect::<Vec<_>>(),
            "sums": Sums::of(&waves).json(),
        })),
        Format::Table => print_text(text(&waves)),
    }
    Ok(0)
}

/// A wave beside what a severity of needed over deficit takes of all winners in proportion to what they had.
struct Allocated {
    wave: Wave,
    /// The part of the deficit that was needed; `None` without a deficit.
    severity: Option<Severity>,
    /// The largest severity that winners could bear.
    largest_severity: Option<f64>,
    /// Taken, quanta.
    budget: i128,
    /// Taken over what winners had, the same fraction for each; `None` where they had nothing.
    haircut: Option<f64>,
}

impl Allocated {
    fn of(wave: Wave) -> Self {
        let severity = (wave.deficit > 0).then(|| Severity::new(wave.needed as f64 / wave.deficit as f64)).flatten();
        let budget = severity.map_or(0, |severity| severity.budget(wave.deficit, wave.capacity));
        Self {
            severity,
            largest_severity: severity::largest(wave.deficit, wave.capacity),
            budget,
            haircut: (wave.capacity > 0).then(|| budget as f64 / wave.capacity as f64),
            wave,
        }
    }

    fn json(&self) -> Value {
        let wave = &self.wave;
        let published = wave.taken.iter().zip(POLICIES).map(|(taken, policy)| {
            let figures = json!({
                "budget": dollars(taken.budget),
                "overshoot": dollars(taken.overshoot),
                "largest_haircut": taken.largest_haircut,
            });
            (policy.to_owned(), figures)
        });
        json!({
            "wave": wave.number,
            "start": wave.start.to_string(),
            "end": wave.end.to_string(),
            "needed": dollars(wave.needed),
            "capacity": dollars(wave.capacity),
            "deficit": dollars(wave.deficit),
            "severity": self.severity.map(Severity::share),
            "largest_severity": self.largest_severity,
            "pro_rata": { "budget": dollars(self.budget), "largest_haircut": self.haircut },
            "published": published.collect::<serde_json::Map<_, _>>(),
        })
    }

    fn cells(&self) -> Vec<String> {
        let wave = &self.wave;
        let taken = |policy: usize| wave.taken[policy];
        vec![
            wave.number.to_string(),
            money(wave.needed),
            money(taken(VENUE).budget),
            money(taken(VENUE).overshoot),
            money(self.wave.deficit),
            self.severity.map_or_else(|| "–".into(), |severity| format!("{:.6}", severity.share())),
            money(self.budget),
            self.haircut.map_or_else(|| "–".into(), percent),
            percent(taken(PRO_RATA).largest_haircut),
            percent(taken(VENUE).largest_haircut),
            money(taken(MIN_MAX).budget),
            percent(taken(MIN_MAX).largest_haircut),
            money(taken(VECTOR).budget),
            percent(taken(VECTOR).largest_haircut),
        ]
    }
}

/// Sums over all waves, in quanta and exact.
struct Sums {
    needed: i128,
    deficit: i128,
    /// Of the allocation in proportion to what winners had.
    budget: i128,
    /// The largest difference of its haircut from the published one of the same policy.
    largest_difference: f64,
    policies: [PolicySums; POLICIES.len()],
}

/// Sums of one published policy.
#[derive(Clone, Copy, Default)]
struct PolicySums {
    budget: i128,
    overshoot: i128,
    /// Of the overshoot without its sign.
    missed: i128,
    largest_haircut: f64,
}

impl Sums {
    fn of(waves: &[Allocated]) -> Self {
        let sum = |of: fn(&Allocated) -> i128| waves.iter().map(of).sum();
        let difference = |of: &Allocated| of.haircut.map(|own| (own - of.wave.taken[PRO_RATA].largest_haircut).abs());
        Self {
            needed: sum(|of| of.wave.needed),
            deficit: sum(|of| of.wave.deficit),
            budget: sum(|of| of.budget),
            largest_difference: waves.iter().filter_map(difference).fold(0.0, f64::max),
            policies: std::array::from_fn(|policy| PolicySums::of(waves, policy)),
        }
    }

    fn json(&self) -> Value {
        let published = self.policies.iter().zip(POLICIES).map(|(sums, policy)| {
            let figures = json!({
                "budget": dollars(sums.budget),
                "overshoot": dollars(sums.overshoot),
                "absolute_overshoot": dollars(sums.missed),
                "largest_haircut": sums.largest_haircut,
            });
            (policy.to_owned(), figures)
        });
        json!({
            "needed": dollars(self.needed),
            "deficit": dollars(self.deficit),
            "pro_rata": {
                "budget": dollars(self.budget),
                "overshoot": dollars(self.budget - self.needed),
                "largest_difference": self.largest_difference,
            },
            "published": published.collect::<serde_json::Map<_, _>>(),
        })
    }
}

impl PolicySums {
    fn of(waves: &[Allocated], policy: usize) -> Self {
        waves.iter().map(|of| of.wave.taken[policy]).fold(Self::default(), |sums, taken| Self {
            budget: sums.budget + taken.budget,
            overshoot: sums.overshoot + taken.overshoot,
            missed: sums.missed + taken.overshoot.abs(),
            largest_haircut: sums.largest_haircut.max(taken.largest_haircut),
        })
    }
}

fn text(waves: &[Allocated]) -> String {
    let sums = Sums::of(waves);
    let by_wave = table(
        &[
            "wave",
            "needed",
            "taken",
            "overshoot",
            "deficit",
            "severity",
            "pro-rata",
            "haircut",
            "published",
            "venue's",
            "min-max",
            "haircut",
            "vector",
            "haircut",
        ],
        waves.iter().map(Allocated::cells),
    );
    let by_policy = table(
        &["policy", "taken", "overshoot", "absolute overshoot", "largest haircut"],
        sums.policies.iter().zip(POLICIES).map(|(sums, policy)| {
            vec![
                policy.into(),
                money(sums.budget),
                money(sums.overshoot),
                money(sums.missed),
                percent(sums.largest_haircut),
            ]
        }),
    );
    format!(
        "{by_wave}\n\n\
         severity: needed over deficit; pro-rata: what it takes of all winners in proportion to what they had, and its\n\
         haircut beside the published one; venue's: the largest haircut that was taken; min-max, vector: as published.\n\n\
         {by_policy}\n\n\
         {} waves: needed {}, taken by the venue {}, overshoot {}, deficit {}\n\
         pro-rata at needed severity: taken {}, haircuts within {:.1e} of the published",
        waves.len(),
        money(sums.needed),
        money(sums.policies[VENUE].budget),
        money(sums.policies[VENUE].overshoot),
        money(sums.deficit),
        money(sums.budget),
        sums.largest_difference,
    )
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.iter().copied());
    rows.for_each(|row| {
        table.add_row(row);
    });
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn dollars(quanta: i128) -> f64 {
    quanta as f64 / QUANTA
}

/// Dollars to the cent, thousands apart, rounded half away from zero.
fn money(quanta: i128) -> String {
    const CENT: u128 = 1_000_000;
    let cents = (quanta.unsigned_abs() + CENT / 2) / CENT;
    let mut digits = (cents / 100).to_string();
    for place in (1..digits.len()).rev().filter(|place| (digits.len() - place).is_multiple_of(3)).collect::<Vec<_>>() {
        digits.insert(place, ',');
    }
    let sign = if quanta < 0 && cents > 0 { "-" } else { "" };
    format!("{sign}{digits}.{:02}", cents % 100)
}

fn percent(fraction: f64) -> String {
    format!("{:.4} %", 100.0 * fraction)
}
