use super::{AssetIndex, InstrumentIndex, LotIndex};

/// An amount of one asset held by a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Balance {
    /// The asset.
    pub asset: AssetIndex,
    /// Its terms in the book that holds it ([`Book::lot`](super::Book::lot)); 0 = none are stated.
    pub lot: LotIndex,
    /// Units of the asset; negative = a loan. Includes realised profit and loss.
    pub amount: f64,
    /// Units of the asset that have accrued and are not yet in `amount`; negative = owed.
    pub accrued_interest: f64,
}

/// Which leg of a hedge-mode pair a position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// One-way mode: the sign of the quantity says it.
    Net,
    /// The long leg: quantity ≥ 0.
    Long,
    /// The short leg: quantity ≤ 0.
    Short,
}

/// A number of contracts of one instrument held by a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// The instrument.
    pub instrument: InstrumentIndex,
    /// Contracts; positive = long, negative = short.
    pub quantity: f64,
    /// Average entry price, in the instrument's price asset.
    pub entry_price: f64,
    /// Leverage chosen by the account; caps what its bracket allows.
    pub leverage: Option<f64>,
    /// Funding accrued and not yet in a balance, in settlement units; negative = owed.
    pub accrued_funding: f64,
    /// Leg, in hedge mode.
    pub side: Side,
}

impl Balance {
    /// An amount with nothing accrued, and without terms.
    pub fn new(asset: AssetIndex, amount: f64) -> Self {
        Self { asset, lot: 0, amount, accrued_interest: 0.0 }
    }
}

impl Position {
    /// A one-way position with nothing accrued and no leverage of its own.
    pub fn new(instrument: InstrumentIndex, quantity: f64, entry_price: f64) -> Self {
        Self { instrument, quantity, entry_price, leverage: None, accrued_funding: 0.0, side: Side::Net }
    }
}
