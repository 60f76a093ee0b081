//! `explain`: every term of one account's equity and requirement.

mod event;
mod greeks;

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::engine_args::UnshockedName;
use super::{Context, Format, print_json, print_text, status};
use crate::domain::Snapshot;
use crate::engine::{Explainer, Explanation, Reach, State, Statement};
use crate::error::{Error, Result};
use crate::io::snapshot::read_with_faults;
use crate::io::{read_rulebook, scenario_file};
use crate::margin::component::GroupValue;
use crate::margin::{
    Basis, Branch, ComponentStatement, OptionBasis, SpreadBasis, StatusRung, Term, TermKind, TermSums, rung_at,
};
use crate::pricing::Column;
use crate::scenario::ScenarioSet;

/// Rounding of sums that is not worth a word, relative to the sizes summed.
const ROUNDING: f64 = 1e-9;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("source").args(["scenarios", "events"])))]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Account to explain.
    account: String,
    /// Pool of the account [default: each of them].
    #[arg(long)]
    pool: Option<String>,
    /// Scenario set; without it only the unshocked market is shown.
    #[arg(long, value_name = "FILE")]
    scenarios: Option<PathBuf>,
    /// Scenario to show [default: the pool's worst; of an event: the one that has it].
    #[arg(long, value_name = "ID", requires = "source")]
    scenario: Option<String>,
    /// Event of a liquidation to show, by its number in its scenario.
    #[arg(long, value_name = "N", requires = "events")]
    event: Option<u64>,
    /// Directory that `liquidate` wrote.
    #[arg(long, value_name = "DIR", requires = "event")]
    events: Option<PathBuf>,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// What to do with a held underlying that no factor moves.
    #[arg(long, value_enum, default_value_t = UnshockedName::Refuse)]
    unshocked: UnshockedName,
}

/// What is known of one pool; no explanation where a refused row touches it.
struct Explained<'a> {
    account: &'a str,
    pool: &'a str,
    explanation: Option<Explanation>,
    /// The scenario set, where there is one.
    scenarios: Option<&'a ScenarioSet>,
    /// The rulebook's status ladder.
    ladder: &'a [StatusRung],
    /// For the names of what it holds.
    snapshot: &'a Snapshot,
}

/// Runs the command; returns the exit code: 0, or 6 where a pool asked for is unknown.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    if let (Some(number), Some(events)) = (args.event, &args.events) {
        let snapshot = read_with_faults(&args.snapshot)?.into_quarantined()?;
        find(&snapshot, &args.account, args.pool.as_deref())?;
        let (account, pool, scenario) = (args.account.as_str(), args.pool.as_deref(), args.scenario.as_deref());
        return event::run(&event::Query { events, number, account, pool, scenario }, &snapshot, context);
    }
    let rulebook = read_rulebook(&args.rulebook.clone().unwrap_or_else(|| args.snapshot.join("rulebook.toml")))?;
    let scenarios = args.scenarios.as_deref().map(scenario_file::read).transpose()?;
    let scenario = match (&scenarios, &args.scenario) {
        (Some(set), Some(id)) => Some(super::inputs::place_of(set, id)?),
        _ => None,
    };
    let loaded = read_with_faults(&args.snapshot)?;
    let refused = loaded.rows_refused();
    if refused > 0 {
        tracing::warn!(
            "{refused} row(s) of the snapshot refused: the pools they touch are unknown; `check` lists them"
        );
    }
    let snapshot = loaded.into_quarantined()?;
    let scenarios = match scenarios {
        None => None,
        Some(set) => {
            let (set, warnings) = super::inputs::resolved(set, (&args.snapshot, &snapshot), &rulebook)?;
            warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            Some(set)
        }
    };
    let pools = find(&snapshot, &args.account, args.pool.as_deref())?;
    let explainer = Explainer {
        snapshot: &snapshot,
        rulebook: &rulebook,
        scenarios: scenarios.as_ref(),
        unshocked: args.unshocked.policy(),
    };
    let mut explained = Vec::with_capacity(pools.len());
    for index in pools {
        let pool = snapshot.book.pool(index);
        let explanation = if pool.unknown { None } else { Some(explainer.explain(index, scenario)?) };
        explained.push(Explained {
            account: pool.account,
            pool: pool.pool,
            explanation,
            scenarios: scenarios.as_ref(),
            ladder: &rulebook.status,
            snapshot: &snapshot,
        });
    }
    match context.format {
        Format::Json => print_json(&match &explained[..] {
            [only] => only.json(),
            all => json!({"account": args.account, "pools": all.iter().map(Explained::json).collect::<Vec<_>>()}),
        }),
        Format::Table => explained.iter().for_each(Explained::print),
    }
    Ok(if explained.iter().all(|pool| pool.explanation.is_some()) { 0 } else { 6 })
}

