use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;

use super::{Context, Format, print_json, print_text};
use crate::error::{Error, Result};
use crate::io::{price_file, scenario_file, snapshot};
use crate::pricing::{Column, ContractValue, Greeks, ShockedMarket};
use crate::scenario::ScenarioSet;
use crate::suggest;

/// Rows shown on a terminal; the file has them all.
const SHOWN: usize = 20;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Scenario set; with --scenario.
    #[arg(long, value_name = "FILE", requires = "scenario")]
    scenarios: Option<PathBuf>,
    /// Price under this scenario instead of the unshocked market.
    #[arg(long, value_name = "ID", requires = "scenarios")]
    scenario: Option<String>,
    /// The file to write: .parquet, .csv or .arrow.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What Greeks are in.
    #[arg(long, value_enum, default_value_t = Terms::Quote)]
    greeks: Terms,
}

/// What Greeks are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Terms {
    /// Sensitivities of the value in quote units.
    Quote,
    /// Sensitivities of the value in coin (value / index), per quote unit of index.
    Coin,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    crate::io::TableFormat::of_path(&args.out)?;
    let snapshot = snapshot::read(&args.snapshot)?;
    let (scenarios, column) = scenario(args)?;
    let market = ShockedMarket::new(&snapshot, &scenarios);
    let rows: Vec<(&str, ContractValue)> = (snapshot.instruments.iter())
        .map(|instrument| {
            let mut contract = market.contract(instrument, column);
            if args.greeks == Terms::Coin {
                contract.greeks = market.greeks_in_coin(instrument, &contract, column);
            }
            (instrument.name.as_str(), contract)
        })
        .collect();
    price_file::write(&args.out, &rows)?;
    let without_value = rows.iter().filter(|(_, row)| !row.value.is_finite()).count();
    match context.format {
        Format::Json => print_json(&json!({
            "out": args.out.display().to_string(),
            "as_of": snapshot.as_of.map(|as_of| as_of.to_string()),
            "scenario": args.scenario,
            "instruments": rows.len(),
            "without_value": without_value,
        })),
        Format::Table => print_text(summary(args, &rows, without_value)),
    }
    Ok(0)
}

/// The set with the scenario asked for, and its column.
fn scenario(args: &Args) -> Result<(ScenarioSet, Column)> {
    let (Some(path), Some(id)) = (&args.scenarios, &args.scenario) else {
        return Ok((ScenarioSet::default(), Column::Base));
    };
    let set = scenario_file::read(path)?;
    match set.position(id) {
        Some(position) => Ok((set, Column::Scenario(position))),
        None => {
            let remedy = suggest::remedy(id, set.ids.iter().map(String::as_str), "see the file's scenario column");
            Err(Error::Usage(format!("{} has no scenario {id:?} ({remedy})", path.display())))
        }
    }
}

fn summary(args: &Args, rows: &[(&str, ContractValue)], without_value: usize) -> String {
    let mut table = Table::new();
    let header = ["instrument", "value", "value_coin"].into_iter().chain(Greeks::NAMES);
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for (name, row) in rows.iter().take(SHOWN) {
        let figures = [row.value, row.value_coin].into_iter().chain(row.greeks.to_array());
        table.add_row(std::iter::once(name.to_string()).chain(figures.map(figure)));
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let more = if rows.len() > SHOWN { format!("\n… and {} more", rows.len() - SHOWN) } else { String::new() };
    let missing = match without_value {
        0 => String::new(),
        n => format!("\n{n} instrument(s) have no finite value in this market: null in the file"),
    };
    let market = args.scenario.as_ref().map_or_else(|| "the unshocked market".into(), |id| format!("scenario {id}"));
    format!(
        "{} instruments priced in {market}, written to {}\n\n{table}{more}{missing}",
        rows.len(),
        args.out.display()
    )
}

/// A figure of any size in about six characters.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e7).contains(&size) => format!("{value:.3e}"),
        size if size >= 100.0 => format!("{value:.2}"),
        _ => format!("{value:.5}"),
    }
}
