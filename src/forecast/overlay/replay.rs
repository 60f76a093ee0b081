//! Margin over a history by rules that follow forecasts, at equal coverage, against a constant one.

use super::accounts::{AccountFigures, Population, Rates, World};
use super::excursion::{Direction, Prices};
use super::measure::{Losses, Measured};
use super::path::{Subject, follow};
use super::reason::Change;
use super::scale::{Learning, covering};
use crate::error::{Error, Result};
use crate::forecast::Outlook;
use crate::margin::OverlayCoefficients;

/// A model's outlooks in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The model.
    pub name: String,
    /// Its outlooks.
    pub outlooks: Vec<Outlook>,
}

/// What is asked of a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The underlying, as the log of changes names it.
    pub underlying: String,
    /// Share of the losses that every rule is scaled to cover, in (0, 1).
    pub confidence: f64,
    /// Hours in which a loss may happen.
    pub horizon_hours: usize,
    /// The overlay.
    pub coefficients: OverlayCoefficients,
    /// Maintenance margin over initial margin before the overlay, in (0, 1].
    pub maintenance_share: f64,
    /// Name of the series that the overlay and the blends follow.
    pub chosen: String,
    /// Name of the series whose plain rule accounts are also set against.
    pub plain: String,
    /// The accounts.
    pub population: Population,
    /// Steps before the first scale that is learnt from the past.
    pub warm_up_steps: usize,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Steps that every series has an outlook and the history a whole horizon for.
    pub steps: usize,
    /// The first of them, and the last: hours since 1970-01-01 00:00 UTC.
    pub hours: [i64; 2],
    /// Each rule scaled to equal coverage of the very losses it is measured on: only shapes are compared.
    pub in_sample: Vec<Measured>,
    /// Each rule with scales learnt from the past alone.
    pub walk_forward: Vec<Measured>,
    /// What became of accounts, at equal coverage in sample of both directions together.
    pub accounts: Vec<AccountFigures>,
    /// Every change of the overlay's multipliers.
    pub changes: Vec<Change>,
}

impl Terms {
    /// Steps between scales that are learnt: a month of four-hour steps.
    const RELEARN_STEPS: usize = 180;

    /// The usual terms for an underlying under an overlay's coefficients.
    pub fn of(underlying: &str, coefficients: OverlayCoefficients, chosen: &str, plain: &str) -> Self {
        Self {
            underlying: underlying.into(),
            confidence: 0.99,
            horizon_hours: 24,
            coefficients,
            maintenance_share: 0.5,
            chosen: chosen.into(),
            plain: plain.into(),
            population: Population { accounts: 20_000, seed: 1 },
            warm_up_steps: 2_190,
        }
    }

    fn faults(&self) -> Option<&'static str> {
        match self {
            _ if !(self.confidence > 0.0 && self.confidence < 1.0) => Some("confidence lies between 0 and 1"),
            _ if !(self.maintenance_share > 0.0 && self.maintenance_share <= 1.0) => {
                Some("the share of maintenance lies above 0 and is at most 1")
            }
            _ if self.horizon_hours == 0 => Some("the horizon is at least an hour"),
            _ if !self.coefficients.is_well_formed() => Some("the overlay's coefficients lie in their ranges"),
            _ => None,
        }
    }
}

/// A rule: what its margin is proportional to, step by step.
struct Rule {
    name: String,
    initial: Vec<f64>,
    maintenance: Vec<f64>,
}

impl Rule {
    /// A rule whose requirements move together.
    fn of(name: impl Into<String>, shape: Vec<f64>) -> Self {
        Self { name: name.into(), initial: shape.clone(), maintenance: shape }
    }
}

/// Steps that can be measured: by series the outlooks, by direction the losses.
struct Steps<'a> {
    hours: Vec<i64>,
    outlooks: Vec<Vec<&'a Outlook>>,
    losses: [Vec<f64>; 2],
}

