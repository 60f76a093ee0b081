//! Liquidations of whole synthetic exchanges: nothing is lost, nothing depends on order, threads or engine.

use std::collections::BTreeMap;

use ndarray::Array2;
use plimsoll::domain::{BookBuilder, Snapshot};
use plimsoll::engine::EngineChoice;
use plimsoll::error::Result;
use plimsoll::liquidation::{
    Action, Cause, Event, Health, Options, Outcome, Party, Path, Quanta, Recorder, Summary, liquidate,
};
use plimsoll::margin::Rulebook;
use plimsoll::policy::{
    Allocation, Clip, CutPolicy, CutRule, DeleverageBasis, DeleveragePolicy, FundPolicy, FundScope, ImpactLaw,
    ImpactPolicy, Policy, Purse, TakeOver,
};
use plimsoll::scenario::{Factor, ScenarioSet};
use plimsoll::synth::{self, Market, MarketOptions, OptionListing};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::component_books;
use crate::component_rules::{alone, mixed};
use crate::engines::engines;

fn synthetic(accounts: u64, options: OptionListing) -> (Snapshot, Rulebook) {
    let market = Market::built_in(&MarketOptions { seed: 8, options, ..MarketOptions::default() }).expect("a market");
    let rulebook = synth::rulebook(&market);
    let of = synth::Options { accounts, seed: 8, near_threshold_share: 0.02 };
    (synth::snapshot(&market, &rulebook, of).expect("a book"), rulebook)
}

/// Every price moves by as much, one scenario each.
fn falls(snapshot: &Snapshot, falls: &[f64]) -> ScenarioSet {
    let mut factors: Vec<Factor> = snapshot.underlyings.iter().map(|u| Factor::price(&u.factor)).collect();
    factors.sort();
    factors.dedup();
    ScenarioSet {
        ids: falls.iter().map(|fall| format!("{fall}")).collect(),
        weights: vec![1.0; falls.len()],
        labels: vec![String::new(); falls.len()],
        shocks: Array2::from_shape_fn((falls.len(), factors.len()), |(row, _)| falls[row]),
        factors,
    }
}

fn impact() -> ImpactPolicy {
    ImpactPolicy { default_depth_quote: Some(1e5), ..ImpactPolicy::default() }
}

/// Policies that take every branch of the sequence.
fn policies() -> Vec<(&'static str, Policy)> {
    let cut = |rule: CutRule| CutPolicy { rule, ..CutPolicy::default() };
    let base = Policy { impact: impact(), ..Policy::default() };
    let fund = FundPolicy { balance: Purse::Quote(20_000.0), ..FundPolicy::default() };
    let profits =
        DeleveragePolicy { basis: DeleverageBasis::Profits, severity: 0.5, allocation: Allocation::ProfitLeverage };
    let clip = Some(Clip { share: 0.2, above_quote: 1e5, rounds: 1, cooldown_rounds: 1 });
    let production = CutPolicy { rule: CutRule::Full, clip, dust_quote: 50.0 };
    let by_underlying =
        FundPolicy { scope: FundScope::Underlying, balance: Purse::Quote(2e3), balances: BTreeMap::new() };
    let square_root = ImpactPolicy { law: ImpactLaw::SquareRoot { factor: 1.0 }, ..impact() };
    vec![
        ("full", Policy { cut: cut(CutRule::Full), ..base.clone() }),
        ("min_cost", Policy { fund: fund.clone(), ..base.clone() }),
        (
            "production",
            Policy {
                cut: production,
                take_over: TakeOver { below_health: 2.0 / 3.0, capital: Purse::Quote(1e6) },
                deleverage: DeleveragePolicy { allocation: Allocation::MarkEntry, ..DeleveragePolicy::default() },
                ..base.clone()
            },
        ),
        ("profits", Policy { cut: cut(CutRule::StepDown), deleverage: profits, fund: by_underlying, ..base.clone() }),
        ("square root", Policy { cut: cut(CutRule::LargestRelief), impact: square_root, fund, ..base.clone() }),
        (
            "pro rata",
            Policy {
                cut: cut(CutRule::ProRata),
                deleverage: DeleveragePolicy {
                    allocation: Allocation::ProRata,
                    severity: 0.9,
                    ..DeleveragePolicy::default()
                },
                ..base
            },
        ),
    ]
}

/// Adds everything up again, from the events alone.
#[derive(Default)]
struct Recount {
    events: u64,
    /// Net cash of every party of a scenario and asset; pools are one party.
    cash: BTreeMap<(usize, u32), i128>,
    contracts: BTreeMap<(usize, u32), i128>,
    fund_draw: i128,
}

