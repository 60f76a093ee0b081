use super::greeks::Attribution;
use super::plan::DeviceLimits;

/// State of a pool, tested in this order: the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// A refused input row touched the pool: nothing is claimed about it.
    Unknown,
    /// Raw equity < 0.
    Bankrupt,
    /// Adjusted equity < maintenance margin.
    Liquidatable,
    /// Adjusted equity < initial margin: no new risk.
    Restricted,
    /// None of the above.
    Healthy,
}

impl State {
    /// Every state, from the best to the worst, then the unknown.
    pub const ALL: [Self; 5] = [Self::Healthy, Self::Restricted, Self::Liquidatable, Self::Bankrupt, Self::Unknown];

    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Bankrupt => "bankrupt",
            Self::Liquidatable => "liquidatable",
            Self::Restricted => "restricted",
            Self::Healthy => "healthy",
        }
    }
}

/// Published figures of one pool in one market, quote units, from the canonical f64 evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Raw equity: balances and position values at market.
    pub equity: f64,
    /// Equity after haircuts.
    pub adjusted_equity: f64,
    /// Initial margin (at least the maintenance margin).
    pub initial_margin: f64,
    /// Maintenance margin.
    pub maintenance_margin: f64,
    /// Adjusted value of the balances alone: the denominator of utilisation.
    pub adjusted_collateral: f64,
    /// Σ |quantity| · |unit value| of all positions.
    pub gross_notional: f64,
}

impl Figures {
    /// Adjusted equity / maintenance margin; `None` where the margin is zero.
    pub fn health_ratio(&self) -> Option<f64> {
        ratio(self.adjusted_equity, self.maintenance_margin)
    }

    /// Adjusted equity − maintenance margin, quote units.
    pub fn maintenance_excess(&self) -> f64 {
        self.adjusted_equity - self.maintenance_margin
    }

    /// Initial margin / adjusted collateral without P&L; `None` where the collateral is zero.
    pub fn utilisation(&self) -> Option<f64> {
        ratio(self.initial_margin, self.adjusted_collateral)
    }
}

fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator != 0.0).then(|| numerator / denominator).filter(|ratio| ratio.is_finite())
}

/// What the sweep says of one pool. Scenario counts, not weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolOutcome {
    /// Figures in the unshocked market.
    pub base: Figures,
    /// Exclusive state in the unshocked market.
    pub state: State,
    /// Scenario with the lowest adjusted equity − maintenance margin (ties: the first).
    pub worst_scenario: u32,
    /// Adjusted equity − maintenance margin there, quote units.
    pub worst_excess: f64,
    /// Raw equity there, quote units.
    pub worst_equity: f64,
    /// Scenarios with adjusted equity < initial margin.
    pub restricted_scenarios: u32,
    /// Scenarios with adjusted equity < maintenance margin.
    pub liquidatable_scenarios: u32,
    /// Scenarios with raw equity < 0.
    pub bankrupt_scenarios: u32,
    /// Σ w·max(0, −raw equity) / Σ w, quote units.
    pub expected_shortfall: f64,
}

impl PoolOutcome {
    /// The worst state that the pool has at base or reaches in any scenario.
    pub fn worst_state(&self) -> State {
        let reached = if self.bankrupt_scenarios > 0 {
            State::Bankrupt
        } else if self.liquidatable_scenarios > 0 {
            State::Liquidatable
        } else if self.restricted_scenarios > 0 {
            State::Restricted
        } else {
            State::Healthy
        };
        // `State` is ordered from unknown over bankrupt to healthy.
        reached.min(self.state)
    }
}

/// What the sweep says of one scenario. Counts are exact; totals as [`Totals`] says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScenarioOutcome {
    /// Pools with adjusted equity < initial margin.
    pub restricted_pools: u64,
    /// Pools with adjusted equity < maintenance margin.
    pub liquidatable_pools: u64,
    /// Pools with raw equity < 0.
    pub bankrupt_pools: u64,
    /// Σ max(0, −raw equity), quote units.
    pub shortfall: f64,
    /// Certified bound on |`shortfall` − the real sum|, quote units (`NUMERICS.md` §8).
    pub shortfall_bound: f64,
    /// Σ gross notional of the liquidatable pools, quote units.
    pub liquidatable_notional: f64,
    /// Σ raw equity, quote units.
    pub equity_total: f64,
    /// Σ maintenance margin, quote units.
    pub maintenance_total: f64,
}

