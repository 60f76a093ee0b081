use std::ops::ControlFlow;
use std::path::Path;

use arrow_array::Array;

use super::Layout;
use super::cells::{Batch, Cells};
use super::columnar_source;

/// Some columns of consecutive rows, unchecked: for a first look at a table that is read in full later.
pub struct Columns<'b> {
    batch: &'b Batch,
}

impl<'b> Columns<'b> {
    /// Rows, by their index.
    pub fn rows(&self) -> std::ops::Range<usize> {
        0..self.batch.len()
    }

    /// Text of a cell; `None` where it is absent, empty or no text.
    pub fn text(&self, column: usize, index: usize) -> Option<&'b str> {
        match &self.batch.columns[column] {
            Cells::Text(cells) if cells.is_valid(index) => Some(cells.value(index)).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// Number in a cell; `None` where it is absent or no number.
    pub fn number(&self, column: usize, index: usize) -> Option<f64> {
        match &self.batch.columns[column] {
            Cells::Number(cells) if cells.is_valid(index) => Some(cells.value(index)),
            _ => None,
        }
    }
}

/// Streams the columns at these places of a layout out of a Parquet file, batch by batch, until `each` breaks off.
///
/// # Errors
/// What is wrong with the file as a whole, or with the type of one of these columns.
pub fn read_columns(
    path: &Path,
    layout: &Layout,
    columns: &[usize],
    mut each: impl FnMut(&Columns<'_>) -> ControlFlow<()>,
) -> Result<(), String> {
    columnar_source::project(path, layout, columns, &mut |batch| each(&Columns { batch }))
}

/// Headers and number of rows of a Parquet file.
///
/// # Errors
/// What is wrong with the file.
pub fn read_shape(path: &Path) -> Result<(Vec<String>, u64), String> {
    columnar_source::shape(path)
}
