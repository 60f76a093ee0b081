//! Which pools a parameter can change: a class's numbers bear on the pools that hold the class, and on no other.

use std::collections::BTreeSet;

use super::parameter::Parameter;
use super::path::Step;
use crate::domain::Snapshot;

/// Tables of a rulebook whose entries bear on the positions and orders of one class.
const BY_CLASS: [&str; 2] = ["margin", "option"];

/// Pools that a parameter can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Touched {
    /// Any pool.
    All,
    /// These pools, ascending.
    Pools(Vec<u32>),
}

impl Touched {
    /// What each parameter touches.
    pub(super) fn of(parameters: &[Parameter], snapshot: &Snapshot) -> Vec<Self> {
        parameters.iter().map(|parameter| Self::by(parameter, snapshot)).collect()
    }

    fn by(parameter: &Parameter, snapshot: &Snapshot) -> Self {
        let mut classes = BTreeSet::new();
        for (place, _) in &parameter.numbers {
            match place.as_slice() {
                [Step::Name(table), Step::Name(class), ..] if BY_CLASS.contains(&table.as_str()) => {
                    classes.insert(class.as_str());
                }
                _ => return Self::All,
            }
        }
        let is_of_class: Vec<bool> =
            snapshot.instruments.iter().map(|instrument| classes.contains(instrument.margin_class.as_str())).collect();
        let holds = |index: &u32| {
            let pool = snapshot.book.pool(*index as usize);
            let positions = pool.positions.iter().map(|position| position.instrument);
            let orders = pool.settings.orders.iter().map(|order| order.instrument);
            positions.chain(orders).any(|instrument| is_of_class[instrument as usize])
        };
        Self::Pools((0..snapshot.book.len() as u32).filter(holds).collect())
    }

    /// What several parameters touch together.
    pub(super) fn together<'t>(several: impl Iterator<Item = &'t Self>) -> Self {
        let mut pools: Vec<u32> = Vec::new();
        for touched in several {
            match touched {
                Self::All => return Self::All,
                Self::Pools(more) => pools.extend(more),
            }
        }
        pools.sort_unstable();
        pools.dedup();
        Self::Pools(pools)
    }
}
