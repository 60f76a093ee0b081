mod args;
mod oracle;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

pub use args::Args;
use args::{
    AssetShocks, DepegArgs, EventsArgs, Generator, GridArgs, HistoryArgs, JoinArgs, Mode, MonteCarloArgs, RoutesArgs,
};
pub(super) use args::{CorrelationSource, parse_correlation, parse_volatility};

use super::{Context, Format, print_json, print_text};
use crate::domain::{Kind, Snapshot, Underlying, UnderlyingIndex};
use crate::error::{Error, Result};
use crate::io::{panel, scenario_file};
use crate::scenario::correlation::CorrelationMatrix;
use crate::scenario::grid::{GridRequest, Movement, grid};
use crate::scenario::history::{Filter, filtered_replay, keep_held, replay};
use crate::scenario::monte_carlo::{Dependence, MonteCarloRequest, monte_carlo, price_volatilities};
use crate::scenario::routes::{RouteShocks, routes};
use crate::scenario::volatility_moves::{VolatilityMoves, add_volatility_moves};
use crate::scenario::{ScenarioSet, depeg, events};

/// Correlation of every pair of prices where neither a panel nor a matrix is given: what large coins show over years.
pub(super) const USUAL_CORRELATION: f64 = 0.6;

/// What a command made: the set, sentences for reading, and fields for JSON.
pub(super) struct Made {
    pub(super) set: ScenarioSet,
    notes: Vec<String>,
    fields: Map<String, Value>,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let made = make(args)?;
    let (out, name) = target(args);
    print(name, out, &made, context);
    Ok(0)
}

/// Where the set goes, and the generator's name.
fn target(args: &Args) -> (&Path, &'static str) {
    match &args.generator {
        Generator::Grid(args) => (&args.out, "grid"),
        Generator::Events(args) => (&args.out, "events"),
        Generator::Depeg(args) => (&args.out, "depeg"),
        Generator::History(args) => (&args.out, "history"),
        Generator::MonteCarlo(args) => (&args.out, "monte-carlo"),
        Generator::Routes(args) => (&args.out, "routes"),
        Generator::Oracle(args) => (&args.out, "oracle"),
        Generator::Join(args) => (&args.out, "join"),
    }
}

/// Makes and writes the set.
pub(super) fn make(args: &Args) -> Result<Made> {
    let (out, _) = target(args);
    // A wrong extension must not cost the work first.
    scenario_file::Encoding::of(out)?;
    let made = match &args.generator {
        Generator::Grid(args) => run_grid(args),
        Generator::Events(args) => run_events(args),
        Generator::Depeg(args) => run_depeg(args),
        Generator::History(args) => run_history(args),
        Generator::MonteCarlo(args) => run_monte_carlo(args),
        Generator::Routes(args) => run_routes(args),
        Generator::Oracle(args) => oracle::run(args),
        Generator::Join(args) => run_join(args),
    }?;
    scenario_file::write(out, &made.set)?;
    Ok(made)
}

fn run_routes(args: &RoutesArgs) -> Result<Made> {
    let snapshot = crate::io::snapshot::read(&args.snapshot)?;
    let usual = RouteShocks::default();
    let or_usual = |given: &[f64], usual: Vec<f64>| if given.is_empty() { usual } else { given.to_vec() };
    let shocks = RouteShocks {
        delay_hours: or_usual(&args.delay_hours, usual.delay_hours),
        depegs: or_usual(&args.depeg, usual.depegs),
    };
    let mut set = routes(&snapshot.routes, &shocks)?;
    if let Some(path) = &args.cross {
        set = scenario_file::read(path)?.product(&set)?;
    }
    let names = snapshot.routes.iter().map(|route| Value::from(route.name.as_str())).collect();
    Ok(Made { set, notes: Vec::new(), fields: Map::from_iter([("routes".into(), names)]) })
}

fn run_join(args: &JoinArgs) -> Result<Made> {
    let sets = args.sets.iter().map(|path| scenario_file::read(path)).collect::<Result<Vec<_>>>()?;
    Ok(Made { set: ScenarioSet::join(&sets), notes: Vec::new(), fields: Map::new() })
}

fn run_grid(args: &GridArgs) -> Result<Made> {
    let snapshot = crate::io::snapshot::read(&args.snapshot)?;
    let request = GridRequest {
        price: args.price.clone(),
        volatility: args.vol.clone(),
        assets: args.asset.iter().map(|AssetShocks(name, shocks)| (name.clone(), shocks.clone())).collect(),
        underlyings: args.underlying.clone(),
        movement: match args.mode {
            Mode::Parallel => Movement::Parallel,
            Mode::PerUnderlying => Movement::PerUnderlying,
        },
    };
    let set = grid(&snapshot.underlyings, &snapshot.assets, &request)?;
    Ok(Made { set, notes: Vec::new(), fields: Map::new() })
}

