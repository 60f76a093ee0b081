//! What the new rulebook means for pools and accounts.

use rayon::prelude::*;

use super::calibration::Calibration;
use super::segments::PoolChange;
use super::sizing::AccountExcess;
use super::threshold::unshocked_rows;
use crate::domain::Pool;
use crate::error::Result;
use crate::margin::Setting;
use crate::pricing::Column;

impl Calibration<'_> {
    /// What the requirement binds of every known pool before and after, in book order; its sums are those of
    /// [`super::Measured::margin`] without what an overlay multiplies them by.
    ///
    /// # Errors
    /// What the measurement answers.
    pub fn pool_changes(&mut self, point: &[f64]) -> Result<Vec<PoolChange>> {
        let (old, new) = (self.margins(None)?, self.margins(Some(point))?);
        let rows = unshocked_rows(&self.rules, self.snapshot)?;
        let setting = Setting { snapshot: self.snapshot, rules: &self.rules, rows: &rows };
        let change = |index: usize| {
            let pool = self.snapshot.book.pool(index);
            let class =
                self.population.class_of_pool[index].map(|class| self.population.classes[class as usize].clone());
            let (gross, net) = notionals(&setting, &pool);
            let change = PoolChange {
                name: format!("{} / {}", pool.account, pool.pool),
                mode: pool.settings.mode.name().into(),
                class: class.unwrap_or_default(),
                gross,
                net,
                old: old[index],
                new: new[index],
            };
            (!pool.unknown).then_some(change)
        };
        Ok((0..self.snapshot.book.len()).into_par_iter().filter_map(change).collect())
    }

    /// What each account adds to a default fund under the rulebook of a point, in book order; its pools are summed.
    ///
    /// # Errors
    /// What the measurement answers.
    pub fn accounts(&mut self, point: &[f64]) -> Result<Vec<AccountExcess>> {
        let requirements = self.requirements(Some(point))?;
        let excesses = self.excesses(Some(point))?;
        let of_account = |span: &[usize]| {
            let pools = span[0]..span[1];
            let name = self.snapshot.book.pool(span[0]).account.to_string();
            let mut beyond: Vec<(u32, f64)> = Vec::new();
            for (scenario, excess) in excesses[pools.clone()].iter().flatten() {
                beyond.push((*scenario as u32, *excess));
            }
            // Stable: sums keep the order of pools.
            beyond.sort_by_key(|(scenario, _)| *scenario);
            let same = beyond.chunk_by(|a, b| a.0 == b.0);
            let excess = same.map(|same| (same[0].0, same.iter().map(|(_, excess)| excess).sum())).collect();
            AccountExcess { name, requirement: requirements[pools].iter().sum(), excess }
        };
        Ok(self.population.account_starts.windows(2).map(of_account).collect())
    }
}

/// Σ of absolute notionals of a pool's positions, and Σ of signed ones.
fn notionals(setting: &Setting<'_>, pool: &Pool<'_>) -> (f64, f64) {
    let mut sums = (0.0, 0.0);
    for position in pool.positions {
        let alone = Pool { balances: &[], positions: std::slice::from_ref(position), ..*pool };
        let notional = setting.gross_notional::<f64>(&alone, &(setting.rows, Column::Base));
        sums.0 += notional;
        sums.1 += notional.copysign(position.quantity);
    }
    sums
}
