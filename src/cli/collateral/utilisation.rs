//! `collateral utilisation`: what requirements use of the collateral, and what margining together saves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::cli::{Context, Format, print_json, print_text};
use crate::collateral::{Diversification, Holder, Utilisation, diversification, utilisation};
use crate::domain::Snapshot;
use crate::engine::{EngineChoice, Outcome, SweepOptions, sweep};
use crate::error::Result;
use crate::io::snapshot::read_with_faults;
use crate::io::{read_rulebook, utilisation_file};
use crate::margin::{Rules, Setting, check_book, revalue};
use crate::pricing::Unshocked;
use crate::report::{money, percent};
use crate::scenario::ScenarioSet;

/// Arguments of `collateral utilisation`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Rows shown of each table.
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// A .parquet, .csv or .arrow file for the utilisation of every asset, network and account.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A .parquet, .csv or .arrow file for what every pool saves by margining its positions together.
    #[arg(long, value_name = "FILE")]
    pools: Option<PathBuf>,
}

/// What was found.
struct Found {
    snapshot: Snapshot,
    utilisation: BTreeMap<Holder, Utilisation>,
    /// Of every known pool, in book order.
    pools: Vec<Diversification>,
    /// By number of positions: pools, and their sums.
    diversification: BTreeMap<usize, (u64, Diversification)>,
    warnings: Vec<String>,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    // A wrong extension must not cost the work first.
    args.out.iter().chain(&args.pools).try_for_each(|out| crate::io::TableFormat::of_path(out).map(|_| ()))?;
    let found = find(args)?;
    if let Some(out) = &args.out {
        let rows: Vec<_> = found.utilisation.iter().map(|(holder, of)| found.row(holder, *of)).collect();
        utilisation_file::write(out, &rows)?;
    }
    if let Some(out) = &args.pools {
        let pools = found.snapshot.book.pools().filter(|pool| !pool.unknown);
        let rows: Vec<_> = pools.zip(&found.pools).map(|(pool, of)| (pool.account, pool.pool, *of)).collect();
        utilisation_file::write_diversification(out, &rows)?;
    }
    match context.format {
        Format::Json => print_json(&found.json(args.top)),
        Format::Table => print_text(found.text(args.top)),
    }
    Ok(0)
}

/// The unshocked market as the only scenario.
fn still() -> ScenarioSet {
    ScenarioSet {
        ids: vec!["base".into()],
        weights: vec![1.0],
        labels: vec![String::new()],
        factors: Vec::new(),
        shocks: Array2::zeros((1, 0)),
    }
}

fn find(args: &Args) -> Result<Found> {
    let mut loaded = read_with_faults(&args.snapshot)?;
    let path = args.rulebook.clone().unwrap_or_else(|| args.snapshot.join("rulebook.toml"));
    let rulebook = read_rulebook(&path)?;
    let mut warnings = loaded.warnings.clone();
    let (faults, more) = check_book(&loaded.snapshot, &rulebook);
    warnings.extend(more);
    loaded.add(faults, Vec::new());
    let snapshot = loaded.into_snapshot()?;
    let options = SweepOptions { engine: EngineChoice::Cpu, unshocked: Unshocked::Hold, ..SweepOptions::default() };
    let swept: Outcome = sweep(&snapshot, &rulebook, &still(), &options, &())?;
    let rules = Rules::resolve(&rulebook, &snapshot)?;
    let rows = revalue(&rules, &snapshot, &still(), Unshocked::Hold)?;
    let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
    let found = utilisation(&setting, &swept.pools);
    let mut by_positions: BTreeMap<usize, (u64, Diversification)> = BTreeMap::new();
    let known = snapshot.book.pools().filter(|pool| !pool.unknown);
    let pools: Vec<Diversification> = known.map(|pool| diversification(&setting, &pool)).collect();
    for of in &pools {
        let (pools, sum) = by_positions.entry(of.positions).or_default();
        *pools += 1;
        sum.alone += of.alone;
        sum.together += of.together;
        sum.positions = of.positions;
    }
    by_positions.remove(&0);
    Ok(Found { utilisation: found, pools, diversification: by_positions, warnings, snapshot })
}

