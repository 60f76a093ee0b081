//! One round of one scenario: the sequence of an exchange, written once.
//!
//! Marks are frozen. Every pool that must be liquidated plans by itself; what they ask for clears in the books together; then
//! everything is settled pool by pool, and closed pools are made whole.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::books::{Concession, Demand};
use super::event::{Action, Cause, Event, Health, Party};
use super::marks::Marks;
use super::money::Quanta;
use super::plan::{Backstop, Ending, Orders, Plan, Planner};
use super::run::{Exchange, Run};
use super::settle::{Occasion, TradeTerms, convert, cut};
use super::state::{PoolState, Stage};
use super::{auto_deleverage, close_out, take_over};
use crate::domain::UnderlyingIndex;
use crate::policy::Step;

/// A pool and what is done about it.
pub struct Planned {
    /// Place in the book.
    pub pool: u32,
    /// What is done.
    pub plan: Plan,
}

/// The markets of a round.
#[derive(Clone, Copy)]
pub struct Markets<'a> {
    /// Prices that decide: the oracle's.
    pub seen: Marks<'a>,
    /// Prices at which trades happen.
    pub real: Marks<'a>,
}

/// One round of a scenario. `breached` are the pools that nothing has touched yet and that are liquidatable at the prices that
/// decide, ascending. Answers how many events there were.
pub fn round(exchange: &Exchange<'_>, run: &mut Run<'_>, markets: Markets<'_>, breached: &[u32]) -> u64 {
    let before = run.log.count();
    for &pool in breached {
        run.touch(exchange, pool);
    }
    if markets.seen.differs_from(&markets.real) {
        for pool in breached.iter().map(|&pool| pool as usize) {
            let (seen, real) = (markets.seen.decide_of(pool), markets.real.decide_of(pool));
            run.tally.wrongful_pools += u64::from(!real.liquidatable);
            run.tally.late_pools += u64::from(real.bankrupt && !seen.bankrupt);
        }
    }
    let due = due_pools(exchange, run, markets.seen);
    run.resting = due.iter().filter(|due| due.rests == Rests::Yes).count() as u64;
    let due: Vec<u32> = due.into_iter().filter(|due| due.rests == Rests::No).map(|due| due.pool).collect();
    let mut planned = plan_pools(exchange, run, markets.seen, &due);
    planned.sort_by(|a, b| urgency(&a.plan.before, &b.plan.before).then(a.pool.cmp(&b.pool)));
    take_over::take_over(exchange, run, markets, &mut planned);
    if exchange.policy.takes(Step::AutoDeleverage) {
        auto_deleverage::close_bankrupt_positions(exchange, run, markets.real, &mut planned);
    }
    ration(run, markets.real, &mut planned);
    let concessions = clear(exchange, run, &planned);
    settle(exchange, run, markets.real, &planned, &concessions);
    close_out::close_out(exchange, run, markets.real, &planned);
    run.round += 1;
    run.log.count() - before
}

/// A pool whose liquidation begins or goes on.
struct Due {
    pool: u32,
    rests: Rests,
}

/// Whether a pool rests after a clipped cut.
#[derive(PartialEq, Eq)]
enum Rests {
    Yes,
    No,
}

/// Touched pools whose liquidation begins or goes on; their stages are brought up to date.
fn due_pools(exchange: &Exchange<'_>, run: &mut Run<'_>, seen: Marks<'_>) -> Vec<Due> {
    let target = exchange.policy.target_health;
    let due = run.states.par_iter_mut().filter_map(|(&pool, state)| {
        if state.stage == Stage::Closed {
            return None;
        }
        let decision = seen.decide(state);
        // A liquidation ends at its target, not where it began.
        let goes_on = decision.liquidatable || (state.in_liquidation && seen.is_below_target(state, target));
        state.stage = match (decision.bankrupt, goes_on, state.in_liquidation) {
            (true, ..) => Stage::Bankrupt,
            (_, true, true) => Stage::PartiallyLiquidated,
            (_, true, false) => Stage::Liquidatable,
            (_, false, _) if decision.restricted => Stage::Restricted,
            (_, false, _) => Stage::Healthy,
        };
        state.in_liquidation &= goes_on;
        if goes_on && state.exposure.is_empty() {
            state.exposure = exposure(state, seen);
        }
        let rests = if state.rest_rounds > 0 { Rests::Yes } else { Rests::No };
        state.rest_rounds = state.rest_rounds.saturating_sub(1);
        goes_on.then_some(Due { pool, rests })
    });
    due.collect()
}

