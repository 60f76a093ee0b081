use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::io::oracle_tables::{self, OracleTables};
use crate::io::{oracle_file, read_rulebook, snapshot};
use crate::oracle::{Aggregation, Assessment, Evidence, OraclePolicies, OraclePolicy, assess};
use crate::suggest;
use instrument_mark::InstrumentMark;

mod instrument_mark;
mod json;
mod rewrite;
mod show;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables, with quotes, and where they are marks and price_history among them; or a file of quotes alone.
    snapshot: PathBuf,
    /// The moment at which prices are formed, RFC 3339 [default: as_of of the snapshot].
    #[arg(long, value_name = "MOMENT")]
    at: Option<Timestamp>,
    /// Only this asset or underlying; give it several times for several.
    #[arg(long, value_name = "NAME")]
    subject: Vec<String>,
    /// Rulebook with [oracle] [default: SNAPSHOT/rulebook.toml where it is there].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// How quotes become one price, for every subject [default: as the rulebook says].
    #[arg(long, value_enum)]
    aggregation: Option<Rule>,
    /// Prices and confidences are whole multiples of this, and means are rounded down to it [default: as the rulebook says].
    #[arg(long, value_name = "TICK", value_parser = tick)]
    price_tick: Option<f64>,
    /// How far captured sources are to move the price, a fraction of it (0.1 = 10 %).
    #[arg(long = "move", value_name = "FRACTION", default_value_t = 0.1, value_parser = movement)]
    movement: f64,
    /// A directory for the snapshot with the formed prices, or a .parquet, .csv or .arrow file for the prices themselves.
    #[arg(long, value_name = "DIR|FILE")]
    out: Option<PathBuf>,
    /// Format of the tables of a snapshot written.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
}

/// Names of the aggregations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Rule {
    /// The price at half of the weight.
    WeightedMedian,
    /// The median of price − confidence, price and price + confidence of every source.
    ThreeVote,
    /// The median of all sources alike.
    Median,
}

fn tick(text: &str) -> Result<f64, String> {
    let tick = text.parse::<f64>().ok().filter(|tick| (1e-30..=1e30).contains(tick));
    tick.ok_or_else(|| "a tick between 1e-30 and 1e30".into())
}

/// What is read: the evidence, the snapshot it belongs to, the policies.
struct Inputs {
    tables: OracleTables,
    snapshot: Option<Snapshot>,
    policies: OraclePolicies,
    as_of: Timestamp,
}

/// What was found of every subject asked for, by name, and of instruments that have marks of their own.
struct Findings {
    inputs: Inputs,
    subjects: BTreeMap<String, Assessment>,
    instruments: Vec<InstrumentMark>,
    movement: f64,
}

impl Findings {
    /// What is known about a subject that was found.
    fn evidence(&self, subject: &str) -> &Evidence {
        &self.inputs.tables.subjects[subject]
    }
}

/// Runs the command; returns the exit code. A subject without a usable price is said and changes no exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let is_file = args.out.as_deref().is_some_and(|out| crate::io::TableFormat::of_path(out).is_ok());
    let inputs = Inputs::read(args)?;
    if args.out.is_some() && !is_file && inputs.snapshot.is_none() {
        let message = "a file of quotes has no snapshot to rewrite: --out takes a .parquet, .csv or .arrow file here";
        return Err(Error::Usage(message.into()));
    }
    let findings = find(args, inputs)?;
    let written = match (&args.out, &findings.inputs.snapshot) {
        (Some(out), Some(snapshot)) if !is_file => {
            Some(rewrite::write(out, args.tables.format(), snapshot, &findings)?)
        }
        (Some(out), _) => {
            let rows: Vec<_> = findings.subjects.iter().map(|(name, assessment)| (name.as_str(), assessment)).collect();
            oracle_file::write(out, &rows)?;
            None
        }
        (None, _) => None,
    };
    match context.format {
        Format::Json => print_json(&json::of(&findings, args.out.as_deref(), written.as_ref())),
        Format::Table => print_text(show::text(&findings, args.out.as_deref(), written.as_ref())),
    }
    Ok(0)
}

impl Inputs {
    fn read(args: &Args) -> Result<Self> {
        let metadata = std::fs::metadata(&args.snapshot).map_err(|source| Error::io(&args.snapshot, source))?;
        let (tables, snapshot) = if metadata.is_dir() {
            let snapshot = snapshot::read(&args.snapshot)?;
            (oracle_tables::read(&args.snapshot, &snapshot)?, Some(snapshot))
        } else {
            (oracle_tables::read_quotes(&args.snapshot)?, None)
        };
        let stated = args.at.or(snapshot.as_ref().and_then(|snapshot| snapshot.as_of));
        let as_of = stated
            .ok_or_else(|| Error::Usage("when are prices formed? give --at, or as_of in snapshot.toml".into()))?;
        let default = args.snapshot.join("rulebook.toml");
        let rulebook = args.rulebook.as_deref().or(Some(default.as_path()).filter(|path| path.exists()));
        let stated = rulebook.map(policies).transpose()?.flatten();
        let mut policies = match (stated, args.aggregation) {
            (Some(mut stated), Some(rule)) => {
                stated.of.values_mut().chain([&mut stated.general]).for_each(|policy| policy.aggregation = rule.into());
                stated
            }
            (None, Some(rule)) => {
                OraclePolicies { general: OraclePolicy::of(rule.into()), ..OraclePolicies::default() }
            }
            (stated, None) => stated.unwrap_or_default(),
        };
        if let Some(tick) = args.price_tick {
            policies.of.values_mut().chain([&mut policies.general]).for_each(|policy| policy.price_tick = tick);
        }
        let is_known = |name: &str| match &snapshot {
            Some(snapshot) => {
                snapshot.assets.iter().any(|asset| asset.name == name)
                    || snapshot.underlyings.iter().any(|underlying| underlying.name == name)
            }
            None => tables.subjects.contains_key(name),
        };
        policies.warnings(is_known).iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(Self { tables, snapshot, policies, as_of })
    }
}

fn policies(rulebook: &Path) -> Result<Option<OraclePolicies>> {
    Ok(read_rulebook(rulebook)?.oracle)
}

/// Forms the price of every subject asked for.
fn find(args: &Args, inputs: Inputs) -> Result<Findings> {
    let known = &inputs.tables.subjects;
    if let Some(name) = args.subject.iter().find(|name| !known.contains_key(*name)) {
        let remedy = suggest::remedy(name, known.keys().map(String::as_str), "no row speaks of it");
        return Err(Error::Usage(format!("no subject {name:?} ({remedy})")));
    }
    let is_asked_for = |name: &String| args.subject.is_empty() || args.subject.contains(name);
    let subjects: BTreeMap<String, Assessment> = (known.iter().filter(|(name, _)| is_asked_for(name)))
        .map(|(name, evidence)| {
            let policy = inputs.policies.get(name);
            (name.clone(), assess(evidence, policy, inputs.as_of, args.movement))
        })
        .collect();
    let instruments = instrument_mark::all(&inputs, &subjects);
    Ok(Findings { inputs, subjects, instruments, movement: args.movement })
}

fn movement(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(movement) if movement > 0.0 && movement < 1.0 => Ok(movement),
        _ => Err("a fraction above 0 and below 1 (0.1 = 10 %)".into()),
    }
}

impl From<Rule> for Aggregation {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::WeightedMedian => Self::WeightedMedian,
            Rule::ThreeVote => Self::ThreeVote,
            Rule::Median => Self::Median,
        }
    }
}
