//! Keys of `[liquidation]`, which are also those of a policy file.

use super::keys::{Key, KeyKind, Shape, words};
use crate::policy::{Allocation, CutRule, DeleverageBasis, FundScope, ImpactLaw, Step};

/// Rounds of a cascade, of a clip, of a rest.
const ROUNDS_MAX: i64 = 1_000_000;

/// The word for money without end.
pub(super) const UNLIMITED: &str = "unlimited";

const PURSE: KeyKind = KeyKind::Either(&[KeyKind::AMOUNT, KeyKind::Word(&[UNLIMITED])]);

/// Every key.
pub const KEYS: &[Key] = &[
    Key::optional(
        "steps",
        KeyKind::Words(&words(&Step::WORDS)),
        "all, in the order of this list",
        "what is tried on a pool that must be liquidated, in this order; each at most once",
    ),
    Key::optional(
        "target_health",
        KeyKind::Number { min: 1.0, max: 100.0 },
        "1.1",
        "adjusted equity over maintenance margin at which a liquidation ends",
    ),
    Key::optional(
        "rounds_max",
        KeyKind::Integer { min: 1, max: ROUNDS_MAX },
        "64",
        "rounds after which a cascade is cut off and said to be unfinished",
    ),
    Key::optional("cut", KeyKind::Table(Shape::Keys(CUT)), "its defaults", "which positions are cut, and how much"),
    Key::optional("costs", KeyKind::Table(Shape::Keys(COSTS)), "its defaults", "what a forced trade costs the pool"),
    Key::optional("impact", KeyKind::Table(Shape::Keys(IMPACT)), "its defaults", "how forced trades move prices"),
    Key::optional(
        "take_over",
        KeyKind::Table(Shape::Keys(TAKE_OVER)),
        "its defaults",
        "when a backstop takes a pool over, and with what capital",
    ),
    Key::optional(
        "fund",
        KeyKind::Table(Shape::Keys(FUND)),
        "its defaults",
        "insurance against pools that end below zero",
    ),
    Key::optional(
        "deleverage",
        KeyKind::Table(Shape::Keys(DELEVERAGE)),
        "its defaults",
        "who pays what insurance does not",
    ),
];

const CUT: &[Key] = &[
    Key::optional("rule", KeyKind::Word(&words(&CutRule::WORDS)), "min_cost", "which positions are cut"),
    Key::optional(
        "dust_quote",
        KeyKind::AMOUNT,
        "50",
        "what would be left of a position under this notional is cut with it, and no cut or sale of collateral is smaller, quote units",
    ),
    Key::optional(
        "clip",
        KeyKind::Table(Shape::Keys(CLIP)),
        "all that the rule asks for",
        "how much is cut at once, at most",
    ),
];

const CLIP: &[Key] = &[
    Key::required(
        "share",
        KeyKind::Number { min: f64::MIN_POSITIVE, max: 1.0 },
        "largest share of a position cut in one round",
    ),
    Key::optional(
        "above_quote",
        KeyKind::AMOUNT,
        "0",
        "pools of a gross notional up to this are cut without a clip, quote units",
    ),
    Key::optional(
        "rounds",
        KeyKind::Integer { min: 1, max: ROUNDS_MAX },
        "1",
        "clipped rounds after which everything asked for is cut",
    ),
    Key::optional(
        "cooldown_rounds",
        KeyKind::Integer { min: 0, max: ROUNDS_MAX },
        "0",
        "rounds that a pool rests after a clipped cut",
    ),
];

const COSTS: &[Key] = &[
    Key::optional("half_spread", KeyKind::SHARE, "0.0002", "half the quoted spread, a fraction of notional"),
    Key::optional(
        "option_half_spread",
        KeyKind::SHARE,
        "0.002",
        "half the quoted spread of options, a fraction of contract size · index",
    ),
    Key::optional("trading_fee", KeyKind::SHARE, "0.0005", "fee kept by the exchange, a fraction of notional"),
    Key::optional(
        "liquidation_fee",
        KeyKind::SHARE,
        "0.0015",
        "fee paid into the insurance fund as far as the pool's equity reaches, a fraction of notional",
    ),
];

const IMPACT: &[Key] = &[
    Key::optional(
        "law",
        KeyKind::Word(&words(&ImpactLaw::WORDS)),
        "linear",
        "how a price moves with the net flow of forced trades",
    ),
    Key::optional(
        "factor",
        KeyKind::Number { min: 0.0, max: 1e3 },
        "1",
        "Y of square_root, dimensionless; only with that law",
    ),
    Key::optional(
        "limit",
        KeyKind::Number { min: f64::MIN_POSITIVE, max: 0.99 },
        "0.5",
        "largest relative move of saturating; only with that law",
    ),
    Key::optional(
        "depth_scale",
        KeyKind::Number { min: f64::MIN_POSITIVE, max: 1e6 },
        "1",
        "factor on every depth and daily volume: 0.5 = half as deep",
    ),
    Key::optional(
        "default_depth_quote",
        KeyKind::POSITIVE_AMOUNT,
        "underlyings without a depth are refused, assets sold without impact",
        "depth of underlyings and assets that have none, quote units within 1 %",
    ),
    Key::optional(
        "depth_quote",
        KeyKind::Values(&KeyKind::POSITIVE_AMOUNT),
        "that of the underlying",
        "depth of single instruments or assets by name, quote units within 1 %",
    ),
    Key::optional(
        "recovery_per_step",
        KeyKind::SHARE,
        "0",
        "share of a path's earlier impact that is gone one step later",
    ),
];

const TAKE_OVER: &[Key] = &[
    Key::optional(
        "below_health",
        KeyKind::SHARE,
        "0: only where cutting cannot restore the target",
        "pools below this health ratio are taken over at once",
    ),
    Key::optional("capital_quote", PURSE, "0", "the backstop's own capital, quote units, or unlimited"),
];

const FUND: &[Key] = &[
    Key::optional("scope", KeyKind::Word(&words(&FundScope::WORDS)), "global", "whom a fund pays for"),
    Key::optional(
        "balance_quote",
        PURSE,
        "0",
        "opening balance of the fund, or of the fund of each underlying, quote units, or unlimited",
    ),
    Key::optional(
        "balances_quote",
        KeyKind::Values(&PURSE),
        "balance_quote",
        "opening balances of the funds of single underlyings, by name; only with scope underlying",
    ),
];

const DELEVERAGE: &[Key] = &[
    Key::optional(
        "basis",
        KeyKind::Word(&words(&DeleverageBasis::WORDS)),
        "positions",
        "what is taken from those who pay",
    ),
    Key::optional("severity", KeyKind::SHARE, "1", "share of the debt that is taken this way; the rest is socialised"),
    Key::optional("allocation", KeyKind::Word(&words(&Allocation::WORDS)), "leverage", "who pays how much of it"),
];