impl Recorder for Recount {
    fn record(&mut self, scenario: usize, _: u64, events: &[Event]) -> Result<()> {
        self.events += events.len() as u64;
        for event in events {
            // Between two pools there are two events, which cancel; anybody else is the other side of one.
            if let Party::Pool(_) = event.party {
                *self.cash.entry((scenario, event.asset)).or_default() += event.amount.0 - event.carry.0;
                if let Some(instrument) = event.instrument {
                    *self.contracts.entry((scenario, instrument)).or_default() += event.quantity.0;
                }
            }
            if event.action == Action::FundDraw {
                self.fund_draw += event.amount.0;
            }
        }
        Ok(())
    }
}

fn run(
    (snapshot, rulebook): (&Snapshot, &Rulebook),
    policy: &Policy,
    set: &ScenarioSet,
    (engine, threads): (EngineChoice, usize),
) -> (Outcome, Recount) {
    let paths: Vec<Path> = (0..set.len()).map(|s| Path::of_scenario(set, s, policy.rounds_max)).collect();
    let mut options = Options::default();
    (options.sweep.engine, options.sweep.threads) = (engine, Some(threads));
    let mut recount = Recount::default();
    let outcome = liquidate((snapshot, rulebook), policy, &paths, &options, (&(), &mut recount)).expect("sequenced");
    (outcome, recount)
}

fn show(name: &str, summary: &Summary) {
    println!(
        "{name}: {} breached {} liquidated {} rounds {} events {} cut {:.0} cost {:.0} fund {} adl {:.0} haircut {} social {} uncovered {} amplification {:?} {:?}",
        summary.scenario,
        summary.breached_pools,
        summary.liquidated_pools,
        summary.rounds.len(),
        summary.events,
        summary.tally.liquidated_notional,
        summary.tally.cost,
        summary.tally.fund_draw,
        summary.tally.deleveraged_notional,
        summary.tally.haircut,
        summary.tally.socialised,
        summary.tally.uncovered,
        summary.amplification,
        summary.after,
    );
}

#[test]
fn nothing_is_lost_whatever_the_policy() {
    let (snapshot, rulebook) = synthetic(1_500, OptionListing::Chains);
    let set = falls(&snapshot, &[-0.1, -0.3, -0.6, 0.4]);
    let mut seen: BTreeMap<Action, u64> = BTreeMap::new();
    for (name, policy) in policies() {
        let (outcome, recount) = run((&snapshot, &rulebook), &policy, &set, (EngineChoice::Cpu, 2));
        for summary in &outcome.scenarios {
            show(name, summary);
            assert_eq!(summary.tally.conservation_error, 0, "{name}");
            assert!(summary.liquidated_pools > 0, "{name}");
            summary.tally.actions.iter().for_each(|(action, count)| *seen.entry(*action).or_default() += count);
            let ladder = &summary.after;
            let pools = ladder.healthy + ladder.restricted + ladder.liquidatable + ladder.partially_liquidated;
            assert_eq!((pools + ladder.bankrupt + ladder.closed) as usize, snapshot.book.len(), "{name}");
        }
        assert!(recount.cash.values().chain(recount.contracts.values()).all(|net| *net == 0), "{name}");
        let drawn: Quanta = outcome.scenarios.iter().map(|summary| summary.tally.fund_draw).sum();
        assert_eq!(recount.fund_draw, drawn.0, "{name}");
        assert_eq!(recount.events, outcome.scenarios.iter().map(|summary| summary.events).sum::<u64>());
    }
    println!("{seen:?}");
    // Synthetic pools have no open orders.
    assert_eq!(seen.len(), Action::WORDS.len() - 1, "every action is taken: {seen:?}");
}

#[test]
fn one_digest_for_threads_engines_and_any_order_of_accounts() {
    let (snapshot, rulebook) = synthetic(600, OptionListing::None);
    let set = falls(&snapshot, &[-0.25]);
    for (name, policy) in policies() {
        let digest = |snapshot: &Snapshot, how| run((snapshot, &rulebook), &policy, &set, how).0.digest;
        let expected = digest(&snapshot, (EngineChoice::Cpu, 2));
        assert_eq!(digest(&snapshot, (EngineChoice::Cpu, 1)), expected, "{name}, one thread");
        assert_eq!(digest(&snapshot, (EngineChoice::Reference, 2)), expected, "{name}, reference");
        assert_eq!(digest(&backwards(&snapshot), (EngineChoice::Cpu, 2)), expected, "{name}, backwards");
        // A device is opened again for every screening sweep: one policy shows it.
        for engine in engines().into_iter().filter(|_| name == "production") {
            println!("{name} screened by {engine:?}");
            assert_eq!(digest(&snapshot, (engine, 2)), expected, "{name}");
        }
    }
}

