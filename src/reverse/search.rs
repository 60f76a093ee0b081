use super::buffer::{self, Buffer, buffers};
use super::evidence::{Evidence, History, Rows};
use super::probe::{Probe, Question};
use super::ray::{Bracket, INTERIOR, Ray, Scan, cosine, narrow, random, scan};
use super::refine::{self, Found, distinct, refine};
use crate::engine::{Outcome, Progress, ScenarioOutcome, SweepOptions, Totals, digest};
use crate::error::{Error, Result};
use crate::scenario::ScenarioSet;
use crate::scenario::philox::Stream;

/// Passes that narrow the crossings of the first directions, and those of the answers.
const COARSE_PASSES: usize = 2;
const FINE_PASSES: usize = 9;
/// Finds refined per answer asked for: some run into each other.
const FINDS_PER_ANSWER: usize = 2;
/// Radii of a ladder, and answers, at most.
const LONGEST_LADDER: usize = 10_000;
const MOST_ANSWERS: usize = 1_000;
/// Random directions times radii at most: a typing mistake must not fill memory.
const MOST_POINTS: usize = 100_000_000;
/// No radius beyond this is meant.
const LARGEST_RADIUS: f64 = 1e6;
/// Two directions are one beyond this cosine.
const SAME: f64 = 1.0 - 1e-12;

/// Whether factors are moved one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SingleFactors {
    /// Only joint moves are looked at.
    Skip,
    /// The buffer along each factor is measured as well.
    Measure,
}

/// How to search.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// Random directions, beside those of the axes, of the factors and of the steepest rise.
    pub directions: usize,
    /// Radii tried along each, 1 to 10,000.
    pub ladder: usize,
    /// Largest radius, > 0 and ≤ 10⁶.
    pub max_radius: f64,
    /// Answers wanted, 1 to 1,000.
    pub answers: usize,
    /// Least angle between two answers in whitened space, degrees in 0 to 180.
    pub distinct_degrees: f64,
    /// Seed of every random number.
    pub seed: u64,
    /// How scenarios are swept. Totals are exact whatever it says.
    pub sweep: SweepOptions,
    /// Whether each factor is moved by itself, too.
    pub single_factors: SingleFactors,
}

impl SearchOptions {
    fn check(&self) -> Result<()> {
        let usage = |text: String| Err(Error::Usage(text));
        if !(1..=LONGEST_LADDER).contains(&self.ladder) || !(1..=MOST_ANSWERS).contains(&self.answers) {
            return usage(format!("a ladder of 1 to {LONGEST_LADDER} radii and 1 to {MOST_ANSWERS} answers"));
        }
        if self.directions.saturating_mul(self.ladder) > MOST_POINTS {
            return usage(format!(
                "{} directions of {} radii: at most {MOST_POINTS} together",
                self.directions, self.ladder
            ));
        }
        if !(self.max_radius > 0.0 && self.max_radius <= LARGEST_RADIUS) {
            return usage(format!("a largest radius of {}: give a number above 0, up to 1e6", self.max_radius));
        }
        if !(0.0..=180.0).contains(&self.distinct_degrees) {
            return usage(format!("an angle of {} degrees: give one from 0 to 180", self.distinct_degrees));
        }
        if self.sweep.totals == Some(Totals::Bounded) {
            return usage("a target is decided by exact totals: leave out --totals bounded".into());
        }
        Ok(())
    }
}

/// A scenario that reaches the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Shock of every factor.
    pub shocks: Vec<f64>,
    /// Its Mahalanobis radius.
    pub radius: f64,
    /// Its normal density over that of the first answer: exp(−(r² − r₀²)/2).
    pub likelihood: f64,
    /// The target's value there, found by the last sweep.
    pub value: f64,
    /// What that sweep says of it.
    pub outcome: ScenarioOutcome,
    /// Rows of the history at least as far in its direction; `None` without a history.
    pub beyond: Option<u64>,
}

/// The nearest to the target where nothing reached it.
#[derive(Debug, Clone, PartialEq)]
pub struct Furthest {
    /// Shock of every factor.
    pub shocks: Vec<f64>,
    /// Its Mahalanobis radius.
    pub radius: f64,
    /// The target's value there.
    pub value: f64,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The target's value in the unshocked market.
    pub base: f64,
    /// The nearest first; one of radius 0 where the unshocked market reaches the target; empty where nothing does.
    pub answers: Vec<Answer>,
    /// The answers as scenarios, weighed by likelihood.
    pub set: ScenarioSet,
    /// Where nothing reached the target: the highest value seen.
    pub furthest: Option<Furthest>,
    /// How far each factor may move by itself, where that was asked for.
    pub buffers: Vec<Buffer>,
    /// What the history says, where there is one.
    pub evidence: Option<Evidence>,
    /// Scenarios evaluated.
    pub evaluated: u64,
    /// The last sweep, over the unshocked market and the answers.
    pub outcome: Outcome,
    /// BLAKE3 over the answers, the furthest, the buffers and the last sweep's digest.
    pub digest: String,
}

