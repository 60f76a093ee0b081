//! A perpetual position closed in part with a liquidator, who is paid.

/// Prices and rates of the position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerpetualCut {
    /// Price of the underlying in the settlement asset, > 0.
    pub price: f64,
    /// Price of the settlement asset, quote units, > 0.
    pub settlement_price: f64,
    /// Maintenance margin per unit of notional.
    pub maintenance_rate: f64,
    /// Share of the notional paid to the liquidator.
    pub liquidator_fee: f64,
    /// Share of the notional paid to the insurance fund.
    pub insurance_fee: f64,
}

impl PerpetualCut {
    /// Quantity of the underlying whose close removes a shortage of margin (quote units):
    /// shortage/(p·p_s·(MR − f) − p·f_insurance). Not limited to the position; 0 without a shortage. `None` where no quantity
    /// does, because closing a unit costs at least the margin it releases: the whole position goes.
    ///
    /// Source: Drift v2, `programs/drift/src/math/liquidation.rs`, `calculate_base_asset_amount_to_cover_margin_shortage`.
    pub fn quantity(&self, shortage_quote: f64) -> Option<f64> {
        let released = self.price * self.settlement_price * (self.maintenance_rate - self.liquidator_fee);
        let gain = released - self.price * self.insurance_fee;
        (gain > 0.0).then(|| shortage_quote.max(0.0) / gain)
    }
}
