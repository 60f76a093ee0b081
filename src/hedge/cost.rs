use crate::domain::Kind;

/// Cost of trading, as a share of notional, by kind of contract: taker fee plus half the spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostRates {
    /// Of spot.
    pub spot: f64,
    /// Of perpetuals.
    pub perpetual: f64,
    /// Of dated futures.
    pub future: f64,
    /// Of options, whose notional is contract size · index price.
    pub option: f64,
}

/// Assumed, not any venue's: fees of 10, 5, 5 and 3 basis points, half spreads of 2, 1, 2 and 10.
impl Default for CostRates {
    fn default() -> Self {
        Self { spot: 12e-4, perpetual: 6e-4, future: 7e-4, option: 13e-4 }
    }
}

impl CostRates {
    /// That of a kind.
    pub fn of(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Spot => self.spot,
            Kind::Perpetual => self.perpetual,
            Kind::Future => self.future,
            Kind::Option => self.option,
        }
    }

    /// That of a kind, to be set.
    pub fn of_mut(&mut self, kind: Kind) -> &mut f64 {
        match kind {
            Kind::Spot => &mut self.spot,
            Kind::Perpetual => &mut self.perpetual,
            Kind::Future => &mut self.future,
            Kind::Option => &mut self.option,
        }
    }
}
