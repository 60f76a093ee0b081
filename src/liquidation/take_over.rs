//! A backstop takes pools over as they are, positions and margin, while its capital covers what they require.

use super::event::{Action, Event, Health, Party};
use super::money::Quanta;
use super::plan::{Backstop, Ending, Planner};
use super::run::{Exchange, Run};
use super::sequence::{Markets, Planned, occasion, planner};
use super::settle::Occasion;
use super::state::{PoolState, Stage};

/// Takes over the pools whose plan asks for it, in order. One that the backstop cannot cover is cut, or closed, in the market.
pub fn take_over(exchange: &Exchange<'_>, run: &mut Run<'_>, markets: Markets<'_>, planned: &mut [Planned]) {
    for Planned { pool, plan } in planned.iter_mut().filter(|planned| planned.plan.ending == Ending::TakenOver) {
        let health = Health::from(markets.real.figures(&run.states[pool]));
        // What the pool brings counts for the next one.
        let needed = Quanta::ceil(health.maintenance_margin) - Quanta::floor(health.equity);
        let covered = run.backstop_left.is_none_or(|left| needed <= left && left > Quanta::ZERO);
        if !covered {
            let planner = Planner { backstop: Backstop::Spent, ..planner(exchange, run, markets.seen) };
            *plan = planner.plan(&run.states[pool]);
            continue;
        }
        run.backstop_left = run.backstop_left.map(|left| left - needed);
        let occasion = occasion(run, plan.cause, plan.before);
        let Some(state) = run.states.get_mut(pool) else { continue };
        let events = hand_over(exchange, state, &occasion);
        run.enter(exchange, &markets.real, &events);
    }
}

/// Every position and balance of a pool goes to the backstop, at what they were entered at.
fn hand_over(exchange: &Exchange<'_>, state: &mut PoolState, occasion: &Occasion) -> Vec<Event> {
    let mut events = Vec::new();
    for index in 0..state.positions.len() {
        let instrument = state.positions[index].position.instrument;
        let contracts = state.positions[index].contracts;
        if contracts == Quanta::ZERO {
            continue;
        }
        let mut event = occasion.event(state, Action::TakeOver, Party::Backstop, exchange.settlement(instrument));
        event.carry = -state.positions[index].take(contracts);
        (event.instrument, event.quantity) = (Some(instrument), -contracts);
        events.push(event);
    }
    for (asset, amount) in state.cash.clone().into_iter().filter(|(_, amount)| *amount != Quanta::ZERO) {
        let mut event = occasion.event(state, Action::TakeOver, Party::Backstop, asset);
        event.amount = -amount;
        *state.cash_mut(asset) = Quanta::ZERO;
        events.push(event);
    }
    state.cancel_orders();
    state.stage = Stage::Closed;
    state.refresh();
    events.iter_mut().for_each(|event| event.after = Health::default());
    events
}
