//! Correlated Student-t scenarios from counter-based random numbers.

use ndarray::Array2;
use rayon::prelude::*;

use super::correlation::CholeskyFactor;
use super::distribution::{chi_square, inverse_normal};
use super::names::price_factors;
use super::philox::Stream;
use super::{Factor, ScenarioSet, YEAR_DAYS};
use crate::domain::Underlying;
use crate::error::{Error, Result};

/// Most scenarios of one set: a typing mistake must not fill memory and disk.
const MOST_SCENARIOS: usize = 10_000_000;
/// Log-returns beyond this are clamped, so that a shock stays finite and above −1.
const LARGEST_LOG_RETURN: f64 = 20.0;

/// How the factors move together.
#[derive(Debug, Clone)]
pub enum Dependence {
    /// One market number: every pair has this correlation, in \[0, 1\].
    OneFactor(f64),
    /// `[n_factors × n_factors]`, in the order of the names; repaired where it is not positive definite.
    Full(Array2<f64>),
}

/// What to draw.
#[derive(Debug, Clone)]
pub struct MonteCarloRequest {
    /// Price factors. With [`Dependence::Full`] the order is part of the recipe: keep it sorted.
    pub names: Vec<String>,
    /// Volatility of each factor, per √year (0.65 = 65 %), finite and ≥ 0.
    pub volatilities: Vec<f64>,
    /// How they move together.
    pub dependence: Dependence,
    /// Number of scenarios, from 1 to 10,000,000.
    pub count: usize,
    /// Seed of every random number.
    pub seed: u64,
    /// Degrees of freedom ν > 0 of Student's t; infinity = normal.
    pub degrees_of_freedom: f64,
    /// Time the shocks span, days of a 365-day year, > 0.
    pub horizon_days: f64,
}

/// What was drawn, against what was asked.
#[derive(Debug, Clone)]
pub struct MonteCarloReport {
    /// Sample standard deviation of each factor's log-returns, per √year. Unbounded in expectation for ν ≤ 2.
    pub volatilities: Vec<f64>,
    /// Mean over pairs of |sample correlation − asked correlation|; 0 for fewer than two moving factors.
    pub correlation_error_mean: f64,
    /// The largest such difference.
    pub correlation_error_max: f64,
    /// Share of the identity mixed into the correlations to make them positive definite.
    pub shrinkage: f64,
    /// Log-returns clamped to ±20.
    pub clamped: u64,
}

/// Volatility chosen by the caller, per √year: for all factors, or by name; anything else comes from the snapshot.
#[derive(Debug, Clone, Default)]
pub struct VolatilityChoice {
    /// For every factor not named; takes precedence over volatility indices.
    pub common: Option<f64>,
    /// By factor name.
    pub named: Vec<(String, f64)>,
}

/// The sorted price factors of `underlyings` with a volatility each: the named choice, else the common one, else the
/// volatility index of the underlying of that name, else that of the first underlying with one that the factor moves,
/// divided by |beta|.
///
/// # Errors
/// [`Error::Usage`] naming every factor without a volatility, a named one that is unknown, or a volatility that is
/// negative or not finite.
pub fn price_volatilities(underlyings: &[Underlying], choice: &VolatilityChoice) -> Result<(Vec<String>, Vec<f64>)> {
    let names = price_factors(underlyings);
    for (name, _) in &choice.named {
        if !names.contains(name) {
            let remedy = crate::suggest::remedy(name, names.iter().map(String::as_str), "nothing like it is known");
            return Err(Error::Usage(format!("no price factor {name:?} in the snapshot: {remedy}")));
        }
    }
    let index_of = |name: &str| {
        let moved = underlyings.iter().filter(|underlying| underlying.factor == name && underlying.beta != 0.0);
        let own = moved.clone().find(|underlying| underlying.name == name && underlying.volatility_index.is_some());
        let source = own.or_else(|| moved.clone().find(|underlying| underlying.volatility_index.is_some()))?;
        source.volatility_index.map(|index| index / source.beta.abs())
    };
    let chosen: Vec<Option<f64>> = names
        .iter()
        .map(|name| {
            let named = choice.named.iter().rev().find(|(candidate, _)| candidate == name).map(|(_, value)| *value);
            named.or(choice.common).or_else(|| index_of(name))
        })
        .collect();
    let missing: Vec<&str> =
        names.iter().zip(&chosen).filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str()).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(Error::Usage(format!("no volatility for {missing}: give volatility_index or --volatility")));
    }
    Ok((names, chosen.into_iter().flatten().collect()))
}

