//! A snapshot with formed prices in place of its own.

use std::path::Path;

use super::Findings;
use crate::domain::{AssetIndex, Snapshot};
use crate::error::Result;
use crate::io::{TableFormat, snapshot_write};

/// What was replaced, and what was not.
#[derive(Default)]
pub(super) struct Written {
    /// Assets with another price.
    pub(super) assets: Vec<String>,
    /// Underlyings with another index price.
    pub(super) underlyings: Vec<String>,
    /// Instruments with another mark.
    pub(super) instruments: Vec<String>,
    /// Subjects and instruments that keep their prices, for want of a usable one that a snapshot may hold.
    pub(super) kept: Vec<String>,
}

/// Writes the snapshot with the formed prices of its assets and underlyings, and the marks of instruments that have inputs of
/// their own and are quoted in the quote currency. The quote currency itself keeps its price of 1.
pub(super) fn write(out: &Path, format: TableFormat, snapshot: &Snapshot, findings: &Findings) -> Result<Written> {
    let mut rewritten = snapshot.clone();
    let mut written = Written::default();
    let is_quote = |asset: AssetIndex| snapshot.assets[asset as usize].name == snapshot.quote;
    for (name, assessment) in &findings.subjects {
        let Some(price) = assessment.formed.price.filter(|price| may_hold(*price) && *name != snapshot.quote) else {
            written.kept.push(name.clone());
            continue;
        };
        if let Some(asset) = rewritten.assets.iter_mut().find(|asset| asset.name == *name) {
            asset.price = price;
            written.assets.push(name.clone());
        }
        if let Some(underlying) = rewritten.underlyings.iter_mut().find(|underlying| underlying.name == *name) {
            underlying.index_price = price;
            written.underlyings.push(name.clone());
        }
    }
    for found in &findings.instruments {
        let instrument = rewritten.instruments.iter_mut().find(|instrument| instrument.name == found.instrument);
        let instrument = instrument.filter(|instrument| is_quote(instrument.price_asset));
        match found.mark.filter(|mark| may_hold(*mark)).zip(instrument) {
            Some((mark, instrument)) => {
                instrument.mark_price = mark;
                written.instruments.push(found.instrument.clone());
            }
            None => written.kept.push(found.instrument.clone()),
        }
    }
    snapshot_write::write(out, format, &rewritten)?;
    Ok(written)
}

/// Whether a table of a snapshot may hold this price.
fn may_hold(price: f64) -> bool {
    (1e-30..=1e30).contains(&price)
}
