//! Keys of a calibration job.

use crate::calibration::constraint::{CoverageOf, Each};
use crate::calibration::{HistoryRequest, How, LossMeasure, Per, Resources, Strict};
use crate::margin::MarginSide;
use crate::margin::file::{Key, KeyKind, Kind, Shape, words};
use crate::pricing::Unshocked;

/// Words of the requirements.
pub(super) const MARGINS: [(&str, MarginSide); 2] =
    [("maintenance", MarginSide::Maintenance), ("initial", MarginSide::Initial)];
/// Words of the answers to a missing factor.
pub(super) const UNSHOCKED: [(&str, Unshocked); 2] = [("refuse", Unshocked::Refuse), ("hold", Unshocked::Hold)];
/// Words of what is minimised.
pub(super) const MINIMISE: [(&str, Minimise); 2] = [("margin", Minimise::Margin), ("cost", Minimise::Cost)];
/// The word for the insurance fund of the rulebook.
pub(super) const FUND: &str = "fund";

/// What is minimised, without its costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Minimise {
    Margin,
    Cost,
}

/// Evaluations, replicates, scenarios of a block.
const COUNT_MAX: i64 = 10_000_000;
const COUNT: KeyKind = KeyKind::Integer { min: 0, max: COUNT_MAX };
const POSITIVE_COUNT: KeyKind = KeyKind::Integer { min: 1, max: COUNT_MAX };
/// Nothing and everything are no levels.
const LEVEL: KeyKind = KeyKind::Number { min: 1e-9, max: 1.0 - 1e-9 };
const LIMIT: KeyKind = KeyKind::Either(&[KeyKind::AMOUNT, KeyKind::Word(&[FUND])]);

const RISE: KeyKind = KeyKind::Number { min: 1e-9, max: 1e6 };

const OBJECTIVE: &[Key] = &[
    Key::optional(
        "minimise",
        KeyKind::Word(&words(&MINIMISE)),
        "margin",
        "the sum of the calibrated requirement over pools, or a cost of it, of mean shortfall and of the insurance fund",
    ),
    Key::optional("margin_cost", KeyKind::NOT_NEGATIVE, "0", "cost of a quote unit of margin"),
    Key::optional("shortfall_cost", KeyKind::NOT_NEGATIVE, "0", "cost of a quote unit of mean shortfall"),
    Key::optional("fund_cost", KeyKind::NOT_NEGATIVE, "0", "cost of a quote unit of insurance fund"),
];

const PARAMETER: &[Key] = &[
    Key::required("name", KeyKind::Text, "name of the parameter, unique"),
    Key::required(
        "at",
        KeyKind::Texts,
        "paths into the rulebook file, keys parted by dots, * for every name of a table, [k] for an element of a list",
    ),
    Key::optional(
        "per",
        KeyKind::Word(&words(&Per::WORDS)),
        "one",
        "one parameter for all that stars stand for, or one for each name",
    ),
    Key::optional(
        "how",
        KeyKind::Word(&words(&How::WORDS)),
        "set",
        "what it does to numbers: takes their place, multiplies them, is added to them, or raises those below it; all but set take the \
         numbers of a list, too",
    ),
    Key::required("low", KeyKind::NUMBER, "lower end of the range; of a factor, 1 = as it was"),
    Key::required("high", KeyKind::NUMBER, "upper end of the range, above low"),
    Key::optional("tolerance", KeyKind::POSITIVE, "(high − low)/1024", "distance below which two values count as one"),
    Key::optional(
        "strict",
        KeyKind::Word(&words(&Strict::WORDS)),
        "high",
        "at which end less is lost beyond what is required, never more",
    ),
];

const NAME: Key = Key::optional("name", KeyKind::Text, "made of the kind", "name of the constraint, unique");
const MEASURE: Key = Key::optional(
    "measure",
    KeyKind::Word(&words(&LossMeasure::WORDS)),
    "es",
    "what is read from the sums by scenario",
);
const MEASURE_LEVEL: Key = Key::optional("level", LEVEL, "0.99", "level of var and es");
const LIMIT_KEY: Key = Key::required(
    "limit",
    LIMIT,
    "the most of it, quote units; or fund: liquidation.fund.balance_quote of the rulebook",
);

