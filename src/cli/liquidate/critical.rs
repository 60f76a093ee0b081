//! `--critical-depth`: whose depth is searched, and the search over every sequenced scenario.

use crate::cli::inputs::Inputs;
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::liquidation::critical::{Scope, critical_depth};
use crate::liquidation::{Options, Outcome, Path, Summary};
use crate::policy::Policy;
use crate::report::CriticalRow;

/// Whose depth is searched.
pub(super) enum Scopes {
    /// Every book's together, or one underlying's.
    One(Scope),
    /// Each underlying whose price forced trades move, one by one.
    All,
}

impl Scopes {
    /// Reads the argument: `exchange`, `all`, or the name of an underlying.
    pub(super) fn parse(text: &str, snapshot: &Snapshot) -> Result<Self> {
        match text {
            "exchange" => return Ok(Self::One(Scope::Exchange)),
            "all" => return Ok(Self::All),
            _ => {}
        }
        let names = || snapshot.underlyings.iter().map(|underlying| underlying.name.as_str());
        match (0u32..).zip(names()).find(|(_, name)| *name == text) {
            Some((index, _)) => Ok(Self::One(Scope::Underlying(index))),
            None => {
                let otherwise = "name an underlying of the snapshot, or `exchange` or `all`";
                let remedy = crate::suggest::remedy(text, names().chain(["exchange", "all"]), otherwise);
                Err(Error::Usage(format!("--critical-depth: no underlying {text:?} ({remedy})")))
            }
        }
    }

    fn of(&self, summary: &Summary) -> Vec<Scope> {
        match self {
            Self::One(scope) => vec![*scope],
            Self::All => {
                let moved = summary.books.iter().filter(|book| book.impact != 0.0);
                moved.map(|book| Scope::Underlying(book.underlying)).collect()
            }
        }
    }
}

/// Searches the critical depth of every sequenced path, one row for each path and scope.
pub(super) fn search(
    scopes: &Scopes,
    inputs: &Inputs,
    (policy, options): (&Policy, &Options),
    (paths, outcome): (&[Path], &Outcome),
    runaway: f64,
) -> Result<Vec<CriticalRow>> {
    let mut rows = Vec::new();
    for (path, summary) in paths.iter().zip(&outcome.scenarios) {
        for scope in scopes.of(summary) {
            let market = (&inputs.snapshot, &inputs.rulebook);
            let critical = critical_depth(market, policy, path, options, (scope, runaway))?;
            let scope = match scope {
                Scope::Exchange => "exchange".to_string(),
                Scope::Underlying(index) => inputs.snapshot.underlyings[index as usize].name.clone(),
            };
            rows.push(CriticalRow { scenario: path.name.clone(), scope, critical });
        }
    }
    Ok(rows)
}
