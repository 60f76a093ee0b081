//! How deep books must be for a cascade not to run away.

use super::cascade::{Options, liquidate};
use super::path::Path;
use crate::domain::Snapshot;
use crate::error::Result;
use crate::margin::Rulebook;
use crate::policy::Policy;

/// Factors are searched from 2⁻¹⁰ to 2¹⁰ …
const EXPONENT: f64 = 10.0;
/// … and their logarithm is halved so often: the bracket's ends are 2^(20/4096), a third of a percent, apart.
const HALVINGS: u32 = 12;

/// Whose depth is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// That of every book.
    Exchange,
    /// That of one underlying, by its place in the snapshot.
    Underlying(u32),
}

/// Where a cascade stops running away, as factors on the depth that the policy gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Critical {
    /// The scenario moves no price by itself: there is nothing to amplify.
    Unmoved,
    /// Not even at the least factor.
    Never,
    /// Even at the greatest factor.
    Always,
    /// It runs away at `below` and does not at `above`. Amplification need not fall everywhere as depth grows; this is one place
    /// where it crosses the limit.
    Between {
        /// The greater of the factors found at which it runs away.
        below: f64,
        /// The smaller of the factors found at which it does not.
        above: f64,
    },
}

/// Searches, on a logarithmic scale, the factor on depth from which the amplification of one path stays under `runaway`. Of
/// `options`, `deepened` is chosen here.
///
/// # Errors
/// As [`liquidate`].
pub fn critical_depth(
    (snapshot, rulebook): (&Snapshot, &Rulebook),
    policy: &Policy,
    path: &Path,
    options: &Options,
    (scope, runaway): (Scope, f64),
) -> Result<Critical> {
    let amplification = |exponent: f64| -> Result<Option<f64>> {
        let factor = libm::exp2(exponent);
        let (mut policy, mut options) = (policy.clone(), options.clone());
        match scope {
            Scope::Exchange => policy.impact.depth_scale *= factor,
            Scope::Underlying(underlying) => options.deepened = Some((underlying, factor)),
        }
        let paths = std::slice::from_ref(path);
        let outcome = liquidate((snapshot, rulebook), &policy, paths, &options, (&(), &mut ()))?;
        Ok(outcome.scenarios.first().and_then(|summary| summary.amplification))
    };
    search(amplification, runaway)
}

fn search(mut amplification: impl FnMut(f64) -> Result<Option<f64>>, runaway: f64) -> Result<Critical> {
    let Some(thinnest) = amplification(-EXPONENT)? else { return Ok(Critical::Unmoved) };
    if thinnest < runaway {
        return Ok(Critical::Never);
    }
    let mut runs_away = |exponent: f64| Ok(amplification(exponent)?.is_some_and(|found| found >= runaway));
    if runs_away(EXPONENT)? {
        return Ok(Critical::Always);
    }
    let (mut below, mut above) = (-EXPONENT, EXPONENT);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (below + above);
        *if runs_away(middle)? { &mut below } else { &mut above } = middle;
    }
    Ok(Critical::Between { below: libm::exp2(below), above: libm::exp2(above) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bracket_holds_the_factor_at_which_amplification_crosses() {
        let found =
            search(|exponent| Ok(Some(if libm::exp2(exponent) < 3.0 { 2.0 } else { 1.5 })), 2.0).expect("found");
        let Critical::Between { below, above } = found else { panic!("{found:?}") };
        assert!(below < 3.0 && 3.0 <= above && above / below < 1.004, "{below} {above}");
    }

    #[test]
    fn what_never_or_always_runs_away_is_said() {
        let constant = |value: Option<f64>| search(|_| Ok(value), 2.0).expect("found");
        assert_eq!(constant(None), Critical::Unmoved);
        assert_eq!(constant(Some(1.99)), Critical::Never);
        assert_eq!(constant(Some(2.0)), Critical::Always);
    }
}
