//! Greeks of pools and of the exchange: sums of position · unit Greeks of [`crate::pricing::Greeks`], in quote units.
//!
//! Balances are in none of them: a coin held as collateral has a delta, but it is no contract. Sums run in stored order,
//! so they are equal on every engine, thread count and chunk. Pools of which nothing is known are in no sum. A Greek that
//! a market does not have (everything per unit of an index that fell to 0) is NaN, and stays NaN in sums.

mod attribution;
mod digest;
mod ladder;
mod legs;
mod sheet;
mod summary;

pub use attribution::{Attribution, Loser, Parts};
pub(super) use attribution::{Attributor, attribute, is_candidate};
pub use digest::GreeksDigest;
pub(super) use ladder::PART_POOLS;
pub use ladder::{Ladder, LadderSums, Rung};
pub use legs::{Leg, UnderlyingLegs, legs};
pub use sheet::{GreekSheet, NetPositions, PoolGreeks, ScenarioGreeks};
pub use summary::{GreekSummary, GrossGreeks, UnderlyingTotal};

#[cfg(test)]
mod tests;
