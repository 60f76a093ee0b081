/// One thing an exchange does about a pool that must be liquidated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Open orders are cancelled: the margin they reserve is free.
    CancelOrders,
    /// Collateral with a haircut is sold for the quote currency, which has none.
    ConvertCollateral,
    /// Positions are cut in the market until the target is reached.
    Cut,
    /// A backstop takes positions and margin over, where cutting cannot restore the pool.
    TakeOver,
    /// The insurance fund pays what a closed pool owes.
    InsuranceFund,
    /// Others' positions, or their profits, are taken to cover what the fund cannot.
    AutoDeleverage,
    /// What is left is spread over every pool with equity.
    Socialise,
}

impl Step {
    /// Every step, in the customary order.
    pub const ALL: [Self; 7] = [
        Self::CancelOrders,
        Self::ConvertCollateral,
        Self::Cut,
        Self::TakeOver,
        Self::InsuranceFund,
        Self::AutoDeleverage,
        Self::Socialise,
    ];

    /// The words of a policy file.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("cancel_orders", Self::CancelOrders),
        ("convert_collateral", Self::ConvertCollateral),
        ("cut", Self::Cut),
        ("take_over", Self::TakeOver),
        ("insurance_fund", Self::InsuranceFund),
        ("auto_deleverage", Self::AutoDeleverage),
        ("socialise", Self::Socialise),
    ];
}
