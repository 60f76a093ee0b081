//! The kinds of component that a file may name: their keys, and how each is read.

use super::Kind;
use super::cover::COMMON;
use crate::margin::file::requirement::{FORMULA_KEYS, read_formula};
use crate::margin::file::{self, Key, Reader, Section};

/// The keys of a kind: what every component has, then its own.
const fn keys<const N: usize>(own: &[Key]) -> [Key; N] {
    let mut all = [COMMON[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < COMMON.len() { COMMON[at] } else { own[at - COMMON.len()] };
        at += 1;
    }
    all
}

/// A kind of component with its keys.
macro_rules! kind {
    ($name:literal, $own:path, $help:literal) => {{
        const KEYS: [Key; COMMON.len() + $own.len()] = keys($own);
        file::Kind { name: $name, help: $help, keys: &KEYS }
    }};
}

/// Every kind of component that a rulebook may name.
pub const KINDS: &[file::Kind] =
    &[kind!("formula", FORMULA_KEYS, "expressions over other components, evaluated within each group and added up")];

/// A kind from its section.
pub(super) fn read(section: &Section, _reader: &mut Reader<'_>) -> Option<Kind> {
    match section.kind() {
        "formula" => read_formula(section).map(Kind::Formula),
        _ => None,
    }
}
