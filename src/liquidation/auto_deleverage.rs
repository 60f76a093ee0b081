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
    before: Health,
}

impl Holder {
    /// As a winner that is never asked for more than its equity, at `dearest` quote units per contract.
    fn within(&self, room: &BTreeMap<u32, f64>, dearest: f64) -> Winner {
        let equity = room.get(&self.pool).copied().unwrap_or(self.before.equity).max(0.0);
        // Never more than the position, whatever the quotient.
        let affordable = if dearest > 0.0 { Quanta::floor((equity / dearest).min(1e20)).0 } else { i128::MAX };
        Winner { capacity: self.winner.capacity.min(affordable), ..self.winner }
    }
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
    // Prices, and who stands where, are fixed before anybody is closed out.
    let relief: BTreeMap<usize, f64> =
        beyond.iter().map(|&at| (at, relief_rate(exchange, run, real, planned[at].pool))).collect();
    let holders = holders(exchange, run, real, &sides, &bankrupt);
    let mut events = Vec::new();
    let mut room: BTreeMap<u32, f64> = BTreeMap::new();
    for (side, positions) in &sides {
        let holders = holders.get(side).map_or(&[][..], Vec::as_slice);
        let close = Close { exchange, real, planned, side: *side, holders };
        close.close(run, positions, &relief, (&mut room, &mut events));
    }
    enter(exchange, run, real, events);
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

/// The closing of one side of one instrument.
struct Close<'c> {
    exchange: &'c Exchange<'c>,
    real: Marks<'c>,
    planned: &'c [Planned],
    side: Side,
    /// Those on the other side, by place in the book.
    holders: &'c [Holder],
}

impl Close<'_> {
    /// Allocates by the policy's rule and matches in order. `room` is what is left of the equity of those who have given up some.
    fn close(
        &self,
        run: &mut Run<'_>,
        positions: &[(usize, usize)],
        relief: &BTreeMap<usize, f64>,
        (room, events): (&mut BTreeMap<u32, f64>, &mut Vec<Event>),
    ) {
        let ((instrument, direction), real) = (self.side, self.real);
        let Some(mark) = real.settlement_value(instrument) else { return };
        let contracts = |run: &Run<'_>, at: usize, place: usize| {
            run.states[&self.planned[at].pool].positions[place].contracts.magnitude()
        };
        let wanted: Quanta = positions.iter().map(|&(at, place)| contracts(run, at, place)).sum();
        let dearest = positions.iter().map(|(at, _)| relief[at]).fold(0.0, f64::max) * real.unit_notional(instrument);
        let winners: Vec<Winner> = self.holders.iter().map(|holder| holder.within(room, dearest)).collect();
        let taken = self.exchange.policy.deleverage.allocation.allocate(&winners, wanted.0);
        let mut offers = self.holders.iter().zip(taken).filter(|(_, taken)| *taken > 0).peekable();
        let asset_price = real.asset_price(self.exchange.settlement(instrument));
        let sign = if direction == Direction::Long { 1 } else { -1 };
        for &(at, place) in positions {
            let concession = relief[&at] * real.unit_notional(instrument) / asset_price;
            // A bankrupt long sells above the mark, a bankrupt short buys below it.
            let value = mark + sign as f64 * concession;
            let mut left = contracts(run, at, place);
            while let Some((holder, offered)) = offers.peek_mut().filter(|_| left > Quanta::ZERO) {
                let matched = left.min(Quanta(*offered));
                self.settle(run, (at, place), holder, (Quanta(matched.0 * sign), value), events);
                let given_up = matched.units() * concession * asset_price;
                *room.entry(holder.pool).or_insert(holder.before.equity) -= given_up;
                run.tally.haircut += Quanta::floor(given_up);
                run.tally.deleveraged_notional += matched.units() * real.unit_notional(instrument);
                left -= matched;
                *offered -= matched.0;
                if *offered == 0 {
                    offers.next();
                }
            }
        }
    }

    /// One trade between a bankrupt pool and another: `closed` contracts of the bankrupt one's sign, at `value` settlement units
    /// per long contract.
    fn settle(
        &self,
        run: &mut Run<'_>,
        (at, place): (usize, usize),
        holder: &Holder,
        (closed, value): (Quanta, f64),
        events: &mut Vec<Event>,
    ) {
        let (instrument, loser) = (self.side.0, self.planned[at].pool);
        let asset = self.exchange.settlement(instrument);
        let proceeds = Quanta::floor(closed.units() * value);
        let price = self.real.price_of(instrument, value);
        run.touch(self.exchange, holder.pool);
        let sides = [
            (loser, place, holder.pool, closed, proceeds, self.planned[at].plan.before),
            (holder.pool, holder.place, loser, -closed, -proceeds, holder.before),
        ];
        for (pool, place, other, contracts, proceeds, before) in sides {
            let occasion = occasion(run, Cause::FundExhausted, before);
            let Some(state) = run.states.get_mut(&pool) else { continue };
            let mut event = occasion.event(state, Action::Deleverage, Party::Pool(other), asset);
            trade(state, place, contracts, proceeds, &mut event);
            event.price = price;
            events.push(event);
        }
        if let Some(state) = run.states.get_mut(&loser) {
            state.in_liquidation = true;
        }
        run.tally.liquidated.insert(loser);
        run.tally.deleveraged.insert(holder.pool);
    }
}

