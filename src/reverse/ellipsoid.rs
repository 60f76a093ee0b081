use ndarray::Array2;

use crate::domain::Underlying;
use crate::error::{Error, Result};
use crate::scenario::correlation::{CholeskyFactor, CorrelationMatrix};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// Logarithms of moves beyond this are clamped, as those of drawn scenarios are.
const LARGEST_LOG_MOVE: f64 = 20.0;
/// A price falls to no less than this share of itself: at 0 an inverse contract has no value.
const LEAST_REMAINDER: f64 = 1e-6;

/// What the ellipsoid is an ellipsoid of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// Logarithms, as drawn scenarios: a relative shock is exp(x) − 1.
    Log,
    /// The relative shocks themselves, kept above −1.
    Relative,
}

/// How plausible joint moves of factors are: x = D·L·z with D the standard deviations and L·Lᵀ the correlations; the radius of a
/// move is |z|, its Mahalanobis distance from no move at all. There is no drift.
#[derive(Debug, Clone)]
pub struct Ellipsoid {
    /// Every factor, moving or not.
    factors: Vec<Factor>,
    /// Positions of the factors that move.
    moving: Vec<usize>,
    /// Standard deviation of each moving factor's x, > 0.
    deviations: Vec<f64>,
    /// `[n × n]` over the moving factors, zero above the diagonal.
    lower: Array2<f64>,
    /// Lowest and highest shock of each moving factor.
    ranges: Vec<(f64, f64)>,
    moves: Moves,
    shrinkage: f64,
}

/// Standard deviations and correlations of factors over the span of a scenario.
#[derive(Debug, Clone)]
pub struct Spread {
    /// What moves, each once.
    pub factors: Vec<Factor>,
    /// Standard deviation of each factor's x, ≥ 0; 0 = it stands still.
    pub deviations: Vec<f64>,
    /// `[n × n]` correlations of x, in the same order; repaired where they are not positive definite.
    pub correlation: Array2<f64>,
}

impl Spread {
    /// Of the rows of a scenario set, for example a replayed history, times `scale` (√ of the time asked for over the time a
    /// row spans). Standard deviations are about the mean; correlations pair by pair over the rows where both are quoted, at
    /// least 30 of them; `fallback` stands in for the others. `time` stands still.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the pairs without a correlation where there is no fallback; [`Error::Refused`] with every fault
    /// of the set.
    pub fn of_history(history: &ScenarioSet, moves: Moves, scale: f64, fallback: Option<f64>) -> Result<Self> {
        let faults = history.faults();
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        let vectors = vectors(history, moves);
        let deviation = |(column, factor): (ndarray::ArrayView1<'_, f64>, &Factor)| {
            if factor.kind == FactorKind::Time { 0.0 } else { scale * deviation(column.iter().copied()) }
        };
        let deviations: Vec<f64> = vectors.columns().into_iter().zip(&history.factors).map(deviation).collect();
        let names: Vec<String> = history.factors.iter().map(Factor::to_string).collect();
        let matrix = CorrelationMatrix::of_log_returns(names.clone(), &vectors);
        // A factor that stands still correlates with nothing, and need not.
        let moving: Vec<usize> = (0..names.len()).filter(|at| deviations[*at] > 0.0).collect();
        let of_moving: Vec<String> = moving.iter().map(|at| names[*at].clone()).collect();
        let chosen = matrix.select(&of_moving, fallback)?;
        let mut correlation = Array2::eye(names.len());
        for ((row, column), value) in chosen.indexed_iter() {
            correlation[[moving[row], moving[column]]] = *value;
        }
        Ok(Self { factors: history.factors.clone(), deviations, correlation })
    }
}

/// The rows of a set as moves x, before any scaling; NaN = not quoted.
fn vectors(set: &ScenarioSet, moves: Moves) -> Array2<f64> {
    Array2::from_shape_fn(set.shocks.dim(), |(row, column)| {
        move_of(set.shocks[[row, column]], set.factors[column].kind, moves)
    })
}

/// The move x behind a shock.
fn move_of(shock: f64, kind: FactorKind, moves: Moves) -> f64 {
    if moves == Moves::Log && is_relative(kind) {
        libm::log1p(shock).clamp(-LARGEST_LOG_MOVE, LARGEST_LOG_MOVE)
    } else {
        shock
    }
}

fn is_relative(kind: FactorKind) -> bool {
    kind.minimum() == -1.0
}

/// Standard deviation of the numbers that are there; 0 for fewer than two.
fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let known = values.filter(|value| !value.is_nan());
    let count = known.clone().count() as f64;
    if count < 2.0 {
        return 0.0;
    }
    let mean = known.clone().sum::<f64>() / count;
    libm::sqrt(known.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count)
}

impl Ellipsoid {
    /// The ellipsoid of a spread. `underlyings` say how far a factor may go: where a beta above 1 multiplies a fall, or a
    /// negative one a rise, no price may pass 0.
    ///
    /// # Errors
    /// [`Error::Usage`] where nothing moves, or a number is negative or not finite.
    pub fn new(spread: Spread, moves: Moves, underlyings: &[Underlying]) -> Result<Self> {
        let Spread { factors, deviations, correlation } = spread;
        for (factor, deviation) in factors.iter().zip(&deviations) {
            if !(deviation.is_finite() && *deviation >= 0.0) {
                return Err(Error::Usage(format!(
                    "{factor}: a standard deviation of {deviation} is no finite number ≥ 0"
                )));
            }
        }
        let moving: Vec<usize> = (0..factors.len()).filter(|at| deviations[*at] > 0.0).collect();
        if moving.is_empty() {
            return Err(Error::Usage("no factor moves: give a history or volatilities above 0".into()));
        }
        let correlation = correlation.select(ndarray::Axis(0), &moving).select(ndarray::Axis(1), &moving);
        let CholeskyFactor { lower, shrinkage } = CholeskyFactor::of(&correlation)?;
        let ranges = moving.iter().map(|at| range(&factors[*at], underlyings)).collect();
        let deviations = moving.iter().map(|at| deviations[*at]).collect();
        Ok(Self { factors, moving, deviations, lower, ranges, moves, shrinkage })
    }

