//! The same book under other margin modes and other rulebooks: what it needs, who breaks, what one leg does to another.
//!
//! `split` and `net` rearrange the book, the engine sweeps each arrangement, `metrics` and `utilisation` sum up,
//! `contagion` looks at the legs of liquidatable pools one by one, `diff` counts the accounts that change state.

mod contagion;
mod diff;
mod figures;
mod metrics;
mod net;
mod split;
mod utilisation;

use rayon::ThreadPoolBuilder;

pub use contagion::Contagion;
pub use figures::Figure;
pub use metrics::{Metrics, Totals, Worst};
pub use net::{Netted, net};
pub use split::{Allocation, divided, isolated, merged};
pub use utilisation::AssetUtilisation;

use crate::domain::{Mode, Snapshot};
use crate::engine::{Outcome, Progress, State, SweepOptions, sweep};
use crate::error::{Error, Result};
use crate::margin::{Rulebook, Rules, Setting, revalue};
use crate::pricing::Unshocked;
use crate::scenario::ScenarioSet;
use contagion::Pair;

/// Which balances back which positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arrangement {
    /// The pools of the snapshot.
    AsIs,
    /// One pool for each account.
    Cross,
    /// Every position a pool of its own.
    Isolated,
    /// One pool for each account, margined as a portfolio.
    Portfolio,
}

impl Arrangement {
    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsIs => "as_is",
            Self::Cross => "cross",
            Self::Isolated => "isolated",
            Self::Portfolio => "portfolio",
        }
    }
}

/// What a caller may choose about a comparison.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// How each arrangement is swept.
    pub sweep: SweepOptions,
    /// How collateral is divided among isolated positions.
    pub allocation: Allocation,
    /// Most decisions that the examination of contagion may take for each merged arrangement; beyond it, a sample of the
    /// pools is examined, drawn with the sweep's seed.
    pub contagion_verdicts: u64,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { sweep: SweepOptions::default(), allocation: Allocation::default(), contagion_verdicts: 50_000_000 }
    }
}

/// One arrangement under one rulebook.
#[derive(Debug, Clone)]
pub struct ComparisonRow {
    /// The arrangement.
    pub mode: Arrangement,
    /// Position of the rulebook among those compared.
    pub rulebook: usize,
    /// Its figures.
    pub metrics: Metrics,
    /// Worst state of each account.
    states: Vec<State>,
}

/// Accounts by worst state in two rows of a comparison, in the order of [`State::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Row the accounts come from.
    pub from: usize,
    /// Row the accounts go to.
    pub to: usize,
    /// `[from][to]`.
    pub accounts: [[u64; 5]; 5],
}

/// Everything a comparison found out.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Names of the rulebooks.
    pub rulebooks: Vec<String>,
    /// By rulebook, then as is, cross, isolated, portfolio (where the rulebook has a requirement for it).
    pub rows: Vec<ComparisonRow>,
    /// Isolated to cross, and cross to portfolio, under each rulebook; the book as it is, from the first rulebook to each
    /// other.
    pub transitions: Vec<Transition>,
    /// What the sweeps ran on; several names where one lost its device.
    pub engine: String,
    /// The adapter; empty where there is none.
    pub adapter: String,
    /// Things a reader should know.
    pub warnings: Vec<String>,
}

impl Comparison {
    /// The row of an arrangement under a rulebook.
    pub fn row(&self, rulebook: usize, mode: Arrangement) -> Option<&ComparisonRow> {
        self.rows.iter().find(|row| (row.rulebook, row.mode) == (rulebook, mode))
    }
}

/// Sweeps the book in every arrangement under every rulebook, and compares.
///
/// # Errors
/// As [`sweep`] for any of the sweeps; [`Error::Usage`] where no rulebook is given.
pub fn compare(
    snapshot: &Snapshot,
    rulebooks: &[Rulebook],
    scenarios: &ScenarioSet,
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Comparison> {
    if rulebooks.is_empty() {
        return Err(Error::Usage("a comparison needs a rulebook".into()));
    }
    let job = Job { snapshot, rulebooks, scenarios, options, progress };
    match options.sweep.threads {
        None => job.run(),
        Some(threads) => {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|error| Error::Temporary(format!("cannot start {threads} threads: {error}")))?;
            pool.install(|| job.run())
        }
    }
}

struct Job<'a> {
    snapshot: &'a Snapshot,
    rulebooks: &'a [Rulebook],
    scenarios: &'a ScenarioSet,
    options: &'a CompareOptions,
    progress: &'a dyn Progress,
}

/// An arrangement that has been swept.
struct Swept {
    snapshot: Snapshot,
    outcome: Outcome,
    row: ComparisonRow,
}

