//! Others pay for what insurance cannot: bankrupt positions are closed against opposite ones between the mark and the bankruptcy
//! price, or a share of profits is taken.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::deleverage::{Severity, Winner};
use super::event::{Action, Cause, Event, Health, Party};
use super::marks::Marks;
use super::money::Quanta;
use super::run::{Exchange, Run};
use super::sequence::{Planned, occasion};
use super::settle::exchange as trade;
use crate::domain::{InstrumentIndex, Kind, Position, Premium};
use crate::policy::{DeleverageBasis, Step};
use crate::pricing::entry_value;

/// Positions of bankrupt pools on one side of one instrument.
type Side = (InstrumentIndex, Direction);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Long,
    Short,
}

impl Direction {
    fn of(contracts: Quanta) -> Self {
        if contracts.0 > 0 { Self::Long } else { Self::Short }
    }
}

/// Somebody on the other side of a bankrupt position.
struct Holder {
    pool: u32,
    place: usize,
    winner: Winner,
}

/// Closes positions of bankrupt pools against others' where the funds cannot pay what closing them in the market would leave
/// owed. What finds no opposite stays in the pool's plan.
pub fn close_bankrupt_positions(exchange: &Exchange<'_>, run: &mut Run<'_>, real: Marks<'_>, planned: &mut [Planned]) {
    if exchange.policy.deleverage.basis != DeleverageBasis::Positions {
        return;
    }
    let beyond = beyond_funds(exchange, run, real, planned);
    if beyond.is_empty() {
        return;
    }
    let mut sides: BTreeMap<Side, Vec<(usize, usize)>> = BTreeMap::new();
    for &at in &beyond {
        let state = &run.states[&planned[at].pool];
        for (place, held) in state.positions.iter().enumerate().filter(|(_, held)| held.contracts != Quanta::ZERO) {
            let side = (held.position.instrument, Direction::of(held.contracts));
            sides.entry(side).or_default().push((at, place));
        }
    }
    let bankrupt: BTreeSet<u32> = planned.iter().filter(|p| p.plan.cause == Cause::Bankrupt).map(|p| p.pool).collect();
    // Prices are fixed before anybody is closed out.
    let relief: BTreeMap<usize, f64> =
        beyond.iter().map(|&at| (at, relief_rate(exchange, run, real, planned[at].pool))).collect();
    for (side, bankrupt_positions) in sides {
        close_side(exchange, run, real, planned, (side, &bankrupt_positions), (&bankrupt, &relief));
    }
    for &at in &beyond {
        planned[at].plan.cause = Cause::FundExhausted;
    }
    // Bankrupt positions are smaller now, and so are those that they were closed against.
    for Planned { pool, plan } in planned {
        let state = &run.states[pool];
        plan.cuts.retain_mut(|(place, contracts)| {
            let held = state.positions[*place].contracts;
            *contracts = Quanta(contracts.0.clamp(held.0.min(0), held.0.max(0)));
            *contracts != Quanta::ZERO
        });
    }
}

/// Places in the plan of bankrupt pools whose projected debts the funds cannot pay, or that nobody in the market can close.
fn beyond_funds(exchange: &Exchange<'_>, run: &Run<'_>, real: Marks<'_>, planned: &[Planned]) -> Vec<usize> {
    let costs = &exchange.policy.costs;
    let mut funds = run.funds.clone();
    let mut beyond = Vec::new();
    for (at, Planned { pool, plan }) in planned.iter().enumerate().filter(|(_, p)| p.plan.cause == Cause::Bankrupt) {
        let state = &run.states[pool];
        let figures = real.figures(state);
        if state.is_flat() || figures.equity >= 0.0 {
            continue;
        }
        let closing = figures.gross_notional * (costs.half_spread + costs.trading_fee);
        let debt = Quanta::ceil(closing - figures.equity);
        let is_tradable = state.positions.iter().all(|held| {
            held.contracts == Quanta::ZERO
                || run.books.is_open(exchange.venues.of_instrument(held.position.instrument).0)
        });
        let is_insured = exchange.policy.takes(Step::InsuranceFund);
        let mut left = funds.clone();
        let drawn: Quanta =
            left.parts(debt, &state.exposure).into_iter().map(|(fund, part)| left.draw(fund, part)).sum();
        if is_insured && is_tradable && drawn >= debt {
            funds = left;
        } else if !plan.cuts.is_empty() || !is_tradable {
            beyond.push(at);
        }
    }
    beyond
}

