use crate::domain::Kind;

/// What a forced trade costs the pool, each a fraction of notional (of an option: of contract size · index price).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Half the quoted spread: what the market takes beside its price concession.
    pub half_spread: f64,
    /// Half the quoted spread of options.
    pub option_half_spread: f64,
    /// Trading fee, kept by the exchange.
    pub trading_fee: f64,
    /// Liquidation fee, paid into the insurance fund as far as the pool's equity reaches. Where all costs together exceed the
    /// target times a position's maintenance rate, cutting it costs more health than it frees: it is closed, not cut.
    pub liquidation_fee: f64,
}

impl Costs {
    /// Half spread of a kind of instrument.
    pub fn half_spread_of(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Option => self.option_half_spread,
            Kind::Spot | Kind::Perpetual | Kind::Future => self.half_spread,
        }
    }
}

impl Default for Costs {
    fn default() -> Self {
        Self { half_spread: 0.0002, option_half_spread: 0.002, trading_fee: 0.0005, liquidation_fee: 0.0015 }
    }
}
