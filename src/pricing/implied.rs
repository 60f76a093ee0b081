use super::black::{log_moneyness, outside, outside_lack};
use super::{European, OptionMarket};

/// Where an option's price has no volatility.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ImpliedError {
    /// A price or a term of the market is NaN, infinite or out of range.
    #[error("{name} is {value}: a finite number {rule} is needed")]
    Input {
        /// Which one.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it has to be.
        rule: &'static str,
    },
    /// No time is left for a volatility to act in.
    #[error("the option has expired ({years} years left): its price does not depend on volatility")]
    Expired {
        /// Years to expiry.
        years: f64,
    },
    /// No volatility gives so low a price.
    #[error("price {price} is below the discounted intrinsic value {bound}")]
    BelowIntrinsic {
        /// The price.
        price: f64,
        /// The lowest price there is.
        bound: f64,
    },
    /// No finite volatility gives so high a price.
    #[error("price {price} is not below {bound}, which the option is worth at infinite volatility")]
    NotBelowBound {
        /// The price.
        price: f64,
        /// The price at infinite volatility.
        bound: f64,
    },
}

/// Deviations σ√T are looked for between these; at the ends prices have run out of f64.
const DEVIATION_MIN: f64 = 1e-150;
const DEVIATION_MAX: f64 = 80.0;
/// Bisection alone would be done after this many steps.
const STEPS_MAX: u32 = 200;

/// What the deviation is solved for: ln of the smaller of p and 1 − p, p the normalised price out of the money.
struct Target {
    /// |ln(F/K)|.
    moneyness: f64,
    /// ln p or ln(1 − p).
    logarithm: f64,
    lack: bool,
}

impl Target {
    /// Distance from the target, rising in the deviation, and its derivative.
    fn distance(&self, deviation: f64) -> (f64, f64) {
        let (h, t) = (self.moneyness / deviation, 0.5 * deviation);
        // ∂p/∂v = φ(t − h).
        let slope = libm::exp(-0.5 * (t - h) * (t - h)) / std::f64::consts::TAU.sqrt();
        if self.lack {
            let lack = outside_lack(h, t);
            (self.logarithm - libm::log(lack), slope / lack)
        } else {
            let value = outside(h, t);
            if value > 0.0 { (libm::log(value) - self.logarithm, slope / value) } else { (f64::NEG_INFINITY, 0.0) }
        }
    }

    /// Newton's method on the logarithm, which is nearly a straight line in the wings, where the price itself is flat; kept
    /// within a bracket that every step narrows, and halved (in the logarithm of the deviation) where a step leaves it.
    fn solve(&self) -> f64 {
        let (mut low, mut high) = (DEVIATION_MIN, DEVIATION_MAX);
        // The point of inflection of the price, from where Newton's method is safe (Manaster and Koehler 1982).
        let mut deviation = (2.0 * self.moneyness).sqrt().clamp(1e-3, 10.0);
        for _ in 0..STEPS_MAX {
            let (distance, slope) = self.distance(deviation);
            if distance == 0.0 {
                return deviation;
            }
            if distance < 0.0 {
                low = deviation;
            } else {
                high = deviation;
            }
            let newton = deviation - distance / slope;
            let inside = newton > low && newton < high;
            let next = if inside { newton } else { (low.sqrt() * high.sqrt()).clamp(low, high) };
            if (next - deviation).abs() <= f64::EPSILON * deviation {
                return next;
            }
            deviation = next;
        }
        deviation
    }
}

impl European {
    /// Volatility per √year at which [`European::value`] is `price`; `market.volatility` is not read. 0 where the price is the
    /// discounted intrinsic value to the last bit.
    ///
    /// The volatility's price is within 1e-12 of `price`, relative to the part of it above intrinsic value and to what the
    /// rounding of `price` leaves of that part. Deep in the money hardly any of it is left, and any volatility of many is right.
    ///
    /// # Errors
    /// [`ImpliedError`]: outside the bounds that hold for every volatility, expired, or a number that is none.
    pub fn implied_volatility(&self, price: f64, market: &OptionMarket) -> Result<f64, ImpliedError> {
        let OptionMarket { index, forward, years, rate, .. } = *market;
        let inputs = [("index", index), ("forward", forward), ("strike", self.strike)];
        if let Some((name, value)) = inputs.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return Err(ImpliedError::Input { name, value, rule: "above 0" });
        }
        let inputs = [("price", price), ("years", years), ("rate", rate)];
        if let Some((name, value)) = inputs.into_iter().find(|(_, value)| !value.is_finite()) {
            return Err(ImpliedError::Input { name, value, rule: "of any size" });
        }
        if years <= 0.0 {
            return Err(ImpliedError::Expired { years });
        }
        // The bounds are the option's own values at the ends, so that they round as a price does.
        let (intrinsic, bound) = self.bounds(market);
        if price < intrinsic {
            return Err(ImpliedError::BelowIntrinsic { price, bound: intrinsic });
        }
        if price == intrinsic {
            return Ok(0.0);
        }
        // That far the bounds are apart.
        let low = self.discount(market) * forward.min(self.strike);
        let (value, lack) = ((price - intrinsic) / low, (bound - price) / low);
        if price >= bound || lack <= 0.0 {
            return Err(ImpliedError::NotBelowBound { price, bound });
        }
        let is_lack = value > 0.5;
        let logarithm = libm::log(if is_lack { lack } else { value });
        let target = Target { moneyness: log_moneyness(forward, self.strike).abs(), logarithm, lack: is_lack };
        Ok(target.solve() / years.sqrt())
    }
}
