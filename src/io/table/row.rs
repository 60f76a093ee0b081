use arrow_array::Array;

use super::cells::{Batch, Cells};
use super::{FaultLog, Layout};
use crate::error::Fault;

/// Which numbers a cell may hold. NaN and infinities are never allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberRule {
    /// |x| ≤ 1e30.
    Amount,
    /// 0 ≤ x ≤ 1e30.
    NonNegative,
    /// 1e−30 ≤ x ≤ 1e30.
    Positive,
    /// 0, or 1e−30 ≤ x ≤ 1e30.
    ZeroOrPositive,
    /// 1 ≤ x ≤ 1000.
    Leverage,
    /// 0 ≤ x ≤ 1.
    Share,
    /// −10 ≤ x ≤ 10.
    Rate,
    /// 1e−30 ≤ x ≤ 100.
    Volatility,
}

impl NumberRule {
    /// The limits, in words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Amount => "between -1e30 and 1e30",
            Self::NonNegative => "between 0 and 1e30",
            Self::Positive => "positive, between 1e-30 and 1e30",
            Self::ZeroOrPositive => "0, or between 1e-30 and 1e30",
            Self::Leverage => "between 1 and 1000",
            Self::Share => "between 0 and 1 (0.05 = 5 %)",
            Self::Rate => "between -10 and 10 (0.05 = 5 %)",
            Self::Volatility => "positive, at most 100 (0.65 = 65 %)",
        }
    }

    /// Whether `x` is within the limits; a NaN never is.
    pub(crate) fn allows(self, x: f64) -> bool {
        const LARGEST: f64 = 1e30;
        const SMALLEST: f64 = 1e-30;
        match self {
            Self::Amount => x.abs() <= LARGEST,
            Self::NonNegative => (0.0..=LARGEST).contains(&x),
            Self::Positive => (SMALLEST..=LARGEST).contains(&x),
            Self::ZeroOrPositive => x == 0.0 || (SMALLEST..=LARGEST).contains(&x),
            Self::Leverage => (1.0..=1000.0).contains(&x),
            Self::Share => (0.0..=1.0).contains(&x),
            Self::Rate => (-10.0..=10.0).contains(&x),
            Self::Volatility => (SMALLEST..=100.0).contains(&x),
        }
    }
}

/// One data row: typed look-ups that record a fault, refuse the row and answer `None` where a cell breaks a rule.
///
/// An optional cell that is absent answers `None` without a fault; [`Row::is_refused`] tells the two apart.
#[derive(Debug)]
pub struct Row<'a> {
    layout: &'a Layout,
    batch: &'a Batch,
    index: usize,
    number: u64,
    log: &'a mut FaultLog,
    refused: bool,
}

impl<'a> Row<'a> {
    pub(super) fn new(layout: &'a Layout, batch: &'a Batch, index: usize, number: u64, log: &'a mut FaultLog) -> Self {
        let refused = !batch.spoiled.is_empty() && batch.spoiled.contains_key(&index);
        Self { layout, batch, index, number, log, refused }
    }

