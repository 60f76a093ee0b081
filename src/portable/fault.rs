//! Faults of a portable account file.

use crate::error::{Error, Fault};

/// What faults call the file.
const TABLE: &str = "portable account";

/// A fault at a dotted path.
pub(super) fn at(path: &str, value: &str, rule: impl Into<String>, remedy: impl Into<String>) -> Fault {
    const SHOWN: usize = 80;
    let shown: String = value.chars().take(SHOWN).collect();
    Fault { column: path.into(), value: shown, ..Fault::of_table(TABLE, rule, remedy) }
}

/// A refusal for one reason that concerns the whole file.
pub(super) fn refusal(rule: impl Into<String>, remedy: impl Into<String>) -> Error {
    Error::Refused(vec![Fault::of_table(TABLE, rule, remedy)])
}

/// Nothing, or every fault at once.
pub(super) fn none_of(faults: Vec<Fault>) -> Result<(), Error> {
    if faults.is_empty() { Ok(()) } else { Err(Error::Refused(faults)) }
}
