use std::path::{Path, PathBuf};

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::cli::{Context, Format, print_json, print_text};
use crate::collateral::network::{Credit, FundLimit, RouteClass, RouteTotals, credit_routes};
use crate::error::{Error, Result};
use crate::io::{read_rulebook, snapshot, write_file};
use crate::margin::Rulebook;
use crate::policy::{FundScope, Purse};
use crate::report::money;

/// Arguments of `collateral routes`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables, with a table of routes.
    snapshot: PathBuf,
    /// Margin rules to extend [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Insurance fund, quote units [default: the global fund of the rulebook's [liquidation.fund]].
    #[arg(long, value_name = "QUOTE", value_parser = not_negative)]
    insurance_fund: Option<f64>,
    /// Most that is credited on one route, as a multiple of the insurance fund.
    #[arg(long, value_name = "MULTIPLE", default_value_t = 1.0, value_parser = not_negative)]
    fund_multiple: f64,
    /// Rulebook to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=1e30).contains(number));
    number.ok_or_else(|| "a number between 0 and 1e30".into())
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let path = args.rulebook.clone().unwrap_or_else(|| args.snapshot.join("rulebook.toml"));
    let rulebook = read_rulebook(&path)?;
    keeps_sets(&rulebook, &path, &args.out)?;
    let snapshot = snapshot::read(&args.snapshot)?;
    let fund_quote = args.insurance_fund.or_else(|| fund_of(&rulebook));
    let fund = fund_quote.map(|fund_quote| FundLimit { fund_quote, multiple: args.fund_multiple });
    let credit = credit_routes(&snapshot, &rulebook, fund)?;
    write_file(&args.out, credit.rulebook.to_toml().as_bytes())?;
    for totals in credit.routes.iter().filter(|totals| totals.in_transit_scale < 1.0) {
        let route = &totals.route;
        tracing::warn!(
            "{route}: lots in transit alone count beyond the limit: their classes {route}:transit are cut to it"
        );
    }
    match context.format {
        Format::Json => print_json(&object(args, fund, &credit)),
        Format::Table => print(args, fund, &credit),
    }
    Ok(0)
}

/// Sets of moves are named relative to their rulebook: beside it they are found, elsewhere they would be lost.
fn keeps_sets(rulebook: &Rulebook, path: &Path, out: &Path) -> Result<()> {
    let folder = |path: &Path| path.parent().map(|folder| std::fs::canonicalize(folder.join(".")).ok());
    if rulebook.sets.is_empty() || folder(path) == folder(out) {
        return Ok(());
    }
    let place = path.parent().unwrap_or(Path::new(".")).display();
    Err(Error::Usage(format!("--out: the rulebook names sets of moves beside it: write the result to {place}")))
}

/// The global insurance fund of a rulebook's policy, where it has one with money.
fn fund_of(rulebook: &Rulebook) -> Option<f64> {
    let fund = &rulebook.liquidation.as_ref()?.fund;
    match fund.balance {
        Purse::Quote(quote) if fund.scope == FundScope::Global && quote > 0.0 => Some(quote),
        _ => None,
    }
}

fn object(args: &Args, fund: Option<FundLimit>, credit: &Credit) -> Value {
    json!({
        "out": args.out.display().to_string(),
        "insurance_fund": fund.map(|fund| fund.fund_quote),
        "fund_multiple": args.fund_multiple,
        "routes": credit.routes.iter().map(totals_json).collect::<Vec<_>>(),
        "classes": credit.classes.iter().map(class_json).collect::<Vec<_>>(),
    })
}

fn totals_json(totals: &RouteTotals) -> Value {
    json!({
        "route": totals.route,
        "attested": totals.attested_quote,
        "in_transit": totals.in_transit_quote,
        "unlimited": totals.unlimited_quote,
        "limit": totals.limit_quote,
        "scale": totals.scale,
        "in_transit_scale": totals.in_transit_scale,
        "credited": totals.credited_quote,
        "share_of_fund": totals.share_of_fund,
    })
}

fn class_json(class: &RouteClass) -> Value {
    json!({
        "route": class.route,
        "class": class.class,
        "settled_class": class.settled_class,
        "settled_haircut": class.settled,
        "horizon_seconds": class.horizon_seconds,
        "market_haircut": class.market,
        "measured": class.is_measured,
        "bridge_haircut": class.bridge,
        "scale": class.scale,
        "haircut": class.haircut,
    })
}

fn print(args: &Args, fund: Option<FundLimit>, credit: &Credit) {
    let percent = |share: f64| format!("{:.4} %", 100.0 * share);
    let mut table = Table::new();
    let header = ["class", "settled", "horizon", "market", "from", "bridge", "limit leaves", "haircut"];
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for class in &credit.classes {
        table.add_row([
            class.class.clone(),
            percent(class.settled),
            format!("{:.1} min", class.horizon_seconds / 60.0),
            percent(class.market),
            if class.is_measured { "curve" } else { "√time" }.into(),
            percent(class.bridge),
            percent(class.scale),
            percent(class.haircut),
        ]);
    }
    print_text(table);
    let mut table = Table::new();
    let header = ["route", "attested", "in transit", "would count", "limit", "counts", "of the fund"];
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for totals in &credit.routes {
        table.add_row([
            totals.route.clone(),
            money(totals.attested_quote),
            money(totals.in_transit_quote),
            money(totals.unlimited_quote),
            totals.limit_quote.map_or_else(|| "none".into(), money),
            money(totals.credited_quote),
            totals.share_of_fund.map_or_else(|| "–".into(), percent),
        ]);
    }
    print_text(table);
    match fund {
        Some(fund) => print_text(format_args!(
            "at most {} × the insurance fund of {} on one route",
            fund.multiple,
            money(fund.fund_quote)
        )),
        None => print_text("no insurance fund is known: only the routes' own caps limit what counts"),
    }
    print_text(format_args!("{}: {} haircut classes", args.out.display(), credit.rulebook.haircut.len()));
}
