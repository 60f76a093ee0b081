//! A grid in a rulebook file.

use super::{
    Cell, Discount, DiscountCurve, Extreme, Grid, GridPoint, PriceUnit, SettleAt, TimeWeight, Transform,
    VolatilityRange,
};
use crate::margin::file::{Key, KeyKind, Reader, Section, Shape, words};
use crate::pricing::{SkewForm, SkewMove, TermScale};

const PRICE_UNITS: [(&str, PriceUnit); 4] = [
    ("range", PriceUnit::Range),
    ("quote_range", PriceUnit::QuoteRange),
    ("relative", PriceUnit::Relative),
    ("deviations", PriceUnit::Deviations),
];
const CELLS: [(&str, Cell); 2] = [("pair", Cell::Pair), ("expiry", Cell::Expiry)];
const SETTLE_AT: [(&str, SettleAt); 2] = [("moved", SettleAt::Moved), ("current", SettleAt::Current)];
const SKEW_FORMS: [(&str, SkewForm); 2] = [("linear", SkewForm::Linear), ("absolute", SkewForm::Absolute)];
/// Words of `order`, as they stand without it.
const ORDER: [&str; 3] = ["weight", "dampen", "gain"];

const MOVE: KeyKind = KeyKind::Number { min: -1e3, max: 1e3 };
const MOVES: KeyKind = KeyKind::Numbers { min: -1e3, max: 1e3 };
const DAYS: KeyKind = KeyKind::Number { min: 0.0, max: 3650.0 };
const POWER: KeyKind = KeyKind::Number { min: 0.0, max: 10.0 };

const POINT_KEYS: &[Key] = &[
    Key::optional("price", MOVE, "0", "move of the price, in price_unit"),
    Key::optional("volatility", MOVE, "0", "move of volatilities: 1 = the upward range, -1 = the downward one"),
    Key::optional("weight", KeyKind::NOT_NEGATIVE, "1", "share of the loss that counts"),
    Key::optional("days", DAYS, "0", "days that pass"),
    Key::optional(
        "skew",
        KeyKind::Table(Shape::Keys(SKEW_KEYS)),
        "none",
        "tilt of volatilities over strikes; each cell then loses its gain or loss, whichever way",
    ),
];
const SKEW_KEYS: &[Key] = &[
    Key::required(
        "form",
        KeyKind::Word(&words(&SKEW_FORMS)),
        "of k = ln(strike/forward), or of |k|: volatilities times 1 + direction·min(cap, cap·k/k*)",
    ),
    Key::optional("direction", MOVE, "1", "sign and size of the tilt"),
    Key::required("cap_base", MOVE, "largest relative move at expiry; cap = cap_base + cap_slope·√T"),
    Key::optional("cap_slope", MOVE, "0", "its change with the root of the years left"),
    Key::required(
        "minimum_width",
        KeyKind::POSITIVE,
        "least k*; k* = max(minimum_width, √T·width·(level + level_slope·√T))",
    ),
    Key::required("width", KeyKind::NOT_NEGATIVE, "width of k* in deviations"),
    Key::required("level", MOVE, "volatility that k* is measured with"),
    Key::optional("level_slope", MOVE, "0", "its change with the root of the years left"),
];
const EXTREME_KEYS: &[Key] = &[
    Key::required("prices", MOVES, "relative moves of the price, -0.66 = -66 %"),
    Key::optional("volatility", MOVE, "1", "move of volatilities at each"),
    Key::optional("factor", KeyKind::NOT_NEGATIVE, "1", "share of the loss that counts, on top of range/|move|"),
];
/// Keys of a volatility range.
pub(in crate::margin::component) const VOLATILITY_KEYS: &[Key] = &[
    Key::optional("up", KeyKind::NOT_NEGATIVE, "0", "upward relative move (0.5 = half as much again)"),
    Key::optional("down", KeyKind::NOT_NEGATIVE, "0", "downward relative move"),
    Key::optional(
        "point_days",
        KeyKind::Numbers { min: 0.0, max: 36_500.0 },
        "none",
        "days to expiry of up_points and down_points, ascending",
    ),
    Key::optional(
        "up_points",
        KeyKind::Numbers { min: 0.0, max: 100.0 },
        "none",
        "upward move in points (0.3 = 30 points) at point_days, linear between; the larger of it and the relative move counts",
    ),
    Key::optional("down_points", KeyKind::Numbers { min: 0.0, max: 100.0 }, "none", "downward move in points, ≥ 0"),
    Key::optional("short_power", POWER, "0", "power of reference_days/days up to the reference"),
    Key::optional("long_power", POWER, "0", "the same beyond it"),
    Key::optional(
        "reference_days",
        KeyKind::POSITIVE,
        "30",
        "days to expiry at which relative moves count as they are",
    ),
    Key::optional("floor_days", KeyKind::POSITIVE, "1", "fewer days count as this many"),
    Key::optional("minimum_up", KeyKind::NOT_NEGATIVE, "0", "least volatility after an upward move"),
];
const CURVE_KEYS: &[Key] = &[
    Key::optional("base", KeyKind::NOT_NEGATIVE, "1", "share that counts at expiry"),
    Key::optional(
        "rate_multiple",
        KeyKind::NOT_NEGATIVE,
        "0",
        "multiple of the option's rate that it changes by per year",
    ),
    Key::optional("rate_add", MOVE, "0", "added to that, per year"),
];
const DISCOUNT_KEYS: &[Key] = &[
    Key::required("positive", KeyKind::Table(Shape::Keys(CURVE_KEYS)), "of an expiry worth more than 0 after the move"),
    Key::optional("negative", KeyKind::Table(Shape::Keys(CURVE_KEYS)), "in full", "of one worth less"),
];
const TIME_WEIGHT_KEYS: &[Key] = &[
    Key::optional("add", KeyKind::NOT_NEGATIVE, "0", "share that counts at expiry"),
    Key::optional("per_year", KeyKind::NOT_NEGATIVE, "0", "further share per year to expiry"),
];

