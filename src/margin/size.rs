//! Size functions of margin classes: brackets of notional, rates that grow with size, rates that follow open interest.

use super::bracket::Schedule;
use super::haircut::SizeUnit;
use super::pool::Market;
use crate::number::Number;
use crate::program::{Node, Sink};

/// What a margin class requires of a position by its size, before the class's minimum and scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum SizeFunction {
    /// Brackets of notional.
    Brackets(Schedule),
    /// A rate that grows with the position's own size.
    Curve(SizeCurve),
    /// A rate that grows with the open interest of the underlying.
    OpenInterest(OpenInterestRate),
}

/// How a rate grows with size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Growth {
    /// `base + slope · size`.
    Linear {
        /// Increase of the rate per unit of size, ≥ 0.
        slope: f64,
    },
    /// `max(base, share_of_base · base + factor · √size)`.
    SquareRoot {
        /// Increase of the rate per √unit of size, ≥ 0.
        factor: f64,
        /// What of the base the growing branch starts from, in [0, 1].
        share_of_base: f64,
    },
}

/// A rate as a function of the size of a position, not capped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeCurve {
    /// Rate of the smallest position, in [0, 1].
    pub base: f64,
    /// How it grows.
    pub growth: Growth,
    /// Unit of size: of the underlying (`|quantity| · contract size`, of an inverse contract `/ mark`), or quote units.
    pub unit: SizeUnit,
}

/// A rate that rises from `base` to 1 between two values of the underlying's open interest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenInterestRate {
    /// Rate up to `lower`, in [0, 1].
    pub base: f64,
    /// Open interest up to which the rate is `base`, quote units, ≥ 0.
    pub lower: f64,
    /// Open interest from which the rate is 1, quote units, above `lower`.
    pub upper: f64,
}

/// A position as size functions read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PositionSize {
    /// Row and coefficient of its notional ≥ 0.
    pub(super) notional: (u32, f64),
    /// |quantity|, contracts.
    pub(super) quantity: f64,
    /// Units of the underlying per contract, for a curve whose sizes do not move with the market.
    pub(super) unit_size: f64,
    /// Row of g(size) · notional of one contract, g the growth of the curve, where sizes move with the market.
    pub(super) grown: Option<u32>,
}

impl From<Schedule> for SizeFunction {
    fn from(schedule: Schedule) -> Self {
        Self::Brackets(schedule)
    }
}

impl SizeFunction {
    /// Direct formula: the requirement of a position, quote units, every rate raised to `floor_rate` (1/leverage, or 0).
    pub(super) fn requirement<N: Number>(&self, size: &PositionSize, floor_rate: f64, market: &impl Market<N>) -> N {
        let (row, coefficient) = size.notional;
        let notional = N::of(coefficient).times(&market.row(row));
        match self {
            Self::Brackets(schedule) => schedule.requirement(&notional, floor_rate),
            Self::Curve(curve) => curve.requirement(&notional, size, floor_rate, market),
            Self::OpenInterest(rate) => Schedule::flat(rate.base).requirement(&notional, floor_rate),
        }
    }

    /// The requirement in one market of a notional (quote units) and a size (units of the underlying), both ≥ 0.
    pub fn at(&self, notional: f64, size: f64, floor_rate: f64) -> f64 {
        match self {
            Self::Brackets(schedule) => schedule.requirement(&notional, floor_rate),
            Self::Curve(curve) => curve.rate(curve.measured(notional, size), floor_rate) * notional,
            Self::OpenInterest(rate) => Schedule::flat(rate.base).requirement(&notional, floor_rate),
        }
    }

    /// Lowering of the same.
    pub(super) fn lower(&self, size: &PositionSize, floor_rate: f64, sink: &mut impl Sink) {
        match self {
            Self::Brackets(schedule) => schedule.lower(floor_rate, size.notional, sink),
            Self::Curve(curve) => curve.lower(size, floor_rate, sink),
            Self::OpenInterest(rate) => Schedule::flat(rate.base).lower(floor_rate, size.notional, sink),
        }
    }

    /// The function where its underlying has this open interest: the rate of an open-interest function is then settled.
    pub(super) fn at_open_interest(&self, open_interest: f64) -> Self {
        match self {
            Self::OpenInterest(rate) => Self::Brackets(Schedule::flat(rate.at(open_interest))),
            other => other.clone(),
        }
    }

    /// The curve, if it is one.
    pub(super) fn curve(&self) -> Option<&SizeCurve> {
        match self {
            Self::Curve(curve) => Some(curve),
            _ => None,
        }
    }

    /// Whether rates, bounds and slopes are in range.
    pub(super) fn is_well_formed(&self) -> bool {
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        let is_size = |value: f64| (0.0..=1e30).contains(&value);
        match self {
            Self::Brackets(schedule) => schedule.is_well_formed(),
            Self::Curve(curve) => {
                is_share(curve.base)
                    && match curve.growth {
                        Growth::Linear { slope } => is_size(slope),
                        Growth::SquareRoot { factor, share_of_base } => is_size(factor) && is_share(share_of_base),
                    }
            }
            Self::OpenInterest(rate) => {
                is_share(rate.base) && is_size(rate.lower) && is_size(rate.upper) && rate.lower < rate.upper
            }
        }
    }
}

impl OpenInterestRate {
    /// The rate at an open interest, quote units: `min(1, base + max(0, (OI − lower) / (upper − lower)) · (1 − base))`.
    pub fn at(&self, open_interest: f64) -> f64 {
        let reached = ((open_interest - self.lower) / (self.upper - self.lower)).clamp(0.0, 1.0);
        (self.base + reached * (1.0 - self.base)).min(1.0)
    }
}

