use std::collections::BTreeMap;

use ndarray::Array2;
use proptest::prelude::*;

use super::*;
use crate::domain::{
    Asset, Balance, Book, BookBuilder, Instrument, Kind, Order, Payoff, Pool, PoolSettings, Position, Premium, Side,
    Underlying,
};
use crate::engine::{EngineChoice, State};
use crate::margin::{MarginClass, Schedule};
use crate::pricing::{Column, entry_value};
use crate::scenario::Factor;

const USD: u32 = 2;

/// A and B at 100 USD: linear and inverse perpetuals and spot of A, a linear perpetual of B.
fn market() -> Snapshot {
    let perpetual = |name: &str, underlying: u32, payoff: Payoff, settlement_asset: u32| Instrument {
        name: name.into(),
        kind: Kind::Perpetual,
        underlying,
        payoff,
        settlement_asset,
        contract_size: 1.0,
        mark_price: 100.0,
        strike: None,
        expiry: None,
        right: None,
        implied_volatility: None,
        forward_price: None,
        rate: 0.0,
        price_asset: USD,
        premium: Premium::Paid,
        fixed_rate: 1.0,
        margin_class: "perpetual".into(),
        confidence: 1.0,
    };
    let spot = Instrument { kind: Kind::Spot, ..perpetual("A-SPOT", 0, Payoff::Linear, USD) };
    Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets: vec![Asset::new("A", 100.0), Asset::new("B", 100.0), Asset::new("USD", 1.0)],
        underlyings: vec![Underlying::new("A", 100.0), Underlying::new("B", 100.0)],
        instruments: vec![
            perpetual("A-INV", 0, Payoff::Inverse, 0),
            perpetual("A-PERP", 0, Payoff::Linear, USD),
            spot,
            perpetual("B-PERP", 1, Payoff::Linear, USD),
        ],
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: Book::default(),
    }
}
const A_INV: u32 = 0;
const A_PERP: u32 = 1;
const B_PERP: u32 = 3;

/// Initial 10 %, maintenance 5 % of the notional.
fn rulebook() -> Rulebook {
    let (initial, maintenance) = (Schedule::flat(0.1), Schedule::flat(0.05));
    let class = MarginClass::brackets(maintenance, initial);
    Rulebook { name: "flat".into(), margin: BTreeMap::from([("perpetual".into(), class)]), ..Rulebook::default() }
}

/// Shocks of A and B.
fn scenarios(shocks: &[[f64; 2]]) -> ScenarioSet {
    ScenarioSet {
        ids: (0..shocks.len()).map(|at| at.to_string()).collect(),
        weights: vec![1.0; shocks.len()],
        labels: vec![String::new(); shocks.len()],
        factors: vec![Factor::price("A"), Factor::price("B")],
        shocks: Array2::from_shape_fn((shocks.len(), 2), |(row, column)| shocks[row][column]),
    }
}

fn options() -> CompareOptions {
    let sweep = SweepOptions { engine: EngineChoice::Cpu, ..SweepOptions::default() };
    CompareOptions { sweep, ..CompareOptions::default() }
}

fn row(comparison: &Comparison, mode: Arrangement) -> &Metrics {
    &comparison.row(0, mode).expect("a row").metrics
}

/// `h`: long 10 A, short 10 B, 300 USD; `s`: long 10 A, 120 USD; entries at the mark.
fn hedged_and_single() -> Snapshot {
    let mut builder = BookBuilder::default();
    let hedged = builder.pool("h", "main");
    builder.add_position(hedged, Position::new(A_PERP, 10.0, 100.0));
    builder.add_position(hedged, Position::new(B_PERP, -10.0, 100.0));
    builder.add_balance(hedged, Balance::new(USD, 300.0));
    let single = builder.pool("s", "main");
    builder.add_position(single, Position::new(A_PERP, 10.0, 100.0));
    builder.add_balance(single, Balance::new(USD, 120.0));
    market().with_book(builder.build())
}

