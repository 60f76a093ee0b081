//! JSON: read strictly, written in the canonical form of RFC 8785 (sorted names, no spaces, shortest escapes).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::fault;
use super::node::{DEEPEST, Node, key_rule};
use crate::error::{Error, Fault, Result, one_line};

const NUMBERS: &str = "a number is written as a text, for example \"-12.5\"";

/// Reads one JSON document; white space is free.
///
/// # Errors
/// [`Error::Refused`] with what is wrong and where.
pub(super) fn read(text: &str) -> Result<Node> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = Level(0).deserialize(&mut reader).map_err(refused)?;
    reader.end().map_err(refused)?;
    Ok(node)
}

fn refused(error: serde_json::Error) -> Error {
    let fault = fault::at("", "", format!("JSON: {}", one_line(&error)), "have its issuer write the file again");
    Error::Refused(vec![Fault { line: Some(error.line() as u64), ..fault }])
}

/// The canonical form.
pub(super) fn write(node: &Node, out: &mut String) {
    match node {
        Node::Text(text) => write_text(text, out),
        Node::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Node::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Node::Map(fields) => {
            out.push('{');
            for (place, (name, item)) in fields.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
    }
}

/// A text between quotes: the escapes of RFC 8785, which are also those of serde_json.
fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// A value at this depth.
#[derive(Clone, Copy)]
struct Level(usize);

impl Level {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.0 == DEEPEST { Err(E::custom(format!("nested deeper than {DEEPEST}"))) } else { Ok(Self(self.0 + 1)) }
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Node;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, true, false, a list or a map")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Node, E> {
        Err(E::custom(NUMBERS))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Node, E> {
        Err(E::custom(NUMBERS))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Node, E> {
        Err(E::custom(NUMBERS))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let below = self.below()?;
        let mut map = BTreeMap::new();
        while let Some(name) = fields.next_key::<String>()? {
            if let Some(rule) = key_rule(&name) {
                return Err(A::Error::custom(rule));
            }
            let item = fields.next_value_seed(below)?;
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("{name} stands twice in one map")));
            }
            map.insert(name, item);
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_sorted_and_escaped_as_rfc_8785_says() {
        let text = " {\"b\" : [true, \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\"], \"a\":{} }\n";
        let mut out = String::new();
        write(&read(text).expect("a document"), &mut out);
        assert_eq!(out, r#"{"a":{},"b":[true,"€$\u000f\nA'B\"\\\\\"/"]}"#);
    }
}
