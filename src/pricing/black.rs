//! Black's formula (Black 1976) in cost-of-carry form (Haug 2007, §1.1.6 and ch. 2), in plain f64: the reference that the
//! revaluer ([`super::price_block`]) is tested and audited against. The two share no arithmetic.
//!
//! With S the index, F the forward, carry b = ln(F/S)/T, rate r, v = σ√T, d₁ = ln(F/K)/v + v/2, d₂ = d₁ − v, θ = ±1:
//!
//! ```text
//! paid in quote   V = e^{−rT} · θ·[F·N(θd₁) − K·N(θd₂)]
//! paid in coin    V = e^{−rT} · θ·[F·N(θd₁) − K·N(θd₂)] · S/F          (quote value of an inverse option)
//! ```
//!
//! An inverse option pays max(θ(S_T − K), 0)/S_T coins; r is the coin's rate, and its quote value is the same formula with
//! q = r + b for r, since e^{−(r+b)T} = e^{−rT}·S/F. All amounts are in units of the price asset, per unit of the underlying.
//!
//! Greeks differentiate V(S, σ, t, r) with the forward F = S·e^{bT} moving in proportion to the index: delta ∂V/∂S, gamma,
//! vega ∂V/∂σ, vanna ∂²V/∂S∂σ, volga ∂²V/∂σ². Theta and charm are ∂/∂t = −∂/∂T of calendar time passing with S, σ, r and b held.
//! Rho is ∂V/∂r with F held, hence −T·V. With q = r (quote) or r + b (coin), D = e^{−qT}, φ the normal density:
//!
//! ```text
//! delta  θ·D·(F/S)·N(θd₁)                     gamma  D·(F/S)·φ(d₁)/(S·v)          vega   D·F·φ(d₁)·√T
//! theta  q·V − b·S·delta − vega·σ/(2T)         rho    −T·V                          vanna  −D·(F/S)·φ(d₁)·d₂/σ
//! volga  vega·d₁·d₂/σ                          charm  (q − b)·delta − D·(F/S)·φ(d₁)·(b/v − d₂/(2T))
//! ```
//!
//! F·N − K·N cancels. As in Jäckel, *Let's be rational* (2015), the option out of the money is therefore written with Mills'
//! ratio Y(z) = N(z)/φ(z), which varies slowly: with h = |ln(F/K)|/v and t = v/2,
//!
//! ```text
//! outside = min(F, K)·φ(t − h)·[Y(t − h) − Y(−t − h)]
//! ```
//!
//! and the option in the money is |F − K| more. For small t the bracket is ∫ Y'(z) dz, Y' = 1 + zY > 0, by Gauss and Legendre.

use super::{European, Greeks, Numeraire, OptionMarket, Priced};

/// Years and deviations at or below this count as none.
const NONE: f64 = 1e-100;
/// Half deviations below this are integrated.
const INTEGRAL_MAX: f64 = 0.1;
/// From here on Mills' ratio is a continued fraction, below it a series.
const FRACTION_MIN: f64 = 1.5;
/// Depth of the fraction: at [`FRACTION_MIN`] it has settled to the last bit.
const FRACTION_DEPTH: u32 = 200;
/// Six-point Gauss–Legendre rule on −1..1: positive nodes, weights.
const GAUSS_LEGENDRE: [(f64, f64); 3] = [
    (0.238_619_186_083_196_9, 0.467_913_934_572_691_04),
    (0.661_209_386_466_264_5, 0.360_761_573_048_138_6),
    (0.932_469_514_203_152, 0.171_324_492_379_170_36),
];

/// Mills' ratio Y(−a) = N(−a)/φ(a) and its derivative in z = −a, 1 − a·Y(−a), for a ≥ 0.
fn mills(a: f64) -> (f64, f64) {
    if a >= FRACTION_MIN {
        // 1/(a + 1/(a + 2/(a + 3/(…)))), Laplace.
        let inner = (2..=FRACTION_DEPTH).rev().fold(a, |tail, k| a + f64::from(k) / tail);
        let ratio = 1.0 / (a + 1.0 / inner);
        return (ratio, ratio / inner);
    }
    // ½/φ(a) − (a + a³/3 + a⁵/15 + …).
    let (mut term, mut sum, mut odd) = (a, a, 1.0);
    while term > sum * 1e-18 {
        odd += 2.0;
        term *= a * a / odd;
        sum += term;
    }
    let ratio = 0.5 * std::f64::consts::TAU.sqrt() * libm::exp(0.5 * a * a) - sum;
    (ratio, 1.0 - a * ratio)
}

/// φ(z).
fn density(z: f64) -> f64 {
    libm::exp(-0.5 * z * z) / std::f64::consts::TAU.sqrt()
}

