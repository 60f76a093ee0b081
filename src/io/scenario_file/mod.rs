//! Scenario sets on disk: CSV, Parquet and Arrow IPC, chosen by the file's extension.

mod binary;
mod read;
mod text;
mod write;

use std::path::Path;

use crate::error::{Error, Result};

pub use read::read;
pub use write::write;

/// Table name in faults.
const TABLE: &str = "scenarios";

/// How a scenario set is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Comma-separated text, `.csv`.
    Csv,
    /// Parquet, `.parquet`.
    Parquet,
    /// Arrow IPC file (Feather 2), `.arrow`.
    Arrow,
}

impl Encoding {
    /// The encoding a path's extension asks for, whatever its case.
    ///
    /// # Errors
    /// [`Error::Usage`] for any other extension.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "arrow" => Ok(Self::Arrow),
            _ => Err(Error::Usage(format!(
                "{}: a scenario set ends in .csv, .parquet or .arrow, which says how it is stored",
                path.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