impl Found {
    fn row(&self, holder: &Holder, of: Utilisation) -> (&'static str, String, Utilisation) {
        let (kind, name) = match holder {
            Holder::Exchange => ("exchange", String::new()),
            Holder::Asset(asset) => ("asset", self.snapshot.assets[*asset as usize].name.clone()),
            Holder::Network(name) => ("network", name.clone()),
            Holder::Account(name) => ("account", name.clone()),
        };
        (kind, name, of)
    }

    /// Holders of a kind, those with the largest requirement first.
    fn ranked(&self, kind: &str) -> Vec<(String, Utilisation)> {
        let rows = self.utilisation.iter().map(|(holder, of)| self.row(holder, *of));
        let mut rows: Vec<_> = rows.filter(|row| row.0 == kind).map(|(_, name, of)| (name, of)).collect();
        rows.sort_by(|a, b| b.1.requirement.total_cmp(&a.1.requirement).then(a.0.cmp(&b.0)));
        rows
    }

    fn total(&self) -> Diversification {
        let sums = self.diversification.values();
        sums.fold(Diversification::default(), |total, (_, of)| Diversification {
            positions: 0,
            alone: total.alone + of.alone,
            together: total.together + of.together,
        })
    }

    fn json(&self, top: usize) -> Value {
        let rows = |kind: &str, limit: usize| -> Vec<Value> {
            let ranked = self.ranked(kind).into_iter().take(limit);
            ranked
                .map(|(name, of)| {
                    json!({"name": name, "value": of.value, "collateral": of.collateral, "requirement": of.requirement,
                        "unbacked": of.unbacked, "utilisation": of.ratio(), "haircut": of.haircut()})
                })
                .collect()
        };
        let by_positions = self.diversification.values().map(|(pools, of)| {
            json!({"positions": of.positions, "pools": pools, "alone": of.alone, "together": of.together,
                "index": of.index(), "saved": of.saved()})
        });
        let total = self.total();
        json!({
            "exchange": rows("exchange", 1).pop(),
            "assets": rows("asset", usize::MAX),
            "networks": rows("network", usize::MAX),
            "accounts": rows("account", top),
            "diversification": {"alone": total.alone, "together": total.together, "index": total.index(),
                "saved": total.saved(), "by_positions": by_positions.collect::<Vec<_>>()},
            "warnings": self.warnings,
        })
    }

    fn text(&self, top: usize) -> String {
        let ratio = |value: Option<f64>| value.map_or_else(|| "–".into(), percent);
        let mut text = String::new();
        for (kind, title) in
            [("exchange", "all"), ("asset", "asset"), ("network", "network"), ("account", "largest accounts")]
        {
            let mut table = table(&[title, "value", "counted", "haircut", "required", "utilisation"]);
            for (name, of) in self.ranked(kind).into_iter().take(top) {
                let name = if name.is_empty() { "(held here)".into() } else { name };
                let name = if kind == "exchange" { "exchange".into() } else { name };
                table.add_row([
                    name,
                    money(of.value),
                    money(of.collateral),
                    ratio(of.haircut()),
                    money(of.requirement),
                    ratio(of.ratio()),
                ]);
            }
            text.push_str(&format!("{}\n\n", table.trim_fmt()));
        }
        let mut table = table(&["positions of a pool", "pools", "alone", "together", "index", "saved"]);
        let mut row = |name: String, pools: u64, of: &Diversification| {
            let index = of.index().map_or_else(|| "–".into(), |index| format!("{index:.3}"));
            table.add_row([name, pools.to_string(), money(of.alone), money(of.together), index, money(of.saved())]);
        };
        self.diversification.values().take(top).for_each(|(pools, of)| row(of.positions.to_string(), *pools, of));
        row("all".into(), self.diversification.values().map(|(pools, _)| pools).sum(), &self.total());
        text.push_str(&format!("Initial margin of positions alone and together:\n{}", table.trim_fmt()));
        for warning in &self.warnings {
            text.push_str(&format!("\nwarning: {warning}"));
        }
        text
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
