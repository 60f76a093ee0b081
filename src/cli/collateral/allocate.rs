//! `collateral allocate`: the mix of collateral with the least haircut that still meets a pool's target.

use std::path::PathBuf;

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::cli::explain::find_one;
use crate::cli::inputs::resolved;
use crate::cli::{Context, Format, print_json, print_text};
use crate::collateral::{Allocation, AllocationAsk, allocate};
use crate::domain::{AssetIndex, Balance, BookBuilder, Snapshot};
use crate::error::{Error, Result};
use crate::io::snapshot::read_with_faults;
use crate::io::{read_rulebook, scenario_file};
use crate::margin::{MarginSide, Rulebook, Rules, Setting, check_book, revalue};
use crate::pricing::{Column, Unshocked};
use crate::report::money;
use crate::scenario::ScenarioSet;
use crate::suggest;

/// Arguments of `collateral allocate`.
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
    /// Scenario set in all of which the target is to be met, as it is in the unshocked market.
    #[arg(long, value_name = "FILE")]
    scenarios: Option<PathBuf>,
    /// What may be posted, ASSET=AMOUNT; may be repeated [default: what the pool holds].
    #[arg(long, value_name = "ASSET=AMOUNT", value_parser = available)]
    available: Vec<(String, f64)>,
    /// Multiple of the requirement that adjusted equity must reach, ≥ 1.
    #[arg(long, value_name = "RATIO", default_value_t = 1.0, value_parser = target)]
    target: f64,
    /// The requirement meant.
    #[arg(long, value_enum, default_value_t = On::Initial)]
    on: On,
}

/// Names of the requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    /// The initial margin.
    Initial,
    /// The maintenance margin.
    Maintenance,
}

fn available(text: &str) -> Result<(String, f64), String> {
    let (asset, amount) = text.rsplit_once('=').ok_or("write it like BTC=2.5")?;
    let amount = amount.parse::<f64>().ok().filter(|amount| (0.0..=1e30).contains(amount));
    Ok((asset.to_string(), amount.ok_or("an amount between 0 and 1e30")?))
}

fn target(text: &str) -> Result<f64, String> {
    let target = text.parse::<f64>().ok().filter(|target| (1.0..=1e6).contains(target));
    target.ok_or_else(|| "a multiple between 1 and 1e6".into())
}

/// Runs the command; returns the exit code: 5 where even everything available does not meet the target.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    let (snapshot, rulebook, scenarios) = read(args)?;
    let ask = AllocationAsk {
        available: available_assets(args, &snapshot)?,
        target: args.target,
        margin: match args.on {
            On::Initial => MarginSide::Initial,
            On::Maintenance => MarginSide::Maintenance,
        },
    };
    let held = snapshot.book.pool(0).balances.to_vec();
    let snapshot = with_available(&snapshot, &ask);
    let rules = Rules::resolve(&rulebook, &snapshot)?;
    let rows = revalue(&rules, &snapshot, &scenarios, Unshocked::Hold)?;
    let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
    let shown = Shown { snapshot: &snapshot, scenarios: &scenarios, held: &held, allocation: allocate(setting, &ask)? };
    match context.format {
        Format::Json => print_json(&shown.json()),
        Format::Table => print_text(shown.text()),
    }
    Ok(if shown.allocation.is_met { 0 } else { 5 })
}

/// The pool alone, the rules, the scenarios.
fn read(args: &Args) -> Result<(Snapshot, Rulebook, ScenarioSet)> {
    let mut loaded = read_with_faults(&args.snapshot)?;
    let path = args.rulebook.clone().unwrap_or_else(|| args.snapshot.join("rulebook.toml"));
    let rulebook = read_rulebook(&path)?;
    let (faults, _) = check_book(&loaded.snapshot, &rulebook);
    loaded.add(faults, Vec::new());
    let snapshot = loaded.into_snapshot()?;
    let index = find_one(&snapshot, &args.account, args.pool.as_deref())?;
    let scenarios = args.scenarios.as_deref().map(scenario_file::read).transpose()?.unwrap_or_default();
    let (scenarios, _) = resolved(scenarios, (&args.snapshot, &snapshot), &rulebook)?;
    Ok((snapshot.of_pool(index), rulebook, scenarios))
}

