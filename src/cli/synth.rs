use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::tables::Tables;
use super::{Context, Format, print_json, print_text};
use crate::domain::Book;
use crate::error::{Error, Result};
use crate::io::read_rulebook;
use crate::io::snapshot_write::SnapshotWriter;
use crate::margin::Rulebook;
use crate::synth::{
    Accounts, Market, MarketOptions, OptionListing, Options, add_haircuts, add_route_classes, quotes, rulebook,
};

/// Accounts generated at a time: large enough to keep every thread busy, small enough to stay in cache.
const BATCH: u64 = 16_384;
/// First columns of a price panel that hold the time and no name.
const TIME_COLUMNS: [&str; 6] = ["hour", "time", "timestamp", "date", "datetime", "day"];

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory to write the tables, snapshot.toml and rulebook.toml to.
    out_dir: PathBuf,
    /// Number of accounts.
    #[arg(long)]
    accounts: u64,
    /// Seed; the same seed gives the same exchange on every machine.
    #[arg(long)]
    seed: u64,
    /// Take instruments from the margin classes of this rulebook (TOML) instead of the built-in market.
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Number of instruments, most popular first [default: 58 built-in ones, or all classes of the rulebook]; options come on
    /// top.
    #[arg(long, value_name = "N")]
    instruments: Option<usize>,
    /// Keep contracts on these names only, and list all of them as assets: BTC,ETH,… or a file (CSV header or text).
    #[arg(long, value_name = "LIST|FILE")]
    underlyings: Option<String>,
    /// Assets posted as collateral beside USDT and USDC, most popular first: BTC,ETH,… or a file.
    #[arg(long, value_name = "LIST|FILE")]
    collateral_assets: Option<String>,
    /// Share of accounts, 0 to 1, placed within 1e-7 of a threshold in the unshocked market.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    near_threshold: f64,
    /// What to do about a rulebook without haircut classes.
    #[arg(long, value_enum, default_value_t = Haircuts::Keep)]
    haircuts: Haircuts,
    /// Option chains beside the other instruments; with --rulebook only where it has option classes for them.
    #[arg(long, value_enum, default_value_t = OptionChains::Listed)]
    options: OptionChains,
    /// Other networks, at most 23, that some collateral is held on, each with a route of its own [default: none].
    #[arg(long, value_name = "N", default_value_t = 0)]
    networks: usize,
    /// Sources of every price, in a table of quotes [default: no such table].
    #[arg(long, value_name = "N", default_value_t = 0)]
    quotes: u32,
    /// Format of the tables.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
}

/// Whether there are options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OptionChains {
    /// Chains on BTC, ETH and SOL.
    Listed,
    /// None.
    None,
}

/// Whether a rulebook without haircuts gets some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Haircuts {
    /// The rulebook stays as it is: collateral counts in full.
    Keep,
    /// The standard classes stable, major and alt are added.
    Add,
}

/// Rows written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pools: u64,
    balances: u64,
    positions: u64,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let (market, counts) = generate(args)?;
    report(args, &market, counts, context);
    Ok(0)
}

/// Makes and writes the exchange.
pub(super) fn generate(args: &Args) -> Result<(Market, Counts)> {
    let options = MarketOptions {
        seed: args.seed,
        instruments: args.instruments,
        underlyings: args.underlyings.as_deref().map(names).transpose()?,
        collateral_assets: args.collateral_assets.as_deref().map(names).transpose()?,
        options: match args.options {
            OptionChains::Listed => OptionListing::Chains,
            OptionChains::None => OptionListing::None,
        },
        networks: args.networks,
    };
    let (market, rules) = match &args.rulebook {
        None => {
            let market = Market::built_in(&options)?;
            let rules = rulebook(&market);
            (market, rules)
        }
        Some(path) => {
            let mut rules = read_rulebook(path)?;
            if args.haircuts == Haircuts::Add {
                add_haircuts(&mut rules);
            }
            (Market::from_rulebook(&rules, &options)?, rules)
        }
    };
    let rules = add_route_classes(rules, &market)?;
    for class in &market.skipped_classes {
        tracing::warn!("margin class {class:?} names no contract that can be generated: skipped");
    }
    let options = Options { accounts: args.accounts, seed: args.seed, near_threshold_share: args.near_threshold };
    let counts = write(args, &Accounts::new(&market, &rules, options)?, (&market, &rules))?;
    Ok((market, counts))
}

/// Names from a comma-separated list, or from a file that holds them separated by commas or white space. Of a CSV file only the
/// header counts, and there not a first column of times.
fn names(list_or_file: &str) -> Result<Vec<String>> {
    let path = Path::new(list_or_file);
    let text = if path.is_file() {
        let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv { text.lines().next().unwrap_or_default().to_string() } else { text }
    } else {
        list_or_file.to_string()
    };
    let mut names: Vec<String> = text
        .split(|symbol: char| symbol == ',' || symbol.is_whitespace())
        .map(|name| name.trim_matches('"').to_string())
        .filter(|name| !name.is_empty())
        .collect();
    if names.first().is_some_and(|first| TIME_COLUMNS.contains(&first.to_lowercase().as_str())) {
        names.remove(0);
    }
    match names.is_empty() {
        true => Err(Error::Usage(format!("{list_or_file:?} names nothing: give BTC,ETH,… or a file with names"))),
        false => Ok(names),
    }
}

fn write(args: &Args, accounts: &Accounts<'_>, (market, rules): (&Market, &Rulebook)) -> Result<Counts> {
    let mut writer = SnapshotWriter::create(&args.out_dir, args.tables.format(), &market.snapshot(Book::default()))?;
    let mut counts = Counts::default();
    let mut start = 0;
    while start < args.accounts {
        for pool in accounts.pool_batch(start..start.saturating_add(BATCH)) {
            writer.write_pool(&pool.account, &pool.pool, &pool.balances, &pool.positions)?;
            counts.pools += 1;
            counts.balances += pool.balances.len() as u64;
            counts.positions += pool.positions.len() as u64;
        }
        start = start.saturating_add(BATCH);
    }
    if args.quotes > 0 {
        writer.write_quotes(args.tables.format(), &quotes(market, args.quotes, args.seed))?;
    }
    writer.write_text("rulebook.toml", &rules.to_toml())?;
    writer.finish()?;
    Ok(counts)
}

fn report(args: &Args, market: &Market, counts: Counts, context: Context) {
    match context.format {
        Format::Json => print_json(&serde_json::json!({
            "out": args.out_dir.display().to_string(),
            "seed": args.seed,
            "accounts": args.accounts,
            "pools": counts.pools,
            "balances": counts.balances,
            "positions": counts.positions,
            "instruments": market.instruments.len(),
            "assets": market.assets.iter().filter(|asset| asset.custody.is_none()).count(),
            "networks": market.routes.len(),
            "skipped_classes": market.skipped_classes,
        })),
        Format::Table => print_text(format_args!(
            "{}: {} accounts, {} pools, {} balances, {} positions in {} instruments",
            args.out_dir.display(),
            args.accounts,
            counts.pools,
            counts.balances,
            counts.positions,
            market.instruments.len(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_a_list_or_a_header() {
        assert_eq!(names("BTC,ETH").expect("a list"), ["BTC", "ETH"]);
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("panel.csv");
        std::fs::write(&path, "hour,BTC,1INCH\n1,2,3\n").expect("a file");
        assert_eq!(names(&path.display().to_string()).expect("a header"), ["BTC", "1INCH"]);
        assert!(names(" , ").is_err());
    }
}
