use super::philox::Stream;

/// Inverse of the standard normal distribution function: the z with P(Z ≤ z) = `probability`.
///
/// Source: M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37
/// (1988) 477–484, PPND16; relative error about 10⁻¹⁶. 0 gives −∞, 1 gives +∞, anything outside \[0, 1\] NaN.
pub fn inverse_normal(probability: f64) -> f64 {
    if !(probability > 0.0 && probability < 1.0) {
        return match probability {
            0.0 => f64::NEG_INFINITY,
            1.0 => f64::INFINITY,
            _ => f64::NAN,
        };
    }
    let centred = probability - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * polynomial(&CENTRE.0, r) / polynomial(&CENTRE.1, r);
    }
    let tail = if centred < 0.0 { probability } else { 1.0 - probability };
    let r = libm::sqrt(-libm::log(tail));
    let z = if r <= 5.0 {
        polynomial(&MIDDLE.0, r - 1.6) / polynomial(&MIDDLE.1, r - 1.6)
    } else {
        polynomial(&TAIL.0, r - 5.0) / polynomial(&TAIL.1, r - 5.0)
    };
    if centred < 0.0 { -z } else { z }
}

/// A chi-square number with `degrees_of_freedom` ν > 0 (mean ν), drawn from blocks 0, 1, 2 … of `scenario` of `stream`.
///
/// Twice a gamma number of shape ν/2 by rejection: G. Marsaglia, W. W. Tsang, "A simple method for generating gamma
/// variables", ACM TOMS 26 (2000) 363–372; shapes below 1 by their boost γ(a) = γ(a + 1)·U^(1/a). Each attempt reads one
/// block of its own, so the result depends on nothing but seed, name and scenario.
pub fn chi_square(stream: Stream, scenario: u64, degrees_of_freedom: f64) -> f64 {
    let shape = 0.5 * degrees_of_freedom;
    let boost = if shape < 1.0 {
        let [uniform, _] = stream.uniforms(scenario, 0);
        libm::exp(libm::log(uniform) / shape)
    } else {
        1.0
    };
    let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    let mut block = 1;
    loop {
        let [first, second] = stream.uniforms(scenario, block);
        let z = inverse_normal(first);
        let cube_root = 1.0 + c * z;
        let v = cube_root * cube_root * cube_root;
        if v > 0.0 && libm::log(second) < 0.5 * z * z + d - d * v + d * libm::log(v) {
            return 2.0 * d * v * boost;
        }
        block += 1;
    }
}

/// Numerator and denominator, constant term first.
type Rational = ([f64; 8], [f64; 8]);

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[expect(clippy::excessive_precision, reason = "the published constants, digit by digit")]
const CENTRE: Rational = (
    [
        3.387_132_872_796_366_608_0e0,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083_0e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061_0e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561_0e3,
    ],
);

#[expect(clippy::excessive_precision, reason = "the published constants, digit by digit")]
const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_577_34e0,
        4.630_337_846_156_545_295_90e0,
        5.769_497_221_460_691_405_50e0,
        3.647_848_324_763_204_605_04e0,
        1.270_458_252_452_368_382_58e0,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87e0,
        1.676_384_830_183_803_849_40e0,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
);

#[expect(clippy::excessive_precision, reason = "the published constants, digit by digit")]
const TAIL: Rational = (
    [
        6.657_904_643_501_103_777_20e0,
        5.463_784_911_164_114_369_90e0,
        1.784_826_539_917_291_335_80e0,
        2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2,
        1.242_660_947_388_078_438_60e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_90e-1,
        1.369_298_809_227_358_053_10e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4,
        1.846_318_317_510_054_681_80e-5,
        1.421_511_758_316_445_888_70e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Bisection of the normal distribution function in 60-digit arithmetic, at the exact f64 probabilities.
    #[test]
    fn inverse_normal_agrees_with_high_precision_values() {
        let known = [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.9, 1.281_551_565_544_600_6),
            (0.975, 1.959_963_984_540_053_9),
            (0.99, 2.326_347_874_040_840_8),
            (0.999, 3.090_232_306_167_813),
            (1e-9, -5.997_807_015_007_686_9),
            (1e-12, -7.034_483_825_301_132),
        ];
        for (probability, expected) in known {
            let z = inverse_normal(probability);
            assert!((z - expected).abs() <= 4e-15 * expected.abs(), "{probability}: {z} instead of {expected}");
        }
    }

    #[test]
    fn inverse_normal_at_the_ends_and_outside() {
        assert_eq!(inverse_normal(0.0), f64::NEG_INFINITY);
        assert_eq!(inverse_normal(1.0), f64::INFINITY);
        assert!(inverse_normal(-0.1).is_nan() && inverse_normal(1.1).is_nan() && inverse_normal(f64::NAN).is_nan());
        assert!((inverse_normal(0.3) + inverse_normal(0.7)).abs() < 1e-15);
    }

    /// Mean ν and variance 2ν within five standard errors (the fourth central moment is 12ν² + 48ν).
    #[test]
    fn chi_square_has_the_right_mean_and_variance() {
        const DRAWS: u64 = 40_000;
        for freedom in [0.7, 1.0, 2.0, 4.0, 30.0] {
            let stream = Stream::new(7, "chi-square");
            let draws: Vec<f64> = (0..DRAWS).map(|scenario| chi_square(stream, scenario, freedom)).collect();
            let count = DRAWS as f64;
            let mean = draws.iter().sum::<f64>() / count;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let fourth = 12.0 * freedom * freedom + 48.0 * freedom;
            assert!((mean - freedom).abs() < 5.0 * (2.0 * freedom / count).sqrt(), "ν = {freedom}: mean {mean}");
            let error = ((fourth - 4.0 * freedom * freedom) / count).sqrt();
            assert!((variance - 2.0 * freedom).abs() < 5.0 * error, "ν = {freedom}: variance {variance}");
        }
    }
}
