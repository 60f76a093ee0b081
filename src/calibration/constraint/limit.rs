use super::super::landscape::Reading;

/// The most that may be lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// An amount, quote units, ≥ 0.
    Amount(f64),
    /// The opening balance of the insurance fund in the candidate's rulebook: `liquidation.fund.balance_quote`.
    Fund,
}

impl Limit {
    /// How a loss stands to the limit, `relaxed` times as much; `fund` is the candidate's insurance fund.
    pub(in crate::calibration) fn reading(self, loss: f64, fund: f64, relaxed: f64) -> Reading {
        let limit = relaxed
            * match self {
                Self::Amount(amount) => amount,
                Self::Fund => fund,
            };
        let slack = match limit {
            limit if limit.is_infinite() => f64::INFINITY,
            limit if limit > 0.0 => (limit - loss) / limit,
            // Nothing is tolerated: a quote unit breaks it as much as another limit is broken by twice that limit.
            _ => -loss,
        };
        Reading { value: loss, limit, slack }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slack_is_relative_to_what_is_tolerated() {
        let slack = |limit: Limit, loss| limit.reading(loss, 200.0, 2.0).slack;
        assert_eq!((slack(Limit::Amount(50.0), 25.0), slack(Limit::Amount(50.0), 150.0)), (0.75, -0.5));
        assert_eq!((slack(Limit::Fund, 400.0), slack(Limit::Fund, 500.0)), (0.0, -0.25));
        assert_eq!(Limit::Fund.reading(1.0, f64::INFINITY, 1.0).slack, f64::INFINITY);
        assert!(Limit::Amount(0.0).reading(0.0, 0.0, 1.0).is_met());
        assert!(!Limit::Amount(0.0).reading(0.5, 0.0, 1.0).is_met());
    }
}