    /// Every factor of its scenarios.
    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// Factors that move, in the order of its coordinates.
    pub fn moving(&self) -> impl ExactSizeIterator<Item = &Factor> {
        self.moving.iter().map(|at| &self.factors[*at])
    }

    /// Positions of the moving factors among all.
    pub(super) fn moving_columns(&self) -> &[usize] {
        &self.moving
    }

    /// Factors that stand still.
    pub fn still(&self) -> impl Iterator<Item = &Factor> {
        (0..self.factors.len()).filter(|at| !self.moving.contains(at)).map(|at| &self.factors[at])
    }

    /// Number of coordinates.
    pub fn dimension(&self) -> usize {
        self.moving.len()
    }

    /// Standard deviation of each moving factor.
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    /// Share of the identity mixed into the correlations to make them positive definite.
    pub fn shrinkage(&self) -> f64 {
        self.shrinkage
    }

    /// What it is an ellipsoid of.
    pub fn moves(&self) -> Moves {
        self.moves
    }

    /// Shocks of every factor at the whitened point z (`[dimension]`), each kept where its factor may go.
    pub fn shocks(&self, z: &[f64]) -> Vec<f64> {
        let mut shocks = vec![0.0; self.factors.len()];
        for (row, at) in self.moving.iter().enumerate() {
            let correlated: f64 = self.lower.row(row).iter().zip(&z[..=row]).map(|(l, z)| l * z).sum();
            let moved = self.deviations[row] * correlated;
            let shock = if self.moves == Moves::Log && is_relative(self.factors[*at].kind) {
                libm::expm1(moved.clamp(-LARGEST_LOG_MOVE, LARGEST_LOG_MOVE))
            } else {
                moved
            };
            let (lowest, highest) = self.ranges[row];
            shocks[*at] = shock.clamp(lowest, highest);
        }
        shocks
    }

    /// The whitened point of shocks of every factor (`[n_factors]`); factors that stand still are passed over.
    pub fn whitened(&self, shocks: &[f64]) -> Vec<f64> {
        let moves = self
            .moving
            .iter()
            .zip(&self.deviations)
            .map(|(at, deviation)| move_of(shocks[*at], self.factors[*at].kind, self.moves) / deviation);
        self.solve(moves.collect())
    }

    /// Mahalanobis radius of shocks of every factor.
    pub fn radius(&self, shocks: &[f64]) -> f64 {
        norm(&self.whitened(shocks))
    }

    /// The whitened rows of a history whose columns hold every moving factor, times `scale`; a cell that is not quoted is no
    /// move. `None` where a column is missing.
    pub fn history(&self, set: &ScenarioSet, scale: f64) -> Option<Vec<Vec<f64>>> {
        let columns: Option<Vec<usize>> = self.moving().map(|factor| set.column(factor)).collect();
        let columns = columns?;
        let row = |row: usize| {
            let moved = columns.iter().zip(&self.deviations).map(|(column, deviation)| {
                scale * move_of(set.shock(row, *column), set.factors[*column].kind, self.moves) / deviation
            });
            self.solve(moved.collect())
        };
        Some((0..set.len()).map(row).collect())
    }

    /// The direction in which the moving factor at `at` moves by itself, all others held: L⁻¹·e, its length the radius of a
    /// move of one standard deviation.
    pub fn alone(&self, at: usize) -> Vec<f64> {
        let mut unit = vec![0.0; self.dimension()];
        unit[at] = 1.0;
        self.solve(unit)
    }

    /// The direction in which the moving factor at `at` moves most plausibly, the others following by their correlations:
    /// Lᵀ·e, of length 1.
    pub fn along(&self, at: usize) -> Vec<f64> {
        self.lower.row(at).to_vec()
    }

    /// L⁻¹·y, by forward substitution.
    fn solve(&self, mut y: Vec<f64>) -> Vec<f64> {
        for row in 0..y.len() {
            let known: f64 = (0..row).map(|column| self.lower[[row, column]] * y[column]).sum();
            y[row] = (y[row] - known) / self.lower[[row, row]];
        }
        y
    }
}

/// Euclidean length.
pub(super) fn norm(vector: &[f64]) -> f64 {
    libm::sqrt(vector.iter().map(|value| value * value).sum())
}

/// Lowest and highest shock of a factor.
fn range(factor: &Factor, underlyings: &[Underlying]) -> (f64, f64) {
    let (mut lowest, mut highest) = (factor.kind.minimum(), factor.kind.maximum());
    if is_relative(factor.kind) {
        lowest = LEAST_REMAINDER - 1.0;
    }
    if factor.kind == FactorKind::Price {
        for underlying in underlyings.iter().filter(|underlying| underlying.factor == factor.name) {
            let furthest = (LEAST_REMAINDER - 1.0) / underlying.beta;
            if underlying.beta > 1.0 {
                lowest = lowest.max(furthest);
            } else if underlying.beta < 0.0 {
                highest = highest.min(furthest);
            }
        }
    }
    (lowest, highest)
}