/// What must hold, by kind.
const CONSTRAINT: Shape = Shape::Kinds {
    by: "kind",
    of: &[
        Kind {
            name: "coverage",
            help: "requirements cover at least a share of losses",
            keys: &[
                NAME,
                Key::optional(
                    "of",
                    KeyKind::Word(&words(&CoverageOf::WORDS)),
                    "accounts",
                    "losses of the book's pools, or of outright portfolios",
                ),
                Key::optional(
                    "each",
                    KeyKind::Word(&words(&Each::WORDS)),
                    "class",
                    "every margin class by itself (of outrights every portfolio), or all together",
                ),
                Key::optional("level", LEVEL, "0.99", "share of losses that is covered"),
                Key::optional(
                    "confidence",
                    KeyKind::Number { min: 0.5, max: 1.0 - 1e-9 },
                    "0.5",
                    "confidence that the level holds beyond the scenarios searched over; 0.5 = the plain share",
                ),
            ],
        },
        Kind {
            name: "kupiec",
            help: "no outright portfolio has so many exceedances that Kupiec's test rejects; too few never break it",
            keys: &[
                NAME,
                Key::optional("level", LEVEL, "0.99", "share of losses that should be covered"),
                Key::optional("significance", LEVEL, "0.01", "probability below which the test rejects"),
            ],
        },
        Kind {
            name: "christoffersen",
            help: "the exceedances of no outright portfolio come in clusters, in the order of the scenarios",
            keys: &[NAME, Key::optional("significance", LEVEL, "0.01", "probability below which the test rejects")],
        },
        Kind {
            name: "shortfall",
            help: "what all accounts lose beyond their resources stays within a limit",
            keys: &[NAME, MEASURE, MEASURE_LEVEL, LIMIT_KEY],
        },
        Kind {
            name: "cover",
            help: "the accounts that lose most beyond their resources lose no more than a limit, in every scenario",
            keys: &[
                NAME,
                Key::optional("accounts", KeyKind::Integer { min: 1, max: 1_000 }, "2", "how many accounts"),
                LIMIT_KEY,
            ],
        },
        Kind {
            name: "bankruptcy_given_liquidation",
            help: "of the pools below their maintenance margin in a scenario, at most a share is bankrupt; needs a sweep of each candidate",
            keys: &[NAME, Key::required("limit", LEVEL, "the largest share")],
        },
        Kind {
            name: "fund_draw",
            help: "what pools owe after their liquidation stays within a limit; needs liquidations of each candidate",
            keys: &[
                NAME,
                MEASURE,
                MEASURE_LEVEL,
                LIMIT_KEY,
                Key::optional(
                    "worst",
                    POSITIVE_COUNT,
                    "8",
                    "scenarios that are run, those with the largest sum of negative equity; in the others nothing is owed",
                ),
            ],
        },
        Kind {
            name: "procyclicality",
            help: "the overlay's multiplier stays within caps over the history; at least one cap",
            keys: &[
                NAME,
                Key::optional(
                    "peak_to_trough",
                    KeyKind::Number { min: 1.0, max: 1e6 },
                    "no cap",
                    "largest multiplier over the smallest one",
                ),
                Key::optional("rise_1d", RISE, "no cap", "largest relative rise within a day"),
                Key::optional("rise_5d", RISE, "no cap", "the same within five days"),
                Key::optional("rise_30d", RISE, "no cap", "the same within thirty days"),
            ],
        },
        Kind {
            name: "overlay_coverage",
            help: "the requirement that the overlay moves covers at least a share of the history's losses, long and short each",
            keys: &[NAME, Key::optional("level", LEVEL, "0.99", "share of losses that is covered")],
        },
        Kind {
            name: "floor",
            help: "every number that a parameter writes is at least something",
            keys: &[
                NAME,
                Key::required("parameter", KeyKind::Text, "name of a parameter of the job"),
                Key::optional("at_least", KeyKind::NUMBER, "at_least_sum_of is given", "the least number"),
                Key::optional(
                    "at_least_sum_of",
                    KeyKind::Texts,
                    "at_least is given",
                    "paths of the rulebook file whose numbers add up to the least one, such as fees",
                ),
            ],
        },
    ],
};

