//! The same book rearranged: which balances back which positions.

use std::collections::HashSet;
use std::ops::Range;

use super::net::net;
use crate::domain::{Balance, Book, BookBuilder, Mode, Pool, PoolSettings, Position, Side, Snapshot};
use crate::margin::Setting;
use crate::pricing::Column;

/// How collateral is divided among the positions of a pool that is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allocation {
    /// In proportion to what each position requires alone, at base: its initial margin.
    #[default]
    InitialMargin,
    /// In proportion to each position's notional at base.
    Notional,
}

/// Positions in a book of the pools of each account, in account order.
pub fn accounts(book: &Book) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = next;
        let account = (start < book.len()).then(|| book.pool(start).account)?;
        while next < book.len() && book.pool(next).account == account {
            next += 1;
        }
        Some(start..next)
    })
}

/// Every account's pools merged into one, named after its `mode`.
///
/// Balances of an asset add up, in book order. Positions of one instrument and side are netted ([`net`]). The larger of the
/// multipliers holds, reserves and orders add up; a pool that is partly unknown is unknown. Raw equity in every market is
/// unchanged up to rounding.
pub fn merged(snapshot: &Snapshot, mode: Mode) -> Book {
    let mut builder = BookBuilder::default();
    for pools in accounts(&snapshot.book) {
        let of_account = || pools.clone().map(|index| snapshot.book.pool(index));
        let id = builder.pool(snapshot.book.pool(pools.start).account, mode.name());
        let mut balances: Vec<Balance> = of_account().flat_map(|pool| pool.balances).copied().collect();
        let mut positions: Vec<Position> = of_account().flat_map(|pool| pool.positions).copied().collect();
        positions.sort_by_key(|position| (position.instrument, position.side));
        for lots in positions.chunk_by(|a, b| (a.instrument, a.side) == (b.instrument, b.side)) {
            let netted = net(&snapshot.instruments[lots[0].instrument as usize], lots);
            netted.position.into_iter().for_each(|position| builder.add_position(id, position));
            balances.extend(netted.paid_out);
        }
        balances.sort_by_key(|balance| balance.asset);
        for lots in balances.chunk_by(|a, b| a.asset == b.asset) {
            let amount = lots.iter().map(|lot| lot.amount).sum();
            let accrued_interest = lots.iter().map(|lot| lot.accrued_interest).sum();
            builder.add_balance(id, Balance { accrued_interest, ..Balance::new(lots[0].asset, amount) });
        }
        let settings = merged_settings(of_account().map(|pool| pool.settings), mode);
        if settings != PoolSettings::default() {
            *builder.settings(id) = settings;
        }
        if of_account().any(|pool| pool.unknown) {
            builder.mark_unknown(id);
        }
    }
    builder.build()
}

fn merged_settings<'a>(settings: impl Iterator<Item = &'a PoolSettings>, mode: Mode) -> PoolSettings {
    let mut merged = PoolSettings { mode, im_multiplier: 0.0, mm_multiplier: 0.0, ..PoolSettings::default() };
    for settings in settings {
        merged.im_multiplier = merged.im_multiplier.max(settings.im_multiplier);
        merged.mm_multiplier = merged.mm_multiplier.max(settings.mm_multiplier);
        merged.open_order_margin += settings.open_order_margin;
        merged.orders.extend(settings.orders.iter().cloned());
    }
    merged
}

/// Every position a pool of its own: a pool of several positions is taken apart, its balances, accrued amounts and reserve
/// divided as `allocation` says, without losing a unit ([`divided`]). Positions that weigh nothing get nothing; where none
/// weighs anything, all get the same. An order stays with the first position in its instrument, else with the first one.
///
/// Pools of one position keep what they have; so do pools in isolated mode, whose collateral is stated, pools without
/// positions, and unknown pools.
pub fn isolated(setting: &Setting<'_>, allocation: Allocation) -> Book {
    let book = &setting.snapshot.book;
    let mut builder = BookBuilder::default();
    for pools in accounts(book) {
        let mut names: HashSet<String> = pools.clone().map(|index| book.pool(index).pool.to_string()).collect();
        for pool in pools.map(|index| book.pool(index)) {
            if pool.positions.len() > 1 && pool.settings.mode != Mode::Isolated && !pool.unknown {
                take_apart(setting, &pool, allocation, &mut names, &mut builder);
            } else {
                keep(&pool, &mut builder);
            }
        }
    }
    builder.build()
}

