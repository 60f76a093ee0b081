//! One error type, its exit codes, and the fault: one rule broken by one cell of an input.

use std::fmt;

/// Result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a job did not produce a complete result. [`Error::exit_code`] is part of the command line's contract.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A broken invariant of this program (exit 1).
    #[error("internal error: {0} (this is a bug in plimsoll)")]
    Bug(String),
    /// A wrong call, a bad rulebook or job file, an unknown id, a missing file (exit 2).
    #[error("{0}")]
    Usage(String),
    /// Configuration rules broken, all at once (exit 2).
    #[error("{}", Fault::list("configuration refused", .0))]
    Configuration(Vec<Fault>),
    /// Input tables or scenario files that break a rule, all at once (exit 3).
    #[error("{}", Fault::list("input refused", .0))]
    Refused(Vec<Fault>),
    /// The audit, or a whole-sweep check, disagreed with the engine (exit 4).
    #[error("audit disagreement: {0}")]
    Audit(String),
    /// A risk limit that was asked for is breached (exit 5).
    #[error("risk limit breached: {0}")]
    Limit(String),
    /// No adapter that may be used (exit 7).
    #[error("{0}")]
    NoAdapter(String),
    /// A passing condition of the machine: device lost, allocation refused, disk full (exit 75).
    #[error("temporary failure: {0}")]
    Temporary(String),
    /// Reading or writing a file failed (exit 2 where it does not exist, 75 otherwise).
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl Error {
    /// An [`Error::Io`] about `path`.
    pub fn io(path: impl AsRef<std::path::Path>, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().display().to_string(), source }
    }

    /// The process exit code that belongs to this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Bug(_) => 1,
            Self::Usage(_) | Self::Configuration(_) => 2,
            Self::Refused(_) => 3,
            Self::Audit(_) => 4,
            Self::Limit(_) => 5,
            Self::NoAdapter(_) => 7,
            Self::Io { source, .. } if is_wrong_path(source.kind()) => 2,
            Self::Io { .. } | Self::Temporary(_) => 75,
        }
    }
}

/// Whether the path is at fault: what it names is not there, or is of another kind.
fn is_wrong_path(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(kind, NotFound | IsADirectory | NotADirectory)
}

/// One rule broken by one place of an input: where, what stands there, what the rule is, what to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Table or file, for example `positions`.
    pub table: String,
    /// Data row, counted from 1 without the header; absent where the fault is of the whole table.
    pub row: Option<u64>,
    /// Line of a text file, counted from 1; absent in tables.
    pub line: Option<u64>,
    /// Column, or dotted path of a key; empty where the fault is of the whole row.
    pub column: String,
    /// What stands there, as text.
    pub value: String,
    /// The rule it breaks.
    pub rule: String,
    /// What to do about it.
    pub remedy: String,
}

impl Fault {
    /// A fault of a whole table: no row, no column.
    pub fn of_table(table: &str, rule: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            row: None,
            line: None,
            column: String::new(),
            value: String::new(),
            rule: rule.into(),
            remedy: remedy.into(),
        }
    }

    /// A fault of one cell. `row` counts data rows from 1.
    pub fn of_cell(
        (table, row, column): (&str, u64, &str),
        value: impl Into<String>,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            table: table.into(),
            row: Some(row),
            line: None,
            column: column.into(),
            value: value.into(),
            rule: rule.into(),
            remedy: remedy.into(),
        }
    }

    fn list(headline: &str, faults: &[Self]) -> String {
        const SHOWN: usize = 50;
        let mut text = format!("{headline}: {} fault(s)", faults.len());
        for fault in faults.iter().take(SHOWN) {
            text.push_str(&format!("\n  {fault}"));
        }
        if faults.len() > SHOWN {
            text.push_str(&format!("\n  … and {} more", faults.len() - SHOWN));
        }
        text
    }
}

/// A foreign message as one line without control characters, which a terminal would obey.
pub(crate) fn one_line(message: impl fmt::Display) -> String {
    let message: String = message.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table)?;
        if let Some(row) = self.row {
            write!(f, " row {row}")?;
        }
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.column.is_empty() {
            let place = if self.line.is_some() { "key" } else { "column" };
            write!(f, " {place} {}", self.column)?;
        }
        if !self.value.is_empty() {
            write!(f, " value {:?}", self.value)?;
        }
        write!(f, ": {}", self.rule)?;
        if !self.remedy.is_empty() {
            write!(f, " ({})", self.remedy)?;
        }
        Ok(())
    }
}
