//! JSON Schemas (draft-07) of the TOML files, from the tables of keys by which they are read.

use serde_json::{Map, Value, json};

use crate::margin::file::{Key, KeyKind, Kind, Presence, ROOT, Shape};

/// The schema of a rulebook. What only the reader checks (bounds that increase, lists of one length, formulas) is in the
/// descriptions.
pub fn schema() -> Value {
    of_file("Plimsoll rulebook", "Margin rules as data: rulebook.toml", ROOT)
}

/// The schema of a file that has these keys at its root.
pub(super) fn of_file(title: &str, description: &str, keys: &[Key]) -> Value {
    let mut schema = object(&[], keys);
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = title.into();
    schema["description"] = description.into();
    schema
}

/// A table with these keys and no others.
fn object(first: &[(&str, Value)], keys: &[Key]) -> Value {
    let entries = first.iter().map(|(name, value)| (name.to_string(), value.clone()));
    let properties: Map<String, Value> = entries.chain(keys.iter().map(|key| (key.name.into(), of_key(key)))).collect();
    let names = first.iter().map(|(name, _)| *name);
    let required = keys.iter().filter(|key| key.presence == Presence::Required).map(|key| key.name);
    let required: Vec<&str> = names.chain(required).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn of_key(key: &Key) -> Value {
    let mut schema = of_kind(&key.kind);
    schema["title"] = key.name.into();
    schema["description"] = match key.presence {
        Presence::Required => sentence(key.help).into(),
        Presence::Optional(without) => format!("{} Without it: {without}.", sentence(key.help)).into(),
    };
    schema
}

/// A phrase as a sentence.
fn sentence(phrase: &str) -> String {
    let mut characters = phrase.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).chain(['.']).collect()
}

fn of_kind(kind: &KeyKind) -> Value {
    match *kind {
        KeyKind::Number { min, max } => number(min, max),
        KeyKind::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        KeyKind::Word(words) => json!({"type": "string", "enum": words}),
        KeyKind::Text => json!({"type": "string"}),
        KeyKind::Flag => json!({"type": "boolean"}),
        KeyKind::Timestamp => json!({"type": "string", "format": "date-time"}),
        KeyKind::Expression => json!({"type": ["string", "number"]}),
        KeyKind::Numbers { min, max } => json!({"type": "array", "items": number(min, max), "minItems": 1}),
        KeyKind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        KeyKind::Words(words) => {
            json!({"type": "array", "items": {"type": "string", "enum": words}, "uniqueItems": true})
        }
        KeyKind::Values(kind) => json!({"type": "object", "additionalProperties": of_kind(kind)}),
        KeyKind::ByName { min, max } => json!({"anyOf": [
            number(min, max),
            {"type": "object", "required": ["default"], "additionalProperties": number(min, max)},
        ]}),
        KeyKind::Table(shape) => of_shape(shape),
        KeyKind::Tables(shape) => json!({"type": "array", "items": of_shape(shape)}),
        KeyKind::Named(shape) => json!({"type": "object", "additionalProperties": of_shape(shape)}),
        KeyKind::Either(kinds) => json!({"anyOf": kinds.each_ref().map(of_kind)}),
    }
}

fn of_shape(shape: Shape) -> Value {
    match shape {
        Shape::Keys(keys) => object(&[], keys),
        // A list of alternatives is never empty; without kinds no table is valid.
        Shape::Kinds { of: [], .. } => json!({"not": {}}),
        Shape::Kinds { by, of } => json!({"oneOf": of.iter().map(|kind| of_alternative(by, kind)).collect::<Vec<_>>()}),
    }
}

fn of_alternative(by: &str, kind: &Kind) -> Value {
    let mut schema = object(&[(by, json!({"const": kind.name}))], kind.keys);
    schema["title"] = kind.name.into();
    schema["description"] = sentence(kind.help).into();
    schema
}

fn number(min: f64, max: f64) -> Value {
    if min == f64::MIN_POSITIVE {
        return json!({"type": "number", "exclusiveMinimum": 0, "maximum": max});
    }
    json!({"type": "number", "minimum": min, "maximum": max})
}
