//! What is known of one pool while its scenarios go by: counts, shortfall, and where its worst scenario may be.
//! Every engine closes its pools here, so every engine publishes the same figures.

use super::arbiter::Decision;
use super::block::Place;
use super::job::Job;
use super::outcome::{PoolOutcome, State, Totals};
use super::tally::{ScenarioTally, quanta};
use super::verdicts::{Verdicts, lanes};
use crate::domain::Pool;
use crate::pricing::Column;
use crate::program::PoolProgram;

/// Shortfalls that a pool has room for when it has its first.
const SHORTFALLS: usize = 32;

/// Neighbouring scenarios that may hold the worst, with the lowest value a kernel saw there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    first: u32,
    lowest: f64,
}

/// The kernel's own word on a pool's worst scenario, for the audit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Witness {
    /// Place of the kernel's lowest maintenance root.
    pub place: u32,
    /// The value there, as the kernel computed it.
    pub value: f64,
    /// Its certified bound.
    pub bound: f64,
}

/// Running account of one pool.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    restricted: u32,
    liquidatable: u32,
    bankrupt: u32,
    /// (scenario, weight · shortfall) of each bankrupt verdict, in no particular order; a chunk's pools hold them until they are
    /// closed.
    shortfalls: Vec<(u32, f64)>,
    /// At least one verdict was left to the arbiter.
    pub redecided: bool,
    candidates: Vec<Candidate>,
    lowest: f64,
    /// How far a kernel value may lie above the lowest and still belong to the worst scenario.
    slack: f64,
    /// Bound on the error of a canonical figure; of the equity alone where nothing bounds the requirement.
    canonical_error: f64,
    /// Bound on the error of the figures at base; infinite where nothing bounds the requirement.
    base_error: f64,
}

impl Ledger {
    /// A ledger for a pool whose kernel values carry this error bound, and whose program bounds what else is lost.
    ///
    /// A canonical f64 value differs from the exact one by at most twice the compile error, so the scenario that is worst
    /// canonically has a kernel value within `2·(error + 2·compile_error)` of the lowest.
    pub fn new(error: f64, program: &PoolProgram) -> Self {
        let canonical_error = 2.0 * program.compile_error;
        Self {
            lowest: f64::INFINITY,
            slack: 2.0 * (error + canonical_error),
            canonical_error,
            base_error: if program.direct { f64::INFINITY } else { canonical_error },
            ..Self::default()
        }
    }

    /// Takes note of the lowest maintenance root of the scenarios from `first` on. A NaN (an uncertain node) may be
    /// anything: they stay candidates, and say nothing about the others.
    #[inline]
    pub fn note_lowest(&mut self, first: usize, lowest: f64) {
        if lowest.is_nan() {
            self.candidates.push(Candidate { first: first as u32, lowest: f64::NEG_INFINITY });
            return;
        }
        if lowest > self.lowest + self.slack {
            return;
        }
        if lowest < self.lowest {
            self.lowest = lowest;
            let limit = lowest + self.slack;
            self.candidates.retain(|candidate| candidate.lowest <= limit);
        }
        self.candidates.push(Candidate { first: first as u32, lowest });
    }

    /// Counts the verdicts of a block, and adds what they contribute to the pool's total and, with exact totals, to the
    /// scenarios'.
    pub fn count(
        &mut self,
        job: &Job<'_>,
        pool: &Pool<'_>,
        (first, verdicts): (usize, Verdicts),
        totals: Totals,
        tally: &mut [ScenarioTally],
    ) {
        self.restricted += verdicts.restricted.count_ones();
        self.liquidatable += verdicts.liquidatable.count_ones();
        self.bankrupt += verdicts.bankrupt.count_ones();
        // Who is bankrupt or liquidatable is restricted too.
        for lane in lanes(verdicts.restricted | verdicts.bankrupt) {
            let scenario = &mut tally[first + lane];
            scenario.restricted += verdicts.restricted >> lane & 1;
            scenario.liquidatable += verdicts.liquidatable >> lane & 1;
            scenario.bankrupt += verdicts.bankrupt >> lane & 1;
        }
        self.settle(job, pool, (first, verdicts), totals, tally);
    }

