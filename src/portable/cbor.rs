//! CBOR in the core deterministic encoding of RFC 8949 §4.2.1: definite lengths, shortest heads, names in the order of
//! their encoded bytes. Reading refuses every other encoding of the same document.

use std::collections::BTreeMap;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::fault;
use super::node::{DEEPEST, Node, key_rule};
use crate::error::{Error, Result, one_line};

/// The canonical form.
///
/// # Errors
/// [`Error::Bug`]: writing to memory does not fail.
pub(super) fn write(node: &Node) -> Result<Vec<u8>> {
    let mut encoder = Encoder::new(Vec::new());
    encode(node, &mut encoder).map_err(|error| Error::Bug(error.to_string()))?;
    Ok(encoder.into_writer())
}

type Encoded = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn encode(node: &Node, encoder: &mut Encoder<Vec<u8>>) -> Encoded {
    match node {
        Node::Text(text) => encoder.str(text)?.ok(),
        Node::Flag(flag) => encoder.bool(*flag)?.ok(),
        Node::List(items) => {
            encoder.array(items.len() as u64)?;
            items.iter().try_for_each(|item| encode(item, encoder))
        }
        Node::Map(fields) => {
            encoder.map(fields.len() as u64)?;
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(name, _)| place(name));
            sorted.into_iter().try_for_each(|(name, item)| {
                encoder.str(name)?;
                encode(item, encoder)
            })
        }
    }
}

/// Where a name stands: its head holds its length, so shorter names come first.
fn place(name: &str) -> (usize, &[u8]) {
    (name.len(), name.as_bytes())
}

/// Reads one canonical document that fills `bytes`.
///
/// # Errors
/// [`Error::Refused`] with what is wrong and at which byte.
pub(super) fn read(bytes: &[u8]) -> Result<Node> {
    let mut decoder = Decoder::new(bytes);
    let node = decode(&mut decoder, 0)?;
    let left = bytes.len() - decoder.position();
    if left > 0 {
        return Err(refused(decoder.position(), format!("{left} byte(s) follow the document")));
    }
    Ok(node)
}

fn refused(at: usize, reason: impl std::fmt::Display) -> Error {
    fault::refusal(format!("CBOR, byte {at}: {}", one_line(reason)), "have its issuer write the file again")
}

fn decode(decoder: &mut Decoder<'_>, depth: usize) -> Result<Node> {
    let at = decoder.position();
    let of = |error: minicbor::decode::Error| refused(at, error);
    match decoder.datatype().map_err(of)? {
        Type::String => text(decoder).map(Node::Text),
        Type::Bool => decoder.bool().map(Node::Flag).map_err(of),
        Type::Array => {
            let below = below(at, depth)?;
            let count = count(decoder, |decoder| decoder.array())?;
            // The count is a claim of the file: nothing is reserved for it.
            let mut items = Vec::new();
            for _ in 0..count {
                items.push(decode(decoder, below)?);
            }
            Ok(Node::List(items))
        }
        Type::Map => {
            let below = below(at, depth)?;
            map(decoder, below).map(Node::Map)
        }
        Type::ArrayIndef | Type::MapIndef | Type::StringIndef | Type::BytesIndef => {
            Err(refused(at, "lengths are definite"))
        }
        Type::F16 | Type::F32 | Type::F64 => {
            Err(refused(at, "there are no floating-point numbers: a number is a text"))
        }
        other => Err(refused(at, format!("{other}: only texts, flags, lists and maps"))),
    }
}

fn map(decoder: &mut Decoder<'_>, below: usize) -> Result<BTreeMap<String, Node>> {
    let count = count(decoder, |decoder| decoder.map())?;
    let mut fields = BTreeMap::new();
    let mut last: Option<String> = None;
    for _ in 0..count {
        let at = decoder.position();
        if decoder.datatype().map_err(|error| refused(at, error))? != Type::String {
            return Err(refused(at, "the name of a field is a text of definite length"));
        }
        let name = text(decoder)?;
        if let Some(rule) = key_rule(&name) {
            return Err(refused(at, rule));
        }
        if let Some(last) = &last {
            match place(last).cmp(&place(&name)) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Err(refused(at, format!("{name} stands twice in one map"))),
                std::cmp::Ordering::Greater => {
                    return Err(refused(
                        at,
                        format!("{name} stands after {last}: names are sorted, shorter ones first"),
                    ));
                }
            }
        }
        fields.insert(name.clone(), decode(decoder, below)?);
        last = Some(name);
    }
    Ok(fields)
}

fn below(at: usize, depth: usize) -> Result<usize> {
    if depth == DEEPEST { Err(refused(at, format!("nested deeper than {DEEPEST}"))) } else { Ok(depth + 1) }
}

fn text(decoder: &mut Decoder<'_>) -> Result<String> {
    let at = decoder.position();
    let text = decoder.str().map_err(|error| refused(at, error))?;
    check_head(at, decoder.position() - at - text.len(), text.len() as u64)?;
    Ok(text.into())
}

fn count<'b>(
    decoder: &mut Decoder<'b>,
    read: impl FnOnce(&mut Decoder<'b>) -> Result<Option<u64>, minicbor::decode::Error>,
) -> Result<u64> {
    let at = decoder.position();
    let count = read(decoder).map_err(|error| refused(at, error))?;
    let count = count.ok_or_else(|| refused(at, "lengths are definite"))?;
    check_head(at, decoder.position() - at, count)?;
    Ok(count)
}

/// Refuses a head that is longer than its length needs.
fn check_head(at: usize, bytes: usize, length: u64) -> Result<()> {
    let shortest = match length {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    };
    if bytes == shortest { Ok(()) } else { Err(refused(at, "a length takes no more bytes than it needs")) }
}
