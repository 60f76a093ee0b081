use super::landscape::Plane;

/// How far, relative to the larger of equity and `target` · requirement before any trade, an answer may miss the target.
pub(super) const TOLERANCE: f64 = 1e-9;

/// One holding that may be traded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// Units held; positive = long.
    pub held: f64,
    /// Fewest units that may be held after; ≤ `held`.
    pub lowest: f64,
    /// Most units that may be held after; ≥ `held`.
    pub highest: f64,
    /// Cost of trading one unit in either direction, quote units; ≥ 0.
    pub cost: f64,
}

impl Leg {
    /// A position that may only move towards zero.
    pub fn cut(held: f64, cost: f64) -> Self {
        Self { held, lowest: held.min(0.0), highest: held.max(0.0), cost }
    }

    /// A position that may move by up to `cap` units in either direction, through zero too.
    pub fn hedge(held: f64, cap: f64, cost: f64) -> Self {
        Self { held, lowest: held - cap, highest: held + cap, cost }
    }

    /// A position that stays as it is.
    pub fn fixed(held: f64) -> Self {
        Self { held, lowest: held, highest: held, cost: 0.0 }
    }

    fn is_valid(&self) -> bool {
        let finite = [self.held, self.lowest, self.highest, self.cost].into_iter().all(f64::is_finite);
        finite && self.lowest <= self.held && self.held <= self.highest && self.cost >= 0.0
    }
}

/// What is asked for: equity − cost ≥ `target` · requirement + `excess`.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What may be traded.
    pub legs: Vec<Leg>,
    /// Multiple of the requirement to be restored; > 0. 1.1 leaves a tenth of it as a buffer.
    pub target: f64,
    /// Quote units to restore beyond that.
    pub excess: f64,
    /// Most planes, or steps of [`super::greedy`], before giving up.
    pub limit: usize,
}

/// Trades that restore the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Restoration {
    /// Units to trade of each leg, positive = buy: `[n_legs]`.
    pub trades: Vec<f64>,
    /// Their cost, quote units.
    pub cost_quote: f64,
    /// Equity after them, cost paid, quote units.
    pub equity_quote: f64,
    /// Requirement after them, quote units.
    pub requirement_quote: f64,
    /// How many times the landscape was asked.
    pub planes: usize,
    /// Requirement that one unit more of each leg would add after the trades, quote units: `[n_legs]`.
    pub marginal: Vec<f64>,
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The target is met.
    Restored(Restoration),
    /// No trades within the bounds meet it.
    Infeasible {
        /// Units to trade of each leg that come nearest: `[n_legs]`.
        trades: Vec<f64>,
        /// What they leave missing, quote units.
        shortfall_quote: f64,
    },
    /// Neither was found: the limit was reached, as under a rule that is not convex, or a number was not finite.
    Unsettled,
}

impl Problem {
    /// Whether every number is finite and in its range.
    pub(super) fn is_valid(&self) -> bool {
        let target = self.target.is_finite() && self.target > 0.0;
        target && self.excess.is_finite() && self.legs.iter().all(Leg::is_valid)
    }

    /// Holdings after some trades, within the bounds: `[n_legs]`.
    pub(super) fn holdings(&self, trades: &[f64]) -> Vec<f64> {
        let after = |(leg, trade): (&Leg, &f64)| (leg.held + trade).clamp(leg.lowest, leg.highest);
        self.legs.iter().zip(trades).map(after).collect()
    }

    /// Cost of some trades, quote units.
    pub(super) fn cost(&self, trades: &[f64]) -> f64 {
        self.legs.iter().zip(trades).map(|(leg, trade)| leg.cost * trade.abs()).sum()
    }

    /// What is missing at a plane reached at this cost, quote units; ≤ 0 where the target is met.
    pub(super) fn shortfall(&self, plane: &Plane, cost: f64) -> f64 {
        self.target * plane.requirement + self.excess - (plane.equity - cost)
    }

    /// Size of a pool that starts at this plane, quote units; > 0.
    pub(super) fn size(&self, start: &Plane) -> f64 {
        let size = start.equity.abs().max(self.target * start.requirement.abs()).max(self.excess.abs());
        if size > 0.0 { size } else { 1.0 }
    }

    /// The answer at these trades, where what they leave missing is at most `tolerance`, quote units.
    pub(super) fn restored(
        &self,
        trades: &[f64],
        plane: &Plane,
        (planes, tolerance): (usize, f64),
    ) -> Option<Restoration> {
        let cost = self.cost(trades);
        if self.shortfall(plane, cost) > tolerance {
            return None;
        }
        Some(Restoration {
            trades: trades.to_vec(),
            cost_quote: cost,
            equity_quote: plane.equity - cost,
            requirement_quote: plane.requirement,
            planes,
            marginal: plane.requirement_gradient.clone(),
        })
    }
}
