//! Utilisation and diversification, each as one file.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, StringArray, UInt64Array};

use super::table_write::write_file;
use crate::collateral::{Diversification, Utilisation};
use crate::error::Result;

/// Writes one row per holder: kind (`exchange`, `asset`, `network`, `account`), name, value, collateral, requirement, unbacked,
/// utilisation (null without collateral). The format follows the extension; the file appears whole or not at all.
///
/// # Errors
/// [`crate::Error::Usage`] for an unknown extension; [`crate::Error::Io`] or [`crate::Error::Temporary`] where writing fails.
pub fn write(path: &Path, rows: &[(&str, String, Utilisation)]) -> Result<()> {
    let figures = |figure: fn(&Utilisation) -> Option<f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(rows.iter().map(|(_, _, of)| figure(of).filter(|value| value.is_finite()))))
    };
    let kinds: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(kind, _, _)| *kind)));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, name, _)| name)));
    let columns = vec![
        ("kind", kinds, false),
        ("name", names, false),
        ("value", figures(|of| Some(of.value)), true),
        ("collateral", figures(|of| Some(of.collateral)), true),
        ("requirement", figures(|of| Some(of.requirement)), true),
        ("unbacked", figures(|of| Some(of.unbacked)), true),
        ("utilisation", figures(Utilisation::ratio), true),
    ];
    write_file(path, columns)
}

/// Writes one row per known pool, in book order: account, pool, positions, alone, together, index (null where nothing is required),
/// saved. The format follows the extension; the file appears whole or not at all.
///
/// # Errors
/// As [`write()`].
pub fn write_diversification(path: &Path, rows: &[(&str, &str, Diversification)]) -> Result<()> {
    let figures = |figure: fn(&Diversification) -> Option<f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(rows.iter().map(|(_, _, of)| figure(of).filter(|value| value.is_finite()))))
    };
    let accounts: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(account, _, _)| *account)));
    let pools: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, pool, _)| *pool)));
    let positions: ArrayRef =
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|(_, _, of)| of.positions as u64)));
    let columns = vec![
        ("account", accounts, false),
        ("pool", pools, false),
        ("positions", positions, false),
        ("alone", figures(|of| Some(of.alone)), true),
        ("together", figures(|of| Some(of.together)), true),
        ("index", figures(Diversification::index), true),
        ("saved", figures(|of| Some(of.saved())), true),
    ];
    write_file(path, columns)
}