/// Notional of a pool in each underlying, quote quanta.
fn exposure(state: &PoolState, seen: Marks<'_>) -> Vec<(UnderlyingIndex, Quanta)> {
    let mut exposure: Vec<(UnderlyingIndex, Quanta)> = Vec::new();
    for held in &state.positions {
        let instrument = held.position.instrument;
        let underlying = seen.snapshot().instruments[instrument as usize].underlying;
        let notional = Quanta::ceil(held.contracts.units().abs() * seen.unit_notional(instrument));
        match exposure.iter_mut().find(|(index, _)| *index == underlying) {
            Some((_, sum)) => *sum += notional,
            None => exposure.push((underlying, notional)),
        }
    }
    exposure
}

fn plan_pools(exchange: &Exchange<'_>, run: &Run<'_>, seen: Marks<'_>, due: &[u32]) -> Vec<Planned> {
    let planner = planner(exchange, run, seen);
    due.par_iter().map(|&pool| Planned { pool, plan: planner.plan(&run.states[&pool]) }).collect()
}

/// What plans of this round are made with.
pub(super) fn planner<'r>(exchange: &'r Exchange<'_>, run: &'r Run<'_>, seen: Marks<'r>) -> Planner<'r> {
    let (venues, policy, quote) = (&exchange.venues, exchange.policy, exchange.quote);
    Planner { marks: seen, books: &run.books, venues, policy, quote, backstop: Backstop::Asked }
}

/// The lowest health first, then the largest shortfall: the order in which scarce money and depth are given out.
fn urgency(a: &Health, b: &Health) -> Ordering {
    let ratio = |health: &Health| health.ratio().unwrap_or(f64::NEG_INFINITY);
    let excess = |health: &Health| health.adjusted_equity - health.maintenance_margin;
    ratio(a).total_cmp(&ratio(b)).then(excess(a).total_cmp(&excess(b)))
}

/// Where the market trades no more than so much in a step, later pools wait and the first of them is cut in part.
fn ration(run: &mut Run<'_>, real: Marks<'_>, planned: &mut [Planned]) {
    let Some(mut left) = run.capacity_left else { return };
    for Planned { pool, plan } in planned {
        let state = &run.states[pool];
        let notional = |(index, contracts): &(usize, Quanta)| {
            contracts.units().abs() * real.unit_notional(state.positions[*index].position.instrument)
        };
        let sold = |(asset, amount): &(u32, Quanta)| amount.units().abs() * real.asset_price(*asset);
        let wanted: f64 = plan.cuts.iter().map(notional).sum::<f64>() + plan.conversions.iter().map(sold).sum::<f64>();
        if wanted > left.units() {
            let share = left.units() / wanted;
            let part = |amount: &mut Quanta| *amount = Quanta((amount.0 as f64 * share) as i128);
            plan.cuts.iter_mut().for_each(|(_, contracts)| part(contracts));
            plan.conversions.iter_mut().for_each(|(_, amount)| part(amount));
            plan.cuts.retain(|(_, contracts)| *contracts != Quanta::ZERO);
            plan.conversions.retain(|(_, amount)| *amount != Quanta::ZERO);
            if plan.ending != Ending::TakenOver {
                plan.ending = Ending::Clipped;
            }
        }
        left -= Quanta::floor(wanted.min(left.units()));
    }
    run.capacity_left = Some(left);
}

/// Sends what pools ask for to the books: the concession of each book, by its number.
fn clear(exchange: &Exchange<'_>, run: &mut Run<'_>, planned: &[Planned]) -> Vec<Concession> {
    let mut demands = vec![Demand::default(); exchange.snapshot.underlyings.len() + exchange.snapshot.assets.len()];
    let mut ask = |book: u32, flow: f64| {
        let demand = &mut demands[book as usize];
        if flow > 0.0 {
            demand.bought += Quanta::ceil(flow);
        } else {
            demand.sold += Quanta::ceil(-flow);
        }
    };
    for Planned { pool, plan } in planned {
        let state = &run.states[pool];
        for (index, contracts) in &plan.cuts {
            let instrument = state.positions[*index].position.instrument;
            let (book, thinness) = exchange.venues.of_instrument(instrument);
            ask(book, -contracts.units() * run.unit_flows[instrument as usize] * thinness);
        }
        for (asset, amount) in &plan.conversions {
            let (book, thinness) = exchange.venues.of_asset(*asset);
            ask(book, -amount.units() * run.asset_flows[*asset as usize] * thinness);
        }
    }
    (0u32..).zip(demands).map(|(book, demand)| run.books.clear(book, demand)).collect()
}

