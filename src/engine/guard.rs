//! What must hold before a sweep starts and before its results leave: sane atoms, counts that agree, figures that fit.

use super::outcome::{PoolOutcome, ScenarioOutcome, State};
use super::tally::AMOUNT_MAX;
use crate::domain::{Book, Kind, Pool, Position, Snapshot};
use crate::error::{Error, Fault, Result};

/// The bounds assume finite atoms of sane size (`NUMERICS.md` A0). Readers of tables refuse them row by row; this guards
/// books that were built in code.
pub fn check_atoms(snapshot: &Snapshot) -> Result<()> {
    const SIZE_MAX: f64 = 1e30;
    let amount = |value: f64| value.abs() <= SIZE_MAX;
    let price = |value: f64| (1.0 / SIZE_MAX..=SIZE_MAX).contains(&value);
    let is_option = |index: u32| snapshot.instruments[index as usize].kind == Kind::Option;
    let entry = |p: &Position| price(p.entry_price) || (p.entry_price == 0.0 && is_option(p.instrument));
    let mut faults = Vec::new();
    for pool in snapshot.book.pools() {
        let balances = pool.balances.iter().all(|b| amount(b.amount) && amount(b.accrued_interest));
        let positions = pool.positions.iter().all(|position| {
            let leverage = position.leverage.is_none_or(|leverage| (1.0..=SIZE_MAX).contains(&leverage));
            amount(position.quantity) && entry(position) && amount(position.accrued_funding) && leverage
        });
        let settings = pool.settings;
        let multipliers = price(settings.im_multiplier) && price(settings.mm_multiplier);
        let reserve = settings.open_order_margin >= 0.0 && amount(settings.open_order_margin);
        if !(balances && positions && multipliers && reserve) {
            let rule =
                format!("holdings of {} / {} are finite, at most 1e30, prices positive", pool.account, pool.pool);
            faults.push(Fault::of_table("book", rule, "correct the holding"));
        }
    }
    let market = snapshot.instruments.iter();
    let market = market.filter(|i| {
        !((price(i.mark_price) || (i.kind == Kind::Option && i.mark_price == 0.0))
            && price(i.contract_size)
            && price(i.fixed_rate))
    });
    faults.extend(market.map(|instrument| {
        let rule = format!("mark price, contract size and fixed rate of {} lie in 1e-30 to 1e30", instrument.name);
        Fault::of_table("instruments", rule, "correct the instrument")
    }));
    let assets = snapshot.assets.iter().filter(|asset| !(0.0..=SIZE_MAX).contains(&asset.price));
    faults.extend(assets.map(|asset| {
        Fault::of_table("assets", format!("the price of {} lies in 0 to 1e30", asset.name), "correct the price")
    }));
    if faults.is_empty() { Ok(()) } else { Err(Error::Refused(faults)) }
}

/// Restricted, liquidatable and bankrupt verdicts of some pools.
pub fn count_verdicts(pools: &[PoolOutcome]) -> [u64; 3] {
    pools.iter().fold([0u64; 3], |sum, pool| {
        let counts = [pool.restricted_scenarios, pool.liquidatable_scenarios, pool.bankrupt_scenarios];
        [0, 1, 2].map(|k| sum[k] + u64::from(counts[k]))
    })
}

/// Every verdict is counted once per pool ([`count_verdicts`]) and once per scenario; the two tables must agree.
pub fn check_counts(by_pool: [u64; 3], scenarios: &[ScenarioOutcome]) -> Result<()> {
    let by_scenario = scenarios.iter().fold([0u64; 3], |sum, scenario| {
        let counts = [scenario.restricted_pools, scenario.liquidatable_pools, scenario.bankrupt_pools];
        [0, 1, 2].map(|k| sum[k] + counts[k])
    });
    if by_pool == by_scenario {
        return Ok(());
    }
    Err(Error::Audit(format!("counts by pool {by_pool:?} and by scenario {by_scenario:?} differ")))
}

/// The rule that the first of these pools breaks whose figures are beyond what f64 or an integer total can hold.
pub fn too_large(book: &Book, pools: &[PoolOutcome]) -> Option<String> {
    let index = pools.iter().position(|pool| {
        let base = &pool.base;
        let figures = [base.equity, base.initial_margin, base.gross_notional, pool.worst_excess, pool.worst_equity];
        pool.state != State::Unknown && !(figures.into_iter().all(sane) && sane(pool.expected_shortfall))
    })?;
    let Pool { account, pool, .. } = book.pool(index);
    Some(format!("figures of {account} / {pool} stay below {AMOUNT_MAX:e} quote units in every scenario"))
}

/// Figures beyond what f64 or an integer total can hold are refused, never published: those of pools as [`too_large`] found
/// them, and those of scenarios.
pub fn check_sizes(too_large: Option<String>, scenarios: &[ScenarioOutcome]) -> Result<()> {
    let rule = match too_large {
        Some(rule) => rule,
        None if scenarios
            .iter()
            .all(|s| [s.shortfall, s.liquidatable_notional, s.equity_total].into_iter().all(sane)) =>
        {
            return Ok(());
        }
        None => format!("totals of a scenario stay below {AMOUNT_MAX:e} quote units"),
    };
    Err(Error::Refused(vec![Fault::of_table("book", rule, "shrink the position or soften the shock")]))
}

fn sane(value: f64) -> bool {
    value.abs() <= AMOUNT_MAX
}