fn keep(pool: &Pool<'_>, builder: &mut BookBuilder) {
    let id = builder.pool(pool.account, pool.pool);
    pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
    pool.positions.iter().for_each(|position| builder.add_position(id, *position));
    if *pool.settings != PoolSettings::default() {
        *builder.settings(id) = PoolSettings { mode: Mode::Isolated, ..pool.settings.clone() };
    }
    if pool.unknown {
        builder.mark_unknown(id);
    }
}

fn take_apart(
    setting: &Setting<'_>,
    pool: &Pool<'_>,
    allocation: Allocation,
    names: &mut HashSet<String>,
    builder: &mut BookBuilder,
) {
    let weights = weights(setting, pool, allocation);
    let ids: Vec<u32> = pool
        .positions
        .iter()
        .map(|position| builder.pool(pool.account, &unused_name(setting.snapshot, pool, position, names)))
        .collect();
    for (id, position) in ids.iter().zip(pool.positions) {
        builder.add_position(*id, *position);
    }
    for balance in pool.balances {
        let parts = divided(balance.amount, &weights).zip(divided(balance.accrued_interest, &weights));
        for (id, (amount, accrued_interest)) in ids.iter().zip(parts) {
            if amount != 0.0 || accrued_interest != 0.0 {
                builder.add_balance(*id, Balance { accrued_interest, ..Balance::new(balance.asset, amount) });
            }
        }
    }
    if *pool.settings == PoolSettings::default() {
        return;
    }
    for (id, open_order_margin) in ids.iter().zip(divided(pool.settings.open_order_margin, &weights)) {
        let settings =
            PoolSettings { mode: Mode::Isolated, open_order_margin, orders: Vec::new(), ..pool.settings.clone() };
        *builder.settings(*id) = settings;
    }
    for order in &pool.settings.orders {
        let at = pool.positions.iter().position(|position| position.instrument == order.instrument);
        builder.settings(ids[at.unwrap_or(0)]).orders.push(order.clone());
    }
}

/// The pool's name with the instrument's, and the side of a hedge-mode leg; primed until no pool of the account has it.
fn unused_name(snapshot: &Snapshot, pool: &Pool<'_>, position: &Position, names: &mut HashSet<String>) -> String {
    let instrument = &snapshot.instruments[position.instrument as usize].name;
    let side = match position.side {
        Side::Net => "",
        Side::Long => "/long",
        Side::Short => "/short",
    };
    let mut name = format!("{}/{instrument}{side}", pool.pool);
    while !names.insert(name.clone()) {
        name.push('′');
    }
    name
}

/// What each position of a pool weighs in the division of its collateral, at base.
fn weights(setting: &Setting<'_>, pool: &Pool<'_>, allocation: Allocation) -> Vec<f64> {
    let settings =
        PoolSettings { mode: Mode::Isolated, open_order_margin: 0.0, orders: Vec::new(), ..pool.settings.clone() };
    let market = (setting.rows, Column::Base);
    let weight = |position: &Position| {
        let alone = Pool { balances: &[], positions: std::slice::from_ref(position), settings: &settings, ..*pool };
        match allocation {
            Allocation::InitialMargin => {
                let required = setting.requirement::<f64>(&alone, &market);
                required.initial.max(required.maintenance)
            }
            Allocation::Notional => setting.gross_notional::<f64>(&alone, &market),
        }
    };
    pool.positions.iter().map(weight).collect()
}

/// Divides an amount in proportion to weights ≥ 0 (all alike where none is positive): the parts add up to it exactly, in
/// f64 and in any order, because each is a whole number of its last places. The last positive weight gets what rounding
/// down has left over, at most one last place for each part.
pub fn divided(amount: f64, weights: &[f64]) -> impl Iterator<Item = f64> + '_ {
    let place = amount.abs().next_up() - amount.abs();
    let places = amount.abs() / place;
    let total: f64 = weights.iter().sum();
    let is_weighted = total > 0.0 && total.is_finite();
    let last = weights.iter().rposition(|weight| !is_weighted || *weight > 0.0);
    let mut left = places;
    weights.iter().enumerate().map(move |(at, weight)| {
        let share = if is_weighted { weight / total } else { 1.0 / weights.len() as f64 };
        let part = if Some(at) == last { left } else { libm::floor(places * share).min(left) };
        left -= part;
        (part * place).copysign(amount)
    })
}