/// Settles every plan on its pool's books, then enters the events in order.
fn settle(
    exchange: &Exchange<'_>,
    run: &mut Run<'_>,
    real: Marks<'_>,
    planned: &[Planned],
    concessions: &[Concession],
) {
    let (step, round) = (run.step, run.round);
    let mut taken: Vec<(PoolState, &Plan)> = planned
        .iter()
        .filter(|planned| planned.plan.ending != Ending::TakenOver)
        .filter_map(|Planned { pool, plan }| Some((run.states.remove(pool)?, plan)))
        .collect();
    let settle_one = |(state, plan): &mut (PoolState, &Plan)| {
        let occasion = Occasion { step, round, cause: plan.cause, before: plan.before };
        let settlement = Settlement { exchange, real, concessions, occasion };
        settlement.settle(state, plan)
    };
    let events: Vec<Vec<Event>> = taken.par_iter_mut().map(settle_one).collect();
    for (state, _) in taken {
        run.states.insert(state.pool, state);
    }
    for events in &events {
        run.enter(exchange, &real, events);
    }
}

/// One pool's settlement.
struct Settlement<'s> {
    exchange: &'s Exchange<'s>,
    real: Marks<'s>,
    concessions: &'s [Concession],
    occasion: Occasion,
}

impl Settlement<'_> {
    fn settle(&self, state: &mut PoolState, plan: &Plan) -> Vec<Event> {
        let mut events = Vec::with_capacity(plan.cuts.len() + plan.conversions.len() + 1);
        if plan.orders == Orders::Cancelled {
            state.cancel_orders();
            events.push(self.occasion.event(state, Action::CancelOrders, Party::Exchange, self.exchange.quote));
        }
        for &(asset, amount) in &plan.conversions {
            events.push(self.convert(state, asset, amount));
        }
        for &(index, contracts) in &plan.cuts {
            events.extend(self.cut(state, index, contracts));
        }
        if !events.is_empty() {
            state.in_liquidation = true;
            self.rest(state, plan);
        }
        let after = Health::from(self.real.figures(state));
        events.iter_mut().for_each(|event| event.after = after);
        events
    }

    fn rest(&self, state: &mut PoolState, plan: &Plan) {
        if plan.ending != Ending::Clipped {
            return;
        }
        if let Some(clip) = self.exchange.policy.cut.clip {
            state.clipped_rounds += 1;
            state.rest_rounds = clip.cooldown_rounds;
        }
    }

    fn cut(&self, state: &mut PoolState, index: usize, contracts: Quanta) -> Option<Event> {
        let instrument = state.positions[index].position.instrument;
        let (book, thinness) = self.exchange.venues.of_instrument(instrument);
        let kind = self.exchange.snapshot.instruments[instrument as usize].kind;
        let concession = thinness * self.concession(book, -contracts.units() * self.direction(instrument));
        let room = Quanta::floor(self.real.figures(state).equity.max(0.0));
        let terms = TradeTerms::of(&self.exchange.policy.costs, kind, concession, room);
        cut(state, index, contracts, terms, (&self.real, self.exchange.quote, &self.occasion))
    }

    fn convert(&self, state: &mut PoolState, asset: u32, amount: Quanta) -> Event {
        let (book, thinness) = self.exchange.venues.of_asset(asset);
        let terms = TradeTerms {
            concession: thinness * self.concession(book, -amount.units()) + self.exchange.policy.costs.half_spread,
            trading_fee: self.exchange.policy.costs.trading_fee,
            fund_fee: 0.0,
            fund_fee_room: Quanta::ZERO,
        };
        convert(state, asset, amount, terms, (&self.real, self.exchange.quote, &self.occasion))
    }

    /// Which way a long contract's purchase pushes its book: down for a put.
    fn direction(&self, instrument: u32) -> f64 {
        let terms = &self.exchange.snapshot.instruments[instrument as usize];
        if terms.right == Some(crate::domain::Right::Put) { -1.0 } else { 1.0 }
    }

    fn concession(&self, book: u32, flow: f64) -> f64 {
        let concession = self.concessions[book as usize];
        if flow > 0.0 { concession.buying } else { concession.selling }
    }
}

/// An occasion of this round for a pool.
pub(super) fn occasion(run: &Run<'_>, cause: Cause, before: Health) -> Occasion {
    Occasion { step: run.step, round: run.round, cause, before }
}