/// The same book, from rows in the opposite order.
fn backwards(snapshot: &Snapshot) -> Snapshot {
    let mut builder = BookBuilder::default();
    for index in (0..snapshot.book.len()).rev() {
        let pool = snapshot.book.pool(index);
        let id = builder.pool(pool.account, pool.pool);
        pool.positions.iter().rev().for_each(|position| builder.add_position(id, *position));
        pool.balances.iter().rev().for_each(|balance| builder.add_balance(id, *balance));
    }
    snapshot.with_book(builder.build())
}

/// Cutting what is needed costs clients less than closing everything, and moves prices less.
#[test]
fn partial_cuts_cost_less_than_full_closes() {
    let (snapshot, rulebook) = synthetic(1_500, OptionListing::None);
    let set = falls(&snapshot, &[-0.1, -0.2]);
    let policy = |rule: CutRule| Policy {
        cut: CutPolicy { rule, ..CutPolicy::default() },
        impact: impact(),
        fund: FundPolicy { balance: Purse::Unlimited, ..FundPolicy::default() },
        ..Policy::default()
    };
    let total = |rule: CutRule| {
        let (outcome, _) = run((&snapshot, &rulebook), &policy(rule), &set, (EngineChoice::Cpu, 2));
        outcome.scenarios.iter().for_each(|summary| show(&format!("{rule:?}"), summary));
        let sum = |of: fn(&Summary) -> f64| outcome.scenarios.iter().map(of).sum::<f64>();
        (sum(|s| s.tally.cost), sum(|s| s.tally.liquidated_notional), sum(|s| s.amplification.unwrap_or_default()))
    };
    let (full, partial) = (total(CutRule::Full), total(CutRule::MinCost));
    assert!(partial.0 < full.0 && partial.1 < full.1 && partial.2 <= full.2, "{partial:?} {full:?}");
}

/// Every cut shrinks a position and improves the pool's health, under rules that know nothing of positions, too.
#[derive(Default)]
struct Cuts(Vec<Event>);

impl Recorder for Cuts {
    fn record(&mut self, _: usize, _: u64, events: &[Event]) -> Result<()> {
        self.0.extend(events.iter().filter(|event| event.action == Action::Cut));
        Ok(())
    }
}

#[test]
fn portfolio_margin_is_cut_where_it_binds() {
    let mut random = ChaCha8Rng::seed_from_u64(31);
    let mut partial = 0;
    let mut costs: BTreeMap<&str, f64> = BTreeMap::new();
    for (seed, rulebook) in
        [alone("grid", &mut random), alone("span", &mut random), mixed(&["grid"], &mut random)].into_iter().enumerate()
    {
        let case = component_books::random(60, rulebook, 40 + seed as u64);
        for rule in [CutRule::Program, CutRule::MinCost, CutRule::ProRata] {
            let policy = Policy {
                cut: CutPolicy { rule, clip: None, dust_quote: 0.0 },
                impact: ImpactPolicy { law: ImpactLaw::None, ..ImpactPolicy::default() },
                fund: FundPolicy { balance: Purse::Unlimited, ..FundPolicy::default() },
                ..Policy::default()
            };
            let paths: Vec<Path> = (0..4).map(|s| Path::of_scenario(&case.scenarios, s, policy.rounds_max)).collect();
            let mut options = Options::default();
            options.sweep.engine = EngineChoice::Cpu;
            let mut cuts = Cuts::default();
            let book = (&case.snapshot, &case.rulebook);
            let outcome = liquidate(book, &policy, &paths, &options, (&(), &mut cuts)).expect("sequenced");
            for summary in &outcome.scenarios {
                assert_eq!(summary.tally.conservation_error, 0);
                *costs.entry(if rule == CutRule::Program { "program" } else { "other" }).or_default() +=
                    summary.tally.cost;
                println!(
                    "{rule:?} {} cost {:.2} cut {:.0}",
                    summary.scenario, summary.tally.cost, summary.tally.liquidated_notional
                );
            }
            for event in &cuts.0 {
                let held = case.snapshot.book.pool(event.pool as usize).positions.iter();
                let held = held.filter(|position| Some(position.instrument) == event.instrument);
                assert!(
                    held.into_iter().any(|position| position.quantity * (event.quantity.0 as f64) < 0.0),
                    "{event:?}"
                );
                if matches!(event.cause, Cause::Breach | Cause::BelowTarget) {
                    partial += 1;
                    let excess = |health: Health| health.adjusted_equity - 1.1 * health.maintenance_margin;
                    assert!(excess(event.after) >= excess(event.before), "{rule:?} {event:?}");
                }
            }
        }
    }
    println!("{partial} partial cuts, {costs:?}");
    assert!(partial > 100, "{partial}");
}