/// What others give up per unit of notional so that a pool's debt shrinks by the severity: severity · debt / gross notional.
fn relief_rate(exchange: &Exchange<'_>, run: &Run<'_>, real: Marks<'_>, pool: u32) -> f64 {
    let figures = real.figures(&run.states[&pool]);
    if figures.gross_notional > 0.0 {
        exchange.policy.deleverage.severity * (-figures.equity).max(0.0) / figures.gross_notional
    } else {
        0.0
    }
}

/// Closes one side of one instrument: allocated by the policy's rule, matched in order.
fn close_side(
    exchange: &Exchange<'_>,
    run: &mut Run<'_>,
    real: Marks<'_>,
    planned: &[Planned],
    ((instrument, direction), positions): (Side, &[(usize, usize)]),
    (bankrupt, relief): (&BTreeSet<u32>, &BTreeMap<usize, f64>),
) {
    let Some(mark) = real.settlement_value(instrument) else { return };
    let holders = holders(exchange, run, real, (instrument, direction), bankrupt);
    let contracts =
        |run: &Run<'_>, at: usize, place: usize| run.states[&planned[at].pool].positions[place].contracts.magnitude();
    let wanted: Quanta = positions.iter().map(|&(at, place)| contracts(run, at, place)).sum();
    let winners: Vec<Winner> = holders.iter().map(|holder| holder.winner).collect();
    let taken = exchange.policy.deleverage.allocation.allocate(&winners, wanted.0);
    let mut offers = holders.iter().zip(taken).filter(|(_, taken)| *taken > 0).peekable();
    let asset_price = real.asset_price(exchange.settlement(instrument));
    let sign = if direction == Direction::Long { 1 } else { -1 };
    for &(at, place) in positions {
        let concession = relief[&at] * real.unit_notional(instrument) / asset_price;
        // A bankrupt long sells above the mark, a bankrupt short buys below it.
        let value = mark + sign as f64 * concession;
        let mut left = contracts(run, at, place);
        while let Some((holder, offered)) = offers.peek_mut() {
            let matched = left.min(Quanta(*offered));
            if matched == Quanta::ZERO {
                break;
            }
            let trade =
                Match { loser: (planned[at].pool, place), winner: (holder.pool, holder.place), matched, sign, value };
            trade.settle(exchange, run, real, planned[at].plan.before);
            run.tally.haircut += Quanta::floor(matched.units() * concession * asset_price);
            run.tally.deleveraged_notional += matched.units() * real.unit_notional(instrument);
            left -= matched;
            *offered -= matched.0;
            if *offered == 0 {
                offers.next();
            }
            if left == Quanta::ZERO {
                break;
            }
        }
    }
}

/// One trade between a bankrupt pool and another.
struct Match {
    loser: (u32, usize),
    winner: (u32, usize),
    matched: Quanta,
    /// +1 where the bankrupt pool is long.
    sign: i128,
    /// Settlement units per long contract.
    value: f64,
}

