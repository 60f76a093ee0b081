use std::path::PathBuf;

use crate::backtest::{LossOf, Requirement};
use crate::cli::engine_args::UnshockedName;
use crate::cli::tables::Tables;

/// Arguments of `backtest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    pub(super) snapshot: PathBuf,
    /// Price panel: CSV with a column hour (Unix time / 3600) and one column per asset.
    #[arg(long, value_name = "FILE")]
    pub(super) panel: PathBuf,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    pub(super) rulebook: Option<PathBuf>,
    /// Directory for the table of all results; appears whole or not at all.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Format of that table.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    pub(super) tables: Tables,
    /// Requirement to test.
    #[arg(long, value_enum, default_value_t = RequirementName::Initial)]
    requirement: RequirementName,
    /// What the losses of the book's pools are taken of.
    #[arg(long, value_enum, default_value_t = LossName::Equity)]
    loss: LossName,
    /// Share of losses that the requirement should cover.
    #[arg(long, default_value_t = 0.99)]
    pub(super) level: f64,
    /// Rows of the panel that a loss spans; more than one make overlapping windows.
    #[arg(long, value_name = "ROWS", default_value_t = 1, value_parser = rows())]
    pub(super) horizon: u32,
    /// Test only this many pools of the book, evenly spread; 0 tests the synthetic portfolios alone.
    #[arg(long, value_name = "N", conflicts_with = "account")]
    pub(super) pools: Option<usize>,
    /// Test only the pools of this account.
    #[arg(long)]
    pub(super) account: Option<String>,
    /// What to do with a held underlying that the panel lacks.
    #[arg(long, value_enum, default_value_t = UnshockedName::Refuse)]
    pub(super) unshocked: UnshockedName,
    /// Scale each return to the volatility of today.
    #[arg(long)]
    pub(super) filtered: bool,
    /// Decay of the filter's variance, between 0 and 1 [default: 0.97].
    #[arg(long, requires = "filtered")]
    pub(super) lambda: Option<f64>,
    /// Returns of each asset that start its variance [default: 60].
    #[arg(long, requires = "filtered")]
    pub(super) seed_returns: Option<usize>,
    /// Also test a requirement that follows the history, the tail of each portfolio's losses over this many rows, plain and
    /// with each anti-procyclicality tool.
    #[arg(long, value_name = "ROWS", value_parser = rows())]
    pub(super) rolling: Option<u32>,
    /// Share of the buffer on the rolling requirement.
    #[arg(long, value_name = "SHARE", requires = "rolling", default_value_t = 0.25)]
    pub(super) buffer: f64,
    /// Weight of the highest rolling requirement so far.
    #[arg(long, value_name = "WEIGHT", requires = "rolling", default_value_t = 0.25)]
    pub(super) stressed_weight: f64,
    /// Rows that the floor of the rolling requirement looks back on [default: all].
    #[arg(long, value_name = "ROWS", requires = "rolling", value_parser = rows())]
    pub(super) floor_window: Option<u32>,
}

impl Args {
    pub(super) fn requirement(&self) -> Requirement {
        match self.requirement {
            RequirementName::Initial => Requirement::Initial,
            RequirementName::Maintenance => Requirement::Maintenance,
        }
    }

    pub(super) fn loss_of(&self) -> LossOf {
        match self.loss {
            LossName::Equity => LossOf::Equity,
            LossName::Positions => LossOf::Positions,
        }
    }
}

/// Which requirement is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RequirementName {
    /// Initial margin.
    Initial,
    /// Maintenance margin.
    Maintenance,
}

/// What a pool loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LossName {
    /// Raw equity: positions and collateral.
    Equity,
    /// Positions alone; the collateral's losses are what haircuts are for.
    Positions,
}

fn rows() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}
