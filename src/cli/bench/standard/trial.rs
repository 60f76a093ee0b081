//! Rows, one by one: answers first, times after.

use std::time::Instant;

use super::budget::{Budget, Extent, Seen};
use super::lineup::Contender;
use super::report::{Row, RowResult, Stages};
use super::workload::{Case, Size, Workload};
use crate::engine::{EngineChoice, Outcome, Progress, digest};
use crate::error::{Error, Result};

/// What a run is asked to do.
pub(super) struct Plan {
    pub(super) workloads: Vec<Workload>,
    pub(super) sizes: Vec<Size>,
    pub(super) seed: u64,
    pub(super) threads: Option<usize>,
    /// Timed runs of each row.
    pub(super) reps: u32,
}

/// A run under way.
pub(super) struct Trial<'t> {
    pub(super) plan: &'t Plan,
    pub(super) contenders: &'t [Contender],
    pub(super) budget: Budget,
    pub(super) progress: &'t dyn Progress,
    /// Sweeps done or passed over.
    done: u64,
}

/// Why an engine gets no speed.
#[derive(Debug, Clone)]
enum Refusal {
    /// Its answers are wrong.
    Wrong(String),
    /// It gave none.
    Failed(String),
}

impl From<Refusal> for RowResult {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Wrong(reason) => Self::Wrong { reason },
            Refusal::Failed(reason) => Self::Failed { reason },
        }
    }
}

/// What is known of an engine's answers to a workload.
type Verdict = Result<(), Refusal>;

impl<'t> Trial<'t> {
    pub(super) fn new(plan: &'t Plan, contenders: &'t [Contender], budget: Budget, progress: &'t dyn Progress) -> Self {
        Self { plan, contenders, budget, progress, done: 0 }
    }

    /// Every row: the workloads of each size in turn, so that what is left of the budget goes to the larger ones.
    ///
    /// # Errors
    /// Those of the generators and of the reference: nothing can be said without them.
    pub(super) fn run(mut self) -> Result<Vec<Row>> {
        let plan = self.plan;
        let verdicts: Vec<Vec<Verdict>> =
            plan.workloads.iter().map(|&workload| self.check(workload)).collect::<Result<_>>()?;
        let mut rows = Vec::new();
        for &size in &plan.sizes {
            for (&workload, verdicts) in plan.workloads.iter().zip(&verdicts) {
                rows.extend(self.rows(workload, size, verdicts)?);
            }
        }
        Ok(rows)
    }

    /// Tells how many sweeps are behind.
    fn advance(&mut self, sweeps: u64) {
        self.done += sweeps;
        let of_size = self.plan.sizes.len() as u64 * u64::from(self.plan.reps + 1);
        let total = (self.plan.workloads.len() * self.contenders.len()) as u64 * (1 + of_size);
        self.progress.advance(self.done.min(total), total);
    }

    /// Compares every engine with the reference on a cut of the workload, and notes how long it took.
    fn check(&mut self, workload: Workload) -> Result<Vec<Verdict>> {
        let clock = Instant::now();
        let case = workload.case(Size::Tiny, self.plan.seed)?;
        self.budget.note_building(workload, case.cells() as f64, clock.elapsed().as_secs_f64());
        let reference = answers(&case.sweep(&EngineChoice::Reference, self.plan.threads)?);
        let contenders = self.contenders;
        let check = |contender: &Contender| {
            let (_, answered) = self.sweep(workload, contender, &case)?;
            match answered == reference {
                true => Ok(()),
                false => Err(Refusal::Wrong("answers differ from those of the reference engine".into())),
            }
        };
        Ok(contenders.iter().map(check).collect())
    }

    /// All engines on one workload of one size.
    fn rows(&mut self, workload: Workload, size: Size, verdicts: &[Verdict]) -> Result<Vec<Row>> {
        let (accounts, scenarios) = workload.extent(size);
        let contenders = self.contenders;
        let row = |contender: &Contender, result| Row {
            workload: workload.name().into(),
            size: size.name().into(),
            engine: contender.engine.name.clone(),
            is_software: contender.engine.is_software,
            accounts,
            scenarios: scenarios as u64,
            result,
        };
        let mut case = None;
        let mut rows = Vec::new();
        for (contender, verdict) in contenders.iter().zip(verdicts) {
            let before = self.done;
            let result = match verdict {
                Err(refusal) => refusal.clone().into(),
                Ok(()) => self.row(workload, size, contender, &mut case)?,
            };
            self.advance((before + u64::from(self.plan.reps + 1)).saturating_sub(self.done));
            rows.push(row(contender, result));
        }
        agree(&mut rows);
        Ok(rows)
    }