fn available_assets(args: &Args, snapshot: &Snapshot) -> Result<Vec<(AssetIndex, f64)>> {
    let mut available: Vec<(AssetIndex, f64)> = Vec::new();
    if args.available.is_empty() {
        for balance in snapshot.book.pool(0).balances {
            let amount = balance.amount + balance.accrued_interest;
            match available.iter_mut().find(|(asset, _)| *asset == balance.asset) {
                Some((_, sum)) if amount > 0.0 => *sum += amount,
                None if amount > 0.0 => available.push((balance.asset, amount)),
                _ => {}
            }
        }
        return Ok(available);
    }
    for (name, amount) in &args.available {
        let asset = snapshot.assets.binary_search_by(|asset| asset.name.cmp(name)).map_err(|_| {
            let known = snapshot.assets.iter().map(|asset| asset.name.as_str());
            Error::Usage(format!("--available {name} ({})", suggest::remedy(name, known, "no asset has this name")))
        })?;
        if available.iter().any(|(known, _)| *known == asset as AssetIndex) {
            return Err(Error::Usage(format!("--available {name} is given twice")));
        }
        available.push((asset as AssetIndex, *amount));
    }
    Ok(available)
}

/// The pool with everything available in place of its positive balances.
fn with_available(snapshot: &Snapshot, ask: &AllocationAsk) -> Snapshot {
    let pool = snapshot.book.pool(0);
    let mut book = BookBuilder::default();
    let id = book.pool(pool.account, pool.pool);
    let loans = pool.balances.iter().filter(|balance| balance.amount + balance.accrued_interest < 0.0);
    loans.for_each(|balance| book.add_balance(id, *balance));
    ask.available.iter().for_each(|&(asset, amount)| book.add_balance(id, Balance::new(asset, amount)));
    pool.positions.iter().for_each(|position| book.add_position(id, *position));
    *book.settings(id) = pool.settings.clone();
    snapshot.with_book(book.build())
}

struct Shown<'a> {
    snapshot: &'a Snapshot,
    scenarios: &'a ScenarioSet,
    held: &'a [Balance],
    allocation: Allocation,
}

impl Shown<'_> {
    fn held(&self, asset: AssetIndex) -> f64 {
        let lots = self.held.iter().filter(|balance| balance.asset == asset);
        lots.map(|balance| balance.amount + balance.accrued_interest).sum()
    }

    fn worst(&self) -> &str {
        match self.allocation.worst.0 {
            Column::Base => "the unshocked market",
            Column::Scenario(scenario) => &self.scenarios.ids[scenario],
        }
    }

    fn json(&self) -> Value {
        let of = |posted: &crate::collateral::Posted| {
            json!({"asset": self.snapshot.assets[posted.asset as usize].name, "held": self.held(posted.asset),
                "available": posted.available, "amount": posted.amount, "value": posted.value, "counted": posted.counted,
                "haircut": posted.value - posted.counted})
        };
        json!({
            "is_met": self.allocation.is_met,
            "haircut": self.allocation.haircut(),
            "worst_scenario": match self.allocation.worst.0 {
                Column::Base => Value::Null,
                Column::Scenario(scenario) => self.scenarios.ids[scenario].as_str().into(),
            },
            "worst_excess": self.allocation.worst.1,
            "programs": self.allocation.rounds,
            "posted": self.allocation.posted.iter().map(of).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["asset", "held", "available", "to post", "value", "counted", "haircut"]);
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        for posted in &self.allocation.posted {
            table.add_row([
                self.snapshot.assets[posted.asset as usize].name.clone(),
                self.held(posted.asset).to_string(),
                posted.available.to_string(),
                format!("{:.8}", posted.amount),
                money(posted.value),
                money(posted.counted),
                money(posted.value - posted.counted),
            ]);
        }
        let met = match self.allocation.is_met {
            true => "The target is met in every market",
            false => "Even everything available does not meet the target",
        };
        let (worst, excess) = (self.worst(), money(self.allocation.worst.1));
        let haircut = money(self.allocation.haircut());
        format!("{}\n\n{met}; lowest excess {excess}, in {worst}. Haircuts take {haircut}.", table.trim_fmt())
    }
}
