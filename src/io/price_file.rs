//! Values and Greeks of instruments as one file.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, StringArray};

use super::table_write::write_file;
use crate::error::Result;
use crate::pricing::{ContractValue, Greeks};

/// Writes one row per instrument: instrument, value, value_coin and the eight Greeks; the format follows the extension. A
/// figure that is not a finite number is null. The file appears whole or not at all.
///
/// # Errors
/// [`crate::Error::Usage`] for an unknown extension; [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
pub fn write(path: &Path, rows: &[(&str, ContractValue)]) -> Result<()> {
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
    write_file(path, columns)
}
