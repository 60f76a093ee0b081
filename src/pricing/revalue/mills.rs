//! The scaled tail of the normal distribution (Mills' ratio / √2π).
//! Coefficients and their error: `fixtures/black76/coefficients.py`.

use super::elementary::polynomial;

/// 1/√2π.
pub const DENSITY_AT_ZERO: f64 = 0.398_942_280_401_432_7;

/// All coefficients are positive: neither sum cancels.
const NUMERATOR: [f64; 11] = [
    0.5,
    0.8550365938977879,
    0.7224658658214481,
    0.39079386926478005,
    0.14863195189415443,
    0.04137410426179013,
    0.008530618985483967,
    0.0012888687411536947,
    0.00013720923304647741,
    9.3721596763249e-06,
    3.165977366832403e-07,
];

const DENOMINATOR: [f64; 12] = [
    1.0,
    2.5079577485984417,
    2.9459924983954857,
    2.144132315209109,
    1.077057980795958,
    0.3932682139475951,
    0.10689322938619154,
    0.021725436106258347,
    0.0032542073493054993,
    0.0003447261359331769,
    2.3492520439032542e-05,
    7.935928384543904e-07,
];

/// G(a) = N(−a)·e^{a²/2} for 0 ≤ a ≤ 450: ½ at 0, 1/(a√2π) far out. The fit is within 5e-17, rounding adds a few ulp.
#[inline(always)]
pub fn scaled_tail(a: f64) -> f64 {
    polynomial(&NUMERATOR, a) / polynomial(&DENOMINATOR, a)
}
