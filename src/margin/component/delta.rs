//! Delta minimum: a share of what a group's deltas come to, net and hedged, however well its options offset each other.
//!
//! `net_rate · |Σ Δ| + hedged_rate · min(Σ long Δ, Σ short |Δ|)`, Δ = quantity · delta · index of each holding.

use super::exposure::{Exposure, Ranges, Terms, bounds, sum, terms_of};
use super::{ComponentRows, Cover, Part, Rule};
use crate::margin::pool::{Market, Requirement};
use crate::margin::row_sheet::{RowSheet, Sensitivity};
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

/// Sheet of the deltas, quote units per 100 % of the index.
pub(super) const DELTA: usize = 0;

/// Charge on net and hedged delta.
#[derive(Debug, Clone, PartialEq)]
pub struct Delta {
    /// Share of the net delta; ≥ 0.
    pub net_rate: Requirement<f64>,
    /// Share of the delta that is hedged; ≥ 0.
    pub hedged_rate: Requirement<f64>,
}

/// Rows of the deltas of what is covered: contracts, and balances of assets that move with an underlying.
pub(super) fn delta_rows(cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
    let mut rows = ComponentRows::default();
    for index in sheet.covered_instruments(cover) {
        rows.set_instrument(DELTA, index, sheet.sensitivity(Sensitivity::Delta, index));
    }
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

    fn node(&self, part: &Part<'_, '_>, ranges: &Ranges<'_>) -> Option<Requirement<Node>> {
        let exposures = part.exposures(DELTA);
        let net = Node::leaf(terms_of(&exposures)).absolute();
        let hedged = Node::Min(vec![long(&exposures, 1.0, ranges), long(&exposures, -1.0, ranges)]);
        Some(Requirement::each(|margin| {
            let net = net.clone().scaled(*self.net_rate.of(margin));
            Node::Sum(vec![net, hedged.clone().scaled(*self.hedged_rate.of(margin))])
        }))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let market = (part.setting().rows, column);
        let deltas: Vec<f64> = part.exposures(DELTA).iter().map(|exposure| sum(&exposure.terms, &market)).collect();
        let long: f64 = deltas.iter().filter(|delta| **delta > 0.0).sum();
        let short: f64 = deltas.iter().filter(|delta| **delta < 0.0).sum();
        Some(format!("long {long:.2}, short {short:.2}"))
    }
}

/// Σ max(0, sign · Δ): affine as far as the ranges know which way each holding points.
fn long(exposures: &[Exposure<'_>], sign: f64, ranges: &Ranges<'_>) -> Node {
    let (mut certain, mut summands): (Terms, Vec<Node>) = (Vec::new(), Vec::new());
    for exposure in exposures {
        let terms: Terms = exposure.terms.iter().map(|&(row, coefficient)| (row, sign * coefficient)).collect();
        match bounds(&terms, ranges) {
            (low, _) if low >= 0.0 => certain.extend(terms),
            (_, high) if high <= 0.0 => {}
            _ => summands.push(Node::leaf(terms).positive_part()),
        }
    }
    summands.push(Node::leaf(certain));
    Node::Sum(summands)
}
