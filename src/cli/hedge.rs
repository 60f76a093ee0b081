//! `hedge`: the cheapest cut or hedge that restores one pool.

mod show;

use std::path::PathBuf;

use clap::ValueEnum;

use super::engine_args::UnshockedName;
use super::explain::find_one;
use super::inputs::{place_of, resolved};
use super::{Context, Format, print_json, print_text};
use crate::domain::{InstrumentIndex, Kind, Snapshot};
use crate::error::{Error, Result};
use crate::hedge::{Ask, CostRates, Cuts, Hedger, Liquidity, Participation, TradeAt};
use crate::io::snapshot::read_with_faults;
use crate::io::{read_rulebook, scenario_file};
use crate::margin::MarginSide;

/// Arguments of `hedge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Account that owns the pool.
    account: String,
    /// Pool of the account; needed where it has several.
    #[arg(long)]
    pool: Option<String>,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Scenario set; without it the target is met in the unshocked market.
    #[arg(long, value_name = "FILE", requires = "scenario")]
    scenarios: Option<PathBuf>,
    /// Scenario in which the target is to be met.
    #[arg(long, value_name = "ID", requires = "scenarios")]
    scenario: Option<String>,
    /// What to do with a held underlying that no factor moves.
    #[arg(long, value_enum, default_value_t = UnshockedName::Refuse)]
    unshocked: UnshockedName,
    /// Multiple of the requirement that adjusted equity must reach.
    #[arg(long, value_name = "RATIO", default_value_t = 1.1, allow_negative_numbers = true)]
    target: f64,
    /// The requirement meant.
    #[arg(long, value_enum, default_value_t = On::Maintenance)]
    on: On,
    /// Prices at which trades are made: those of the scenario, or those of the unshocked market, before it comes.
    #[arg(long, value_enum, default_value_t = TradeAtName::Scenario)]
    trade_at: TradeAtName,
    /// Instruments to hedge with [default: the perpetuals on what the positions refer to].
    #[arg(long, value_name = "INSTRUMENT", value_delimiter = ',')]
    with: Vec<String>,
    /// Cost of trading as a share of notional, RATE or KIND=RATE [default: spot=0.0012, perpetual=0.0006, future=0.0007,
    /// option=0.0013].
    #[arg(long, value_name = "[KIND=]RATE", value_delimiter = ',', allow_hyphen_values = true, value_parser = cost)]
    cost: Vec<Cost>,
    /// Most that a hedge may be, as a share of what trades [default: the pool's gross notional].
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    participation: Option<f64>,
    /// What participation is a share of.
    #[arg(long, value_enum, default_value_t = LiquidityName::Volume)]
    liquidity: LiquidityName,
    /// Whether positions may be cut.
    #[arg(long, value_enum, default_value_t = CutsName::On)]
    cuts: CutsName,
}

/// Names of the requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    /// The initial margin.
    Initial,
    /// The maintenance margin.
    Maintenance,
}

/// Names of the markets traded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TradeAtName {
    /// The market in which the target is to be met.
    Scenario,
    /// The unshocked market.
    Base,
}

/// Names of what trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LiquidityName {
    /// Average daily volume.
    Volume,
    /// Depth within 1 % of the mid price.
    Depth,
}

/// Whether positions may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CutsName {
    /// They may.
    On,
    /// They stay or grow.
    Off,
}

/// A cost of one kind of contract, or of all.
#[derive(Debug, Clone, Copy)]
struct Cost {
    kind: Option<Kind>,
    rate: f64,
}

/// Names of the kinds of contracts.
const KINDS: [(&str, Kind); 4] =
    [("spot", Kind::Spot), ("perpetual", Kind::Perpetual), ("future", Kind::Future), ("option", Kind::Option)];