fn run_events(args: &EventsArgs) -> Result<Made> {
    let catalogue = match &args.catalogue {
        Some(path) => events::parse(&std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?)?,
        None => events::catalogue()?,
    };
    let snapshot = crate::io::snapshot::read(&args.snapshot)?;
    let set = events::events(&catalogue, &snapshot.underlyings, &snapshot.assets)?;
    let notes = set.labels.iter().cloned().chain(["figures are approximate; the catalogue names its sources".into()]);
    let notes = notes.collect();
    let listed: Vec<Value> = catalogue
        .events
        .iter()
        .zip(&set.labels)
        .map(|(event, label)| json!({"id": event.id, "date": event.date, "label": label, "source": event.source}))
        .collect();
    Ok(Made { set, notes, fields: Map::from_iter([("events".into(), listed.into())]) })
}

fn run_depeg(args: &DepegArgs) -> Result<Made> {
    let snapshot = crate::io::snapshot::read(&args.snapshot)?;
    let set = depeg::depegs(&snapshot, &events::catalogue()?.pegged, &args.asset, &args.grid)?;
    let mut notes = set.labels.clone();
    notes.push("figures are approximate: the lowest prices reported".into());
    Ok(Made { set, notes, fields: Map::new() })
}

fn run_history(args: &HistoryArgs) -> Result<Made> {
    let panel = panel::read(&args.panel)?;
    let (mut set, report) = if args.filtered {
        let usual = Filter::default();
        let filter = Filter {
            lambda: args.lambda.unwrap_or(usual.lambda),
            seed_returns: args.seed_returns.unwrap_or(usual.seed_returns),
        };
        filtered_replay(&panel, &filter)?
    } else {
        replay(&panel)?
    };
    let mut lacking = Vec::new();
    if let Some(path) = &args.snapshot {
        let snapshot = crate::io::snapshot::read(path)?;
        (set, lacking) = keep_held(&set, &snapshot.underlyings, &snapshot.assets)?;
    }
    let unquoted: u64 = set.unquoted().iter().sum();
    let mut notes =
        vec![format!("step {} h; {} longer step(s), kept as they are", report.step_hours, report.gaps.len())];
    notes.extend(report.gaps.iter().map(|(hour, step)| format!("  {step} h before h{hour}")));
    notes.push(format!("{unquoted} empty cell(s): not quoted, left unshocked"));
    if args.filtered {
        notes.push(format!("{} leading row(s) spent on seeding", report.seed_rows));
        let clamped: u64 = report.clamped.iter().map(|(_, count)| count).sum();
        let by_asset: Vec<String> = report.clamped.iter().map(|(asset, count)| format!("{asset} {count}")).collect();
        notes.push(format!("{clamped} scaled return(s) below -1 set to -1: {}", by_asset.join(", ")));
        notes.push(format!("{} return(s) left unscaled: no earlier movement", report.unscaled));
    }
    if !report.left_out.is_empty() {
        notes.push(format!("left out, no return: {}", report.left_out.join(" ")));
    }
    if !lacking.is_empty() {
        notes.push(format!("held but without history: {}", lacking.join(" ")));
    }
    let fields = Map::from_iter([
        ("filtered".into(), args.filtered.into()),
        ("step_hours".into(), report.step_hours.into()),
        ("gaps".into(), report.gaps.iter().map(|(hour, step)| json!({"hour": hour, "step_hours": step})).collect()),
        ("unquoted_cells".into(), unquoted.into()),
        ("seed_rows".into(), report.seed_rows.into()),
        (
            "clamped".into(),
            report.clamped.iter().map(|(asset, count)| json!({"asset": asset, "count": count})).collect(),
        ),
        ("unscaled".into(), report.unscaled.into()),
        ("left_out".into(), report.left_out.into()),
        ("without_history".into(), lacking.into()),
    ]);
    Ok(Made { set, notes, fields })
}

