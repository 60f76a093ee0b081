//! Who pays, in which order, to the last quantum.

use super::fixture::{Account, exchange, free_policy, moves, rulebook, run, run_path};
use crate::liquidation::{Action, Cause, Event, Party, Path, Quanta};
use crate::policy::{
    Allocation, Clip, Costs, CutPolicy, CutRule, DeleverageBasis, DeleveragePolicy, FundPolicy, Policy, Purse, Step,
    TakeOver,
};
use crate::scenario::{Factor, FactorKind};

const DEEP: f64 = 1e12;

/// A long that owes 50 after a fall of a tenth, and the short on the other side.
fn long_and_short() -> Vec<Account> {
    vec![Account { cash: 50.0, contracts: 10.0 }, Account { cash: 1000.0, contracts: -10.0 }]
}

fn quote(units: f64) -> Quanta {
    Quanta::nearest(units)
}

fn full(policy: Policy) -> Policy {
    Policy { cut: CutPolicy { rule: CutRule::Full, clip: None, dust_quote: 0.0 }, ..policy }
}

fn with_fund(balance: Purse) -> Policy {
    let fund = FundPolicy { balance, ..FundPolicy::default() };
    // Without impact of note: what is owed is what the fall cost.
    full(Policy { fund, ..free_policy() })
}

fn of(events: &[Event], action: Action) -> Vec<Event> {
    events.iter().filter(|event| event.action == action).copied().collect()
}

#[test]
fn an_unlimited_fund_pays_everything() {
    let (outcome, events) =
        run(&exchange(&long_and_short(), DEEP), &rulebook(0.01, 0.02), &with_fund(Purse::Unlimited), -0.1);
    let summary = &outcome.scenarios[0];
    // The sale of 1,000 moves a price of this depth by 9e-12.
    assert!((summary.tally.fund_draw.units() - 50.0).abs() < 1e-6, "{}", summary.tally.fund_draw);
    assert_eq!((summary.deleveraged_pools, summary.tally.socialised), (0, Quanta::ZERO));
    assert_eq!((summary.fund_left, summary.after.closed, summary.after.healthy), (None, 1, 1));
    assert_eq!(of(&events, Action::Cut)[0].cause, Cause::Bankrupt);
    assert_eq!(of(&events, Action::FundDraw)[0].party, Party::Fund(None));
}

#[test]
fn beyond_the_fund_positions_are_closed_at_the_bankruptcy_price() {
    let (outcome, events) =
        run(&exchange(&long_and_short(), DEEP), &rulebook(0.01, 0.02), &with_fund(Purse::Quote(20.0)), -0.1);
    let summary = &outcome.scenarios[0];
    let [loser, winner] = of(&events, Action::Deleverage)[..] else { panic!("two sides: {events:?}") };
    assert_eq!((loser.pool, loser.party, winner.pool, winner.party), (0, Party::Pool(1), 1, Party::Pool(0)));
    assert_eq!((loser.price, winner.price), (95.0, 95.0));
    // Entered at 1,000, closed at 950: the long loses its 50, the short keeps 50 of its 100.
    assert_eq!((loser.amount, winner.amount), (quote(-50.0), quote(50.0)));
    assert_eq!(loser.after.equity, 0.0);
    assert_eq!((summary.tally.haircut, summary.tally.fund_draw), (quote(50.0), Quanta::ZERO));
    assert_eq!((summary.deleveraged_pools, summary.fund_left), (1, Some(20.0)));
    assert_eq!(summary.tally.liquidated_notional, 0.0, "nothing reaches the market");
}

#[test]
fn severity_leaves_the_rest_to_the_members() {
    let deleverage = DeleveragePolicy { severity: 0.6, ..DeleveragePolicy::default() };
    let policy = Policy { deleverage, ..with_fund(Purse::Quote(0.0)) };
    let (outcome, events) = run(&exchange(&long_and_short(), DEEP), &rulebook(0.01, 0.02), &policy, -0.1);
    let summary = &outcome.scenarios[0];
    assert_eq!(of(&events, Action::Deleverage)[0].price, 93.0);
    assert_eq!((summary.tally.haircut, summary.tally.socialised), (quote(30.0), quote(20.0)));
    assert_eq!(summary.tally.uncovered, Quanta::ZERO);
}

