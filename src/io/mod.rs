//! Tables on disk: reading snapshots and bracket files with every fault reported, writing snapshots and results.

pub mod hash;
pub mod snapshot;
pub mod table;

#[expect(dead_code, reason = "x")]
mod directory;
mod table_write;

use std::path::Path;

use crate::error::{Error, Result};
use crate::margin::Rulebook;

pub use table_write::TableFormat;

/// Reads a rulebook from a TOML file.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read, [`Error::Configuration`] with every broken rule.
pub fn read_rulebook(path: &Path) -> Result<Rulebook> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let text =
        String::from_utf8(bytes).map_err(|_| Error::Usage(format!("{}: a rulebook is UTF-8 text", path.display())))?;
    Rulebook::parse(&text, &name)
}