/// Draws joint shocks: exp(x) − 1 with x = σ·√(h/365)·√((ν−2)/ν)·z·√(ν/χ²), z correlated standard normal, χ² chi-square with
/// ν degrees of freedom shared by all factors of a scenario (the multivariate t: extremes come together).
///
/// - For ν > 2 the factor √((ν−2)/ν) makes σ the standard deviation; for ν ≤ 2 the variance does not exist, the factor is
///   1 and σ is a scale only. ν = ∞ is the normal.
/// - No drift: the median shock is 0. A correction for E\[exp x\] is left out because that does not exist for Student's t.
/// - Every number is Philox4x32-10 of (seed, name, scenario number): scenario k does not depend on `count` or threads, and
///   under [`Dependence::OneFactor`] not on the other factors either. Ids are `mc` and the scenario number from 1.
///
/// # Errors
/// [`Error::Usage`] where a number is out of its range or there is no factor; [`Error::Temporary`] where memory is short.
pub fn monte_carlo(request: &MonteCarloRequest) -> Result<(ScenarioSet, MonteCarloReport)> {
    check(request)?;
    let recipe = Recipe::new(request)?;
    let width = request.names.len();
    let mut log_returns = Vec::new();
    let cells = request.count.saturating_mul(width);
    log_returns.try_reserve_exact(cells).map_err(|error| {
        Error::Temporary(format!("no memory for {} scenarios of {width} factors: {error}", request.count))
    })?;
    log_returns.resize(cells, 0.0);
    let clamped = log_returns
        .par_chunks_mut(width)
        .enumerate()
        .map(|(row, cells)| recipe.draw(row as u64 + 1, cells))
        .sum::<u64>();
    let to_matrix = |cells| Array2::from_shape_vec((request.count, width), cells);
    let mut shocks = to_matrix(log_returns).map_err(|error| Error::Bug(error.to_string()))?;
    let report = measure(&shocks, request, recipe.shrinkage, clamped);
    shocks.mapv_inplace(libm::expm1);
    let set = ScenarioSet {
        ids: (1..=request.count).map(|number| format!("mc{number:06}")).collect(),
        weights: vec![1.0; request.count],
        labels: vec![String::new(); request.count],
        factors: request.names.iter().map(Factor::price).collect(),
        shocks,
    };
    Ok((set, report))
}

/// Everything that is the same for all scenarios.
struct Recipe {
    streams: Vec<Stream>,
    market: Stream,
    mixing: Stream,
    /// Standard deviation of each factor's log-return before the t mixing.
    scales: Vec<f64>,
    degrees_of_freedom: f64,
    loadings: Loadings,
    shrinkage: f64,
}

enum Loadings {
    OneFactor { market: f64, own: f64 },
    Lower(Array2<f64>),
}

impl Recipe {
    fn new(request: &MonteCarloRequest) -> Result<Self> {
        let freedom = request.degrees_of_freedom;
        let unit = if freedom.is_finite() && freedom > 2.0 { libm::sqrt((freedom - 2.0) / freedom) } else { 1.0 };
        let horizon = libm::sqrt(request.horizon_days / YEAR_DAYS);
        let (loadings, shrinkage) = match &request.dependence {
            Dependence::OneFactor(share) => {
                (Loadings::OneFactor { market: libm::sqrt(*share), own: libm::sqrt(1.0 - share) }, 0.0)
            }
            Dependence::Full(correlation) => {
                let factor = CholeskyFactor::of(correlation)?;
                (Loadings::Lower(factor.lower), factor.shrinkage)
            }
        };
        Ok(Self {
            streams: request.names.iter().map(|name| Stream::new(request.seed, &format!("price:{name}"))).collect(),
            market: Stream::new(request.seed, "market"),
            mixing: Stream::new(request.seed, "chi-square"),
            scales: request.volatilities.iter().map(|volatility| volatility * horizon * unit).collect(),
            degrees_of_freedom: freedom,
            loadings,
            shrinkage,
        })
    }

    /// Fills one scenario's log-returns; gives how many were clamped.
    fn draw(&self, scenario: u64, log_returns: &mut [f64]) -> u64 {
        let normal = |stream: &Stream| inverse_normal(stream.uniforms(scenario, 0)[0]);
        let own: Vec<f64> = self.streams.iter().map(normal).collect();
        let mixing = if self.degrees_of_freedom.is_finite() {
            libm::sqrt(self.degrees_of_freedom / chi_square(self.mixing, scenario, self.degrees_of_freedom))
        } else {
            1.0
        };
        let market = normal(&self.market);
        let mut clamped = 0;
        for (column, cell) in log_returns.iter_mut().enumerate() {
            let correlated = match &self.loadings {
                Loadings::OneFactor { market: load, own: rest } => load * market + rest * own[column],
                Loadings::Lower(lower) => lower.row(column).iter().zip(&own[..=column]).map(|(l, z)| l * z).sum(),
            };
            let log_return = self.scales[column] * correlated * mixing;
            clamped += u64::from(log_return.abs() > LARGEST_LOG_RETURN);
            // A zero volatility times an overflowed mixing is NaN: such a factor does not move.
            *cell = if log_return.is_nan() { 0.0 } else { log_return.clamp(-LARGEST_LOG_RETURN, LARGEST_LOG_RETURN) };
        }
        clamped
    }
}

