//! The revaluer: Black's formula for many scenarios at once, in f64 vectors.
//!
//! Conventions are those of [`super::black`], which shares no arithmetic with it. Nothing is used but + − × ÷, square roots,
//! comparisons and bits, none of it fused, so that a lane gives the same bits in a vector of any length on any machine: the
//! value that a row holds is the value that a single call answers. Error: `NUMERICS.md` §11.
//!
//! With x = ln(F/K), v = σ√T, h = |x|/v, t = v/2 and G(z) = N(z)·e^{z²/2}, the option that is out of the money is worth
//!
//! ```text
//! min(F, K) · e^{−½(t−h)²} · [G(t − h) − G(−h − t)]
//! ```
//!
//! and the other one that plus |F − K|. For small t the difference is a Taylor series about −h, which does not cancel.

mod elementary;
mod mills;

use elementary::POSITIVE_MIN;
pub(super) use elementary::{at_least, at_most, exp, ln_ratio};
use mills::{DENSITY_AT_ZERO, scaled_tail};

use super::{European, Numeraire, OptionMarket};

/// Scenarios revalued together.
pub const BLOCK: usize = 16;

/// Years and deviations at or below this count as none: expired, without volatility.
const NONE: f64 = 1e-100;
/// Distances in deviations are held to this; densities out there are 0.
const FAR: f64 = 64.0;
/// Half deviations below this take the series: the first term left out is below 1e-14 of the sum.
const SERIES_MAX: f64 = 0.01;

/// Markets of one option under W scenarios; fields as in [`OptionMarket`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionMarkets<const W: usize> {
    /// Index prices S ≥ 0.
    pub index: [f64; W],
    /// Forward prices F ≥ 0.
    pub forward: [f64; W],
    /// Volatilities σ ≥ 0 per √year.
    pub volatility: [f64; W],
    /// Years to expiry; ≤ 0: expired.
    pub years: [f64; W],
    /// Continuous rates per year.
    pub rate: [f64; W],
}

impl<const W: usize> OptionMarkets<W> {
    /// The market in one lane.
    #[inline(always)]
    pub fn lane(&self, lane: usize) -> OptionMarket {
        OptionMarket {
            index: self.index[lane],
            forward: self.forward[lane],
            volatility: self.volatility[lane],
            years: self.years[lane],
            rate: self.rate[lane],
        }
    }
}

impl From<OptionMarket> for OptionMarkets<1> {
    fn from(market: OptionMarket) -> Self {
        let OptionMarket { index, forward, volatility, years, rate } = market;
        Self { index: [index], forward: [forward], volatility: [volatility], years: [years], rate: [rate] }
    }
}

/// Values and Greeks of one option in W markets: the first N of value and [`super::Greeks::NAMES`], price-asset units per
/// unit of underlying; N = 1 (values), 5 (and delta to theta) or 9 (all).
///
/// Limits: expired, the intrinsic value at the index, delta ±1 in the money and ±½ at it, other Greeks 0; σ ≤ 0, the
/// discounted intrinsic value of the forward and its delta, no gamma, vega, vanna or volga; S or F of 0, no carry. Prices of 0
/// or within 1e±30 and |rT| ≤ 500 never give NaN or an infinity; an input that is neither makes every result NaN.
///
/// For vectors call it where the wide instructions are enabled: inside `pulp::Arch::dispatch`.
#[inline(always)]
pub fn price_block<const N: usize, const W: usize>(option: &European, markets: &OptionMarkets<W>) -> [[f64; W]; N] {
    let terms = Terms { sign: option.sign(), strike: option.strike, in_coin: option.numeraire == Numeraire::Coin };
    let mut result = [[0.0; W]; N];
    for lane in 0..W {
        let priced = price_lane::<N>(terms, markets.lane(lane));
        for output in 0..N {
            result[output][lane] = priced[output];
        }
    }
    result
}

#[derive(Clone, Copy)]
struct Terms {
    sign: f64,
    strike: f64,
    in_coin: bool,
}

/// The normalised option that is out of the money.
struct Normalised {
    /// Its value / min(F, K).
    value: f64,
    /// N(t − h).
    near: f64,
    /// N(−h − t) · max(F, K) / min(F, K).
    far: f64,
    /// e^{−½(t−h)²}.
    bell: f64,
}

