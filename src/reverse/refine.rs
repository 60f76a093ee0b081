use super::probe::Probe;
use super::ray::{Bracket, INTERIOR, Ray, cosine, narrow, random, scan};
use crate::error::Result;
use crate::scenario::philox::Stream;

/// Rounds of refinement at most.
const ROUNDS: usize = 8;
/// How far a direction is turned towards each axis to learn the slope of the boundary, in the first round.
const FIRST_TURN: f64 = 0.1;
/// Spread of random turns in the first round.
const FIRST_SPREAD: f64 = 0.4;
/// Random turns of a direction in each round.
const TURNS: u64 = 16;
/// Rays tried in place of a find in each round, at most.
const CANDIDATES: usize = 3;
/// A turned ray is followed this much further than the boundary was met.
const FURTHER: f64 = 1.5;
/// Passes that narrow a turned ray's crossing, and that of a candidate.
const TURN_PASSES: usize = 6;
const CANDIDATE_PASSES: usize = 8;
/// A shorter radius by less than this share is no gain.
const GAIN: f64 = 1e-7;

/// A direction and its first crossing.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The ray.
    pub ray: Ray,
    /// Where it first reaches the target.
    pub bracket: Bracket,
}

/// Points that [`refine`] evaluates at most.
pub fn most_points(finds: usize, dimension: usize, rungs: usize) -> usize {
    let turned = (dimension + TURNS as usize) * (rungs + TURN_PASSES * INTERIOR);
    ROUNDS * finds * (turned + CANDIDATES * (rungs + CANDIDATE_PASSES * INTERIOR))
}

/// Shortens the radius of each find: the plane through the boundary near it gives the direction of its nearest point (the
/// step of the first-order reliability method: A. M. Hasofer, N. C. Lind, "Exact and invariant second-moment code format", J.
/// Eng. Mech. Div. ASCE 100 (1974) 111–121), random turns give others where the boundary is not a plane.
///
/// Along a plane n·p = d the crossing lies at 1/r = n·u/d, so the differences of 1/r between turned rays give n, whatever the
/// target counts.
///
/// # Errors
/// As [`Probe::values`].
pub fn refine(probe: &mut Probe<'_>, finds: &mut [Found], (rungs, seed): (usize, u64)) -> Result<()> {
    let stream = Stream::new(seed, "reverse:turn");
    let mut active: Vec<usize> = (0..finds.len()).collect();
    for round in 0..ROUNDS {
        let shrink = libm::ldexp(1.0, -(round as i32));
        let first = (round * finds.len()) as u64 * TURNS;
        let turned: Vec<Vec<Ray>> = active
            .iter()
            .map(|at| {
                let numbers = first + *at as u64 * TURNS;
                turns(&finds[*at], FIRST_TURN * shrink, &|turn, u| {
                    random(stream, numbers + turn, u, FIRST_SPREAD * shrink)
                })
            })
            .collect();
        let radii = crossings(probe, &turned, (rungs, TURN_PASSES))?;
        let candidates: Vec<Vec<Ray>> = active
            .iter()
            .zip(turned.iter().zip(&radii))
            .map(|(at, (rays, found))| candidates(&finds[*at], (rays, found), FIRST_TURN * shrink))
            .collect();
        let met = crossings(probe, &candidates, (rungs, CANDIDATE_PASSES))?;
        let mut gaining = Vec::new();
        for (at, (rays, brackets)) in active.iter().zip(candidates.into_iter().zip(met)) {
            let before = finds[*at].bracket.at;
            for (ray, bracket) in rays.into_iter().zip(brackets) {
                if let Some(bracket) = bracket.filter(|bracket| bracket.at < finds[*at].bracket.at) {
                    finds[*at] = Found { ray, bracket };
                }
            }
            if finds[*at].bracket.at < before * (1.0 - GAIN) {
                gaining.push(*at);
            }
        }
        active = gaining;
        if active.is_empty() {
            break;
        }
    }
    Ok(())
}

/// The rays around a find: turned towards each axis, then at random.
fn turns(find: &Found, turn: f64, at_random: &dyn Fn(u64, &[f64]) -> Vec<f64>) -> Vec<Ray> {
    let (u, limit) = (&find.ray.direction, FURTHER * find.bracket.at);
    let to_axes = (0..u.len()).map(|axis| {
        let mut vector = u.clone();
        vector[axis] += turn;
        vector
    });
    to_axes
        .chain((0..TURNS).map(|number| at_random(number, u)))
        .filter_map(|vector| Ray::along(&vector, limit))
        .collect()
}

/// Rays to try in place of a find, none further than it: towards the nearest point of the plane through its neighbours, half
/// of the way there, and the nearest of the random turns.
fn candidates(find: &Found, (rays, brackets): (&[Ray], &[Option<Bracket>]), turn: f64) -> Vec<Ray> {
    let (u, radius) = (&find.ray.direction, find.bracket.at);
    let inverse = |at: usize| brackets[at].map_or(1.0 / (FURTHER * radius), |bracket| 1.0 / bracket.at);
    // n·u = d/r and n·(u + turn·e) = length·d/r', with d = r.
    let slope = |axis: usize| {
        let length = libm::sqrt(1.0 + 2.0 * turn * u[axis] + turn * turn);
        (radius * length * inverse(axis) - 1.0) / turn
    };
    let normal: Vec<f64> = (0..u.len()).map(slope).collect();
    let mut vectors = Vec::new();
    if let Some(ray) = Ray::along(&normal, radius) {
        vectors.push(u.iter().zip(&ray.direction).map(|(a, b)| a + b).collect());
        vectors.push(ray.direction);
    }
    let nearest = (u.len()..rays.len()).filter_map(|at| brackets[at].map(|bracket| (bracket.at, at)));
    if let Some((_, at)) = nearest.min_by(|a, b| a.0.total_cmp(&b.0)) {
        vectors.push(rays[at].direction.clone());
    }
    vectors.iter().filter_map(|vector: &Vec<f64>| Ray::along(vector, radius)).collect()
}

/// First crossings of groups of rays, all evaluated together.
fn crossings(
    probe: &mut Probe<'_>,
    groups: &[Vec<Ray>],
    (rungs, passes): (usize, usize),
) -> Result<Vec<Vec<Option<Bracket>>>> {
    let rays: Vec<Ray> = groups.concat();
    let mut brackets: Vec<Option<Bracket>> = scan(probe, &rays, rungs)?.into_iter().map(|scan| scan.bracket).collect();
    let mut met: Vec<(&Ray, &mut Bracket)> =
        rays.iter().zip(&mut brackets).filter_map(|(ray, bracket)| Some((ray, bracket.as_mut()?))).collect();
    narrow(probe, &mut met, passes)?;
    let mut rest = brackets.into_iter();
    Ok(groups.iter().map(|group| rest.by_ref().take(group.len()).collect()).collect())
}

/// The nearest finds whose directions lie at least an angle (its cosine given) apart, nearest first, at most `limit`.
pub fn distinct(mut finds: Vec<Found>, limit: usize, largest_cosine: f64) -> Vec<Found> {
    finds.sort_by(|a, b| a.bracket.at.total_cmp(&b.bracket.at));
    let mut chosen: Vec<Found> = Vec::new();
    for find in finds {
        let is_new = chosen.iter().all(|other| cosine(&find.ray.direction, &other.ray.direction) <= largest_cosine);
        if chosen.len() < limit && is_new {
            chosen.push(find);
        }
    }
    chosen
}