/// Positions in the book of the pools asked for.
pub(super) fn find(snapshot: &Snapshot, account: &str, pool: Option<&str>) -> Result<Vec<usize>> {
    let book = &snapshot.book;
    let of_account: Vec<usize> = (0..book.len()).filter(|&index| book.pool(index).account == account).collect();
    if of_account.is_empty() {
        let accounts = book.pools().map(|pool| pool.account);
        let remedy = crate::suggest::remedy(account, accounts, "the snapshot has no such account");
        return Err(Error::Usage(format!("no account {account:?} ({remedy})")));
    }
    let Some(name) = pool else { return Ok(of_account) };
    let names: Vec<&str> = of_account.iter().map(|&index| book.pool(index).pool).collect();
    match names.iter().position(|candidate| *candidate == name) {
        Some(at) => Ok(vec![of_account[at]]),
        None => {
            let otherwise = format!("it has {}", names.join(", "));
            let remedy = crate::suggest::remedy(name, names, &otherwise);
            Err(Error::Usage(format!("account {account:?} has no pool {name:?} ({remedy})")))
        }
    }
}

/// Position in the book of the only pool asked for.
pub(super) fn find_one(snapshot: &Snapshot, account: &str, pool: Option<&str>) -> Result<usize> {
    match find(snapshot, account, pool)?[..] {
        [index] => Ok(index),
        ref several => {
            let names: Vec<&str> = several.iter().map(|&index| snapshot.book.pool(index).pool).collect();
            let names = names.join(", ");
            Err(Error::Usage(format!("account {account:?} has several pools (choose one with --pool: {names})")))
        }
    }
}