/// N(z).
fn probability(z: f64) -> f64 {
    let tail = density(z) * mills(z.abs()).0;
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// Value / min(F, K) of the option that is out of the money, from h ≥ 0 and t > 0.
pub(super) fn outside(h: f64, t: f64) -> f64 {
    if t < INTEGRAL_MAX {
        let derivative = |z: f64| {
            // Past the money Y(z) = 1/φ(z) − Y(−z), z ≤ t: small.
            if z > 0.0 { 1.0 + z * (1.0 / density(z) - mills(z).0) } else { mills(-z).1 }
        };
        let pair = |(node, weight): (f64, f64)| weight * (derivative(node * t - h) + derivative(-node * t - h));
        return density(t - h) * t * GAUSS_LEGENDRE.into_iter().map(pair).sum::<f64>();
    }
    probability(t - h) - density(t - h) * mills(t + h).0
}

/// 1 minus [`outside`], without cancellation: what a large deviation lacks of min(F, K).
pub(super) fn outside_lack(h: f64, t: f64) -> f64 {
    probability(h - t) + density(t - h) * mills(t + h).0
}

/// ln(F/K), also where F ≈ K.
pub(super) fn log_moneyness(forward: f64, strike: f64) -> f64 {
    let relative = (forward - strike) / strike;
    if relative.abs() < 0.5 { libm::log1p(relative) } else { libm::log(forward) - libm::log(strike) }
}

impl European {
    /// Value and Greeks by the plain reference, one branch per case. Limits as in [`super::price_block`].
    pub fn reference(&self, market: &OptionMarket) -> Priced {
        let OptionMarket { index, forward, volatility, years, rate } = *market;
        let inputs = [index, forward, volatility, years, rate, self.strike];
        if inputs.iter().any(|input| !input.is_finite()) {
            return Priced { value: f64::NAN, greeks: Greeks::from_array([f64::NAN; 8]) };
        }
        let sign = self.sign();
        if years <= NONE {
            let delta = sign * step(sign * (index - self.strike));
            let greeks = Greeks { delta, ..Greeks::default() };
            return Priced { value: (sign * (index - self.strike)).max(0.0), greeks };
        }
        let (ratio, carry) = if index > 0.0 && forward > 0.0 {
            (forward / index, log_moneyness(forward, index) / years)
        } else {
            (1.0, 0.0)
        };
        let (discount, rate_in_quote) = match self.numeraire {
            Numeraire::Quote => (libm::exp(-rate * years), rate),
            Numeraire::Coin => (libm::exp(-rate * years) / ratio, rate + carry),
        };
        let intrinsic = (sign * (forward - self.strike)).max(0.0);
        let growth = discount * ratio;
        let deviation = volatility * years.sqrt();
        if deviation <= NONE || forward == 0.0 {
            let value = discount * intrinsic;
            let delta = sign * growth * step(sign * (forward - self.strike));
            let theta = rate_in_quote * value - carry * index * delta;
            let charm = (rate_in_quote - carry) * delta;
            return Priced { value, greeks: Greeks { delta, theta, rho: -years * value, charm, ..Greeks::default() } };
        }
        let moneyness = log_moneyness(forward, self.strike);
        let (d1, d2) = (moneyness / deviation + 0.5 * deviation, moneyness / deviation - 0.5 * deviation);
        let outside = forward.min(self.strike) * outside(moneyness.abs() / deviation, 0.5 * deviation);
        let value = discount * (intrinsic + outside);
        let delta = sign * growth * probability(sign * d1);
        let density = density(d1);
        // Where the density has run out no factor brings it back, and an infinite one would make NaN of it.
        let with_density = |factor: f64| if density == 0.0 { 0.0 } else { density * factor };
        let vega = with_density(discount * forward * years.sqrt());
        let greeks = Greeks {
            delta,
            gamma: if index > 0.0 { with_density(growth / (index * deviation)) } else { 0.0 },
            vega,
            theta: rate_in_quote * value - carry * index * delta - vega * volatility / (2.0 * years),
            rho: -years * value,
            vanna: -with_density(growth * d2 / volatility),
            volga: with_density(discount * forward * years.sqrt() * d1 * d2 / volatility),
            charm: (rate_in_quote - carry) * delta - with_density(growth * (carry / deviation - d2 / (2.0 * years))),
        };
        Priced { value, greeks }
    }
}

/// 1 inside the money, ½ at it, 0 outside.
fn step(inside: f64) -> f64 {
    if inside > 0.0 {
        1.0
    } else if inside == 0.0 {
        0.5
    } else {
        0.0
    }
}
