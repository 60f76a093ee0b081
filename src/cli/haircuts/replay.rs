use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::args::ReplayArgs;
use super::show::percent;
use crate::cli::{Context, Format, print_json, print_text};
use crate::collateral::haircut::{Replay, ReplayRule, ReplaySettings, replay, total_losses};
use crate::error::{Error, Result};
use crate::io::{panel, write_file};
use crate::report::collapse_html;
use crate::scenario::panel::moment;

/// Share of its highest price at which an asset that is no longer quoted counts as lost.
const LOST: f64 = 0.1;

/// Replays collapses.
pub(super) fn run(args: &ReplayArgs, context: Context) -> Result<u8> {
    let history = panel::read_history(&args.panel)?;
    let settings = ReplaySettings {
        horizon_hours: args.horizon_hours,
        level: args.quantile,
        flat: args.flat,
        look_back_days: args.look_back_days,
        stress_weight: args.stress_weight,
        impact: args.impact_y,
        size: args.size,
        days: args.days,
    };
    let mut names = args.collapse.clone();
    if names.is_empty() {
        names = total_losses(&history, LOST).into_iter().map(|course| course.name.clone()).collect();
    }
    if names.is_empty() {
        return Err(Error::Usage("no asset of the panel was lost whole: name some with --collapse".into()));
    }
    let replays = names.iter().map(|name| replay(&history, name, &settings)).collect::<Result<Vec<_>>>()?;
    if let Some(path) = &args.csv {
        write_file(path, csv(&replays).as_bytes())?;
    }
    if let Some(path) = &args.html {
        write_page(path, &replays)?;
    }
    match context.format {
        Format::Json => print_json(&json!({"replays": replays.iter().map(object).collect::<Vec<_>>()})),
        Format::Table => replays.iter().for_each(|replay| print_text(text(replay))),
    }
    Ok(0)
}

fn write_page(path: &Path, replays: &[Replay]) -> Result<()> {
    write_file(path, collapse_html(replays).as_bytes())
}

/// A moment as a day and an hour.
fn day(hour: i64) -> String {
    moment(hour).map_or_else(|| hour.to_string(), |moment| moment.to_string())
}

fn csv(replays: &[Replay]) -> String {
    let rules = ReplayRule::ALL.map(|rule| rule.name().replace(' ', "_"));
    let mut lines = vec![format!("asset,hour,moment,close,loss,{}", rules.join(","))];
    for replay in replays {
        for row in &replay.days {
            let haircuts = row.haircuts.map(|haircut| haircut.map_or_else(String::new, |haircut| haircut.to_string()));
            let cells = [row.hour.to_string(), day(row.hour), row.close.to_string(), row.loss.to_string()];
            lines.push(format!("{},{},{}", quoted(&replay.asset), cells.join(","), haircuts.join(",")));
        }
    }
    lines.join("\n") + "\n"
}

/// A CSV cell.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
}

fn object(replay: &Replay) -> Value {
    let day = |row: &crate::collateral::haircut::ReplayDay| {
        let haircuts =
            ReplayRule::ALL.iter().zip(row.haircuts).map(|(rule, haircut)| (rule.name().into(), haircut.into()));
        let haircuts: serde_json::Map<String, Value> = haircuts.collect();
        json!({"hour": row.hour, "close": row.close, "loss": row.loss, "haircuts": haircuts})
    };
    json!({
        "asset": replay.asset,
        "span_hours": replay.span_hours,
        "collapse_hour": replay.collapse.0,
        "collapse_loss": replay.collapse.1,
        "held": replay.held.iter().map(|held| json!({
            "rule": held.rule.name(), "days": held.days, "covered": held.covered,
            "first_breach_hour": held.first_breach, "largest_shortfall": held.largest_shortfall, "mean_haircut": held.mean,
        })).collect::<Vec<_>>(),
        "days": replay.days.iter().map(day).collect::<Vec<_>>(),
    })
}

fn text(replay: &Replay) -> String {
    let mut table = Table::new();
    let header = ["rule", "days", "covered", "first day not covered", "largest shortfall %", "mean haircut %"];
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for held in &replay.held {
        table.add_row(vec![
            held.rule.name().to_string(),
            held.days.to_string(),
            held.covered.to_string(),
            held.first_breach.map_or_else(|| "–".into(), day),
            percent(held.largest_shortfall),
            percent(held.mean),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let held = replay.held.iter().filter(|held| held.days > 0 && held.covered == held.days);
    let held: Vec<&str> = held.map(|held| held.rule.name()).collect();
    let verdict = if held.is_empty() { "no rule would have held".into() } else { format!("held: {}", held.join(", ")) };
    format!(
        "{}: lost {} % within {} h from {}; {verdict}\n{table}\n",
        replay.asset,
        percent(replay.collapse.1),
        replay.span_hours,
        day(replay.collapse.0)
    )
}