#[test]
fn a_hedged_pair_and_a_single_position_by_hand() {
    // Each leg: notional 1,000, initial 100, maintenance 50. `h` apart: 150 USD for each leg.
    let snapshot = hedged_and_single();
    // 0: both fall 20 %: `h` gains nothing and keeps 300 ≥ 40 + 40. Apart, the long has 150 − 200 < 0: bankrupt; the short
    //    350. `s`: 120 − 200 < 0: bankrupt.
    // 1: A falls 21 %, B rises 4 %: `h` has 300 − 210 − 40 = 50 < 39.5 + 52 = 91.5: liquidatable. Apart: the long
    //    150 − 210 = −60 bankrupt, the short 150 − 40 = 110 ≥ 52 stands. `s`: −90.
    let comparison = compare(&snapshot, &[rulebook()], &scenarios(&[[-0.2, -0.2], [-0.21, 0.04]]), &options(), &())
        .expect("a comparison");
    let (as_is, cross, isolated) = (
        row(&comparison, Arrangement::AsIs),
        row(&comparison, Arrangement::Cross),
        row(&comparison, Arrangement::Isolated),
    );
    assert_eq!((as_is.pools, cross.pools, isolated.pools), (2, 2, 3));
    for metrics in [as_is, cross, isolated] {
        assert_eq!((metrics.totals.initial_margin, metrics.totals.maintenance_margin), (300.0, 150.0));
        assert_eq!((metrics.totals.equity, metrics.totals.gross_notional), (420.0, 3_000.0));
        assert_eq!(metrics.states_at_base, [metrics.pools, 0, 0, 0, 0]);
        assert_eq!(metrics.utilisation(), Some(300.0 / 420.0));
        assert_eq!(metrics.assets.len(), 1);
        assert_eq!(metrics.assets[0].utilisation(), Some(300.0 / 420.0));
    }
    // `h` once and `s` twice; isolated: the long twice and `s` twice.
    assert_eq!((cross.liquidatable, cross.liquidatable_verdicts), (2, 3));
    assert_eq!((cross.bankrupt, cross.bankrupt_verdicts), (1, 2));
    assert_eq!((isolated.liquidatable, isolated.bankrupt, isolated.bankrupt_verdicts), (2, 2, 4));
    // Shortfalls: `s` 80 and 90; isolated 50 and 60 more. Each of two scenarios weighs 1.
    assert_eq!((cross.expected_shortfall, cross.loss_given_default()), (85.0, Some(85.0)));
    assert_eq!((isolated.expected_shortfall, isolated.loss_given_default()), (140.0, Some(70.0)));
    assert_eq!(isolated.bankruptcy_probability(), Some(2.0 / 3.0));
    assert_eq!(cross.worst.map(|worst| (worst.scenario, worst.liquidatable_pools)), Some((1, 2)));
    // Scenario 1 closes both legs of `h`: the short, 1,040 of 790 + 1,040, would have stood.
    let contagion = cross.contagion.expect("cross merges");
    assert_eq!((contagion.affected_pools, contagion.examined_pools, contagion.verdicts), (1, 1, 1));
    assert_eq!((contagion.legs, contagion.healthy_legs), (2, 1));
    assert_eq!((contagion.notional, contagion.healthy_notional), (1_830.0, 1_040.0));
    assert_eq!((as_is.contagion, isolated.contagion), (None, None));
    // Different instruments net nothing.
    assert_eq!((cross.diversification_index(isolated), cross.margin_ratio(isolated)), (Some(0.0), Some(1.0)));
    assert_eq!(cross.capital_efficiency(as_is.totals.gross_notional), Some(10.0));
    // Isolated → cross: `h` from bankrupt to liquidatable, `s` stays bankrupt.
    let [transition] = &comparison.transitions[..] else { panic!("one transition") };
    let (bankrupt, liquidatable) = (3, 2);
    assert_eq!(transition.accounts[bankrupt][liquidatable], 1);
    assert_eq!(transition.accounts[bankrupt][bankrupt], 1);
    assert_eq!(transition.accounts.iter().flatten().sum::<u64>(), 2);
}

