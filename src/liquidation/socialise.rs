//! The end of a step: what closed pools still owe is taken from profits, then spread over everybody.

use std::collections::BTreeMap;

use super::auto_deleverage::take_profits;
use super::close_out::draw;
use super::event::{Action, Cause, Health, Party};
use super::marks::Marks;
use super::money::Quanta;
use super::run::{Exchange, Run};
use super::sequence::occasion;
use crate::policy::Step;

/// Makes every debtor whole, as far as the policy's steps and others' equity allow. The members' share is not taken from their
/// pools one by one: it is one rate on positive equity, settled when the scenario is over. Answers how many
/// pools gave up profits.
pub fn settle_debts(exchange: &Exchange<'_>, run: &mut Run<'_>, real: Marks<'_>) -> u64 {
    let owed = |run: &Run<'_>, pool: &u32| -run.states[pool].cash(exchange.quote);
    let mut debts: BTreeMap<u32, Quanta> = BTreeMap::new();
    for pool in std::mem::take(&mut run.debtors) {
        // Fees that were paid in since may cover it by now.
        let left = draw(exchange, run, real, pool, owed(run, &pool));
        debts.insert(pool, left);
    }
    let paying =
        if exchange.policy.takes(Step::AutoDeleverage) { take_profits(exchange, run, real, &mut debts) } else { 0 };
    debts.retain(|_, debt| *debt > Quanta::ZERO);
    if debts.is_empty() {
        return paying;
    }
    let total: Quanta = debts.values().copied().sum();
    let room = if exchange.policy.takes(Step::Socialise) { members_equity(exchange, run, real) } else { Quanta::ZERO };
    let paid = total.min((room - run.tally.socialised).max(Quanta::ZERO));
    let parts = super::deleverage::shares(&debts.values().map(|debt| debt.0).collect::<Vec<_>>(), paid.0);
    for ((pool, debt), part) in debts.into_iter().zip(parts.into_iter().map(Quanta)) {
        if part > Quanta::ZERO {
            let before = Health::from(real.figures(&run.states[&pool]));
            let base = occasion(run, Cause::Debt, before).event(
                &run.states[&pool],
                Action::Socialise,
                Party::Members,
                exchange.quote,
            );
            let mut event = run.pay_debt(pool, (Action::Socialise, Party::Members), part, base);
            event.after = Health::from(real.figures(&run.states[&pool]));
            run.enter(exchange, &real, &[event]);
        }
        run.tally.uncovered += debt - part;
    }
    run.tally.members_equity = room;
    paying
}

/// Σ max(0, raw equity) of every known pool, quote quanta.
fn members_equity(exchange: &Exchange<'_>, run: &Run<'_>, real: Marks<'_>) -> Quanta {
    use rayon::prelude::*;
    let book = &exchange.snapshot.book;
    let equity = |pool: u32| {
        let figures = match run.states.get(&pool) {
            _ if book.pool(pool as usize).unknown => return 0,
            Some(state) => real.figures(state),
            None => real.figures_of(pool as usize),
        };
        Quanta::floor(figures.equity.max(0.0)).0
    };
    Quanta((0..book.len() as u32).into_par_iter().map(equity).sum())
}
