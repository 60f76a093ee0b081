//! How an exchange liquidates, as data: which steps it takes, how much it cuts, what that costs, who pays.
//!
//! A rulebook holds it as `[liquidation]`; a policy file holds the same keys at its root. [`crate::liquidation`] acts by it.

mod costs;
mod cut;
mod deleverage;
mod fund;
mod impact;
mod step;
mod take_over;

pub use costs::Costs;
pub use cut::{Clip, CutPolicy, CutRule};
pub use deleverage::{Allocation, DeleverageBasis, DeleveragePolicy};
pub use fund::{FundPolicy, FundScope, Purse};
pub use impact::{ImpactLaw, ImpactPolicy};
pub use step::Step;
pub use take_over::TakeOver;

/// How an exchange liquidates.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// What is tried on a pool that must be liquidated; each step at most once. Cancelling, converting and cutting are taken in this
    /// order; the others come after, in the order of [`Step::ALL`].
    pub steps: Vec<Step>,
    /// Adjusted equity over maintenance margin at which a liquidation ends, ≥ 1. It starts below 1, so a target above 1 keeps a
    /// pool from being liquidated again at the next tick.
    pub target_health: f64,
    /// Which positions are cut, and how much of them at once.
    pub cut: CutPolicy,
    /// What a forced trade costs.
    pub costs: Costs,
    /// How forced trades move prices.
    pub impact: ImpactPolicy,
    /// When a backstop takes a pool over, and with what capital.
    pub take_over: TakeOver,
    /// Insurance.
    pub fund: FundPolicy,
    /// Who pays what insurance does not.
    pub deleverage: DeleveragePolicy,
    /// Rounds after which a cascade is cut off and said to be unfinished, ≥ 1.
    pub rounds_max: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            steps: Step::ALL.to_vec(),
            target_health: 1.1,
            cut: CutPolicy::default(),
            costs: Costs::default(),
            impact: ImpactPolicy::default(),
            take_over: TakeOver::default(),
            fund: FundPolicy::default(),
            deleverage: DeleveragePolicy::default(),
            rounds_max: 64,
        }
    }
}

impl Policy {
    /// Whether a step is among those taken.
    pub fn takes(&self, step: Step) -> bool {
        self.steps.contains(&step)
    }
}
