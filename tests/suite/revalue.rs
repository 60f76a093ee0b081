//! Options in f32: the bound of `NUMERICS.md` §12 against the worst arithmetic the rules allow.

use std::cell::RefCell;

use plimsoll::domain::{InstrumentIndex, Kind, Snapshot};
use plimsoll::pricing::single::formula::{OUTPUTS, value_and_greeks};
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
fn reference(market: &ShockedMarket<'_>, snapshot: &Snapshot, index: InstrumentIndex, scenario: usize) -> [f64; OUTPUTS] {
    let instrument = &snapshot.instruments[index as usize];
    let at = market.contract(instrument, Column::Scenario(scenario));
    let greeks = at.greeks.to_array();
    let value = at.value - market.contract(instrument, Column::Base).value;
    std::array::from_fn(|output| if output == 0 { value } else { greeks[output - 1] })
}

fn output_name(output: usize) -> &'static str {
    if output == 0 { "value" } else { Greeks::NAMES[output - 1] }
}

#[test]
fn the_worst_arithmetic_keeps_the_bound() {
    let snapshot = option_books::market(OPTIONS, 3);
    let scenarios = option_books::scenarios(SCENARIOS, 4);
    let market = ShockedMarket::new(&snapshot, &scenarios);
    let base = |index| market.contract(&snapshot.instruments[index as usize], Column::Base).value;
    let chain = Chain::new(&snapshot, &market, SCENARIOS, &options_of(&snapshot), base);
    assert_eq!(chain.contracts.len(), OPTIONS);
    let mut worst = [0f64; OUTPUTS];
    let mut relative: Vec<f64> = Vec::new();
    for contract in &chain.contracts {
        let atom = |scenario| reference(&market, &snapshot, contract.instrument, scenario)[0];
        let index = market.index_price(snapshot.instruments[contract.instrument as usize].underlying, Column::Base);
        let (bound, mut size) = (row_bound(&chain, contract, atom), 0.0);
        for first in (0..SCENARIOS).step_by(BOUNDED_LANES) {
            let bounds = output_bounds(&chain, contract, first);
            for lane in 0..BOUNDED_LANES {
                let scenario = first + lane;
                let exact = reference(&market, &snapshot, contract.instrument, scenario);
                let market = chain.market(contract.expiry as usize, scenario);
                size = f64::max(size, f64::from(contract.terms.contract * market.discount * market.forward));
                let field = |field| Rough(chain.field(contract.expiry as usize, field)[scenario]);
                let rough = value_and_greeks(&terms_of(&contract.terms), &market_of(field), &rates_of(field));
                for output in 0..OUTPUTS {
                    let (center, error) = (bounds[output].0[lane], bounds[output].1[lane]);
                    let allowed = error + (center - exact[output]).abs();
                    let ratio = (f64::from(rough[output].0) - exact[output]).abs() / allowed;
                    if ratio > 1.0 {
                        println!("{} {contract:?} {market:?}: {center} {error} {} {}", output_name(output), rough[output].0, exact[output]);
                    }
                    worst[output] = worst[output].max(ratio);
                }
            }
        }
        let _ = index;
        relative.push(bound / size);
    }
    relative.sort_by(f64::total_cmp);
    for (output, worst) in worst.iter().enumerate() {
        println!("{}: largest error / bound {worst:.3}", output_name(output));
    }
    let at = |part: usize| relative[(relative.len() - 1) * part / 100];
    println!("row bound / forward value: median {:.2e}, 90 % {:.2e}, largest {:.2e}", at(50), at(90), at(100));
    assert!(worst.iter().all(|&ratio| ratio <= 1.0 && ratio > 1e-2), "{worst:?}");
}
