//! Value at risk and expected shortfall of a group's loss over a set of joint moves, every contract valued again around the
//! market of the moment.
//!
//! With n moves, losses L₁ ≥ L₂ ≥ … ≥ Lₙ and t = (1 − confidence)·n (a whole number where it is one but for rounding):
//!
//! ```text
//! value at risk       L[⌊t⌋ + 1]: the smallest loss that at most ⌊t⌋ moves exceed
//! expected shortfall  (L₁ + … + L[⌊t⌋] + (t − ⌊t⌋)·L[⌊t⌋ + 1]) / t; L₁ where t ≤ 1
//! requirement         multiplier · max(0, either)
//! ```
//!
//! Both are the largest loss at a confidence of 1.

mod sheet;

use super::changes::Changes;
use super::{ComponentRows, Cover, Part, Ranges, Rule};
use crate::margin::file::{Key, KeyKind, Section, words};
use crate::margin::pool::{Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::{Node, Reduction};
use sheet::CHANGE;

const MEASURES: [(&str, TailMeasure); 2] =
    [("value_at_risk", TailMeasure::ValueAtRisk), ("expected_shortfall", TailMeasure::ExpectedShortfall)];

/// Keys of `[component.NAME]` of kind `tail`.
pub(super) const KEYS: &[Key] = &[
    Key::required("set", KeyKind::Text, "name of the set of joint moves, one of sets"),
    Key::required("measure", KeyKind::Word(&words(&MEASURES)), "what is taken of the losses"),
    Key::required(
        "confidence",
        KeyKind::Number { min: 0.5, max: 1.0 },
        "share of moves outside the tail (0.99 = 99 %)",
    ),
    Key::optional(
        "multiplier",
        KeyKind::POSITIVE,
        "1",
        "factor on the measure, such as the root of the days to close out",
    ),
];

/// A measure of a group's loss over a set of joint moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Tail {
    /// Name of the set in the rulebook.
    pub set: String,
    /// What is taken of the losses.
    pub measure: TailMeasure,
    /// Share of moves outside the tail, in [0.5, 1].
    pub confidence: f64,
    /// Factor on the measure, > 0.
    pub multiplier: f64,
}

/// What is taken of the losses over a set of moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailMeasure {
    /// The smallest loss that at most the tail's share of moves exceeds.
    ValueAtRisk,
    /// The mean loss of the tail, its last move in part.
    ExpectedShortfall,
}

/// What the tail holds of the losses, largest first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    /// Losses that lie in the tail whole.
    whole: u32,
    /// Share of the next one that does.
    fraction: f64,
    /// 1 / losses in the tail.
    per_loss: f64,
}

impl Tail {
    pub(super) fn read(section: &Section) -> Option<Self> {
        Some(Self {
            set: section.text("set")?.into(),
            measure: section.choice("measure", &MEASURES)?,
            confidence: section.number("confidence")?,
            multiplier: if section.has("multiplier") { section.number("multiplier")? } else { 1.0 },
        })
    }

    /// How many losses lie in the tail of n.
    fn mass(&self, moves: usize) -> f64 {
        let count = moves as f64;
        let mass = ((1.0 - self.confidence) * count).clamp(0.0, (count - 1.0).max(0.0));
        // (1 − 0.9)·10 is 1, not the 0.9999999999999998 that rounding makes of it.
        if (mass - mass.round()).abs() <= 1e-9 * count { mass.round() } else { mass }
    }

    /// Place of the value at risk among the losses, 1 = the largest.
    fn rank(&self, moves: usize) -> u32 {
        self.mass(moves) as u32 + 1
    }

    /// What lies in the tail; a tail of one loss or less is the largest.
    fn bounds(&self, moves: usize) -> Bounds {
        let mass = self.mass(moves).max(1.0);
        Bounds { whole: mass as u32, fraction: mass.fract(), per_loss: 1.0 / mass }
    }

    /// Direct formula of the losses, in the order of the moves.
    fn losses<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Vec<N> {
        let changes = changes(part);
        (0..self.moves(part) as u32).map(|k| N::of(0.0).minus(&changes.gain(k, market))).collect()
    }

    fn moves(&self, part: &Part<'_, '_>) -> usize {
        part.setting().rules.moves(&self.set).map_or(0, |set| set.len())
    }
}

/// What the holdings of a group gain at each move.
fn changes(part: &Part<'_, '_>) -> Changes {
    let (rows, mut changes) = (part.rows(), Changes::default());
    for position in part.positions() {
        let instrument = part.instrument(position);
        let settlement = rows.of_asset(CHANGE, instrument.settlement_asset);
        changes.add_position(position, instrument, (rows.of_instrument(CHANGE, position.instrument), settlement));
    }
    for balance in part.balances() {
        if let Some(row) = rows.of_asset(CHANGE, balance.asset) {
            changes.add(row, [balance.amount, 1.0]);
            changes.add(row, [balance.accrued_interest, 1.0]);
        }
    }
    changes
}

impl Rule for Tail {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        sheet::rows(self, cover, sheet)
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let losses = N::descending(self.losses(part, market));
        let count = losses.len();
        let Some(largest) = losses.first() else { return Requirement::both(N::of(0.0)) };
        let measure = match self.measure {
            TailMeasure::ValueAtRisk => losses.get(self.rank(count) as usize - 1).unwrap_or(largest).clone(),
            TailMeasure::ExpectedShortfall => {
                let Bounds { whole, fraction, per_loss } = self.bounds(count);
                let whole = whole as usize;
                let sum = losses[..whole].iter().fold(N::of(0.0), |sum, loss| sum.plus(loss));
                let next = losses.get(whole).filter(|_| fraction > 0.0);
                let sum = next.map_or(sum.clone(), |next| sum.plus(&N::of(fraction).times(next)));
                sum.times(&N::of(per_loss))
            }
        };
        Requirement::both(measure.positive_part().times(&N::of(self.multiplier)))
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        let count = self.moves(part);
        if count == 0 {
            return Some(Requirement::both(Node::constant(0.0)));
        }
        let (reduction, per_loss) = match self.measure {
            TailMeasure::ValueAtRisk => (Reduction::Rank(self.rank(count)), 1.0),
            TailMeasure::ExpectedShortfall => {
                let Bounds { whole, fraction, per_loss } = self.bounds(count);
                (Reduction::Tail { whole, fraction }, per_loss)
            }
        };
        let losses = Node::strided(changes(part).terms(0, -1.0));
        let measure = losses.reduced(reduction, count as u32);
        Some(Requirement::both(measure.scaled(per_loss).positive_part().scaled(self.multiplier)))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let set = part.setting().rules.moves(&self.set)?;
        let losses = self.losses::<f64>(part, &(part.setting().rows, column));
        let mut order: Vec<usize> = (0..losses.len()).collect();
        order.sort_by(|a, b| losses[*b].total_cmp(&losses[*a]));
        let rank = self.rank(losses.len().max(1)) as usize;
        let at = *order.get(rank - 1)?;
        let place = format!("move {} of {}, rank {rank} of {}", set.ids[at], self.set, losses.len());
        Some(match self.measure {
            TailMeasure::ValueAtRisk => place,
            TailMeasure::ExpectedShortfall => format!("the tail down to {place}"),
        })
    }
}

#[cfg(test)]
mod tests;
