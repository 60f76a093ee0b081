//! The formula of `shaders/revalue.wgsl`, step by step the same.

use super::Arithmetic;

/// Outputs of the formula: the value, then the Greeks in the order of [`crate::pricing::Greeks::NAMES`].
pub const OUTPUTS: usize = 9;
/// Total volatility σ√T up to which an option is worth its discounted intrinsic value: 2⁻²⁰.
pub const DEVIATION_MIN: f32 = 1.0 / 1_048_576.0;
/// d₁ and d₂ are kept within ± this: beyond, N is 0 or 1 in f32 and φ nothing.
pub const REACH: f32 = 12.0;
/// 1/√(2π).
const DENSITY: f32 = 0.398_942_3;
/// The pole of the Mills ratio's variable: z = (x − a)/(x + a).
const POLE: f32 = 2.5;
/// Powers of z in (x + a)·M(x), for 0 ≤ x ≤ 12; fitted by `fixtures/revalue/fit_mills.py`, largest relative error 2.7e-8.
pub const MILLS: [f32; 10] = [
    1.771_325_6,
    -1.087_104_7,
    0.330_841_78,
    0.023_151_351,
    -0.041_068_42,
    -0.004_013_728,
    0.006_305_732_8,
    0.001_709_256_6,
    -0.000_756_518_8,
    -0.000_379_430_97,
];

/// Largest relative error of that, and more.
const MILLS_ERROR: f64 = 3e-8;
/// Above M(0) = √(π/2).
const MILLS_MAX: f32 = 1.253_314_3;

/// The shader's constants, by their names there.
pub const CONSTANTS: [(&str, f32); 5] = [
    ("DEVIATION_MIN", DEVIATION_MIN),
    ("REACH", REACH),
    ("DENSITY", DENSITY),
    ("POLE", POLE),
    ("MILLS_MAX", MILLS_MAX),
];

/// What stands still while scenarios pass: one contract.
#[derive(Debug, Clone, Copy)]
pub struct Terms<A> {
    /// ln(F₀/K).
    pub moneyness: A,
    /// K, price-asset units.
    pub strike: A,
    /// σ₀ per √year.
    pub volatility: A,
    /// 1 for a call, −1 for a put.
    pub sign: A,
    /// Units of the underlying per contract, times the fixed rate of a quanto contract.
    pub contract: A,
    /// Value of the contract in the unshocked market, quote units; the value comes out less this.
    pub base: A,
}

/// The market of an expiry under a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Market<A> {
    /// F, price-asset units.
    pub forward: A,
    /// ln(F/F₀).
    pub growth: A,
    /// √T · factor of every volatility's level.
    pub level: A,
    /// √T · tilt per unit of ln(K/F₀).
    pub tilt: A,
    /// √T · smallest volatility.
    pub low: A,
    /// √T · largest volatility.
    pub high: A,
    /// Discount factor · quote units per unit of the formula's value.
    pub discount: A,
}

/// What the Greeks need beside [`Market`].
#[derive(Debug, Clone, Copy)]
pub struct Rates<A> {
    /// √T.
    pub root: A,
    /// T, years.
    pub years: A,
    /// 1/(2T); 0 once expired.
    pub half_inverse: A,
    /// Rate of what the formula discounts, per year.
    pub rate: A,
    /// ln(F/S)/T per year.
    pub carry: A,
    /// rate − carry.
    pub rate_less_carry: A,
    /// d(price-asset index)/d(quote index), divided by the price-asset index.
    pub per_index: A,
}

/// What value and Greeks share.
#[derive(Debug, Clone, Copy)]
struct State<A> {
    deviation: A,
    inverse_deviation: A,
    d1: A,
    d2: A,
    /// F·φ(d₁) = K·φ(d₂).
    density: A,
    /// F·N(±d₁).
    forward_part: A,
    /// K·N(±d₂).
    strike_part: A,
    /// Contract · discount.
    scale: A,
}

/// (1 − N(x))/φ(x) for 0 ≤ x ≤ 12.
pub fn mills<A: Arithmetic>(x: A) -> A {
    let pole = A::of(POLE);
    let inverse = x.plus(pole).reciprocal();
    let z = x.minus(pole).times(inverse).within(1.0);
    let polynomial = MILLS[..9].iter().rev().fold(A::of(MILLS[9]), |sum, &c| sum.times(z).plus(A::of(c)));
    // M never exceeds M(0); the limit also keeps a compiler from regrouping the polynomial with sums further out.
    polynomial.times(inverse).or_less(A::of(MILLS_MAX)).approximated(MILLS_ERROR)
}

