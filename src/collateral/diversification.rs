//! What margining positions together saves against margining each alone.

use crate::domain::Pool;
use crate::margin::Setting;
use crate::pricing::Column;

/// Initial margin of a pool's positions together, and each alone; quote units at base.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Diversification {
    /// Positions that are not empty.
    pub positions: usize,
    /// Σ over positions of the initial margin that each would require alone.
    pub alone: f64,
    /// Initial margin of all of them together.
    pub together: f64,
}

impl Diversification {
    /// Σ alone / together; `None` where nothing is required together. 1: nothing is gained; a hedged book under scenario margin is
    /// well above.
    pub fn index(&self) -> Option<f64> {
        (self.together > 0.0).then(|| self.alone / self.together)
    }

    /// What margining together saves, quote units; negative where a charge falls on the whole only.
    pub fn saved(&self) -> f64 {
        self.alone - self.together
    }
}

/// The diversification of one pool, open orders and balances left out. A position alone is margined in the pool's own mode and with
/// its multipliers.
pub fn diversification(setting: &Setting<'_>, pool: &Pool<'_>) -> Diversification {
    let settings = crate::domain::PoolSettings { open_order_margin: 0.0, orders: Vec::new(), ..pool.settings.clone() };
    let required = |positions| {
        let part = Pool { balances: &[], positions, settings: &settings, ..*pool };
        let required = setting.requirement::<f64>(&part, &(setting.rows, Column::Base));
        required.initial.max(required.maintenance).max(0.0)
    };
    let held = pool.positions.iter().filter(|position| position.quantity != 0.0);
    let positions = held.clone().count();
    let alone = held.map(|position| required(std::slice::from_ref(position))).sum();
    Diversification { positions, alone, together: required(pool.positions) }
}
