//! Options in f32: the bound of `NUMERICS.md` §12 against the worst arithmetic the rules allow.

use std::cell::RefCell;

use plimsoll::domain::{InstrumentIndex, Kind, Snapshot};
use plimsoll::pricing::single::formula::{OUTPUTS, is_covered, value_and_greeks};
use plimsoll::pricing::single::{
    Arithmetic, BOUNDED_LANES, Chain, market_of, output_bounds, rates_of, row_bound, terms_of,
};
use plimsoll::pricing::{Column, Greeks, ShockedMarket};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::option_books;

const OPTIONS: usize = 300;
const SCENARIOS: usize = 64;

fn options_of(snapshot: &Snapshot) -> Vec<InstrumentIndex> {
    let all = (0u32..).zip(&snapshot.instruments);
    all.filter(|(_, instrument)| instrument.kind == Kind::Option).map(|(index, _)| index).collect()
}

thread_local! {
    static RANDOM: RefCell<ChaCha8Rng> = RefCell::new(ChaCha8Rng::seed_from_u64(1));
}

/// f32 in the worst arithmetic that WGSL allows: every operation goes to either neighbour, every function errs as far as
/// it may in either direction, subnormals flush.
#[derive(Clone, Copy)]
struct Rough(f32);

fn is_up() -> bool {
    RANDOM.with_borrow_mut(|random| random.random_bool(0.5))
}

impl Rough {
    /// Either f32 neighbour of an exact number; itself where it is one.
    fn rounded(exact: f64) -> Self {
        let nearest = exact as f32;
        let (low, high) = match f64::from(nearest).partial_cmp(&exact).expect("a number") {
            std::cmp::Ordering::Less => (nearest, nearest.next_up()),
            std::cmp::Ordering::Greater => (nearest.next_down(), nearest),
            std::cmp::Ordering::Equal => (nearest, nearest),
        };
        let chosen = if is_up() { high } else { low };
        Self(if chosen.is_subnormal() { 0.0 } else { chosen })
    }

    /// A function's result, wrong by as many units in the last place as it may be.
    fn wrong_by(exact: f64, ulps: f64) -> Self {
        let nearest = exact as f32;
        let ulp = f64::from(nearest.next_up()) - f64::from(nearest);
        let exact = if is_up() { exact + ulps * ulp } else { exact - ulps * ulp };
        Self(exact as f32)
    }
}

impl Arithmetic for Rough {
    fn of(value: f32) -> Self {
        Self(value)
    }

    fn plus(self, other: Self) -> Self {
        Self::rounded(f64::from(self.0) + f64::from(other.0))
    }

    fn minus(self, other: Self) -> Self {
        Self::rounded(f64::from(self.0) - f64::from(other.0))
    }

    fn times(self, other: Self) -> Self {
        Self::rounded(f64::from(self.0) * f64::from(other.0))
    }

    fn signed(self, sign: Self) -> Self {
        Self(self.0 * sign.0)
    }

    fn reciprocal(self) -> Self {
        Self::wrong_by(1.0 / f64::from(self.0), 2.0)
    }

    fn exponential(self) -> Self {
        Self::wrong_by(f64::from(self.0).exp(), 2.5 + 2.0 * f64::from(self.0.abs()))
    }

    fn absolute(self) -> Self {
        Self(self.0.abs())
    }

    fn or_more(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    fn or_less(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    fn above(self, limit: f32, then: Self, otherwise: Self) -> Self {
        if self.0 > limit { then } else { otherwise }
    }
}

/// Value less base and Greeks of a contract in f64.
fn reference(
    market: &ShockedMarket<'_>,
    snapshot: &Snapshot,
    index: InstrumentIndex,
    scenario: usize,
) -> [f64; OUTPUTS] {
    let instrument = &snapshot.instruments[index as usize];
    let at = market.contract(instrument, Column::Scenario(scenario));
    let greeks = at.greeks.to_array();
    let value = at.value - market.contract(instrument, Column::Base).value;
    std::array::from_fn(|output| if output == 0 { value } else { greeks[output - 1] })
}

fn output_name(output: usize) -> &'static str {
    if output == 0 { "value" } else { Greeks::NAMES[output - 1] }
}

/// Errors in units of their bounds, and row bounds in units of the forward's value.
#[derive(Default)]
struct Ratios {
    worst: [f64; OUTPUTS],
    seen: u64,
}

impl Ratios {
    fn note(&mut self, output: usize, error: f64, bound: f64, what: impl Fn() -> String) {
        let ratio = error / bound;
        assert!(ratio <= 1.0, "{}: {ratio} of its bound: {}", output_name(output), what());
        self.worst[output] = self.worst[output].max(ratio);
        self.seen += 1;
    }

