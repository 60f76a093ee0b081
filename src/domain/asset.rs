use super::Custody;

/// Something a balance is held in: a coin, a stablecoin, a currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Asset {
    /// Unique name, for example `BTC`.
    pub name: String,
    /// Price in quote units per unit of the asset; ≥ 0 and finite.
    pub price: f64,
    /// Name whose `price:` factor moves this asset (default: the asset's own name). It need not be in the underlyings table.
    pub underlying: String,
    /// Haircut class of the rulebook; `None` means a haircut of 0.
    pub haircut_class: Option<String>,
    /// Network the asset lives on, where that matters.
    pub network: Option<String>,
    /// Where it stands, unless it is settled locally.
    pub custody: Option<Custody>,
}

impl Asset {
    /// An asset that is its own underlying, without a haircut class.
    pub fn new(name: impl Into<String>, price: f64) -> Self {
        let name = name.into();
        Self { underlying: name.clone(), name, price, haircut_class: None, network: None, custody: None }
    }
}
