//! The peers' arrays: `.npy` files.

use std::path::Path;

use ndarray::{Array, Array1, Array2, Dimension};
use ndarray_npy::{ReadableElement, WritableElement, read_npy, write_npy};

use crate::error::{Error, Result};

/// Writes an array.
pub(super) fn save<T: WritableElement, D: Dimension>(out: &Path, name: &str, values: &Array<T, D>) -> Result<()> {
    let path = out.join(format!("{name}.npy"));
    write_npy(&path, values).map_err(|error| Error::Temporary(format!("{}: {error}", path.display())))
}

/// Reads a vector.
pub(super) fn array<T: ReadableElement>(dir: &Path, name: &str) -> Result<Array1<T>> {
    let path = dir.join(format!("{name}.npy"));
    read_npy(&path).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
}

/// Reads a matrix.
pub(super) fn array2<T: ReadableElement>(dir: &Path, name: &str) -> Result<Array2<T>> {
    let path = dir.join(format!("{name}.npy"));
    read_npy(&path).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
}