#[test]
fn profits_pay_after_the_fund() {
    let deleverage = DeleveragePolicy {
        basis: DeleverageBasis::Profits,
        allocation: Allocation::ProRata,
        ..DeleveragePolicy::default()
    };
    let policy = Policy { deleverage, ..with_fund(Purse::Quote(20.0)) };
    let accounts = [
        long_and_short(),
        // Half the profit of the first short: a third of what is left to pay.
        vec![Account { cash: 1000.0, contracts: -5.0 }, Account { cash: 500.0, contracts: 0.0 }],
    ]
    .concat();
    let (outcome, events) = run(&exchange(&accounts, DEEP), &rulebook(0.01, 0.02), &policy, -0.1);
    let tally = &outcome.scenarios[0].tally;
    assert_eq!(tally.fund_draw, quote(20.0));
    let paid: Vec<(u32, f64)> =
        of(&events, Action::Deleverage).iter().map(|event| (event.pool, event.amount.units())).collect();
    assert_eq!(paid.iter().map(|(pool, _)| *pool).collect::<Vec<_>>(), [1, 2, 0]);
    for ((_, amount), expected) in paid.iter().zip([-20.0, -10.0, 30.0]) {
        assert!((amount - expected).abs() < 1e-6, "{paid:?}");
    }
    assert_eq!((tally.socialised, tally.uncovered), (Quanta::ZERO, Quanta::ZERO));
}

#[test]
fn everyone_bankrupt_leaves_debts_that_nobody_covers() {
    let accounts = vec![Account { cash: 50.0, contracts: 10.0 }; 3];
    for policy in [with_fund(Purse::Quote(0.0)), with_fund(Purse::Quote(30.0))] {
        let (outcome, _) = run(&exchange(&accounts, DEEP), &rulebook(0.01, 0.02), &policy, -0.1);
        let tally = &outcome.scenarios[0].tally;
        let owed = tally.uncovered + tally.fund_draw;
        assert!((owed.units() - 150.0).abs() < 1e-5, "{owed}");
        assert_eq!((tally.socialised, tally.members_equity), (Quanta::ZERO, Quanta::ZERO));
        assert_eq!(outcome.scenarios[0].after.closed, 3);
    }
}

#[test]
fn the_first_in_the_order_of_urgency_gets_what_the_fund_has() {
    let accounts = [Account { cash: 80.0, contracts: 10.0 }, Account { cash: 50.0, contracts: 10.0 }];
    let policy = Policy { steps: vec![Step::Cut, Step::InsuranceFund], ..with_fund(Purse::Quote(60.0)) };
    let (_, events) = run(&exchange(&accounts, DEEP), &rulebook(0.01, 0.02), &policy, -0.1);
    let drawn: Vec<u32> = of(&events, Action::FundDraw).iter().map(|event| event.pool).collect();
    assert_eq!(drawn, [1, 0]);
    assert!((of(&events, Action::FundDraw)[1].amount.units() - 10.0).abs() < 1e-5);
}

#[test]
fn a_partial_cut_ends_at_the_target_and_not_before() {
    // E = 120 − 100 = 20 < M = 27 at 90: S = 1.1·27 − 20 = 9.7; a unit cut frees 1.1·2.7.
    let accounts = [Account { cash: 120.0, contracts: 10.0 }];
    let policy = Policy { cut: CutPolicy { dust_quote: 0.0, ..CutPolicy::default() }, ..free_policy() };
    let (outcome, events) = run(&exchange(&accounts, DEEP), &rulebook(0.03, 0.06), &policy, -0.1);
    let summary = &outcome.scenarios[0];
    assert_eq!(events.len(), 1);
    assert!((events[0].quantity.units() + 9.7 / (1.1 * 2.7)).abs() < 2e-8, "{}", events[0].quantity);
    let health = events[0].after.ratio().expect("a requirement");
    assert!((1.1..1.1 + 1e-6).contains(&health), "{health}");
    assert_eq!((summary.after.restricted, summary.rounds.len()), (1, 2));
}

