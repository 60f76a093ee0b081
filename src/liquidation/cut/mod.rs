//! How much to cut of which position, so that a pool is healthy again.
//!
//! A pool with adjusted equity E and maintenance margin M has to end at E ≥ τM, τ > 1: a liquidation stops later than it
//! starts, so that the next tick does not start it again. It lacks S = τM − E. Cutting `x` units of notional of leg i
//! releases m_i·x of M and costs k_i(x), which equity pays, so the cut brings the pool nearer by
//!
//! ```text
//! g_i(x) = τ·m_i·x − k_i(x),      k_i(x) = c_i·x,  c_i·x + ½·s_i·x²,  or  c_i·x + a_i·x^{3/2}
//! ```
//!
//! and a restoration is any x with Σ g_i(x_i) = S and 0 ≤ x_i ≤ N_i. Costs are convex, so g_i rises up to the notional at
//! which marginal cost is τ·m_i and falls beyond it: no partial rule cuts further than that, and a leg with τ·m_i ≤ c_i is
//! *toxic* and not cut at all. If all legs cut that far do not reach S, nothing does, and every partial rule answers
//! [`Choice::Infeasible`].
//!
//! The rules differ in what they prefer among the restorations ([`crate::policy::CutRule`]). All are pure, in f64: cuts restore S to
//! rounding, not exactly, and whoever settles them rounds up to a lot and decides health again.

mod auction;
mod choice;
mod fill;
mod full;
mod largest_loss;
mod largest_relief;
mod least_notional;
mod leg;
mod lending;
mod min_cost;
mod perpetual;
mod pro_rata;
mod rule;
mod search;
mod single;
#[cfg(test)]
mod tests;

pub use auction::auction_share;
pub use choice::Choice;
pub use full::full;
pub use largest_loss::largest_loss;
pub use largest_relief::largest_relief;
pub use least_notional::least_notional;
pub use leg::{Leg, LegImpact, Target};
pub use lending::{Seizure, SeizureBonus, is_seizure_toxic};
pub use min_cost::min_cost;
pub use perpetual::PerpetualCut;
pub use pro_rata::pro_rata;
pub use rule::choose;
pub use single::single;
