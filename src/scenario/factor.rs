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
    /// `oracle:N`, relative, on top of everything else: what the exchange sees of the price of N (an underlying, an asset, or both)
    /// beside what it is.
    Oracle,
    /// `lag:N`, the share of a move that the exchange does not see yet, 0 to 1; 1 is a frozen price.
    Lag,
    /// `confidence:N`, relative half-width of the price of N, ≥ 0; too wide a price is not used.
    Confidence,
    /// `source:S`, relative: every price that the source S quotes, as if somebody had captured it.
    Source,
    /// `credit:A`, relative, −1 to 0: the share of what an asset is worth that counts as collateral.
    Credit,
    /// `route:R`, relative: the value of everything that stands on route R.
    Route,
    /// `delay:R`, hours ≥ 0 that messages of route R take longer.
    Delay,
    /// `censor:R`, the share of what stands on route R that can be seen but not seized, 0 to 1.
    Censorship,
    /// `reorg:R`, the share of what is in transit on route R that is undone, 0 to 1.
    Reorganisation,
    /// `stale:R`, the share of a move that prices reported over route R do not show yet, 0 to 1.
    Stale,
    /// `time`, years that pass, ≥ 0.
    Time,
}

impl FactorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 20] = [
        Self::Price,
        Self::Impact,
        Self::Volatility,
        Self::Rate,
        Self::Asset,
        Self::Basis,
        Self::Skew,
        Self::VolatilityIndex,
        Self::Depth,
        Self::Oracle,
        Self::Lag,
        Self::Confidence,
        Self::Source,
        Self::Credit,
        Self::Route,
        Self::Delay,
        Self::Censorship,
        Self::Reorganisation,
        Self::Stale,
        Self::Time,
    ];

    /// A shock of this kind, with its article.
    pub fn shock(self) -> String {
        let prefix = self.prefix();
        let article = if prefix.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        format!("{article} {prefix} shock")
    }

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
            Self::Oracle => "oracle",
            Self::Lag => "lag",
            Self::Confidence => "confidence",
            Self::Source => "source",
            Self::Credit => "credit",
            Self::Route => "route",
            Self::Delay => "delay",
            Self::Censorship => "censor",
            Self::Reorganisation => "reorg",
            Self::Stale => "stale",
            Self::Time => "time",
        }
    }

    /// The largest shock of any kind allowed: beyond it no price is meant.
    pub const MAXIMUM: f64 = 1e9;

    /// The smallest shock allowed: −1 for relative factors (a total loss), 0 for times, widths and shares.
    pub fn minimum(self) -> f64 {
        match self {
            Self::Price | Self::Impact | Self::Volatility | Self::Asset | Self::VolatilityIndex | Self::Depth => -1.0,
            Self::Oracle | Self::Source | Self::Credit | Self::Route => -1.0,
            Self::Time | Self::Lag | Self::Confidence | Self::Delay => 0.0,
            Self::Censorship | Self::Reorganisation | Self::Stale => 0.0,
            Self::Rate | Self::Basis | Self::Skew => -Self::MAXIMUM,
        }
    }

    /// The largest shock allowed: 1 for shares, 0 for what can only be lost.
    pub fn maximum(self) -> f64 {
        match self {
            Self::Lag | Self::Censorship | Self::Reorganisation | Self::Stale => 1.0,
            Self::Credit => 0.0,
            _ => Self::MAXIMUM,
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
