//! How far a net flow moves a price.

use std::fmt;

use crate::policy::ImpactLaw;

/// A price moves by a factor from 1/10,000 …
const LOWEST_MOVE: f64 = -0.9999;
/// … to 10,000: beyond, no law of impact means anything, and a price stays above 0.
const HIGHEST_MOVE: f64 = 9_999.0;

/// What is known of a market's capacity for flow.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Depth {
    /// Resting orders within 1 % of the mark on the side that is taken, quote units.
    pub within_one_percent_quote: Option<f64>,
    /// Volume traded per day, quote units.
    pub daily_volume_quote: Option<f64>,
    /// Volatility of a day's relative price change (0.04 = 4 %).
    pub daily_volatility: Option<f64>,
}

/// A figure of [`Depth`] that a law needs and that is absent, or not above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingDepth {
    /// [`Depth::within_one_percent_quote`].
    WithinOnePercent,
    /// [`Depth::daily_volume_quote`].
    DailyVolume,
    /// [`Depth::daily_volatility`].
    DailyVolatility,
}

impl fmt::Display for MissingDepth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithinOnePercent => "depth within 1 % of the mark",
            Self::DailyVolume => "daily volume",
            Self::DailyVolatility => "daily volatility",
        })
    }
}

/// A law with its figures filled in, for the size of a flow.
enum Curve {
    Flat,
    Line { slope: f64 },
    Root { scale: f64 },
    Saturating { limit: f64, slope: f64 },
}

impl ImpactLaw {
    /// Relative change of the price by a net flow in quote units (above 0: buying). Within [−0.9999, 9,999], to which the
    /// law is clamped; odd in the flow but for that. NaN for a flow or a parameter that is NaN.
    ///
    /// # Errors
    /// The figure of `depth` that the law needs and that is absent, not above 0 or NaN, whatever the flow.
    pub fn relative_move(self, flow_quote: f64, depth: Depth) -> Result<f64, MissingDepth> {
        let curve = self.curve(depth)?;
        Ok(odd(flow_quote, |size| match curve {
            Curve::Flat => 0.0,
            Curve::Line { slope } => slope * size,
            Curve::Root { scale } => scale * size.sqrt(),
            Curve::Saturating { limit, slope } => -limit * libm::expm1(-(slope * size / limit)),
        }))
    }

    /// Mean of the relative change over a flow that arrives evenly, which is how far its average price is from the mark,
    /// relative and with the sign of the flow: ½ of the move where it is linear, ⅔ under the square root,
    /// B · (1 − (1 − e^−x) / x), x = Q · δ / B, where it saturates. Clamped as the move is.
    ///
    /// # Errors
    /// As [`Self::relative_move`].
    pub fn average_concession(self, flow_quote: f64, depth: Depth) -> Result<f64, MissingDepth> {
        let curve = self.curve(depth)?;
        Ok(odd(flow_quote, |size| match curve {
            Curve::Flat => 0.0,
            Curve::Line { slope } => 0.5 * slope * size,
            Curve::Root { scale } => 2.0 / 3.0 * scale * size.sqrt(),
            Curve::Saturating { limit, slope } => limit * mean_of_saturation(slope * size / limit),
        }))
    }

    fn curve(self, depth: Depth) -> Result<Curve, MissingDepth> {
        let known = |figure: Option<f64>, missing| figure.filter(|figure| *figure > 0.0).ok_or(missing);
        let slope = || known(depth.within_one_percent_quote, MissingDepth::WithinOnePercent).map(|depth| 0.01 / depth);
        Ok(match self {
            Self::None => Curve::Flat,
            Self::Linear => Curve::Line { slope: slope()? },
            Self::SquareRoot { factor } => {
                let volume = known(depth.daily_volume_quote, MissingDepth::DailyVolume)?;
                let volatility = known(depth.daily_volatility, MissingDepth::DailyVolatility)?;
                Curve::Root { scale: factor * volatility / volume.sqrt() }
            }
            Self::Saturating { limit } => Curve::Saturating { limit, slope: slope()? },
        })
    }
}

/// The odd extension of `of`, a function of sizes, clamped. No flow moves nothing.
fn odd(flow: f64, of: impl FnOnce(f64) -> f64) -> f64 {
    if flow == 0.0 { 0.0 } else { of(flow.abs()).copysign(flow).clamp(LOWEST_MOVE, HIGHEST_MOVE) }
}

