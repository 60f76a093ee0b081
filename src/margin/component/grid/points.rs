use super::{Grid, SettleAt, Transform};
use crate::domain::Underlying;
use crate::pricing::{Move, SkewForm, SkewMove, TermScale, VolatilityChange, VolatilityMove};

const YEAR_DAYS: f64 = 365.0;

/// One point of a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridPoint {
    /// Move of the price, in [`PriceUnit`]s.
    pub price: f64,
    /// Move of the volatility: 1 = the upward range, −1 = the downward one, 0 = none.
    pub volatility: f64,
    /// Share of the loss that counts.
    pub weight: f64,
    /// Tilt of the volatilities; the loss is then |gain or loss| of each cell.
    pub skew: Option<SkewMove>,
    /// Days that pass.
    pub days: f64,
}

impl Default for GridPoint {
    fn default() -> Self {
        Self { price: 0.0, volatility: 0.0, weight: 1.0, skew: None, days: 0.0 }
    }
}

/// What a point's price move is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PriceUnit {
    /// Multiples of the underlying's range R.
    #[default]
    Range,
    /// Multiples of a range R in quote units per unit of the underlying, a share of the unshocked index.
    QuoteRange,
    /// Relative: −0.2 = −20 %.
    Relative,
    /// Multiples of σ·√(days/365), σ the underlying's volatility index, days the point's.
    Deviations,
}

/// Moves far beyond the range, valued in full and counted in part: `factor · R/|move|` of the loss, in coins also times
/// `(1 + move)/(1 ± R)`, so that a contract without optionality loses what it loses at the edge of the range.
#[derive(Debug, Clone, PartialEq)]
pub struct Extreme {
    /// Relative moves.
    pub moves: Vec<f64>,
    /// Move of the volatility at each, as in [`GridPoint`].
    pub volatility: f64,
    /// Share on top of R/|move|.
    pub factor: f64,
}

/// One unit of a grid's volatility moves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VolatilityRange {
    /// Upward relative move.
    pub up: f64,
    /// Downward relative move, ≥ 0.
    pub down: f64,
    /// Upward move in points, by days to expiry.
    pub up_points: Vec<(f64, f64)>,
    /// Downward move in points, ≥ 0, by days to expiry.
    pub down_points: Vec<(f64, f64)>,
    /// How relative moves depend on the days left.
    pub term: TermScale,
    /// Smallest volatility after an upward move.
    pub minimum_up: f64,
}

impl VolatilityRange {
    fn scaled(&self, by: f64, skew: Option<SkewMove>) -> VolatilityMove {
        let (relative, points) = if by > 0.0 { (self.up, &self.up_points) } else { (self.down, &self.down_points) };
        VolatilityMove {
            relative: by * relative,
            points: points.iter().map(|(days, points)| (*days, by * points)).collect(),
            term: self.term,
            minimum: self.minimum_up,
            skew,
        }
    }
}

/// One point as it is for one underlying.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PointAt {
    /// Relative move of the price.
    pub(super) price: f64,
    pub(super) volatility: Option<VolatilityMove>,
    pub(super) years: f64,
    /// Share that counts, if [`Transform::Weight`] is applied.
    pub(super) weight: f64,
    /// |move| / R − 1 where that is positive: what dampening is a multiple of.
    pub(super) beyond: f64,
}

impl PointAt {
    /// The move of a contract; `settlement_moves` where its settlement asset's price moves along.
    pub(super) fn step(&self, settlement_moves: SettleAt) -> Move<'_> {
        let settlement = match settlement_moves {
            SettleAt::Moved => self.price,
            SettleAt::Current => 0.0,
        };
        let Self { price, years, .. } = *self;
        let volatility = self.volatility.as_ref().map(VolatilityChange::Grid);
        Move { price, volatility, years, rate: 0.0, settlement }
    }
}

impl Grid {
    /// Number of points.
    pub(super) fn len(&self) -> usize {
        self.points.len() + self.extremes.as_ref().map_or(0, |extremes| extremes.moves.len())
    }

    /// Points of an underlying, in order.
    pub(super) fn points_of(&self, underlying: &Underlying) -> Vec<PointAt> {
        self.points_at(self.relative_range(underlying), underlying.volatility_index)
    }