fn run_monte_carlo(args: &MonteCarloArgs) -> Result<Made> {
    let snapshot = crate::io::snapshot::read_market(&args.snapshot)?;
    let choice = args.volatility.clone().unwrap_or_default();
    let (names, volatilities) = price_volatilities(&snapshot.underlyings, &choice)?;
    let dependence = dependence(args, &names)?;
    let request = MonteCarloRequest {
        names,
        volatilities,
        dependence,
        count: args.count,
        seed: args.seed,
        degrees_of_freedom: args.dof,
        horizon_days: args.horizon_days,
    };
    let (mut set, report) = monte_carlo(&request)?;
    if (args.vol_of_vol, args.vol_beta) != (0.0, 0.0) {
        let moves = VolatilityMoves {
            price_beta: args.vol_beta,
            volatility_of_volatility: args.vol_of_vol,
            horizon_days: args.horizon_days,
            seed: args.seed,
        };
        add_volatility_moves(&mut set, &with_options(&snapshot), &moves)?;
    }
    let mut notes: Vec<String> = request
        .names
        .iter()
        .zip(request.volatilities.iter().zip(&report.volatilities))
        .map(|(name, (asked, achieved))| format!("  {name}: volatility {achieved:.4}, asked {asked:.4}"))
        .collect();
    notes.push(format!(
        "correlation error: mean {:.4}, largest {:.4}",
        report.correlation_error_mean, report.correlation_error_max
    ));
    if report.shrinkage > 0.0 {
        notes.push(format!(
            "the correlations are not positive definite: every one was shrunk by {:.4} %",
            100.0 * report.shrinkage
        ));
    }
    if args.dof <= 2.0 {
        notes.push("with 2 degrees of freedom or fewer the variance does not exist: volatility is a scale only".into());
    }
    if report.clamped > 0 {
        notes.push(format!("{} log-return(s) clamped to ±20", report.clamped));
    }
    let achieved: Vec<Value> = request
        .names
        .iter()
        .zip(request.volatilities.iter().zip(&report.volatilities))
        .map(|(name, (asked, achieved))| json!({"factor": format!("price:{name}"), "asked": asked, "achieved": achieved}))
        .collect();
    let fields = Map::from_iter([
        ("seed".into(), args.seed.into()),
        ("volatilities".into(), achieved.into()),
        ("correlation_error_mean".into(), report.correlation_error_mean.into()),
        ("correlation_error_max".into(), report.correlation_error_max.into()),
        ("correlation_shrinkage".into(), report.shrinkage.into()),
        ("clamped".into(), report.clamped.into()),
    ]);
    Ok(Made { set, notes, fields })
}

/// Underlyings that options are listed on.
fn with_options(snapshot: &Snapshot) -> Vec<&Underlying> {
    let options = snapshot.instruments.iter().filter(|instrument| instrument.kind == Kind::Option);
    let indices: BTreeSet<UnderlyingIndex> = options.map(|instrument| instrument.underlying).collect();
    indices.into_iter().map(|index| &snapshot.underlyings[index as usize]).collect()
}

/// The dependence that the options ask for, over `names` in their order.
fn dependence(args: &MonteCarloArgs, names: &[String]) -> Result<Dependence> {
    match (&args.panel, &args.correlation) {
        (Some(_), Some(CorrelationSource::File(_))) => {
            Err(Error::Usage("--panel and --correlation FILE both give correlations: leave one out".into()))
        }
        (Some(path), number) => {
            let fallback = match number {
                Some(CorrelationSource::Number(value)) if !(-1.0..=1.0).contains(value) => {
                    return Err(Error::Usage(format!("correlation {value}: a correlation lies between -1 and 1")));
                }
                Some(CorrelationSource::Number(value)) => Some(*value),
                _ => None,
            };
            let matrix = CorrelationMatrix::of_panel(&panel::read(path)?)?;
            Ok(Dependence::Full(matrix.select(names, fallback)?))
        }
        (None, Some(CorrelationSource::File(path))) => {
            Ok(Dependence::Full(panel::read_correlation(path)?.select(names, None)?))
        }
        (None, Some(CorrelationSource::Number(value))) => Ok(Dependence::OneFactor(*value)),
        (None, None) => Ok(Dependence::OneFactor(USUAL_CORRELATION)),
    }
}

fn print(generator: &str, out: &Path, made: &Made, context: Context) {
    let (scenarios, factors) = made.set.shocks.dim();
    match context.format {
        Format::Json => {
            let mut object = Map::from_iter([
                ("generator".into(), generator.into()),
                ("out".into(), out.display().to_string().into()),
                ("scenarios".into(), scenarios.into()),
                ("factors".into(), made.set.factors.iter().map(|factor| Value::from(factor.to_string())).collect()),
            ]);
            object.extend(made.fields.clone());
            print_json(&object.into());
        }
        Format::Table => {
            print_text(format_args!("{}: {scenarios} scenarios × {factors} factors", out.display()));
            made.notes.iter().for_each(print_text);
        }
    }
}
