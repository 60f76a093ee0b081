use super::Greeks;
use super::revalue::{OptionMarkets, price_block};
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
}