fn cost(text: &str) -> Result<Cost, String> {
    let (kind, rate) = match text.split_once('=') {
        None => (None, text),
        Some((name, rate)) => match KINDS.iter().find(|(known, _)| *known == name) {
            Some((_, kind)) => (Some(*kind), rate),
            None => {
                let known = KINDS.map(|(name, _)| name);
                let remedy = crate::suggest::remedy(name, known, &format!("there are {}", known.join(", ")));
                return Err(format!("no kind of contract {name:?} ({remedy})"));
            }
        },
    };
    let rate = rate.parse().map_err(|_| format!("{rate:?} is no number"))?;
    Ok(Cost { kind, rate })
}

/// Runs the command; returns the exit code: 0, or 6 where the pool is unknown.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let rulebook = read_rulebook(&args.rulebook.clone().unwrap_or_else(|| args.snapshot.join("rulebook.toml")))?;
    let scenarios = args.scenarios.as_deref().map(scenario_file::read).transpose()?;
    let place = match (&scenarios, &args.scenario) {
        (Some(set), Some(id)) => Some(place_of(set, id)?),
        _ => None,
    };
    let snapshot = read_with_faults(&args.snapshot)?.into_quarantined()?;
    let scenarios =
        scenarios.map(|set| resolved(set, (&args.snapshot, &snapshot), &rulebook)).transpose()?.map(|set| set.0);
    let scenario = scenarios.as_ref().zip(place);
    let index = find_one(&snapshot, &args.account, args.pool.as_deref())?;
    let pool = snapshot.book.pool(index);
    let ask = args.ask(&snapshot)?;
    let shown = show::Shown { args, snapshot: &snapshot, pool };
    if pool.unknown {
        match context.format {
            Format::Json => print_json(&shown.unknown_json()),
            Format::Table => print_text(shown.unknown_text()),
        }
        return Ok(6);
    }
    let hedger = Hedger { snapshot: &snapshot, rulebook: &rulebook, scenario, unshocked: args.unshocked.policy() };
    let hedged = hedger.plans(index, &ask)?;
    match context.format {
        Format::Json => print_json(&shown.json(&hedged)),
        Format::Table => shown.print(&hedged),
    }
    Ok(0)
}

impl Args {
    fn ask(&self, snapshot: &Snapshot) -> Result<Ask> {
        let mut costs = CostRates::default();
        for cost in &self.cost {
            let kinds = KINDS.iter().map(|(_, kind)| *kind).filter(|kind| cost.kind.is_none_or(|only| only == *kind));
            kinds.for_each(|kind| *costs.of_mut(kind) = cost.rate);
        }
        let of = match self.liquidity {
            LiquidityName::Volume => Liquidity::Volume,
            LiquidityName::Depth => Liquidity::Depth,
        };
        Ok(Ask {
            target: self.target,
            on: self.side(),
            trade_at: match self.trade_at {
                TradeAtName::Scenario => TradeAt::Evaluated,
                TradeAtName::Base => TradeAt::Base,
            },
            cuts: match self.cuts {
                CutsName::On => Cuts::Allowed,
                CutsName::Off => Cuts::Refused,
            },
            hedges: if self.with.is_empty() { None } else { Some(self.hedges(snapshot)?) },
            costs,
            participation: self.participation.map(|share| Participation { share, of }),
        })
    }

    fn side(&self) -> MarginSide {
        match self.on {
            On::Initial => MarginSide::Initial,
            On::Maintenance => MarginSide::Maintenance,
        }
    }

    fn hedges(&self, snapshot: &Snapshot) -> Result<Vec<InstrumentIndex>> {
        let names = || snapshot.instruments.iter().map(|instrument| instrument.name.as_str());
        let index_of = |name: &String| match names().position(|known| known == name) {
            Some(index) => Ok(index as InstrumentIndex),
            None => {
                let remedy = crate::suggest::remedy(name, names(), "the snapshot has no such instrument");
                Err(Error::Usage(format!("no instrument {name:?} ({remedy})")))
            }
        };
        self.with.iter().map(index_of).collect()
    }
}
