//! The data model that JSON and CBOR share.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, Result};

/// Largest file that is read, bytes.
pub(super) const LARGEST_BYTES: usize = 4 << 20;
/// Deepest nesting of lists and maps.
pub(super) const DEEPEST: usize = 16;
/// Longest name of a field, characters.
const LONGEST_KEY: usize = 64;

/// A value of a document. There are no numbers (they are texts) and no null (an absent field is absent).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// UTF-8 text, kept code point by code point.
    Text(String),
    /// True or false.
    Flag(bool),
    /// Values in order.
    List(Vec<Node>),
    /// Values by name; names are 1 to 64 printable ASCII characters.
    Map(BTreeMap<String, Node>),
}

impl Node {
    /// The field of this name; none where this is no map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(fields) => fields.get(name),
            _ => None,
        }
    }

    /// The text, where this is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value this is, for faults.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Flag(_) => "a flag",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The same tree for serde.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Flag(flag) => (*flag).into(),
            Self::List(items) => items.iter().map(Self::to_value).collect(),
            Self::Map(fields) => {
                Value::Object(fields.iter().map(|(name, node)| (name.clone(), node.to_value())).collect())
            }
        }
    }

    /// The tree of a serialised account.
    ///
    /// # Errors
    /// [`Error::Bug`] where it holds a number or null, which no type of an account serialises to.
    pub(super) fn of_value(value: Value) -> Result<Self> {
        Ok(match value {
            Value::String(text) => Self::Text(text),
            Value::Bool(flag) => Self::Flag(flag),
            Value::Array(items) => Self::List(items.into_iter().map(Self::of_value).collect::<Result<_>>()?),
            Value::Object(fields) => {
                let of_field = |(name, value)| Ok((name, Self::of_value(value)?));
                Self::Map(fields.into_iter().map(of_field).collect::<Result<_>>()?)
            }
            other => return Err(Error::Bug(format!("{other} in a portable account"))),
        })
    }
}

/// Why a text is no name of a field; none where it is one. Within these names the orders of RFC 8785 (UTF-16) and of bytes
/// are one.
pub(super) fn key_rule(name: &str) -> Option<&'static str> {
    let is_good = (1..=LONGEST_KEY).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    (!is_good).then_some("the name of a field is 1 to 64 printable ASCII characters")
}