/// Replays a history: every series by itself, the chosen one in blends with the long run and through the overlay.
///
/// # Errors
/// [`Error::Usage`] where the terms are out of range, name a series that is not there, or nothing can be measured.
pub fn replay(prices: Prices<'_>, series: &[Series], terms: &Terms) -> Result<Replay> {
    if let Some(rule) = terms.faults() {
        return Err(Error::Usage(rule.into()));
    }
    let chosen = place(series, &terms.chosen)?;
    let plain = place(series, &terms.plain)?;
    let steps = Steps::of(prices, series, terms);
    let [Some(first), Some(last)] = [steps.hours.first(), steps.hours.last()] else {
        let problem = "no moment has an outlook of every model and a whole horizon of prices after it";
        return Err(Error::Usage(problem.into()));
    };
    let subject = Subject { underlying: &terms.underlying, model: None };
    let path = follow(&terms.coefficients, &series[chosen].outlooks, subject);
    let overlay = overlay_rule(&path.steps, &steps, &series[chosen].name);
    let mut rules = vec![Rule::of("constant", vec![1.0; steps.hours.len()])];
    let shape = |at: usize, weight: f64| steps.outlooks[at].iter().map(move |o| blended(o, weight)).collect::<Vec<_>>();
    rules.extend(series.iter().enumerate().map(|(at, series)| Rule::of(series.name.clone(), shape(at, 1.0))));
    let name = &series[chosen].name;
    rules.extend(
        [("half", 0.5), ("quarter", 0.25)]
            .map(|(word, weight)| Rule::of(format!("{word} {name}"), shape(chosen, weight))),
    );
    let long_run = shape(chosen, 0.0);
    let scaled = |shape: &[f64]| shape.iter().zip(&long_run).map(|(multiplier, base)| multiplier * base).collect();
    let on_long_run = Rule {
        name: format!("{} on the long run", overlay.name),
        initial: scaled(&overlay.initial),
        maintenance: scaled(&overlay.maintenance),
    };
    let unannounced = Rule::of(format!("{} without notice", overlay.name), overlay.initial.clone());
    rules.extend([overlay, on_long_run]);
    let (in_sample, walk_forward) = (steps.in_sample(&rules, terms), steps.walk_forward(&rules, terms));
    rules.push(unannounced);
    // What the others are set against stands first.
    rules.swap(1, 1 + plain);
    let rates: Vec<Rates> = rules.iter().filter_map(|rule| steps.rates(rule, terms)).collect();
    let world = World { prices, hours: &steps.hours };
    Ok(Replay {
        steps: steps.hours.len(),
        hours: [*first, *last],
        in_sample,
        walk_forward,
        accounts: terms.population.live(&world, &rates, 2),
        changes: path.changes,
    })
}

fn place(series: &[Series], name: &str) -> Result<usize> {
    let found = series.iter().position(|series| series.name == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
        Error::Usage(format!("no series of outlooks is called {name:?}; there are {}", known.join(", ")))
    })
}

/// √(weight · v + (1 − weight) · v_LT): what the margin of a blend is proportional to.
fn blended(outlook: &Outlook, weight: f64) -> f64 {
    libm::sqrt(weight * outlook.variance + (1.0 - weight) * outlook.long_run_variance)
}

/// The overlay's multipliers at the steps measured; the one before where the overlay made none.
fn overlay_rule(path: &[super::path::Step], steps: &Steps<'_>, name: &str) -> Rule {
    let at = |hour: &i64| {
        let after = path.partition_point(|step| step.hour <= *hour);
        let step = after.checked_sub(1).map(|at| &path[at]);
        step.map_or((1.0, 1.0), |step| (step.initial.to, step.maintenance.to))
    };
    let (initial, maintenance) = steps.hours.iter().map(at).unzip();
    Rule { name: format!("overlay of {name}"), initial, maintenance }
}

