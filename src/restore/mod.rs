//! Restores a target at least cost: which legs to cut, which hedges to add, so that a pool's equity is a multiple of its
//! requirement again.
//!
//! With holdings q, equity E(q) concave and requirement M(q) convex, the cheapest trades w solve
//!
//! ```text
//! min Σ cost_i·|w_i|   with   E(q + w) − Σ cost_i·|w_i| ≥ target·M(q + w) + excess,   lowest_i ≤ q_i + w_i ≤ highest_i
//! ```
//!
//! [`cheapest`] solves it by constraint generation (cutting planes; Kelley 1960): E is never above, M never below the
//! planes that touch them at holdings already tried, so a small linear program over those planes is a relaxation. Its
//! answer is evaluated; where it misses the target, the planes there join the program. Where M is a maximum over
//! scenarios, a plane is the violated scenario. [`greedy`] goes one leg at a time and needs no convexity.
//!
//! Everything here is f64 and within a tolerance; a caller that must be right evaluates the trades exactly.

mod cheapest;
mod greedy;
mod landscape;
mod planes;
mod problem;
#[cfg(test)]
mod tests;

pub use cheapest::cheapest;
pub use greedy::greedy;
pub use landscape::{Landscape, Plane, ScenarioLosses};
pub use problem::{Leg, Outcome, Problem, Restoration};
