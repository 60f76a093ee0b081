//! Black's formula (Black 1976) in cost-of-carry form (Haug 2007, §1.1.6 and ch. 2), in plain f64.
//!
//! With S the index, F the forward, carry b = ln(F/S)/T, rate r, v = σ√T, d₁ = ln(F/K)/v + v/2, d₂ = d₁ − v, θ = ±1:
//!
//! ```text
//! paid in quote   V = e^{−rT} · θ·[F·N(θd₁) − K·N(θd₂)]
//! paid in coin    V = e^{−rT} · θ·[F·N(θd₁) − K·N(θd₂)] · S/F          (quote value of an inverse option)
//! ```
//!
//! An inverse option pays max(θ(S_T − K), 0)/S_T coins; r is the coin's rate, and its quote value is the same formula with
//! e^{−(r+b)T} for e^{−rT}. All amounts are in units of the price asset, per unit of the underlying.

use super::Greeks;
use crate::domain::Right;

/// What an option pays its value in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numeraire {
    /// The price asset: linear and quanto options.
    Quote,
    /// The underlying itself: inverse options.
    Coin,
}

/// The terms of a European option on one unit of its underlying.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct European {
    /// Call or put.
    pub right: Right,
    /// Strike K > 0, price-asset units.
    pub strike: f64,
    /// What it pays in.
    pub numeraire: Numeraire,
}

/// The market that a European option is valued in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionMarket {
    /// Index price S ≥ 0, price-asset units.
    pub index: f64,
    /// Forward price F ≥ 0 of the expiry, price-asset units.
    pub forward: f64,
    /// Volatility σ ≥ 0 per √year.
    pub volatility: f64,
    /// Years to expiry T (ACT/365); ≤ 0: expired, worth its intrinsic value at the index.
    pub years: f64,
    /// Continuous rate r per year of what the option pays in.
    pub rate: f64,
}

/// Value and Greeks of an option on one unit, price-asset units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Priced {
    /// Value; of an inverse option value in coin · index.
    pub value: f64,
    /// Sensitivities of that value.
    pub greeks: Greeks,
}

impl European {
    fn sign(&self) -> f64 {
        match self.right {
            Right::Call => 1.0,
            Right::Put => -1.0,
        }
    }

    /// Value in a market, price-asset units per unit of the underlying.
    pub fn value(&self, market: &OptionMarket) -> f64 {
        self.price(market).value
    }

    /// Value and Greeks in a market.
    ///
    /// Limits, never NaN: expired, the intrinsic value at the index, delta ±1 in the money and ±½ at it, other Greeks 0;
    /// σ = 0, the discounted intrinsic value of the forward, its delta, and no gamma, vega, vanna or volga.
    pub fn price(&self, market: &OptionMarket) -> Priced {
        let OptionMarket { index, forward, volatility, years, rate } = *market;
        let sign = self.sign();
        if years <= 0.0 {
            let inside = sign * (index - self.strike);
            let delta = if inside > 0.0 {
                sign
            } else if inside == 0.0 {
                0.5 * sign
            } else {
                0.0
            };
            return Priced { value: inside.max(0.0), greeks: Greeks { delta, ..Greeks::default() } };
        }
        let carry = if index > 0.0 && forward > 0.0 { (forward / index).ln() / years } else { 0.0 };
        let rate_in_quote = match self.numeraire {
            Numeraire::Quote => rate,
            Numeraire::Coin => rate + carry,
        };
        let discount = (-rate_in_quote * years).exp();
        let root = years.sqrt();
        let deviation = volatility * root;
        let moneyness = forward / self.strike;
        let (d1, d2) = if deviation > 0.0 && moneyness > 0.0 {
            let d1 = moneyness.ln() / deviation + 0.5 * deviation;
            (d1, d1 - deviation)
        } else if forward == self.strike {
            (0.0, 0.0)
        } else {
            let side = if forward > self.strike { f64::INFINITY } else { f64::NEG_INFINITY };
            (side, side)
        };
        let (n1, n2) = (normal(sign * d1), normal(sign * d2));
        let forward_value = discount * forward * n1;
        let strike_value = discount * self.strike * n2;
        let value = (sign * (forward_value - strike_value)).max(0.0);
        let growth = (carry * years).exp() * discount;
        let density = if deviation > 0.0 && d1.is_finite() {
            (-0.5 * d1 * d1).exp() / (std::f64::consts::TAU).sqrt()
        } else {
            0.0
        };
        if density == 0.0 {
            let delta = sign * growth * n1;
            let theta = sign * (rate_in_quote * value * sign - carry * forward_value);
            let charm = sign * (rate_in_quote - carry) * growth * n1;
            let rho = -years * value;
            return Priced { value, greeks: Greeks { delta, theta, rho, charm, ..Greeks::default() } };
        }
        let vega = discount * forward * density * root;
        let greeks = Greeks {
            delta: sign * growth * n1,
            gamma: growth * density / (index * deviation),
            vega,
            theta: -vega * volatility / (2.0 * years)
                + sign * ((rate_in_quote - carry) * forward_value - rate_in_quote * strike_value),
            rho: -years * value,
            vanna: -growth * density * d2 / volatility,
            volga: vega * d1 * d2 / volatility,
            charm: -growth * (density * (carry / deviation - d2 / (2.0 * years)) + sign * (carry - rate_in_quote) * n1),
        };
        Priced { value, greeks }
    }
}

/// Standard normal distribution function.
fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}