/// `distance` = h ≥ 0, `half` = t ≥ 0.
#[inline(always)]
fn normalised(distance: f64, half: f64) -> Normalised {
    let (upper, lower) = (half - distance, half + distance);
    let bell = exp(-0.5 * (upper * upper));
    let series = half < SERIES_MAX;
    let at_centre = scaled_tail(if series { distance } else { upper.abs() });
    let far = bell * scaled_tail(lower);
    let near = if upper > 0.0 { 1.0 - bell * at_centre } else { bell * at_centre };
    // Derivatives of G at −h: G' = φ(0) + zG, G⁽ⁿ⁺¹⁾ = nG⁽ⁿ⁻¹⁾ + zG⁽ⁿ⁾.
    let first = DENSITY_AT_ZERO - distance * at_centre;
    let second = at_centre - distance * first;
    let third = 2.0 * first - distance * second;
    let fourth = 3.0 * second - distance * third;
    let fifth = 4.0 * third - distance * fourth;
    let square = half * half;
    let odd = half * (first + square * (1.0 / 6.0) * (third + square * (1.0 / 20.0) * fifth));
    let even = at_centre + square * 0.5 * (second + square * (1.0 / 12.0) * fourth);
    Normalised {
        value: if series { bell * (2.0 * odd) } else { near - far },
        near: if series { bell * (even + odd) } else { near },
        far: if series { bell * (even - odd) } else { far },
        bell,
    }
}

#[inline(always)]
fn price_lane<const N: usize>(terms: Terms, market: OptionMarket) -> [f64; N] {
    let Terms { sign, strike, in_coin } = terms;
    let OptionMarket { index, forward, volatility, years, rate } = market;
    // NaN if any input is NaN or infinite; it enters through the discount, which every result has as a factor.
    let poison = 0.0 * index + 0.0 * forward + 0.0 * volatility + 0.0 * years + (0.0 * rate + 0.0 * strike);
    let alive = years > NONE;
    let forward = if alive { forward } else { index };
    let years = if alive { years } else { 0.0 };
    let rate = if alive { rate } else { 0.0 };
    let root = years.sqrt();
    let deviation = volatility * root;
    let moves = deviation > NONE;
    let per_deviation = 1.0 / at_least(deviation, NONE);
    let moneyness = ln_ratio(forward, strike);
    let distance = at_most(moneyness.abs() * per_deviation, FAR);
    let half = at_least(at_most(0.5 * deviation, FAR), 0.0);
    let outside = normalised(distance, half);
    let low = if forward < strike { forward } else { strike };
    let outside_value = if moves { low * outside.value } else { 0.0 };
    let inside = at_least(sign * (forward - strike), 0.0);

    let both = index > 0.0 && forward > 0.0;
    let per_forward = 1.0 / at_least(forward, POSITIVE_MIN);
    let rate_discount = exp(-(rate * years)) + poison;
    let discount = rate_discount * if in_coin && both { index * per_forward } else { 1.0 };
    let value = discount * (inside + outside_value);
    if N == 1 {
        return [value; N];
    }

    let per_index = 1.0 / at_least(index, POSITIVE_MIN);
    let growth = rate_discount * if !in_coin && both { forward * per_index } else { 1.0 };
    // min(F, K)/F: from the normalised option back to units of the forward.
    let share = low * per_forward;
    let call_is_outside = moneyness <= 0.0;
    let outside_probability = if call_is_outside { outside.near } else { share * outside.far };
    let outside_probability = if forward > 0.0 { outside_probability } else { 0.0 };
    let is_outside = call_is_outside == (sign > 0.0);
    let probability = if is_outside { outside_probability } else { 1.0 - outside_probability };
    let density = if moves { share * outside.bell * DENSITY_AT_ZERO } else { 0.0 };
    let per_year = 1.0 / if alive { years } else { 1.0 };
    let carry = if both { ln_ratio(forward, index) * per_year } else { 0.0 };
    let rate_in_quote = if in_coin { rate + carry } else { rate };

    let delta = sign * growth * probability;
    let gamma = if both { growth * density * (per_index * per_deviation) } else { 0.0 };
    let vega = discount * forward * density * root;
    let decay = vega * volatility * (0.5 * per_year);
    let theta = (rate_in_quote * value - carry * (delta * index)) - decay;

    let signed_distance = if call_is_outside { -distance } else { distance };
    let (d1, d2) = (signed_distance + half, signed_distance - half);
    let per_volatility = root * per_deviation;
    let rho = -years * value;
    let vanna = -(growth * density * d2 * per_volatility);
    let volga = vega * d1 * d2 * per_volatility;
    let drift = carry * per_deviation - d2 * (0.5 * per_year);
    let charm = (rate_in_quote - carry) * delta - growth * density * drift;
    let all = [value, delta, gamma, vega, theta, rho, vanna, volga, charm];
    let mut result = [0.0; N];
    result.copy_from_slice(&all[..N]);
    result
}