/// The most plausible scenarios that reach the question's target.
///
/// Directions are followed outwards to the first of a ladder of radii that reaches it: those of the whitened axes, of each
/// factor alone and with what follows it, `directions` random ones, and the steepest rise along the axes at each rung. The
/// nearest distinct crossings are refined, narrowed down and swept once more. It is a search: a nearer scenario may exist.
///
/// The same for any engine, any threads and any chunks: decisions and integer totals are, and random numbers are counted.
///
/// # Errors
/// [`Error::Usage`] for options out of range; as [`crate::engine::sweep`]; [`Error::Audit`] where an answer does not reach the target in the
/// last sweep.
pub fn reverse(
    question: Question<'_>,
    history: Option<History<'_>>,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<Findings> {
    options.check()?;
    let exact = SweepOptions { totals: Some(Totals::Exact), threads: None, ..options.sweep.clone() };
    match options.sweep.threads {
        None => run(Probe::new(question, exact, progress)?, history, options),
        Some(threads) => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|error| Error::Temporary(format!("cannot start {threads} threads: {error}")))?;
            pool.install(|| run(Probe::new(question, exact, progress)?, history, options))
        }
    }
}

fn run(mut probe: Probe<'_>, history: Option<History<'_>>, options: &SearchOptions) -> Result<Findings> {
    let (ellipsoid, target) = (probe.question().ellipsoid, probe.question().target);
    probe.expect(most_points(ellipsoid.dimension(), options));
    let origin = vec![0.0; ellipsoid.dimension()];
    let base = probe.values(1, |_| origin.clone())?.first().copied().unwrap_or(0.0);
    let points = if target.is_reached(base) { vec![origin] } else { nearest(&mut probe, options)? };
    let furthest = points.is_empty().then(|| probe.highest().cloned()).flatten();
    let buffers = if options.single_factors == SingleFactors::Measure && !target.is_reached(base) {
        buffers(&mut probe, options.max_radius, options.ladder)?
    } else {
        Vec::new()
    };
    let rows = history.as_ref().and_then(|history| Rows::of(&probe, history));
    let evidence = history.as_ref().map(|history| Evidence::of(&probe, history)).transpose()?;
    let (answers, outcome) = verify(&probe, &points, rows.as_ref())?;
    let furthest = furthest.map(|highest| {
        let shocks = ellipsoid.shocks(&highest.point);
        Furthest { radius: ellipsoid.radius(&shocks), shocks, value: highest.value }
    });
    let set = answer_set(&probe, &answers)?;
    let evaluated = probe.evaluated();
    let mut findings =
        Findings { base, answers, set, furthest, buffers, evidence, evaluated, outcome, digest: String::new() };
    findings.digest = findings.hash();
    Ok(findings)
}

/// Points that a search evaluates at most.
fn most_points(dimension: usize, options: &SearchOptions) -> u64 {
    let rungs = options.ladder;
    let rays = 6 * dimension + options.directions + rungs;
    let finds = rays * (rungs + COARSE_PASSES * INTERIOR);
    let refined = refine::most_points(FINDS_PER_ANSWER * options.answers, dimension, rungs);
    let alone = match options.single_factors {
        SingleFactors::Skip => 0,
        SingleFactors::Measure => buffer::most_points(dimension, rungs),
    };
    (finds + refined + options.answers * FINE_PASSES * INTERIOR + alone) as u64
}

/// Whitened points of the nearest distinct answers, nearest first.
fn nearest(probe: &mut Probe<'_>, options: &SearchOptions) -> Result<Vec<Vec<f64>>> {
    let dimension = probe.question().ellipsoid.dimension();
    let mut rays = first_rays(probe.question(), options);
    let mut scans = scan(probe, &rays, options.ladder)?;
    let steepest = steepest(&scans[..2 * dimension], options);
    scans.extend(scan(probe, &steepest, options.ladder)?);
    rays.extend(steepest);
    let crossed = rays.into_iter().zip(scans).filter_map(|(ray, scan)| Some(Found { ray, bracket: scan.bracket? }));
    let mut finds: Vec<Found> = crossed.collect();
    narrow_all(probe, &mut finds, COARSE_PASSES)?;
    let largest_cosine = libm::cos(options.distinct_degrees.to_radians());
    let mut refined = distinct(finds.clone(), FINDS_PER_ANSWER * options.answers, largest_cosine);
    refine(probe, &mut refined, (options.ladder, options.seed))?;
    // Refined finds come first: of equals the first is chosen.
    refined.extend(finds);
    let mut chosen = distinct(refined, options.answers, largest_cosine);
    narrow_all(probe, &mut chosen, FINE_PASSES)?;
    let mut points: Vec<Vec<f64>> = chosen.iter().map(|find| find.ray.point(find.bracket.at)).collect();
    // A shock that is kept where its factor may go is not as far away as its ray says.
    let ellipsoid = probe.question().ellipsoid;
    let radius = |point: &[f64]| ellipsoid.radius(&ellipsoid.shocks(point));
    points.sort_by(|a, b| radius(a).total_cmp(&radius(b)));
    Ok(points)
}

