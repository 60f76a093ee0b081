//! Pools with nothing left: what remains is theirs, what they owe the funds pay as far as they reach.

use super::event::{Action, Cause, Event, Health, Party};
use super::marks::Marks;
use super::money::Quanta;
use super::run::{Exchange, Run};
use super::sequence::{Planned, occasion};
use super::state::Stage;
use crate::policy::Step;

/// Closes the pools of this round that hold nothing but quote currency any more, in order.
pub fn close_out(exchange: &Exchange<'_>, run: &mut Run<'_>, real: Marks<'_>, planned: &[Planned]) {
    for Planned { pool, .. } in planned {
        let Some(state) = run.states.get_mut(pool) else { continue };
        if state.stage == Stage::Closed || !state.is_flat() {
            continue;
        }
        let owed = -state.cash(exchange.quote);
        let others = || state.cash.iter().filter(|(asset, _)| *asset != exchange.quote).map(|(_, amount)| *amount);
        if others().any(|amount| amount < Quanta::ZERO)
            || owed > Quanta::ZERO && others().any(|amount| amount > Quanta::ZERO)
        {
            // A loan to buy back, or collateral that still has to be sold for what is owed.
            continue;
        }
        state.stage = Stage::Closed;
        if owed > Quanta::ZERO && draw(exchange, run, real, *pool, owed) > Quanta::ZERO {
            run.debtors.push(*pool);
        }
    }
}

/// Draws on the funds for a closed pool's debt; answers what they leave.
pub fn draw(exchange: &Exchange<'_>, run: &mut Run<'_>, real: Marks<'_>, pool: u32, owed: Quanta) -> Quanta {
    if !exchange.policy.takes(Step::InsuranceFund) {
        return owed;
    }
    let state = &run.states[&pool];
    let before = Health::from(real.figures(state));
    let base = occasion(run, Cause::Debt, before).event(state, Action::FundDraw, Party::Members, exchange.quote);
    let mut events: Vec<Event> = Vec::new();
    for (fund, part) in run.funds.parts(owed, &state.exposure) {
        let drawn = run.funds.draw(fund, part);
        if drawn > Quanta::ZERO {
            events.push(run.pay_debt(pool, (Action::FundDraw, Party::Fund(fund)), drawn, base));
        }
    }
    let after = Health::from(real.figures(&run.states[&pool]));
    events.iter_mut().for_each(|event| event.after = after);
    run.enter(exchange, &real, &events);
    owed - events.iter().map(|event| event.amount).sum()
}
