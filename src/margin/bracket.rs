//! Bracket margin: a rate that steps up with notional, marginal or on the whole position.

use crate::number::Number;
use crate::program::Sink;

/// How the rates of a [`Schedule`] apply to a notional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Each slice of the notional pays the rate of its bracket: continuous,
    /// `r₁N + Σ_j (r_{j+1} − r_j)·max(0, N − b_j)`.
    Marginal,
    /// The whole notional pays the rate of the bracket it lies in; a notional equal to a bound belongs to the higher one.
    Whole,
}

/// A rate as a function of notional.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// How the rates apply.
    pub form: Form,
    /// Lower bounds of the second and later brackets, quote units, strictly increasing and > 0: `[n_brackets − 1]`.
    pub bounds: Vec<f64>,
    /// Rate of each bracket, in [0, 1]: `[n_brackets]`.
    pub rates: Vec<f64>,
}

impl Schedule {
    /// One rate for every notional.
    pub fn flat(rate: f64) -> Self {
        Self { form: Form::Marginal, bounds: Vec::new(), rates: vec![rate] }
    }

    /// What to subtract from notional · rate in each bracket of the marginal form, quote units: `d₁ = 0`,
    /// `d_{j+1} = d_j + b_j·(r_{j+1} − r_j)`. The definition is the hinge form; these are for reading and checking.
    pub fn deductions(&self) -> Vec<f64> {
        let mut deductions = vec![0.0];
        for (bound, rates) in self.bounds.iter().zip(self.rates.windows(2)) {
            deductions.push(deductions[deductions.len() - 1] + bound * (rates[1] - rates[0]));
        }
        deductions
    }

    /// Whether rates lie in [0, 1], one more than there are bounds, and bounds are positive and increase strictly.
    pub(super) fn is_well_formed(&self) -> bool {
        are_shares(&self.rates, &self.bounds)
    }

    /// Slope and intercept of the requirement in the bracket that holds `notional`.
    pub(super) fn line_at(&self, notional: f64) -> (f64, f64) {
        let bracket = self.bounds.partition_point(|bound| *bound <= notional);
        let deduction = match self.form {
            Form::Marginal => self.deductions()[bracket],
            Form::Whole => 0.0,
        };
        (self.rates[bracket], -deduction)
    }

    /// Rate of bracket `index`, raised to `floor_rate`.
    fn rate(&self, index: usize, floor_rate: f64) -> f64 {
        let rate = self.rates[index];
        if rate < floor_rate { floor_rate } else { rate }
    }

    /// Direct formula: the requirement of a notional ≥ 0, quote units, every rate raised to `floor_rate` (1/leverage, or 0).
    ///
    /// Marginal: `r₁N + Σ_j (r_{j+1} − r_j)·max(0, N − b_j)`. Whole: `N·r_k` with `b_{k−1} ≤ N < b_k`.
    pub fn requirement<N: Number>(&self, notional: &N, floor_rate: f64) -> N {
        // Brackets that the notional certainly does not reach add exactly nothing.
        let reached = self.bounds.iter().take_while(|&&bound| !notional.is_below(bound)).enumerate();
        let first = N::of(self.rate(0, floor_rate));
        match self.form {
            Form::Marginal => reached.fold(first.times(notional), |sum, (j, &bound)| {
                let (lower, higher) = (N::of(self.rate(j, floor_rate)), N::of(self.rate(j + 1, floor_rate)));
                let slice = notional.minus(&N::of(bound)).positive_part();
                sum.plus(&higher.minus(&lower).times(&slice))
            }),
            Form::Whole => {
                let rate = reached.fold(first, |rate, (j, &bound)| {
                    notional.minus(&N::of(bound)).select(N::of(self.rate(j + 1, floor_rate)), rate)
                });
                rate.times(notional)
            }
        }
    }

    /// Lowering: adds `requirement(slope · row)`, where `slope · row ≥ 0` is the notional.
    ///
    /// A slice that the row cannot reach costs nothing, one that it cannot leave is affine; only what crosses a bound
    /// within the row's range becomes a kink (marginal) or a step (whole).
    pub fn lower(&self, floor_rate: f64, (row, slope): (u32, f64), sink: &mut impl Sink) {
        let (low, high) = sink.range(row, slope);
        let increase = |j: usize| self.rate(j + 1, floor_rate) - self.rate(j, floor_rate);
        match self.form {
            Form::Marginal => {
                sink.affine(row, slope * self.rate(0, floor_rate));
                let reached = self.bounds.iter().enumerate().take_while(|(_, bound)| high > **bound);
                for (j, &bound) in reached.filter(|(j, _)| increase(*j) != 0.0) {
                    sink.hinge(increase(j), row, slope, bound);
                }
            }
            Form::Whole => {
                // A bound so near the range that rounding could hide which side it is on stays a step.
                let margin = 1e-15 * high;
                let below = self.bounds.iter().take_while(|&&bound| bound <= low - margin).count();
                sink.affine(row, slope * self.rate(below, floor_rate));
                let reached =
                    self.bounds.iter().enumerate().skip(below).take_while(|(_, bound)| **bound <= high + margin);
                for (j, &bound) in reached.filter(|(j, _)| increase(*j) != 0.0) {
                    sink.step(increase(j), row, slope, bound);
                }
            }
        }
    }
}

/// Whether values lie in [0, 1], one more than there are bounds, and bounds are finite, positive and increase strictly.
pub(super) fn are_shares(values: &[f64], bounds: &[f64]) -> bool {
    values.len() == bounds.len() + 1
        && values.iter().all(|value| (0.0..=1.0).contains(value))
        && bounds.iter().all(|bound| bound.is_finite() && *bound > 0.0)
        && bounds.windows(2).all(|pair| pair[0] < pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brackets(form: Form) -> Schedule {
        Schedule { form, bounds: vec![50_000.0, 250_000.0], rates: vec![0.004, 0.005, 0.01] }
    }

    #[test]
    fn marginal_brackets_equal_rate_times_notional_less_the_deduction() {
        // Deductions by continuity: 50,000·0.001 = 50; 50 + 250,000·0.005 = 1,300.
        let margin = |notional: f64| brackets(Form::Marginal).requirement(&notional, 0.0);
        assert!((margin(10_000.0) - 40.0).abs() < 1e-9);
        assert!((margin(100_000.0) - (500.0 - 50.0)).abs() < 1e-9);
        assert!((margin(1_000_000.0) - (10_000.0 - 1_300.0)).abs() < 1e-9);
    }

    #[test]
    fn a_notional_equal_to_a_bound_belongs_to_the_higher_bracket() {
        let margin = |notional: f64| brackets(Form::Whole).requirement(&notional, 0.0);
        assert_eq!(margin(50_000.0), 250.0, "0.5 % of 50,000");
        assert_eq!(margin(50_000f64.next_down()), 50_000f64.next_down() * 0.004, "still 0.4 %");
    }

    #[test]
    fn leverage_raises_low_rates_only() {
        let margin = |notional: f64| brackets(Form::Whole).requirement(&notional, 1.0 / 125.0);
        assert_eq!(margin(10_000.0), 10_000.0 / 125.0);
        assert_eq!(margin(1_000_000.0), 10_000.0, "1 % is above 1/125");
    }
}
