//! A loan repaid by a liquidator, who takes collateral and a bonus on top.

/// Terms on which debt is repaid and collateral taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seizure {
    /// What a unit of debt weighs: the health factor to restore, or the liability weight of the debt.
    pub target: f64,
    /// What a unit of the collateral taken weighs: its liquidation threshold, or its asset weight.
    pub threshold: f64,
    /// Collateral taken per unit repaid, less 1: the liquidator's bonus.
    pub bonus: f64,
    /// Share of the repayment that goes to the insurance fund and leaves the debt as it is.
    pub insurance_fee: f64,
}

impl Seizure {
    /// What a repayment of one unit (quote units) adds to Σ weight·collateral − target·debt:
    /// target·(1 − f_insurance) − threshold·(1 + bonus). Not positive where repaying makes it worse.
    pub fn gain(&self) -> f64 {
        self.target * (1.0 - self.insurance_fee) - self.threshold * (1.0 + self.bonus)
    }

    /// Debt to repay, quote units, that removes a shortage (target·debt − Σ weight·collateral, quote units). Not limited to
    /// the debt, nor to the collateral; 0 without a shortage. `None` where no repayment does: the whole loan goes.
    ///
    /// Sources: Mars, `packages/liquidation`, (THF·debt − C_lt)/(THF − lt·(1 + LB)); Drift v2,
    /// `calculate_liability_transfer_to_cover_margin_shortage`, where 1 + bonus is the collateral's multiplier over the debt's.
    pub fn repayment_quote(&self, shortage_quote: f64) -> Option<f64> {
        let gain = self.gain();
        (gain > 0.0).then(|| shortage_quote.max(0.0) / gain)
    }

    /// Collateral taken for a repayment, both quote units.
    pub fn seized_quote(&self, repaid_quote: f64) -> f64 {
        repaid_quote * (1.0 + self.bonus)
    }
}

/// A bonus that grows as health falls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeizureBonus {
    /// At a health factor of 1.
    pub start: f64,
    /// Per unit of health factor lost below 1.
    pub slope: f64,
    /// What the limit set by the loan's own surplus is raised to.
    pub low: f64,
    /// What that limit is lowered to.
    pub high: f64,
}

impl SeizureBonus {
    /// The bonus at a health factor and a ratio of collateral to debt, both ≥ 0:
    /// min(start + slope·(1 − health), max(min(collateral/debt − 1, high), low)).
    ///
    /// Source: Mars, `packages/liquidation`, `calculate_liquidation_bonus`.
    pub fn at(&self, health: f64, collateral_per_debt: f64) -> f64 {
        let surplus = (collateral_per_debt - 1.0).max(0.0);
        (self.start + self.slope * (1.0 - health)).min(surplus.min(self.high).max(self.low))
    }
}

/// Whether repaying debt against collateral plus bonus lowers collateral/debt, or leaves it: collateral ≤ (1 + bonus)·debt.
/// A loan in that state only gets worse by liquidation in steps.
///
/// Source: Warmuz, Chaudhary & Pinna, "Toxic Liquidation Spirals" (arXiv 2212.07306): safe below a loan-to-value of
/// 1/(1 + bonus).
pub fn is_seizure_toxic(collateral_quote: f64, debt_quote: f64, bonus: f64) -> bool {
    collateral_quote <= (1.0 + bonus) * debt_quote
}
