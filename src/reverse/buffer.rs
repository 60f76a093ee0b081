use super::ellipsoid::norm;
use super::probe::Probe;
use super::ray::{INTERIOR, Ray, narrow, scan};
use crate::error::Result;
use crate::scenario::Factor;

/// Passes that narrow a crossing.
const PASSES: usize = 8;

/// Where a factor that moves by itself first reaches the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// The factor's shock, in its own unit.
    pub shock: f64,
    /// The same in its standard deviations, ≥ 0.
    pub deviations: f64,
}

/// How far one factor alone, all others held, may move each way; `None` where it does not reach the target within the range
/// looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Buffer {
    /// The factor.
    pub factor: Factor,
    /// The first crossing downwards.
    pub down: Option<Crossing>,
    /// The first crossing upwards.
    pub up: Option<Crossing>,
}

/// Points that [`buffers`] evaluates at most.
pub fn most_points(dimension: usize, rungs: usize) -> usize {
    2 * dimension * (rungs + PASSES * INTERIOR)
}

/// The buffers of every moving factor, up to `limit` of its standard deviations each way, in `rungs` steps narrowed down.
/// Health need not be monotone in a price (a short straddle has a crossing on each side): the first one counts.
///
/// # Errors
/// As a sweep.
pub fn buffers(probe: &mut Probe<'_>, limit: f64, rungs: usize) -> Result<Vec<Buffer>> {
    let ellipsoid = probe.question().ellipsoid;
    let mut lengths = Vec::new();
    let mut rays = Vec::new();
    for at in 0..ellipsoid.dimension() {
        let alone = ellipsoid.alone(at);
        let length = norm(&alone);
        for ray in Ray::along(&alone, limit * length).into_iter().flat_map(|ray| [ray.reversed(), ray]) {
            lengths.push(length);
            rays.push(ray);
        }
    }
    let mut brackets: Vec<_> = scan(probe, &rays, rungs)?.into_iter().map(|scan| scan.bracket).collect();
    let mut met: Vec<_> =
        rays.iter().zip(&mut brackets).filter_map(|(ray, bracket)| Some((ray, bracket.as_mut()?))).collect();
    narrow(probe, &mut met, PASSES)?;
    let columns: Vec<usize> = ellipsoid.moving_columns().to_vec();
    let crossing = |of: usize| {
        let radius = brackets[of]?.at;
        let shock = ellipsoid.shocks(&rays[of].point(radius))[columns[of / 2]];
        Some(Crossing { shock, deviations: radius / lengths[of] })
    };
    let buffer = |(at, factor): (usize, &Factor)| Buffer {
        factor: factor.clone(),
        down: crossing(2 * at),
        up: crossing(2 * at + 1),
    };
    Ok(ellipsoid.moving().enumerate().map(buffer).collect())
}