impl Match {
    fn settle(&self, exchange: &Exchange<'_>, run: &mut Run<'_>, real: Marks<'_>, before: Health) {
        let instrument = run.states[&self.loser.0].positions[self.loser.1].position.instrument;
        let asset = exchange.settlement(instrument);
        let closed = Quanta(self.matched.0 * self.sign);
        let proceeds = Quanta::floor(closed.units() * self.value);
        let price = real.price_of(instrument, self.value);
        let winner_before = Health::from(match run.states.get(&self.winner.0) {
            Some(state) => real.figures(state),
            None => real.figures_of(self.winner.0 as usize),
        });
        run.touch(exchange, self.winner.0);
        let sides = [
            (self.loser, self.winner.0, closed, proceeds, Cause::FundExhausted, before),
            (self.winner, self.loser.0, -closed, -proceeds, Cause::FundExhausted, winner_before),
        ];
        let mut events: Vec<Event> = Vec::with_capacity(2);
        for ((pool, place), other, contracts, proceeds, cause, before) in sides {
            let occasion = occasion(run, cause, before);
            let Some(state) = run.states.get_mut(&pool) else { continue };
            let mut event = occasion.event(state, Action::Deleverage, Party::Pool(other), asset);
            trade(state, place, contracts, proceeds, &mut event);
            event.price = price;
            event.after = Health::from(real.figures(state));
            events.push(event);
        }
        if let Some(state) = run.states.get_mut(&self.loser.0) {
            state.in_liquidation = true;
        }
        run.tally.liquidated.insert(self.loser.0);
        run.tally.deleveraged.insert(self.winner.0);
        run.enter(exchange, &real, &events);
    }
}

/// Everybody with an opposite position, by place in the book.
fn holders(
    exchange: &Exchange<'_>,
    run: &Run<'_>,
    real: Marks<'_>,
    (instrument, direction): Side,
    bankrupt: &BTreeSet<u32>,
) -> Vec<Holder> {
    let book = &exchange.snapshot.book;
    let opposite = |quantity: f64| match direction {
        Direction::Long => quantity < 0.0,
        Direction::Short => quantity > 0.0,
    };
    let find = |pool: u32| -> Option<Vec<Holder>> {
        let original = book.pool(pool as usize);
        let holds = original.positions.iter().any(|p| p.instrument == instrument && opposite(p.quantity));
        if !holds || original.unknown || bankrupt.contains(&pool) {
            return None;
        }
        let state = run.states.get(&pool);
        let figures = state.map_or_else(|| real.figures_of(pool as usize), |state| real.figures(state));
        let places =
            original.positions.iter().enumerate().filter(|(_, p)| p.instrument == instrument && opposite(p.quantity));
        let of_place = |(place, position): (usize, &Position)| {
            let position = state.map_or(*position, |state| state.positions[place].position);
            let contracts = state.map_or(Quanta::nearest(position.quantity), |state| state.positions[place].contracts);
            let winner = winner(exchange, real, &position, (contracts, figures.equity, pool));
            (winner.capacity > 0).then_some(Holder { pool, place, winner })
        };
        Some(places.filter_map(of_place).collect())
    };
    let found: Vec<Vec<Holder>> = (0..book.len() as u32).into_par_iter().filter_map(find).collect();
    found.into_iter().flatten().collect()
}

fn winner(
    exchange: &Exchange<'_>,
    real: Marks<'_>,
    position: &Position,
    (contracts, equity, pool): (Quanta, f64, u32),
) -> Winner {
    let terms = &exchange.snapshot.instruments[position.instrument as usize];
    let price = real.asset_price(terms.settlement_asset);
    let entry = entry_value(terms, position.entry_price) * price;
    let mark = real.unit_value(position.instrument);
    let notional = contracts.units().abs() * real.unit_notional(position.instrument);
    let profit = position.quantity * (mark - entry);
    let base = (position.quantity * entry).abs();
    let ratio = if position.quantity > 0.0 { mark / entry } else { entry / mark };
    Winner {
        capacity: contracts.magnitude().0,
        equity,
        profit_ratio: if base > 0.0 { profit / base } else { 0.0 },
        price_ratio: if ratio.is_finite() { ratio } else { 0.0 },
        leverage: if equity > 0.0 { notional / equity } else { f64::INFINITY },
        rank: pool,
    }
}

