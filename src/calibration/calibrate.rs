//! A whole calibration: searched, judged, weighed.

use super::answer::{Answer, ConstraintAnswer, CoverageAnswer, ParameterAnswer};
use super::block_bootstrap::BlockBootstrap;
use super::calibration::Calibration;
use super::front::front;
use super::intervals::intervals;
use super::job::{Job, Objective};
use super::landscape::Landscape;
use super::search::{Progress, SearchOptions, solve};
use super::segments::{PoolChange, segments};
use super::sensitivity::sensitivities;
use super::sizing::{Sizing, SizingOptions};
use crate::error::Result;

/// Searches the job's free parameters and weighs what is found. Answers with the pools that the segments were made of, too.
///
/// # Errors
/// What the measurement answers.
pub fn calibrate(
    calibration: &mut Calibration<'_>,
    job: &Job,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<(Answer, Vec<PoolChange>)> {
    let options = SearchOptions { evaluations: job.search.evaluations as usize, refine: job.search.refine as usize };
    let (old_measured, old) = calibration.old()?;
    let solution = solve(calibration, &options, 1.0, None, progress)?;
    let point = solution.point.as_slice();
    let bootstrap = BlockBootstrap {
        replicates: job.search.replicates as usize,
        block: job.search.block.map(|block| block as usize),
        seed: job.seed,
    };
    let intervals = intervals(calibration, &solution, &bootstrap, job.confidence)?;
    let front = front(calibration, &options, &solution, progress)?;
    let sensitivities = sensitivities(calibration, point)?;
    let measured = calibration.measure(point)?;
    let hold_out = calibration.hold_out(Some(point))?;
    let pools = calibration.pool_changes(point)?;
    let accounts = calibration.accounts(point)?;
    let sizing = Sizing::of(&measured, calibration.weights(), &accounts, &sizing_options(job));
    let names: Vec<String> = job.constraints.iter().map(|constraint| constraint.name.clone()).collect();
    let axes = calibration.axes();
    let answer = Answer {
        is_met: solution.is_met(),
        confidence: job.confidence,
        margin: [old_measured.margin, measured.margin],
        objective: [old.objective, solution.evaluation.objective],
        parameters: ParameterAnswer::all(axes, &solution, &intervals),
        constraints: ConstraintAnswer::all(
            &names,
            &old,
            (axes, &solution),
            hold_out.as_ref().map(|(_, evaluation)| evaluation),
        ),
        coverage: CoverageAnswer::all(
            (&measured, calibration.weights()),
            hold_out.as_ref().map(|(measured, _)| (measured, calibration.hold_out_weights())),
        ),
        front,
        sensitivities,
        segments: segments(&pools),
        sizing,
        evaluations: solution.evaluations,
        sweeps: calibration.sweeps(),
    };
    Ok((answer, pools))
}

/// The cheapest insurance fund needs to know what holding and missing money cost.
fn sizing_options(job: &Job) -> SizingOptions {
    let costs = match job.objective {
        Objective::Cost { shortfall, fund, .. } => Some((fund, shortfall)),
        Objective::Margin => None,
    };
    SizingOptions { costs, ..SizingOptions::default() }
}
