use super::{AssetIndex, UnderlyingIndex};

/// What a contract is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The asset itself.
    Spot,
    /// A future without expiry.
    Perpetual,
    /// A future with an expiry.
    Future,
    /// A European option.
    Option,
}

/// How a contract's price turns into money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payoff {
    /// contract_size · mark, paid in the settlement asset.
    Linear,
    /// contract_size (quote units) / mark, paid in the settlement asset.
    Inverse,
    /// contract_size · mark · fixed_rate, paid in the settlement asset.
    Quanto,
}

/// Call or put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// The right to buy.
    Call,
    /// The right to sell.
    Put,
}

/// When an option's premium changes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Premium {
    /// At the trade: the position's value is an asset of the pool.
    Paid,
    /// Through variation margin, like a future.
    Margined,
}

/// A contract that a position is held in.
#[derive(Debug, Clone, PartialEq)]
pub struct Instrument {
    /// Unique name, for example `BTCUSDT`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What it refers to.
    pub underlying: UnderlyingIndex,
    /// How its price turns into money.
    pub payoff: Payoff,
    /// Asset it pays in.
    pub settlement_asset: AssetIndex,
    /// Units of the underlying per contract (inverse: quote units per contract); > 0.
    pub contract_size: f64,
    /// Mark price, in `price_asset` units per unit of the underlying; > 0.
    pub mark_price: f64,
    /// Strike of an option, in `price_asset` units.
    pub strike: Option<f64>,
    /// Expiry of a future or option.
    pub expiry: Option<jiff::Timestamp>,
    /// Call or put.
    pub right: Option<Right>,
    /// Implied volatility per √year.
    pub implied_volatility: Option<f64>,
    /// Forward price of the expiry; default the index price.
    pub forward_price: Option<f64>,
    /// Continuous interest rate per year.
    pub rate: f64,
    /// Asset in which mark, entry and strike are quoted.
    pub price_asset: AssetIndex,
    /// How an option's premium is paid.
    pub premium: Premium,
    /// Settlement units per price unit of a quanto contract; 1 for others.
    pub fixed_rate: f64,
    /// Key of the margin class in the rulebook (default: the instrument's name).
    pub margin_class: String,
    /// How sure its mark, forward and volatility are, in [0, 1]: 1 = certain.
    pub confidence: f64,
}

impl Instrument {
    /// A linear perpetual on one unit of its underlying, priced in the asset it settles in; its margin class is its name.
    pub fn perpetual(
        name: impl Into<String>,
        underlying: UnderlyingIndex,
        settlement_asset: AssetIndex,
        mark_price: f64,
    ) -> Self {
        let name = name.into();
        Self {
            margin_class: name.clone(),
            name,
            kind: Kind::Perpetual,
            underlying,
            payoff: Payoff::Linear,
            settlement_asset,
            contract_size: 1.0,
            mark_price,
            strike: None,
            expiry: None,
            right: None,
            implied_volatility: None,
            forward_price: None,
            rate: 0.0,
            price_asset: settlement_asset,
            premium: Premium::Paid,
            fixed_rate: 1.0,
            confidence: 1.0,
        }
    }
}
