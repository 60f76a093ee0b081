//! A section of a rulebook that has been read: every value has its kind and lies in its range.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::key;
use super::keys::{Key, Shape};
use crate::margin::Expression;

/// One number for all names, and the names that differ.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ByName {
    /// The number of every name that is not in `of`.
    pub default: f64,
    /// Numbers by name.
    pub of: BTreeMap<String, f64>,
}

impl ByName {
    /// The number of a name.
    pub fn get(&self, name: &str) -> f64 {
        self.of.get(name).copied().unwrap_or(self.default)
    }
}

/// What stands under a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Number(f64),
    Integer(i64),
    Word(&'static str),
    Text(String),
    Flag(bool),
    Timestamp(jiff::Timestamp),
    Expression(Expression),
    Numbers(Vec<f64>),
    Texts(Vec<String>),
    Words(Vec<&'static str>),
    Values(BTreeMap<String, Field>),
    ByName(ByName),
    Table(Section),
    Tables(Vec<Section>),
    Named(BTreeMap<String, Section>),
}

/// A table of a rulebook, read by its table of keys.
///
/// A getter answers `None` where the key is absent and where it is faulty; the fault is recorded then. Asking for a key
/// that is not declared is an error of the program.
#[derive(Debug, Clone)]
pub struct Section {
    /// Dotted path in the file; empty for the file itself.
    pub(super) at: String,
    pub(super) keys: &'static [Key],
    /// The key that tells kinds apart, and the kind.
    pub(super) kind: Option<(&'static str, &'static str)>,
    /// What is written; `None` where it is faulty.
    pub(super) fields: BTreeMap<&'static str, Option<Field>>,
}

/// Equal where the same is written, wherever it stands.
impl PartialEq for Section {
    fn eq(&self, other: &Self) -> bool {
        (&self.kind, &self.fields) == (&other.kind, &other.fields)
    }
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $output:ty: $field:pat => $value:expr;)*) => {
        $($(#[$doc])* pub fn $name(&self, name: &str) -> Option<$output> {
            match self.field(name)? {
                $field => Some($value),
                _ => None,
            }
        })*
    };
}

impl Section {
    getters! {
        /// A number.
        number -> f64: Field::Number(number) => *number;
        /// A whole number.
        integer -> i64: Field::Integer(number) => *number;
        /// A word of a closed list.
        word -> &'static str: Field::Word(word) => word;
        /// A string.
        text -> &str: Field::Text(text) => text;
        /// `true` or `false`.
        flag -> bool: Field::Flag(flag) => *flag;
        /// A moment.
        timestamp -> jiff::Timestamp: Field::Timestamp(moment) => *moment;
        /// A formula.
        expression -> &Expression: Field::Expression(expression) => expression;
        /// A list of at least one number.
        numbers -> &[f64]: Field::Numbers(numbers) => numbers;
        /// A list of strings.
        texts -> &[String]: Field::Texts(texts) => texts;
        /// Numbers by name.
        by_name -> &ByName: Field::ByName(numbers) => numbers;
        /// A table.
        table -> &Section: Field::Table(section) => section;
        /// A list of tables.
        tables -> &[Section]: Field::Tables(sections) => sections;
        /// Tables by name, without those at fault.
        named -> &BTreeMap<String, Section>: Field::Named(sections) => sections;
    }

