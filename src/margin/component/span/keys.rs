//! A span in a rulebook file.

use super::{
    CalendarSpread, ChargeUnit, Delivery, InterLeg, InterSpread, LegSide, RangeUnit, ShortOptionCount,
    ShortOptionMinimum, Span,
};
use crate::margin::component::grid::{VOLATILITY_KEYS, VolatilityRange, read_volatility};
use crate::margin::file::{Key, KeyKind, Reader, Section, Shape, words};

const RANGE_UNITS: [(&str, RangeUnit); 2] = [("relative", RangeUnit::Relative), ("quote", RangeUnit::Quote)];
const CHARGE_UNITS: [(&str, ChargeUnit); 2] = [("quote", ChargeUnit::Quote), ("index", ChargeUnit::Index)];
const COUNTS: [(&str, ShortOptionCount); 2] =
    [("sum", ShortOptionCount::Sum), ("larger_right", ShortOptionCount::LargerRight)];
const SIDES: [(&str, LegSide); 2] = [("a", LegSide::A), ("b", LegSide::B)];
/// Probabilities of the prices, as commonly published.
const DELTA_WEIGHTS: [f64; 4] = [0.27, 0.217, 0.11, 0.037];
const TIER_MAX: i64 = 100;

const SPREAD_KEYS: &[Key] = &[
    Key::required(
        "tiers",
        KeyKind::Numbers { min: 1.0, max: TIER_MAX as f64 },
        "the two tiers, counted from 1; the same twice: expiries within it",
    ),
    Key::required("rate", KeyKind::NOT_NEGATIVE, "charge per unit of delta spread, in charge_unit"),
];
const DELIVERY_KEYS: &[Key] = &[
    Key::required("days", KeyKind::NOT_NEGATIVE, "days to expiry up to which the charge is due"),
    Key::required("rate", KeyKind::NOT_NEGATIVE, "charge per unit of an expiry's net delta, in charge_unit"),
];
const SHORT_OPTION_KEYS: &[Key] = &[
    Key::required("rate", KeyKind::NOT_NEGATIVE, "least risk per unit of the underlying sold, in charge_unit"),
    Key::optional("count", KeyKind::Word(&words(&COUNTS)), "sum", "all short options, or the larger of calls and puts"),
];
const LEG_KEYS: &[Key] = &[
    Key::required("underlying", KeyKind::Text, "name of the underlying"),
    Key::optional("ratio", KeyKind::POSITIVE, "1", "units of delta per spread"),
    Key::required("side", KeyKind::Word(&words(&SIDES)), "legs of side a are long where those of b are short"),
];
const INTER_KEYS: &[Key] = &[
    Key::required("legs", KeyKind::Tables(Shape::Keys(LEG_KEYS)), "legs of the spread, some on either side"),
    Key::required("rate", KeyKind::SHARE, "share of each leg's price risk that is credited"),
    Key::optional(
        "priority",
        KeyKind::Integer { min: 0, max: 1_000_000 },
        "as listed",
        "spreads are formed in this order",
    ),
];

/// Keys of `[component.NAME]` of kind `span`.
pub(in crate::margin::component) const KEYS: &[Key] = &[
    Key::required("range", KeyKind::ByName { min: 0.0, max: 1e30 }, "price scan range by underlying"),
    Key::optional(
        "range_unit",
        KeyKind::Word(&words(&RANGE_UNITS)),
        "relative",
        "a share of the price, or quote units per unit of the underlying",
    ),
    Key::optional("volatility", KeyKind::Table(Shape::Keys(VOLATILITY_KEYS)), "no move", "volatility scan range"),
    Key::optional("extreme_multiple", KeyKind::POSITIVE, "3", "the extreme points lie at this multiple of the range"),
    Key::optional("extreme_cover", KeyKind::SHARE, "0.33", "share of the loss there that counts"),
    Key::optional(
        "look_ahead_days",
        KeyKind::Number { min: 0.0, max: 3650.0 },
        "1",
        "days that pass until the loss is taken",
    ),
    Key::optional(
        "delta_weights",
        KeyKind::Numbers { min: 0.0, max: 1.0 },
        "0.27, 0.217, 0.11, 0.037",
        "weights of deltas at prices 0, ±1/3, ±2/3 and ±1 of the range, each of a pair",
    ),
    Key::optional(
        "charge_unit",
        KeyKind::Word(&words(&CHARGE_UNITS)),
        "quote",
        "what rates per unit of the underlying are in: quote units, or shares of the index",
    ),
    Key::optional(
        "tiers",
        KeyKind::Numbers { min: 0.0, max: 36_500.0 },
        "one tier",
        "days to expiry at which the second tier begins, the third, and so on",
    ),
    Key::optional(
        "spreads",
        KeyKind::Tables(Shape::Keys(SPREAD_KEYS)),
        "none",
        "charges on spreads between expiries, in the order in which they are formed",
    ),
    Key::optional("delivery", KeyKind::Table(Shape::Keys(DELIVERY_KEYS)), "none", "charge near delivery"),
    Key::optional(
        "short_options",
        KeyKind::Table(Shape::Keys(SHORT_OPTION_KEYS)),
        "none",
        "least risk of short options",
    ),
    Key::optional(
        "inter",
        KeyKind::Tables(Shape::Keys(INTER_KEYS)),
        "none",
        "credits for spreads between underlyings; per is pool then",
    ),
];

