//! One position as a rule of cutting sees it.

/// A position that can be cut, in part or whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// N: size of the position, quote units, ≥ 0.
    pub notional_quote: f64,
    /// m: maintenance margin released per unit of notional cut; negative for a hedge, whose cut raises it.
    pub relief: f64,
    /// c: linear cost per unit of notional cut, fees and half the spread, ≥ 0.
    pub cost: f64,
    /// What the cut's own size adds to its cost.
    pub impact: LegImpact,
    /// Unrealised profit, quote units; a loss is negative. Orders [`super::largest_loss`].
    pub profit_quote: f64,
}

/// Cost of a cut of `x` units of notional beyond the linear one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LegImpact {
    /// Nothing.
    None,
    /// ½·slope·x²: the price moves in proportion to what was cut.
    Linear {
        /// Marginal cost per unit of notional, per unit of notional cut, ≥ 0.
        slope: f64,
    },
    /// coefficient·x^{3/2}: the price moves with the root of what was cut; Y·σ/√V for a volatility σ and a volume V of the
    /// same period and Y near 1 (Almgren et al. 2005; Donier & Bonart 2015).
    SquareRoot {
        /// Cost per unit of notional, per root of notional cut, ≥ 0.
        coefficient: f64,
    },
}

/// What a restoration has to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// S = τM − E, quote units; nothing has to be cut where it is not positive.
    pub shortfall_quote: f64,
    /// τ: adjusted equity per unit of maintenance margin at which a liquidation ends, > 0.
    pub health: f64,
}

impl Leg {
    /// Cost of cutting `cut` units of notional, quote units.
    pub fn cost_quote(&self, cut: f64) -> f64 {
        self.cost * cut + self.impact.cost_quote(cut)
    }

    /// What cutting `cut` units of notional adds to E − τM, quote units: g(x) = τ·m·x − cost.
    pub fn gain_quote(&self, cut: f64, target: Target) -> f64 {
        self.gain_rate(target) * cut - self.impact.cost_quote(cut)
    }

    /// Largest cut that still helps, in units of notional: where marginal cost reaches τ·m, at most N; 0 for a toxic leg.
    pub fn useful_cut(&self, target: Target) -> f64 {
        self.cut_below(target.health * self.relief)
    }

    /// Gain of the first unit of notional cut, τ·m − c.
    pub(super) fn gain_rate(&self, target: Target) -> f64 {
        target.health * self.relief - self.cost
    }

    /// Largest cut, at most N, whose every unit costs less than `marginal_cost`.
    pub(super) fn cut_below(&self, marginal_cost: f64) -> f64 {
        let excess = marginal_cost - self.cost;
        if excess <= 0.0 {
            return 0.0;
        }
        let cut = match self.impact {
            LegImpact::None => self.notional_quote,
            LegImpact::Linear { slope } => excess / slope,
            LegImpact::SquareRoot { coefficient } => {
                let root = excess / (1.5 * coefficient);
                root * root
            }
        };
        cut.min(self.notional_quote)
    }

    /// Whether every number is finite and in its range.
    pub(super) fn is_well_formed(&self) -> bool {
        let impact = match self.impact {
            LegImpact::None => 0.0,
            LegImpact::Linear { slope } => slope,
            LegImpact::SquareRoot { coefficient } => coefficient,
        };
        let sizes = [self.notional_quote, self.cost, impact];
        sizes.iter().all(|size| size.is_finite() && *size >= 0.0)
            && self.relief.is_finite()
            && self.profit_quote.is_finite()
    }
}

impl LegImpact {
    fn cost_quote(self, cut: f64) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Linear { slope } => 0.5 * slope * cut * cut,
            Self::SquareRoot { coefficient } => coefficient * cut * cut.sqrt(),
        }
    }
}

impl Target {
    /// Whether both numbers are finite and τ is positive.
    pub(super) fn is_well_formed(&self) -> bool {
        self.shortfall_quote.is_finite() && self.health.is_finite() && self.health > 0.0
    }
}