    /// No output's bound may be so wide that the test could not see it fail.
    fn assert_tight(&self, name: &str, least: f64) {
        for (output, worst) in self.worst.iter().enumerate() {
            println!("{name}, {}: largest error / bound {worst:.4}", output_name(output));
        }
        assert!(self.worst.iter().all(|&ratio| ratio > least), "{:?}", self.worst);
    }
}

fn base_of<'a>(market: &'a ShockedMarket<'a>, snapshot: &'a Snapshot) -> impl Fn(InstrumentIndex) -> f64 + 'a {
    |index| market.contract(&snapshot.instruments[index as usize], Column::Base).value
}

#[test]
fn the_worst_arithmetic_keeps_the_bound() {
    let snapshot = option_books::market(OPTIONS, 3);
    let scenarios = option_books::scenarios(SCENARIOS, 4);
    let market = ShockedMarket::new(&snapshot, &scenarios);
    let chain = Chain::new(&snapshot, &market, SCENARIOS, &options_of(&snapshot), base_of(&market, &snapshot));
    assert_eq!(chain.contracts.len(), OPTIONS);
    let (mut ratios, mut relative) = (Ratios::default(), Vec::new());
    for contract in &chain.contracts {
        let exact = |scenario| reference(&market, &snapshot, contract.instrument, scenario);
        let row = row_bound(&chain, contract, |scenario| exact(scenario)[0]);
        let mut size: f32 = 0.0;
        for first in (0..SCENARIOS).step_by(BOUNDED_LANES) {
            let bounds = output_bounds(&chain, contract, first);
            for lane in 0..BOUNDED_LANES {
                let (exact, market) = (exact(first + lane), chain.market(contract.expiry as usize, first + lane));
                size = size.max(contract.terms.contract * market.discount * market.forward.max(contract.terms.strike));
                let field = |field| Rough(chain.field(contract.expiry as usize, field)[first + lane]);
                let rough = value_and_greeks(&terms_of(&contract.terms), &market_of(field), &rates_of(field));
                assert!((f64::from(rough[0].0) - exact[0]).abs() <= row, "{contract:?} {market:?}");
                if !is_covered(&contract.terms, &market) {
                    continue;
                }
                for output in 0..OUTPUTS {
                    let error = (f64::from(rough[output].0) - exact[output]).abs();
                    let what = || format!("{contract:?} {market:?} {} {}", rough[output].0, exact[output]);
                    ratios.note(output, error, bounds[output].1[lane], what);
                }
            }
        }
        relative.push(row / f64::from(size));
    }
    ratios.assert_tight("worst arithmetic", 1e-2);
    relative.sort_by(f64::total_cmp);
    let at = |part: usize| relative[(relative.len() - 1) * part / 100];
    println!("row bound / forward value: median {:.2e}, 90 % {:.2e}, largest {:.2e}", at(50), at(90), at(100));
    assert!(ratios.seen > 100_000 && at(50) < 4e-6, "a useful bound on most of {}", ratios.seen);
}

#[cfg(feature = "gpu")]
mod device {
    use plimsoll::engine::gpu::{Checks, OptionPricer, Outputs};
    use plimsoll::engine::plan::Revaluation;
    use plimsoll::engine::{EngineChoice, Outcome, SweepOptions, digest, sweep};

    use super::*;
    use crate::engines::engines;

    /// The software adapter; `None` only where the environment says that none is meant.
    fn pricer(checks: Checks) -> Option<OptionPricer> {
        let EngineChoice::Gpu(name) = engines().pop()? else { return None };
        Some(OptionPricer::open(name.as_deref(), checks).expect("the device opens"))
    }