fn check(request: &MonteCarloRequest) -> Result<()> {
    let usage = |text: String| Err(Error::Usage(text));
    if request.names.is_empty() {
        return usage("the snapshot has no underlyings to shock".into());
    }
    if request.count == 0 {
        return usage("at least one scenario".into());
    }
    if request.count > MOST_SCENARIOS {
        return usage(format!("{} scenarios: at most {MOST_SCENARIOS} in one set", request.count));
    }
    if request.degrees_of_freedom.is_nan() || request.degrees_of_freedom <= 0.0 {
        return usage(format!("{} degrees of freedom: give a number above 0, or inf", request.degrees_of_freedom));
    }
    if !(request.horizon_days.is_finite() && request.horizon_days > 0.0) {
        return usage(format!("a horizon of {} days: give a finite number above 0", request.horizon_days));
    }
    for (name, volatility) in request.names.iter().zip(&request.volatilities) {
        if !(volatility.is_finite() && *volatility >= 0.0) {
            return usage(format!("volatility {volatility} of {name}: give a finite number of at least 0"));
        }
    }
    match &request.dependence {
        Dependence::OneFactor(share) if !(0.0..=1.0).contains(share) => {
            usage(format!("correlation {share}: one number for all pairs lies between 0 and 1"))
        }
        _ => Ok(()),
    }
}

