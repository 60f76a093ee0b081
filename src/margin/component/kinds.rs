//! The kinds of component that a file may name: their keys, and how each is read.

use super::cover::COMMON;
use super::{Calendar, Concentration, Contingency, Delta, Depeg, Depth, Kind, Tail, Unwind, Vega, WrongWay};
use super::{calendar, concentration, contingency, delta, depeg, depth, grid, span, tail, unwind, vega, wrong_way};
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
    kind!("calendar", calendar::KEYS, "charge on the deltas of expiries: roll, basis"),
    kind!("vega", vega::KEYS, "charge on the vegas of expiries"),
    kind!("delta", delta::KEYS, "minimum charge on net and hedged delta"),
    kind!("depth", depth::KEYS, "charge on a net delta, as its trading would move the price"),
    kind!("contingency", contingency::KEYS, "static charge per position or contract"),
    kind!("unwind", unwind::KEYS, "charge for fees and slippage of closing everything, times a multiplier by its size"),
    kind!("concentration", concentration::KEYS, "charge on a size beyond what its market bears"),
    kind!("depeg", depeg::KEYS, "charge on hedges between quote assets"),
    kind!("wrong_way", wrong_way::KEYS, "charge on collateral that falls together with what it secures"),
];

/// A kind from its section.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Kind> {
    match section.kind() {
        "formula" => read_formula(section).map(Kind::Formula),
        "grid" => grid::read(section, reader).map(Kind::Grid),
        "span" => span::read(section, reader).map(Kind::Span),
        "tail" => Tail::read(section).map(Kind::Tail),
        "calendar" => Calendar::read(section).map(Kind::Calendar),
        "vega" => Vega::read(section).map(Kind::Vega),
        "delta" => Delta::read(section).map(Kind::Delta),
        "depth" => Depth::read(section).map(Kind::Depth),
        "contingency" => Contingency::read(section).map(Kind::Contingency),
        "unwind" => Unwind::read(section, reader).map(Kind::Unwind),
        "concentration" => Concentration::read(section, reader).map(Kind::Concentration),
        "depeg" => Depeg::read(section, reader).map(Kind::Depeg),
        "wrong_way" => WrongWay::read(section, reader).map(Kind::WrongWay),
        _ => None,
    }
}
