//! A size charged by tiers: what is summed, and the bounds it is compared with.

use super::{Concentration, Measure, ShareOf};
use crate::margin::bracket::Schedule;
use crate::margin::component::delta::delta_rows;
use crate::margin::component::exposure::{Exposure, Terms, grouped, sum, terms_of};
use crate::margin::component::{ComponentRows, Cover, Part};
use crate::margin::pool::{MarginSide, Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::program::{Leaf, Node};

/// Sheet of what sizes are summed of.
const SIZE: usize = 0;

/// One size that is charged.
pub(super) struct Size {
    measure: Measure,
    terms: Terms,
    /// Rows of the tiers' bounds; `None` where they are quote units.
    bounds: Requirement<Option<Vec<u32>>>,
}

impl Concentration {
    pub(super) fn tier_rows(
        &self,
        (measure, rates): (Measure, &Requirement<Schedule>),
        cover: &Cover,
        sheet: &mut RowSheet<'_>,
    ) -> ComponentRows {
        let mut rows = match measure {
            Measure::NetDelta => delta_rows(cover, sheet),
            Measure::GrossNotional => {
                sheet.charge_rows(cover, |sheet, _, instrument, column| sheet.notional(instrument, column), |_, _| 1.0)
            }
        };
        if self.share_of == ShareOf::Quote {
            return rows;
        }
        for underlying in sheet.covered_underlyings(cover) {
            for margin in MarginSide::ALL {
                for (tier, bound) in rates.of(margin).bounds.iter().enumerate() {
                    let unit = |column| self.unit(underlying, column, sheet).unwrap_or_default();
                    let values = sheet.values(|column| bound * unit(column));
                    let name = &sheet.snapshot.underlyings[underlying as usize].name;
                    rows.set_underlying(bound_sheet(margin, tier), underlying, sheet.append(values, name));
                }
            }
        }
        rows
    }

    /// The sizes of a group: of each underlying where thresholds are its own, else of the whole.
    pub(super) fn sizes(&self, (measure, rates): (Measure, &Requirement<Schedule>), part: &Part<'_, '_>) -> Vec<Size> {
        let exposures = part.exposures(SIZE);
        let terms = |group: Vec<&Exposure<'_>>| match measure {
            Measure::NetDelta => terms_of(group),
            Measure::GrossNotional => group.into_iter().flat_map(Exposure::magnitude).collect(),
        };
        let is_whole = self.share_of == ShareOf::Quote;
        let groups = grouped(&exposures, |exposure| exposure.underlying.filter(|_| !is_whole)).into_iter();
        let known = groups.filter(|(underlying, _)| is_whole || underlying.is_some());
        let sizes = known.map(|(underlying, group)| {
            let bounds = Requirement::each(|margin| {
                let tiers = 0..rates.of(margin).bounds.len();
                tiers.map(|tier| part.rows().of_underlying(bound_sheet(margin, tier), underlying?)).collect()
            });
            Size { measure, terms: terms(group), bounds }
        });
        sizes.collect()
    }
}

/// Sheet of a tier's bound.
fn bound_sheet(margin: MarginSide, tier: usize) -> usize {
    2 * tier + margin as usize
}

impl Size {
    /// The size, quote units.
    pub(super) fn value<N: Number>(&self, market: &impl Market<N>) -> N {
        let sum = sum(&self.terms, market);
        match self.measure {
            Measure::NetDelta => sum.magnitude(),
            Measure::GrossNotional => sum,
        }
    }

    /// Bounds of the tiers in a market, quote units.
    pub(super) fn bounds<N: Number>(&self, schedule: &Schedule, margin: MarginSide, market: &impl Market<N>) -> Vec<N> {
        match self.bounds.of(margin) {
            Some(rows) => rows.iter().map(|row| market.row(*row)).collect(),
            None => schedule.quote_bounds(),
        }
    }

    /// Lowering of its charge.
    pub(super) fn charge_node(&self, schedule: &Schedule, margin: MarginSide) -> Node {
        let sum = Node::leaf(self.terms.clone());
        let size = match self.measure {
            Measure::NetDelta => sum.absolute(),
            Measure::GrossNotional => sum,
        };
        let bounds = match self.bounds.of(margin) {
            Some(rows) => rows.iter().map(|row| Leaf { terms: vec![(*row, 1.0)], ..Leaf::default() }).collect(),
            None => schedule.quote_bound_leaves(),
        };
        schedule.charge_node(&size, &bounds)
    }
}