impl Explained<'_> {
    /// Id of a market's scenario; none at base.
    fn id(&self, column: Column) -> Option<&str> {
        match (column, self.scenarios) {
            (Column::Scenario(at), Some(set)) => set.ids.get(at).map(String::as_str),
            _ => None,
        }
    }

    /// The rung of the status ladder that the pool is on.
    fn rung(&self, statement: &Statement) -> Option<&StatusRung> {
        rung_at(self.ladder, statement.figures.adjusted_equity, statement.figures.maintenance_margin)
    }

    fn json(&self) -> Value {
        let Some(explanation) = &self.explanation else {
            return json!({
                "account": self.account, "pool": self.pool, "scenario": null, "state": State::Unknown.name(),
                "equity": null, "adjusted_equity": null, "initial_margin": null, "maintenance_margin": null,
                "health_ratio": null, "status": null, "terms": [], "components": [], "greeks": [],
            });
        };
        let mut object = self.statement_json(explanation.scenario.as_ref().unwrap_or(&explanation.base));
        if explanation.scenario.is_some() {
            object.insert("base".into(), self.statement_json(&explanation.base).into());
        }
        let reach = |reach: &Reach| {
            json!({"factor": reach.factor, "down": reach.down, "up": reach.up,
            "bankrupt_down": reach.bankrupt_down, "bankrupt_up": reach.bankrupt_up})
        };
        object.insert("liquidating_moves".into(), explanation.reaches.iter().map(reach).collect());
        object.into()
    }

    fn statement_json(&self, statement: &Statement) -> Map<String, Value> {
        let figures = &statement.figures;
        Map::from_iter([
            ("account".into(), self.account.into()),
            ("pool".into(), self.pool.into()),
            ("scenario".into(), self.id(statement.column).into()),
            ("state".into(), statement.state.name().into()),
            ("equity".into(), figures.equity.into()),
            ("adjusted_equity".into(), figures.adjusted_equity.into()),
            ("initial_margin".into(), figures.initial_margin.into()),
            ("maintenance_margin".into(), figures.maintenance_margin.into()),
            ("health_ratio".into(), figures.health_ratio().into()),
            ("status".into(), self.rung(statement).map(status::rung_json).into()),
            ("utilisation".into(), figures.utilisation().into()),
            ("terms_rounding".into(), statement.rounding.into()),
            ("terms".into(), statement.terms.iter().map(term_json).collect()),
            ("components".into(), statement.components.iter().flat_map(component_json).collect()),
            ("greeks".into(), greeks::json(self.snapshot, &statement.greeks)),
        ])
    }

    fn print(&self) {
        let Some(explanation) = &self.explanation else {
            print_text(format_args!(
                "{} / {}: unknown: a refused row touches this pool, so nothing is claimed about it",
                self.account, self.pool
            ));
            return;
        };
        self.print_statement(&explanation.base, "unshocked market");
        if let Some(statement) = &explanation.scenario {
            self.print_statement(statement, &self.title(statement.column));
        }
        print_reaches(&explanation.reaches);
    }

    fn title(&self, column: Column) -> String {
        let label = match (column, self.scenarios) {
            (Column::Scenario(at), Some(set)) => set.labels.get(at).filter(|label| !label.is_empty()),
            _ => None,
        };
        let label = label.map_or_else(String::new, |label| format!(" ({label})"));
        format!("scenario {}{label}", self.id(column).unwrap_or_default())
    }

    fn print_statement(&self, statement: &Statement, market: &str) {
        print_text(format_args!("{} / {}, {market}: {}", self.account, self.pool, statement.state.name()));
        if !self.ladder.is_empty() {
            let rung = self.rung(statement).map_or_else(|| "above every rung".into(), status::rung_text);
            print_text(format_args!("status: {rung}"));
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header([
            "component",
            "item",
            "value",
            "alternative",
        ]);
        if let Some(column) = table.column_mut(2) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
        for term in &statement.terms {
            let alternative = [basis_text(term), term.alternative.clone().unwrap_or_default()];
            let alternative: Vec<String> = alternative.into_iter().filter(|text| !text.is_empty()).collect();
            table.add_row([term.component.name().into(), term.item.clone(), money(term.value), alternative.join("; ")]);
        }
        let figures = &statement.figures;
        let totals = [
            ("equity", figures.equity),
            ("adjusted equity", figures.adjusted_equity),
            ("initial margin", figures.initial_margin),
            ("maintenance margin", figures.maintenance_margin),
        ];
        for (name, value) in totals {
            table.add_row(["total", name, &money(value), ""]);
        }
        print_text(table);
        let health =
            figures.health_ratio().map_or_else(|| "none: no requirement".into(), |ratio| format!("{ratio:.6}"));
        print_text(format_args!("health ratio (adjusted equity / maintenance margin): {health}"));
        print_text(rounding_text(statement));
        print_components(&statement.components);
        greeks::print(self.snapshot, &statement.greeks);
        print_text("");
    }
}

fn term_json(term: &Term) -> Value {
    let basis = json!(term.basis);
    json!({
        "component": term.component.name(),
        "item": term.item,
        "value": term.value,
        "alternative": term.alternative,
        "basis": basis,
    })
}

/// A component's groups, one object each.
fn component_json(component: &ComponentStatement) -> Vec<Value> {
    let of = |group: &GroupValue| {
        json!({
            "component": component.name,
            "group": group.group,
            "initial": group.value.initial,
            "maintenance": group.value.maintenance,
            "binding": group.binding,
        })
    };
    component.groups.iter().map(of).collect()
}

