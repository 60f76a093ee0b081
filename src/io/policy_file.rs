//! Policy files: how an exchange liquidates, as the section `[liquidation]` of a rulebook without its heading.

use std::path::Path;

use serde_json::Value;

use super::{named_text, rulebook_schema};
use crate::error::Result;
use crate::margin::file::LIQUIDATION;
use crate::policy::Policy;

/// Reads a policy from a TOML file.
///
/// # Errors
/// [`crate::Error::Io`] where the file cannot be read, [`crate::Error::Usage`] where it is no UTF-8 text,
/// [`crate::Error::Configuration`] with every broken rule.
pub fn read(path: &Path) -> Result<Policy> {
    let (name, text) = named_text(path, "a policy")?;
    Policy::parse(&text, &name)
}

/// The JSON Schema (draft-07) of a policy file. What only the reader checks (which keys go together) is in the descriptions.
pub fn schema() -> Value {
    rulebook_schema::of_file("Plimsoll policy", "How an exchange liquidates, as data", LIQUIDATION)
}
