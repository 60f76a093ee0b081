use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use serde_json::json;

use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::domain::Snapshot;
use crate::error::Result;
use crate::io::TableFormat;
use crate::io::chain_csv::{self, Chain, Quote, median};
use crate::io::snapshot_write::SnapshotWriter;
use crate::margin::Rulebook;
use crate::pricing::{Column, ShockedMarket};
use crate::scenario::ScenarioSet;
use crate::synth::option_class;

/// A mark that its own forward and volatility miss by more than this many coins was not taken at the same moment. Published
/// volatilities are rounded to a hundredth of a point, which explains about 1e-5.
const STALE_COIN: f64 = 1e-4;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Turn an option chain (CSV, coin-settled options) into a snapshot without a book.
    Chain {
        /// CSV: timestamp, instrument_name, option_type, strike, expiry_datetime, currency, index_price, futures_price,
        /// mark_price; optional implied_volatility (else that of the mark), bid_price, ask_price, delta, open_interest.
        chain: PathBuf,
        /// Take the snapshot nearest to this moment [default: the file's last].
        #[arg(long, value_name = "TIMESTAMP")]
        at: Option<Timestamp>,
        /// Directory for the tables; absent or empty.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Format of the tables.
        #[arg(long, value_enum, default_value_t = Tables::Parquet)]
        tables: Tables,
    },
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let Command::Chain { chain, at, out, tables } = &args.command;
    import_chain(chain, *at, out, tables.format(), context)
}

fn import_chain(path: &Path, at: Option<Timestamp>, out: &Path, tables: TableFormat, context: Context) -> Result<u8> {
    let chain = chain_csv::read(path, at)?;
    let snapshot = &chain.snapshot;
    let mut writer = SnapshotWriter::create(out, tables, snapshot)?;
    writer.write_text("rulebook.toml", &rulebook(snapshot).to_toml())?;
    writer.finish()?;
    let checked = check(&chain);
    match context.format {
        Format::Json => print_json(&json!({
            "as_of": snapshot.as_of.map(|as_of| as_of.to_string()),
            "moments": chain.moments.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "rows": chain.rows_read,
            "options": snapshot.instruments.len(),
            "underlyings": checked.iter().map(Checked::json).collect::<Vec<_>>(),
        })),
        Format::Table => print_text(summary(&chain, &checked, out)),
    }
    Ok(0)
}

/// The common formula of short options for every class of the chain, so that the snapshot sweeps once it has a book.
fn rulebook(snapshot: &Snapshot) -> Rulebook {
    let classes = snapshot.instruments.iter().map(|option| (option.margin_class.clone(), option_class()));
    Rulebook { name: "short options".into(), option: classes.collect(), ..Rulebook::default() }
}

/// The chain of one underlying against the formula.
struct Checked {
    underlying: String,
    index_price: f64,
    options: usize,
    /// |formula − published mark|, coins.
    mark_errors: Vec<f64>,
    /// |formula − published delta|.
    delta_errors: Vec<f64>,
    crossed: Vec<String>,
    empty: Vec<String>,
    one_sided: Vec<String>,
    stale: Vec<String>,
}

impl Checked {
    fn json(&self) -> serde_json::Value {
        let summary = |errors: &[f64]| {
            (!errors.is_empty()).then(|| json!({ "median": median(errors.to_vec()), "largest": largest(errors) }))
        };
        json!({
            "underlying": self.underlying,
            "index_price": self.index_price,
            "options": self.options,
            "mark_error_coin": summary(&self.mark_errors),
            "delta_error": summary(&self.delta_errors),
            "crossed": self.crossed,
            "empty": self.empty,
            "one_sided": self.one_sided,
            "stale": self.stale,
        })
    }
}

fn largest(errors: &[f64]) -> f64 {
    errors.iter().copied().fold(0.0, f64::max)
}

/// Reprices every option and sorts its quote.
fn check(chain: &Chain) -> Vec<Checked> {
    let snapshot: &Snapshot = &chain.snapshot;
    let nothing = ScenarioSet::default();
    let market = ShockedMarket::new(snapshot, &nothing);
    let mut checked: Vec<Checked> = (snapshot.underlyings.iter())
        .map(|underlying| Checked {
            underlying: underlying.name.clone(),
            index_price: underlying.index_price,
            options: 0,
            mark_errors: Vec::new(),
            delta_errors: Vec::new(),
            crossed: Vec::new(),
            empty: Vec::new(),
            one_sided: Vec::new(),
            stale: Vec::new(),
        })
        .collect();
    for (instrument, quote) in snapshot.instruments.iter().zip(&chain.quotes) {
        let of = &mut checked[instrument.underlying as usize];
        let formula = market.contract(instrument, Column::Base);
        let error = (formula.value_coin - quote.mark_coin).abs();
        of.options += 1;
        of.mark_errors.push(error);
        of.delta_errors.extend(quote.delta.map(|delta| (formula.greeks.delta - delta).abs()));
        let name = || instrument.name.clone();
        match quote {
            Quote { bid_coin: Some(bid), ask_coin: Some(ask), .. } if bid > ask => of.crossed.push(name()),
            Quote { bid_coin: Some(_), ask_coin: Some(_), .. } => {}
            Quote { bid_coin: None, ask_coin: None, .. } => of.empty.push(name()),
            _ => of.one_sided.push(name()),
        }
        if error > STALE_COIN {
            of.stale.push(name());
        }
    }
    checked
}

fn summary(chain: &Chain, checked: &[Checked], out: &Path) -> String {
    let as_of = chain.snapshot.as_of.map_or_else(String::new, |as_of| as_of.to_string());
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "",
        "index",
        "options",
        "mark error",
        "largest",
        "delta error",
        "largest",
        "crossed",
        "empty",
        "one-sided",
        "stale",
    ]);
    for of in checked {
        let small = |value: f64| format!("{value:.1e}");
        table.add_row([
            of.underlying.clone(),
            of.index_price.to_string(),
            of.options.to_string(),
            small(median(of.mark_errors.clone())),
            small(largest(&of.mark_errors)),
            small(median(of.delta_errors.clone())),
            small(largest(&of.delta_errors)),
            of.crossed.len().to_string(),
            of.empty.len().to_string(),
            of.one_sided.len().to_string(),
            of.stale.len().to_string(),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let mut text = format!(
        "{} options at {as_of} written to {} ({} rows and {} moments read)\n\n{table}\n\n\
         mark error: |formula − published mark| in coin, median and largest; delta error likewise.\n\
         crossed: bid above ask; empty: neither; stale: the row's own forward and volatility miss its mark by more than \
         {STALE_COIN} coin.",
        chain.snapshot.instruments.len(),
        out.display(),
        chain.rows_read,
        chain.moments.len(),
    );
    for of in checked {
        for (what, names) in [("crossed", &of.crossed), ("stale", &of.stale)] {
            if !names.is_empty() {
                let shown: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
                let more = if names.len() > shown.len() { ", …" } else { "" };
                text.push_str(&format!("\n{} {what}: {}{more}", of.underlying, shown.join(", ")));
            }
        }
    }
    text
}
