use std::borrow::Cow;

use super::market::Market;
use super::premium::{Premium, premiums};
use crate::domain::{AssetIndex, Balance, Kind, Payoff, Position};
use crate::error::{Error, Result};
use crate::margin::{HaircutBase, HaircutSchedule, MarginClass, Rulebook, SizeUnit};

/// Figures of one pool in the unshocked market, quote units, in plain f64 without any error bound.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// Balances and position values at market; negative = bankrupt.
    pub equity: f64,
    /// Equity after haircuts.
    pub adjusted_equity: f64,
    /// Initial margin, at least the maintenance margin; ≥ 0.
    pub initial_margin: f64,
    /// Maintenance margin; ≥ 0.
    pub maintenance_margin: f64,
}

/// The generator's own reading of a rulebook, to choose collateral by. It is written apart from the engines on purpose, and
/// nothing outside the generator relies on it.
///
/// Per position: notional = |quantity| · unit value; requirement by its margin class; value = quantity · contract size ·
/// (mark − entry) and so on by payoff, plus accrued funding. Per asset: balance and accrued interest, the positive part
/// after its haircut. Requirements of positions add up; of an option, what a short one requires of itself.
#[derive(Debug)]
pub struct Estimator<'a> {
    market: &'a Market,
    /// Margin class of each instrument that is no option.
    classes: Vec<Option<&'a MarginClass>>,
    premiums: Vec<Option<Premium>>,
    /// Haircut schedule of each asset.
    haircuts: Vec<Option<Cow<'a, HaircutSchedule>>>,
    haircut_base: HaircutBase,
}

impl<'a> Estimator<'a> {
    /// Looks up every class once.
    ///
    /// # Errors
    /// [`Error::Usage`] where the rulebook lacks a margin class or a haircut class that the market names.
    pub fn new(market: &'a Market, rulebook: &'a Rulebook) -> Result<Self> {
        let missing = |kind: &str, key: &str| Error::Usage(format!("the rulebook has no {kind} class {key:?}"));
        let classes = market.instruments.iter().map(|instrument| {
            let key = &instrument.margin_class;
            match rulebook.margin.get(key) {
                None if instrument.kind == Kind::Option && rulebook.option.contains_key(key) => Ok(None),
                class => class.map(Some).ok_or_else(|| missing("margin", key)),
            }
        });
        let haircuts = market.assets.iter().map(|asset| match &asset.haircut_class {
            None => Ok(None),
            Some(key) => match rulebook.haircut.get(key) {
                None if asset.custody.is_some() => Ok(Some(Cow::Owned(HaircutSchedule::flat(1.0)))),
                class => class.map(|class| Some(Cow::Borrowed(class))).ok_or_else(|| missing("haircut", key)),
            },
        });
        Ok(Self {
            market,
            classes: classes.collect::<Result<_>>()?,
            premiums: premiums(market, |instrument| rulebook.option.get(&instrument.margin_class)),
            haircuts: haircuts.collect::<Result<_>>()?,
            haircut_base: rulebook.haircut_base,
        })
    }

    /// Figures of a pool that holds these balances and positions.
    pub fn estimate(&self, balances: &[Balance], positions: &[Position]) -> Estimate {
        let maintenance_margin = positions.iter().map(|position| self.requirement(position).0).sum::<f64>();
        let initial_margin = positions.iter().map(|position| self.requirement(position).1).sum::<f64>();
        let units = self.units_by_asset(balances, positions);
        let price = |asset: AssetIndex| self.market.assets[asset as usize].price;
        let outside = self.outside(positions);
        let equity = outside + units.iter().map(|unit| (unit.balance + unit.profit) * price(unit.asset)).sum::<f64>();
        let adjusted = units.iter().map(|unit| match self.haircut_base {
            HaircutBase::Balance => self.after_haircut(unit.asset, unit.balance) + unit.profit * price(unit.asset),
            HaircutBase::BalanceAndPnl => self.after_haircut(unit.asset, unit.balance + unit.profit),
        });
        Estimate {
            equity,
            adjusted_equity: outside - self.uncredited(positions) + adjusted.sum::<f64>(),
            initial_margin: initial_margin.max(maintenance_margin),
            maintenance_margin,
        }
    }

    /// Upper end of the bracket table of an instrument, quote units; infinite where there is none.
    pub(super) fn max_notional(&self, instrument: u32) -> f64 {
        self.classes[instrument as usize].and_then(|class| class.max_notional).unwrap_or(f64::INFINITY)
    }

    /// Quote units that one contract is worth.
    pub(super) fn unit_value(&self, instrument: u32) -> f64 {
        if let Some(premium) = self.premiums[instrument as usize] {
            return premium.value;
        }
        let instrument = &self.market.instruments[instrument as usize];
        let settlement = self.market.assets[instrument.settlement_asset as usize].price;
        settlement
            * match instrument.payoff {
                Payoff::Linear => instrument.contract_size * instrument.mark_price,
                Payoff::Inverse => instrument.contract_size / instrument.mark_price,
                Payoff::Quanto => instrument.contract_size * instrument.mark_price * instrument.fixed_rate,
            }
    }

    /// The amount of `cash` to add to these holdings so that adjusted equity becomes `target` (quote units); negative where it
    /// is larger without any. The holdings must not have a balance of `cash` yet.
    pub(super) fn cash_for_adjusted_equity(
        &self,
        cash: AssetIndex,
        (balances, positions): (&[Balance], &[Position]),
        target: f64,
    ) -> f64 {
        let price = self.market.assets[cash as usize].price;
        let profit: f64 = positions
            .iter()
            .filter_map(|position| self.profit(position))
            .filter(|(asset, _)| *asset == cash)
            .map(|(_, profit)| profit)
            .sum();
        let others = self.estimate(balances, positions).adjusted_equity;
        match self.haircut_base {
            HaircutBase::Balance => self.units_for(cash, target - others),
            HaircutBase::BalanceAndPnl => {
                let counted = self.after_haircut(cash, profit);
                self.units_for(cash, target - (others - counted)) - profit
            }
        }
        .max(-1e18 / price)
    }

