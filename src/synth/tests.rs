use super::*;
use crate::domain::{Kind, Payoff};
use crate::margin::{MarginClass, Schedule};

fn market() -> Market {
    Market::built_in(&MarketOptions::default()).expect("the built-in market")
}

fn options(accounts: u64) -> Options {
    Options { accounts, seed: 7, near_threshold_share: 0.0 }
}

/// Adjusted equity over maintenance margin of every main pool with positions.
fn estimates(accounts: &Accounts<'_>) -> Vec<Estimate> {
    let pools = accounts.iter().filter(|pool| pool.pool == "main" && !pool.positions.is_empty());
    pools.map(|pool| accounts.estimator().estimate(&pool.balances, &pool.positions)).collect()
}

#[test]
fn an_account_is_the_same_whatever_the_size_of_the_book() {
    let market = market();
    let rulebook = rulebook(&market);
    let small = Accounts::new(&market, &rulebook, options(10)).expect("accounts").pool_batch(0..10);
    let large = Accounts::new(&market, &rulebook, options(1_000)).expect("accounts");
    assert_eq!(small, large.pool_batch(0..10));
    assert_eq!(large.pool_batch(0..1_000), large.iter().collect::<Vec<_>>());
    assert_eq!(large.pool_batch(990..5_000).last().map(|pool| pool.account.clone()).as_deref(), Some("a0000999"));
}

#[test]
fn a_seed_means_the_same_book_on_every_machine() {
    let market = market();
    let snapshot = snapshot(&market, &rulebook(&market), options(200)).expect("a snapshot");
    let text = format!("{:?}{:?}", snapshot.instruments, snapshot.book.pools().collect::<Vec<_>>());
    let digest = blake3::hash(text.as_bytes()).to_hex();
    insta::assert_snapshot!(&digest[..16], @"18bb9e48909e7f7d");
}