    #[test]
    fn every_output_of_a_device_keeps_its_bound() {
        let (n_options, n_scenarios) = (1_000, 300);
        let snapshot = option_books::market(n_options, 5);
        let scenarios = option_books::scenarios(n_scenarios, 6);
        let market = ShockedMarket::new(&snapshot, &scenarios);
        let chain = Chain::new(&snapshot, &market, n_scenarios, &options_of(&snapshot), |_| 0.0);
        for (checks, outputs) in [(Checks::Trusted, Outputs::EightGreeks), (Checks::Checked, Outputs::FourGreeks)] {
            let Some(pricer) = pricer(checks) else { return };
            let priced = pricer.run(&chain, outputs, 1).expect("the device prices");
            let mut ratios = Ratios::default();
            for (k, contract) in chain.contracts.iter().enumerate() {
                for first in (0..n_scenarios).step_by(BOUNDED_LANES) {
                    let bounds = output_bounds(&chain, contract, first);
                    for scenario in first..(first + BOUNDED_LANES).min(n_scenarios) {
                        let at = chain.market(contract.expiry as usize, scenario);
                        if !is_covered(&contract.terms, &at) {
                            continue;
                        }
                        let instrument = &snapshot.instruments[contract.instrument as usize];
                        let exact = market.contract(instrument, Column::Scenario(scenario));
                        for output in 0..outputs.count() {
                            let answer = f64::from(priced.at(k, output, scenario));
                            let greeks = exact.greeks.to_array();
                            let exact = if output == 0 { exact.value } else { greeks[output - 1] };
                            let bound = bounds[output].1[scenario - first];
                            let what = || format!("{contract:?} {at:?}: {answer} for {exact}");
                            ratios.note(output, (answer - exact).abs(), bound, what);
                        }
                    }
                }
            }
            assert!(ratios.seen > 200_000 * outputs.count() as u64, "{}", ratios.seen);
            ratios.worst[outputs.count()..].fill(1.0);
            ratios.assert_tight(&format!("{outputs:?} on {}", pricer.adapter()), 1e-4);
        }
    }

    fn swept(case: &crate::books::Case, engine: EngineChoice, revaluation: Revaluation) -> Outcome {
        let options = SweepOptions { engine, revaluation, ..SweepOptions::default() };
        sweep(&case.snapshot, &case.rulebook, &case.scenarios, &options, &()).expect("the sweep succeeds")
    }

    #[test]
    fn wherever_options_are_priced_the_decisions_are_the_same() {
        let Some(pricer) = pricer(Checks::Trusted) else { return };
        let case = option_books::random(2_000, 256, 400, 7);
        let reference = swept(&case, EngineChoice::Reference, Revaluation::Auto);
        let liquidatable: u64 = reference.scenarios.iter().map(|s| s.liquidatable_pools).sum();
        let bankrupt: u64 = reference.scenarios.iter().map(|s| s.bankrupt_pools).sum();
        assert!(liquidatable > 1_000 && bankrupt > 100, "{liquidatable} {bankrupt}: the book must breach");
        let gpu = || EngineChoice::Gpu(Some(pricer.adapter().name.clone()));
        for (engine, revaluation) in [
            (EngineChoice::Cpu, Revaluation::Device),
            (gpu(), Revaluation::Host),
            (gpu(), Revaluation::Auto),
            (gpu(), Revaluation::Device),
        ] {
            let outcome = swept(&case, engine, revaluation);
            println!(
                "{} {revaluation:?}: {}; {} pools re-decided, audit {:?}, {:?}",
                outcome.engine, outcome.revaluation, outcome.redecided_pools, outcome.audit, outcome.seconds
            );
            let on_device = outcome.engine == "gpu" && revaluation == Revaluation::Device;
            assert_eq!(outcome.revaluation.device_rows > 0, on_device, "a software adapter is not for auto");
            assert!(!on_device || outcome.revaluation.device_rows * 2 > outcome.revaluation.option_rows);
            assert_eq!(digest(&outcome.pools, &outcome.scenarios), digest(&reference.pools, &reference.scenarios));
            for (a, b) in outcome.scenarios.iter().zip(&reference.scenarios) {
                let counts = |s: &plimsoll::engine::ScenarioOutcome| {
                    [s.restricted_pools, s.liquidatable_pools, s.bankrupt_pools]
                };
                assert_eq!(counts(a), counts(b));
                assert!((a.shortfall - b.shortfall).abs() <= a.shortfall_bound + b.shortfall_bound);
            }
        }
    }

    /// A call and a put per strike on one expiry of one coin, strikes in equal steps; deltas by a small price step.
    fn ladder() -> (Snapshot, plimsoll::scenario::ScenarioSet) {
        use plimsoll::domain::Right;
        use plimsoll::scenario::Factor;
        let mut snapshot = option_books::market(1, 9);
        let option = snapshot.instruments.iter().find(|i| i.kind == Kind::Option).expect("an option").clone();
        snapshot.instruments.clear();
        for step in 0..60 {
            for right in [Right::Call, Right::Put] {
                snapshot.instruments.push(plimsoll::domain::Instrument {
                    name: format!("{step:02}-{right:?}"),
                    underlying: 0,
                    payoff: plimsoll::domain::Payoff::Linear,
                    settlement_asset: option_books::asset_index(&snapshot.assets, "USD"),
                    price_asset: option_books::asset_index(&snapshot.assets, "USD"),
                    fixed_rate: 1.0,
                    contract_size: 1.0,
                    strike: Some(40_000.0 + 800.0 * f64::from(step)),
                    forward_price: Some(65_000.0),
                    expiry: Some("2026-12-25T08:00:00Z".parse().expect("a time")),
                    right: Some(right),
                    ..option.clone()
                });
            }
        }
        let mut scenarios = option_books::scenarios(3, 1);
        scenarios.factors = vec![Factor::price("BTC")];
        scenarios.shocks = ndarray::array![[0.0], [STEP], [-STEP]];
        (snapshot, scenarios)
    }