fn narrow_all(probe: &mut Probe<'_>, finds: &mut [Found], passes: usize) -> Result<()> {
    let mut crossings: Vec<(&Ray, &mut Bracket)> =
        finds.iter_mut().map(|find| (&find.ray, &mut find.bracket)).collect();
    narrow(probe, &mut crossings, passes)
}

/// The rays of the whitened axes, both ways, then of each factor, then random ones.
fn first_rays(question: Question<'_>, options: &SearchOptions) -> Vec<Ray> {
    let dimension = question.ellipsoid.dimension();
    let axis = |at: usize| {
        let mut vector = vec![0.0; dimension];
        vector[at] = 1.0;
        vector
    };
    let axes = (0..dimension).map(axis);
    let factors = (0..dimension).flat_map(|at| [question.ellipsoid.alone(at), question.ellipsoid.along(at)]);
    let both = axes.chain(factors).filter_map(|vector| Ray::along(&vector, options.max_radius));
    let stream = Stream::new(options.seed, "reverse:direction");
    let nowhere = vec![0.0; dimension];
    let at_random = (1..=options.directions as u64).map(|number| random(stream, number, &nowhere, 1.0));
    let at_random = at_random.filter_map(|vector| Ray::along(&vector, options.max_radius));
    both.flat_map(|ray| [ray.reversed(), ray]).chain(at_random).collect()
}

/// At each rung, the direction in which the value rises most between the two ends of each axis; each once. It is the gradient
/// of a linear value, and works where a value counts pools and has none.
fn steepest(axes: &[Scan], options: &SearchOptions) -> Vec<Ray> {
    let mut rays: Vec<Ray> = Vec::new();
    for rung in 0..options.ladder {
        let rises: Vec<f64> = axes.chunks_exact(2).map(|ends| ends[1].values[rung] - ends[0].values[rung]).collect();
        if let Some(ray) = Ray::along(&rises, options.max_radius)
            && rays.iter().all(|other| cosine(&other.direction, &ray.direction) < SAME)
        {
            rays.push(ray);
        }
    }
    rays
}

/// Sweeps the unshocked market and the answers once more.
fn verify(probe: &Probe<'_>, points: &[Vec<f64>], rows: Option<&Rows>) -> Result<(Vec<Answer>, Outcome)> {
    let Question { ellipsoid, target, .. } = probe.question();
    let mut shocks = vec![vec![0.0; ellipsoid.factors().len()]];
    shocks.extend(points.iter().map(|point| ellipsoid.shocks(point)));
    let set = probe.scenarios(shocks.clone())?;
    let outcome = probe.sweep(&set)?;
    let values = probe.of_outcome(&outcome, &set)?;
    let shortest = points.first().map_or(0.0, |_| ellipsoid.radius(&shocks[1]));
    let mut answers = Vec::with_capacity(points.len());
    for (number, (point, shocks)) in points.iter().zip(shocks.into_iter().skip(1)).enumerate() {
        let (value, radius) = (values[number + 1], ellipsoid.radius(&shocks));
        if !target.is_reached(value) {
            return Err(Error::Audit(format!("answer {} has {value} in the last sweep, not {target}", number + 1)));
        }
        answers.push(Answer {
            radius,
            likelihood: libm::exp(0.5 * (shortest * shortest - radius * radius)),
            value,
            outcome: outcome.scenarios[number + 1],
            beyond: rows.map(|rows| rows.beyond(point)),
            shocks,
        });
    }
    Ok((answers, outcome))
}

/// The answers as a scenario set: ids `reverse1`, `reverse2`, ….
fn answer_set(probe: &Probe<'_>, answers: &[Answer]) -> Result<ScenarioSet> {
    let target = probe.question().target;
    let shocks: Vec<Vec<f64>> = answers.iter().map(|answer| answer.shocks.clone()).collect();
    let label = |answer: &Answer| format!("radius {:.4}: {} {}", answer.radius, target.name(), answer.value);
    Ok(ScenarioSet {
        ids: (1..=answers.len()).map(|number| format!("reverse{number}")).collect(),
        weights: answers.iter().map(|answer| answer.likelihood).collect(),
        labels: answers.iter().map(label).collect(),
        ..probe.scenarios(shocks)?
    })
}

impl Findings {
    fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"plimsoll reverse 1");
        let mut numbers = |values: &[f64]| {
            hasher.update(&(values.len() as u64).to_le_bytes());
            // −0 and 0 are one figure.
            for value in values {
                hasher.update(&(value + 0.0).to_le_bytes());
            }
        };
        numbers(&[self.base]);
        for answer in &self.answers {
            numbers(&answer.shocks);
            numbers(&[answer.radius, answer.value]);
        }
        if let Some(furthest) = &self.furthest {
            numbers(&furthest.shocks);
            numbers(&[furthest.radius, furthest.value]);
        }
        for buffer in &self.buffers {
            let shocks: Vec<f64> = [buffer.down, buffer.up].into_iter().flatten().map(|found| found.shock).collect();
            numbers(&shocks);
        }
        hasher.update(digest(&self.outcome.pools, &self.outcome.scenarios).as_bytes());
        hasher.finalize().to_hex().to_string()
    }
}
