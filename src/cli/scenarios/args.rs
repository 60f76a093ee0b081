use std::path::PathBuf;

use crate::scenario::monte_carlo::VolatilityChoice;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub(super) generator: Generator,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Generator {
    /// Shock prices, volatilities and pegs on a grid.
    Grid(GridArgs),
    /// Named historical market events.
    Events(EventsArgs),
    /// Break the pegs of stable and wrapped assets.
    Depeg(DepegArgs),
    /// Replay every joint return of a price panel.
    History(HistoryArgs),
    /// Draw correlated Student-t shocks.
    MonteCarlo(MonteCarloArgs),
    /// Put several sets into one, in order.
    Join(JoinArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct JoinArgs {
    /// Scenario sets; what only some of them shock stands still in the scenarios of the others.
    #[arg(required = true)]
    pub(super) sets: Vec<PathBuf>,
    /// Scenario set to write (.csv, .parquet or .arrow).
    #[arg(long)]
    pub(super) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct GridArgs {
    /// Snapshot directory, whose underlyings are shocked.
    pub(super) snapshot: PathBuf,
    /// Relative price shocks, for example -0.5,-0.3,0,0.3.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    pub(super) price: Vec<f64>,
    /// Relative volatility shocks.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    pub(super) vol: Vec<f64>,
    /// Shocks of one asset on top of prices, for example USDT=-0.05,0; may be repeated.
    #[arg(long, value_parser = parse_asset_shocks)]
    pub(super) asset: Vec<AssetShocks>,
    /// Shock only these underlyings.
    #[arg(long, value_delimiter = ',')]
    pub(super) underlying: Vec<String>,
    /// Whether underlyings move together.
    #[arg(long, value_enum, default_value_t = Mode::Parallel)]
    pub(super) mode: Mode,
    /// Scenario set to write (.csv, .parquet or .arrow).
    #[arg(long)]
    pub(super) out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mode {
    /// All together.
    Parallel,
    /// One at a time.
    PerUnderlying,
}

#[derive(Debug, clap::Args)]
pub(super) struct EventsArgs {
    /// Snapshot directory, whose underlyings and assets are shocked.
    pub(super) snapshot: PathBuf,
    /// Events of your own, a TOML file, in place of those that come with the program.
    #[arg(long)]
    pub(super) catalogue: Option<PathBuf>,
    /// Scenario set to write (.csv, .parquet or .arrow).
    #[arg(long)]
    pub(super) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct DepegArgs {
    /// Snapshot directory, whose stable and wrapped assets are shocked.
    pub(super) snapshot: PathBuf,
    /// Other assets with a peg.
    #[arg(long, value_name = "ASSETS", value_delimiter = ',')]
    pub(super) asset: Vec<String>,
    /// Relative moves of each peg by itself, and of all together.
    #[arg(
        long,
        value_name = "MOVES",
        value_delimiter = ',',
        allow_hyphen_values = true,
        default_value = "-0.01,-0.05,-0.1,-0.3"
    )]
    pub(super) grid: Vec<f64>,
    /// Scenario set to write (.csv, .parquet or .arrow).
    #[arg(long)]
    pub(super) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    /// Price panel: CSV with a column hour (Unix time / 3600) and one column per asset.
    pub(super) panel: PathBuf,
    /// Scale each return to the volatility of today.
    #[arg(long)]
    pub(super) filtered: bool,
    /// Decay of the filter's variance, between 0 and 1 [default: 0.97].
    #[arg(long, requires = "filtered")]
    pub(super) lambda: Option<f64>,
    /// Returns of each asset that start its variance [default: 60].
    #[arg(long, requires = "filtered")]
    pub(super) seed_returns: Option<usize>,
    /// Keep only what this snapshot holds.
    #[arg(long)]
    pub(super) snapshot: Option<PathBuf>,
    /// Scenario set to write (.csv, .parquet or .arrow).
    #[arg(long)]
    pub(super) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct MonteCarloArgs {
    /// Snapshot directory, whose underlyings are shocked.
    pub(super) snapshot: PathBuf,
    /// Number of scenarios.
    #[arg(long)]
    pub(super) count: usize,
    /// Seed of every random number.
    #[arg(long)]
    pub(super) seed: u64,
    /// Degrees of freedom of Student's t; inf is the normal.
    #[arg(long, default_value_t = 4.0)]
    pub(super) dof: f64,
    /// Days the shocks span, of a 365-day year.
    #[arg(long, default_value_t = 1.0)]
    pub(super) horizon_days: f64,
    /// Volatility per square-root year for all (0.8), by price factor (BTC=0.6,ETH=0.8), or both; otherwise the snapshot's
    /// volatility_index.
    #[arg(long, value_parser = parse_volatility)]
    pub(super) volatility: Option<VolatilityChoice>,
    /// Price panel to estimate correlations from.
    #[arg(long)]
    pub(super) panel: Option<PathBuf>,
    /// One number for every pair [default: 0.6], or a square CSV; with --panel, a number for the pairs it lacks.
    #[arg(long, value_parser = parse_correlation, allow_hyphen_values = true)]
    pub(super) correlation: Option<CorrelationSource>,
    /// Move implied volatilities, too: standard deviation of ln σ per square-root year, beside what follows the price. Makes
    /// a column vol:U for every underlying with options.
    #[arg(long, default_value_t = 0.0)]
    pub(super) vol_of_vol: f64,
    /// Change of ln σ per change of ln price; −1 doubles volatility where the price halves.
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    pub(super) vol_beta: f64,
    /// Scenario set to write (.csv, .parquet or .arrow).
    #[arg(long)]
    pub(super) out: PathBuf,
}

/// An asset and its shocks.
#[derive(Debug, Clone)]
pub(super) struct AssetShocks(pub(super) String, pub(super) Vec<f64>);

/// Where correlations come from.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum CorrelationSource {
    Number(f64),
    File(PathBuf),
}

fn parse_asset_shocks(text: &str) -> Result<AssetShocks, String> {
    let (name, list) = text.split_once('=').ok_or("write ASSET=SHOCK,SHOCK")?;
    let shocks = list.split(',').map(parse_number).collect::<Result<_, _>>()?;
    if name.is_empty() { Err("name the asset".into()) } else { Ok(AssetShocks(name.into(), shocks)) }
}

pub(in crate::cli) fn parse_volatility(text: &str) -> Result<VolatilityChoice, String> {
    let mut choice = VolatilityChoice::default();
    for part in text.split(',') {
        match part.split_once('=') {
            Some((name, value)) => choice.named.push((name.trim().into(), parse_number(value)?)),
            None if choice.common.is_some() => return Err("give one number for all, the others as NAME=NUMBER".into()),
            None => choice.common = Some(parse_number(part)?),
        }
    }
    Ok(choice)
}

pub(in crate::cli) fn parse_correlation(text: &str) -> Result<CorrelationSource, String> {
    Ok(text.parse().map_or_else(|_| CorrelationSource::File(text.into()), CorrelationSource::Number))
}

fn parse_number(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(line: &str) -> Result<Generator, clap::Error> {
        <Line as clap::Parser>::try_parse_from(format!("scenarios {line}").split(' ')).map(|line| line.args.generator)
    }

    #[test]
    fn negative_lists_and_named_values_are_read() {
        let line =
            "grid S --price -0.5,-0.3,0 --asset USDT=-0.05,0 --asset USDC=-0.1 --mode per-underlying --out x.csv";
        let Ok(Generator::Grid(args)) = parsed(line) else { panic!("not read") };
        assert_eq!(args.price, [-0.5, -0.3, 0.0]);
        assert_eq!(args.asset[0].1, [-0.05, 0.0]);
        assert_eq!(args.mode, Mode::PerUnderlying);
        let line = "monte-carlo S --count 10 --seed 1 --dof inf --volatility 0.8,BTC=0.6 --correlation 0.5 --out x.csv";
        let Ok(Generator::MonteCarlo(args)) = parsed(line) else { panic!("not read") };
        assert!(args.dof.is_infinite());
        assert_eq!(args.volatility.unwrap().named, [("BTC".to_owned(), 0.6)]);
        assert_eq!(args.correlation, Some(CorrelationSource::Number(0.5)));
        assert_eq!(parse_correlation("c.csv"), Ok(CorrelationSource::File("c.csv".into())));
    }

    #[test]
    fn wrong_values_are_refused() {
        for line in [
            "grid S --asset USDT --out x.csv",
            "grid S --asset =0.1 --out x.csv",
            "grid S --price a --out x.csv",
            "monte-carlo S --count 1 --seed 1 --volatility 0.8,0.9 --out x.csv",
            "monte-carlo S --count -1 --seed 1 --out x.csv",
            "history P --lambda 0.9 --out x.csv",
            "history P",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