#[test]
fn opposite_positions_of_two_pools_close_each_other_in_cross() {
    // Long 10 at 90 and short 4 at 105, in pools of their own: 6 long at 90 are left, 4 · (105 − 90) = 60 USD are paid out.
    let mut builder = BookBuilder::default();
    let (one, two) = (builder.pool("a", "one"), builder.pool("a", "two"));
    builder.add_position(one, Position::new(A_PERP, 10.0, 90.0));
    builder.add_position(two, Position::new(A_PERP, -4.0, 105.0));
    builder.add_balance(two, Balance::new(USD, 500.0));
    let snapshot = market().with_book(builder.build());
    let book = merged(&snapshot, Mode::Cross);
    let pool = book.pool(0);
    assert_eq!((book.len(), pool.pool), (1, "cross"));
    assert_eq!(pool.positions, [Position::new(A_PERP, 6.0, 90.0)]);
    assert_eq!(pool.balances, [Balance::new(USD, 560.0)]);
    let comparison = compare(&snapshot, &[rulebook()], &scenarios(&[[0.0, 0.0]]), &options(), &()).expect("rows");
    let (as_is, cross, isolated) = (
        row(&comparison, Arrangement::AsIs),
        row(&comparison, Arrangement::Cross),
        row(&comparison, Arrangement::Isolated),
    );
    assert_eq!((as_is.totals.equity, cross.totals.equity, isolated.totals.equity), (620.0, 620.0, 620.0));
    assert_eq!((as_is.totals.initial_margin, cross.totals.initial_margin), (140.0, 60.0));
    assert_eq!(cross.diversification_index(isolated), Some(1.0 - 60.0 / 140.0));
    assert_eq!(cross.maintenance_diversification_index(isolated), Some(1.0 - 30.0 / 70.0));
    // The same positions of 1,400 need 60.
    assert_eq!(cross.capital_efficiency(as_is.totals.gross_notional), Some(1_400.0 / 60.0));
    // Pool `one` has no collateral: its requirement of 100 is backed by nothing.
    assert_eq!(
        (as_is.assets[0].asset, as_is.assets[0].requirement, as_is.assets[0].utilisation()),
        (None, 100.0, None)
    );
    assert_eq!((as_is.assets[1].asset, as_is.assets[1].requirement), (Some(USD), 40.0));
}

#[test]
fn settings_orders_and_names_survive_a_split() {
    let mut builder = BookBuilder::default();
    let id = builder.pool("a", "main");
    builder.add_position(id, Position::new(A_PERP, 1.0, 100.0));
    builder.add_position(id, Position::new(B_PERP, 3.0, 100.0));
    builder.add_balance(id, Balance { accrued_interest: -7.0, ..Balance::new(USD, 101.0) });
    let order = |instrument| Order { instrument, quantity: 1.0, price: 100.0, reduces_only: false };
    let settings = PoolSettings { im_multiplier: 2.0, open_order_margin: 8.0, ..PoolSettings::default() };
    *builder.settings(id) = PoolSettings { orders: vec![order(B_PERP), order(A_INV)], ..settings };
    // A pool that has the name of a split one, and stated collateral.
    let kept = builder.pool("a", "main/A-PERP");
    builder.add_position(kept, Position { side: Side::Long, ..Position::new(A_PERP, 2.0, 100.0) });
    builder.add_position(kept, Position { side: Side::Short, ..Position::new(A_PERP, -1.0, 100.0) });
    builder.settings(kept).mode = Mode::Isolated;
    builder.pool("a", "empty");
    let unknown = builder.pool("b", "main");
    builder.mark_unknown(unknown);
    let snapshot = market().with_book(builder.build());
    let book =
        with_base(&snapshot, &rulebook(), |setting| isolated(setting, Allocation::InitialMargin)).expect("a book");
    let pools: Vec<Pool<'_>> = book.pools().collect();
    let names: Vec<&str> = pools.iter().map(|pool| pool.pool).collect();
    assert_eq!(names, ["empty", "main/A-PERP", "main/A-PERP′", "main/B-PERP", "main"]);
    assert_eq!((pools[1].positions.len(), pools[4].unknown), (2, true));
    // Weights 20 and 60 of 80: a quarter and three quarters.
    assert_eq!(pools[2].balances, [Balance { accrued_interest: -1.75, ..Balance::new(USD, 25.25) }]);
    assert_eq!(pools[3].balances, [Balance { accrued_interest: -5.25, ..Balance::new(USD, 75.75) }]);
    assert_eq!((pools[2].settings.open_order_margin, pools[3].settings.open_order_margin), (2.0, 6.0));
    assert_eq!((pools[2].settings.im_multiplier, pools[3].settings.mode), (2.0, Mode::Isolated));
    assert_eq!(
        (&pools[2].settings.orders[..], &pools[3].settings.orders[..]),
        (&[order(A_INV)][..], &[order(B_PERP)][..])
    );
    let back = merged(&snapshot.with_book(book.clone()), Mode::Cross);
    let settings = back.pool(0).settings;
    assert_eq!((settings.im_multiplier, settings.open_order_margin, settings.orders.len()), (2.0, 8.0, 2));
    assert!(back.pool(1).unknown && back.len() == 2);
}

