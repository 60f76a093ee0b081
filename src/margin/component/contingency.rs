//! Contingency: a static amount per position, whatever its market does.
//!
//! `Σ |q| · (amount + (rate + doubt) · units · index)`, q the quantities that `of` counts, units those of the underlying per
//! contract; balances count as `|amount| · price · rate`. `doubt = confidence.rate · (1 − confidence)` where the confidence
//! lies below its threshold: an oracle-confidence add-on.

use jiff::Timestamp;

use super::by_side::{BY_SIDE, numbers, numbers_or_zero};
use super::exposure::{Exposure, Ranges, Terms, grouped, sum, terms_of};
use super::{ComponentRows, Cover, Part, Rule};
use crate::domain::{Instrument, Right, UnderlyingIndex};
use crate::margin::file::{Key, KeyKind, Section, Shape, words};
use crate::margin::pool::{MarginSide, Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

const COUNTED: [(&str, Counted); 4] = [
    ("gross", Counted::Gross),
    ("short_options", Counted::ShortOptions),
    ("net_short_options", Counted::NetShortOptions),
    ("net_short_strikes", Counted::NetShortStrikes),
];

const CONFIDENCE_KEYS: &[Key] = &[
    Key::required("threshold", KeyKind::SHARE, "confidence from which nothing is added"),
    Key::required("rate", BY_SIDE, "added to the rate, times 1 - confidence"),
];

/// Keys of `[component.NAME]` of kind `contingency`.
pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "of",
        KeyKind::Word(&words(&COUNTED)),
        "gross",
        "which quantities count: all; those of short options; what is net short of each option's underlying, expiry and strike, calls and puts apart or together",
    ),
    Key::optional("rate", BY_SIDE, "0", "share of quantity · units · index, and of balances' value"),
    Key::optional("amount", BY_SIDE, "0", "quote units per contract, on top"),
    Key::optional(
        "confidence",
        KeyKind::Table(Shape::Keys(CONFIDENCE_KEYS)),
        "no add-on",
        "add-on where the smaller confidence of an instrument and its underlying lies below a threshold",
    ),
];

/// A static charge per position.
#[derive(Debug, Clone, PartialEq)]
pub struct Contingency {
    /// Which quantities count.
    pub of: Counted,
    /// Share of units · index price, and of balances' value; ≥ 0.
    pub rate: Requirement<f64>,
    /// Quote units per contract, on top; ≥ 0.
    pub amount: Requirement<f64>,
    /// What prices of little confidence cost on top.
    pub confidence: Option<Confidence>,
}

/// Which quantities a contingency counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counted {
    /// Every one.
    #[default]
    Gross,
    /// Those of short options.
    ShortOptions,
    /// Of each underlying's options of one expiry, strike and right, what is net short.
    NetShortOptions,
    /// Of each underlying's options of one expiry and strike, what is net short of calls and puts together: a long call relieves
    /// a short put. (Naked shorts of Derive's PMRM.)
    NetShortStrikes,
}

/// An add-on where prices are little sure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// Confidence from which nothing is added, in [0, 1].
    pub threshold: f64,
    /// Added to the rate, times 1 − confidence; ≥ 0.
    pub rate: Requirement<f64>,
}

/// What nets before its short side counts.
type Bucket = (UnderlyingIndex, Option<Timestamp>, Option<f64>, Option<Right>);

impl Contingency {
    pub(super) fn read(section: &Section) -> Option<Self> {
        let confidence =
            |part: &Section| Some(Confidence { threshold: part.number("threshold")?, rate: numbers(part, "rate")? });
        let confidence = match section.has("confidence") {
            true => Some(confidence(section.table("confidence")?)?),
            false => None,
        };
        Some(Self {
            of: section.choice("of", &COUNTED).unwrap_or_default(),
            rate: numbers_or_zero(section, "rate")?,
            amount: numbers_or_zero(section, "amount")?,
            confidence,
        })
    }