#[test]
fn the_built_in_market_mixes_kinds() {
    let market = market();
    let count = |payoff, kind| market.instruments.iter().filter(|i| i.payoff == payoff && i.kind == kind).count();
    let counts = [
        count(Payoff::Linear, Kind::Perpetual),
        count(Payoff::Inverse, Kind::Perpetual),
        count(Payoff::Linear, Kind::Future),
        count(Payoff::Inverse, Kind::Future),
        count(Payoff::Quanto, Kind::Perpetual),
        count(Payoff::Linear, Kind::Spot),
    ];
    assert_eq!(counts.iter().sum::<usize>(), 58);
    assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
    for name in ["LUNA", "UST", "FTT", "SRM", "USDT", "USDC", "BTC", "ETH", "USD"] {
        assert!(market.asset(name).is_some(), "{name}");
    }
    assert!(market.instruments.iter().all(|instrument| instrument.expiry.is_none_or(|expiry| expiry > market.as_of)));
    assert!(market.instruments.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn positions_and_popularity_look_like_a_real_book() {
    let market = market();
    let rulebook = rulebook(&market);
    let accounts = Accounts::new(&market, &rulebook, options(5_000)).expect("accounts");
    let pools: Vec<SynthPool> = accounts.iter().collect();
    let trading: Vec<&SynthPool> =
        pools.iter().filter(|pool| pool.pool == "main" && !pool.positions.is_empty()).collect();
    let positions: usize = trading.iter().map(|pool| pool.positions.len()).sum();
    let mean = positions as f64 / trading.len() as f64;
    assert!((7.0..9.0).contains(&mean), "{mean} positions on average");
    assert!(trading.iter().all(|pool| pool.positions.len() <= 64));
    let head = market.popularity[0];
    let holders =
        trading.iter().filter(|pool| pool.positions.iter().any(|position| position.instrument == head)).count();
    let share = holders as f64 / trading.len() as f64;
    assert!((0.5..0.8).contains(&share), "{share} of the pools hold the most popular instrument");
    let isolated = pools.len() - 5_000;
    assert!((350..550).contains(&isolated), "{isolated} isolated pools");
    let loans = trading.iter().filter(|pool| pool.balances.iter().any(|balance| balance.amount < 0.0)).count();
    assert!((200..750).contains(&loans), "{loans} accounts with a loan");
    assert!(pools.iter().all(|pool| pool.balances.windows(2).all(|pair| pair[0].asset < pair[1].asset)));
}

#[test]
fn health_is_that_of_an_ordinary_leveraged_book() {
    let market = market();
    let rulebook = rulebook(&market);
    let accounts = Accounts::new(&market, &rulebook, options(5_000)).expect("accounts");
    let estimates = estimates(&accounts);
    let healthy = estimates.iter().filter(|e| e.adjusted_equity >= e.initial_margin && e.equity >= 0.0).count();
    assert!(healthy as f64 >= 0.97 * estimates.len() as f64, "{healthy} of {} are healthy", estimates.len());
    let mut ratios: Vec<f64> = estimates.iter().map(|e| e.adjusted_equity / e.maintenance_margin).collect();
    ratios.sort_by(f64::total_cmp);
    let quantile = |share: f64| ratios[(share * (ratios.len() - 1) as f64) as usize];
    assert!((4.0..9.0).contains(&quantile(0.5)), "median {}", quantile(0.5));
    assert!(quantile(0.02) > 1.0 && quantile(0.98) < 60.0, "{} {}", quantile(0.02), quantile(0.98));
    assert!(estimates.iter().all(|e| e.initial_margin >= e.maintenance_margin && e.maintenance_margin > 0.0));
}

#[test]
fn the_near_threshold_share_lies_on_its_thresholds_and_moves_nobody_else() {
    let market = market();
    let rulebook = rulebook(&market);
    let plain = Accounts::new(&market, &rulebook, options(1_000)).expect("accounts");
    let aimed = Options { near_threshold_share: 0.25, ..options(1_000) };
    let aimed = Accounts::new(&market, &rulebook, aimed).expect("accounts");
    let is_near = |pool: &SynthPool| {
        let e = aimed.estimator().estimate(&pool.balances, &pool.positions);
        let near = |excess: f64, scale: f64| excess.abs() <= 1.1e-7 * scale;
        !pool.positions.is_empty()
            && (near(e.adjusted_equity - e.maintenance_margin, e.maintenance_margin)
                || near(e.adjusted_equity - e.initial_margin, e.initial_margin)
                || near(e.equity, e.maintenance_margin))
    };
    let main = |accounts: &Accounts<'_>| accounts.iter().filter(|pool| pool.pool == "main").collect::<Vec<_>>();
    let near = main(&aimed).iter().filter(|pool| is_near(pool)).count();
    assert!((200..300).contains(&near), "{near} of 1,000 are near a threshold");
    for (before, after) in main(&plain).iter().zip(main(&aimed)) {
        assert!(is_near(&after) || *before == after, "{}", after.account);
    }
}

fn class() -> MarginClass {
    MarginClass::brackets(Schedule::flat(0.01), Schedule::flat(0.02))
}

#[test]
fn instruments_follow_the_classes_of_a_rulebook() {
    let keys = [
        "BTC/USDT:USDT",
        "BTC/USDT:USDT-241227",
        "1000BONK/USDC:USDC",
        "ETH/BTC:BTC",
        "ZZZZ/USDT:USDT",
        "1INCH/USDT:USDT",
        "other",
    ];
    let margin = keys.into_iter().map(|key| (key.to_string(), class())).collect();
    let rules = Rulebook { margin, ..Rulebook::default() };
    let market = Market::from_rulebook(&rules, &MarketOptions::default()).expect("a market");
    assert_eq!(market.skipped_classes, ["other"]);
    assert_eq!(market.instruments.len(), 6);
    let bonk = &market.instruments[0];
    assert_eq!((bonk.contract_size, market.underlyings[bonk.underlying as usize].name.as_str()), (1_000.0, "BONK"));
    assert_eq!(market.as_of.to_string(), "2024-10-24T08:00:00Z");
    assert!(market.assets.iter().all(|asset| asset.haircut_class.is_none()));
    let eth = market.instruments.iter().find(|instrument| instrument.name == "ETH/BTC:BTC").expect("the cross");
    assert!(eth.payoff == Payoff::Linear && eth.mark_price < 0.1);

    let restricted = MarketOptions {
        underlyings: Some(["BTC", "1INCH", "LUNA"].map(String::from).into()),
        ..MarketOptions::default()
    };
    let mut rules = rules;
    add_haircuts(&mut rules);
    let market = Market::from_rulebook(&rules, &restricted).expect("a market");
    assert_eq!(market.instruments.len(), 3);
    let luna = market.asset("LUNA").expect("LUNA is collateral");
    assert!(market.collateral.contains(&luna) && market.assets[luna as usize].haircut_class.is_some());
    let accounts = Accounts::new(&market, &rules, options(50)).expect("accounts");
    assert!(accounts.iter().all(|pool| pool.positions.len() <= 3));
}

#[test]
fn impossible_wishes_are_refused() {
    let too_many = MarketOptions { instruments: Some(10_000), ..MarketOptions::default() };
    assert!(Market::built_in(&too_many).is_err());
    let nothing_left = MarketOptions { underlyings: Some(vec!["NONE".into()]), ..MarketOptions::default() };
    assert!(Market::built_in(&nothing_left).is_err());
    let market = market();
    assert!(Accounts::new(&market, &Rulebook::default(), options(1)).is_err());
    let share = Options { near_threshold_share: 1.5, ..options(1) };
    assert!(Accounts::new(&market, &rulebook(&market), share).is_err());
}

/// The built-in market with its option chains.
fn market_with_options() -> Market {
    let options = MarketOptions { options: OptionListing::Chains, ..MarketOptions::default() };
    Market::built_in(&options).expect("the built-in market")
}

#[test]
fn chains_are_listed_and_move_nobody_else() {
    let (plain, listed) = (market(), market_with_options());
    assert!(listed.options.len() > 200 && listed.instruments.len() == plain.instruments.len() + listed.options.len());
    assert!(listed.instruments.is_sorted_by(|a, b| a.name < b.name));
    let rules = (rulebook(&plain), rulebook(&listed));
    let before = Accounts::new(&plain, &rules.0, options(300)).expect("accounts");
    let after = Accounts::new(&listed, &rules.1, options(300)).expect("accounts");
    let name = |market: &Market, position: &crate::domain::Position| {
        (market.instruments[position.instrument as usize].name.clone(), position.quantity.to_bits())
    };
    let mut holders = 0;
    for (before, after) in before.iter().zip(after.iter()) {
        let (options, others): (Vec<_>, Vec<_>) =
            after.positions.iter().partition(|position| listed.options.contains(&position.instrument));
        holders += usize::from(!options.is_empty());
        let others: Vec<_> = others.into_iter().map(|position| name(&listed, position)).collect();
        let plain: Vec<_> = before.positions.iter().map(|position| name(&plain, position)).collect();
        assert_eq!(others, plain, "{}", after.account);
    }
    assert!((45..110).contains(&holders), "{holders} of about 300 pools hold options");
}

#[test]
fn estimates_of_option_books_are_the_engines_figures() {
    use crate::engine::Arbiter;
    use crate::margin::{Rules, Setting, revalue};
    use crate::pricing::{Column, Unshocked};
    let market = market_with_options();
    let rulebook = rulebook(&market);
    let snapshot = snapshot(&market, &rulebook, options(400)).expect("a snapshot");
    let rules = Rules::resolve(&rulebook, &snapshot).expect("rules");
    let nothing = crate::scenario::ScenarioSet::default();
    let rows = revalue(&rules, &snapshot, &nothing, Unshocked::Hold).expect("rows");
    let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
    let arbiter = Arbiter::new(setting);
    let accounts = Accounts::new(&market, &rulebook, options(400)).expect("accounts");
    for (index, pool) in accounts.iter().enumerate() {
        let of_book = snapshot.book.pool(index);
        assert_eq!(of_book.account, pool.account);
        if of_book.pool != pool.pool {
            continue;
        }
        let figures = arbiter.figures(&of_book, Column::Base);
        let estimate = accounts.estimator().estimate(&pool.balances, &pool.positions);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (figures.gross_notional + 1.0);
        assert!(close(figures.equity, estimate.equity), "{} {figures:?} {estimate:?}", pool.account);
        assert!(close(figures.adjusted_equity, estimate.adjusted_equity), "{}", pool.account);
        assert!(close(figures.maintenance_margin, estimate.maintenance_margin), "{}", pool.account);
        assert!(close(figures.initial_margin, estimate.initial_margin), "{}", pool.account);
    }
}
