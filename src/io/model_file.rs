//! Fitted forecasts on disk: TOML with a hash of what it holds.

use std::path::Path;

use super::{named_text, write_file};
use crate::error::Result;
use crate::forecast::Model;

/// Writes a model, whole or not at all, in place of one that is there.
///
/// # Errors
/// [`crate::Error::Io`] where writing fails.
pub fn write(path: &Path, model: &Model) -> Result<()> {
    write_file(path, model.to_toml()?.as_bytes())
}

/// Reads a model.
///
/// # Errors
/// [`crate::Error::Io`] where the file cannot be read; those of [`Model::parse`].
pub fn read(path: &Path) -> Result<Model> {
    let (name, text) = named_text(path, "a model")?;
    Model::parse(&text, &name)
}
