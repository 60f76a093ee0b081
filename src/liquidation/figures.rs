//! The figures of a scenario by their published names, in their published order: one list for every output.

use super::money::Quanta;
use super::summary::{Ending, Ladder, Outcome, Summary};
use super::tally::Tally;

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// A number of something.
    Count(u64),
    /// A difference of two counts.
    Difference(i64),
    /// An amount or a ratio; `None` where there is none.
    Number(Option<f64>),
}

impl Ending {
    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::CutOff => "cut_off",
        }
    }
}

impl Ladder {
    /// Names of the counts, in the order of [`Ladder::counts`].
    pub const NAMES: [&'static str; 7] =
        ["healthy", "restricted", "liquidatable", "partially_liquidated", "bankrupt", "closed", "unknown"];

    /// Every count.
    pub fn counts(&self) -> [u64; 7] {
        [
            self.healthy,
            self.restricted,
            self.liquidatable,
            self.partially_liquidated,
            self.bankrupt,
            self.closed,
            self.unknown,
        ]
    }
}

impl Summary {
    /// Pools liquidated beyond those that were liquidatable at the first prices; negative where the limit of rounds or the
    /// market's capacity came before all of those.
    pub fn extra_pools(&self) -> i64 {
        self.liquidated_pools as i64 - self.breached_pools as i64
    }

    /// Socialised losses over Σ positive equity; `None` where nobody has any.
    pub fn socialised_share(&self) -> Option<f64> {
        let members = self.tally.members_equity.units();
        (members > 0.0).then(|| self.tally.socialised.units() / members)
    }

    /// Every figure but the ladders and those by round, book and instrument. Money is in quote units.
    pub fn figures(&self) -> Vec<(&'static str, Figure)> {
        let tally = &self.tally;
        let count = Figure::Count;
        let amount = |value| Figure::Number(Some(value));
        vec![
            ("rounds", count(self.rounds.len() as u64)),
            ("events", count(self.events)),
            ("breached_pools", count(self.breached_pools)),
            ("liquidated_pools", count(self.liquidated_pools)),
            ("extra_pools", Figure::Difference(self.extra_pools())),
            ("wrongful_pools", count(tally.wrongful_pools)),
            ("late_pools", count(tally.late_pools)),
            ("taken_over_pools", count(self.taken_over_pools)),
            ("adl_pools", count(self.deleveraged_pools)),
            ("liquidated_notional", amount(tally.liquidated_notional)),
            ("taken_over_notional", amount(tally.taken_over_notional)),
            ("adl_notional", amount(tally.deleveraged_notional)),
            ("cost", amount(tally.cost)),
            ("trading_fees", amount(tally.trading_fees.units())),
            ("fund_fees", amount(tally.fund_fees.units())),
            ("fund_draw", amount(tally.fund_draw.units())),
            ("fund_left", Figure::Number(self.fund_left)),
            ("adl_haircut", amount(tally.haircut.units())),
            ("socialised_loss", amount(tally.socialised.units())),
            ("socialised_share", Figure::Number(self.socialised_share())),
            ("members_equity", amount(tally.members_equity.units())),
            ("uncovered", amount(tally.uncovered.units())),
            ("backstop_equity", amount(self.backstop_equity)),
            ("shock", amount(self.shock)),
            ("amplification", Figure::Number(self.amplification)),
            ("conservation_error", count(u64::try_from(tally.conservation_error).unwrap_or(u64::MAX))),
        ]
    }
}

/// Sums over the scenarios of one policy. Money is in quote units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Scenarios.
    pub scenarios: u64,
    /// Those cut off by the limit of rounds.
    pub cut_off: u64,
    /// Pools liquidated, summed.
    pub liquidated_pools: u64,
    /// Pools liquidated beyond those liquidatable at the first prices, summed.
    pub extra_pools: i64,
    /// Notional cut in the market.
    pub liquidated_notional: f64,
    /// What forced trades cost the pools, fees included.
    pub cost: f64,
    /// Trading fees.
    pub trading_fees: f64,
    /// Liquidation fees, paid into the funds.
    pub fund_fees: f64,
    /// Paid by the funds.
    pub fund_draw: f64,
    /// Pools closed against others, or whose profits were taken, summed.
    pub adl_pools: u64,
    /// Notional closed against other pools.
    pub adl_notional: f64,
    /// Given up by those pools.
    pub adl_haircut: f64,
    /// Spread over every pool with equity.
    pub socialised_loss: f64,
    /// Owed and paid by nobody.
    pub uncovered: f64,
    /// Mean over the scenarios that have one; `None` where no scenario moves a price.
    pub mean_amplification: Option<f64>,
}

impl Totals {
    /// Every sum by its published name.
    pub fn figures(&self) -> Vec<(&'static str, Figure)> {
        let amount = |value| Figure::Number(Some(value));
        vec![
            ("scenarios", Figure::Count(self.scenarios)),
            ("cut_off", Figure::Count(self.cut_off)),
            ("liquidated_pools", Figure::Count(self.liquidated_pools)),
            ("extra_pools", Figure::Difference(self.extra_pools)),
            ("adl_pools", Figure::Count(self.adl_pools)),
            ("liquidated_notional", amount(self.liquidated_notional)),
            ("adl_notional", amount(self.adl_notional)),
            ("cost", amount(self.cost)),
            ("trading_fees", amount(self.trading_fees)),
            ("fund_fees", amount(self.fund_fees)),
            ("fund_draw", amount(self.fund_draw)),
            ("adl_haircut", amount(self.adl_haircut)),
            ("socialised_loss", amount(self.socialised_loss)),
            ("uncovered", amount(self.uncovered)),
            ("mean_amplification", Figure::Number(self.mean_amplification)),
        ]
    }
}

impl Outcome {
    /// Sums over the scenarios. Quanta are summed before they are rounded.
    pub fn totals(&self) -> Totals {
        let scenarios = &self.scenarios;
        let quanta = |of: fn(&Tally) -> Quanta| scenarios.iter().map(|s| of(&s.tally)).sum::<Quanta>().units();
        let amount = |of: fn(&Tally) -> f64| scenarios.iter().map(|s| of(&s.tally)).sum::<f64>();
        let count = |of: fn(&Summary) -> u64| scenarios.iter().map(of).sum();
        let amplifications: Vec<f64> = scenarios.iter().filter_map(|summary| summary.amplification).collect();
        let n = amplifications.len();
        Totals {
            scenarios: scenarios.len() as u64,
            cut_off: scenarios.iter().filter(|summary| summary.ending == Ending::CutOff).count() as u64,
            liquidated_pools: count(|summary| summary.liquidated_pools),
            extra_pools: scenarios.iter().map(Summary::extra_pools).sum(),
            liquidated_notional: amount(|tally| tally.liquidated_notional),
            cost: amount(|tally| tally.cost),
            trading_fees: quanta(|tally| tally.trading_fees),
            fund_fees: quanta(|tally| tally.fund_fees),
            fund_draw: quanta(|tally| tally.fund_draw),
            adl_pools: count(|summary| summary.deleveraged_pools),
            adl_notional: amount(|tally| tally.deleveraged_notional),
            adl_haircut: quanta(|tally| tally.haircut),
            socialised_loss: quanta(|tally| tally.socialised),
            uncovered: quanta(|tally| tally.uncovered),
            mean_amplification: (n > 0).then(|| amplifications.iter().sum::<f64>() / n as f64),
        }
    }
}
