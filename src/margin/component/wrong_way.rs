//! Wrong-way charge: a collateral that falls when positions lose cannot make up for their loss.
//!
//! For each pair of a collateral asset and an underlying, `rate · min(C⁺, (s·Δ)⁺)`: C the value of the asset's balances, Δ the
//! net delta of the contracts on the underlying, s = 1 where the two move together (a long loses when the collateral falls) and
//! −1 where they move oppositely (a short does).

use super::by_side::{BY_SIDE, numbers};
use super::cover::PER;
use super::delta::DELTA;
use super::exposure::{Ranges, Terms, sum, terms_of};
use super::{ComponentRows, Cover, Part, Per, Rule};
use crate::margin::file::{Key, KeyKind, Reader, Section, Shape, words};
use crate::margin::pool::{Market, Requirement};
use crate::margin::row_sheet::{RowSheet, Sensitivity};
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

const MOVES: [(&str, Moves); 2] = [("together", Moves::Together), ("opposite", Moves::Opposite)];

const PAIR_KEYS: &[Key] = &[
    Key::required("collateral", KeyKind::Text, "name of the collateral asset"),
    Key::required("underlying", KeyKind::Text, "name of the underlying"),
    Key::optional(
        "moves",
        KeyKind::Word(&words(&MOVES)),
        "together",
        "how the two prices move: together charges long deltas, opposite short ones",
    ),
    Key::required("rate", BY_SIDE, "share of the smaller of the collateral's value and the delta, 0.1 = 10 %"),
];

/// Keys of `[component.NAME]` of kind `wrong_way`.
pub(super) const KEYS: &[Key] = &[Key::required(
    "pairs",
    KeyKind::Tables(Shape::Keys(PAIR_KEYS)),
    "collateral assets and the underlyings whose positions lose when they fall; per must be \"pool\"",
)];

/// How the prices of a collateral and of an underlying move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// The same way: a long loses when the collateral falls.
    Together,
    /// Opposite ways: a short does.
    Opposite,
}

/// A collateral asset and an underlying.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongWayRate {
    /// Name of the asset.
    pub collateral: String,
    /// Name of the underlying.
    pub underlying: String,
    /// How the two move.
    pub moves: Moves,
    /// Share of the smaller of the collateral's value and the delta; ≥ 0.
    pub rate: Requirement<f64>,
}

/// Charge on collateral that falls together with what it secures.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongWay {
    /// The pairs; each is charged by itself.
    pub pairs: Vec<WrongWayRate>,
}

impl WrongWay {
    pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Self> {
        if section.choice("per", &PER) != Some(Per::Pool) {
            let rule = "collateral and positions are compared across a whole pool";
            reader.fault(&section.at("per"), "", rule, "write per = \"pool\"");
            return None;
        }
        let covered = section.texts("collateral").unwrap_or_default();
        let mut pairs: Vec<WrongWayRate> = Vec::new();
        for pair in section.tables("pairs")? {
            let collateral = pair.text("collateral")?.to_string();
            let underlying = pair.text("underlying")?.to_string();
            if pairs.iter().any(|other| other.collateral == collateral && other.underlying == underlying) {
                reader.fault(&pair.at("underlying"), underlying, "a pair stands once", "remove the second one");
                return None;
            }
            if !covered.iter().any(|name| *name == collateral || name == "*") {
                let rule = "balances of the asset take part in the component";
                reader.fault(&pair.at("collateral"), collateral, rule, "add it to the component's collateral");
                return None;
            }
            pairs.push(WrongWayRate {
                collateral,
                underlying,
                moves: pair.choice("moves", &MOVES).unwrap_or(Moves::Together),
                rate: numbers(pair, "rate")?,
            });
        }
        Some(Self { pairs })
    }

    /// The pairs of which the group holds both: value of the collateral, and delta that loses when it falls.
    fn held<'p>(&'p self, part: &Part<'_, '_>) -> Vec<(&'p WrongWayRate, Terms, Terms)> {
        let snapshot = part.setting().snapshot;
        let exposures = part.exposures(DELTA);
        let collateral = |name: &str| -> Terms {
            let of_asset = part.balances().filter(|balance| snapshot.assets[balance.asset as usize].name == name);
            let terms = of_asset.filter_map(|balance| {
                let row = part.rows().of_asset(DELTA, balance.asset)?;
                Some([(row, balance.amount), (row, balance.accrued_interest)])
            });
            terms.flatten().filter(|(_, amount)| *amount != 0.0).collect()
        };
        let positions = |name: &str| {
            let of_name = exposures.iter().filter(|exposure| {
                let underlying = exposure.underlying.filter(|_| !exposure.is_balance());
                underlying.is_some_and(|index| snapshot.underlyings[index as usize].name == name)
            });
            terms_of(of_name)
        };
        let pair = |pair: &'p WrongWayRate| {
            let sign = if pair.moves == Moves::Together { 1.0 } else { -1.0 };
            let losing = positions(&pair.underlying).into_iter().map(|(row, size)| (row, sign * size)).collect();
            (pair, collateral(&pair.collateral), losing)
        };
        let is_held = |(_, collateral, losing): &(_, Terms, Terms)| !collateral.is_empty() && !losing.is_empty();
        self.pairs.iter().map(pair).filter(is_held).collect()
    }
}

impl Rule for WrongWay {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        let mut rows = ComponentRows::default();
        let instruments = sheet.covered_instruments(cover);
        sheet.each_sensitivity(Sensitivity::Delta, &instruments, |sheet, index, deltas| {
            let name = &sheet.snapshot.instruments[index as usize].name;
            rows.set_instrument(DELTA, index, sheet.append(deltas, name));
        });
        for asset in sheet.covered_assets(cover) {
            if let Some(price) = sheet.rows.of_asset(asset) {
                rows.set_asset(DELTA, asset, price);
            }
        }
        rows
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let overlaps: Vec<(&WrongWayRate, N)> = self
            .held(part)
            .into_iter()
            .map(|(pair, collateral, losing)| {
                let losing = sum(&losing, market).positive_part();
                (pair, sum(&collateral, market).positive_part().smaller(&losing))
            })
            .collect();
        Requirement::each(|margin| {
            overlaps
                .iter()
                .fold(N::of(0.0), |total, (pair, overlap)| total.plus(&N::of(*pair.rate.of(margin)).times(overlap)))
        })
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        let held = self.held(part).into_iter();
        let overlaps: Vec<(&WrongWayRate, Node)> = held
            .map(|(pair, collateral, losing)| {
                let parts = [collateral, losing].map(|terms| Node::leaf(terms).positive_part());
                (pair, Node::Min(parts.into()))
            })
            .collect();
        Some(Requirement::each(|margin| {
            let charges = overlaps.iter().map(|(pair, overlap)| overlap.clone().scaled(*pair.rate.of(margin)));
            Node::Sum(charges.collect())
        }))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let market = (part.setting().rows, column);
        let overlaps = self.held(part).into_iter().map(|(pair, collateral, losing)| {
            let losing = sum::<f64>(&losing, &market).max(0.0);
            (pair, sum::<f64>(&collateral, &market).max(0.0).min(losing))
        });
        let charge = |(pair, overlap): &(&WrongWayRate, f64)| pair.rate.maintenance * overlap;
        let (pair, largest) = overlaps.max_by(|a, b| charge(a).total_cmp(&charge(b)))?;
        Some(format!("{} secures {}: {largest:.2} falls with it", pair.collateral, pair.underlying))
    }
}
