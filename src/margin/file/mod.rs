//! A rulebook as a TOML file: reading with every fault reported, writing that reads back equal.
//!
//! What a file may say is declared once, as tables of keys ([`ROOT`]); reading, writing and the JSON Schema follow them.

mod formulas;
mod haircut;
mod keys;
mod lines;
mod liquidation;
mod liquidation_keys;
mod margin;
mod option;
mod oracle;
mod oracle_keys;
mod overlay;
mod reader;
pub(in crate::margin) mod requirement;
mod root;
mod section;
mod status;
mod values;
mod writer;

pub use keys::{Key, KeyKind, Kind, LARGEST, LARGEST_AMOUNT, Presence, Shape, words};
pub use liquidation_keys::KEYS as LIQUIDATION;
pub use oracle_keys::KEYS as ORACLE;
pub use reader::Reader;
pub use root::ROOT;
pub use section::{ByName, Section, path};
pub use writer::Writer;

use toml::{Table, Value};

use super::rulebook::Rulebook;
use crate::error::{Error, Fault, Result, one_line};

/// Version of the format this program reads and writes.
const VERSION: i64 = 1;

impl Rulebook {
    /// Reads a rulebook from TOML. `source_name` is the file's name in faults.
    ///
    /// # Errors
    /// [`Error::Configuration`] with every fault and its line: unknown or missing keys, numbers out of range, bounds out
    /// of order, published deductions that do not continue the schedule.
    pub fn parse(text: &str, source_name: &str) -> Result<Self> {
        parse(text, source_name, root::read)
    }

    /// The rulebook as TOML; [`Rulebook::parse`] reads it back equal, bit for bit.
    pub fn to_toml(&self) -> String {
        root::text(self)
    }
}

/// Reads a TOML file by `read`, which records faults. `source_name` is the file's name in faults.
///
/// # Errors
/// [`Error::Configuration`] with every fault and its line.
pub fn parse<T>(text: &str, source_name: &str, read: impl FnOnce(&Table, &mut Reader<'_>) -> T) -> Result<T> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = match text.parse::<Table>() {
        Ok(root) => root,
        Err(error) => {
            let rule = format!("not a readable TOML file: {}", one_line(error.message()));
            let line = error.span().map(|span| lines::Lines::new(text).at(span.start));
            let fault = Fault { line, ..Fault::of_table(source_name, rule, "correct the file") };
            return Err(Error::Configuration(vec![fault]));
        }
    };
    let mut reader = Reader::new(source_name);
    let content = read(&root, &mut reader);
    let faults = reader.into_faults(text);
    if faults.is_empty() { Ok(content) } else { Err(Error::Configuration(faults)) }
}

/// The line of a file on which a dotted path of keys stands.
pub fn line_of(text: &str, path: &str) -> u64 {
    lines::Lines::new(text).of_path(path)
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, candidate)| *candidate == value).map_or("", |(word, _)| word)
}

/// A table of these entries.
fn table_of<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

/// A key as TOML wants it: bare where it may be.
fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if bare { name.into() } else { quoted_key(name) }
}

/// A basic (single-line) quoted key; values may be written over several lines, keys may not.
fn quoted_key(name: &str) -> String {
    let mut text = String::from("\"");
    for character in name.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if control.is_control() => text.push_str(&format!("\\u{:04X}", control as u32)),
            plain => text.push(plain),
        }
    }
    text.push('"');
    text
}

fn from_zero(bounds: &[f64]) -> Vec<f64> {
    std::iter::once(0.0).chain(bounds.iter().copied()).collect()
}

#[cfg(test)]
mod rulebook_tests;
#[cfg(test)]
mod tests;
