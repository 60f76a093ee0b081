//! What a calibration answers, put together for pages and tables.

use super::front::FrontPoint;
use super::intervals::Interval;
use super::landscape::{Axis, Evaluation, Measured, Reading};
use super::search::{Solution, Why};
use super::segments::Segment;
use super::sensitivity::Sensitivity;
use super::sizing::Sizing;

/// One free parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterAnswer {
    /// Name and range.
    pub axis: Axis,
    /// The value that was found.
    pub new: f64,
    /// How sure it is; `None` where that cannot be said.
    pub interval: Option<Interval>,
    /// What stopped it.
    pub why: Why,
}

impl ParameterAnswer {
    /// The parameters of a solution; `intervals` has one entry per axis, or none at all.
    pub fn all(axes: &[Axis], solution: &Solution, intervals: &[Option<Interval>]) -> Vec<Self> {
        let parameter = |(number, axis): (usize, &Axis)| Self {
            axis: axis.clone(),
            new: solution.point[number],
            interval: intervals.get(number).copied().flatten(),
            why: solution.why[number],
        };
        axes.iter().enumerate().map(parameter).collect()
    }
}

/// One constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstraintAnswer {
    /// Name in the job.
    pub name: String,
    /// At the old values.
    pub old: Reading,
    /// At the answer.
    pub new: Reading,
    /// At the answer in scenarios that the search did not see; `None` where there are none.
    pub hold_out: Option<Reading>,
    /// Parameters that it stops: one tolerance looser, it breaks.
    pub stops: Vec<String>,
    /// Whether some candidate met it.
    pub is_reachable: bool,
}

impl ConstraintAnswer {
    /// The constraints of a solution, in the order of the job, which `names` has. Readings that are missing are left out.
    pub fn all(
        names: &[String],
        old: &Evaluation,
        (axes, solution): (&[Axis], &Solution),
        hold_out: Option<&Evaluation>,
    ) -> Vec<Self> {
        let readings = old.readings.iter().zip(&solution.evaluation.readings);
        let constraint = |(number, (name, (old, new))): (usize, (&String, (&Reading, &Reading)))| {
            let stopped = axes.iter().zip(&solution.why).filter(|(_, why)| **why == Why::Constraint(number));
            let unreachable = |unmet: &super::Unmet| unmet.constraint == number && !unmet.is_met_elsewhere;
            Self {
                name: name.clone(),
                old: *old,
                new: *new,
                hold_out: hold_out.and_then(|evaluation| evaluation.readings.get(number)).copied(),
                stops: stopped.map(|(axis, _)| axis.name.clone()).collect(),
                is_reachable: !solution.unmet.iter().any(unreachable),
            }
        };
        names.iter().zip(readings).enumerate().map(constraint).collect()
    }
}

/// Losses of some pools against what they had to have.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Covered {
    /// Losses that were observed.
    pub observed: u64,
    /// Those above the requirement.
    pub exceeded: u64,
    /// Share that was covered, under the weights of the scenarios; `None` without observations.
    pub share: Option<f64>,
}

impl Covered {
    /// Counts and weighs observations: how many, how many of them exceed, by scenario.
    fn of(counts: impl Iterator<Item = (u32, u32)>, weights: &[f64]) -> Self {
        let mut covered = Self::default();
        let (mut observed_weight, mut exceeded_weight) = (0.0, 0.0);
        for ((observed, exceeded), weight) in counts.zip(weights) {
            covered.observed += u64::from(observed);
            covered.exceeded += u64::from(exceeded);
            observed_weight += weight * f64::from(observed);
            exceeded_weight += weight * f64::from(exceeded);
        }
        covered.share = (observed_weight > 0.0).then(|| 1.0 - exceeded_weight / observed_weight);
        covered
    }
}

/// Coverage of the pools, or of the outright portfolios, of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct CoverageAnswer {
    /// Class, or portfolio.
    pub name: String,
    /// In the scenarios that were searched over.
    pub in_sample: Covered,
    /// In those that were held out; `None` where there are none.
    pub hold_out: Option<Covered>,
}

impl CoverageAnswer {
    /// Coverage of every group, then of every probe, as measured of the same candidate in both sets of scenarios.
    pub fn all(in_sample: (&Measured, &[f64]), hold_out: Option<(&Measured, &[f64])>) -> Vec<Self> {
        let hold_out = hold_out.map(covered);
        let row = |(name, in_sample): (String, Covered)| {
            let found = |rows: &Vec<(String, Covered)>| rows.iter().find(|(other, _)| *other == name).map(|row| row.1);
            Self { hold_out: hold_out.as_ref().and_then(found), name, in_sample }
        };
        covered(in_sample).into_iter().map(row).collect()
    }
}

/// What was covered of each group and each outright portfolio, under weights of the scenarios.
fn covered((measured, weights): (&Measured, &[f64])) -> Vec<(String, Covered)> {
    let groups = measured.groups.iter().map(|group| {
        let counts = group.observed.iter().copied().zip(group.exceeded.iter().copied());
        (group.name.clone(), Covered::of(counts, weights))
    });
    let probes = measured.probes.iter().map(|probe| {
        let counts =
            probe.exceeded.iter().map(|exceeded| (u32::from(exceeded.is_some()), u32::from(*exceeded == Some(true))));
        (probe.name.clone(), Covered::of(counts, weights))
    });
    groups.chain(probes).collect()
}

