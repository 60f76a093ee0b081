//! The kinds of component that a file may name: their keys, and how each is read.

use super::cover::COMMON;
use super::{Kind, Tail, grid, span, tail};
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
pub const KINDS: &[file::Kind] = &[
    kind!("formula", FORMULA_KEYS, "expressions over other components, evaluated within each group and added up"),
    kind!("grid", grid::KEYS, "largest loss over a grid of moves of price and volatility"),
    kind!("span", span::KEYS, "scan risk over 16 points with spread charges, credits and a short option minimum"),
    kind!("tail", tail::KEYS, "value at risk or expected shortfall over a set of joint moves"),
];

/// A kind from its section.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Kind> {
    match section.kind() {
        "formula" => read_formula(section).map(Kind::Formula),
        "grid" => grid::read(section, reader).map(Kind::Grid),
        "span" => span::read(section, reader).map(Kind::Span),
        "tail" => Tail::read(section).map(Kind::Tail),
        _ => None,
    }
}
