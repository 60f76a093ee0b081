use pulp::{Arch, Simd, WithSimd};

use super::formula::Terms;
use super::formula::{OUTPUTS, cut_off, value, value_and_greeks};
use super::{BOUNDED_LANES, Bounded, Chain, ContractTerms, market_of, rates_of, terms_of};

/// Room for the f64 arithmetic of the bound itself and of the atoms' differences.
const SECOND_ORDER: f64 = 1.0001;
/// Size from which an intermediate could overflow f32.
const SIZE_MAX: f64 = 1.267_650_600_228_229_4e30; // 2^100

/// How far a device's values of one contract may lie from `atoms` (value less base, quote units, one per scenario): the
/// largest over the scenarios; infinite where the derivation does not hold (`NUMERICS.md` §12).
pub fn row_bound(chain: &Chain, contract: &ContractTerms, atoms: impl Fn(usize) -> f64) -> f64 {
    let terms = contract.terms;
    if ![terms.strike, terms.contract, terms.base, terms.volatility, terms.moneyness].iter().all(|&x| is_moderate(x)) {
        return f64::INFINITY;
    }
    let run = Run { chain, contract };
    let mut bound: f64 = 0.0;
    for first in (0..chain.scenario_count()).step_by(BOUNDED_LANES) {
        let priced = Arch::new().dispatch(ValueOfLanes { run, first });
        for lane in 0..BOUNDED_LANES.min(chain.scenario_count() - first) {
            let atom = atoms(first + lane);
            let apart =
                (priced.value[lane] - atom).abs() + 2.0 * f64::EPSILON * (atom.abs() + f64::from(terms.base).abs());
            let error = SECOND_ORDER * (priced.error()[lane] + apart);
            // NaN is no bound.
            bound = if error <= bound { bound } else { error };
            if bound.is_nan() {
                return f64::INFINITY;
            }
        }
    }
    if bound < SIZE_MAX { bound } else { f64::INFINITY }
}

fn is_moderate(input: f32) -> bool {
    f64::from(input).abs() < SIZE_MAX
}

/// How far a device's value less base and Greeks of one contract may lie from the exact ones, under neighbouring scenarios
/// from `first` on, beside what the formula gives in f64: `[output]` (values, errors). Inputs count as rounded, so nothing
/// here has been compared with a reference; holds where [`super::formula::is_covered`]. Lanes after the last scenario repeat
/// it.
pub fn output_bounds(
    chain: &Chain,
    contract: &ContractTerms,
    first: usize,
) -> [([f64; BOUNDED_LANES], [f64; BOUNDED_LANES]); OUTPUTS] {
    let outputs = Arch::new().dispatch(OutputsOfLanes { run: Run { chain, contract }, first });
    let mut bounds = outputs.map(|output| (output.value, output.error().map(|error| SECOND_ORDER * error)));
    for lane in 0..BOUNDED_LANES {
        let (expiry, scenario) = (contract.expiry as usize, (first + lane).min(chain.scenario_count() - 1));
        let lost = cut_off(&contract.terms, &chain.market(expiry, scenario), &chain.rates(expiry, scenario));
        bounds.iter_mut().zip(lost).for_each(|((_, errors), lost)| errors[lane] += lost);
    }
    bounds
}

#[derive(Clone, Copy)]
struct Run<'c> {
    chain: &'c Chain,
    contract: &'c ContractTerms,
}

impl Run<'_> {
    #[inline(always)]
    fn field(&self, first: usize, field: usize) -> impl Fn(usize) -> f32 + '_ {
        let values = self.chain.field(self.contract.expiry as usize, field);
        move |lane| values[(first + lane).min(values.len() - 1)]
    }
}

struct ValueOfLanes<'c> {
    run: Run<'c>,
    first: usize,
}

impl WithSimd for ValueOfLanes<'_> {
    type Output = Bounded;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Bounded {
        value(
            &terms_of(&self.run.contract.terms),
            &market_of(|field| Bounded::input(self.run.field(self.first, field))),
        )
    }
}

struct OutputsOfLanes<'c> {
    run: Run<'c>,
    first: usize,
}

impl WithSimd for OutputsOfLanes<'_> {
    type Output = [Bounded; OUTPUTS];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [Bounded; OUTPUTS] {
        let field = |field| Bounded::rounded(self.run.field(self.first, field));
        value_and_greeks(&rounded_terms(&self.run.contract.terms), &market_of(field), &rates_of(field))
    }
}

/// Terms as numbers that were rounded.
#[inline(always)]
fn rounded_terms(terms: &Terms<f32>) -> Terms<Bounded> {
    Terms {
        moneyness: Bounded::rounded(|_| terms.moneyness),
        strike: Bounded::rounded(|_| terms.strike),
        volatility: Bounded::rounded(|_| terms.volatility),
        sign: Bounded::input(|_| terms.sign),
        contract: Bounded::rounded(|_| terms.contract),
        base: Bounded::rounded(|_| terms.base),
    }
}
