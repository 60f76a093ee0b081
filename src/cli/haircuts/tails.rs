use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::args::TailsArgs;
use super::show::percent;
use crate::cli::{Context, Format, print_json, print_text};
use crate::collateral::haircut::{Course, Floor, History, MarketFall};
use crate::error::{Error, Result};
use crate::io::panel;

/// Falls of one price within one horizon, one level after the other.
struct Row {
    asset: String,
    span_hours: i64,
    falls: Vec<MarketFall>,
}

/// Prints the falls of every price.
pub(super) fn run(args: &TailsArgs, context: Context) -> Result<u8> {
    if args.levels.iter().any(|level| !(*level > 0.0 && *level < 1.0)) {
        return Err(Error::Usage("a level lies strictly between 0 and 1".into()));
    }
    let history = panel::read_history(&args.panel)?;
    let courses = chosen(&history, &args.assets)?;
    // Two horizons may be the same number of steps.
    let mut spans = Vec::new();
    for span_hours in args.horizons.iter().map(|horizon| history.span(*horizon)) {
        if !spans.contains(&span_hours) {
            spans.push(span_hours);
        }
    }
    let (mut rows, mut short) = (Vec::new(), Vec::new());
    for course in courses {
        for &span_hours in &spans {
            let fall = |level: &f64| MarketFall::of(&history, course, span_hours, *level, (None, Floor::None));
            match args.levels.iter().map(fall).collect::<Result<Vec<_>, _>>() {
                Ok(falls) => rows.push(Row { asset: course.name.clone(), span_hours, falls }),
                Err(_) => short.push(format!("{} {span_hours} h", course.name)),
            }
        }
    }
    match context.format {
        Format::Json => print_json(&json!({
            "step_hours": history.step_hours(),
            "levels": args.levels,
            "rows": rows.iter().map(Row::json).collect::<Vec<_>>(),
            "too_short": short,
        })),
        Format::Table => {
            print_text(table(args, &rows));
            print_text(
                "percent of the price at entry; windows overlap; ! = too short for the quantile, continued from the largest",
            );
            if !short.is_empty() {
                print_text(format_args!("fewer than 30 independent windows: {}", short.join(", ")));
            }
        }
    }
    Ok(0)
}

/// The courses asked for, or all.
pub(super) fn chosen<'h>(history: &'h History, names: &[String]) -> Result<Vec<&'h Course>> {
    let find = |name: &String| {
        let known = history.courses.iter().map(|course| course.name.as_str());
        let missing = || format!("no asset {name:?} ({})", crate::suggest::remedy(name, known, "the panel has none"));
        history.course(name).ok_or_else(|| Error::Usage(missing()))
    };
    if names.is_empty() { Ok(history.courses.iter().collect()) } else { names.iter().map(find).collect() }
}

impl Row {
    fn json(&self) -> Value {
        let level = |fall: &MarketFall| {
            let tail = &fall.full;
            json!({
                "level": tail.level, "quantile": tail.quantile, "low": tail.low, "high": tail.high,
                "expected_shortfall": tail.expected_shortfall, "estimate": fall.estimate.loss,
                "extrapolated": super::show::factor(fall.estimate), "gaussian": fall.gaussian,
                "ratio": fall.ratio_to_gaussian(),
            })
        };
        let tail = self.falls.first().map(|fall| fall.full);
        json!({
            "asset": self.asset,
            "span_hours": self.span_hours,
            "windows": tail.map(|tail| tail.windows),
            "independent": tail.map(|tail| tail.independent),
            "largest": tail.map(|tail| tail.largest),
            "levels": self.falls.iter().map(level).collect::<Vec<_>>(),
        })
    }
}

fn table(args: &TailsArgs, rows: &[Row]) -> Table {
    let mut header = vec!["asset".to_string(), "hours".into(), "windows".into(), "independent".into()];
    header.extend(args.levels.iter().map(|level| format!("q{}", 100.0 * level)));
    let ends = args.levels.first().zip(args.levels.last());
    header.extend(ends.into_iter().flat_map(|(first, last)| {
        [
            format!("ES{}", 100.0 * first),
            "max".into(),
            format!("q{} in", 100.0 * last),
            "Gaussian".into(),
            "ratio".into(),
        ]
    }));
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for Row { asset, span_hours, falls } in rows {
        let Some((first, last)) = falls.first().zip(falls.last()) else { continue };
        let tail = &first.full;
        let mut cells =
            vec![asset.clone(), span_hours.to_string(), tail.windows.to_string(), format!("{:.0}", tail.independent)];
        cells.extend(falls.iter().map(|fall| {
            let mark = if super::show::factor(fall.estimate).is_some() { "!" } else { "" };
            format!("{}{mark}", percent(fall.full.quantile))
        }));
        cells.extend([percent(tail.expected_shortfall), percent(tail.largest), super::show::interval(&last.full)]);
        cells.push(percent(last.gaussian));
        cells.push(last.ratio_to_gaussian().map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}")));
        table.add_row(cells);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
