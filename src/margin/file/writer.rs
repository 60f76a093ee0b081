//! Writing of sections in the order of their keys; numbers in the shortest form that reads back equal.

use toml::{Table, Value};

use super::key;
use super::keys::{Key, KeyKind, Shape};
use super::section::names;

/// Collects the text of a rulebook.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
}

impl Writer {
    /// Writes the keys that stand before the first section.
    pub fn root(&mut self, table: &Table, keys: &'static [Key]) {
        for (name, value) in ordered(table, Some(Shape::Keys(keys))) {
            let shape = keys.iter().find(|key| key.name == name).and_then(|key| key.kind.shape());
            self.text.push_str(&format!("{} = {}\n", key(name), value_text(value, shape)));
        }
    }

    /// Writes a section under `[path]`; names that need quotes get them.
    pub fn section(&mut self, path: &[&str], table: &Table, shape: Shape) {
        let header: Vec<String> = path.iter().map(|name| key(name)).collect();
        self.text.push_str(&format!("\n[{}]\n", header.join(".")));
        for (name, value) in ordered(table, Some(shape)) {
            self.text.push_str(&format!("{} = {}\n", key(name), value_text(value, inner(name, table, shape))));
        }
    }

    /// The text so far.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl KeyKind {
    /// The shape of the tables that the key holds.
    fn shape(&self) -> Option<Shape> {
        match self {
            Self::Table(shape) | Self::Tables(shape) => Some(*shape),
            Self::Either(kinds) => kinds.iter().find_map(Self::shape),
            _ => None,
        }
    }
}

/// The shape of what stands under a key of a table.
fn inner(name: &str, table: &Table, shape: Shape) -> Option<Shape> {
    let keys = match shape {
        Shape::Keys(keys) => keys,
        Shape::Kinds { by, .. } => shape.kind(table.get(by)?.as_str()?)?.keys,
    };
    keys.iter().find(|key| key.name == name)?.kind.shape()
}

/// The entries of a table in the order of its keys; free names in alphabetic order, `default` first.
fn ordered(table: &Table, shape: Option<Shape>) -> Vec<(&str, &Value)> {
    let kind = match shape {
        Some(Shape::Kinds { by, .. }) => table.get(by).and_then(Value::as_str),
        _ => None,
    };
    let order = shape.map_or_else(|| vec![super::section::DEFAULT], |shape| names(shape, kind));
    let place = |name: &str| order.iter().position(|known| *known == name).unwrap_or(order.len());
    let mut entries: Vec<(&str, &Value)> = table.iter().map(|(name, value)| (name.as_str(), value)).collect();
    entries.sort_by_key(|(name, _)| place(name));
    entries
}

fn value_text(value: &Value, shape: Option<Shape>) -> String {
    match value {
        // The shortest text that reads back as the same number.
        Value::Float(number) => format!("{number:?}"),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(|value| value_text(value, shape)).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Table(table) => {
            let entries = ordered(table, shape).into_iter().map(|(name, value)| {
                let shape = shape.and_then(|shape| inner(name, table, shape));
                format!("{} = {}", key(name), value_text(value, shape))
            });
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