    /// Adds the canonical shortfall of the bankrupt verdicts of a block, and with exact totals what they and the
    /// liquidatable ones add to their scenarios.
    pub fn settle(
        &mut self,
        job: &Job<'_>,
        pool: &Pool<'_>,
        (first, verdicts): (usize, Verdicts),
        totals: Totals,
        tally: &mut [ScenarioTally],
    ) {
        let exact = totals == Totals::Exact;
        if verdicts.bankrupt != 0 {
            let equity = job.canonical_equity(pool, first);
            // One allocation serves most pools.
            if self.shortfalls.capacity() == 0 {
                self.shortfalls.reserve(SHORTFALLS);
            }
            for lane in lanes(verdicts.bankrupt) {
                let shortfall = if equity.0[lane] < 0.0 { -equity.0[lane] } else { 0.0 };
                let scenario = job.order.scenario(first + lane) as u32;
                self.shortfalls.push((scenario, job.weights[first + lane] * shortfall));
                if exact {
                    tally[first + lane].shortfall += quanta(shortfall);
                    tally[first + lane].shortfall_bound += self.canonical_error;
                }
            }
        }
        if exact && verdicts.liquidatable != 0 {
            let notional = job.canonical_notional(pool, first);
            for lane in lanes(verdicts.liquidatable) {
                tally[first + lane].notional += quanta(notional.0[lane]);
            }
        }
    }

    /// Adds counts that a device has already made of certain verdicts.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "the device engine settles with it"))]
    pub fn add_counts(&mut self, restricted: u32, liquidatable: u32, bankrupt: u32) {
        self.restricted += restricted;
        self.liquidatable += liquidatable;
        self.bankrupt += bankrupt;
    }

    /// Counts a verdict that a device left out, and adds it to the totals that carry a bound.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "the device engine settles with it"))]
    pub fn count_left_out(
        &mut self,
        job: &Job<'_>,
        pool: &Pool<'_>,
        scenario: usize,
        decision: Decision,
        tally: &mut [ScenarioTally],
    ) {
        self.redecided = true;
        let counts = [decision.restricted, decision.liquidatable, decision.bankrupt].map(u32::from);
        self.add_counts(counts[0], counts[1], counts[2]);
        tally[scenario].restricted += counts[0];
        tally[scenario].liquidatable += counts[1];
        tally[scenario].bankrupt += counts[2];
        if job.totals == Totals::Bounded && decision.liquidatable {
            let figures = job.arbiter.figures(pool, Column::Scenario(scenario));
            let shortfall = if decision.bankrupt && figures.equity < 0.0 { -figures.equity } else { 0.0 };
            tally[scenario].notional_float += figures.gross_notional;
            tally[scenario].shortfall_float += shortfall;
            // The figure's own error, and the rounding of adding it.
            tally[scenario].shortfall_bound += self.canonical_error + tally[scenario].shortfall_float * f64::EPSILON;
        }
    }

    /// How far a root may lie above the lowest and still belong to the worst scenario.
    pub fn slack(&self) -> f64 {
        self.slack
    }

    /// First scenarios of the neighbourhoods that may hold the worst, in no particular order.
    pub fn candidates(&self) -> impl Iterator<Item = usize> + '_ {
        let limit = self.lowest + self.slack;
        self.candidates
            .iter()
            .filter(move |candidate| candidate.lowest <= limit)
            .map(|candidate| candidate.first as usize)
    }

    /// Kernel values up to this may belong to the worst scenario.
    pub fn candidate_limit(&self) -> f64 {
        self.lowest + self.slack
    }

    /// Closes the pool: the worst scenario is the first that stands at one of `candidates` with the lowest canonical excess.
    pub fn close(&mut self, job: &Job<'_>, pool: &Pool<'_>, mut candidates: Vec<usize>) -> PoolOutcome {
        candidates.sort_unstable_by_key(|&place| job.order.scenario(place));
        let market = |place| Place { tiles: job.tiles, place };
        let (place, worst) = job.arbiter.worst_scenario(pool, candidates, market).unwrap_or_default();
        // Summed in the order of the scenarios, whatever the order in which they were taken.
        let mut shortfalls = std::mem::take(&mut self.shortfalls);
        shortfalls.sort_unstable_by_key(|&(scenario, _)| scenario);
        let weighted_shortfall = shortfalls.iter().fold(0.0, |sum, (_, shortfall)| sum + shortfall);
        let base = job.arbiter.figures(pool, Column::Base);
        PoolOutcome {
            base,
            state: job.arbiter.state_of(pool, Column::Base, &base, self.base_error),
            worst_scenario: job.order.scenario(place) as u32,
            worst_excess: worst.maintenance_excess(),
            worst_equity: worst.equity,
            restricted_scenarios: self.restricted,
            liquidatable_scenarios: self.liquidatable,
            bankrupt_scenarios: self.bankrupt,
            expected_shortfall: weighted_shortfall / job.total_weight,
        }
    }
}

/// The outcome of a pool of which nothing is claimed.
pub fn unknown() -> PoolOutcome {
    PoolOutcome {
        base: super::outcome::Figures::default(),
        state: State::Unknown,
        worst_scenario: 0,
        worst_excess: f64::NAN,
        worst_equity: f64::NAN,
        restricted_scenarios: 0,
        liquidatable_scenarios: 0,
        bankrupt_scenarios: 0,
        expected_shortfall: f64::NAN,
    }
}
