//! From a job and its subject to a calibration: everything that can be wrong is said before anything is swept.

use std::collections::HashMap;

use super::calibration::{Calibration, SampleMarket, Subject, floor_of};
use super::candidate::{Candidate, Ground};
use super::checkpoint::Recorder;
use super::constraint::Floored;
use super::document::Document;
use super::history::Replays;
use super::job::{How, Job, Objective, Resources, fault};
use super::landscape::{Axis, Strict};
use super::parameter::{Parameter, apply, resolve};
use super::path::Step;
use super::population::Population;
use super::runs::Runs;
use super::threshold::unshocked_rows;
use super::touched::Touched;
use crate::domain::Pool;
use crate::engine::{Progress, SweepOptions};
use crate::error::{Error, Fault, Result};
use crate::margin::{MarginSide, Rules, Setting};

/// An end of everything that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Corner {
    /// Every parameter at its stricter end.
    Strictest,
    /// Every parameter at its looser end.
    Loosest,
}

impl Axis {
    /// The end of the axis at a corner; where no end is stricter, the upper one counts as such.
    fn at(&self, corner: Corner) -> f64 {
        match (corner, self.strict) {
            (Corner::Strictest, Strict::High | Strict::Neither) | (Corner::Loosest, Strict::Low) => self.high,
            (Corner::Strictest, Strict::Low) | (Corner::Loosest, Strict::High | Strict::Neither) => self.low,
        }
    }
}

impl<'a> Calibration<'a> {
    /// Looks everything up and checks it. `options` are of the engine, for constraints that need runs; `recorder` takes what is
    /// evaluated.
    ///
    /// # Errors
    /// [`Error::Configuration`] with every fault of the job against its rulebook, columns being dotted paths of the job file;
    /// [`Error::Refused`] where scenarios, book and old rulebook do not fit together.
    pub fn new(
        subject: Subject<'a>,
        job: &'a Job,
        options: SweepOptions,
        (progress, recorder): (&'a dyn Progress, Box<dyn Recorder + Send + 'a>),
    ) -> Result<Self> {
        let Subject { snapshot, document, scenarios, hold_out, history } = subject;
        let mut faults = job.faults();
        let (parameters, axes, unresolved) = resolve(&job.parameters, &document);
        faults.extend(unresolved);
        let floors = floors(job, &parameters, &document, &mut faults);
        let old = document.rulebook()?;
        faults.extend(overlay_fault(job, old.overlay.is_some()));
        refuse(faults)?;
        if job.history.is_some() != history.is_some() {
            return Err(Error::Bug("a history goes with the job that asks for it".into()));
        }
        for set in [Some(&scenarios), hold_out.as_ref()].into_iter().flatten() {
            let faults = set.faults();
            if !faults.is_empty() {
                return Err(Error::Refused(faults));
            }
        }
        refuse(fund_faults(job, old.liquidation.is_some()))?;
        let rules = Rules::resolve(&old, snapshot)?;
        let rows = unshocked_rows(&rules, snapshot)?;
        let population = Population::of(&Setting { snapshot, rules: &rules, rows: &rows }, job.outright_notional);
        let replays = history.map(|history| Replays::new(history, job.margin, (snapshot, &population))).transpose()?;
        let ground = Ground { snapshot, population: &population, job, replays: replays.as_ref() };
        let check = Check { document: &document, parameters: &parameters, axes: &axes, ground };
        let Checked { is_counted, loosest } = check.run()?;
        let sample = |set| SampleMarket { set, tails: None };
        Ok(Self {
            snapshot,
            job,
            document,
            rules,
            touched: Touched::of(&parameters, snapshot),
            parameters,
            axes,
            floors,
            population,
            replays,
            is_counted,
            loosest,
            searched: sample(scenarios),
            held_out: hold_out.map(sample),
            runs: Runs::new(SweepOptions { unshocked: job.unshocked, ..options }),
            progress,
            recorder,
            known: HashMap::new(),
            last: None,
            sweeps: 0,
            candidates: 0,
        })
    }

    /// The point of a corner.
    pub(super) fn corner(&self, corner: Corner) -> Vec<f64> {
        self.axes.iter().map(|axis| axis.at(corner)).collect()
    }
}

fn refuse(faults: Vec<Fault>) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { Err(Error::Configuration(faults)) }
}

fn floors(job: &Job, parameters: &[Parameter], document: &Document, faults: &mut Vec<Fault>) -> Vec<Option<Floored>> {
    let constraints = job.constraints.iter().enumerate();
    constraints
        .map(|(at, constraint)| {
            floor_of(&constraint.rule).map(|floor| floor.resolve(at, (job, parameters), document, faults))
        })
        .collect()
}

/// Faults of what asks for an insurance fund where the rulebook has none.
fn fund_faults(job: &Job, has_policy: bool) -> Vec<Fault> {
    let rule = "the rulebook says how it liquidates: liquidation.fund.balance_quote is the fund";
    let remedy = "add [liquidation] to the rulebook, or give an amount";
    let asks = job.constraints.iter().enumerate().filter(|(_, constraint)| constraint.rule.needs_fund());
    let mut columns: Vec<String> = asks.map(|(at, _)| format!("constraint[{at}].limit")).collect();
    if matches!(job.objective, Objective::Cost { fund, .. } if fund > 0.0) {
        columns.push("objective.fund_cost".into());
    }
    columns.iter().filter(|_| !has_policy).map(|column| fault(column, "", rule, remedy)).collect()
}

/// The fault of a history that no overlay follows.
fn overlay_fault(job: &Job, has_overlay: bool) -> Option<Fault> {
    let rule = "the rulebook's [overlay] is what a history is replayed by";
    let remedy = "add [overlay] to the rulebook, or remove [history]";
    (job.history.is_some() && !has_overlay).then(|| fault("history", "", rule, remedy))
}