/// Keys of `[component.NAME]` of kind `grid`.
pub(in crate::margin::component) const KEYS: &[Key] = &[
    Key::optional(
        "prices",
        MOVES,
        "none",
        "moves of the price, in price_unit; each is taken with each of volatilities",
    ),
    Key::optional("volatilities", MOVES, "0", "moves of volatilities: 1 = the upward range, -1 = the downward one"),
    Key::optional("days", DAYS, "0", "days that pass at each of these points"),
    Key::optional("points", KeyKind::Tables(Shape::Keys(POINT_KEYS)), "none", "further points, one by one"),
    Key::optional(
        "extremes",
        KeyKind::Table(Shape::Keys(EXTREME_KEYS)),
        "none",
        "large moves, valued in full and counted in part",
    ),
    Key::optional(
        "price_unit",
        KeyKind::Word(&words(&PRICE_UNITS)),
        "range",
        "what moves of the price are in: multiples of range, of range in quote units, shares, or multiples of volatility index·√(days/365)",
    ),
    Key::optional(
        "range",
        KeyKind::ByName { min: 0.0, max: 1e30 },
        "0",
        "price range by underlying, a share unless price_unit is quote_range",
    ),
    Key::optional("volatility", KeyKind::Table(Shape::Keys(VOLATILITY_KEYS)), "no move", "volatility range"),
    Key::optional(
        "dampener",
        KeyKind::NOT_NEGATIVE,
        "none",
        "quote units per multiple of the range beyond it by which gains and losses shrink",
    ),
    Key::optional("gain_share", KeyKind::SHARE, "1", "share of a cell's gain that offsets losses of others"),
    Key::optional("gain_cap", KeyKind::NOT_NEGATIVE, "none", "largest gain of a cell that does, quote units"),
    Key::optional(
        "order",
        KeyKind::Texts,
        "weight, dampen, gain",
        "order in which weights, dampener and gain share are applied",
    ),
    Key::optional(
        "cell",
        KeyKind::Word(&words(&CELLS)),
        "pair",
        "what nets before that: underlying and settlement asset, or options by expiry",
    ),
    Key::optional(
        "discount",
        KeyKind::Table(Shape::Keys(DISCOUNT_KEYS)),
        "none",
        "share of an expiry's value that counts after a move; cell is expiry then",
    ),
    Key::optional(
        "settle_at",
        KeyKind::Word(&words(&SETTLE_AT)),
        "moved",
        "price of a coin at which profits in it count: after the move, or before",
    ),
    Key::optional(
        "time_weight",
        KeyKind::Table(Shape::Keys(TIME_WEIGHT_KEYS)),
        "1",
        "share of a contract's change that counts, by its years to expiry",
    ),
];

