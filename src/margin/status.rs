//! The status ladder: what a venue does as a pool's health ratio falls. It is shown and decides nothing.

/// What a venue does with a pool on a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusAction {
    /// Tells the account.
    Warn,
    /// Takes orders that reduce positions only.
    ReduceOnly,
    /// Cancels open orders.
    CancelOrders,
    /// Repays loans from collateral.
    Repay,
    /// Closes positions.
    Liquidate,
    /// Hands the pool to a backstop.
    Backstop,
    /// Takes what is left over, and its debt.
    Claim,
}

impl StatusAction {
    /// Every action and the word for it.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("warn", Self::Warn),
        ("reduce_only", Self::ReduceOnly),
        ("cancel_orders", Self::CancelOrders),
        ("repay", Self::Repay),
        ("liquidate", Self::Liquidate),
        ("backstop", Self::Backstop),
        ("claim", Self::Claim),
    ];

    /// The word used in files and outputs.
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, action)| *action == self).map_or("", |(word, _)| word)
    }
}

/// A rung of the ladder: from a health ratio (adjusted equity / maintenance margin) below `below`, `action` is taken.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusRung {
    /// Name; the action's word where the rulebook gives none.
    pub name: String,
    /// What is done.
    pub action: StatusAction,
    /// Health ratio below which the rung is reached, > 0.
    pub below: f64,
    /// Health ratio that the action restores, at least `below`; `None` = not said.
    pub target_ratio: Option<f64>,
    /// How far above `below` the ratio must rise before the rung is left, ≥ 0.
    pub hysteresis: f64,
}

/// The lowest rung that a pool has reached, by its published figures; the rungs descend. Without a requirement a pool with
/// adjusted equity ≥ 0 is on none and any other on the last.
pub fn rung_at(ladder: &[StatusRung], adjusted_equity: f64, maintenance_margin: f64) -> Option<&StatusRung> {
    if maintenance_margin > 0.0 {
        let ratio = adjusted_equity / maintenance_margin;
        return ladder.iter().rev().find(|rung| ratio < rung.below);
    }
    ladder.last().filter(|_| adjusted_equity < 0.0)
}

/// Whether ratios are positive, finite and descend strictly, and no target is below its rung.
pub(super) fn is_well_formed(ladder: &[StatusRung]) -> bool {
    let is_positive = |ratio: f64| ratio > 0.0 && ratio.is_finite();
    let is_rung = |rung: &StatusRung| {
        let target = rung.target_ratio.is_none_or(|target| target >= rung.below && target.is_finite());
        target && is_positive(rung.below) && rung.hysteresis >= 0.0 && rung.hysteresis.is_finite()
    };
    ladder.iter().all(is_rung) && ladder.windows(2).all(|pair| pair[0].below > pair[1].below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_on_the_lowest_rung_that_its_ratio_is_below() {
        let rung = |action: StatusAction, below| StatusRung {
            name: action.name().into(),
            action,
            below,
            target_ratio: None,
            hysteresis: 0.0,
        };
        let ladder = [
            rung(StatusAction::Warn, 1.5),
            rung(StatusAction::ReduceOnly, 1.2),
            rung(StatusAction::Liquidate, 1.05),
            rung(StatusAction::Claim, 1.0),
        ];
        assert!(is_well_formed(&ladder));
        let at = |equity, margin| rung_at(&ladder, equity, margin).map(|rung| rung.name.as_str());
        assert_eq!(at(150.0, 100.0), None, "a rung begins below its ratio");
        assert_eq!(at(149.0, 100.0), Some("warn"));
        assert_eq!(at(104.0, 100.0), Some("liquidate"));
        assert_eq!(at(-5.0, 100.0), Some("claim"));
        assert_eq!((at(0.0, 0.0), at(-5.0, 0.0)), (None, Some("claim")));
    }
}
