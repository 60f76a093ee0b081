/// Sensitivities of a value per contract, or of a sum of positions (design: `ARCHITECTURE.md`, units here).
///
/// Units are quote units per … of the derivative: delta per unit of index price, gamma per unit squared, vega per 1.00 of
/// volatility, theta per year of calendar time *passing* (∂/∂t: negative for most long options), rho per 1.00 of rate
/// (forward held), vanna per unit of index and 1.00 of volatility, volga per 1.00 of volatility squared, charm = change of
/// delta per year passing. The forward moves in proportion to the index; theta and charm hold the carry ln(F/S)/T.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Greeks {
    /// ∂V/∂S.
    pub delta: f64,
    /// ∂²V/∂S².
    pub gamma: f64,
    /// ∂V/∂σ.
    pub vega: f64,
    /// ∂V/∂t.
    pub theta: f64,
    /// ∂V/∂r, the forward held.
    pub rho: f64,
    /// ∂²V/∂S∂σ.
    pub vanna: f64,
    /// ∂²V/∂σ².
    pub volga: f64,
    /// ∂²V/∂S∂t.
    pub charm: f64,
}

impl Greeks {
    /// Names in the order of [`Greeks::to_array`], as output columns call them.
    pub const NAMES: [&'static str; 8] = ["delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm"];

    /// The eight in the order of [`Greeks::NAMES`].
    pub fn to_array(self) -> [f64; 8] {
        [self.delta, self.gamma, self.vega, self.theta, self.rho, self.vanna, self.volga, self.charm]
    }

    /// From the order of [`Greeks::NAMES`].
    pub fn from_array([delta, gamma, vega, theta, rho, vanna, volga, charm]: [f64; 8]) -> Self {
        Self { delta, gamma, vega, theta, rho, vanna, volga, charm }
    }

    /// Adds `factor · other`, Greek by Greek.
    pub fn add_scaled(&mut self, factor: f64, other: Self) {
        let (sum, other) = (self.to_array(), other.to_array());
        *self = Self::from_array(std::array::from_fn(|k| sum[k] + factor * other[k]));
    }

    /// The same sensitivities of the value *in coin*, V/S, for a value of `value` quote units at an index of `index` > 0:
    /// delta in coin per quote unit of index, and so on (quotient rule).
    pub fn in_coin(self, value: f64, index: f64) -> Self {
        let per_coin = |greek: f64| greek / index;
        Self {
            delta: (self.delta - value / index) / index,
            gamma: (self.gamma - 2.0 * (self.delta - value / index) / index) / index,
            vega: per_coin(self.vega),
            theta: per_coin(self.theta),
            rho: per_coin(self.rho),
            vanna: (self.vanna - self.vega / index) / index,
            volga: per_coin(self.volga),
            charm: (self.charm - self.theta / index) / index,
        }
    }
}
