use std::fmt;

/// What a factor shocks. The list is closed: a column with any other prefix is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FactorKind {
    /// `price:U`, relative: index, marks and forwards of U (and of every underlying whose `factor` is U, times its beta)
    /// and the price of the assets whose underlying is U.
    Price,
    /// `impact:U`, relative, on top of the price move: index, marks and forwards of U alone, whatever its `factor`, and the price
    /// of the assets whose underlying is U. What forced trades did to a price.
    Impact,
    /// `vol:U`, relative: implied volatilities of U's options.
    Volatility,
    /// `rate:Q`, absolute per year: rates of instruments settled in Q.
    Rate,
    /// `asset:A`, relative, on top of the price move: a peg or a haircut of the market.
    Asset,
    /// `basis:U`, absolute fraction of the shocked index: added to marks and forwards of dated and perpetual contracts of U.
    Basis,
    /// `skew:U`, absolute per unit of log-moneyness: tilts U's option volatilities.
    Skew,
    /// `volidx:U`, relative: U's volatility index, which dynamic thresholds read.
    VolatilityIndex,
    /// `depth:U`, relative: U's market depth.
    Depth,
    /// `time`, years that pass, ≥ 0.
    Time,
}

impl FactorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Price,
        Self::Impact,
        Self::Volatility,
        Self::Rate,
        Self::Asset,
        Self::Basis,
        Self::Skew,
        Self::VolatilityIndex,
        Self::Depth,
        Self::Time,
    ];

    /// The column prefix.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Impact => "impact",
            Self::Volatility => "vol",
            Self::Rate => "rate",
            Self::Asset => "asset",
            Self::Basis => "basis",
            Self::Skew => "skew",
            Self::VolatilityIndex => "volidx",
            Self::Depth => "depth",
            Self::Time => "time",
        }
    }

    /// The largest shock allowed: beyond it no price is meant.
    pub const MAXIMUM: f64 = 1e9;

    /// The smallest shock allowed: −1 for relative factors (a total loss), 0 for time.
    pub fn minimum(self) -> f64 {
        match self {
            Self::Price | Self::Impact | Self::Volatility | Self::Asset | Self::VolatilityIndex | Self::Depth => -1.0,
            Self::Time => 0.0,
            Self::Rate | Self::Basis | Self::Skew => f64::NEG_INFINITY,
        }
    }
}

/// One column of a scenario set: what is shocked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Factor {
    /// The kind of shock.
    pub kind: FactorKind,
    /// Underlying, asset or currency; empty for `time`.
    pub name: String,
}

impl Factor {
    /// A `price:` factor.
    pub fn price(name: impl Into<String>) -> Self {
        Self { kind: FactorKind::Price, name: name.into() }
    }

    /// An `asset:` factor.
    pub fn asset(name: impl Into<String>) -> Self {
        Self { kind: FactorKind::Asset, name: name.into() }
    }

    /// Reads a column name such as `price:BTC` or `time`. `None` where the prefix is unknown or the name is missing.
    pub fn parse(column: &str) -> Option<Self> {
        if column == FactorKind::Time.prefix() {
            return Some(Self { kind: FactorKind::Time, name: String::new() });
        }
        let (prefix, name) = column.split_once(':')?;
        let kind = FactorKind::ALL.into_iter().find(|kind| kind.prefix() == prefix && *kind != FactorKind::Time)?;
        if name.is_empty() {
            return None;
        }
        Some(Self { kind, name: name.into() })
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FactorKind::Time => write!(f, "time"),
            kind => write!(f, "{}:{}", kind.prefix(), self.name),
        }
    }
}