    /// Data row, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether a fault was recorded on this row.
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// A remedy for an unknown name: the nearest candidate, as long as the table has few faults.
    pub fn suggest<'c>(&self, word: &str, candidates: impl IntoIterator<Item = &'c str>, otherwise: &str) -> String {
        if self.log.may_suggest(self.layout.table) {
            crate::suggest::remedy(word, candidates, otherwise)
        } else {
            otherwise.into()
        }
    }

    /// Records a fault of one cell and refuses the row.
    pub fn refuse(
        &mut self,
        column: usize,
        value: impl Into<String>,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.refused = true;
        let place = (self.layout.table, self.number, self.layout.columns[column].name);
        self.log.push(Fault::of_cell(place, value, rule, remedy));
    }

    /// Refuses the row for what stands in a cell, whatever it is.
    pub fn refuse_cell(&mut self, column: usize, rule: impl Into<String>, remedy: impl Into<String>) {
        let value = match &self.batch.columns[column] {
            Cells::Text(cells) if cells.is_valid(self.index) => cells.value(self.index).to_owned(),
            Cells::Number(cells) if cells.is_valid(self.index) => cells.value(self.index).to_string(),
            Cells::Time(cells) => cells[self.index].map_or_else(String::new, |time| {
                jiff::Timestamp::from_nanosecond(time).map_or_else(|_| time.to_string(), |time| time.to_string())
            }),
            Cells::Flag(cells) if cells.is_valid(self.index) => cells.value(self.index).to_string(),
            _ => String::new(),
        };
        self.refuse(column, value, rule, remedy);
    }

    /// A name: not empty, no control characters, no space at either end.
    pub fn text(&mut self, column: usize) -> Option<&'a str> {
        let batch = self.batch;
        let Cells::Text(cells) = &batch.columns[column] else { return None };
        if cells.is_null(self.index) || cells.value(self.index).is_empty() {
            return None;
        }
        let text = cells.value(self.index);
        let has_control = match text.is_ascii() {
            true => text.bytes().any(|byte| byte.is_ascii_control()),
            false => text.chars().any(char::is_control),
        };
        if has_control {
            self.refuse(column, text, "a name has no control characters or line breaks", "remove them");
            return None;
        }
        if text.trim().len() != text.len() {
            self.refuse(column, text, "a name has no space at either end", "remove the space");
            return None;
        }
        Some(text)
    }

    /// A name that must be there.
    pub fn required_text(&mut self, column: usize) -> Option<&'a str> {
        let text = self.text(column);
        self.or_missing(column, text)
    }

    /// A number that obeys `rule`; −0 reads as 0.
    pub fn number_at(&mut self, column: usize, rule: NumberRule) -> Option<f64> {
        let batch = self.batch;
        let (value, text) = match &batch.columns[column] {
            Cells::Number(cells) if cells.is_valid(self.index) => (cells.value(self.index), None),
            Cells::Text(cells) if cells.is_valid(self.index) && !cells.value(self.index).is_empty() => {
                let text = cells.value(self.index);
                let Some(value) = parse_number(text) else {
                    self.refuse(column, text, "a number in plain decimal form", "write it like -1234.5 or 1.2e-3");
                    return None;
                };
                (value, Some(text))
            }
            _ => return None,
        };
        let shown = || text.map_or_else(|| value.to_string(), str::to_owned);
        if !value.is_finite() {
            self.refuse(column, shown(), "a number is finite", "correct it, or leave the cell empty if it is optional");
            None
        } else if !rule.allows(value) {
            self.refuse(column, shown(), format!("the number is {}", rule.text()), "correct it");
            None
        } else {
            Some(value + 0.0)
        }
    }

    /// A number that must be there.
    pub fn required_number(&mut self, column: usize, rule: NumberRule) -> Option<f64> {
        let number = self.number_at(column, rule);
        self.or_missing(column, number)
    }

    /// A moment.
    pub fn time(&mut self, column: usize) -> Option<jiff::Timestamp> {
        let batch = self.batch;
        let parsed = match &batch.columns[column] {
            Cells::Time(cells) => {
                let nanoseconds = cells[self.index]?;
                jiff::Timestamp::from_nanosecond(nanoseconds).map_err(|_| nanoseconds.to_string())
            }
            Cells::Text(cells) if cells.is_valid(self.index) && !cells.value(self.index).is_empty() => {
                let text = cells.value(self.index);
                text.parse().map_err(|_| text.to_owned())
            }
            _ => return None,
        };
        parsed
            .map_err(|value| {
                let rule = "a moment is RFC 3339 with an offset";
                self.refuse(column, value, rule, "write it like 2026-06-26T08:00:00Z");
            })
            .ok()
    }

    /// One of a closed list of words.
    pub fn word<T: Copy>(&mut self, column: usize, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(column)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let remedy = crate::suggest::remedy(text, list.iter().copied(), "use one of them");
        self.refuse(column, text, format!("one of {}", list.join(", ")), remedy);
        None
    }

    /// One of a closed list of words that must be there.
    pub fn required_word<T: Copy>(&mut self, column: usize, words: &[(&str, T)]) -> Option<T> {
        let refused_before = std::mem::take(&mut self.refused);
        let word = self.word(column, words);
        let misspelled = self.refused;
        self.refused |= refused_before;
        if misspelled { None } else { self.or_missing(column, word) }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, column: usize) -> Option<bool> {
        let batch = self.batch;
        match &batch.columns[column] {
            Cells::Flag(cells) => cells.is_valid(self.index).then(|| cells.value(self.index)),
            _ => self.word(column, &[("true", true), ("false", false)]),
        }
    }

    /// Whether the file has nothing in this cell.
    pub fn is_blank(&self, column: usize) -> bool {
        match &self.batch.columns[column] {
            Cells::Absent => true,
            Cells::Text(cells) => cells.is_null(self.index) || cells.value(self.index).is_empty(),
            Cells::Number(cells) => cells.is_null(self.index),
            Cells::Time(cells) => cells[self.index].is_none(),
            Cells::Flag(cells) => cells.is_null(self.index),
        }
    }

    /// Whether the cell's fault was recorded when the row was read.
    fn is_spoiled(&self, column: usize) -> bool {
        self.batch.spoiled.get(&self.index).is_some_and(|columns| columns.contains(&column))
    }

    fn or_missing<T>(&mut self, column: usize, value: Option<T>) -> Option<T> {
        if value.is_none() && self.is_blank(column) && !self.is_spoiled(column) {
            self.refuse(column, "", "a required value is missing", "fill the cell in");
        }
        value
    }
}

/// Reads a decimal number; `None` for anything else, and for a number other than 0 that is too small to be told from it.
fn parse_number(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    (value != 0.0 || !mantissa.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0')).then_some(value)
}