/// Everything a calibration answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Whether every constraint is met.
    pub is_met: bool,
    /// Confidence of the intervals, in (0, 1).
    pub confidence: f64,
    /// Σ of the calibrated requirement at the old values and at the answer, quote units.
    pub margin: [f64; 2],
    /// What is minimised, at both.
    pub objective: [f64; 2],
    /// Free parameters, in the order of the axes.
    pub parameters: Vec<ParameterAnswer>,
    /// Constraints, in the order of the job.
    pub constraints: Vec<ConstraintAnswer>,
    /// Coverage by class and portfolio.
    pub coverage: Vec<CoverageAnswer>,
    /// The answer at other tolerances, strictest first.
    pub front: Vec<FrontPoint>,
    /// What small changes do.
    pub sensitivities: Vec<Sensitivity>,
    /// Who pays more.
    pub segments: Vec<Segment>,
    /// Funds behind the rulebook.
    pub sizing: Sizing,
    /// Candidates that were evaluated for the answer.
    pub evaluations: usize,
    /// Sweeps that measured them.
    pub sweeps: u64,
}

impl Answer {
    /// The new values, one per parameter.
    pub fn point(&self) -> Vec<f64> {
        self.parameters.iter().map(|parameter| parameter.new).collect()
    }

    /// Names of the constraints, in the order of the job.
    pub fn constraint_names(&self) -> Vec<String> {
        self.constraints.iter().map(|constraint| constraint.name.clone()).collect()
    }

    /// The constraints that the answer breaks, in a sentence each.
    pub fn unmet(&self) -> Vec<String> {
        let broken = self.constraints.iter().filter(|constraint| !constraint.new.is_met());
        let sentence = |constraint: &ConstraintAnswer| {
            let Reading { value, limit, .. } = constraint.new;
            let reason = match constraint.is_reachable {
                true => "met only where another constraint breaks",
                false => "met by no value in the ranges that was tried",
            };
            format!("{}: {value} against a limit of {limit}, {reason}", constraint.name)
        };
        broken.map(sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::landscape::{Group, Probe, Strict};
    use crate::calibration::search::Unmet;

    #[test]
    fn constraints_say_what_they_stop_and_whether_they_can_be_met() {
        let reading = |slack: f64| Reading { value: 1.0 - slack, limit: 1.0, slack };
        let evaluation = |slacks: [f64; 2]| Evaluation { objective: 1.0, readings: slacks.map(reading).into() };
        let axis = |name: &str| Axis {
            name: name.into(),
            old: 0.0,
            low: 0.0,
            high: 1.0,
            tolerance: 0.1,
            strict: Strict::High,
        };
        let axes = [axis("a"), axis("b")];
        let solution = Solution {
            point: vec![0.25, 0.75],
            evaluation: evaluation([0.0, -0.5]),
            unmet: vec![Unmet { constraint: 1, is_met_elsewhere: false }],
            why: vec![Why::Constraint(0), Why::Range],
            evaluations: 3,
        };
        let names = ["first", "second"].map(String::from);
        let held_out = evaluation([0.1, 0.2]);
        let all = ConstraintAnswer::all(&names, &evaluation([0.5, 0.5]), (&axes, &solution), Some(&held_out));
        assert_eq!(all[0].stops, ["a"]);
        assert_eq!((all[0].is_reachable, all[1].is_reachable), (true, false));
        assert_eq!((all[1].old.slack, all[1].new.slack, all[1].hold_out.unwrap().slack), (0.5, -0.5, 0.2));
        let parameters = ParameterAnswer::all(&axes, &solution, &[]);
        assert_eq!((parameters[1].new, parameters[1].why, parameters[1].interval), (0.75, Why::Range, None));
    }

    #[test]
    fn coverage_counts_what_was_observed() {
        let measured = |exceeded: u32| Measured {
            groups: vec![Group { name: "BTC".into(), observed: vec![10, 0, 10], exceeded: vec![exceeded, 0, 1] }],
            probes: vec![Probe { name: "BTC-PERP long".into(), exceeded: vec![Some(true), None, Some(false)] }],
            ..Measured::default()
        };
        let rows = CoverageAnswer::all((&measured(1), &[1.0; 3]), Some((&measured(4), &[3.0, 1.0, 1.0])));
        assert_eq!(rows[0].in_sample.share, Some(0.9));
        // 30 and 10 observed by weight, 12 and 1 of them above.
        assert_eq!(rows[0].hold_out, Some(Covered { observed: 20, exceeded: 5, share: Some(1.0 - 13.0 / 40.0) }));
        assert_eq!(
            (rows[1].name.as_str(), rows[1].in_sample.exceeded, rows[1].in_sample.share),
            ("BTC-PERP long", 1, Some(0.5))
        );
        assert_eq!(CoverageAnswer::all((&measured(1), &[1.0; 3]), None)[0].hold_out, None);
        assert_eq!(Covered::of([].into_iter(), &[]).share, None);
    }
}
