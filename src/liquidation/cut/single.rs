//! One position: how much of it restores the pool.

use super::{Leg, LegImpact, Target};

/// Steps of the iteration for square-root impact: at the far end of the useful cut an error only halves in each.
const STEPS_MAX: usize = 64;

/// Smallest cut of one leg whose gain is the shortfall, in units of notional; 0 without a shortfall. It is not limited to the
/// leg's notional: a larger one says that closing the leg is not enough. `None` where no cut of any size is: a toxic leg, or
/// impact that outgrows what further cuts release.
///
/// With A = τm − c: no impact, x = S/A; linear impact, x = (A − √(A² − 2sS))/s, written as 2S/(A + √(A² − 2sS)) against
/// cancellation, none where A² < 2sS; square-root impact, the lower root of A·x − a·x^{3/2} = S, none where S > A·x̂/3 with
/// x̂ = (A/1.5a)². Without impact this is eq. (liquidation strategy) of Chitra et al., "Autodeleveraging: Impossibilities and
/// Optimization" (2025), per unit of notional.
pub fn single(leg: &Leg, target: Target) -> Option<f64> {
    let (rate, needed) = (leg.gain_rate(target), target.shortfall_quote);
    if needed <= 0.0 {
        return Some(0.0);
    }
    if rate <= 0.0 {
        return None;
    }
    match leg.impact {
        LegImpact::None => Some(needed / rate),
        LegImpact::Linear { slope } => {
            let discriminant = rate * rate - 2.0 * slope * needed;
            (discriminant >= 0.0).then(|| 2.0 * needed / (rate + discriminant.sqrt()))
        }
        LegImpact::SquareRoot { coefficient } => square_root(rate, coefficient, needed),
    }
}

/// Lower root of `rate·x − coefficient·x^{3/2} = needed` by Newton's method. The left side is concave, so steps from the left
/// never pass the root.
fn square_root(rate: f64, coefficient: f64, needed: f64) -> Option<f64> {
    let peak = {
        let root = rate / (1.5 * coefficient);
        root * root
    };
    if needed > rate * peak / 3.0 {
        return None;
    }
    let mut cut = needed / rate;
    for _ in 0..STEPS_MAX {
        let impact = coefficient * cut.sqrt();
        let next = (cut + (needed - (rate - impact) * cut) / (rate - 1.5 * impact)).min(peak);
        // Also where rounding makes a step that is no number.
        if next.is_nan() || next <= cut {
            break;
        }
        cut = next;
    }
    Some(cut)
}