fn print_components(components: &[ComponentStatement]) {
    if components.iter().all(|component| component.groups.is_empty()) {
        return;
    }
    print_text("components, before the rulebook's expressions put them together:");
    let mut table = comfy_table::Table::new();
    let header = ["component", "group", "initial", "maintenance", "what binds"];
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(header);
    for column in [2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    for component in components {
        for group in &component.groups {
            let binding = group.binding.clone().unwrap_or_default();
            let (initial, maintenance) = (money(group.value.initial), money(group.value.maintenance));
            table.add_row([component.name.clone(), group.group.clone(), initial, maintenance, binding]);
        }
    }
    print_text(table);
}

/// The numbers of a requirement; those of other terms are in the JSON.
fn basis_text(term: &Term) -> String {
    match term.basis {
        Basis::Bracket(bracket) => {
            let multiplier =
                if bracket.multiplier == 1.0 { String::new() } else { format!("{} · ", bracket.multiplier) };
            let deduction =
                if bracket.deduction == 0.0 { String::new() } else { format!(" − {}", money(bracket.deduction)) };
            format!(
                "{multiplier}{} · {}{deduction}, bracket {} of {}",
                money(bracket.notional),
                rate(bracket.rate),
                bracket.bracket,
                bracket.brackets
            )
        }
        Basis::Option(option) => option_text(&option),
        Basis::Spread(spread) => spread_text(&spread),
        Basis::Amount { amount, price } => format!("{} · {}", money(amount), money(price)),
        Basis::Position { quantity, unit_value, entry_value: 0.0, .. } => {
            format!("{} · {}", money(quantity), money(unit_value))
        }
        Basis::Position { quantity, unit_value, entry_value, price } => {
            format!("{} · ({} − {} at entry)", money(quantity), money(unit_value), money(entry_value * price))
        }
        Basis::Kept { value, kept } if term.component == TermKind::Haircut && kept != value => {
            format!("{} of {} count", money(kept), money(value))
        }
        Basis::Component { value, multiplier } if multiplier != 1.0 => format!("{multiplier} · {}", money(value)),
        Basis::Component { .. } | Basis::Kept { .. } | Basis::Given => String::new(),
    }
}

/// How an option is margined by itself.
fn option_text(option: &OptionBasis) -> String {
    let OptionBasis { reference, out_of_the_money, rate: at_money, floor, .. } = *option;
    let reason = match option.branch {
        None if option.requirement == 0.0 => return "a long option requires nothing here".into(),
        None => "a share of its mark".into(),
        Some(Branch::Rate) => {
            format!("{} · {} − {} out of the money", rate(at_money), money(reference), money(out_of_the_money))
        }
        Some(Branch::Floor) => format!("floor {} · {}", rate(floor), money(reference)),
        Some(Branch::PutCap) => "capped by a share of the strike".into(),
        Some(Branch::PutFloor) => "at least a share of the mark".into(),
        Some(Branch::InitialOverMaintenance) => "raised by the maintenance requirement".into(),
        Some(Branch::Expired) => "expired".into(),
    };
    let multiplier = if option.multiplier == 1.0 { String::new() } else { format!("{} · ", option.multiplier) };
    let mark = match option.counted_mark {
        0.0 => String::new(),
        mark => format!(" + mark {}", money(mark)),
    };
    format!("{multiplier}{} · ({}{mark}): {reason}", money(option.quantity.abs()), money(option.requirement))
}

/// How a group of options is margined.
fn spread_text(spread: &SpreadBasis) -> String {
    let multiplier = if spread.multiplier == 1.0 { String::new() } else { format!("{} · ", spread.multiplier) };
    let reason = match spread.applied {
        "isolated" => "each option by itself",
        "max_loss" => "the maximum loss over the strikes",
        _ => "no loss over the strikes",
    };
    format!("{multiplier}{reason}, beside options worth {}", money(spread.option_value))
}

/// How well the terms add up.
fn rounding_text(statement: &Statement) -> String {
    let size = TermSums::of(&statement.terms).size;
    let rounding = statement.rounding;
    if rounding <= ROUNDING {
        "the terms add to the totals within 1e-9".into()
    } else {
        format!("the terms add to the totals within {rounding:.1e}, the rounding of sums of {}", money(size))
    }
}

fn print_reaches(reaches: &[Reach]) {
    if reaches.is_empty() {
        return;
    }
    print_text(
        "moves of one price, all others still, or of every price together, from which the pool is liquidatable, and bankrupt \
         (−100 % to +1,000 % searched):",
    );
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header([
        "factor",
        "fall",
        "rise",
        "fall to bankruptcy",
        "rise to bankruptcy",
    ]);
    let shown = |shock: Option<f64>| shock.map_or_else(|| "none".into(), |shock| format!("{:+.4} %", 100.0 * shock));
    for reach in reaches {
        let factor = match reach.factor.as_str() {
            Reach::EVERY_PRICE => "every price".into(),
            factor => format!("price:{factor}"),
        };
        let moves = [reach.down, reach.up, reach.bankrupt_down, reach.bankrupt_up].map(shown);
        table.add_row([vec![factor], moves.to_vec()].concat());
    }
    print_text(table);
}

/// To a millionth.
fn money(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

fn rate(rate: f64) -> String {
    format!("{} %", money(100.0 * rate))
}