    /// What a word stands for, by the table of words that declares it.
    pub fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let word = self.word(name)?;
        words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }

    /// What a list of words stands for, by the table of words that declares them.
    pub fn choices<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Option<Vec<T>> {
        let value = |word: &&str| words.iter().find(|(known, _)| known == word).map(|(_, value)| *value);
        match self.field(name)? {
            Field::Words(chosen) => Some(chosen.iter().filter_map(value).collect()),
            _ => None,
        }
    }

    /// The numbers of a table of values, by name; values at fault and of other kinds are left out.
    pub fn numbers_by_name(&self, name: &str) -> Option<BTreeMap<String, f64>> {
        let number = |(name, value): (&String, &Field)| match value {
            Field::Number(number) => Some((name.clone(), *number)),
            _ => None,
        };
        Some(self.values(name)?.iter().filter_map(number).collect())
    }

    /// A table of values, without those at fault.
    pub(super) fn values(&self, name: &str) -> Option<&BTreeMap<String, Field>> {
        match self.field(name)? {
            Field::Values(values) => Some(values),
            _ => None,
        }
    }

    /// Whether the key is written, faulty or not.
    pub fn has(&self, name: &str) -> bool {
        debug_assert!(self.declares(name), "{name} is not declared in {}", self.at);
        self.fields.contains_key(name)
    }

    /// The kind of a table of one of several kinds; empty for others.
    pub fn kind(&self) -> &'static str {
        self.kind.map_or("", |(_, kind)| kind)
    }

    /// Dotted path of the section.
    pub fn path(&self) -> &str {
        &self.at
    }

    /// Dotted path of a key of the section, for faults.
    pub fn at(&self, name: &str) -> String {
        path(&self.at, name)
    }

    /// The section as TOML values; defaults are not filled in.
    pub fn to_table(&self) -> Table {
        let kind = self.kind.map(|(by, kind)| (by.to_string(), Value::from(kind)));
        let fields =
            self.fields.iter().filter_map(|(name, field)| Some((name.to_string(), field.as_ref()?.to_value())));
        kind.into_iter().chain(fields).collect()
    }

    /// What stands under a key.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        debug_assert!(self.declares(name), "{name} is not declared in {}", self.at);
        self.fields.get(name)?.as_ref()
    }

    fn declares(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }
}

impl Field {
    fn to_value(&self) -> Value {
        match self {
            Self::Number(number) => Value::Float(*number),
            Self::Integer(number) => Value::Integer(*number),
            Self::Word(word) => Value::from(*word),
            Self::Text(text) => Value::from(text.as_str()),
            Self::Flag(flag) => Value::Boolean(*flag),
            Self::Timestamp(moment) => Value::String(moment.to_string()),
            Self::Expression(expression) => Value::String(expression.to_string()),
            Self::Numbers(numbers) => Value::from(numbers.clone()),
            Self::Texts(texts) => Value::from(texts.clone()),
            Self::Words(words) => Value::from(words.clone()),
            Self::Values(values) => {
                Value::Table(values.iter().map(|(name, value)| (name.clone(), value.to_value())).collect())
            }
            Self::ByName(numbers) if numbers.of.is_empty() => Value::Float(numbers.default),
            Self::ByName(numbers) => {
                let default = std::iter::once((DEFAULT.to_string(), Value::Float(numbers.default)));
                let others = numbers.of.iter().map(|(name, number)| (name.clone(), Value::Float(*number)));
                Value::Table(default.chain(others).collect())
            }
            Self::Table(section) => Value::Table(section.to_table()),
            Self::Tables(sections) => {
                Value::Array(sections.iter().map(|section| Value::Table(section.to_table())).collect())
            }
            Self::Named(sections) => {
                let tables = sections.iter().map(|(name, section)| (name.clone(), Value::Table(section.to_table())));
                Value::Table(tables.collect())
            }
        }
    }
}

/// The key of [`ByName`] that holds for every name that is not listed.
pub(super) const DEFAULT: &str = "default";

/// Dotted path of a name below another path.
pub fn path(at: &str, name: &str) -> String {
    if at.is_empty() { key(name) } else { format!("{at}.{}", key(name)) }
}

/// The names of a shape's keys, the one that tells kinds apart first.
pub(super) fn names(shape: Shape, kind: Option<&str>) -> Vec<&'static str> {
    let (by, keys) = match shape {
        Shape::Keys(keys) => (None, keys),
        Shape::Kinds { by, .. } => (Some(by), kind.and_then(|kind| shape.kind(kind)).map_or(&[][..], |kind| kind.keys)),
    };
    by.into_iter().chain(keys.iter().map(|key| key.name)).collect()
}
