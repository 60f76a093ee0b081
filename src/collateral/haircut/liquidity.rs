use crate::domain::{AssetIndex, Snapshot};

/// Price move that a depth is stated for.
const DEPTH_MOVE: f64 = 0.01;
/// Depths taken for a day's volume where only the depth is known, so that sizes have one unit.
const DEPTHS_PER_DAY: f64 = 100.0;

/// How much of an asset trades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Volume {
    /// Quote units per day, > 0.
    Daily(f64),
    /// Quote units within 1 % of the mid price, > 0; the daily volume is not known.
    Depth(f64),
    /// Nothing trades.
    Nothing,
}

/// What selling a collateral costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Liquidity {
    /// How much trades.
    pub volume: Volume,
    /// Y of the square-root law, ≥ 0, about 1.
    pub impact: f64,
    /// Standard deviation of the daily log-return.
    pub daily_volatility: f64,
}

impl Volume {
    /// What the underlyings table says of an asset; `None` where it says nothing.
    pub fn of_asset(snapshot: &Snapshot, asset: AssetIndex) -> Option<Self> {
        let underlying = &snapshot.underlyings[snapshot.underlying_of_asset(asset)? as usize];
        match (underlying.adv_quote, underlying.depth_quote) {
            (Some(daily), _) if daily > 0.0 => Some(Self::Daily(daily)),
            (_, Some(depth)) if depth > 0.0 => Some(Self::Depth(depth)),
            (None, None) => None,
            _ => Some(Self::Nothing),
        }
    }

    /// Quote units in a day; a hundred times the depth where only that is known.
    pub fn daily(self) -> f64 {
        match self {
            Self::Daily(daily) => daily,
            Self::Depth(depth) => DEPTHS_PER_DAY * depth,
            Self::Nothing => 0.0,
        }
    }
}

impl Liquidity {
    /// Share of its value that selling `size` (quote units, ≥ 0) costs, in [0, 1].
    ///
    /// With a daily volume V it is Y·σ·√(size/V), σ the daily volatility (the square-root law: J. Donier and J. Bonart, "A
    /// million metaorder analysis of market impact on the Bitcoin", Market Microstructure and Liquidity 1 (2015)). A longer sale
    /// changes nothing: σ and √V grow alike. With a depth alone the book is as thick everywhere: 1 % · size / depth.
    pub fn slippage(&self, size: f64) -> f64 {
        let share = match self.volume {
            Volume::Daily(volume) => self.impact * self.daily_volatility * libm::sqrt(size / volume),
            Volume::Depth(depth) => self.impact * DEPTH_MOVE * size / depth,
            Volume::Nothing => 1.0,
        };
        share.clamp(0.0, 1.0)
    }
}
