//! Prices and moves at which a position or a pool is liquidatable or bankrupt, and the price at which it may be closed.

use num_bigint::BigInt;

#[cfg(test)]
mod tests;

/// A linear position in a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Holding {
    /// Units of the underlying, negative for a short.
    pub quantity: f64,
    /// Price from which the wallet's profit is counted, quote units, > 0.
    pub entry_price: f64,
    /// Maintenance margin per unit of notional in the position's bracket.
    pub maintenance_rate: f64,
    /// What that bracket subtracts from notional · rate, quote units.
    pub deduction_quote: f64,
}

/// The pool without the position, as it stands: only the position's price moves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rest {
    /// Wallet: all money without unrealised profit, quote units. Isolated: the position's own.
    pub wallet_quote: f64,
    /// Maintenance margin of the other positions, quote units.
    pub maintenance_quote: f64,
    /// Unrealised profit of the other positions, quote units.
    pub profit_quote: f64,
}

/// Price at which equity is the maintenance margin, the bracket held fixed:
/// (W − M_others + P_others + deduction − q·entry)/(|q|·rate − q). A long with a rate below 1 is liquidatable below it, a short
/// above it. Not below 0: at 0 no price liquidates the long, every price the short. `None` without a position, or for a long
/// with a rate of 1, whose margin falls as fast as its value.
///
/// Source: Binance, "How to calculate liquidation price of USDⓈ-M futures contracts", in one-way mode; equal to
/// p − side·(E − M)/(|q|·(1 − rate·side)) of Hyperliquid at any mark p.
pub fn liquidation_price(holding: &Holding, rest: &Rest) -> Option<f64> {
    let Holding { quantity, entry_price, maintenance_rate, deduction_quote } = *holding;
    let money = rest.wallet_quote - rest.maintenance_quote + rest.profit_quote + deduction_quote;
    let slope = quantity.abs() * maintenance_rate - quantity;
    (slope != 0.0).then(|| ((money - quantity * entry_price) / slope).max(0.0))
}

/// Price at which equity is 0: entry − (W + P_others)/q, not below 0. `None` without a position.
///
/// Source: Chitra et al., "Autodeleveraging: Impossibilities and Optimization" (2025), without funding.
pub fn bankruptcy_price(holding: &Holding, rest: &Rest) -> Option<f64> {
    let money = rest.wallet_quote + rest.profit_quote;
    (holding.quantity != 0.0).then(|| (holding.entry_price - money / holding.quantity).max(0.0))
}

/// A close of part of a position, in integer quanta of quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// What the close adds to the net notional, negative when a long is cut.
    pub notional_change: i128,
    /// What it adds to the pool's maintenance margin, negative as a rule.
    pub maintenance_change: i128,
}

/// Quanta of quote the pool has to receive for a slice so that it stays as close to bankruptcy as it was, all its positions
/// closed likewise ending with equity 0: −ΔN − E·|ΔM|/M, rounded up, in the pool's favour. Exact for every input. `None` without
/// maintenance margin, and where the result does not fit.
///
/// Source: dYdX v4-chain, `protocol/x/clob/keeper/liquidations.go`, `GetBankruptcyPriceInQuoteQuantums`.
pub fn bankruptcy_quanta(slice: Slice, equity: i128, maintenance: i128) -> Option<i128> {
    if maintenance <= 0 {
        return None;
    }
    let product = BigInt::from(equity) * BigInt::from(slice.maintenance_change.unsigned_abs());
    let divisor = BigInt::from(maintenance);
    let quotient = &product / &divisor;
    // Division of big integers rounds to 0, which is above the floor of a negative number that it does not divide.
    let is_above = product.sign() == num_bigint::Sign::Minus && &quotient * &divisor != product;
    let floor = if is_above { quotient - 1 } else { quotient };
    i128::try_from(-BigInt::from(slice.notional_change) - floor).ok()
}

/// A position of a liquidatable pool and how far from its price it may be closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fill {
    /// Units of the underlying, negative for a short.
    pub quantity: f64,
    /// Net notional of the position, quote units, of the quantity's sign.
    pub notional_quote: f64,
    /// Maintenance margin of the position, quote units.
    pub position_maintenance_quote: f64,
    /// E of the pool, quote units.
    pub equity_quote: f64,
    /// M of the pool, quote units, > 0.
    pub maintenance_quote: f64,
    /// How fast the distance grows as the pool falls below maintenance, ≥ 0.
    pub adjustment: f64,
    /// Largest distance, as a share of the position's maintenance margin.
    pub spread: f64,
}

impl Fill {
    /// Price at which the position may be closed, worse than its own by the more the poorer the pool:
    /// (N − clamp(adjustment·(1 − E/M), 0, 1)·spread·M_position)/q. `None` without a position or a maintenance margin.
    ///
    /// Source: dYdX v4-chain, `protocol/x/clob/keeper/liquidations.go`, `GetFillablePrice`.
    pub fn price(&self) -> Option<f64> {
        if self.quantity == 0.0 || self.maintenance_quote <= 0.0 {
            return None;
        }
        let depth = self.adjustment * (1.0 - self.equity_quote / self.maintenance_quote);
        let concession = depth.clamp(0.0, 1.0) * self.spread * self.position_maintenance_quote;
        Some((self.notional_quote - concession) / self.quantity)
    }
}

/// A linear book along one factor that moves every price p_i to p_i·(1 + β_i·x).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactorBook {
    /// E, quote units.
    pub equity_quote: f64,
    /// M, quote units.
    pub maintenance_quote: f64,
    /// Σ q_i·p_i·β_i, quote units: what equity gains at x = 1.
    pub exposure_quote: f64,
    /// Σ m_i·|q_i|·p_i·β_i, quote units: what the maintenance margin gains at x = 1.
    pub maintenance_exposure_quote: f64,
}

impl FactorBook {
    /// Move of the factor at which equity is 0: −E/Σ q_i·p_i·β_i. A pool that is bankrupt already gets the move that ends that.
    /// `None` where the factor does not move equity.
    pub fn move_to_bankruptcy(&self) -> Option<f64> {
        (self.exposure_quote != 0.0).then(|| -self.equity_quote / self.exposure_quote)
    }

    /// Move of the factor at which equity is the maintenance margin, which moves too:
    /// −(E − M)/(Σ q_i·p_i·β_i − Σ m_i·|q_i|·p_i·β_i). `None` where the factor moves both alike.
    pub fn move_to_liquidation(&self) -> Option<f64> {
        let slope = self.exposure_quote - self.maintenance_exposure_quote;
        (slope != 0.0).then(|| -(self.equity_quote - self.maintenance_quote) / slope)
    }
}
