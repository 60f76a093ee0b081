use super::Greeks;
use super::revalue::{OptionMarkets, price_block};
use crate::domain::Right;

/// Claimed error of a value, relative, and the share of the forward below which values are too small for the claim.
pub const VALUE_ERROR: f64 = 1e-12;

/// What an option pays its value in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numeraire {
    /// The price asset: linear and quanto options.
    Quote,
    /// The underlying itself: inverse options.
    Coin,
}

/// Largest |rate · years| (`NUMERICS.md` §11).
const RATE_YEARS_MAX: f64 = 500.0;

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
    /// θ: 1 for a call, −1 for a put.
    pub(super) fn sign(&self) -> f64 {
        match self.right {
            Right::Call => 1.0,
            Right::Put => -1.0,
        }
    }

    /// Value in a market, price-asset units per unit of the underlying, by the revaluer ([`super::price_block`]).
    pub fn value(&self, market: &OptionMarket) -> f64 {
        let [[value]] = price_block::<1, 1>(self, &OptionMarkets::from(*market));
        value
    }

    /// Value and Greeks in a market, by the revaluer: the bits of a row's value at the same market.
    pub fn price(&self, market: &OptionMarket) -> Priced {
        let [[value], greeks @ ..] = price_block::<9, 1>(self, &OptionMarkets::from(*market));
        Priced { value, greeks: Greeks::from_array(greeks.map(|[greek]| greek)) }
    }

    /// Value at no and at infinite volatility, which every value lies between; price-asset units.
    pub fn bounds(&self, market: &OptionMarket) -> (f64, f64) {
        let lowest = self.value(&OptionMarket { volatility: 0.0, ..*market });
        let ceiling = match self.right {
            Right::Call => market.forward,
            Right::Put => self.strike,
        };
        (lowest, self.discount(market) * ceiling)
    }

    /// Whether the formula has a value here: what pays in coin has none at a forward of 0 (it divides by it), and a discount
    /// beyond e^±500 is no market.
    pub fn has_value(&self, market: &OptionMarket) -> bool {
        let needs_forward = self.numeraire == Numeraire::Coin && market.years > 0.0 && market.index > 0.0;
        let discounts = (market.rate * market.years).abs() <= RATE_YEARS_MAX;
        discounts && !(needs_forward && market.forward <= 0.0)
    }

    /// How far the revaluer's `value` and the reference's may lie apart, each within its claimed error (`NUMERICS.md` §11).
    pub fn tolerance(&self, market: &OptionMarket, value: f64) -> f64 {
        2.0 * VALUE_ERROR * value.abs().max(VALUE_ERROR * self.discount(market) * market.forward)
    }

    /// What one unit of the price asset at expiry, paid in what the option pays in, is worth now.
    pub(super) fn discount(&self, market: &OptionMarket) -> f64 {
        let rate_discount = libm::exp(-market.rate * market.years.max(0.0));
        match self.numeraire {
            Numeraire::Coin if market.index > 0.0 && market.forward > 0.0 => {
                rate_discount * market.index / market.forward
            }
            Numeraire::Quote | Numeraire::Coin => rate_discount,
        }
    }
}