    /// Rate with the add-on. The smaller confidence of a contract and of its underlying counts.
    fn rate(&self, margin: MarginSide, instrument: Option<&Instrument>, index_confidence: f64) -> f64 {
        let rate = *self.rate.of(margin);
        let confidence = instrument.map_or(1.0, |instrument| instrument.confidence).min(index_confidence);
        match self.confidence.filter(|add_on| confidence < add_on.threshold) {
            Some(add_on) => rate + add_on.rate.of(margin) * (1.0 - confidence),
            None => rate,
        }
    }

    /// What is charged in full, and sums whose short side is.
    fn terms(&self, exposures: &[Exposure<'_>]) -> (Terms, Vec<(String, Terms)>) {
        let magnitudes = |counts: fn(&Exposure<'_>) -> bool| {
            exposures.iter().filter(|exposure| counts(exposure)).flat_map(Exposure::magnitude).collect::<Terms>()
        };
        let per_right = match self.of {
            Counted::Gross => return (magnitudes(|_| true), Vec::new()),
            Counted::ShortOptions => {
                return (magnitudes(|exposure| exposure.is_balance() || exposure.is_short_option()), Vec::new());
            }
            Counted::NetShortOptions => true,
            Counted::NetShortStrikes => false,
        };
        let bucket = |exposure: &Exposure<'_>| -> Option<Bucket> {
            let option = exposure.instrument?;
            Some((option.underlying, option.expiry, option.strike, option.right.filter(|_| per_right)))
        };
        let options = grouped(exposures.iter().filter(|exposure| exposure.is_option()), bucket).into_iter();
        let shorts = options.map(|(_, group)| {
            let name = group[0].instrument.map_or_else(String::new, |instrument| instrument.name.clone());
            (name, terms_of(group).into_iter().map(|(row, quantity)| (row, -quantity)).collect())
        });
        (magnitudes(|exposure| exposure.is_balance()), shorts.collect())
    }
}

impl Rule for Contingency {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        let snapshot = sheet.snapshot;
        let confidence = |underlying: UnderlyingIndex| snapshot.underlyings[underlying as usize].confidence;
        let contract = |sheet: &RowSheet<'_>, margin, instrument: &Instrument, column| {
            if sheet.market.is_expired(instrument, column) {
                return 0.0;
            }
            let rate = self.rate(margin, Some(instrument), confidence(instrument.underlying));
            self.amount.of(margin) + rate * sheet.notional(instrument, column)
        };
        let asset =
            |margin, asset| self.rate(margin, None, snapshot.underlying_of_asset(asset).map_or(1.0, confidence));
        sheet.charge_rows(cover, contract, asset)
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        Requirement::each(|margin| {
            let (full, shorts) = self.terms(&part.exposures(margin as usize));
            let shorts = shorts.iter().map(|(_, terms)| sum(terms, market).positive_part());
            shorts.fold(sum(&full, market), |total: N, short| total.plus(&short))
        })
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        Some(Requirement::each(|margin| {
            let (full, shorts) = self.terms(&part.exposures(margin as usize));
            let shorts = shorts.into_iter().map(|(_, terms)| Node::leaf(terms).positive_part());
            Node::Sum(std::iter::once(Node::leaf(full)).chain(shorts).collect())
        }))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let market = (part.setting().rows, column);
        let exposures = part.exposures(MarginSide::Maintenance as usize);
        let (full, shorts) = self.terms(&exposures);
        let largest = shorts.iter().map(|(name, terms)| (name, sum::<f64>(terms, &market)));
        let largest = largest.filter(|(_, short)| *short > 0.0).max_by(|a, b| a.1.total_cmp(&b.1));
        let text = match largest {
            Some((name, short)) => format!("net short at the strike of {name}: {short:.2}"),
            None if shorts.is_empty() => format!("{} holdings", full.len()),
            None => "nothing is net short".into(),
        };
        Some(text)
    }
}