/// Sample figures of the log-returns against what was asked.
fn measure(log_returns: &Array2<f64>, request: &MonteCarloRequest, shrinkage: f64, clamped: u64) -> MonteCarloReport {
    let count = log_returns.nrows() as f64;
    let mut standard = log_returns.clone();
    let mut deviations = Vec::with_capacity(standard.ncols());
    for mut column in standard.columns_mut() {
        let mean = column.sum() / count;
        column.mapv_inplace(|value| value - mean);
        let deviation = libm::sqrt(column.iter().map(|value| value * value).sum::<f64>() / count);
        column.mapv_inplace(|value| if deviation > 0.0 { value / deviation } else { 0.0 });
        deviations.push(deviation);
    }
    let sample = standard.t().dot(&standard) / count;
    let (mut sum, mut max, mut pairs) = (0.0, 0.0f64, 0.0);
    for row in 0..sample.nrows() {
        for column in (0..row).filter(|column| deviations[row] > 0.0 && deviations[*column] > 0.0) {
            let asked = match &request.dependence {
                Dependence::OneFactor(share) => *share,
                Dependence::Full(correlation) => correlation[[row, column]],
            };
            let error = f64::abs(sample[[row, column]] - asked);
            sum += error;
            max = max.max(error);
            pairs += 1.0;
        }
    }
    let year = libm::sqrt(YEAR_DAYS / request.horizon_days);
    MonteCarloReport {
        volatilities: deviations.iter().map(|deviation| deviation * year).collect(),
        correlation_error_mean: if pairs > 0.0 { sum / pairs } else { 0.0 },
        correlation_error_max: max,
        shrinkage,
        clamped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixtures::underlying;

    fn request(names: &[&str], count: usize, degrees_of_freedom: f64) -> MonteCarloRequest {
        MonteCarloRequest {
            names: names.iter().map(|name| (*name).into()).collect(),
            volatilities: vec![0.8; names.len()],
            dependence: Dependence::OneFactor(0.6),
            count,
            seed: 42,
            degrees_of_freedom,
            horizon_days: 1.0,
        }
    }

    #[test]
    fn a_scenario_depends_on_neither_the_count_nor_the_other_factors_nor_the_threads() {
        let (long, _) = monte_carlo(&request(&["BTC", "ETH", "SOL"], 1000, 4.0)).unwrap();
        let (short, _) = monte_carlo(&request(&["BTC", "ETH", "SOL"], 10, 4.0)).unwrap();
        assert_eq!(short.shocks, long.shocks.slice(ndarray::s![..10, ..]));
        assert_eq!(short.ids[9], "mc000010");
        let (fewer, _) = monte_carlo(&request(&["SOL", "BTC"], 10, 4.0)).unwrap();
        assert_eq!(fewer.shocks.column(0), short.shocks.column(2));
        assert_eq!(fewer.shocks.column(1), short.shocks.column(0));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let (threaded, _) = pool.install(|| monte_carlo(&request(&["BTC", "ETH", "SOL"], 1000, 4.0))).unwrap();
        assert_eq!(threaded.shocks, long.shocks);
    }

    /// Standard errors of 20,000 draws: σ/√(2n) = 0.5 % for the normal; for ν = 6 the kurtosis is 6, so 1.1 %.
    #[test]
    fn asked_volatility_and_correlation_are_achieved() {
        let correlation = ndarray::arr2(&[[1.0, 0.7, -0.2], [0.7, 1.0, 0.1], [-0.2, 0.1, 1.0]]);
        for (freedom, tolerance) in [(f64::INFINITY, 0.02), (6.0, 0.05)] {
            for dependence in [Dependence::OneFactor(0.6), Dependence::Full(correlation.clone())] {
                let mut request = request(&["A", "B", "C"], 20_000, freedom);
                request.volatilities = vec![0.4, 0.8, 1.2];
                request.dependence = dependence;
                let (set, report) = monte_carlo(&request).unwrap();
                for (achieved, asked) in report.volatilities.iter().zip(&request.volatilities) {
                    assert!((achieved / asked - 1.0).abs() < tolerance, "ν = {freedom}: {achieved} for {asked}");
                }
                assert!(report.correlation_error_max < 0.04, "{}", report.correlation_error_max);
                assert!(report.correlation_error_mean <= report.correlation_error_max);
                assert!(set.faults().is_empty());
            }
        }
    }

    /// P(|t| > 4 scale) with ν = 4 is 0.0161; the normal's is 0.00006.
    #[test]
    fn tails_are_student_s() {
        let (set, _) = monte_carlo(&request(&["A"], 40_000, 4.0)).unwrap();
        let scale = 0.8 / YEAR_DAYS.sqrt() * 0.5f64.sqrt();
        let beyond = set.shocks.iter().filter(|shock| libm::log1p(**shock).abs() > 4.0 * scale).count();
        let expected = 0.016_13 * 40_000.0;
        assert!((beyond as f64 - expected).abs() < 5.0 * expected.sqrt(), "{beyond} instead of {expected}");
    }

    #[test]
    fn extreme_requests_stay_finite_and_above_a_total_loss() {
        let mut wild = request(&["A", "B"], 2000, 0.05);
        wild.volatilities = vec![5.0, 0.0];
        let (set, report) = monte_carlo(&wild).unwrap();
        assert!(report.clamped > 0);
        assert!(set.shocks.iter().all(|shock| shock.is_finite() && *shock > -1.0));
        assert!(set.shocks.column(1).iter().all(|shock| *shock == 0.0));
    }

    #[test]
    fn wrong_requests_are_refused() {
        let good = request(&["A"], 1, 4.0);
        assert!(monte_carlo(&good).is_ok());
        for wrong in [
            MonteCarloRequest { names: vec![], ..good.clone() },
            MonteCarloRequest { count: 0, ..good.clone() },
            MonteCarloRequest { count: usize::MAX, ..good.clone() },
            MonteCarloRequest { degrees_of_freedom: 0.0, ..good.clone() },
            MonteCarloRequest { degrees_of_freedom: f64::NAN, ..good.clone() },
            MonteCarloRequest { horizon_days: 0.0, ..good.clone() },
            MonteCarloRequest { volatilities: vec![-0.1], ..good.clone() },
            MonteCarloRequest { dependence: Dependence::OneFactor(1.1), ..good },
        ] {
            assert_eq!(monte_carlo(&wrong).unwrap_err().exit_code(), 2);
        }
    }

    #[test]
    fn volatilities_come_from_the_choice_then_the_index() {
        let mut meme = underlying("WIF");
        meme.factor = "MEME".into();
        meme.beta = 2.0;
        let mut bare = underlying("SOL");
        bare.volatility_index = None;
        let held = [underlying("BTC"), meme, bare];
        let error = price_volatilities(&held, &VolatilityChoice::default()).unwrap_err().to_string();
        assert!(error.contains("no volatility for SOL:"), "{error}");
        let named = VolatilityChoice { common: None, named: vec![("SOL".into(), 0.9)] };
        let (names, volatilities) = price_volatilities(&held, &named).unwrap();
        assert_eq!(names, ["BTC", "MEME", "SOL"]);
        assert_eq!(volatilities, [0.5, 0.25, 0.9]);
        let common = VolatilityChoice { common: Some(0.7), named: vec![("BTC".into(), 0.6)] };
        assert_eq!(price_volatilities(&held, &common).unwrap().1, [0.6, 0.7, 0.7]);
        let unknown = VolatilityChoice { common: None, named: vec![("BTX".into(), 0.6)] };
        assert!(price_volatilities(&held, &unknown).unwrap_err().to_string().contains("did you mean \"BTC\""));
    }
}
