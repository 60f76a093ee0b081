//! `backtest`: margin requirements against a return history.

mod args;
mod show;

use std::time::Instant;

pub use args::Args;

use super::progress::Meter;
use super::{Context, Format, explain, print_json, print_text};
use crate::backtest::{Backtest, BookTest, Buffer, LeftOut, Options, Rolling, Statistics, Tested, TestedPortfolio};
use crate::domain::Snapshot;
use crate::error::Result;
use crate::io::results::{BacktestRow, ResultsWriter};
use crate::io::{panel, read_rulebook, snapshot};
use crate::scenario::ScenarioSet;
use crate::scenario::history::{Filter, HistoryReport, filtered_replay, keep_held, replay};

/// Hours of a day.
const DAY_HOURS: i64 = 24;

/// What was tested, on what.
struct Findings<'a> {
    args: &'a Args,
    options: Options,
    report: HistoryReport,
    /// Id of the first and the last row, and how many there are.
    rows: (String, String, usize),
    /// The pools tested, as a snapshot of their own.
    snapshot: Snapshot,
    book: BookTest,
    synthetic: Vec<TestedPortfolio>,
    left_out: Vec<LeftOut>,
    seconds: f64,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let writer = args.out.as_deref().map(|out| ResultsWriter::create(out, args.tables.format())).transpose()?;
    let findings = test(args, context)?;
    let rows = findings.rows();
    if let Some(writer) = writer {
        writer.write_backtest(&rows)?;
        let mut manifest = findings.json(&rows);
        manifest["complete"] = true.into();
        manifest["version"] = env!("CARGO_PKG_VERSION").into();
        writer.finish(manifest)?;
    }
    match context.format {
        Format::Json => print_json(&findings.json(&rows)),
        Format::Table => print_text(findings.text(&rows)),
    }
    Ok(0)
}

fn test(args: &Args, context: Context) -> Result<Findings<'_>> {
    let rulebook = read_rulebook(&args.rulebook.clone().unwrap_or_else(|| args.snapshot.join("rulebook.toml")))?;
    let snapshot = snapshot::read(&args.snapshot)?;
    let (history, report) = history(args, &snapshot)?;
    let options = options(args, &report);
    let clock = Instant::now();
    let backtest = Backtest::new(&rulebook, &history, options)?;
    let (synthetic, left_out) = backtest.synthetic(&snapshot);
    let snapshot = chosen(args, snapshot)?;
    let meter = Meter::new(context.progress);
    let book = backtest.book(&snapshot, &meter);
    meter.finish();
    let label = |label: Option<&String>| label.cloned().unwrap_or_default();
    let labels = &backtest.history().labels;
    Ok(Findings {
        args,
        options,
        report,
        rows: (label(labels.first()), label(labels.last()), labels.len()),
        snapshot,
        book: book?,
        synthetic,
        left_out,
        seconds: clock.elapsed().as_secs_f64(),
    })
}

/// Returns of the panel that move what the snapshot holds, row by row.
fn history(args: &Args, snapshot: &Snapshot) -> Result<(ScenarioSet, HistoryReport)> {
    let panel = panel::read(&args.panel)?;
    let usual = Filter::default();
    let filter = Filter {
        lambda: args.lambda.unwrap_or(usual.lambda),
        seed_returns: args.seed_returns.unwrap_or(usual.seed_returns),
    };
    let (history, report) = if args.filtered { filtered_replay(&panel, &filter) } else { replay(&panel) }?;
    let (history, _) = keep_held(&history, &snapshot.underlyings, &snapshot.assets)?;
    Ok((history, report))
}

fn options(args: &Args, report: &HistoryReport) -> Options {
    let rows_per_day = (DAY_HOURS / report.step_hours.max(1)).max(1) as usize;
    let rolling = args.rolling.map(|window| Rolling {
        window: window as usize,
        floor_window: args.floor_window.map_or(usize::MAX, |rows| rows as usize),
        stressed_weight: args.stressed_weight,
        buffer: Buffer::of_share(args.buffer, rows_per_day),
    });
    Options {
        requirement: args.requirement(),
        loss_of: args.loss_of(),
        unshocked: args.unshocked.policy(),
        level: args.level,
        horizon: args.horizon as usize,
        rows_per_day,
        rolling,
    }
}

/// The snapshot with the pools asked for alone.
fn chosen(args: &Args, snapshot: Snapshot) -> Result<Snapshot> {
    let count = snapshot.book.len();
    match (&args.account, args.pools) {
        (Some(account), _) => Ok(snapshot.of_pools(&explain::find(&snapshot, account, None)?)),
        (None, Some(wanted)) if wanted < count => {
            let spread: Vec<usize> =
                (0..wanted).map(|at| (at as u128 * count as u128 / wanted as u128) as usize).collect();
            Ok(snapshot.of_pools(&spread))
        }
        _ => Ok(snapshot),
    }
}

impl Findings<'_> {
    /// Every row of the table: synthetic portfolios, the book, its pools.
    fn rows<'s>(&'s self) -> Vec<BacktestRow<'s>> {
        let overlap = self.options.horizon > 1;
        let row = |kind, portfolio, pool, tested: &'s Tested, dependent| {
            let statistics = Statistics::of(&tested.coverage, self.options.level);
            BacktestRow { kind, portfolio, pool, tested, statistics, dependent }
        };
        let synthetic = self.synthetic.iter().flat_map(|TestedPortfolio { portfolio, tested }| {
            let (kind, name) = (portfolio.shape.name(), portfolio.underlying.as_str());
            tested.iter().map(move |tested| row(kind, name, None, tested, overlap))
        });
        let book = self.book.pooled.iter().map(|tested| row("book", "", None, tested, true));
        let pools = self.book.pools.iter().flat_map(|pool| {
            let named = self.snapshot.book.pool(pool.index);
            pool.tested.iter().map(move |tested| row("pool", named.account, Some(named.pool), tested, overlap))
        });
        synthetic.chain(book).chain(pools).collect()
    }
}
