//! Depeg charge: a hedge between contracts of different quote assets is only as good as the peg between them.
//!
//! With Δ_a the deltas of the contracts whose profit is in the quote asset a, every pair (a, b) in the stated order takes
//! `offset = min(long Δ of one, short Δ of the other)` off both before the next pair, and is charged by tiers of its offset.

use super::by_side::{FROM, LIST_BY_SIDE, tiers};
use super::delta::{DELTA, delta_rows};
use super::exposure::{Ranges, grouped, sum, terms_of};
use super::{ComponentRows, Cover, Part, Rule};
use crate::domain::{AssetIndex, Instrument, Payoff};
use crate::margin::bracket::{Form, Schedule};
use crate::margin::file::{Key, KeyKind, Reader, Section, Shape};
use crate::margin::pool::{Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

const PAIR_KEYS: &[Key] = &[
    Key::required("of", KeyKind::Text, "name of one quote asset"),
    Key::required("against", KeyKind::Text, "name of the other"),
];

/// Keys of `[component.NAME]` of kind `depeg`.
pub(super) const KEYS: &[Key] = &[
    Key::required(
        "pairs",
        KeyKind::Tables(Shape::Keys(PAIR_KEYS)),
        "pairs of quote assets, in the order of offsetting",
    ),
    FROM,
    Key::required("rate", LIST_BY_SIDE, "rate of each slice of a pair's offset delta, 0.01 = 1 %"),
];

/// Charge on hedges between quote assets.
#[derive(Debug, Clone, PartialEq)]
pub struct Depeg {
    /// Names of the quote assets of each pair, in the order in which their deltas offset.
    pub pairs: Vec<[String; 2]>,
    /// Rate by the offset of a pair, quote units.
    pub rates: Requirement<Schedule>,
}

/// The asset that a contract's profit is measured in: what it settles in; of an inverse contract, which settles in coins, what
/// it is priced in.
fn quote_asset(instrument: &Instrument) -> AssetIndex {
    match instrument.payoff {
        Payoff::Linear | Payoff::Quanto => instrument.settlement_asset,
        Payoff::Inverse => instrument.price_asset,
    }
}

impl Depeg {
    pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Self> {
        let rates = tiers(section, (Form::Marginal, "rate"), reader);
        let mut pairs = Vec::new();
        for pair in section.tables("pairs")? {
            let [of, against] = [pair.text("of")?, pair.text("against")?];
            if of == against {
                reader.fault(&pair.at("against"), against, "a pair is of two assets", "name the other one");
                return None;
            }
            pairs.push([of.to_string(), against.to_string()]);
        }
        Some(Self { pairs, rates: rates? })
    }

    /// The pairs of which the group holds both, as positions in the list of its deltas by quote asset.
    fn held<'p, T>(&'p self, deltas: &[(AssetIndex, T)], part: &Part<'_, '_>) -> Vec<(&'p [String; 2], usize, usize)> {
        let assets = &part.setting().snapshot.assets;
        let at = |name: &String| deltas.iter().position(|(asset, _)| assets[*asset as usize].name == *name);
        self.pairs.iter().filter_map(|pair| Some((pair, at(&pair[0])?, at(&pair[1])?))).collect()
    }

    /// Deltas by quote asset.
    fn deltas<T>(&self, part: &Part<'_, '_>, of: impl Fn(Vec<(u32, f64)>) -> T) -> Vec<(AssetIndex, T)> {
        let exposures = part.exposures(DELTA);
        let positions = exposures.iter().filter(|exposure| exposure.instrument.is_some());
        let groups = grouped(positions, |exposure| exposure.instrument.map(quote_asset)).into_iter();
        groups.filter_map(|(asset, group)| Some((asset?, of(terms_of(group))))).collect()
    }

    /// What offsets in each pair, in a market.
    fn offsets<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Vec<(&[String; 2], N)> {
        let mut deltas = self.deltas(part, |terms| sum(&terms, market));
        let zero = N::of(0.0);
        let held = self.held(&deltas, part);
        let offset = |(pair, a, b): (_, usize, usize)| {
            let (first, second) = (deltas[a].1.clone(), deltas[b].1.clone());
            let (short_first, short_second) = (zero.minus(&first), zero.minus(&second));
            let long = first.positive_part().smaller(&short_second.positive_part());
            let short = short_first.positive_part().smaller(&second.positive_part());
            // At most one of the two is not 0.
            let moved = long.minus(&short);
            deltas[a].1 = first.minus(&moved);
            deltas[b].1 = second.plus(&moved);
            (pair, long.plus(&short))
        };
        held.into_iter().map(offset).collect()
    }

    /// The same as nodes.
    fn offset_nodes(&self, part: &Part<'_, '_>) -> Vec<Node> {
        let mut deltas = self.deltas(part, Node::leaf);
        let smaller_parts = |a: &Node, b: &Node| Node::Min(vec![a.clone(), b.clone()]).positive_part();
        let held = self.held(&deltas, part);
        let offset = |(_, a, b): (_, usize, usize)| {
            let (first, second) = (deltas[a].1.clone(), deltas[b].1.clone());
            let (short_first, short_second) = (first.clone().scaled(-1.0), second.clone().scaled(-1.0));
            let long = smaller_parts(&first, &short_second);
            let short = smaller_parts(&short_first, &second);
            deltas[a].1 = Node::Sum(vec![first, long.clone().scaled(-1.0), short.clone()]);
            deltas[b].1 = Node::Sum(vec![second, long.clone(), short.clone().scaled(-1.0)]);
            Node::Sum(vec![long, short])
        };
        held.into_iter().map(offset).collect()
    }
}

impl Rule for Depeg {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        delta_rows(cover, sheet)
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let offsets = self.offsets(part, market);
        Requirement::each(|margin| {
            let schedule = self.rates.of(margin);
            let charges = offsets.iter().map(|(_, offset)| schedule.charge(offset, &schedule.quote_bounds()));
            charges.fold(N::of(0.0), |total, charge| total.plus(&charge))
        })
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        let offsets = self.offset_nodes(part);
        Some(Requirement::each(|margin| {
            let schedule = self.rates.of(margin);
            let charges = offsets.iter().map(|offset| schedule.charge_node(offset, &schedule.quote_bound_leaves()));
            Node::Sum(charges.collect())
        }))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let offsets = self.offsets::<f64>(part, &(part.setting().rows, column));
        let (pair, largest) = offsets.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(format!("{} against {}: {largest:.2} offset", pair[0], pair[1]))
    }
}