/// A grid from its section; `None` where a fault was recorded.
pub(in crate::margin::component) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Grid> {
    let volatility = match section.table("volatility") {
        Some(table) => read_volatility(table, reader)?,
        None => VolatilityRange::default(),
    };
    let discount = section.table("discount").map(discount);
    let usual_cell = if discount.is_some() { Cell::Expiry } else { Cell::default() };
    let grid = Grid {
        points: points(section),
        extremes: section.table("extremes").map(extremes),
        price_unit: section.choice("price_unit", &PRICE_UNITS).unwrap_or_default(),
        range: section.by_name("range").cloned().unwrap_or_default(),
        volatility,
        time_weight: section.table("time_weight").map(|table| TimeWeight {
            add: table.number("add").unwrap_or_default(),
            per_year: table.number("per_year").unwrap_or_default(),
        }),
        cell: section.choice("cell", &CELLS).unwrap_or(usual_cell),
        transforms: transforms(section, reader)?,
        discount,
        settle_at: section.choice("settle_at", &SETTLE_AT).unwrap_or_default(),
    };
    is_whole(&grid, section, reader).then_some(grid)
}

/// Whether what a grid says fits together; what does not is recorded.
fn is_whole(grid: &Grid, section: &Section, reader: &mut Reader<'_>) -> bool {
    let mut faults: Vec<(String, String, &str, &str)> = Vec::new();
    let dampens = grid.transforms.iter().any(|transform| matches!(transform, Transform::Dampen { .. }));
    let is_in_ranges = matches!(grid.price_unit, PriceUnit::Range | PriceUnit::QuoteRange);
    if (is_in_ranges || grid.extremes.is_some() || dampens) && !section.has("range") {
        let rule = "a grid in multiples of its range, with extremes or with a dampener has a range";
        faults.push((section.at("range"), String::new(), rule, "add range, or set price_unit = \"relative\""));
    }
    if grid.len() == 0 {
        let rule = "a grid has at least one point";
        faults.push((section.at("prices"), String::new(), rule, "add prices, points or extremes"));
    }
    let relative = grid.points.iter().filter(|_| grid.price_unit == PriceUnit::Relative);
    for point in relative.filter(|point| point.price <= -1.0) {
        faults.push((section.at("prices"), point.price.to_string(), "a relative move above -1", "raise the move"));
    }
    for price in grid.extremes.iter().flat_map(|extremes| &extremes.moves) {
        if *price <= -1.0 || *price == 0.0 {
            let rule = "a relative move above -1, not 0";
            faults.push((section.at("extremes"), price.to_string(), rule, "correct the move"));
        }
    }
    if grid.discount.is_some() && grid.cell == Cell::Pair {
        faults.push((section.at("cell"), "pair".into(), "a discount is of expiries", "set cell = \"expiry\""));
    }
    let is_whole = faults.is_empty();
    faults.into_iter().for_each(|(at, value, rule, remedy)| reader.fault(&at, value, rule, remedy));
    is_whole
}

fn points(section: &Section) -> Vec<GridPoint> {
    let prices = section.numbers("prices").unwrap_or_default();
    let volatilities = section.numbers("volatilities").unwrap_or(&[0.0]);
    let days = section.number("days").unwrap_or_default();
    let product = prices.iter().flat_map(|&price| {
        volatilities.iter().map(move |&volatility| GridPoint { price, volatility, days, ..GridPoint::default() })
    });
    let listed = section.tables("points").unwrap_or_default().iter().map(|point| GridPoint {
        price: point.number("price").unwrap_or_default(),
        volatility: point.number("volatility").unwrap_or_default(),
        weight: point.number("weight").unwrap_or(1.0),
        skew: point.table("skew").and_then(skew),
        days: point.number("days").unwrap_or_default(),
    });
    product.chain(listed).collect()
}

