//! Delta minimum: a share of what a group's deltas come to, net and hedged, however well its options offset each other.
//!
//! `net_rate · |Σ Δ| + hedged_rate · min(Σ long Δ, Σ short |Δ|)`, Δ = quantity · delta · index of each holding.

use super::by_side::{BY_SIDE, numbers_or_zero};
use super::exposure::{Exposure, Ranges, sum, terms_of};
use super::{ComponentRows, Cover, Part, Rule};
use crate::margin::file::{Key, Section};
use crate::margin::pool::{Market, Requirement};
use crate::margin::row_sheet::{RowSheet, Sensitivity};
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

/// Sheet of the deltas, quote units per 100 % of the index.
pub(super) const DELTA: usize = 0;

/// Keys of `[component.NAME]` of kind `delta`.
pub(super) const KEYS: &[Key] = &[
    Key::optional("net_rate", BY_SIDE, "0", "share of the net delta, 0.02 = 2 %"),
    Key::optional("hedged_rate", BY_SIDE, "0", "share of the delta that is hedged: the smaller of long and short"),
];

/// Charge on net and hedged delta.
#[derive(Debug, Clone, PartialEq)]
pub struct Delta {
    /// Share of the net delta; ≥ 0.
    pub net_rate: Requirement<f64>,
    /// Share of the delta that is hedged; ≥ 0.
    pub hedged_rate: Requirement<f64>,
}

impl Delta {
    pub(super) fn read(section: &Section) -> Option<Self> {
        let (net_rate, hedged_rate) = (numbers_or_zero(section, "net_rate"), numbers_or_zero(section, "hedged_rate"));
        Some(Self { net_rate: net_rate?, hedged_rate: hedged_rate? })
    }
}

/// Rows of the deltas of what is covered: contracts, and balances of assets that move with an underlying.
pub(super) fn delta_rows(cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
    let mut rows = ComponentRows::default();
    let instruments = sheet.covered_instruments(cover);
    sheet.each_sensitivity(Sensitivity::Delta, &instruments, |sheet, index, deltas| {
        let name = &sheet.snapshot.instruments[index as usize].name;
        rows.set_instrument(DELTA, index, sheet.append(deltas, name));
    });
    for asset in sheet.covered_assets(cover) {
        if let Some(price) = sheet.rows.of_asset(asset).filter(|_| sheet.snapshot.underlying_of_asset(asset).is_some())
        {
            rows.set_asset(DELTA, asset, price);
        }
    }
    rows
}

impl Rule for Delta {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        delta_rows(cover, sheet)
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let deltas: Vec<N> = part.exposures(DELTA).iter().map(|exposure| sum(&exposure.terms, market)).collect();
        let total = |of: fn(&N) -> N| deltas.iter().fold(N::of(0.0), |total, delta| total.plus(&of(delta)));
        let net = total(N::clone).magnitude();
        let long = total(N::positive_part);
        let hedged = long.smaller(&total(|delta| N::of(0.0).minus(delta).positive_part()));
        Requirement::each(|margin| {
            let net = N::of(*self.net_rate.of(margin)).times(&net);
            net.plus(&N::of(*self.hedged_rate.of(margin)).times(&hedged))
        })
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        let exposures = part.exposures(DELTA);
        let net = Node::leaf(terms_of(&exposures)).absolute();
        let hedged = Node::Min(vec![long(&exposures, 1.0), long(&exposures, -1.0)]);
        Some(Requirement::each(|margin| {
            let net = net.clone().scaled(*self.net_rate.of(margin));
            Node::Sum(vec![net, hedged.clone().scaled(*self.hedged_rate.of(margin))])
        }))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let market = (part.setting().rows, column);
        let deltas: Vec<f64> = part.exposures(DELTA).iter().map(|exposure| sum(&exposure.terms, &market)).collect();
        let total =
            |counts: fn(f64) -> bool| deltas.iter().filter(|delta| counts(**delta)).fold(0.0, |sum, delta| sum + delta);
        let (long, short) = (total(|delta| delta > 0.0), total(|delta| delta < 0.0));
        Some(format!("long {long:.2}, short {short:.2}"))
    }
}

/// Σ max(0, sign · Δ).
fn long(exposures: &[Exposure<'_>], sign: f64) -> Node {
    let longs = exposures.iter().map(|exposure| {
        let terms = exposure.terms.iter().map(|&(row, coefficient)| (row, sign * coefficient));
        Node::leaf(terms.collect()).positive_part()
    });
    Node::Sum(longs.collect())
}
