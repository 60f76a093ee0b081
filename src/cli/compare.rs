//! `compare`: the same book under other margin modes and rulebooks.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use super::engine_args::EngineArgs;
use super::progress::Meter;
use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::compare::{Allocation, CompareOptions, Comparison, ComparisonRow, Figure, compare};
use crate::domain::Snapshot;
use crate::engine::State;
use crate::error::Result;
use crate::io::hash::{self, FileHash};
use crate::io::results::ResultsWriter;
use crate::io::snapshot::read_with_faults;
use crate::io::{read_rulebook, scenario_file};
use crate::margin::{Rulebook, check_book};
use crate::report::{ComparisonInput, comparison_html, comparison_summary};
use crate::scenario::ScenarioSet;

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Scenario set.
    #[arg(long, value_name = "FILE")]
    scenarios: PathBuf,
    /// Margin rules; give it several times to compare rulebooks [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Vec<PathBuf>,
    /// How collateral is divided among isolated positions.
    #[arg(long, value_enum, default_value_t = IsolatedBy::ProRataMargin)]
    isolated: IsolatedBy,
    /// Directory for the results; appears whole or not at all.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Format of the result tables.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
    /// Most decisions spent on the contagion of each merged arrangement; beyond it a sample of pools is examined.
    #[arg(long, default_value_t = CompareOptions::default().contagion_verdicts)]
    contagion_verdicts: u64,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Names of the allocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum IsolatedBy {
    /// In proportion to the initial margin of each position alone.
    ProRataMargin,
    /// In proportion to the notional of each position.
    ProRataNotional,
}

/// The inputs, read and found to fit together.
struct Inputs {
    snapshot: Snapshot,
    rulebooks: Vec<Rulebook>,
    scenarios: ScenarioSet,
    hashes: Vec<FileHash>,
    warnings: Vec<String>,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let options = CompareOptions {
        sweep: args.engine.options()?,
        allocation: match args.isolated {
            IsolatedBy::ProRataMargin => Allocation::InitialMargin,
            IsolatedBy::ProRataNotional => Allocation::Notional,
        },
        contagion_verdicts: args.contagion_verdicts,
    };
    // First of all: a directory that must be left alone should not cost a comparison before it is said.
    let writer = args.out.as_deref().map(|out| ResultsWriter::create(out, args.tables.format())).transpose()?;
    let inputs = args.read()?;
    let clock = Instant::now();
    let meter = Meter::new(context.progress);
    let compared = compare(&inputs.snapshot, &inputs.rulebooks, &inputs.scenarios, &options, &meter);
    meter.finish();
    let mut comparison = compared?;
    let seconds = clock.elapsed().as_secs_f64();
    comparison.warnings.extend(inputs.warnings.iter().cloned());
    let facts = args.facts(&inputs);
    let input = ComparisonInput {
        comparison: &comparison,
        snapshot: &inputs.snapshot,
        scenarios: &inputs.scenarios,
        facts: &facts,
    };
    let object = args.json(&input, seconds);
    if let Some(writer) = writer {
        writer.write_comparison(&comparison, &inputs.scenarios)?;
        writer.write_utilisation(&comparison, &inputs.snapshot)?;
        writer.write_text("compare.html", &comparison_html(&input))?;
        let mut manifest = object.clone();
        manifest["complete"] = true.into();
        manifest["version"] = env!("CARGO_PKG_VERSION").into();
        manifest["commit"] = option_env!("PLIMSOLL_COMMIT").into();
        manifest["inputs"] = json!(inputs.hashes);
        writer.finish(manifest)?;
    }
    match context.format {
        Format::Json => print_json(&object),
        Format::Table => print_text(comparison_summary(&input)),
    }
    Ok(0)
}

