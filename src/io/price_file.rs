//! Values and Greeks of instruments as one file.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};

use super::partial::Partial;
use super::table_write::{TableFormat, TableWriter};
use crate::error::{Error, Result};
use crate::pricing::{ContractValue, Greeks};

/// Writes one row per instrument: instrument, value, value_coin and the eight Greeks; the format follows the extension. A
/// figure that is not a finite number is null. The file appears whole or not at all.
///
/// # Errors
/// [`Error::Usage`] for an unknown extension; [`Error::Io`] or [`Error::Temporary`] where writing fails.
pub fn write(path: &Path, rows: &[(&str, ContractValue)]) -> Result<()> {
    let format = TableFormat::of_path(path)?;
    let figures = |figure: &dyn Fn(&ContractValue) -> f64| -> ArrayRef {
        let values = rows.iter().map(|(_, row)| Some(figure(row)).filter(|value| value.is_finite()));
        Arc::new(Float64Array::from_iter(values))
    };
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(name, _)| *name)));
    let mut columns = vec![("instrument", names, false), ("value", figures(&|row| row.value), true)];
    columns.push(("value_coin", figures(&|row| row.value_coin), true));
    for (k, name) in Greeks::NAMES.into_iter().enumerate() {
        columns.push((name, figures(&|row| row.greeks.to_array()[k]), true));
    }
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| Error::Bug(error.to_string()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let create = |path: &Path| TableWriter::create(path, &batch.schema(), format).map_err(std::io::Error::other);
    let (partial, mut writer) = Partial::create(&temporary, create).map_err(|source| Error::io(path, source))?;
    writer.write(&batch)?;
    writer.finish()?;
    partial.publish(path).map_err(|source| Error::io(path, source))
}