/// The check of every end of what is free.
struct Check<'c> {
    document: &'c Document,
    parameters: &'c [Parameter],
    axes: &'c [Axis],
    ground: Ground<'c>,
}

/// What the check has learned.
struct Checked {
    is_counted: Vec<bool>,
    loosest: Vec<f64>,
}

impl Check<'_> {
    fn run(&self) -> Result<Checked> {
        let mut faults = Vec::new();
        for at in 0..self.axes.len() {
            self.check_axis(at, &mut faults)?;
        }
        refuse(faults)?;
        let corner = |corner| self.axes.iter().map(|axis| axis.at(corner)).collect::<Vec<f64>>();
        let loosest_point = corner(Corner::Loosest);
        let strictest = self.candidate(&corner(Corner::Strictest), "strict")?;
        let loosest = self.candidate(&loosest_point, "loose")?;
        let mut bounds = loosest.thresholds.pools.clone();
        for (at, axis) in self.axes.iter().enumerate().filter(|(_, axis)| axis.strict == Strict::Neither) {
            let mut point = loosest_point.clone();
            point[at] = axis.high;
            let other = self.candidate(&point, "loose")?;
            bounds.iter_mut().zip(&other.thresholds.pools).for_each(|(bound, other)| *bound = bound.min(*other));
        }
        let required = strictest.thresholds.requirements.iter().zip(&loosest.thresholds.requirements);
        let pools = self.ground.snapshot.book.pools().zip(required);
        let is_counted: Vec<bool> =
            pools.map(|(pool, (most, least))| self.counts(&pool, *most > 0.0 || *least > 0.0)).collect();
        for (bound, _) in bounds.iter_mut().zip(&is_counted).filter(|(_, is_counted)| !**is_counted) {
            *bound = f64::INFINITY;
        }
        Ok(Checked { is_counted, loosest: bounds })
    }

    /// Whether a pool's losses count: one that owes nothing and of which nothing is required has nothing to be covered.
    fn counts(&self, pool: &Pool<'_>, is_required: bool) -> bool {
        let owes = || pool.balances.iter().any(|balance| balance.amount + balance.accrued_interest < 0.0);
        !pool.unknown && (is_required || (self.ground.job.resources == Resources::Held && owes()))
    }

    /// Both ends of one parameter, the others as they were, are rulebooks, and differ in what is measured.
    fn check_axis(&self, at: usize, faults: &mut Vec<Fault>) -> Result<()> {
        let (axis, parameter) = (&self.axes[at], &self.parameters[at]);
        let column = |key: &str| format!("parameter[{}].{key}", parameter.request);
        let mut ends = Vec::new();
        for (key, value) in [("low", axis.low), ("high", axis.high)] {
            let document = self.document.with(parameter.edits(value));
            match Candidate::of(document, self.ground) {
                Ok(candidate) => ends.push(candidate),
                Err(Error::Configuration(refusal) | Error::Refused(refusal)) => {
                    faults.push(refused_fault(&column(key), (&axis.name, value), &refusal));
                }
                Err(other) => return Err(other),
            }
        }
        let [low, high] = ends.as_slice() else { return Ok(()) };
        let has_runs = self.ground.job.constraints.iter().any(|constraint| constraint.rule.needs_run());
        if low.measures_as(high) && !(has_runs && low.rulebook != high.rulebook) {
            faults.push(fault(
                &column("at"),
                &axis.name,
                "a parameter changes what is measured",
                self.idle_remedy(parameter),
            ));
        }
        Ok(())
    }

    /// What to do about a parameter that changes nothing.
    fn idle_remedy(&self, parameter: &Parameter) -> &'static str {
        let initial = Step::Name("initial".into());
        let is_initial = parameter.numbers.iter().all(|(place, _)| place.contains(&initial));
        let is_zero = parameter.numbers.iter().all(|(_, number)| *number == 0.0);
        let Ground { job, replays, .. } = self.ground;
        let asked = &job.parameters[parameter.request];
        let is_overlay = asked.at.iter().all(|at| at.starts_with("overlay."));
        match (asked.how, job.resources) {
            _ if is_overlay && replays.is_none() => "only a history shows what an overlay does: add [history]",
            _ if is_overlay => "no step of the history would differ: widen the range, or remove it",
            _ if is_initial && job.margin == MarginSide::Maintenance => {
                "it is of the initial requirement: write margin = \"initial\" at the top of the job"
            }
            (How::Scale, _) if is_zero => "0 times anything is 0: write how = \"set\"",
            (_, Resources::Required) => {
                "nobody holds what it is about, or it is a haircut, for which write resources = \"held\""
            }
            (_, Resources::Held) => {
                "nobody holds what it is about, or only a run of liquidations would show it: remove it"
            }
        }
    }

    fn candidate(&self, point: &[f64], end: &str) -> Result<Candidate> {
        let document = apply(self.document, self.parameters, point);
        match Candidate::of(document, self.ground) {
            Err(Error::Configuration(refusal) | Error::Refused(refusal)) => {
                let name = format!("every parameter at its {end} end");
                Err(Error::Configuration(vec![refused_fault("parameter", (&name, f64::NAN), &refusal)]))
            }
            other => other,
        }
    }
}

/// The fault of an end that is no rulebook.
fn refused_fault(column: &str, (name, value): (&str, f64), refusal: &[Fault]) -> Fault {
    let first = refusal.first().map_or_else(String::new, ToString::to_string);
    let value = if value.is_nan() { name.to_string() } else { format!("{name} = {value}") };
    fault(column, value, format!("both ends are rulebooks; this one is not: {first}"), "narrow the range")
}