impl<'a> Steps<'a> {
    fn of(prices: Prices<'_>, series: &'a [Series], terms: &Terms) -> Self {
        let mut steps =
            Self { hours: Vec::new(), outlooks: vec![Vec::new(); series.len()], losses: [Vec::new(), Vec::new()] };
        let at = |series: &'a Series, hour: i64| {
            let at = series.outlooks.binary_search_by_key(&hour, |outlook| outlook.hour).ok()?;
            let outlook = &series.outlooks[at];
            outlook.is_usable().then_some(outlook)
        };
        let first = series.first().map_or(&[][..], |series| &series.outlooks);
        for hour in first.iter().map(|outlook| outlook.hour) {
            let outlooks: Option<Vec<&Outlook>> = series.iter().map(|series| at(series, hour)).collect();
            let loss = |direction| prices.worst_excursion(direction, hour, terms.horizon_hours);
            let (Some(outlooks), Some(long), Some(short)) = (outlooks, loss(Direction::Long), loss(Direction::Short))
            else {
                continue;
            };
            steps.hours.push(hour);
            steps.outlooks.iter_mut().zip(outlooks).for_each(|(all, outlook)| all.push(outlook));
            steps.losses[0].push(long);
            steps.losses[1].push(short);
        }
        steps
    }

    fn losses(&self, direction: Direction, terms: &Terms) -> Losses<'_> {
        let losses = match direction {
            Direction::Long => &self.losses[0],
            Direction::Short => &self.losses[1],
        };
        let (confidence, horizon_hours) = (terms.confidence, terms.horizon_hours);
        Losses { direction, hours: &self.hours, losses, horizon_hours, confidence }
    }

    fn in_sample(&self, rules: &[Rule], terms: &Terms) -> Vec<Measured> {
        let each = Direction::ALL.into_iter().flat_map(|direction| rules.iter().map(move |rule| (direction, rule)));
        let measured = each.filter_map(|(direction, rule)| {
            let losses = self.losses(direction, terms);
            let scale = covering(ratios(losses.losses, &rule.initial), terms.confidence)?;
            let margins: Vec<f64> = rule.initial.iter().map(|shape| scale * shape).collect();
            Some(losses.measure(&rule.name, &margins))
        });
        measured.collect()
    }

    fn walk_forward(&self, rules: &[Rule], terms: &Terms) -> Vec<Measured> {
        let learning = Learning {
            confidence: terms.confidence,
            warm_up: terms.warm_up_steps,
            every: Terms::RELEARN_STEPS,
            delay: self.steps_within(terms.horizon_hours),
        };
        if learning.warm_up >= self.hours.len() {
            return Vec::new();
        }
        let each = Direction::ALL.into_iter().flat_map(|direction| rules.iter().map(move |rule| (direction, rule)));
        let measured = each.map(|(direction, rule)| {
            let losses = self.losses(direction, terms);
            let scales = learning.scales(&ratios(losses.losses, &rule.initial));
            let margins: Vec<f64> =
                rule.initial[learning.warm_up..].iter().zip(scales).map(|(shape, scale)| scale * shape).collect();
            losses.since_step(learning.warm_up).measure(&rule.name, &margins)
        });
        measured.collect()
    }

    /// The largest number of steps that begin within some hours of one another.
    fn steps_within(&self, hours: usize) -> usize {
        let gap = self.hours.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).min().unwrap_or(1);
        hours.div_ceil(usize::try_from(gap.max(1)).unwrap_or(1))
    }

    /// A rule as accounts meet it: one rate for both directions, scaled to cover the losses of both together.
    fn rates(&self, rule: &Rule, terms: &Terms) -> Option<Rates> {
        let both = self.losses.iter().flat_map(|losses| ratios(losses, &rule.initial)).collect();
        let scale = covering(both, terms.confidence)?;
        let of = |shape: &[f64], share: f64| shape.iter().map(|shape| share * scale * shape).collect();
        Some(Rates {
            rule: rule.name.clone(),
            initial: of(&rule.initial, 1.0),
            maintenance: of(&rule.maintenance, terms.maintenance_share),
        })
    }
}

fn ratios(losses: &[f64], shape: &[f64]) -> Vec<f64> {
    losses.iter().zip(shape).map(|(loss, shape)| loss / shape).collect()
}