#[test]
fn a_second_rulebook_has_rows_of_its_own_and_portfolio_pools_are_refused() {
    let snapshot = hedged_and_single();
    let mut strict = rulebook();
    let class = strict.margin.get_mut("perpetual").expect("a class");
    (class.initial, class.maintenance) = (Schedule::flat(0.5).into(), Schedule::flat(0.125).into());
    let set = scenarios(&[[0.0, 0.0]]);
    let comparison = compare(&snapshot, &[rulebook(), strict], &set, &options(), &()).expect("rows");
    assert_eq!(comparison.rows.len(), 6);
    let of = |rulebook| &comparison.row(rulebook, Arrangement::AsIs).expect("a row").metrics;
    assert_eq!((of(0).totals.initial_margin, of(1).totals.initial_margin), (300.0, 1_500.0));
    // As is, from the first rulebook to the second: `s` has 120 < 125, `h` 300 < 1,000.
    let transition =
        comparison.transitions.iter().find(|t| comparison.rows[t.to].rulebook != comparison.rows[t.from].rulebook);
    assert_eq!(transition.map(|transition| transition.accounts[0]), Some([0, 1, 1, 0, 0]));
    assert!(matches!(compare(&snapshot, &[], &set, &options(), &()), Err(Error::Usage(_))));
    let mut builder = BookBuilder::default();
    let id = builder.pool("p", "main");
    builder.settings(id).mode = Mode::Portfolio;
    let snapshot = market().with_book(builder.build());
    let refused = compare(&snapshot, &[rulebook()], &set, &options(), &()).expect_err("no such requirement");
    assert!(refused.to_string().contains("needs [requirement.portfolio]"), "{refused}");
}

/// A random pool: a few positions of distinct instruments, a few balances.
fn pool() -> impl Strategy<Value = (Vec<Position>, Vec<Balance>)> {
    let position = |instrument: u32| {
        (-50.0..50.0f64, 50.0..150.0f64, -1.0..1.0f64).prop_map(move |(quantity, entry_price, accrued_funding)| {
            Position { accrued_funding, ..Position::new(instrument, quantity, entry_price) }
        })
    };
    let positions = proptest::sample::subsequence(vec![0u32, 1, 2, 3], 0..=4)
        .prop_flat_map(move |instruments| instruments.into_iter().map(position).collect::<Vec<_>>());
    let balance = (0u32..3, -10.0..1e4f64, -1.0..1.0f64)
        .prop_map(|(asset, amount, accrued_interest)| Balance { accrued_interest, ..Balance::new(asset, amount) });
    (positions, prop::collection::vec(balance, 0..4))
}

/// Accounts of one to three pools.
fn book() -> impl Strategy<Value = Book> {
    prop::collection::vec(prop::collection::vec(pool(), 1..4), 1..6).prop_map(|accounts| {
        let mut builder = BookBuilder::default();
        for (account, pools) in accounts.into_iter().enumerate() {
            for (at, (positions, balances)) in pools.into_iter().enumerate() {
                let id = builder.pool(&format!("a{account}"), &format!("p{at}"));
                positions.into_iter().for_each(|position| builder.add_position(id, position));
                balances.into_iter().for_each(|balance| builder.add_balance(id, balance));
            }
        }
        builder.build()
    })
}

/// Every balance amount of an asset, and the magnitude of what was summed.
fn amounts(book: &Book, asset: u32) -> (f64, f64) {
    let of_asset = || book.balances().iter().filter(|balance| balance.asset == asset);
    let all = || of_asset().flat_map(|balance| [balance.amount, balance.accrued_interest]);
    (all().sum(), all().map(f64::abs).sum())
}