#[test]
fn a_backstop_takes_over_what_cutting_cannot_save_while_its_capital_lasts() {
    // Health 0.5 at 90.
    let accounts = vec![Account { cash: 113.5, contracts: 10.0 }; 3];
    let take_over = TakeOver { below_health: 2.0 / 3.0, capital: Purse::Quote(30.0) };
    let policy = Policy { take_over, ..with_fund(Purse::Quote(0.0)) };
    let (outcome, events) = run(&exchange(&accounts, DEEP), &rulebook(0.03, 0.06), &policy, -0.1);
    let summary = &outcome.scenarios[0];
    // Each needs 27 − 13.5: two fit into 30.
    assert_eq!((summary.taken_over_pools, summary.liquidated_pools), (2, 3));
    let taken = of(&events, Action::TakeOver);
    assert_eq!(taken.len(), 4, "position and balance of each");
    assert!(taken.iter().all(|event| event.cause == Cause::BelowTakeOver && event.party == Party::Backstop));
    assert!((summary.backstop_equity - 27.0).abs() < 1e-6);
}

#[test]
fn a_clip_rests_and_then_takes_the_rest() {
    let accounts = [Account { cash: 120.0, contracts: 10.0 }];
    let clip = Clip { share: 0.2, above_quote: 0.0, rounds: 1, cooldown_rounds: 2 };
    let cut = CutPolicy { rule: CutRule::Full, clip: Some(clip), dust_quote: 0.0 };
    let policy = Policy { cut, ..free_policy() };
    let (_, events) = run(&exchange(&accounts, DEEP), &rulebook(0.03, 0.06), &policy, -0.1);
    let cuts: Vec<(u32, f64)> = events.iter().map(|event| (event.round, event.quantity.units())).collect();
    assert_eq!(cuts, [(0, -2.0), (3, -8.0)]);
}

/// A market without anybody in it: nothing can be sold, so others close what is bankrupt.
#[test]
fn without_depth_bankrupt_positions_go_to_others_and_the_rest_stays() {
    let accounts = [long_and_short(), vec![Account { cash: 120.0, contracts: 10.0 }]].concat();
    let mut set = moves(&[-0.1]);
    set.factors.push(Factor { kind: FactorKind::Depth, name: "U".into() });
    set.shocks = ndarray::array![[-0.1, -1.0]];
    let policy = with_fund(Purse::Unlimited);
    let path = Path::of_scenario(&set, 0, policy.rounds_max);
    let (outcome, events) = run_path(&exchange(&accounts, DEEP), &rulebook(0.03, 0.06), &policy, path);
    assert_eq!(of(&events, Action::Deleverage).len(), 2);
    assert!(of(&events, Action::Cut).is_empty());
    assert_eq!((outcome.scenarios[0].after.liquidatable, outcome.scenarios[0].after.closed), (1, 1));
}

#[test]
fn a_missing_depth_is_refused_by_name() {
    let mut snapshot = exchange(&long_and_short(), DEEP);
    snapshot.underlyings[0].depth_quote = None;
    let path = Path::of_scenario(&moves(&[-0.1]), 0, 1);
    let (policy, rulebook) = (free_policy(), rulebook(0.01, 0.02));
    let options = crate::liquidation::Options::default();
    let refused = crate::liquidation::liquidate((&snapshot, &rulebook), &policy, &[path], &options, (&(), &mut ()));
    let text = refused.expect_err("no depth").to_string();
    assert!(text.contains("depth of U"), "{text}");
}

/// The short has an equity of 20 and would give up 50: four of its ten contracts are closed, at 5 each.
#[test]
fn nobody_is_asked_for_more_than_its_equity() {
    let accounts = vec![Account { cash: 50.0, contracts: 10.0 }, Account { cash: -80.0, contracts: -10.0 }];
    let (_, events) = run(&exchange(&accounts, DEEP), &rulebook(0.01, 0.02), &with_fund(Purse::Quote(0.0)), -0.1);
    let winner = of(&events, Action::Deleverage).into_iter().find(|event| event.pool == 1).expect("a winner");
    assert_eq!((winner.quantity, winner.price), (quote(4.0), 95.0));
    assert!(winner.after.equity.abs() < 1e-6, "{}", winner.after.equity);
}

