//! The standard workloads: what is swept, how large, and how much work a cell is at least.

use super::rules;
use crate::domain::{Kind, Snapshot, Underlying};
use crate::engine::{EngineChoice, Outcome, SweepOptions, sweep};
use crate::error::Result;
use crate::margin::Rulebook;
use crate::scenario::ScenarioSet;
use crate::scenario::monte_carlo::{Dependence, MonteCarloRequest, VolatilityChoice, monte_carlo, price_volatilities};
use crate::scenario::volatility_moves::{VolatilityMoves, add_volatility_moves};
use crate::synth::{self, Market, MarketOptions, OptionListing};

/// Share of accounts placed within 1e-7 of a threshold, so that certification has work to do.
const NEAR_THRESHOLD_SHARE: f64 = 0.002;
/// Correlation of every pair of prices.
const CORRELATION: f64 = 0.6;
/// Degrees of freedom of the shocks, Student's t.
const DEGREES_OF_FREEDOM: f64 = 4.0;
/// Time the shocks span, days.
const HORIZON_DAYS: f64 = 1.0;

/// What is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(super) enum Workload {
    /// Perpetuals of one rate each.
    Linear,
    /// The same book, with brackets that scenarios cross.
    Brackets,
    /// Options, perpetuals and dated contracts.
    Options,
    /// The options' book under grid margin.
    Grid,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(super) enum Size {
    /// What answers are compared with the reference on.
    #[value(hide = true)]
    Tiny,
    /// A tenth of a second or so of two cores.
    Small,
    /// Seconds of two cores.
    Medium,
    /// What a GPU is for.
    Large,
}

/// The least that any evaluation must do for a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Work {
    /// Numbers loaded.
    pub(super) numbers: f64,
    /// Multiply-adds; a maximum counts as one.
    pub(super) operations: f64,
}

impl Workload {
    pub(super) const ALL: [Self; 4] = [Self::Linear, Self::Brackets, Self::Options, Self::Grid];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Brackets => "brackets",
            Self::Options => "options",
            Self::Grid => "grid",
        }
    }

    /// Accounts and scenarios.
    pub(super) fn extent(self, size: Size) -> (u64, usize) {
        let light = matches!(self, Self::Linear | Self::Brackets);
        match (size, self) {
            (Size::Tiny, Self::Grid) => (100, 64),
            (Size::Tiny, _) => (200, 128),
            (Size::Small, Self::Grid) => (1_000, 256),
            (Size::Small, _) => (if light { 10_000 } else { 5_000 }, 256),
            (Size::Medium, Self::Grid) => (10_000, 512),
            (Size::Medium, _) => (if light { 100_000 } else { 50_000 }, 1_024),
            (Size::Large, Self::Grid) => (100_000, 1_024),
            (Size::Large, _) => (if light { 1_000_000 } else { 500_000 }, 1_024),
        }
    }

    /// Equity and the excess over maintenance margin are two sums over positions. A bound that is crossed adds a reach (a
    /// multiply-add and a maximum) times a slope; a grid adds the change of value at each of its points.
    pub(super) fn work(self) -> Work {
        match self {
            Self::Linear | Self::Options => Work { numbers: 1.0, operations: 2.0 },
            Self::Brackets => Work { numbers: 1.0, operations: 5.0 },
            Self::Grid => Work { numbers: 1.0 + rules::GRID_POINTS, operations: 1.0 + rules::GRID_POINTS },
        }
    }

    /// Builds it: a pure function of workload, size and seed.
    ///
    /// # Errors
    /// Those of the generators.
    pub(super) fn case(self, size: Size, seed: u64) -> Result<Case> {
        let (accounts, scenarios) = self.extent(size);
        let (market, generating, rulebook) = self.exchange(seed)?;
        let options = synth::Options { accounts, seed, near_threshold_share: NEAR_THRESHOLD_SHARE };
        let snapshot = synth::snapshot(&market, &generating, options)?;
        let scenarios = shocks(&snapshot, scenarios, seed)?;
        Ok(Case { snapshot, rulebook, scenarios })
    }

    /// The market, the rules that its book is drawn for, and those that it is swept under.
    fn exchange(self, seed: u64) -> Result<(Market, Rulebook, Rulebook)> {
        if matches!(self, Self::Linear | Self::Brackets) {
            let listed = Market::built_in(&MarketOptions { seed, ..MarketOptions::default() })?;
            let flat = rules::flat(&listed);
            let market = Market::from_rulebook(&flat, &MarketOptions { seed, ..MarketOptions::default() })?;
            let swept = if self == Self::Linear { flat.clone() } else { rules::brackets(&flat) };
            return Ok((market, flat, swept));
        }
        let listing = MarketOptions { seed, options: OptionListing::Chains, ..MarketOptions::default() };
        let market = Market::built_in(&listing)?;
        let classes = synth::rulebook(&market);
        let swept = if self == Self::Options { classes.clone() } else { rules::grid(&classes)? };
        Ok((market, classes, swept))
    }
}