fn describe(book: &Book) -> Vec<String> {
    book.pools().map(|pool| format!("{pool:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn parts_add_up_exactly_in_any_order(
        amount in prop_oneof![Just(0.0), -1e6..1e6f64, -1e30..1e30f64, Just(-5e-324), Just(1.0), Just(0.1)],
        weights in prop::collection::vec(prop_oneof![Just(0.0), 0.0..1e9f64], 1..9),
    ) {
        let parts: Vec<f64> = divided(amount, &weights).collect();
        prop_assert_eq!(parts.iter().sum::<f64>(), amount);
        prop_assert_eq!(parts.iter().rev().sum::<f64>(), amount);
        let total: f64 = weights.iter().sum();
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(part * amount >= 0.0 && (total == 0.0 || *weight > 0.0 || *part == 0.0));
            let share = if total > 0.0 { weight / total } else { 1.0 / weights.len() as f64 };
            prop_assert!((part - amount * share).abs() <= 1e-14 * amount.abs() + 5e-324 * 9.0);
        }
    }

    /// A merged account keeps its raw equity in every market; a split one loses no unit, so that merging it again gives the
    /// same merged book, bit for bit.
    #[test]
    fn rearranging_loses_nothing(book in book(), by_notional in any::<bool>(), shock in -0.5..0.5f64) {
        let snapshot = market().with_book(book);
        let cross = snapshot.with_book(merged(&snapshot, Mode::Cross));
        let allocation = if by_notional { Allocation::Notional } else { Allocation::InitialMargin };
        let split = |snapshot: &Snapshot| {
            with_base(snapshot, &rulebook(), |setting| isolated(setting, allocation)).expect("a book")
        };
        let apart = snapshot.with_book(split(&cross));
        prop_assert!(apart.book.pools().all(|pool| pool.positions.len() <= 1));
        prop_assert_eq!(apart.book.position_count(), cross.book.position_count());
        prop_assert_eq!(describe(&merged(&apart, Mode::Cross)), describe(&cross.book));
        let direct = split(&snapshot);
        prop_assert_eq!(direct.position_count(), snapshot.book.position_count());
        for asset in 0..3 {
            let ((before, size), (after, _)) = (amounts(&snapshot.book, asset), amounts(&direct, asset));
            // Each amount is conserved; only this sum over many rounds.
            prop_assert!((before - after).abs() <= 1e-13 * size, "{} {}", before, after);
        }
        let set = scenarios(&[[shock, -shock]]);
        let equity = |book: &Book| {
            let snapshot = snapshot.with_book(book.clone());
            let rules = Rules::resolve(&rulebook(), &snapshot).expect("rules");
            let rows = revalue(&rules, &snapshot, &set, Unshocked::Hold).expect("rows");
            let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
            let of = |pool: Pool<'_>| setting.raw_equity::<f64>(&pool, &(&rows, Column::Scenario(0)));
            snapshot.book.pools().map(of).sum::<f64>()
        };
        let (before, size) = (equity(&snapshot.book), 1e5);
        prop_assert!((before - equity(&cross.book)).abs() <= 1e-12 * size);
        prop_assert!((before - equity(&direct)).abs() <= 1e-12 * size);
    }

    /// One position and one balance for each asset: nothing to merge, nothing to split.
    #[test]
    fn a_pool_of_one_position_is_the_same_in_every_mode(quantity in -50.0..50.0f64, amount in 0.0..1e4f64, entry in 50.0..150.0f64) {
        let mut builder = BookBuilder::default();
        let id = builder.pool("a", "cross");
        let position = Position { leverage: Some(3.0), accrued_funding: 0.25, ..Position::new(A_INV, quantity, entry) };
        builder.add_position(id, position);
        builder.add_balance(id, Balance::new(USD, amount));
        let snapshot = market().with_book(builder.build());
        let apart = with_base(&snapshot, &rulebook(), |setting| isolated(setting, Allocation::InitialMargin));
        prop_assert_eq!(&apart.expect("a book"), &snapshot.book);
        prop_assert_eq!(describe(&merged(&snapshot, Mode::Cross)), describe(&snapshot.book));
    }

    /// Value before and after netting, at any price, in settlement units.
    #[test]
    fn netting_keeps_the_value(
        lots in prop::collection::vec((-50.0..50.0f64, 50.0..150.0f64), 1..6), inverse in any::<bool>(), mark in 20.0..200.0f64,
    ) {
        let index = if inverse { A_INV } else { A_PERP };
        let instrument = &market().instruments[index as usize];
        let lots: Vec<Position> = lots.into_iter().map(|(quantity, entry)| Position::new(index, quantity, entry)).collect();
        let value = |position: &Position| {
            position.quantity * (crate::pricing::unit_value(instrument, mark) - entry_value(instrument, position.entry_price))
        };
        let netted = net(instrument, &lots);
        let after = netted.position.as_ref().map_or(0.0, value) + netted.paid_out.map_or(0.0, |balance| balance.amount);
        let before: f64 = lots.iter().map(value).sum();
        prop_assert!((before - after).abs() <= 1e-9, "{} {}", before, after);
        if let Some(position) = netted.position {
            prop_assert!((50.0..150.0).contains(&position.entry_price));
        }
    }
}

#[test]
fn account_states_are_the_worst_of_their_pools() {
    assert!(State::Unknown < State::Bankrupt && State::Bankrupt < State::Healthy);
    let matrix = diff::state_matrix(&[State::Bankrupt, State::Unknown], &[State::Healthy, State::Unknown]);
    assert_eq!((matrix[3][0], matrix[4][4]), (1, 1));
}