impl Args {
    fn read(&self) -> Result<Inputs> {
        let mut loaded = read_with_faults(&self.snapshot)?;
        let mut paths = self.rulebook.clone();
        if paths.is_empty() {
            paths.push(self.snapshot.join("rulebook.toml"));
        }
        let mut rulebooks: Vec<Rulebook> = paths.iter().map(|path| read_rulebook(path)).collect::<Result<_>>()?;
        let scenarios = scenario_file::read(&self.scenarios)?;
        for rulebook in &rulebooks {
            let (faults, warnings) = check_book(&loaded.snapshot, rulebook);
            let news = warnings.into_iter().filter(|warning| !loaded.warnings.contains(warning)).collect();
            loaded.add(faults, news);
        }
        let mut warnings = loaded.warnings.clone();
        let snapshot = loaded.into_snapshot()?;
        // One market for all: how a delay is felt is the first rulebook's word.
        let (scenarios, more) = super::inputs::resolved(scenarios, (&self.snapshot, &snapshot), &rulebooks[0])?;
        warnings.extend(more);
        tell_apart(&mut rulebooks, &paths);
        let mut hashes = hash::directory(&self.snapshot)?;
        for path in paths.iter().chain([&self.scenarios]) {
            hashes.push(hash::file(path)?);
        }
        Ok(Inputs { snapshot, rulebooks, scenarios, hashes, warnings })
    }

    fn facts(&self, inputs: &Inputs) -> Vec<(String, String)> {
        let hashes = inputs.hashes.iter();
        let hashes = hashes.map(|file| (file.file.clone(), format!("{} bytes, BLAKE3 {}", file.size, file.blake3)));
        let version = ("plimsoll".to_string(), env!("CARGO_PKG_VERSION").to_string());
        [version, ("isolated collateral".into(), self.isolated_name().into())].into_iter().chain(hashes).collect()
    }

    fn isolated_name(&self) -> &'static str {
        match self.isolated {
            IsolatedBy::ProRataMargin => "pro-rata-margin",
            IsolatedBy::ProRataNotional => "pro-rata-notional",
        }
    }

    /// The comparison as one JSON object: what scripts rely on.
    fn json(&self, input: &ComparisonInput<'_>, seconds: f64) -> Value {
        let comparison = input.comparison;
        let label = |row: usize| {
            let row = &comparison.rows[row];
            json!({"mode": row.mode.name(), "rulebook": comparison.rulebooks[row.rulebook]})
        };
        let transitions = comparison.transitions.iter().map(|transition| {
            json!({"from": label(transition.from), "to": label(transition.to),
                "states": State::ALL.map(State::name), "accounts": transition.accounts})
        });
        json!({
            "engine": comparison.engine,
            "adapter": comparison.adapter,
            "positions": input.snapshot.book.position_count(),
            "scenarios": input.scenarios.len(),
            "isolated": self.isolated_name(),
            "rows": comparison.rows.iter().map(|row| row_json(input, row)).collect::<Vec<_>>(),
            "transitions": transitions.collect::<Vec<_>>(),
            "audit_seed": self.engine.audit_seed(),
            "seconds": seconds,
            "warnings": comparison.warnings,
        })
    }
}

fn row_json(input: &ComparisonInput<'_>, row: &ComparisonRow) -> Value {
    let comparison: &Comparison = input.comparison;
    let mut object = json!({"mode": row.mode.name(), "rulebook": comparison.rulebooks[row.rulebook]});
    for (name, figure) in comparison.figures(row) {
        object[name] = match figure {
            Figure::Count(count) => json!(count),
            Figure::Number(number) => json!(number),
        };
    }
    let worst = row.metrics.worst.and_then(|worst| input.scenarios.ids.get(worst.scenario as usize));
    object["worst_scenario"] = json!(worst);
    object["digest"] = row.metrics.digest.as_str().into();
    let assets = row.metrics.assets.iter().map(|of| {
        let asset = of.asset.map(|asset| &input.snapshot.assets[asset as usize].name);
        json!({"asset": asset, "adjusted_collateral": of.collateral, "requirement": of.requirement,
            "utilisation": of.utilisation()})
    });
    object["assets"] = assets.collect();
    object
}

/// Rulebooks of one name get their path beside it.
fn tell_apart(rulebooks: &mut [Rulebook], paths: &[PathBuf]) {
    let names: Vec<String> = rulebooks.iter().map(|rulebook| rulebook.name.clone()).collect();
    for (rulebook, path) in rulebooks.iter_mut().zip(paths) {
        if names.iter().filter(|name| **name == rulebook.name).count() > 1 {
            rulebook.name = format!("{} ({})", rulebook.name, path.display());
        }
    }
}