/// 18.5185 of 100 contracts restore the pool; that f64 misses the target by a hair is no reason to close it.
#[test]
fn a_pool_that_a_cut_restores_is_not_closed() {
    let costs = Costs { half_spread: 0.001, ..free_policy().costs };
    for cash in [450.0, 450.1, 449.7, 433.3, 401.123, 480.01] {
        let accounts = [Account { cash, contracts: 100.0 }];
        for rule in [CutRule::MinCost, CutRule::LeastNotional, CutRule::ProRata, CutRule::Program] {
            let cut = CutPolicy { rule, clip: None, dust_quote: 0.0 };
            let policy = Policy { cut, costs, ..free_policy() };
            let (_, events) = run(&exchange(&accounts, DEEP), &rulebook(0.05, 0.1), &policy, -0.0001);
            let equity = cash - 1.0;
            let (mark, required) = (99.99, 0.05 * 9999.0);
            let wanted = (1.1 * required - equity).max(0.0) / (mark * (1.1 * 0.05 - 0.001));
            let cut: f64 = events.iter().map(|event| -event.quantity.units()).sum();
            let wanted = if equity < required { wanted } else { 0.0 };
            assert!((cut - wanted).abs() < 1e-4, "{rule:?} {cash}: {cut} of {wanted}, {:?}", events.first());
        }
    }
}

/// A fee that is larger than what is left of the pool's equity is a debt, in the state after it, too.
#[test]
fn the_state_after_a_trade_has_paid_its_fee() {
    let costs = Costs { trading_fee: 0.05, ..free_policy().costs };
    let policy = Policy { costs, ..with_fund(Purse::Quote(0.0)) };
    let accounts = [Account { cash: 120.0, contracts: 10.0 }];
    let (_, events) = run(&exchange(&accounts, DEEP), &rulebook(0.03, 0.06), &policy, -0.1);
    let cut = of(&events, Action::Cut)[0];
    assert!((cut.after.equity - (20.0 - 45.0)).abs() < 1e-6, "{}", cut.after.equity);
}

/// What the last of the rounds did is in the figures of a run that is cut off.
#[test]
fn a_run_that_is_cut_off_says_how_it_stands() {
    let accounts = vec![Account { cash: 120.0, contracts: 10.0 }; 3];
    let policy = Policy { rounds_max: 1, ..full(free_policy()) };
    let (outcome, _) = run(&exchange(&accounts, 5e3), &rulebook(0.03, 0.06), &policy, -0.1);
    let summary = &outcome.scenarios[0];
    // 2,700 sold: −0.54 %.
    assert!((summary.books[0].impact + 0.0054).abs() < 1e-12 && (summary.shock + 0.1).abs() < 1e-12, "{summary:?}");
    let amplification = summary.amplification.expect("prices moved");
    assert!((amplification - (1.0 - 0.9 * 0.9946) / 0.1).abs() < 1e-9, "{amplification}");
    assert_eq!(summary.ending, crate::liquidation::Ending::CutOff);
}

/// A threshold of taking over is no reason to close what a cut restores where the backstop has nothing.
#[test]
fn without_capital_a_pool_below_the_threshold_is_cut() {
    let take_over = TakeOver { below_health: 0.9, capital: Purse::Quote(0.0) };
    let cut = CutPolicy { dust_quote: 0.0, ..CutPolicy::default() };
    let policy = Policy { take_over, cut, ..free_policy() };
    let accounts = [Account { cash: 120.0, contracts: 10.0 }];
    let (_, events) = run(&exchange(&accounts, DEEP), &rulebook(0.03, 0.06), &policy, -0.1);
    assert_eq!((events.len(), events[0].cause), (1, Cause::Breach));
    assert!((events[0].quantity.units() + 9.7 / (1.1 * 2.7)).abs() < 1e-6, "{}", events[0].quantity);
}