/// Takes a share of profits for what closed pools still owe, at the end of a step: what every pool gives, and what each debtor
/// receives. Answers how many pools gave.
pub fn take_profits(
    exchange: &Exchange<'_>,
    run: &mut Run<'_>,
    real: Marks<'_>,
    debts: &mut BTreeMap<u32, Quanta>,
) -> u64 {
    let policy = &exchange.policy.deleverage;
    let owed: Quanta = debts.values().copied().sum();
    if policy.basis != DeleverageBasis::Profits || owed == Quanta::ZERO {
        return 0;
    }
    let (pools, winners): (Vec<u32>, Vec<Winner>) = profits(exchange, run, real).into_iter().unzip();
    let capacity: i128 = winners.iter().map(|winner| winner.capacity).sum();
    let budget = Severity::new(policy.severity).map_or(0, |severity| severity.budget(owed.0, capacity));
    let taken = policy.allocation.allocate(&winners, budget);
    let parts = super::deleverage::shares(&debts.values().map(|debt| debt.0).collect::<Vec<_>>(), taken.iter().sum());
    let received: Vec<(u32, Quanta)> = debts.keys().copied().zip(parts.into_iter().map(Quanta)).collect();
    let mut paying = 0;
    for (pool, amount) in pools.into_iter().zip(taken).filter(|(_, amount)| *amount > 0) {
        paying += 1;
        transfer(exchange, run, real, pool, -Quanta(amount));
        run.tally.deleveraged.insert(pool);
        run.tally.haircut += Quanta(amount);
    }
    for (pool, amount) in received.into_iter().filter(|(_, amount)| *amount > Quanta::ZERO) {
        transfer(exchange, run, real, pool, amount);
        debts.entry(pool).and_modify(|debt| *debt -= amount);
    }
    paying
}

/// Moves quote currency between a pool and those whose profits are shared.
fn transfer(exchange: &Exchange<'_>, run: &mut Run<'_>, real: Marks<'_>, pool: u32, amount: Quanta) {
    run.touch(exchange, pool);
    let before = Health::from(real.figures(&run.states[&pool]));
    let occasion = occasion(run, Cause::Debt, before);
    let base = occasion.event(&run.states[&pool], Action::Deleverage, Party::Members, exchange.quote);
    let event = run.pay_debt(pool, (Action::Deleverage, Party::Members), amount, base);
    let after = Health::from(real.figures(&run.states[&pool]));
    run.enter(exchange, &real, &[Event { after, ..event }]);
}

/// Pools in profit: unrealised profit of their margined positions, as far as equity covers it, quote quanta.
fn profits(exchange: &Exchange<'_>, run: &Run<'_>, real: Marks<'_>) -> Vec<(u32, Winner)> {
    let book = &exchange.snapshot.book;
    let of_pool = |pool: u32| {
        if book.pool(pool as usize).unknown {
            return None;
        }
        let state = run.states.get(&pool);
        let original = book.pool(pool as usize);
        let positions = state.map_or(original, |state| state.view(exchange.snapshot)).positions;
        let margined = positions.iter().filter(|position| {
            let terms = &exchange.snapshot.instruments[position.instrument as usize];
            terms.kind != Kind::Spot && !(terms.kind == Kind::Option && terms.premium == Premium::Paid)
        });
        let (mut profit, mut base) = (0.0, 0.0);
        for position in margined {
            let terms = &exchange.snapshot.instruments[position.instrument as usize];
            let entry = entry_value(terms, position.entry_price) * real.asset_price(terms.settlement_asset);
            profit += position.quantity * (real.unit_value(position.instrument) - entry);
            base += (position.quantity * entry).abs();
        }
        if profit <= 0.0 {
            return None;
        }
        let figures = state.map_or_else(|| real.figures_of(pool as usize), |state| real.figures(state));
        let capacity = Quanta::floor(profit.min(figures.equity)).0;
        let ratio = if base > 0.0 { profit / base } else { 0.0 };
        let leverage = figures.gross_notional / figures.equity;
        let winner = Winner {
            capacity,
            equity: figures.equity,
            profit_ratio: ratio,
            price_ratio: 1.0 + ratio,
            leverage,
            rank: pool,
        };
        (capacity > 0).then_some((pool, winner))
    };
    (0..book.len() as u32).into_par_iter().filter_map(of_pool).collect()
}
