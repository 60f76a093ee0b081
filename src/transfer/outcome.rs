use super::course::State;
use super::holdings::Holdings;
use crate::engine::{Audit, PoolOutcome};
use crate::liquidation::Quanta;

/// Everything that a plan comes to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What moves, holding by holding.
    pub items: Vec<Item>,
    /// Every state: idle to committed, then aborted.
    pub steps: Vec<StepOutcome>,
    /// The first state, in that order, that misses a target: the plan is not to be started.
    pub breach: Option<Breach>,
    /// Where the plan asks for the largest lot: the first breach that one step of its grid more would bring; `None` where the lot is
    /// everything there is.
    pub next_breach: Option<Breach>,
    /// What the source holds after the commit.
    pub source_after: Holdings,
    /// What the destination holds after the commit.
    pub destination_after: Holdings,
    /// What was made or lost: 0. Recomputed from the amounts that the two books say afterwards.
    pub conservation_error: Quanta,
    /// Cost of closing and opening positions, quote units at the source and at the destination.
    pub reopening_cost: (f64, f64),
    /// Name of the engine, and its adapter.
    pub engine: (String, String),
    /// What the audits of both sweeps found: source, destination.
    pub audits: [Audit; 2],
    /// Things a reader should know.
    pub warnings: Vec<String>,
}

/// What a holding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// An amount of an asset.
    Balance,
    /// Contracts of an instrument.
    Position,
}

impl ItemKind {
    /// Its word in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Position => "position",
        }
    }
}

/// One holding that moves: units of an asset, or contracts.
///
/// source before + destination before + realised = source after + destination after + fee + cost, in whole quanta.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Name of the asset or instrument.
    pub name: String,
    /// At the source before.
    pub source_before: Quanta,
    /// At the destination before.
    pub destination_before: Quanta,
    /// What leaves the source.
    pub leaving: Quanta,
    /// What is booked at the destination.
    pub arriving: Quanta,
    /// What the route takes.
    pub fee: Quanta,
    /// Profit that closing positions turns into money, and funding that it settles; negative = a loss.
    pub realised: Quanta,
    /// What closing and opening cost.
    pub cost: Quanta,
}

impl Item {
    /// A balance of which nothing moves.
    pub(super) fn balance(name: &str, source: Quanta, destination: Quanta) -> Self {
        Self {
            kind: ItemKind::Balance,
            name: name.into(),
            source_before: source,
            destination_before: destination,
            leaving: Quanta::ZERO,
            arriving: Quanta::ZERO,
            fee: Quanta::ZERO,
            realised: Quanta::ZERO,
            cost: Quanta::ZERO,
        }
    }

    /// At the source after the commit.
    pub fn source_after(&self) -> Quanta {
        self.source_before - self.leaving
    }

