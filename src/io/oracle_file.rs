//! Formed prices as one file.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};

use super::partial::Partial;
use super::table_write::{TableFormat, TableWriter};
use crate::error::{Error, Result};
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
/// [`Error::Usage`] for an unknown extension; [`Error::Io`] or [`Error::Temporary`] where writing fails.
pub fn write(path: &Path, rows: &[(&str, &Assessment)]) -> Result<()> {
    let format = TableFormat::of_path(path)?;
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
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| Error::Bug(error.to_string()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let create = |path: &Path| TableWriter::create(path, &batch.schema(), format).map_err(std::io::Error::other);
    let (partial, mut writer) = Partial::create(&temporary, create).map_err(|source| Error::io(path, source))?;
    writer.write(&batch)?;
    writer.finish()?;
    partial.publish(path).map_err(|source| Error::io(path, source))
}
