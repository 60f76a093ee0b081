//! The losses of a pool in a return history.

use std::array;
use std::collections::BTreeSet;

use crate::domain::{Pool, Snapshot};
use crate::margin::{MarginRows, Market, Setting};
use crate::number::{LANES, Lanes};
use crate::scenario::{Factor, ScenarioSet};

/// Gives the losses of pools, row by row of a history.
pub(crate) struct Losses<'a> {
    setting: Setting<'a>,
    history: &'a ScenarioSet,
    /// Column of each underlying's price factor.
    of_underlying: Vec<Option<usize>>,
    /// Column that moves each asset.
    of_asset: Vec<Option<usize>>,
    /// Columns with an empty cell.
    has_gap: Vec<bool>,
}

impl<'a> Losses<'a> {
    /// Losses in the market that `setting` has revalued under `history`.
    pub(crate) fn new(setting: Setting<'a>, history: &'a ScenarioSet) -> Self {
        let Snapshot { underlyings, assets, .. } = setting.snapshot;
        let column = |name: &str| history.column(&Factor::price(name));
        let of_underlying: Vec<_> = underlyings.iter().map(|underlying| column(&underlying.factor)).collect();
        // As shocked markets do it: an asset follows its own name first, then what moves the underlying of that name.
        let through_factor = |name: &str| {
            let at = underlyings.iter().position(|underlying| underlying.name == name)?;
            of_underlying[at]
        };
        let of_asset =
            assets.iter().map(|asset| column(&asset.underlying).or_else(|| through_factor(&asset.underlying)));
        Self {
            of_asset: of_asset.collect(),
            of_underlying,
            has_gap: history.unquoted().iter().map(|empty| *empty > 0).collect(),
            setting,
            history,
        }
    }

    /// Raw equity at base less raw equity under each row, in the order of the history, quote units; a gain is negative. A
    /// row in which a price that the pool depends on is not quoted is no observation.
    pub(super) fn of(&self, pool: &Pool<'_>, equity: f64) -> Vec<f64> {
        let mut losses = Vec::with_capacity(self.history.len());
        self.each(pool, equity, |_, loss| losses.extend(loss));
        losses
    }

    /// The same row by row: its number, and the loss where it is an observation.
    pub(crate) fn each(&self, pool: &Pool<'_>, equity: f64, mut take: impl FnMut(usize, Option<f64>)) {
        let gaps = self.columns_with_gaps(pool);
        let is_quoted = |row: usize| gaps.iter().all(|&column| !self.history.shocks[[row, column]].is_nan());
        for first in (0..self.history.len()).step_by(LANES) {
            let shocked = self.setting.raw_equity(pool, &Block { rows: self.setting.rows, first });
            for row in first..(first + LANES).min(self.history.len()) {
                take(row, is_quoted(row).then(|| equity - shocked.0[row - first]));
            }
        }
    }

    /// Columns that move the pool and have empty cells.
    fn columns_with_gaps(&self, pool: &Pool<'_>) -> BTreeSet<usize> {
        let of_positions = pool.positions.iter().flat_map(|position| {
            let instrument = &self.setting.snapshot.instruments[position.instrument as usize];
            let assets = [instrument.settlement_asset, instrument.price_asset];
            let [settlement, price] = assets.map(|asset| self.of_asset[asset as usize]);
            [self.of_underlying[instrument.underlying as usize], settlement, price]
        });
        let of_balances = pool.balances.iter().map(|balance| self.of_asset[balance.asset as usize]);
        of_positions.chain(of_balances).flatten().filter(|&column| self.has_gap[column]).collect()
    }
}

/// The rows of a history from `first` on, as many as there are lanes; after the last one it is repeated.
struct Block<'a> {
    rows: &'a MarginRows,
    first: usize,
}

impl Market<Lanes> for Block<'_> {
    #[inline(always)]
    fn row(&self, row: u32) -> Lanes {
        let shocked = self.rows.shocked.row(row as usize);
        let whole = shocked.to_slice().and_then(|row| row.get(self.first..self.first + LANES));
        if let Some(Ok(lanes)) = whole.map(TryInto::try_into) {
            return Lanes(lanes);
        }
        let last = shocked.len() - 1;
        Lanes(array::from_fn(|lane| shocked[(self.first + lane).min(last)]))
    }
}
