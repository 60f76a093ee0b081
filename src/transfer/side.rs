use rayon::prelude::*;

use super::holdings::Holdings;
use super::outcome::Check;
use super::venue::Venue;
use crate::domain::{BookBuilder, InstrumentIndex, Pool, Position, Snapshot};
use crate::engine::{Arbiter, Outcome, Progress, SweepOptions, sweep};
use crate::error::{Error, Result};
use crate::margin::{MarginRows, MarginSide, Rulebook, Rules, Setting, revalue};
use crate::number::Number;
use crate::pricing::{Column, Unshocked};
use crate::scenario::ScenarioSet;

/// One side: what its pool may hold, each possibility a pool of a small book, valued in all its markets.
#[derive(Debug)]
pub struct Side<'a> {
    snapshot: Snapshot,
    rulebook: &'a Rulebook,
    scenarios: &'a ScenarioSet,
    rules: Rules,
    rows: MarginRows,
    target: f64,
    on: MarginSide,
}

impl<'a> Side<'a> {
    /// A side whose pool may hold any of these, or other amounts of the same. It keeps adjusted equity ≥ `target` times the
    /// requirement `on`.
    ///
    /// # Errors
    /// [`Error::Refused`] where holdings, rulebook and scenarios do not fit together.
    pub fn new(
        venue: &Venue<'a>,
        possible: &[Holdings],
        (target, on): (f64, MarginSide),
        unshocked: Unshocked,
    ) -> Result<Self> {
        let faults = venue.scenarios.faults();
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        let mut builder = BookBuilder::default();
        for (at, held) in possible.iter().enumerate() {
            held.add_to(&mut builder, venue.account, &pool_name(at));
        }
        let snapshot = venue.snapshot.with_book(builder.build());
        let rules = Rules::resolve(venue.rulebook, &snapshot)?;
        let rows = revalue(&rules, &snapshot, venue.scenarios, unshocked)?;
        Ok(Self { snapshot, rulebook: venue.rulebook, scenarios: venue.scenarios, rules, rows, target, on })
    }

    /// The possibilities, swept by the engine.
    ///
    /// # Errors
    /// As [`sweep`].
    pub fn sweep(&self, options: &SweepOptions, progress: &dyn Progress) -> Result<Outcome> {
        sweep(&self.snapshot, self.rulebook, self.scenarios, options, progress)
    }

    /// The target in every market, decided exactly.
    pub fn check(&self, held: &Holdings) -> Check {
        let pool = held.pool("", "");
        let of_market = |market: usize| {
            let column = column(market);
            let (equity, required) = self.level(&pool, column);
            (self.misses(&pool, column), equity - self.target * required, market)
        };
        let markets: Vec<(bool, f64, usize)> = (0..=self.scenarios.len()).into_par_iter().map(of_market).collect();
        let breached = markets.iter().filter(|(misses, ..)| *misses).count() as u64;
        let candidates = markets.iter().filter(|(misses, ..)| *misses || breached == 0);
        let worst = candidates.min_by(|a, b| a.1.total_cmp(&b.1));
        // The unshocked market is always there.
        let (excess, market) = worst.map_or((0.0, 0), |(_, excess, market)| (*excess, *market));
        let scenario = market.checked_sub(1).and_then(|at| self.scenarios.ids.get(at));
        Check { breached, scenario: scenario.map_or_else(|| "base".into(), Clone::clone), excess }
    }

    /// Whether the target is met in every market: exactly.
    pub fn keeps(&self, held: &Holdings) -> bool {
        let pool = held.pool("", "");
        !(0..=self.scenarios.len()).into_par_iter().any(|market| self.misses(&pool, column(market)))
    }

    /// Whether adjusted equity < target · requirement: exactly.
    fn misses(&self, pool: &Pool<'_>, column: Column) -> bool {
        !Arbiter::new(self.setting()).meets(pool, column, (self.on, self.target))
    }

    /// Adjusted equity and the requirement meant, quote units.
    fn level(&self, pool: &Pool<'_>, column: Column) -> (f64, f64) {
        let (setting, market) = (self.setting(), (&self.rows, column));
        let required = setting.requirement::<f64>(pool, &market);
        let required = match self.on {
            MarginSide::Initial => required.initial.larger(&required.maintenance),
            MarginSide::Maintenance => required.maintenance,
        };
        (setting.equity::<f64>(pool, &market).adjusted, required)
    }

    fn setting(&self) -> Setting<'_> {
        Setting { snapshot: &self.snapshot, rules: &self.rules, rows: &self.rows }
    }

    /// The requirement meant in the unshocked market, quote units.
    pub fn requirement(&self, held: &Holdings) -> f64 {
        self.level(&held.pool("", ""), Column::Base).1
    }

    /// Notional of one contract in the unshocked market, quote units.
    pub fn unit_notional(&self, position: &Position) -> f64 {
        let one = Holdings { positions: vec![Position { quantity: 1.0, ..*position }], ..Holdings::default() };
        self.setting().gross_notional::<f64>(&one.pool("", ""), &(&self.rows, Column::Base))
    }

    /// Price of an instrument's settlement asset in the unshocked market, quote units.
    pub fn settlement_price(&self, instrument: InstrumentIndex) -> f64 {
        let asset = self.snapshot.instruments[instrument as usize].settlement_asset;
        self.rows.of_asset(asset).map_or(0.0, |row| self.rows.value(row, Column::Base))
    }
}

/// The market at this place: the unshocked one, then the scenarios.
fn column(market: usize) -> Column {
    market.checked_sub(1).map_or(Column::Base, Column::Scenario)
}

/// Name of a possibility in the book, so that the order of names is theirs.
fn pool_name(at: usize) -> String {
    format!("{at:04}")
}