/// How the totals of a scenario are formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Totals {
    /// Every contributing verdict evaluated canonically, rounded to a quantum, summed in integers: equal everywhere.
    Exact,
    /// Device sums with a certified bound.
    Bounded,
}

/// What the run-time audit found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Audit {
    /// Pools recomputed by the reference.
    pub pools: u64,
    /// Cells recomputed (positions × scenarios).
    pub cells: u64,
    /// Verdicts recomputed (pools × scenarios).
    pub verdicts: u64,
    /// Decisions that differ; anything but 0 fails the run.
    pub decisions_differ: u64,
    /// Largest |engine value − reference| / certified bound seen.
    pub worst_bound_ratio: f64,
    /// Values of options repriced by the plain formula; one outside its tolerance counts as a decision that differs.
    pub prices: u64,
    /// Largest |row − repriced value| / tolerance seen.
    pub worst_price_ratio: f64,
}

/// Where the rows of held options were priced for the engine's kernel. The atoms are the host's in any case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OptionRevaluation {
    /// Rows of held options.
    pub option_rows: u64,
    /// Those of them that a device priced for itself.
    pub device_rows: u64,
    /// Why not all of them are, or none; empty where there is nothing to say.
    pub reason: String,
}

impl std::fmt::Display for OptionRevaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let on_host = self.option_rows - self.device_rows;
        write!(
            f,
            "{} option rows: {} priced on the device, {on_host} on the host",
            self.option_rows, self.device_rows
        )?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " ({})", self.reason) }
    }
}

/// Wall-clock seconds of each stage of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StageSeconds {
    /// Reading and validating the inputs (filled in by the caller).
    pub read: f64,
    /// Revaluing rows under the scenarios.
    pub revalue: f64,
    /// Compiling pools, kernels, certification.
    pub sweep: f64,
    /// The audit.
    pub audit: f64,
    /// Greeks of pools and scenarios, ladders, attribution; the caller adds what it computes while it writes.
    pub greeks: f64,
    /// Writing the results (filled in by the caller).
    pub write: f64,
}

/// Everything a sweep found out.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// `cpu`, `gpu`, `reference`, or `gpu+cpu` after a lost device.
    pub engine: String,
    /// The adapter the device engine ran on; empty for the others.
    pub adapter: String,
    /// Limits of that device that the plan kept to.
    pub device_limits: Option<DeviceLimits>,
    /// Where option rows were priced.
    pub revaluation: OptionRevaluation,
    /// How totals were formed.
    pub totals: Totals,
    /// One per pool, in book order.
    pub pools: Vec<PoolOutcome>,
    /// One per scenario, in input order.
    pub scenarios: Vec<ScenarioOutcome>,
    /// Positions × scenarios.
    pub cells: u64,
    /// Pools with at least one verdict that the kernel could not decide.
    pub redecided_pools: u64,
    /// Verdicts that needed exact arithmetic.
    pub exact_verdicts: u64,
    /// Pools of which nothing is claimed.
    pub unknown_pools: u64,
    /// What the audit found.
    pub audit: Audit,
    /// Profit and loss of the liquidatable pools in the worst scenarios, by Greek.
    pub attributions: Vec<Attribution>,
    /// Stage times.
    pub seconds: StageSeconds,
    /// Things a reader should know: rules that were bent, defaults that were used, devices that were lost.
    pub warnings: Vec<String>,
}

/// The `limit` scenarios with the largest shortfall, then the most liquidatable pools, then the first: index and outcome.
pub fn worst_scenarios(outcomes: &[ScenarioOutcome], limit: usize) -> Vec<(usize, &ScenarioOutcome)> {
    let mut worst: Vec<_> = outcomes.iter().enumerate().collect();
    worst.sort_by(|a, b| {
        let by_loss = b.1.shortfall.total_cmp(&a.1.shortfall);
        by_loss.then(b.1.liquidatable_pools.cmp(&a.1.liquidatable_pools)).then(a.0.cmp(&b.0))
    });
    worst.truncate(limit);
    worst
}
