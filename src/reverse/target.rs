use std::fmt;
use std::str::FromStr;

use crate::engine::ScenarioOutcome;
use crate::error::{Error, Result};

/// What a scenario is to bring about, over all pools of the question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Σ max(0, −raw equity), quote units, > 0.
    Shortfall(f64),
    /// Pools with adjusted equity < maintenance margin, ≥ 1.
    Liquidatable(u64),
    /// Σ gross notional of the liquidatable pools, quote units, > 0.
    LiquidatableNotional(f64),
    /// Pools with raw equity < 0, ≥ 1.
    Bankrupt(u64),
    /// Σ raw equity in the unshocked market − Σ raw equity in the scenario, quote units, > 0.
    EquityLoss(f64),
}

impl Target {
    /// The word used in commands and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shortfall(_) => "shortfall",
            Self::Liquidatable(_) => "liquidatable",
            Self::LiquidatableNotional(_) => "liquidatable-notional",
            Self::Bankrupt(_) => "bankrupt",
            Self::EquityLoss(_) => "equity-loss",
        }
    }

    /// The value that reaches it: quote units, or pools.
    pub fn amount(self) -> f64 {
        match self {
            Self::Shortfall(amount) | Self::LiquidatableNotional(amount) | Self::EquityLoss(amount) => amount,
            Self::Liquidatable(count) | Self::Bankrupt(count) => count as f64,
        }
    }

    /// Whether a value reaches it.
    pub fn is_reached(self, value: f64) -> bool {
        value >= self.amount()
    }

    /// The value in a scenario; `None` for the equity, which an engine's totals do not give to the last bit.
    pub(super) fn value(self, outcome: &ScenarioOutcome) -> Option<f64> {
        match self {
            Self::Shortfall(_) => Some(outcome.shortfall),
            Self::Liquidatable(_) => Some(outcome.liquidatable_pools as f64),
            Self::LiquidatableNotional(_) => Some(outcome.liquidatable_notional),
            Self::Bankrupt(_) => Some(outcome.bankrupt_pools as f64),
            Self::EquityLoss(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name(), self.amount())
    }
}

impl FromStr for Target {
    type Err = Error;

    /// Reads `NAME=AMOUNT`; `liquidatable` and `bankrupt` alone mean one pool, and `loss` is short for `equity-loss`.
    fn from_str(text: &str) -> Result<Self> {
        let (name, value) =
            text.split_once('=').map_or((text, None), |(name, value)| (name.trim(), Some(value.trim())));
        let amount = || -> Result<f64> {
            let number = value.and_then(|value| value.parse::<f64>().ok());
            number.filter(|number| number.is_finite() && *number > 0.0).ok_or_else(|| {
                Error::Usage(format!("target {text:?}: give {name}=AMOUNT, a finite number of quote units above 0"))
            })
        };
        let count = || -> Result<u64> {
            let number = value.map_or(Some(1), |value| value.parse::<u64>().ok());
            number.filter(|number| *number >= 1).ok_or_else(|| {
                Error::Usage(format!("target {text:?}: give {name}=COUNT, a whole number of pools from 1 on"))
            })
        };
        match name {
            "shortfall" => amount().map(Self::Shortfall),
            "liquidatable" => count().map(Self::Liquidatable),
            "liquidatable-notional" => amount().map(Self::LiquidatableNotional),
            "bankrupt" => count().map(Self::Bankrupt),
            "equity-loss" | "loss" => amount().map(Self::EquityLoss),
            _ => {
                let known = ["shortfall", "liquidatable", "liquidatable-notional", "bankrupt", "equity-loss", "loss"];
                let remedy = crate::suggest::remedy(name, known, &format!("one of {}", known.join(", ")));
                Err(Error::Usage(format!("no target {name:?} ({remedy})")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_wrong_ones_refused() {
        for (text, target) in [
            ("shortfall=1e6", Target::Shortfall(1e6)),
            ("liquidatable=7", Target::Liquidatable(7)),
            ("liquidatable", Target::Liquidatable(1)),
            ("bankrupt", Target::Bankrupt(1)),
            ("loss=0.5", Target::EquityLoss(0.5)),
        ] {
            assert_eq!(text.parse::<Target>().expect(text), target);
        }
        for text in ["", "shortfall", "shortfall=", "shortfall=0", "shortfall=NaN", "loss=inf", "liquidatable=0"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
        let unknown = "shortfal=1".parse::<Target>().expect_err("a slip").to_string();
        assert!(unknown.contains("did you mean \"shortfall\"?"), "{unknown}");
    }
}