impl Job<'_> {
    fn run(&self) -> Result<Comparison> {
        let mut comparison = Comparison {
            rulebooks: self.rulebooks.iter().map(|rulebook| rulebook.name.clone()).collect(),
            rows: Vec::new(),
            transitions: Vec::new(),
            engine: String::new(),
            adapter: String::new(),
            warnings: Vec::new(),
        };
        for rulebook in 0..self.rulebooks.len() {
            for swept in self.under(rulebook)? {
                let Outcome { engine, adapter, warnings, .. } = swept.outcome;
                name_once(&mut comparison.engine, engine);
                name_once(&mut comparison.adapter, adapter);
                let are_news = warnings.into_iter().filter(|warning| !comparison.warnings.contains(warning));
                let news: Vec<String> = are_news.collect();
                comparison.warnings.extend(news);
                comparison.rows.push(swept.row);
            }
        }
        comparison.transitions = transitions(&comparison.rows);
        Ok(comparison)
    }

    /// Every arrangement under one rulebook, in the order of [`Arrangement`].
    fn under(&self, rulebook: usize) -> Result<Vec<Swept>> {
        let rules = &self.rulebooks[rulebook];
        let mut merged = vec![(Arrangement::Cross, Mode::Cross)];
        if rules.has_portfolio_requirement() {
            merged.push((Arrangement::Portfolio, Mode::Portfolio));
        }
        // A sweep for each arrangement, and an examination of each merged one.
        let parts = (2 + 2 * merged.len()) as u64;
        let first = rulebook as u64 * parts;
        let unit = self.snapshot.book.position_count() as u64 * self.scenarios.len() as u64;
        let of = parts * self.rulebooks.len() as u64;
        let part = |at: usize| Part { inner: self.progress, unit, at: first + at as u64, of };
        let sweep = |arrangement, snapshot, at| self.sweep(arrangement, rulebook, snapshot, &part(at));
        let as_is = sweep(Arrangement::AsIs, self.snapshot.clone(), 0)?;
        let isolated_book = with_base(self.snapshot, rules, |setting| isolated(setting, self.options.allocation))?;
        let isolated = sweep(Arrangement::Isolated, self.snapshot.with_book(isolated_book), 1)?;
        let mut all = vec![as_is];
        for (at, (arrangement, mode)) in merged.into_iter().enumerate() {
            let mut swept =
                sweep(arrangement, self.snapshot.with_book(split::merged(self.snapshot, mode)), 2 + 2 * at)?;
            let contagion = self.contagion(rules, &swept, &isolated.snapshot, &part(3 + 2 * at))?;
            swept.row.metrics.contagion = Some(contagion);
            all.push(swept);
        }
        all.insert(2, isolated);
        Ok(all)
    }

    /// What the legs of `isolated` suffer in the pools of a merged arrangement.
    fn contagion(
        &self,
        rulebook: &Rulebook,
        merged: &Swept,
        isolated: &Snapshot,
        part: &Part<'_>,
    ) -> Result<Contagion> {
        let unshocked = self.options.sweep.unshocked;
        let rules = [Rules::resolve(rulebook, &merged.snapshot)?, Rules::resolve(rulebook, isolated)?];
        let rows = [
            revalue(&rules[0], &merged.snapshot, self.scenarios, unshocked)?,
            revalue(&rules[1], isolated, self.scenarios, unshocked)?,
        ];
        let pair = Pair {
            merged: Setting { snapshot: &merged.snapshot, rules: &rules[0], rows: &rows[0] },
            outcomes: &merged.outcome.pools,
            isolated: Setting { snapshot: isolated, rules: &rules[1], rows: &rows[1] },
        };
        Ok(pair.contagion(self.options.contagion_verdicts, self.options.sweep.seed, part))
    }

    fn sweep(&self, mode: Arrangement, rulebook: usize, snapshot: Snapshot, part: &Part<'_>) -> Result<Swept> {
        let rules = &self.rulebooks[rulebook];
        // A pool of threads of the caller's choice is already in place.
        let options = SweepOptions { threads: None, ..self.options.sweep.clone() };
        let outcome = sweep(&snapshot, rules, self.scenarios, &options, part)?;
        let assets = with_base(&snapshot, rules, |setting| utilisation::utilisation(setting, &outcome.pools))?;
        let positions = snapshot.book.position_count();
        let metrics = Metrics::of(&outcome, &self.scenarios.weights, positions, assets);
        let states = diff::account_states(&snapshot.book, &outcome.pools);
        Ok(Swept { row: ComparisonRow { mode, rulebook, metrics, states }, snapshot, outcome })
    }
}

/// Evaluates something by the formulas in the unshocked market.
fn with_base<T>(snapshot: &Snapshot, rulebook: &Rulebook, evaluate: impl FnOnce(&Setting<'_>) -> T) -> Result<T> {
    let rules = Rules::resolve(rulebook, snapshot)?;
    let rows = revalue(&rules, snapshot, &ScenarioSet::default(), Unshocked::Hold)?;
    Ok(evaluate(&Setting { snapshot, rules: &rules, rows: &rows }))
}

/// Adds a name to a list of different ones.
fn name_once(list: &mut String, name: String) {
    if list.is_empty() {
        *list = name;
    } else if !name.is_empty() && !list.split(", ").any(|known| known == name) {
        *list = format!("{list}, {name}");
    }
}

fn transitions(rows: &[ComparisonRow]) -> Vec<Transition> {
    use Arrangement::{AsIs, Cross, Isolated, Portfolio};
    let mut transitions = Vec::new();
    for (from, a) in rows.iter().enumerate() {
        for (to, b) in rows.iter().enumerate() {
            let other_mode =
                a.rulebook == b.rulebook && matches!((a.mode, b.mode), (Isolated, Cross) | (Cross, Portfolio));
            let other_rules = a.rulebook == 0 && b.rulebook > 0 && (a.mode, b.mode) == (AsIs, AsIs);
            if other_mode || other_rules {
                transitions.push(Transition { from, to, accounts: diff::state_matrix(&a.states, &b.states) });
            }
        }
    }
    transitions
}

/// The progress of one of several parts, as if all were of the same size.
struct Part<'a> {
    inner: &'a dyn Progress,
    /// Cells that a part is shown as.
    unit: u64,
    at: u64,
    of: u64,
}

impl Progress for Part<'_> {
    fn advance(&self, done: u64, total: u64) {
        let share = u128::from(self.unit) * u128::from(done) / u128::from(total.max(1));
        self.inner.advance(self.at * self.unit + share as u64, self.of * self.unit);
    }
}

#[cfg(test)]
mod tests;