    /// Relative price step of the difference quotients: 2⁻⁷.
    const STEP: f64 = 1.0 / 128.0;

    #[test]
    fn a_devices_prices_keep_parity_order_convexity_and_slope_within_their_bounds() {
        let Some(pricer) = pricer(Checks::Trusted) else { return };
        let (snapshot, scenarios) = ladder();
        let market = ShockedMarket::new(&snapshot, &scenarios);
        let chain = Chain::new(&snapshot, &market, 3, &options_of(&snapshot), |_| 0.0);
        let priced = pricer.run(&chain, Outputs::FourGreeks, 1).expect("the device prices");
        let at = |option: usize, output: usize, scenario: usize| {
            let k = chain.contracts.iter().position(|c| c.instrument as usize == option).expect("in the chain");
            let bound = output_bounds(&chain, &chain.contracts[k], 0)[output].1[scenario];
            (f64::from(priced.at(k, output, scenario)), bound)
        };
        let strike = |option: usize| snapshot.instruments[option].strike.expect("a strike");
        for call in (0..snapshot.instruments.len()).step_by(2) {
            let (c, c_bound) = at(call, 0, 0);
            let (p, p_bound) = at(call + 1, 0, 0);
            let (option, state) = market.option(&snapshot.instruments[call], Column::Base).expect("an option");
            let discount = (-state.rate * state.years).exp();
            let parity = discount * (state.forward - option.strike);
            assert!((c - p - parity).abs() <= c_bound + p_bound, "parity at {}", strike(call));
            if call + 4 < snapshot.instruments.len() {
                let ((next, next_bound), (last, last_bound)) = (at(call + 2, 0, 0), at(call + 4, 0, 0));
                assert!(c >= next - c_bound - next_bound, "a call falls with its strike");
                assert!(c - 2.0 * next + last >= -(c_bound + 2.0 * next_bound + last_bound), "and is convex");
            }
            // The exact difference quotient is the exact delta up to its own truncation, taken from f64.
            let value = |scenario| market.contract(&snapshot.instruments[call], Column::Scenario(scenario)).value;
            let width = 2.0 * STEP * snapshot.underlyings[0].index_price;
            let delta = market.contract(&snapshot.instruments[call], Column::Base).greeks.delta;
            let truncation = ((value(1) - value(2)) / width - delta).abs();
            let ((up, up_bound), (down, down_bound), (slope, slope_bound)) =
                (at(call, 0, 1), at(call, 0, 2), at(call, 1, 0));
            let allowed = (up_bound + down_bound) / width + slope_bound + truncation;
            assert!(((up - down) / width - slope).abs() <= allowed, "slope at {}", strike(call));
            assert!(allowed < 0.01, "a slope that says something: {allowed}");
        }
    }

    #[test]
    fn everything_twice_as_large_is_worth_twice_as_much() {
        let Some(pricer) = pricer(Checks::Trusted) else { return };
        let (mut snapshot, scenarios) = ladder();
        let run = |snapshot: &Snapshot| {
            let market = ShockedMarket::new(snapshot, &scenarios);
            let chain = Chain::new(snapshot, &market, 3, &options_of(snapshot), |_| 0.0);
            let priced = pricer.run(&chain, Outputs::Value, 1).expect("the device prices");
            (0..chain.contracts.len()).map(|k| f64::from(priced.at(k, 0, 1))).collect::<Vec<_>>()
        };
        let once = run(&snapshot);
        snapshot.underlyings[0].index_price *= 2.0;
        for instrument in &mut snapshot.instruments {
            instrument.strike = instrument.strike.map(|strike| 2.0 * strike);
            instrument.forward_price = instrument.forward_price.map(|forward| 2.0 * forward);
        }
        // Powers of two pass through every f32 operation.
        assert_eq!(run(&snapshot), once.iter().map(|value| 2.0 * value).collect::<Vec<_>>());
    }
}