const HISTORY: &[Key] = &[
    Key::required("file", KeyKind::Text, "hourly bars (CSV), as `forecast evaluate` reads them, relative to the job"),
    Key::optional("asset", KeyKind::Text, "the first", "the asset: what its columns begin with"),
    Key::optional("with", KeyKind::Texts, "every other", "assets whose bars help to forecast"),
    Key::optional(
        "model",
        KeyKind::Word(&words(&HistoryRequest::MODELS)),
        "har_x",
        "the model whose outlooks the overlay follows, made anew month by month from what was known",
    ),
    Key::optional(
        "from",
        KeyKind::Text,
        "the first month with a year of thresholds before it",
        "first moment: a date, an RFC 3339 time or Unix time / 3600",
    ),
    Key::optional("underlying", KeyKind::Text, "that of the asset's name", "the underlying whose requirement is moved"),
];

const SEARCH: &[Key] = &[
    Key::optional("evaluations", POSITIVE_COUNT, "2000", "candidates that are evaluated at most"),
    Key::optional("refine", COUNT, "200", "those of them for refinement without derivatives"),
    Key::optional(
        "replicates",
        KeyKind::Integer { min: 1, max: 100_000 },
        "200",
        "replicates of the bootstrap of intervals",
    ),
    Key::optional("block", POSITIVE_COUNT, "cube root of the scenarios", "scenarios in a block of the bootstrap"),
];

/// Every key of a calibration job.
pub const ROOT: &[Key] = &[
    Key::required("snapshot", KeyKind::Text, "directory of tables, relative to the job"),
    Key::optional("rulebook", KeyKind::Text, "rulebook.toml in the snapshot", "margin rules, relative to the job"),
    Key::required("scenarios", KeyKind::Texts, "scenario sets, one after the other, relative to the job"),
    Key::optional("hold_out", KeyKind::Texts, "nothing", "scenario sets that no search sees, relative to the job"),
    Key::optional(
        "hold_out_share",
        KeyKind::Number { min: 0.0, max: 0.9 },
        "0",
        "share of the scenarios, the last ones, that no search sees",
    ),
    Key::optional("margin", KeyKind::Word(&words(&MARGINS)), "maintenance", "the requirement that is calibrated"),
    Key::optional(
        "resources",
        KeyKind::Word(&words(&Resources::WORDS)),
        "required",
        "what a pool has against its losses: what is required of it, or what it holds or is called for, haircuts included",
    ),
    Key::optional(
        "unshocked",
        KeyKind::Word(&words(&UNSHOCKED)),
        "refuse",
        "what to do with a held underlying that no factor moves",
    ),
    Key::optional(
        "outright_notional",
        KeyKind::POSITIVE_AMOUNT,
        "100000",
        "notional of each outright portfolio, quote units",
    ),
    Key::optional("confidence", LEVEL, "0.99", "confidence of the intervals of the answer"),
    Key::optional(
        "seed",
        KeyKind::Integer { min: 0, max: i64::MAX - 1 },
        "0",
        "seed of the search and of the bootstrap",
    ),
    Key::optional("objective", KeyKind::Table(Shape::Keys(OBJECTIVE)), "least margin", "what is minimised"),
    Key::required("parameter", KeyKind::Tables(Shape::Keys(PARAMETER)), "what is free; at least one"),
    Key::optional("constraint", KeyKind::Tables(CONSTRAINT), "none; a cost is minimised then", "what must hold"),
    Key::optional(
        "history",
        KeyKind::Table(Shape::Keys(HISTORY)),
        "the overlay is left out of account",
        "bars that the rulebook's overlay is replayed over",
    ),
    Key::optional("search", KeyKind::Table(Shape::Keys(SEARCH)), "its defaults", "how much a search may do"),
];
