//! The Greeks of a pool and the positions that carry them.

use comfy_table::presets::ASCII_MARKDOWN;
use serde_json::{Map, Value, json};

use super::money;
use crate::cli::print_text;
use crate::cli::sweep::greeks_object;
use crate::domain::{Side, Snapshot};
use crate::engine::greeks::{Leg, UnderlyingLegs};
use crate::pricing::Greeks;

/// One object for each underlying, with its legs.
pub(super) fn json(snapshot: &Snapshot, greeks: &[UnderlyingLegs]) -> Value {
    let leg_json = |of: &UnderlyingLegs, leg: &Leg| {
        let shares = Greeks::NAMES.into_iter().zip(of.shares(leg));
        json!({
            "instrument": snapshot.instruments[leg.position.instrument as usize].name,
            "side": side(leg),
            "quantity": leg.position.quantity,
            "greeks": greeks_object(leg.greeks),
            "share": Map::from_iter(shares.map(|(name, share)| (name.to_string(), share.into()))),
        })
    };
    let underlying_json = |of: &UnderlyingLegs| {
        json!({
            "underlying": snapshot.underlyings[of.underlying as usize].name,
            "total": greeks_object(of.total),
            "legs": of.legs.iter().map(|leg| leg_json(of, leg)).collect::<Vec<_>>(),
        })
    };
    greeks.iter().map(underlying_json).collect()
}

/// Prints a table of legs and totals; Greeks that no leg has are left out.
pub(super) fn print(snapshot: &Snapshot, greeks: &[UnderlyingLegs]) {
    let shown: Vec<usize> =
        (0..Greeks::NAMES.len()).filter(|&at| greeks.iter().any(|of| of.gross.to_array()[at] != 0.0)).collect();
    if shown.is_empty() {
        return;
    }
    print_text("Greeks of the positions, quote units (in brackets: share of the underlying's legs, by size):");
    let mut table = comfy_table::Table::new();
    let names = shown.iter().map(|&at| Greeks::NAMES[at]);
    table.load_style(ASCII_MARKDOWN).set_header(["underlying", "instrument", "quantity"].into_iter().chain(names));
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    for of in greeks {
        let name = &snapshot.underlyings[of.underlying as usize].name;
        for leg in &of.legs {
            let instrument = &snapshot.instruments[leg.position.instrument as usize].name;
            let side = side(leg).map_or_else(String::new, |side| format!(" ({side})"));
            let (values, shares) = (leg.greeks.to_array(), of.shares(leg));
            let cells = shown.iter().map(|&at| match shares[at] {
                share if share.abs() < 0.005 => figure(values[at]),
                share => format!("{} ({:.0} %)", figure(values[at]), 100.0 * share),
            });
            let start = [name.clone(), format!("{instrument}{side}"), money(leg.position.quantity)];
            table.add_row(start.into_iter().chain(cells));
        }
        let totals = of.total.to_array();
        let start = [name.clone(), "total".into(), String::new()];
        table.add_row(start.into_iter().chain(shown.iter().map(|&at| figure(totals[at]))));
    }
    print_text(table);
}

/// Six significant digits: a gamma per unit squared may be small and no less important.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !size.is_finite() => "none".into(),
        size if (1e-3..1e12).contains(&size) => {
            let places = (5 - libm::floor(libm::log10(size)) as i32).clamp(0, 8) as usize;
            let text = format!("{value:.places$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
        }
        _ => format!("{value:.5e}"),
    }
}

/// The leg of a hedge-mode pair.
fn side(leg: &Leg) -> Option<&'static str> {
    match leg.position.side {
        Side::Net => None,
        Side::Long => Some("long"),
        Side::Short => Some("short"),
    }
}