fn skew(table: &Section) -> Option<SkewMove> {
    Some(SkewMove {
        form: table.choice("form", &SKEW_FORMS)?,
        direction: table.number("direction").unwrap_or(1.0),
        cap_slope: table.number("cap_slope").unwrap_or_default(),
        cap_base: table.number("cap_base")?,
        minimum_width: table.number("minimum_width")?,
        width: table.number("width")?,
        level: table.number("level")?,
        level_slope: table.number("level_slope").unwrap_or_default(),
    })
}

fn extremes(table: &Section) -> Extreme {
    Extreme {
        moves: table.numbers("prices").unwrap_or_default().to_vec(),
        volatility: table.number("volatility").unwrap_or(1.0),
        factor: table.number("factor").unwrap_or(1.0),
    }
}

fn discount(table: &Section) -> Discount {
    let curve = |table: &Section| DiscountCurve {
        base: table.number("base").unwrap_or(1.0),
        rate_multiple: table.number("rate_multiple").unwrap_or_default(),
        rate_add: table.number("rate_add").unwrap_or_default(),
    };
    let in_full = DiscountCurve { base: 1.0, rate_multiple: 0.0, rate_add: 0.0 };
    Discount { positive: table.table("positive").map_or(in_full, curve), negative: table.table("negative").map(curve) }
}

/// A volatility range; `None` where a fault was recorded.
pub(in crate::margin::component) fn read_volatility(
    table: &Section,
    reader: &mut Reader<'_>,
) -> Option<VolatilityRange> {
    let days = table.numbers("point_days").unwrap_or_default();
    if days.windows(2).any(|pair| pair[0] >= pair[1]) {
        reader.fault(&table.at("point_days"), format!("{days:?}"), "days ascend", "sort them");
        return None;
    }
    let mut points = |key: &str| -> Option<Vec<(f64, f64)>> {
        let points = table.numbers(key).unwrap_or_default();
        if !points.is_empty() && points.len() != days.len() {
            reader.fault(&table.at(key), format!("{points:?}"), "as many points as point_days", "correct the lists");
            return None;
        }
        Some(days.iter().copied().zip(points.iter().copied()).collect())
    };
    let (up_points, down_points) = (points("up_points"), points("down_points"));
    let number = |key: &str, without: f64| table.number(key).unwrap_or(without);
    let usual = TermScale::default();
    Some(VolatilityRange {
        up: number("up", 0.0),
        down: number("down", 0.0),
        up_points: up_points?,
        down_points: down_points?,
        term: TermScale {
            reference_days: number("reference_days", usual.reference_days),
            floor_days: number("floor_days", usual.floor_days),
            power_short: number("short_power", usual.power_short),
            power_long: number("long_power", usual.power_long),
        },
        minimum_up: number("minimum_up", 0.0),
    })
}

fn transforms(section: &Section, reader: &mut Reader<'_>) -> Option<Vec<Transform>> {
    let dampener = section.number("dampener");
    let order: Vec<&str> = match section.texts("order") {
        Some(order) => order.iter().map(String::as_str).collect(),
        None => ORDER.to_vec(),
    };
    if order.len() != ORDER.len() || !ORDER.iter().all(|word| order.contains(word)) {
        let rule = "each of weight, dampen and gain once";
        reader.fault(&section.at("order"), order.join(", "), rule, "list all three");
        return None;
    }
    let (share, cap) = (section.number("gain_share"), section.number("gain_cap"));
    let gain = (share.is_some() || cap.is_some()).then_some(Transform::Gain { share: share.unwrap_or(1.0), cap });
    let transform = |word: &str| match word {
        "weight" => Some(Transform::Weight),
        "dampen" => dampener.map(|amount| Transform::Dampen { amount }),
        _ => gain,
    };
    Some(order.into_iter().filter_map(transform).collect())
}