impl SizeCurve {
    /// Growth at a size, before its slope.
    pub(super) fn grown(&self, size: f64) -> f64 {
        match self.growth {
            Growth::Linear { .. } => size,
            Growth::SquareRoot { .. } => size.sqrt(),
        }
    }

    /// The rate in words, and what a position's leverage raises it to.
    pub(super) fn text(&self, leverage: Option<f64>) -> String {
        let base = self.base;
        let size = match self.unit {
            SizeUnit::Asset => "size",
            SizeUnit::Quote => "notional",
        };
        let rate = match self.growth {
            Growth::Linear { slope } => format!("{base} + {slope}·{size}"),
            Growth::SquareRoot { factor, share_of_base } => {
                format!("max({base}, {share_of_base}·{base} + {factor}·√{size})")
            }
        };
        match leverage {
            Some(leverage) => format!("rate {rate}, at least 1/{leverage}"),
            None => format!("rate {rate}"),
        }
    }

    /// What the curve measures: the size, or the notional.
    pub(super) fn measured(&self, notional: f64, size: f64) -> f64 {
        match self.unit {
            SizeUnit::Asset => size,
            SizeUnit::Quote => notional,
        }
    }

    /// The rate is the largest of these: a constant, and what its growth is multiplied by.
    fn branches(&self, floor_rate: f64) -> impl Iterator<Item = (f64, f64)> + use<> {
        let (first, second) = match self.growth {
            Growth::Linear { slope } => ((self.base, slope), None),
            Growth::SquareRoot { factor, share_of_base } => {
                ((self.base, 0.0), Some((share_of_base * self.base, factor)))
            }
        };
        let floor = (floor_rate > 0.0).then_some((floor_rate, 0.0));
        std::iter::once(first).chain(second).chain(floor)
    }

    /// The rate at a size in the curve's unit, raised to `floor_rate`.
    pub(super) fn rate(&self, size: f64, floor_rate: f64) -> f64 {
        let grown = self.grown(size);
        self.branches(floor_rate).fold(0.0, |largest: f64, (rate, weight)| largest.max(rate + weight * grown))
    }

    /// Summands of one branch where sizes move with the market: the notional's coefficient, the grown row's.
    fn summands((rate, weight): (f64, f64), size: &PositionSize, grown_quantity: f64) -> (f64, f64) {
        (rate * size.notional.1, weight * (grown_quantity * size.quantity))
    }

    /// Where the size is the same in every market its rate is one number, formed once; else the largest of the branches,
    /// whose products of quantities are formed once.
    fn requirement<N: Number>(&self, notional: &N, size: &PositionSize, floor_rate: f64, market: &impl Market<N>) -> N {
        let Some(grown) = size.grown else {
            return N::of(self.rate(size.quantity * size.unit_size, floor_rate)).times(notional);
        };
        let (notional, grown) = (market.row(size.notional.0), market.row(grown));
        let grown_quantity = self.grown(size.quantity);
        let branches = self.branches(floor_rate).map(|branch| {
            let (of_notional, of_grown) = Self::summands(branch, size, grown_quantity);
            N::of(of_notional).times(&notional).plus(&N::of(of_grown).times(&grown))
        });
        branches.reduce(|a, b| a.larger(&b)).unwrap_or_else(|| N::of(0.0))
    }

    fn lower(&self, size: &PositionSize, floor_rate: f64, sink: &mut impl Sink) {
        let (row, coefficient) = size.notional;
        let Some(grown) = size.grown else {
            return sink.affine(row, coefficient * self.rate(size.quantity * size.unit_size, floor_rate));
        };
        let grown_quantity = self.grown(size.quantity);
        let branches = self.branches(floor_rate);
        let terms = branches.map(|branch| {
            let (of_notional, of_grown) = Self::summands(branch, size, grown_quantity);
            [(row, of_notional), (grown, of_grown)]
        });
        let terms: Vec<_> = terms.collect();
        match terms.as_slice() {
            [only] => only.iter().for_each(|&(row, coefficient)| sink.affine(row, coefficient)),
            _ => sink.node(Node::Max(terms.into_iter().map(|terms| Node::leaf(terms.to_vec())).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(base: f64, growth: Growth) -> SizeCurve {
        SizeCurve { base, growth, unit: SizeUnit::Asset }
    }

    #[test]
    fn a_square_root_rate_starts_where_it_passes_the_base() {
        // Published: max(5 %, 0.002·√size): 5 % of 100, 10 % of 2,500.
        let rate = curve(0.05, Growth::SquareRoot { factor: 0.002, share_of_base: 0.0 });
        assert_eq!(rate.rate(100.0, 0.0), 0.05);
        assert!((rate.rate(2_500.0, 0.0) - 0.1).abs() < 1e-15);
        assert_eq!(rate.rate(100.0, 0.2), 0.2, "a leverage of 5 binds");
    }

    #[test]
    fn an_open_interest_rate_is_straight_between_its_bounds() {
        let rate = OpenInterestRate { base: 0.05, lower: 25e6, upper: 50e6 };
        assert_eq!([10e6, 30e6, 60e6].map(|open_interest| rate.at(open_interest)), [0.05, 0.24, 1.0]);
    }

    #[test]
    fn a_linear_rate_grows_with_size_or_notional() {
        let rate = curve(0.02, Growth::Linear { slope: 5e-5 });
        let quoted = SizeCurve { unit: SizeUnit::Quote, ..rate };
        assert!((SizeFunction::Curve(rate).at(600_000.0, 10.0, 0.0) - 600_000.0 * 0.0205).abs() < 1e-9);
        assert!((SizeFunction::Curve(quoted).at(600.0, 10.0, 0.0) - 600.0 * 0.05).abs() < 1e-9);
    }
}
