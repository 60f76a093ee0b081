/// A way from another network to where collateral is credited: a bridge, or a messenger between networks.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Unique name, without `@` and `:`.
    pub name: String,
    /// Network on which collateral is held.
    pub from_network: Option<String>,
    /// Network on which it is credited.
    pub to_network: Option<String>,
    /// How long a deposit takes until it cannot be undone.
    pub finality: Latency,
    /// How long a message takes from there to here.
    pub message: Latency,
    /// Seconds that selling the collateral takes once it is here, > 0: the horizon that the haircuts of settled collateral
    /// stand for.
    pub liquidation_seconds: f64,
    /// Failures of the route per year, ≥ 0: a hack, a halt, a wrapped asset without backing.
    pub failure_per_year: f64,
    /// Share that a failure takes of what stands on the route, in [0, 1].
    pub loss_given_failure: f64,
    /// Days between two reviews of the route, ≥ 0: how long a failure is carried at the same haircut.
    pub review_days: f64,
    /// Capital held against a failure beyond its expected loss, as a multiple of it, ≥ 0.
    pub capital_multiple: f64,
    /// Haircut for the route itself, in [0, 1], in place of what the four numbers above give.
    pub haircut: Option<f64>,
    /// Most that is credited on the route, quote units.
    pub cap_quote: Option<f64>,
}

impl Route {
    /// Share of what stands on a route that is lost in a year, the crude base rate: about $2.5 billion stolen in two years on at
    /// most $25 billion locked.
    pub const FAILURE_PER_YEAR: f64 = 0.05;
    /// What past failures took: all of it.
    pub const LOSS_GIVEN_FAILURE: f64 = 1.0;
    /// A monthly review.
    pub const REVIEW_DAYS: f64 = 30.0;
    /// An hour from the order to the last sale.
    pub const LIQUIDATION_SECONDS: f64 = 3_600.0;

    /// A route with these latencies and the documented default of everything else.
    pub fn new(name: impl Into<String>, finality: Latency, message: Latency) -> Self {
        Self {
            name: name.into(),
            from_network: None,
            to_network: None,
            finality,
            message,
            liquidation_seconds: Self::LIQUIDATION_SECONDS,
            failure_per_year: Self::FAILURE_PER_YEAR,
            loss_given_failure: Self::LOSS_GIVEN_FAILURE,
            review_days: Self::REVIEW_DAYS,
            capital_multiple: 0.0,
            haircut: None,
            cap_quote: None,
        }
    }
}

/// How long something takes, seconds: usually, and at worst in 99 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// Typical time, ≥ 0.
    pub typical_seconds: f64,
    /// 99 % quantile, at least the typical time.
    pub p99_seconds: f64,
}

impl Latency {
    /// What a quantile is taken for that nobody gave, as a multiple of the typical time: two providers' figures for one network
    /// differ by a quarter.
    pub const P99_MULTIPLE: f64 = 1.25;

    /// A latency of which only the typical time is known.
    pub fn typical(seconds: f64) -> Self {
        Self { typical_seconds: seconds, p99_seconds: Self::P99_MULTIPLE * seconds }
    }
}
