//! Exponential and logarithm from + − × ÷ and bits: the same result on every machine and in every lane.
//! Coefficients and their errors: `fixtures/black76/coefficients.py`.

/// Added and taken off again, it rounds to an integer; the integer then stands in the low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// ln 2, its leading 32 bits: products with exponents are exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Mantissa bits of an f64.
const MANTISSA: u32 = 52;

/// Largest argument of [`exp`]; beyond it the result stays at that of 700, 1e304.
pub const EXPONENT_MAX: f64 = 700.0;
/// Below this [`exp`] is 0: the result would be subnormal.
const EXPONENT_MIN: f64 = -708.0;
/// Arguments of [`ln_ratio`] are held between this and its reciprocal.
pub const POSITIVE_MIN: f64 = 1e-300;
const POSITIVE_MAX: f64 = 1e300;

/// (eʳ − 1 − r)/r² for |r| ≤ ½ ln 2; eʳ to 1.6e-17.
const EXP: [f64; 10] = [
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666662413,
    0.008333333333330062,
    0.0013888888917213717,
    0.00019841269863053618,
    2.4801521295954376e-05,
    2.7557268459997064e-06,
    2.7620088445409746e-07,
    2.510038549551032e-08,
];

/// (2 artanh(s)/s − 2)/s² in s² for |s| ≤ 1/5; the logarithm to 7e-19.
const LN: [f64; 9] = [
    0.6666666666666666,
    0.3999999999999991,
    0.2857142857149035,
    0.22222222206441009,
    0.18181820198587603,
    0.1538447089657833,
    0.13339393783338313,
    0.11617515331503465,
    0.12423114056078084,
];

/// Polynomial, lowest power first: Horner's rule on even and odd powers apart, which halves the chain.
#[inline(always)]
pub fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let square = x * x;
    let mut even = coefficients[(N - 1) & !1];
    let mut odd = coefficients[((N - 2) & !1) + 1];
    let mut k = (N - 1) & !1;
    while k >= 2 {
        k -= 2;
        even = even * square + coefficients[k];
    }
    let mut k = ((N - 2) & !1) + 1;
    while k >= 3 {
        k -= 2;
        odd = odd * square + coefficients[k];
    }
    even + x * odd
}

/// The smaller; a NaN in `x` stays.
#[inline(always)]
pub fn at_most(x: f64, limit: f64) -> f64 {
    if x > limit { limit } else { x }
}

/// The larger; a NaN in `x` stays.
#[inline(always)]
pub fn at_least(x: f64, limit: f64) -> f64 {
    if x < limit { limit } else { x }
}

/// eˣ within 2 ulp; 0 below −708, constant above [`EXPONENT_MAX`].
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let held = at_least(at_most(x, EXPONENT_MAX), EXPONENT_MIN);
    let shifted = held * std::f64::consts::LOG2_E + ROUNDER;
    let k = shifted - ROUNDER;
    let r = (held - k * LN_2_HIGH) - k * LN_2_LOW;
    let mantissa = 1.0 + (r + r * r * polynomial(&EXP, r));
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << MANTISSA);
    if x < EXPONENT_MIN { 0.0 } else { mantissa * scale }
}

/// ln(a/b) within 3 ulp for positive a and b, also where a ≈ b: the quotient is never formed. Both are held within
/// 1e±300.
#[inline(always)]
pub fn ln_ratio(a: f64, b: f64) -> f64 {
    let a = at_least(at_most(a, POSITIVE_MAX), POSITIVE_MIN);
    let b = at_least(at_most(b, POSITIVE_MAX), POSITIVE_MIN);
    // Bits of a float are its logarithm, roughly: k takes a to within 2/3..3/2 of b, where a − b is exact (Sterbenz).
    let difference = a.to_bits().wrapping_sub(b.to_bits()) as i64;
    let k = difference.wrapping_add(1 << (MANTISSA - 1)) >> MANTISSA;
    let a = f64::from_bits(a.to_bits().wrapping_sub((k << MANTISSA) as u64));
    let k = f64::from_bits(ROUNDER.to_bits().wrapping_add(k as u64)) - ROUNDER;
    let s = (a - b) / (a + b);
    let square = s * s;
    let rest = 2.0 * s + s * (square * polynomial(&LN, square));
    k * LN_2_HIGH + (k * LN_2_LOW + rest)
}
