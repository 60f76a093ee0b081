use super::VolatilityShock;

/// What a contract refers to: the thing that has an index price.
#[derive(Debug, Clone, PartialEq)]
pub struct Underlying {
    /// Unique name, for example `BTC`.
    pub name: String,
    /// Index price in quote units; > 0 and finite.
    pub index_price: f64,
    /// Name of the `price:` factor that moves it (default: its own name).
    pub factor: String,
    /// Multiplier on that factor's relative move (default 1).
    pub beta: f64,
    /// Volatility index, per √year (0.65 = 65 %).
    pub volatility_index: Option<f64>,
    /// Quote units that trade within 1 % of the mid price.
    pub depth_quote: Option<f64>,
    /// Average daily volume, quote units per day.
    pub adv_quote: Option<f64>,
    /// Open interest, quote units.
    pub open_interest_quote: Option<f64>,
    /// How sure the index price is, in [0, 1]: 1 = certain.
    pub confidence: f64,
    /// How `vol:` shocks reach its options.
    pub volatility_shock: VolatilityShock,
}

impl Underlying {
    /// An underlying that is its own factor, beta 1, nothing else known.
    pub fn new(name: impl Into<String>, index_price: f64) -> Self {
        let name = name.into();
        Self {
            factor: name.clone(),
            name,
            index_price,
            beta: 1.0,
            volatility_index: None,
            depth_quote: None,
            adv_quote: None,
            open_interest_quote: None,
            confidence: 1.0,
            volatility_shock: VolatilityShock::default(),
        }
    }
}