#[inline(always)]
fn state<A: Arithmetic>(terms: &Terms<A>, market: &Market<A>) -> State<A> {
    let unbounded = terms.volatility.times(market.level).minus(terms.moneyness.times(market.tilt));
    let total = unbounded.or_more(market.low).or_less(market.high);
    let deviation = total.or_more(A::of(DEVIATION_MIN));
    let inverse_deviation = deviation.reciprocal();
    let x = terms.moneyness.plus(market.growth);
    let (middle, half) = (x.times(inverse_deviation), deviation.times(A::of(0.5)));
    let side = x.above(0.0, A::of(REACH), A::of(-REACH));
    let d1 = total.above(DEVIATION_MIN, middle.plus(half), side).within(REACH);
    let d2 = total.above(DEVIATION_MIN, middle.minus(half), side).within(REACH);
    let density = market.forward.times(A::of(DENSITY)).times(d1.times(d1).times(A::of(-0.5)).exponential());
    let forward_tail = density.times(mills(d1.absolute()));
    let strike_tail = density.times(mills(d2.absolute()));
    State {
        deviation,
        inverse_deviation,
        d1,
        d2,
        density,
        forward_part: d1.signed(terms.sign).above(0.0, market.forward.minus(forward_tail), forward_tail),
        strike_part: d2.signed(terms.sign).above(0.0, terms.strike.minus(strike_tail), strike_tail),
        scale: terms.contract.times(market.discount),
    }
}

/// Whether a bound that compares with the exact formula holds: d₁ and d₂ both within [`REACH`], or both clearly beyond it
/// on the same side, where the formula puts them at ±12 and loses [`cut_off`].
pub fn is_covered(terms: &Terms<f32>, market: &Market<f32>) -> bool {
    let wide = |value: f32| f64::from(value);
    let unbounded = wide(terms.volatility) * wide(market.level) - wide(terms.moneyness) * wide(market.tilt);
    let total = unbounded.max(wide(market.low)).min(wide(market.high));
    let x = (wide(terms.moneyness) + wide(market.growth)).abs();
    let (least, reach) = (wide(DEVIATION_MIN), wide(REACH));
    if total > 2.0 * least {
        let (nearer, farther) = (x / total - 0.5 * total, x / total + 0.5 * total);
        farther < reach - 0.01 || nearer > reach + 0.01
    } else {
        total < 0.5 * least && x > 1e-5
    }
}

/// More than what each output loses where d₁ and d₂ are beyond [`REACH`]: there φ(d)·|d₁d₂| is below 256·φ(12) = 5.5e-30,
/// on the device as in the exact formula.
pub fn cut_off(terms: &Terms<f32>, market: &Market<f32>, rates: &Rates<f32>) -> [f64; OUTPUTS] {
    let wide = |value: f32| f64::from(value).abs();
    let size = 1.1e-29 * wide(terms.contract) * wide(market.discount) * wide(market.forward.max(terms.strike));
    let inverse = 1.0 / wide(DEVIATION_MIN);
    let total =
        wide(market.high).min(wide(terms.volatility) * wide(market.level) + wide(terms.moneyness * market.tilt));
    let (per_index, pull) = (wide(rates.per_index), wide(rates.rate) + wide(rates.rate_less_carry));
    let turn = wide(rates.carry) * inverse + wide(rates.half_inverse);
    [
        1.0,
        per_index,
        per_index * per_index * inverse,
        wide(rates.root),
        (total + 1.0) * wide(rates.half_inverse) + pull,
        wide(rates.years),
        per_index * wide(rates.root) * inverse,
        wide(rates.years) * inverse,
        per_index * (turn + pull),
    ]
    .map(|part| size * part)
}

/// Value of one contract less `terms.base`, quote units.
#[inline(always)]
pub fn value<A: Arithmetic>(terms: &Terms<A>, market: &Market<A>) -> A {
    let state = state(terms, market);
    worth(terms, &state).minus(terms.base)
}

#[inline(always)]
fn worth<A: Arithmetic>(terms: &Terms<A>, state: &State<A>) -> A {
    state.scale.times(state.forward_part.minus(state.strike_part)).signed(terms.sign)
}

/// Value of one contract less `terms.base`, and its eight Greeks, quote units.
#[inline(always)]
pub fn value_and_greeks<A: Arithmetic>(terms: &Terms<A>, market: &Market<A>, rates: &Rates<A>) -> [A; OUTPUTS] {
    let state = state(terms, market);
    let State { deviation, inverse_deviation, d1, d2, density, forward_part, strike_part, scale } = state;
    let worth = worth(terms, &state);
    let per_index = scale.times(rates.per_index);
    let decay = density.times(deviation.times(rates.half_inverse));
    let carried = rates.rate_less_carry.times(forward_part).signed(terms.sign);
    let paid = rates.rate.times(strike_part).signed(terms.sign);
    let turn = rates.carry.times(inverse_deviation).minus(d2.times(rates.half_inverse));
    [
        worth.minus(terms.base),
        per_index.times(forward_part).signed(terms.sign),
        per_index.times(rates.per_index).times(density.times(inverse_deviation)),
        scale.times(density.times(rates.root)),
        scale.times(carried.minus(paid).minus(decay)),
        rates.years.times(worth).signed(A::of(-1.0)),
        per_index.times(density).times(d2.times(rates.root.times(inverse_deviation))).signed(A::of(-1.0)),
        scale.times(density.times(rates.years)).times(d1.times(d2).times(inverse_deviation)),
        per_index.times(carried.minus(density.times(turn))),
    ]
}