    /// Maintenance and initial requirement of one position, quote units; scalars count as 1, rates of open interest as their
    /// base.
    fn requirement(&self, position: &Position) -> (f64, f64) {
        let Some(class) = self.classes[position.instrument as usize] else {
            let short = self.premiums[position.instrument as usize].map_or([0.0; 2], |premium| premium.short);
            let size = (-position.quantity).max(0.0);
            return (size * short[1], size * short[0]);
        };
        let notional = position.quantity.abs() * self.unit_value(position.instrument);
        let least_rate = position.leverage.map_or(0.0, |leverage| 1.0 / leverage);
        let instrument = &self.market.instruments[position.instrument as usize];
        let unit_size = match instrument.payoff {
            Payoff::Inverse => instrument.contract_size / instrument.mark_price,
            Payoff::Linear | Payoff::Quanto => instrument.contract_size,
        };
        let size = position.quantity.abs() * unit_size;
        (
            class.maintenance.at(notional, size, 0.0) + class.minimum.maintenance,
            class.initial.at(notional, size, least_rate) + class.minimum.initial,
        )
    }

    /// Value that belongs to no asset's balance: spot and premium-paid contracts, quote units.
    fn outside(&self, positions: &[Position]) -> f64 {
        let held = positions.iter().filter(|position| self.is_held_outright(position));
        held.map(|position| position.quantity * self.unit_value(position.instrument)).sum()
    }

    /// What adjusted equity leaves out of the long options, quote units.
    fn uncredited(&self, positions: &[Position]) -> f64 {
        let lost = |position: &Position| {
            let premium = self.premiums[position.instrument as usize]?;
            Some(position.quantity.max(0.0) * premium.value * (1.0 - premium.long_credit))
        };
        positions.iter().filter_map(lost).sum()
    }

    fn is_held_outright(&self, position: &Position) -> bool {
        let instrument = &self.market.instruments[position.instrument as usize];
        matches!(instrument.kind, Kind::Spot | Kind::Option)
    }

    /// Settlement asset and profit in its units, accrued funding included; `None` for spot.
    fn profit(&self, position: &Position) -> Option<(AssetIndex, f64)> {
        if self.is_held_outright(position) {
            return None;
        }
        let instrument = &self.market.instruments[position.instrument as usize];
        let (mark, entry) = (instrument.mark_price, position.entry_price);
        let per_contract = match instrument.payoff {
            Payoff::Linear => mark - entry,
            Payoff::Inverse => 1.0 / entry - 1.0 / mark,
            Payoff::Quanto => (mark - entry) * instrument.fixed_rate,
        };
        let profit = position.quantity * instrument.contract_size * per_contract;
        Some((instrument.settlement_asset, profit + position.accrued_funding))
    }

    fn units_by_asset(&self, balances: &[Balance], positions: &[Position]) -> Vec<Units> {
        let mut units: Vec<Units> = Vec::with_capacity(balances.len() + 2);
        let mut add = |asset, balance, profit| match units.iter_mut().find(|unit| unit.asset == asset) {
            Some(unit) => {
                unit.balance += balance;
                unit.profit += profit;
            }
            None => units.push(Units { asset, balance, profit }),
        };
        balances.iter().for_each(|balance| add(balance.asset, balance.amount + balance.accrued_interest, 0.0));
        positions
            .iter()
            .filter_map(|position| self.profit(position))
            .for_each(|(asset, profit)| add(asset, 0.0, profit));
        units
    }

    /// Quote units that `units` of an asset count for.
    fn after_haircut(&self, asset: AssetIndex, units: f64) -> f64 {
        let price = self.market.assets[asset as usize].price;
        let Some(schedule) = self.haircuts[asset as usize].as_deref().filter(|_| units > 0.0) else {
            return units * price;
        };
        let slices = slices(schedule, price);
        slices.map(|(low, high, share)| share * price * (units.min(high) - low).max(0.0)).sum()
    }

    /// The inverse of [`Self::after_haircut`]: units of an asset that count for `value` quote units.
    fn units_for(&self, asset: AssetIndex, value: f64) -> f64 {
        let price = self.market.assets[asset as usize].price;
        let Some(schedule) = self.haircuts[asset as usize].as_deref().filter(|_| value > 0.0) else {
            return value / price;
        };
        let mut left = value;
        let mut units = 0.0;
        for (low, high, share) in slices(schedule, price) {
            let worth = share * price;
            // A slice that counts for nothing cannot bring the value up: stop at its start.
            if worth <= 0.0 || left <= worth * (high - low) {
                return low + if worth > 0.0 { left / worth } else { 0.0 };
            }
            left -= worth * (high - low);
            units = high;
        }
        units
    }
}

struct Units {
    asset: AssetIndex,
    balance: f64,
    profit: f64,
}

/// Slices of a haircut schedule: from, to (units of the asset), and the share of the value that counts.
fn slices(schedule: &HaircutSchedule, price: f64) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
    let bound = move |at: usize| match schedule.unit {
        SizeUnit::Asset => schedule.bounds[at],
        SizeUnit::Quote => schedule.bounds[at] / price,
    };
    schedule.haircuts.iter().enumerate().map(move |(tier, haircut)| {
        let low = if tier == 0 { 0.0 } else { bound(tier - 1) };
        let high = if tier < schedule.bounds.len() { bound(tier) } else { f64::INFINITY };
        (low, high, 1.0 - haircut)
    })
}