impl Size {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// Student's t shocks of every price, and of the volatility of what has options.
fn shocks(snapshot: &Snapshot, count: usize, seed: u64) -> Result<ScenarioSet> {
    let (names, volatilities) = price_volatilities(&snapshot.underlyings, &VolatilityChoice::default())?;
    let request = MonteCarloRequest {
        names,
        volatilities,
        dependence: Dependence::OneFactor(CORRELATION),
        count,
        seed,
        degrees_of_freedom: DEGREES_OF_FREEDOM,
        horizon_days: HORIZON_DAYS,
    };
    let (mut set, _) = monte_carlo(&request)?;
    let has_options = |at: usize| {
        let of = |instrument: &&crate::domain::Instrument| instrument.underlying as usize == at;
        snapshot.instruments.iter().filter(of).any(|instrument| instrument.kind == Kind::Option)
    };
    let with_options: Vec<&Underlying> =
        snapshot.underlyings.iter().enumerate().filter(|(at, _)| has_options(*at)).map(|(_, one)| one).collect();
    if !with_options.is_empty() {
        let moves =
            VolatilityMoves { price_beta: -1.0, volatility_of_volatility: 0.9, horizon_days: HORIZON_DAYS, seed };
        add_volatility_moves(&mut set, &with_options, &moves)?;
    }
    Ok(set)
}

/// A book, its rules and its scenarios.
pub(super) struct Case {
    pub(super) snapshot: Snapshot,
    pub(super) rulebook: Rulebook,
    pub(super) scenarios: ScenarioSet,
}

impl Case {
    /// Positions × scenarios.
    pub(super) fn cells(&self) -> u64 {
        self.snapshot.book.position_count() as u64 * self.scenarios.len() as u64
    }

    /// Sweeps it.
    pub(super) fn sweep(&self, engine: &EngineChoice, threads: Option<usize>) -> Result<Outcome> {
        let options = SweepOptions { engine: engine.clone(), threads, ..SweepOptions::default() };
        sweep(&self.snapshot, &self.rulebook, &self.scenarios, &options, &())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::digest;

    const SEED: u64 = 7;

    #[test]
    fn a_case_is_a_pure_function_and_every_engine_publishes_its_answers() {
        for workload in Workload::ALL {
            let case = workload.case(Size::Tiny, SEED).expect("a case");
            let sweep = |case: &Case, engine| {
                let outcome = case.sweep(engine, None).expect("swept");
                digest(&outcome.pools, &outcome.scenarios)
            };
            let cpu = sweep(&case, &EngineChoice::Cpu);
            assert_eq!(cpu, sweep(&case, &EngineChoice::Reference), "{}", workload.name());
            let again = workload.case(Size::Tiny, SEED).expect("a case");
            assert_eq!(cpu, sweep(&again, &EngineChoice::Cpu), "{}", workload.name());
            let other = workload.case(Size::Tiny, SEED + 1).expect("a case");
            assert_ne!(cpu, sweep(&other, &EngineChoice::Cpu), "{}", workload.name());
        }
    }

    #[test]
    fn scenarios_decide_something_in_every_workload() {
        for workload in Workload::ALL {
            let outcome = workload.case(Size::Tiny, SEED).and_then(|case| case.sweep(&EngineChoice::Cpu, None));
            let outcome = outcome.expect("swept");
            let breached = outcome.pools.iter().filter(|pool| pool.liquidatable_scenarios > 0).count();
            let share = breached as f64 / outcome.pools.len() as f64;
            assert!((0.02..0.98).contains(&share), "{}: {share} of the pools breach", workload.name());
        }
    }

    #[test]
    fn brackets_change_what_linear_answers_on_the_same_book() {
        let [linear, brackets] =
            [Workload::Linear, Workload::Brackets].map(|workload| workload.case(Size::Tiny, SEED).expect("a case"));
        assert_eq!(linear.snapshot.book.position_count(), brackets.snapshot.book.position_count());
        assert_eq!(linear.scenarios.shocks, brackets.scenarios.shocks);
        assert_ne!(linear.rulebook, brackets.rulebook);
    }
}