    /// One engine on one workload of one size, which the first engine that has the time for it builds.
    fn row(
        &mut self,
        workload: Workload,
        size: Size,
        contender: &Contender,
        case: &mut Option<Case>,
    ) -> Result<RowResult> {
        let extent = expected(workload, size);
        let building = if case.is_some() { 0.0 } else { self.budget.building(workload, extent.cells) };
        let needs = building + self.budget.sweeps(workload, &contender.engine.name, extent, self.plan.reps + 1);
        if needs > self.budget.left() {
            return Ok(RowResult::LeftOut { needs_seconds: needs });
        }
        let case = match case {
            Some(case) => case,
            None => {
                let clock = Instant::now();
                let built = case.insert(workload.case(size, self.plan.seed)?);
                self.budget.note_building(workload, built.cells() as f64, clock.elapsed().as_secs_f64());
                built
            }
        };
        Ok(self.time(workload, contender, case).unwrap_or_else(RowResult::from))
    }

    /// A run that warms up and gives the answers, then timed ones until they are enough or the budget is spent.
    fn time(&mut self, workload: Workload, contender: &Contender, case: &Case) -> Result<RowResult, Refusal> {
        let (first, answered) = self.sweep(workload, contender, case)?;
        let mut runs: Vec<Stages> = Vec::new();
        while runs.is_empty() || runs.len() < self.plan.reps as usize && self.budget.left() > 0.0 {
            let (outcome, again) = self.sweep(workload, contender, case)?;
            if again != answered {
                return Err(Refusal::Wrong("answers differ from run to run".into()));
            }
            runs.push(outcome.seconds.into());
        }
        let positions = case.snapshot.book.position_count() as u64;
        let measured = contender.engine.measured(workload.work(), (&first, &answered), (positions, runs));
        measured
            .map(RowResult::Measured)
            .ok_or_else(|| Refusal::Failed("no speed: the clock or a ceiling told none".into()))
    }

    /// One sweep: what came out, and its digest.
    fn sweep(&mut self, workload: Workload, contender: &Contender, case: &Case) -> Result<(Outcome, String), Refusal> {
        let clock = Instant::now();
        let outcome = case.sweep(&contender.choice, self.plan.threads).map_err(|error| match error {
            Error::Audit(_) => Refusal::Wrong(error.to_string()),
            other => Refusal::Failed(other.to_string()),
        })?;
        let asked = contender.engine.name.split(' ').next().unwrap_or_default();
        if outcome.engine != asked {
            let reason = format!("{} ran in its place: {}", outcome.engine, outcome.warnings.join("; "));
            return Err(Refusal::Failed(reason));
        }
        self.advance(1);
        let wall = clock.elapsed().as_secs_f64();
        let extent = Extent { cells: outcome.cells as f64, scenarios: outcome.scenarios.len() as f64 };
        let Stages { revalue, sweep, audit } = outcome.seconds.into();
        self.budget.note(workload, &contender.engine.name, Seen { extent, sweep, shared: revalue + audit, wall });
        let answered = answers(&outcome);
        Ok((outcome, answered))
    }
}

/// How much work a case will be, about.
fn expected(workload: Workload, size: Size) -> Extent {
    /// Positions of an account.
    const POSITIONS: f64 = 8.0;
    let (accounts, scenarios) = workload.extent(size);
    Extent { cells: POSITIONS * accounts as f64 * scenarios as f64, scenarios: scenarios as f64 }
}

fn answers(outcome: &Outcome) -> String {
    digest(&outcome.pools, &outcome.scenarios)
}

/// Engines that give different answers to the same case give no speed: which of them is wrong is not known here.
fn agree(rows: &mut [Row]) {
    let digest = |row: &Row| match &row.result {
        RowResult::Measured(measured) => Some(measured.digest.clone()),
        _ => None,
    };
    let digests: Vec<(String, String)> =
        rows.iter().filter_map(|row| Some((row.engine.clone(), digest(row)?))).collect();
    let Some(odd) = digests.iter().find(|(_, digest)| *digest != digests[0].1) else { return };
    let reason = format!("answers of {} and {} differ", digests[0].0, odd.0);
    for row in rows.iter_mut().filter(|row| digest(row).is_some()) {
        row.result = RowResult::Wrong { reason: reason.clone() };
    }
}

#[cfg(test)]
mod tests;
