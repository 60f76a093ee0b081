//! Formed prices as one file.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, StringArray};

use super::table_write::write_file;
use crate::error::Result;
use crate::oracle::Assessment;

type Figure = fn(&Assessment) -> Option<f64>;

/// The columns of numbers.
const FIGURES: [(&str, Figure); 9] = [
    ("price", |of| of.formed.price),
    ("median", |of| of.formed.median),
    ("confidence", |of| of.formed.confidence),
    ("mark", |of| of.mark),
    ("stable", |of| of.stable),
    ("initial_asset", |of| of.conservative.map(|prices| prices.asset)),
    ("initial_liability", |of| of.conservative.map(|prices| prices.liability)),
    ("weight_used", |of| Some(of.formed.weight_used)),
    ("weight", |of| Some(of.formed.weight)),
];

/// Writes one row per subject: subject, the figures, verdict and validity; the format follows the extension. The file appears
/// whole or not at all.
///
/// # Errors
/// [`crate::Error::Usage`] for an unknown extension; [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
pub fn write(path: &Path, rows: &[(&str, &Assessment)]) -> Result<()> {
    let text = |of: &dyn Fn(&(&str, &Assessment)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![("subject", text(&|(subject, _)| subject.to_string()), false)];
    for (name, figure) in FIGURES {
        let values = rows.iter().map(|(_, row)| figure(row).filter(|value| value.is_finite()));
        columns.push((name, Arc::new(Float64Array::from_iter(values)), true));
    }
    columns.push(("verdict", text(&|(_, row)| row.formed.verdict.word().into()), false));
    columns.push(("validity", text(&|(_, row)| row.validity.word().into()), false));
    write_file(path, columns)
}
