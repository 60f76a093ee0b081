use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use crate::collateral::haircut::{Floor, Pegs, Settings, StepLimit};
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::scenario::events;

/// Arguments of `haircuts`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    pub(super) kind: Option<Kind>,
    #[command(flatten)]
    pub(super) propose: ProposeArgs,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Kind {
    /// Worst falls of every price of a panel by horizon, beside a normal distribution.
    Tails(TailsArgs),
    /// Replay the largest fall of an asset: which haircut rule would have held.
    Replay(ReplayArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ProposeArgs {
    /// Directory of tables.
    #[arg(required = true)]
    snapshot: Option<PathBuf>,
    /// Price history: CSV with a column hour (Unix time / 3600) and one column per asset, or bars with columns x_close and x_low.
    #[arg(long, value_name = "FILE", required = true)]
    panel: Option<PathBuf>,
    /// Rulebook to write.
    #[arg(long, value_name = "FILE", required = true)]
    out: Option<PathBuf>,
    /// Rulebook in force [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    pub(super) rulebook: Option<PathBuf>,
    /// Hours that selling a collateral takes.
    #[arg(long, value_name = "HOURS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub(super) horizon_hours: u32,
    /// Share of windows whose fall the haircut should cover.
    #[arg(long, value_name = "SHARE", default_value_t = 0.999)]
    pub(super) quantile: f64,
    /// Days that the estimate looks back [default: the whole history].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(super) look_back_days: Option<u32>,
    /// Y of the square-root law of impact; 0 = no liquidity haircut.
    #[arg(long, value_name = "Y", default_value_t = 1.0)]
    impact_y: f64,
    /// Upper end of each tier as a share of the daily volume; beyond the last nothing counts.
    #[arg(long, value_name = "SHARES", value_delimiter = ',', default_value = "0.001,0.01,0.1")]
    sizes: Vec<f64>,
    /// Give every asset one tier: no liquidity haircut, no cap.
    #[arg(long, conflicts_with_all = ["sizes", "total_cap"])]
    flat: bool,
    /// Share of the daily volume up to which all deposits of an asset together count [default: no limit].
    #[arg(long, value_name = "SHARE")]
    total_cap: Option<f64>,
    /// What an asset should be worth, for example USDC=USD or WBTC=BTC; may be repeated.
    #[arg(long, value_name = "ASSET=REFERENCE", value_delimiter = ',', value_parser = named::<String>)]
    peg: Vec<(String, String)>,
    /// Least haircut for a peg.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    depeg_floor: f64,
    /// Haircut for the bridge or issuer of an asset; may be repeated.
    #[arg(long, value_name = "ASSET=SHARE", value_delimiter = ',', value_parser = named::<f64>)]
    bridge: Vec<(String, f64)>,
    /// What keeps haircuts from falling in calm times: none, long (the estimate of the whole history) or stress.
    #[arg(long, value_enum, default_value_t = FloorName::Long)]
    floor: FloorName,
    /// Weight of the largest fall with --floor stress.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.25)]
    stress_weight: f64,
    /// Most that a class may move in one update, the larger of a share of the haircut in force and an absolute change, for
    /// example 0.25,0.02 [default: any distance].
    #[arg(long, value_name = "RELATIVE,ABSOLUTE", value_parser = step)]
    step: Option<StepLimit>,
    /// Charge collateral that falls with the positions it secures, where the correlation is at least this.
    #[arg(long, value_name = "CORRELATION", value_parser = correlation)]
    pub(super) wrong_way: Option<f64>,
}

#[derive(Debug, clap::Args)]
pub(super) struct TailsArgs {
    /// Price history, as for a proposal.
    pub(super) panel: PathBuf,
    /// Horizons in hours.
    #[arg(long, value_name = "HOURS", value_delimiter = ',', default_value = "1,4,12,24", value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub(super) horizons: Vec<u32>,
    /// Levels of the quantiles; the expected shortfall is of the first, the Gaussian of the last.
    #[arg(long, value_name = "SHARES", value_delimiter = ',', default_value = "0.99,0.995,0.999")]
    pub(super) levels: Vec<f64>,
    /// Only these assets.
    #[arg(long, value_name = "ASSETS", value_delimiter = ',')]
    pub(super) assets: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// Price history, as for a proposal.
    pub(super) panel: PathBuf,
    /// Assets whose largest fall is replayed [default: every asset that was lost whole].
    #[arg(long, value_name = "ASSETS", value_delimiter = ',')]
    pub(super) collapse: Vec<String>,
    /// Hours that selling takes.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub(super) horizon_hours: u32,
    /// Share of windows whose fall a haircut should cover.
    #[arg(long, value_name = "SHARE", default_value_t = 0.999)]
    pub(super) quantile: f64,
    /// Haircut of the flat rule.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub(super) flat: f64,
    /// Days that the recent estimate looks back.
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(super) look_back_days: u32,
    /// Weight of the largest fall so far in the rule with a floor.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.25)]
    pub(super) stress_weight: f64,
    /// Y of the square-root law of impact.
    #[arg(long, value_name = "Y", default_value_t = 1.0)]
    pub(super) impact_y: f64,
    /// What is to be sold, a share of the daily volume.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub(super) size: f64,
    /// Days shown before the largest fall, and after it.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub(super) days: u32,
    /// Table of every day to write, CSV.
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Option<PathBuf>,
    /// Page with a chart for each asset to write, HTML.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FloorName {
    /// Nothing.
    None,
    /// The estimate of the whole history.
    Long,
    /// A weight on the largest fall of the whole history.
    Stress,
}

impl ProposeArgs {
    /// Snapshot, panel, rulebook to write; the parser has made sure that they are there.
    pub(super) fn files(&self) -> Result<(&Path, &Path, &Path)> {
        let files = self.snapshot.as_deref().zip(self.panel.as_deref()).zip(self.out.as_deref());
        let ((snapshot, panel), out) = files.ok_or_else(|| Error::Bug("a required argument is missing".into()))?;
        Ok((snapshot, panel, out))
    }

    /// How haircuts are to be made.
    ///
    /// # Errors
    /// [`Error::Usage`] where an asset has two pegs or two bridges; [`Error::Bug`] where the catalogue of events, which names
    /// stable assets, is broken.
    pub(super) fn settings(&self) -> Result<Settings> {
        Ok(Settings {
            horizon_hours: self.horizon_hours,
            level: self.quantile,
            look_back_days: self.look_back_days,
            impact: self.impact_y,
            sizes: if self.flat { Vec::new() } else { self.sizes.clone() },
            total_cap: self.total_cap,
            pegs: Pegs { of: by_asset("--peg", &self.peg)?, stable: events::catalogue()?.pegged },
            peg_floor: self.depeg_floor,
            bridge: by_asset("--bridge", &self.bridge)?,
            floor: match self.floor {
                FloorName::None => Floor::None,
                FloorName::Long => Floor::Long,
                FloorName::Stress => Floor::Stress(self.stress_weight),
            },
            step: self.step,
        })
    }

    /// The floor by name.
    pub(super) fn floor_name(&self) -> &'static str {
        match self.floor {
            FloorName::None => "none",
            FloorName::Long => "long",
            FloorName::Stress => "stress",
        }
    }

    /// Refuses assets that the snapshot does not have: a typing error would go unnoticed.
    pub(super) fn check_names(&self, snapshot: &Snapshot) -> Result<()> {
        let named = self.peg.iter().map(|(name, _)| name).chain(self.bridge.iter().map(|(name, _)| name));
        for name in named {
            let known = || snapshot.assets.iter().map(|asset| asset.name.as_str());
            if !known().any(|asset| asset == name) {
                let remedy = crate::suggest::remedy(name, known(), "the snapshot has no such asset");
                return Err(Error::Usage(format!("no asset {name:?} ({remedy})")));
            }
        }
        Ok(())
    }
}

/// Values by asset; refuses a second one of the same asset.
fn by_asset<T: Clone>(option: &str, pairs: &[(String, T)]) -> Result<BTreeMap<String, T>> {
    let mut values = BTreeMap::new();
    for (name, value) in pairs {
        match values.entry(name.clone()) {
            Entry::Vacant(free) => free.insert(value.clone()),
            Entry::Occupied(_) => {
                return Err(Error::Usage(format!("{option} is given twice for {name}: leave one out")));
            }
        };
    }
    Ok(values)
}

fn named<T: std::str::FromStr>(text: &str) -> Result<(String, T), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("write ASSET=VALUE")?;
    let value = value.trim();
    let parsed = value.parse().ok().filter(|_| !value.is_empty());
    Ok((name.trim().into(), parsed.ok_or_else(|| format!("{value:?} is no such value"))?))
}

fn step(text: &str) -> Result<StepLimit, String> {
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("{text:?} is not a number"));
    let (relative, absolute) = text.split_once(',').ok_or("write RELATIVE,ABSOLUTE")?;
    Ok(StepLimit { relative: number(relative)?, absolute: number(absolute)? })
}

fn correlation(text: &str) -> Result<f64, String> {
    let value = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if value > 0.0 && value <= 1.0 { Ok(value) } else { Err("a correlation above 0 and at most 1".into()) }
}
