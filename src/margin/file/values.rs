//! Reading of single values: type, range, closed lists.

use std::collections::BTreeMap;

use toml::Value;

use super::keys::range_rule;
use super::reader::{Reader, is_moderate};
use super::section::{ByName, DEFAULT, path};
use crate::margin::Expression;

/// Lowest and highest value, inclusive.
type Range = (f64, f64);

impl Reader<'_> {
    pub(super) fn number(&mut self, at: &str, value: &Value, (min, max): Range) -> Option<f64> {
        let number = match value {
            Value::Float(number) => *number,
            Value::Integer(number) => *number as f64,
            other => {
                let remedy = if other.is_str() { "write it without quotes" } else { "write one number" };
                self.fault(at, other.to_string(), "a number", remedy);
                return None;
            }
        };
        if !is_moderate(number) {
            self.fault(at, number.to_string(), "a number is finite and at most 1e30", "correct it");
            return None;
        }
        // Adding 0 turns −0 into 0.
        let number = number + 0.0;
        if (min..=max).contains(&number) {
            return Some(number);
        }
        let remedy = if (min, max) == (0.0, 1.0) { "write it as a fraction" } else { "correct it" };
        self.fault(at, number.to_string(), range_rule(min, max), remedy);
        None
    }

    pub(super) fn integer(&mut self, at: &str, value: &Value, (min, max): (i64, i64)) -> Option<i64> {
        match value {
            Value::Integer(number) if (min..=max).contains(number) => return Some(*number),
            Value::Integer(number) if min == max => {
                let (rule, remedy) = (format!("this program reads {at} {min}"), format!("use {at} = {min}"));
                self.fault(at, number.to_string(), rule, remedy);
            }
            Value::Integer(number) => {
                self.fault(at, number.to_string(), format!("between {min} and {max}"), "correct it");
            }
            other => self.fault(at, other.to_string(), "a whole number", "write it without quotes and decimals"),
        }
        None
    }

    /// A word of a closed list.
    pub(super) fn word(&mut self, at: &str, value: &Value, words: &[&'static str]) -> Option<&'static str> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let found = words.iter().find(|word| **word == text).copied();
        if found.is_none() {
            let remedy = crate::suggest::remedy(&text, words.iter().copied(), "use one of them");
            self.fault(at, text, format!("one of {}", words.join(", ")), remedy);
        }
        found
    }

    pub(super) fn string<'v>(&mut self, at: &str, value: &'v Value) -> Option<&'v str> {
        let text = value.as_str();
        if text.is_none() {
            self.fault(at, value.to_string(), "a string", "write it in double quotes");
        }
        text
    }

    pub(super) fn flag(&mut self, at: &str, value: &Value) -> Option<bool> {
        let flag = value.as_bool();
        if flag.is_none() {
            self.fault(at, value.to_string(), "true or false", "write it without quotes");
        }
        flag
    }

    pub(super) fn timestamp(&mut self, at: &str, value: &Value) -> Option<jiff::Timestamp> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let moment = text.parse().ok();
        if moment.is_none() {
            self.fault(at, text, "a moment is RFC 3339 with an offset", "write it like 2026-06-26T08:00:00Z");
        }
        moment
    }

    pub(super) fn expression(&mut self, at: &str, value: &Value) -> Option<Expression> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Float(_) | Value::Integer(_) => value.to_string(),
            other => {
                self.fault(at, other.to_string(), "a formula is a string", "write it in double quotes");
                return None;
            }
        };
        match text.parse::<Expression>() {
            Ok(expression) => Some(expression),
            Err(flaw) => {
                self.fault(at, text, flaw.rule, flaw.remedy);
                None
            }
        }
    }

    /// A list of at least one number.
    pub(super) fn numbers(&mut self, at: &str, value: &Value, range: Range) -> Option<Vec<f64>> {
        let Value::Array(values) = value else {
            self.fault(at, value.to_string(), "a list of numbers", "write [0, 50000]");
            return None;
        };
        if values.is_empty() {
            self.fault(at, "[]", "at least one number", "add the first");
            return None;
        }
        // Every number is read before the first fault leaves.
        let numbers: Vec<Option<f64>> = values.iter().map(|value| self.number(at, value, range)).collect();
        numbers.into_iter().collect()
    }

    pub(super) fn texts(&mut self, at: &str, value: &Value) -> Option<Vec<String>> {
        let texts = value.as_array().and_then(|values| values.iter().map(|v| v.as_str().map(str::to_owned)).collect());
        if texts.is_none() {
            self.fault(at, value.to_string(), "a list of strings", "write [\"NAME\"]");
        }
        texts
    }

    /// A list of words of a closed list, each at most once.
    pub(super) fn words(&mut self, at: &str, value: &Value, words: &[&'static str]) -> Option<Vec<&'static str>> {
        let Value::Array(values) = value else {
            self.fault(at, value.to_string(), "a list of words", "write [\"WORD\"]");
            return None;
        };
        let mut chosen = Vec::new();
        let mut faultless = true;
        for (index, value) in values.iter().enumerate() {
            let at = format!("{at}[{index}]");
            match self.word(&at, value, words) {
                Some(word) if chosen.contains(&word) => {
                    self.fault(&at, word, "each word stands at most once", "remove the second one");
                    faultless = false;
                }
                Some(word) => chosen.push(word),
                None => faultless = false,
            }
        }
        faultless.then_some(chosen)
    }

    pub(super) fn by_name(&mut self, at: &str, value: &Value, range: Range) -> Option<ByName> {
        let Value::Table(table) = value else {
            return self.number(at, value, range).map(|default| ByName { default, of: BTreeMap::new() });
        };
        if !table.contains_key(DEFAULT) {
            let remedy = "add default = …, the number of every name that is not listed";
            self.fault(&path(at, DEFAULT), "", "a required key is missing", remedy);
        }
        let mut faultless = true;
        let mut of = BTreeMap::new();
        for (name, value) in table {
            match self.number(&path(at, name), value, range) {
                Some(number) => {
                    of.insert(name.clone(), number);
                }
                None => faultless = false,
            }
        }
        let default = of.remove(DEFAULT)?;
        faultless.then_some(ByName { default, of })
    }
}
