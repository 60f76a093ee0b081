//! A concentration charge in a rulebook file.

use super::{Concentration, Form, Measure, ShareOf};
use crate::margin::bracket::{self, Schedule};
use crate::margin::component::by_side::{BY_SIDE, FROM, LIST_BY_SIDE, numbers, tiers};
use crate::margin::file::{self, Key, KeyKind, Reader, Section, Shape, words};
use crate::margin::pool::Requirement;

const SHARES_OF: [(&str, ShareOf); 4] = [
    ("quote", ShareOf::Quote),
    ("depth", ShareOf::Depth),
    ("adv", ShareOf::Adv),
    ("open_interest", ShareOf::OpenInterest),
];
const MEASURES: [(&str, Measure); 2] = [("net_delta", Measure::NetDelta), ("gross_notional", Measure::GrossNotional)];

const MEASURE: Key = Key::optional(
    "measure",
    KeyKind::Word(&words(&MEASURES)),
    "net_delta",
    "what the size is, quote units: the net delta, or quantities · units · index without their signs",
);
const CHARGES: &[file::Kind] = &[
    file::Kind {
        name: "marginal",
        help: "each slice of the size pays the rate of its tier",
        keys: &[MEASURE, FROM, Key::required("rate", LIST_BY_SIDE, "rate of each tier, 0.01 = 1 %")],
    },
    file::Kind {
        name: "linear",
        help: "what exceeds a threshold pays a rate",
        keys: &[
            MEASURE,
            Key::required("threshold", KeyKind::POSITIVE, "size that pays nothing, in share_of"),
            Key::required("rate", BY_SIDE, "share of what exceeds it, 0.01 = 1 %"),
        ],
    },
    file::Kind {
        name: "square_root",
        help: "contracts without optionality pay a rate that grows with the root of their net units",
        keys: &[
            Key::required("threshold", KeyKind::POSITIVE, "size at which the rate is factor, in share_of"),
            Key::required("factor", BY_SIDE, "rate at the threshold, 0.01 = 1 %"),
        ],
    },
];

/// Keys of `[component.NAME]` of kind `concentration`.
pub(in crate::margin::component) const KEYS: &[Key] = &[
    Key::optional(
        "share_of",
        KeyKind::Word(&words(&SHARES_OF)),
        "quote",
        "what from and threshold are in: quote units, or shares of the underlying's depth, adv or open_interest",
    ),
    Key::required(
        "charge",
        KeyKind::Table(Shape::Kinds { by: "form", of: CHARGES }),
        "how the charge rises with the size",
    ),
];

impl Form {
    fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Self> {
        let tiered = |rates| {
            let measure = section.choice("measure", &MEASURES).unwrap_or_default();
            Some(Self::Tiers { measure, rates })
        };
        match section.kind() {
            "marginal" => tiered(tiers(section, (bracket::Form::Marginal, "rate"), reader)?),
            "linear" => {
                let (threshold, rates) = (section.number("threshold")?, numbers(section, "rate")?);
                let beyond = |rate: f64| {
                    let (bounds, rates) = (vec![threshold], vec![0.0, rate]);
                    Schedule { form: bracket::Form::Marginal, bounds, rates }
                };
                tiered(Requirement { initial: beyond(rates.initial), maintenance: beyond(rates.maintenance) })
            }
            _ => {
                Some(Self::SquareRoot { threshold: section.number("threshold")?, factor: numbers(section, "factor")? })
            }
        }
    }
}

impl Concentration {
    pub(in crate::margin::component) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Self> {
        let form = Form::read(section.table("charge")?, reader)?;
        Some(Self { share_of: section.choice("share_of", &SHARES_OF).unwrap_or_default(), form })
    }
}
