use super::market::Market;
use super::names::STABLE;
use crate::domain::{Instrument, Kind};
use crate::margin::{
    Form, HaircutSchedule, MarginClass, MarkIn, OptionClass, OptionReference, OptionRequirement, Rulebook, Schedule,
    SizeUnit,
};

/// A bracket table: the lower bounds of the second and later brackets (quote units), maintenance rates and the largest
/// leverage of every bracket.
struct Brackets {
    bounds: &'static [f64],
    maintenance: &'static [f64],
    leverage: &'static [f64],
    /// Upper end of the table, quote units.
    end: f64,
}

/// From the deepest market down. The shape is that of published tables: rates double as size grows tenfold.
const TABLES: [Brackets; 4] = [
    Brackets {
        bounds: &[3e5, 8e5, 3e6, 1.2e7, 7e7, 1e8, 2.3e8, 4.8e8, 6e8],
        maintenance: &[0.004, 0.005, 0.0065, 0.01, 0.02, 0.025, 0.05, 0.1, 0.125, 0.25],
        leverage: &[125.0, 100.0, 75.0, 50.0, 25.0, 20.0, 10.0, 5.0, 4.0, 2.0],
        end: 1e9,
    },
    Brackets {
        bounds: &[1.5e4, 5e4, 3e5, 1e6, 6e6, 1.2e7, 2e7, 3e7],
        maintenance: &[0.005, 0.0065, 0.01, 0.02, 0.025, 0.05, 0.1, 0.125, 0.25],
        leverage: &[75.0, 50.0, 40.0, 25.0, 20.0, 10.0, 5.0, 4.0, 2.0],
        end: 6e7,
    },
    Brackets {
        bounds: &[1e4, 2.5e4, 2e5, 8e5, 2e6, 5e6, 8e6],
        maintenance: &[0.01, 0.015, 0.02, 0.025, 0.05, 0.1, 0.125, 0.25],
        leverage: &[50.0, 40.0, 25.0, 20.0, 10.0, 5.0, 4.0, 2.0],
        end: 1.5e7,
    },
    Brackets {
        bounds: &[5e3, 2.5e4, 1e5, 4e5, 1e6],
        maintenance: &[0.015, 0.02, 0.025, 0.05, 0.1, 0.25],
        leverage: &[25.0, 20.0, 15.0, 10.0, 5.0, 2.0],
        end: 3e6,
    },
];

/// Average daily volumes (quote units) from which the first, second and third table of [`TABLES`] apply.
const VOLUMES: [f64; 3] = [1e10, 1e9, 1.5e8];

/// Bracket tables for every margin class of `market` (maintenance marginal, initial on the whole position), the formula of
/// short options for its options, and the standard haircut classes.
pub fn rulebook(market: &Market) -> Rulebook {
    let (options, others): (Vec<_>, Vec<_>) =
        market.instruments.iter().partition(|instrument| instrument.kind == Kind::Option);
    let margin = others.into_iter().map(|instrument| (instrument.margin_class.clone(), class(market, instrument)));
    let option = options.into_iter().map(|instrument| (instrument.margin_class.clone(), option_class()));
    let mut rulebook = Rulebook {
        name: "synthetic".into(),
        margin: margin.collect(),
        option: option.collect(),
        ..Rulebook::default()
    };
    add_haircuts(&mut rulebook);
    rulebook
}

/// Gives a rulebook without any haircut class the standard ones: `stable` (0–1 %, tiers in quote units), `major` (5–10 %,
/// tiers in quote units) and three `alt` classes (15–30 %, tiers in units of the asset, by the size of its price). A rulebook
/// that has haircut classes stays as it is.
pub fn add_haircuts(rulebook: &mut Rulebook) {
    if !rulebook.haircut.is_empty() {
        return;
    }
    let schedules = [
        ("stable", SizeUnit::Quote, [1e6, 1e7], [0.0, 0.005, 0.01]),
        ("major", SizeUnit::Quote, [1e6, 1e7], [0.05, 0.075, 0.1]),
        ("alt_high_price", SizeUnit::Asset, [5e3, 5e4], [0.15, 0.2, 0.3]),
        ("alt_mid_price", SizeUnit::Asset, [3e5, 3e6], [0.15, 0.2, 0.3]),
        ("alt_low_price", SizeUnit::Asset, [3e7, 3e8], [0.15, 0.2, 0.3]),
    ];
    rulebook.haircut = schedules
        .map(|(class, unit, bounds, haircuts)| {
            (
                class.to_string(),
                HaircutSchedule { unit, bounds: bounds.into(), haircuts: haircuts.into(), initial: None },
            )
        })
        .into();
}

/// The standard haircut class of an asset with this name and price (quote units).
pub(super) fn haircut_class(name: &str, price: f64) -> &'static str {
    match name {
        "USD" => "stable",
        "BTC" | "ETH" => "major",
        name if STABLE.contains(&name) => "stable",
        _ if price >= 10.0 => "alt_high_price",
        _ if price >= 0.05 => "alt_mid_price",
        _ => "alt_low_price",
    }
}

/// The common formula of short options: 15 % of the index less how far they are out of the money, at least 10 %; 7.5 % as
/// maintenance, of a put at least 7.5 % of its mark.
pub fn option_class() -> OptionClass {
    let flat = OptionRequirement { floor: 0.075, put_floor_of_mark: 0.075, ..OptionRequirement::default() };
    OptionClass {
        reference: OptionReference::Index,
        mark: MarkIn::Equity,
        maintenance: flat,
        initial: OptionRequirement { rate: 0.15, floor: 0.1, ..OptionRequirement::default() },
        call_initial_over_maintenance: 0.0,
        put_initial_over_maintenance: 1.0,
        long_credit: 1.0,
    }
}

fn class(market: &Market, instrument: &Instrument) -> MarginClass {
    if instrument.kind == Kind::Spot {
        // The position's value is in equity already; the requirement covers its price risk.
        return MarginClass::brackets(Schedule::flat(0.05), Schedule { form: Form::Whole, ..Schedule::flat(0.1) });
    }
    let volume = market.underlyings[instrument.underlying as usize].adv_quote.unwrap_or(0.0);
    let table = &TABLES[VOLUMES.iter().position(|&least| volume >= least).unwrap_or(VOLUMES.len())];
    let schedule = |form, rates| Schedule { form, bounds: table.bounds.to_vec(), rates };
    let maintenance = schedule(Form::Marginal, table.maintenance.to_vec());
    let initial = schedule(Form::Whole, table.leverage.iter().map(|leverage| 1.0 / leverage).collect());
    MarginClass { max_notional: Some(table.end), ..MarginClass::brackets(maintenance, initial) }
}