    /// At the destination after the commit.
    pub fn destination_after(&self) -> Quanta {
        self.destination_before + self.arriving
    }
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideName {
    /// Where the lot comes from.
    Source,
    /// Where it goes.
    Destination,
}

impl SideName {
    /// Its word in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

/// One state of a transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    /// The state.
    pub state: State,
    /// Hours since the lock.
    pub at_hours: f64,
    /// What both sides require together in the unshocked market, quote units; while the destination has promised to book, at
    /// least what it will require then.
    pub joint_requirement: f64,
    /// The source in it.
    pub source: SideOutcome,
    /// The destination in it.
    pub destination: SideOutcome,
}

impl StepOutcome {
    /// Both sides by name.
    pub fn sides(&self) -> [(SideName, &SideOutcome); 2] {
        [(SideName::Source, &self.source), (SideName::Destination, &self.destination)]
    }
}

impl Outcome {
    /// BLAKE3 over what moves and what the engine and the exact decisions say of every state; equal on every machine.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"plimsoll transfer 1");
        for item in &self.items {
            hasher.update(item.kind.name().as_bytes()).update(&(item.name.len() as u64).to_le_bytes());
            hasher.update(item.name.as_bytes());
            for amount in [item.source_before, item.destination_before, item.leaving, item.arriving] {
                hasher.update(&amount.0.to_le_bytes());
            }
        }
        for step in &self.steps {
            for (_, side) in step.sides() {
                hasher.update(step.state.name().as_bytes()).update(side.digest.as_bytes());
                hasher.update(&side.check.breached.to_le_bytes());
            }
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl SideOutcome {
    /// Adjusted equity over the requirement meant, in the unshocked market; `None` where nothing is required.
    pub fn ratio(&self) -> Option<f64> {
        let ratio = self.pool.base.adjusted_equity / self.requirement;
        (self.requirement != 0.0).then_some(ratio).filter(|ratio| ratio.is_finite())
    }

    /// What the exact decisions mean: `kept`, `missed`, or `stands` where a miss is only reported.
    pub fn verdict(&self) -> &'static str {
        match (self.check.breached, self.test) {
            (0, _) => "kept",
            (_, Test::Stops) => "missed",
            (_, Test::Reports) => "stands",
        }
    }
}

/// One side in one state.
#[derive(Debug, Clone, PartialEq)]
pub struct SideOutcome {
    /// What the side counts of each item.
    pub counts: Vec<Quanta>,
    /// What the engine says of the pool.
    pub pool: PoolOutcome,
    /// Requirement meant by the target in the unshocked market, quote units.
    pub requirement: f64,
    /// The target under every scenario, decided exactly.
    pub check: Check,
    /// Whether a miss stops the plan.
    pub test: Test,
    /// Digest of what the engine says.
    pub digest: String,
}

/// Whether a state that misses its target stops the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// It does.
    Stops,
    /// It is what the side holds anyway, and the plan says to report it.
    Reports,
}

/// Adjusted equity against target · requirement, in the unshocked market and under every scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Markets, the unshocked one included, in which equity is below the target: decided exactly.
    pub breached: u64,
    /// Id of the scenario with the lowest excess; `base` for the unshocked market, which is the first of equals. Where markets are
    /// breached it is one of them.
    pub scenario: String,
    /// Adjusted equity − target · requirement there, quote units.
    pub excess: f64,
}

/// A state that misses a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Breach {
    /// The state.
    pub state: State,
    /// The side.
    pub side: SideName,
    /// Id of the scenario, or `base`.
    pub scenario: String,
    /// Adjusted equity − target · requirement there, quote units.
    pub excess: f64,
    /// Markets in which the side misses its target.
    pub breached: u64,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (side, state, scenario) = (self.side.name(), self.state.name(), &self.scenario);
        let (missing, markets) = ((-self.excess).max(0.0), self.breached);
        write!(f, "{side} when {state}: ")?;
        match missing {
            // Less than f64 can tell: the decision is exact.
            0.0 => write!(f, "0")?,
            missing if missing < 0.01 => write!(f, "{missing:.1e}")?,
            missing => write!(f, "{missing:.2}")?,
        }
        write!(f, " of adjusted equity missing under {scenario:?}, ")?;
        match markets {
            1 => write!(f, "the one market that misses the target"),
            _ => write!(f, "the worst of {markets} markets that miss the target"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breach_is_told_in_the_singular_and_to_the_last_quantum() {
        let breach = |excess, breached| {
            let (state, side) = (State::Committed, SideName::Source);
            Breach { state, side, scenario: "s1".into(), excess, breached }.to_string()
        };
        let said = [breach(0.0, 1), breach(-1e-8, 2), breach(-12.5, 3)];
        let told = [
            "0 of adjusted equity missing under \"s1\", the one market that misses the target",
            "1.0e-8 of adjusted equity missing under \"s1\", the worst of 2 markets that miss the target",
            "12.50 of adjusted equity missing under \"s1\", the worst of 3 markets that miss the target",
        ];
        assert_eq!(said, told.map(|told| format!("source when committed: {told}")));
    }
}