/// 1 − (1 − e^−x) / x: the mean of 1 − e^−u over [0, x].
fn mean_of_saturation(x: f64) -> f64 {
    // Below, the difference cancels; the next term of the series is x⁴/120.
    if x < 1e-4 { x * (0.5 - x * (1.0 / 6.0 - x / 24.0)) } else { 1.0 + libm::expm1(-x) / x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LAWS: [ImpactLaw; 4] = [
        ImpactLaw::None,
        ImpactLaw::Linear,
        ImpactLaw::SquareRoot { factor: 0.75 },
        ImpactLaw::Saturating { limit: 0.5 },
    ];

    fn depth() -> Depth {
        Depth { within_one_percent_quote: Some(2e6), daily_volume_quote: Some(1e9), daily_volatility: Some(0.04) }
    }

    fn both(law: ImpactLaw, flow: f64) -> (f64, f64) {
        (law.relative_move(flow, depth()).unwrap(), law.average_concession(flow, depth()).unwrap())
    }

    #[test]
    fn the_laws_are_their_formulas() {
        assert_eq!(both(ImpactLaw::None, 1e12), (0.0, 0.0));
        assert_eq!(both(ImpactLaw::Linear, 2e6), (0.01, 0.005));
        let (root, mean) = both(ImpactLaw::SquareRoot { factor: 0.75 }, -1e7);
        assert!((root + 0.003).abs() < 1e-15 && (mean + 0.002).abs() < 1e-15);
        // δ = 5e-9, Q · δ / B = 1.
        let (saturated, mean) = both(ImpactLaw::Saturating { limit: 0.5 }, 1e8);
        let e = 1.0f64.exp();
        assert!((saturated - 0.5 * (1.0 - 1.0 / e)).abs() < 1e-15 && (mean - 0.5 / e).abs() < 1e-15);
    }

    #[test]
    fn a_missing_figure_is_named() {
        let none = Depth::default();
        for (law, depth, missing) in [
            (ImpactLaw::Linear, none, "depth within 1 % of the mark"),
            (
                ImpactLaw::Linear,
                Depth { within_one_percent_quote: Some(0.0), ..depth() },
                "depth within 1 % of the mark",
            ),
            (ImpactLaw::Saturating { limit: 0.5 }, none, "depth within 1 % of the mark"),
            (ImpactLaw::SquareRoot { factor: 1.0 }, none, "daily volume"),
            (
                ImpactLaw::SquareRoot { factor: 1.0 },
                Depth { daily_volatility: Some(f64::NAN), ..depth() },
                "daily volatility",
            ),
        ] {
            assert_eq!(law.relative_move(0.0, depth).unwrap_err().to_string(), missing);
            assert_eq!(law.average_concession(1.0, depth).unwrap_err().to_string(), missing);
        }
        assert_eq!(ImpactLaw::None.relative_move(1.0, none), Ok(0.0));
    }

    #[test]
    fn a_price_stays_above_zero() {
        for flow in [-1e30, f64::NEG_INFINITY] {
            assert_eq!(both(ImpactLaw::Linear, flow), (-0.9999, -0.9999));
            assert_eq!(both(ImpactLaw::SquareRoot { factor: 1.0 }, flow).0, -0.9999);
            assert_eq!(both(ImpactLaw::Saturating { limit: 0.5 }, flow), (-0.5, -0.5));
        }
        assert_eq!(both(ImpactLaw::Linear, f64::INFINITY).0, 9_999.0);
    }

    /// Both sides of where the series takes over.
    #[test]
    fn the_mean_of_saturation_has_no_seam() {
        let (below, above) = (mean_of_saturation(1e-4 * (1.0 - 1e-12)), mean_of_saturation(1e-4));
        assert!((below / above - 1.0).abs() < 1e-11, "{below} {above}");
        assert_eq!(mean_of_saturation(f64::INFINITY), 1.0);
    }

    proptest! {
        #[test]
        fn odd_monotone_concave(size in 1.0..5e7f64, more in 1.0..5e7f64) {
            for law in LAWS {
                let [(a, mean), (b, _), (middle, _)] = [size, size + more, size + more / 2.0].map(|flow| both(law, flow));
                prop_assert_eq!(both(law, -size), (-a, -mean));
                prop_assert!(a <= b);
                prop_assert!(middle >= (a + b) / 2.0 * (1.0 - 1e-12), "concave");
                // The mean of a concave curve from 0 lies between its chord and its end.
                prop_assert!(mean >= a / 2.0 * (1.0 - 1e-9) && mean <= a);
            }
        }

        #[test]
        fn the_concession_is_the_mean_of_the_moves(size in 1e3..1e8f64) {
            const STEPS: usize = 20_000;
            for law in LAWS {
                let (_, mean) = both(law, size);
                let at = |step: usize| both(law, size * (step as f64 + 0.5) / STEPS as f64).0;
                let sum: f64 = (0..STEPS).map(at).sum();
                prop_assert!((sum / STEPS as f64 - mean).abs() <= 1e-5 * mean);
            }
        }
    }
}
