//! What a calibration has found, for reading and as JSON.

use serde_json::{Value, json};

use crate::calibration::{Axis, Evaluation, Job, digest};

/// What was found.
pub(super) struct Found {
    pub(super) axes: Vec<Axis>,
    pub(super) point: Vec<f64>,
    /// The rulebook file.
    pub(super) text: String,
    /// What the old rulebook amounts to.
    pub(super) old: Evaluation,
    pub(super) evaluation: Evaluation,
    pub(super) hold_out: Option<Evaluation>,
    pub(super) sweeps: u64,
    pub(super) warnings: Vec<String>,
}

impl Found {
    pub(super) fn json(&self, job: &Job) -> Value {
        let parameters = self.axes.iter().zip(&self.point).map(
            |(axis, new)| json!({ "name": axis.name, "old": axis.old, "new": new, "low": axis.low, "high": axis.high }),
        );
        json!({
            "parameters": parameters.collect::<Vec<_>>(),
            "objective": { "old": self.old.objective, "new": self.evaluation.objective },
            "constraints": readings(job, &self.evaluation),
            "old_constraints": readings(job, &self.old),
            "hold_out_constraints": self.hold_out.as_ref().map(|evaluation| readings(job, evaluation)),
            "sweeps": self.sweeps,
            "digest": digest(&self.axes, &self.point, &self.evaluation),
            "warnings": self.warnings,
        })
    }

    pub(super) fn report(&self, job: &Job) -> String {
        let mut lines: Vec<String> = self.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
        let parameters = self.axes.iter().zip(&self.point);
        lines.extend(parameters.map(|(axis, new)| format!("{}: {} (was {})", axis.name, new, axis.old)));
        let objectives = (self.evaluation.objective, self.old.objective);
        lines.push(format!("objective: {:.6e} (was {:.6e})", objectives.0, objectives.1));
        let readings = self.evaluation.readings.iter().zip(&self.old.readings);
        for (constraint, (new, old)) in job.constraints.iter().zip(readings) {
            let met = if new.is_met() { "met" } else { "NOT MET" };
            lines.push(format!(
                "{}: {} where {} is asked, {met} (was {})",
                constraint.name, new.value, new.limit, old.value
            ));
        }
        lines.push(format!("{} sweep(s)", self.sweeps));
        lines.join("\n")
    }
}

/// A value that was not measured is null.
fn readings(job: &Job, evaluation: &Evaluation) -> Vec<Value> {
    let readings = job.constraints.iter().zip(&evaluation.readings);
    readings
        .map(|(constraint, reading)| {
            json!({ "name": constraint.name, "value": reading.value, "limit": reading.limit, "met": reading.is_met() })
        })
        .collect()
}
