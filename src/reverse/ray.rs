use super::ellipsoid::norm;
use super::probe::Probe;
use crate::error::Result;
use crate::scenario::inverse_normal;
use crate::scenario::philox::Stream;

/// Radii tried between the ends of a bracket in each pass.
pub const INTERIOR: usize = 7;

/// A direction in whitened space, and how far along it is looked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ray {
    /// Unit vector.
    pub direction: Vec<f64>,
    /// Largest radius, > 0.
    pub limit: f64,
}

/// Where a ray first reaches the target: not at `below`, but at `at`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bracket {
    /// Largest radius known to lie before the crossing.
    pub below: f64,
    /// Smallest radius known to reach the target.
    pub at: f64,
}

/// What the ladder of radii found along a ray.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The target's value at each rung, the nearest first.
    pub values: Vec<f64>,
    /// The first crossing that two rungs enclose.
    pub bracket: Option<Bracket>,
}

impl Ray {
    /// A ray along `vector`; `None` where that has no direction.
    pub fn along(vector: &[f64], limit: f64) -> Option<Self> {
        let length = norm(vector);
        let direction: Vec<f64> = vector.iter().map(|part| part / length).collect();
        direction.iter().all(|part| part.is_finite()).then_some(Self { direction, limit })
    }

    /// The other way.
    pub fn reversed(&self) -> Self {
        Self { direction: self.direction.iter().map(|part| -part).collect(), limit: self.limit }
    }

    /// The point at a radius.
    pub fn point(&self, radius: f64) -> Vec<f64> {
        self.direction.iter().map(|part| radius * part).collect()
    }
}

/// Cosine of the angle between two unit vectors.
pub fn cosine(first: &[f64], second: &[f64]) -> f64 {
    first.iter().zip(second).map(|(a, b)| a * b).sum()
}

/// The unit vector `around` turned by independent normals of size `spread` (1 = as long as itself), number `number` of the
/// stream; without `around` any direction is as likely as any other.
pub fn random(stream: Stream, number: u64, around: &[f64], spread: f64) -> Vec<f64> {
    let scale = spread / libm::sqrt(around.len() as f64);
    let normal = |at: usize| inverse_normal(stream.uniforms(number, at as u64)[0]);
    around.iter().enumerate().map(|(at, part)| part + scale * normal(at)).collect()
}

/// Tries `rungs` (≥ 1) equally spaced radii along every ray. The value need not rise with the radius: what counts is the
/// first rung that reaches the target. A crossing and its return between two rungs are not seen.
///
/// # Errors
/// As [`Probe::values`].
pub fn scan(probe: &mut Probe<'_>, rays: &[Ray], rungs: usize) -> Result<Vec<Scan>> {
    let radius = |ray: &Ray, rung: usize| ray.limit * rung as f64 / rungs as f64;
    let point = |at: usize| {
        let ray = &rays[at / rungs];
        ray.point(radius(ray, at % rungs + 1))
    };
    let values = probe.values(rays.len() * rungs, point)?;
    let target = probe.question().target;
    let scan = |(ray, values): (&Ray, &[f64])| {
        let first = values.iter().position(|value| target.is_reached(*value));
        let bracket = first.map(|rung| Bracket { below: radius(ray, rung), at: radius(ray, rung + 1) });
        Scan { values: values.to_vec(), bracket }
    };
    Ok(rays.iter().zip(values.chunks(rungs)).map(scan).collect())
}

/// Narrows the brackets of rays, each pass to an eighth.
///
/// # Errors
/// As [`Probe::values`].
pub fn narrow(probe: &mut Probe<'_>, crossings: &mut [(&Ray, &mut Bracket)], passes: usize) -> Result<()> {
    let target = probe.question().target;
    for _ in 0..passes {
        let inside = |bracket: &Bracket, step: usize| {
            bracket.below + (bracket.at - bracket.below) * step as f64 / (INTERIOR + 1) as f64
        };
        let point = |at: usize| {
            let (ray, bracket) = &crossings[at / INTERIOR];
            ray.point(inside(bracket, at % INTERIOR + 1))
        };
        let values = probe.values(crossings.len() * INTERIOR, point)?;
        for ((_, bracket), values) in crossings.iter_mut().zip(values.chunks(INTERIOR)) {
            let first = values.iter().position(|value| target.is_reached(*value)).unwrap_or(INTERIOR);
            let (below, at) = (inside(bracket, first), inside(bracket, first + 1));
            **bracket = Bracket { below, at: if first == INTERIOR { bracket.at } else { at } };
        }
    }
    Ok(())
}