    /// Price range of an underlying, a share.
    pub(in crate::margin::component) fn relative_range(&self, underlying: &Underlying) -> f64 {
        let range = self.range.get(&underlying.name);
        match self.price_unit {
            PriceUnit::QuoteRange => range / underlying.index_price,
            PriceUnit::Range | PriceUnit::Relative | PriceUnit::Deviations => range,
        }
    }

    fn points_at(&self, range: f64, volatility_index: Option<f64>) -> Vec<PointAt> {
        let within = self.points.iter().map(|point| {
            let years = point.days / YEAR_DAYS;
            let price = match self.price_unit {
                PriceUnit::Range | PriceUnit::QuoteRange => point.price * range,
                PriceUnit::Relative => point.price,
                PriceUnit::Deviations => point.price * volatility_index.unwrap_or_default() * years.sqrt(),
            };
            self.point_at(price, range, point.weight, (point.volatility, point.skew, years))
        });
        let beyond = self.extremes.iter().flat_map(|extremes| {
            extremes.moves.iter().map(|&price| {
                let in_coins = match self.settle_at {
                    SettleAt::Current => (1.0 + price) / (1.0 + range * price.signum()),
                    SettleAt::Moved => 1.0,
                };
                let weight = extremes.factor * (range / price.abs()) * in_coins;
                self.point_at(price, range, weight, (extremes.volatility, None, 0.0))
            })
        });
        within.chain(beyond).collect()
    }

    fn point_at(
        &self,
        price: f64,
        range: f64,
        weight: f64,
        (volatility, skew, years): (f64, Option<SkewMove>, f64),
    ) -> PointAt {
        // No price falls below 0, however large the range.
        let price = price.max(-1.0);
        let moves_volatility = volatility != 0.0 || skew.is_some();
        let multiple = if range > 0.0 { price.abs() / range - 1.0 } else { 0.0 };
        // Within the range nothing is dampened, whatever rounding says of its edge.
        let beyond = if multiple > 1e-9 { multiple } else { 0.0 };
        let volatility = moves_volatility.then(|| self.volatility.scaled(volatility, skew));
        PointAt { price, volatility, years, weight, beyond }
    }

    /// Runs of neighbouring points that the same transforms apply to, whatever the underlying.
    pub(super) fn runs(&self) -> Vec<Run> {
        let dampens = self.transforms.iter().any(|transform| matches!(transform, Transform::Dampen { .. }));
        let everywhere: Vec<_> = std::iter::once(&self.range.default)
            .chain(self.range.of.values())
            .map(|&range| self.points_at(range, None))
            .collect();
        let mut runs: Vec<Run> = Vec::new();
        for at in 0..self.len() {
            let is_absolute = self.points.get(at).is_some_and(|point| point.skew.is_some());
            let is_deviation = self.price_unit == PriceUnit::Deviations && at < self.points.len();
            let is_dampened = dampens && (is_deviation || everywhere.iter().any(|points| points[at].beyond > 0.0));
            match runs.last_mut() {
                Some(run) if (run.is_dampened, run.is_absolute) == (is_dampened, is_absolute) => run.count += 1,
                _ => runs.push(Run { first: at, count: 1, is_dampened, is_absolute }),
            }
        }
        runs
    }

    /// A point in words.
    pub(in crate::margin::component) fn label(&self, at: usize, underlying: &Underlying) -> String {
        let points = self.points_of(underlying);
        let Some(point) = points.get(at) else { return String::new() };
        let volatility = match (self.points.get(at), &self.extremes) {
            (Some(point), _) => point.volatility,
            (None, Some(extremes)) => extremes.volatility,
            (None, None) => 0.0,
        };
        let volatility = match volatility {
            up if up > 0.0 => "volatility up",
            down if down < 0.0 => "volatility down",
            _ => "volatility unchanged",
        };
        let skew = match self.points.get(at).and_then(|point| point.skew.map(|skew| skew.form)) {
            Some(SkewForm::Linear) => ", linear skew",
            Some(SkewForm::Absolute) => ", absolute skew",
            None => "",
        };
        let days = if point.years > 0.0 { format!(", {:.4} days", point.years * YEAR_DAYS) } else { String::new() };
        let weight = if point.weight == 1.0 { String::new() } else { format!(", weight {:.6}", point.weight) };
        format!("point {}: price {:+.4} %, {volatility}{skew}{days}{weight}", at + 1, point.price * 100.0)
    }
}

/// Neighbouring points under the same transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) is_dampened: bool,
    pub(super) is_absolute: bool,
}
