use std::path::Path;

use super::names::{Keyed, Names};
use crate::domain::Asset;
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "assets",
    columns: &[
        Column::required("asset", CellKind::Text),
        Column::required("price", CellKind::Number),
        Column::optional("underlying", CellKind::Text),
        Column::optional("haircut_class", CellKind::Text),
        Column::optional("network", CellKind::Text),
    ],
};
const ASSET: usize = 0;
const PRICE: usize = 1;
const UNDERLYING: usize = 2;
const HAIRCUT_CLASS: usize = 3;
const NETWORK: usize = 4;

/// Reads the assets and adds the quote currency (price 1) where the table lacks it.
pub(super) fn read(dir: &Path, quote: &str, log: &mut FaultLog) -> (Vec<Asset>, Names, TableRead) {
    let mut assets = Keyed::default();
    let outcome = table::read(dir, &LAYOUT, Presence::Required, log, |row| {
        let Some(name) = row.required_text(ASSET) else { return };
        assets.claim(row, ASSET, name);
        let price = row.required_number(PRICE, NumberRule::ZeroOrPositive).unwrap_or(0.0);
        if name == quote && !row.is_refused() && price != 1.0 {
            let rule = "the quote currency has price 1: everything is measured in it";
            row.refuse(PRICE, price.to_string(), rule, "set it to 1, or name another quote in snapshot.toml");
        }
        let asset = Asset {
            name: name.into(),
            price,
            underlying: row.text(UNDERLYING).unwrap_or(name).into(),
            haircut_class: row.text(HAIRCUT_CLASS).map(Into::into),
            network: row.text(NETWORK).map(Into::into),
            custody: None,
        };
        assets.add(row, name, (!row.is_refused()).then_some(asset));
    });
    if !assets.has(quote) {
        assets.add_default(
            quote,
            Asset {
                name: quote.into(),
                price: 1.0,
                underlying: quote.into(),
                haircut_class: None,
                network: None,
                custody: None,
            },
        );
    }
    let (assets, names) = assets.finish(|asset| &asset.name);
    (assets, names, outcome)
}