/// A span from its section; `None` where a fault was recorded.
pub(in crate::margin::component) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Span> {
    let volatility = match section.table("volatility") {
        Some(table) => read_volatility(table, reader)?,
        None => VolatilityRange::default(),
    };
    let tiers = section.numbers("tiers").unwrap_or_default().to_vec();
    if tiers.windows(2).any(|pair| pair[0] >= pair[1]) {
        reader.fault(&section.at("tiers"), format!("{tiers:?}"), "days ascend", "sort them");
        return None;
    }
    let delta_weights = delta_weights(section, reader);
    let spreads: Option<Vec<_>> =
        section.tables("spreads").unwrap_or_default().iter().map(|table| spread(table, tiers.len(), reader)).collect();
    let inter = inter(section, reader);
    if section.has("inter") && matches!(section.word("per"), None | Some("underlying" | "expiry")) {
        let rule = "spreads between underlyings form within a group of several";
        reader.fault(&section.at("per"), section.word("per").unwrap_or("underlying"), rule, "set per = \"pool\"");
        return None;
    }
    let number = |key: &str, without: f64| section.number(key).unwrap_or(without);
    Some(Span {
        range: section.by_name("range")?.clone(),
        range_unit: section.choice("range_unit", &RANGE_UNITS).unwrap_or_default(),
        volatility,
        extreme_multiple: number("extreme_multiple", 3.0),
        extreme_cover: number("extreme_cover", 0.33),
        look_ahead_days: number("look_ahead_days", 1.0),
        delta_weights: delta_weights?,
        charge_unit: section.choice("charge_unit", &CHARGE_UNITS).unwrap_or_default(),
        tiers,
        spreads: spreads?,
        delivery: section
            .table("delivery")
            .and_then(|table| Some(Delivery { days: table.number("days")?, rate: table.number("rate")? })),
        short_options: section.table("short_options").and_then(|table| {
            let count = table.choice("count", &COUNTS).unwrap_or_default();
            Some(ShortOptionMinimum { rate: table.number("rate")?, count })
        }),
        inter: inter?,
    })
}

fn delta_weights(section: &Section, reader: &mut Reader<'_>) -> Option<[f64; 4]> {
    let Some(written) = section.numbers("delta_weights") else { return Some(DELTA_WEIGHTS) };
    match <[f64; 4]>::try_from(written) {
        Ok(weights) if weights.iter().sum::<f64>() > 0.0 => Some(weights),
        _ => {
            let rule = "four weights, not all 0";
            reader.fault(&section.at("delta_weights"), format!("{written:?}"), rule, "one each for 0, ±1/3, ±2/3, ±1");
            None
        }
    }
}

fn spread(table: &Section, bounds: usize, reader: &mut Reader<'_>) -> Option<CalendarSpread> {
    let written = table.numbers("tiers")?;
    let is_tier = |tier: &f64| tier.fract() == 0.0 && (1.0..=(bounds + 1) as f64).contains(tier);
    match written {
        [a, b] if is_tier(a) && is_tier(b) => {
            Some(CalendarSpread { tiers: [*a as usize - 1, *b as usize - 1], rate: table.number("rate")? })
        }
        _ => {
            let rule = format!("two tiers, each from 1 to {}", bounds + 1);
            reader.fault(&table.at("tiers"), format!("{written:?}"), rule, "correct it");
            None
        }
    }
}

fn inter(section: &Section, reader: &mut Reader<'_>) -> Option<Vec<InterSpread>> {
    let mut spreads = Vec::new();
    for (place, table) in section.tables("inter").unwrap_or_default().iter().enumerate() {
        let leg = |leg: &Section| {
            Some(InterLeg {
                underlying: leg.text("underlying")?.into(),
                ratio: leg.number("ratio").unwrap_or(1.0),
                side: leg.choice("side", &SIDES)?,
            })
        };
        let legs: Option<Vec<_>> = table.tables("legs")?.iter().map(leg).collect();
        let legs = legs?;
        let is_twice = (1..legs.len()).any(|at| legs[..at].iter().any(|leg| leg.underlying == legs[at].underlying));
        if is_twice || ![LegSide::A, LegSide::B].iter().all(|side| legs.iter().any(|leg| leg.side == *side)) {
            let names: Vec<_> = legs.iter().map(|leg| leg.underlying.as_str()).collect();
            let rule = "legs on both sides, no underlying twice";
            reader.fault(&table.at("legs"), names.join(", "), rule, "correct the legs");
            return None;
        }
        let priority = table.integer("priority").unwrap_or(place as i64);
        spreads.push((priority, InterSpread { legs, rate: table.number("rate")? }));
    }
    spreads.sort_by_key(|(priority, _)| *priority);
    Some(spreads.into_iter().map(|(_, spread)| spread).collect())
}
