//! Keys of `[oracle]`.

use super::keys::{Key, KeyKind, Shape, words};
use crate::oracle::{Aggregation, NonPositive, Ties, Validity};

/// The word for a limit that is not there.
pub(super) const UNLIMITED: &str = "unlimited";

const LIMIT: KeyKind = KeyKind::Either(&[KeyKind::NOT_NEGATIVE, KeyKind::Word(&[UNLIMITED])]);
const CLASS: KeyKind = KeyKind::Word(&words(&Validity::WORDS));

/// Every key: those of one subject, and the policies of subjects that differ.
pub const KEYS: &[Key] = &with_subjects();

const SUBJECTS: Key = Key::optional(
    "subject",
    KeyKind::Named(Shape::Keys(&OF_SUBJECT)),
    "all subjects have the same policy",
    "policies of assets or underlyings by name; a key left out is that of [oracle]",
);

const fn with_subjects() -> [Key; OF_SUBJECT.len() + 1] {
    let mut keys = [SUBJECTS; OF_SUBJECT.len() + 1];
    let mut index = 0;
    while index < OF_SUBJECT.len() {
        keys[index] = OF_SUBJECT[index];
        index += 1;
    }
    keys
}

/// Keys of one policy.
pub(super) const OF_SUBJECT: [Key; 22] = [
    Key::optional(
        "aggregation",
        KeyKind::Word(&words(&Aggregation::WORDS)),
        "weighted_median",
        "how quotes become one price",
    ),
    Key::optional(
        "ties",
        KeyKind::Word(&words(&Ties::WORDS)),
        "lower",
        "what a median is where the weight splits exactly; three_vote always takes the mean",
    ),
    Key::optional(
        "price_tick",
        KeyKind::NOT_NEGATIVE,
        "0: none",
        "prices and confidences are whole multiples of this, averages are rounded down to it",
    ),
    Key::optional(
        "non_positive",
        KeyKind::Word(&words(&NonPositive::WORDS)),
        "drop",
        "what becomes of quotes that are zero or negative",
    ),
    Key::optional("max_age_seconds", LIMIT, "120", "oldest quote that counts, seconds, or unlimited"),
    Key::optional(
        "heartbeat_seconds",
        KeyKind::POSITIVE,
        "such sources have none",
        "heartbeat of sources that state none, seconds",
    ),
    Key::optional(
        "deviation_mads",
        LIMIT,
        "5",
        "a quote farther from the median than the largest of the three limits is dropped: this one in median absolute deviations, or unlimited",
    ),
    Key::optional("deviation_confidences", KeyKind::NOT_NEGATIVE, "3", "the second limit, in confidences of the quote"),
    Key::optional("deviation_floor", KeyKind::SHARE, "0.001", "the third limit, a fraction of the median"),
    Key::optional(
        "minimum_sources",
        KeyKind::Integer { min: 1, max: u32::MAX as i64 },
        "1",
        "fewest quotes that make a price",
    ),
    Key::optional(
        "quorum",
        KeyKind::SHARE,
        "2/3",
        "share of the weight of all quotes of the subject that those used have at least",
    ),
    Key::optional("max_confidence", LIMIT, "0.02", "largest confidence over price of a usable price, or unlimited"),
    Key::optional(
        "confidence_multiple",
        KeyKind::NOT_NEGATIVE,
        "2.12",
        "confidences that conservative prices allow for",
    ),
    Key::optional("confidence_cap", KeyKind::SHARE, "0.05", "largest such allowance, a fraction of the price"),
    Key::optional(
        "volatility_ratio",
        KeyKind::Number { min: 1.0, max: 1e6 },
        "5",
        "largest ratio, either way, between the price and its stable price",
    ),
    Key::optional(
        "margin_age_seconds",
        KeyKind::NOT_NEGATIVE,
        "60",
        "oldest price that margin is computed from, seconds",
    ),
    Key::optional(
        "market_making_age_seconds",
        KeyKind::NOT_NEGATIVE,
        "5",
        "oldest price that is quoted against, seconds",
    ),
    Key::optional(
        "mark_divergence",
        KeyKind::NOT_NEGATIVE,
        "0.1",
        "largest distance of mark and price that lets liquidations go on, a fraction of the price",
    ),
    Key::optional(
        "tolerates",
        KeyKind::Table(Shape::Keys(TOLERANCE)),
        "its defaults",
        "the worst class of price that each action tolerates",
    ),
    Key::optional("stable", KeyKind::Table(Shape::Keys(STABLE)), "its defaults", "how the stable price follows"),
    Key::optional(
        "impact_factor",
        KeyKind::Number { min: 1e-3, max: 1e3 },
        "1",
        "Y of the square-root law by which capturing a venue is priced, dimensionless",
    ),
    Key::optional(
        "daily_volatility",
        KeyKind::Number { min: 1e-6, max: 100.0 },
        "that of the snapshot's volatility index",
        "daily volatility in that law (0.04 = 4 %)",
    ),
];

const TOLERANCE: &[Key] = &[
    Key::optional("margin", CLASS, "too_few_points", "the worst class that margin is computed from"),
    Key::optional("liquidate", CLASS, "too_uncertain", "the worst class that is liquidated by"),
    Key::optional("open", CLASS, "stale_for_market_making", "the worst class at which risk is taken on"),
    Key::optional("withdraw", CLASS, "stale_for_market_making", "the worst class at which collateral is withdrawn"),
    Key::optional("settle", CLASS, "too_uncertain", "the worst class that profit and loss is settled by"),
];

const STABLE: &[Key] = &[
    Key::optional(
        "growth_per_second",
        KeyKind::SHARE,
        "0.0003",
        "largest relative change per second while stable and delayed price agree",
    ),
    Key::optional(
        "delay_growth_per_hour",
        KeyKind::SHARE,
        "0.06",
        "largest relative change of the delayed price from one hour to the next",
    ),
];
