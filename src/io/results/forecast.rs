//! The table of a walk forward.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Int64Array, StringArray};

use super::{ResultsWriter, numbers};
use crate::error::Result;
use crate::forecast::{Observation, Outlook, WalkForward};

impl ResultsWriter {
    /// Writes `outlooks`: one row per model and moment, models in the order of the walk.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
    pub fn write_outlooks(&self, walk: &WalkForward) -> Result<()> {
        let seen: HashMap<i64, &Observation> = walk.observations.iter().map(|seen| (seen.hour, seen)).collect();
        let rows: Vec<(&str, &Outlook, Option<&&Observation>)> = walk
            .courses
            .iter()
            .flat_map(|course| course.outlooks.iter().map(|outlook| (course.model.name(), outlook)))
            .map(|(model, outlook)| (model, outlook, seen.get(&outlook.hour)))
            .collect();
        let said = |figure: fn(&Outlook) -> Option<f64>| numbers(rows.iter().map(|(_, outlook, _)| figure(outlook)));
        let came =
            |figure: fn(&Observation) -> f64| numbers(rows.iter().map(|(_, _, seen)| seen.map(|seen| figure(seen))));
        self.write_table(
            "outlooks",
            vec![
                ("model", Arc::new(StringArray::from_iter_values(rows.iter().map(|(model, ..)| *model)))),
                ("hour", Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, outlook, _)| outlook.hour)))),
                ("variance", said(|outlook| Some(outlook.variance))),
                ("long_run_variance", said(|outlook| Some(outlook.long_run_variance))),
                ("spike_probability", said(|outlook| outlook.spike_probability)),
                ("realised_variance", came(|seen| seen.realised_variance)),
                ("threshold", came(|seen| seen.threshold)),
            ],
        )
    }
}