/// Enters the events of everybody's closing, with what it left each pool.
fn enter(exchange: &Exchange<'_>, run: &mut Run<'_>, real: Marks<'_>, mut events: Vec<Event>) {
    let pools: BTreeSet<u32> = events.iter().map(|event| event.pool).collect();
    let pools: Vec<u32> = pools.into_iter().collect();
    let after: Vec<Health> = pools.par_iter().map(|pool| Health::from(real.figures(&run.states[pool]))).collect();
    for event in &mut events {
        if let Ok(at) = pools.binary_search(&event.pool) {
            event.after = after[at];
        }
    }
    run.enter(exchange, &real, &events);
}

/// Everybody with a position opposite to one of `sides`, by side, by place in the book.
fn holders(
    exchange: &Exchange<'_>,
    run: &Run<'_>,
    real: Marks<'_>,
    sides: &BTreeMap<Side, Vec<(usize, usize)>>,
    bankrupt: &BTreeSet<u32>,
) -> BTreeMap<Side, Vec<Holder>> {
    let book = &exchange.snapshot.book;
    let mut wanted = vec![[false; 2]; exchange.snapshot.instruments.len()];
    for (instrument, direction) in sides.keys() {
        wanted[*instrument as usize][*direction as usize] = true;
    }
    let opposite = |position: &Position| match position.quantity {
        quantity if quantity > 0.0 => Direction::Short,
        _ => Direction::Long,
    };
    let is_wanted = |position: &Position| {
        position.quantity != 0.0 && wanted[position.instrument as usize][opposite(position) as usize]
    };
    let find = |pool: u32| -> Vec<(Side, Holder)> {
        let original = book.pool(pool as usize);
        if original.unknown || !original.positions.iter().any(is_wanted) || bankrupt.contains(&pool) {
            return Vec::new();
        }
        let state = run.states.get(&pool);
        let figures = state.map_or_else(|| real.figures_of(pool as usize), |state| real.figures(state));
        let of_place = |(place, position): (usize, &Position)| {
            let side = (position.instrument, opposite(position));
            let position = state.map_or(*position, |state| state.positions[place].position);
            let contracts = state.map_or(Quanta::nearest(position.quantity), |state| state.positions[place].contracts);
            let winner = winner(exchange, real, &position, (contracts, figures.equity, pool));
            let holder = Holder { pool, place, winner, before: Health::from(figures) };
            (winner.capacity > 0).then_some((side, holder))
        };
        let places = original.positions.iter().enumerate().filter(|(_, position)| is_wanted(position));
        places.filter_map(of_place).collect()
    };
    let mut by_side: BTreeMap<Side, Vec<Holder>> = BTreeMap::new();
    let found: Vec<Vec<(Side, Holder)>> = (0..book.len() as u32).into_par_iter().map(find).collect();
    for (side, holder) in found.into_iter().flatten() {
        by_side.entry(side).or_default().push(holder);
    }
    by_side
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
