use std::path::Path;

use super::Market;
use super::names::{Keyed, Names};
use crate::domain::{AssetIndex, Instrument, Kind, Payoff, Premium, Right, UnderlyingIndex};
use crate::io::table::{self, CellKind, Column, FaultLog, Layout, NumberRule, Presence, Row, TableRead};

pub(in crate::io) static LAYOUT: Layout = Layout {
    table: "instruments",
    columns: &[
        Column::required("instrument", CellKind::Text),
        Column::required("kind", CellKind::Text),
        Column::required("underlying", CellKind::Text),
        Column::optional("payoff", CellKind::Text),
        Column::optional("settlement_asset", CellKind::Text),
        Column::optional("contract_size", CellKind::Number),
        Column::required("mark_price", CellKind::Number),
        Column::optional("strike", CellKind::Number),
        Column::optional("expiry", CellKind::Time),
        Column::optional("right", CellKind::Text),
        Column::optional("implied_volatility", CellKind::Number),
        Column::optional("forward_price", CellKind::Number),
        Column::optional("rate", CellKind::Number),
        Column::optional("price_asset", CellKind::Text),
        Column::optional("premium", CellKind::Text),
        Column::optional("fixed_rate", CellKind::Number),
        Column::optional("margin_class", CellKind::Text),
        Column::optional("exercise_style", CellKind::Text),
        Column::optional("confidence", CellKind::Number),
    ],
};
const INSTRUMENT: usize = 0;
const KIND: usize = 1;
const UNDERLYING: usize = 2;
const PAYOFF: usize = 3;
const SETTLEMENT_ASSET: usize = 4;
const CONTRACT_SIZE: usize = 5;
const MARK_PRICE: usize = 6;
const STRIKE: usize = 7;
const EXPIRY: usize = 8;
const RIGHT: usize = 9;
const IMPLIED_VOLATILITY: usize = 10;
const FORWARD_PRICE: usize = 11;
const RATE: usize = 12;
const PRICE_ASSET: usize = 13;
const PREMIUM: usize = 14;
const FIXED_RATE: usize = 15;
const MARGIN_CLASS: usize = 16;
const EXERCISE_STYLE: usize = 17;
const CONFIDENCE: usize = 18;

const KINDS: [(&str, Kind); 4] =
    [("spot", Kind::Spot), ("perpetual", Kind::Perpetual), ("future", Kind::Future), ("option", Kind::Option)];
const PAYOFFS: [(&str, Payoff); 3] =
    [("linear", Payoff::Linear), ("inverse", Payoff::Inverse), ("quanto", Payoff::Quanto)];
const RIGHTS: [(&str, Right); 2] = [("call", Right::Call), ("put", Right::Put)];
const PREMIUMS: [(&str, Premium); 2] = [("paid", Premium::Paid), ("margined", Premium::Margined)];

/// Reads the instruments, with their references to `market` resolved.
pub(super) fn read(dir: &Path, market: &Market, log: &mut FaultLog) -> (Vec<Instrument>, Names, TableRead) {
    let mut instruments = Keyed::default();
    let mut something_expires = false;
    let outcome = table::read(dir, &LAYOUT, Presence::Required, log, |row| {
        let Some(name) = row.required_text(INSTRUMENT) else { return };
        instruments.claim(row, INSTRUMENT, name);
        let instrument = read_row(row, name, market);
        something_expires |= instrument.as_ref().is_some_and(|instrument| instrument.expiry.is_some());
        instruments.add(row, name, instrument.filter(|_| !row.is_refused()));
    });
    if something_expires && market.as_of.is_none() {
        log.push(super::toml::as_of_missing());
    }
    let (instruments, names) = instruments.finish(|instrument| &instrument.name);
    (instruments, names, outcome)
}

/// Reads every cell, so that every fault of the row is found; `None` where it cannot become an instrument.
fn read_row(row: &mut Row<'_>, name: &str, market: &Market) -> Option<Instrument> {
    let kind = row.required_word(KIND, &KINDS);
    let payoff = read_payoff(row, kind);
    let underlying_name = row.required_text(UNDERLYING);
    let underlying =
        underlying_name.and_then(|name| market.underlying_names.resolve(row, UNDERLYING, name, "underlyings"));
    let settlement_asset = read_settlement(row, payoff, underlying, market);
    let price_asset = match row.text(PRICE_ASSET) {
        Some(asset) => market.asset_names.resolve(row, PRICE_ASSET, asset, "assets"),
        None if payoff == Some(Payoff::Linear) => settlement_asset,
        None => market.asset_names.get(&market.quote),
    };
    check_price_asset(row, payoff, (price_asset, settlement_asset), market);
    let contract_size = row.number_at(CONTRACT_SIZE, NumberRule::Positive).unwrap_or(1.0);
    // A far option may have no mark to speak of.
    let mark_rule = if kind == Some(Kind::Option) { NumberRule::ZeroOrPositive } else { NumberRule::Positive };
    let mark_price = row.required_number(MARK_PRICE, mark_rule);
    let strike = row.number_at(STRIKE, NumberRule::Positive);
    let expiry = read_expiry(row, market);
    let right = row.word(RIGHT, &RIGHTS);
    let implied_volatility = row.number_at(IMPLIED_VOLATILITY, NumberRule::Volatility);
    let forward_price = row.number_at(FORWARD_PRICE, NumberRule::Positive);
    let rate = row.number_at(RATE, NumberRule::Rate).unwrap_or(0.0);
    let premium = row.word(PREMIUM, &PREMIUMS).unwrap_or(Premium::Paid);
    if premium == Premium::Margined && payoff == Some(Payoff::Inverse) && kind == Some(Kind::Option) {
        row.refuse_cell(PREMIUM, "the premium of an inverse option is paid", "use paid, or another payoff");
    }
    let fixed_rate = read_fixed_rate(row, payoff);
    if row.text(EXERCISE_STYLE).is_some_and(|style| style != "european") {
        row.refuse_cell(EXERCISE_STYLE, "only European options are priced", "leave the contract out");
    }
    let confidence = row.number_at(CONFIDENCE, NumberRule::Share).unwrap_or(1.0);
    let margin_class = row.text(MARGIN_CLASS).unwrap_or(name).to_owned();
    if let Some(kind) = kind {
        let given = [
            (STRIKE, strike.is_some()),
            (EXPIRY, expiry.is_some()),
            (RIGHT, right.is_some()),
            (IMPLIED_VOLATILITY, implied_volatility.is_some()),
        ];
        check_terms(row, kind, given);
    }
    Some(Instrument {
        name: name.into(),
        kind: kind?,
        underlying: underlying?,
        payoff: payoff?,
        settlement_asset: settlement_asset?,
        contract_size,
        mark_price: mark_price?,
        strike,
        expiry,
        right,
        implied_volatility,
        forward_price,
        rate,
        price_asset: price_asset?,
        premium,
        fixed_rate,
        margin_class,
        confidence,
    })
}

fn read_expiry(row: &mut Row<'_>, market: &Market) -> Option<jiff::Timestamp> {
    let expiry = row.time(EXPIRY)?;
    if let Some(as_of) = market.as_of.filter(|as_of| expiry <= *as_of) {
        row.refuse_cell(EXPIRY, format!("expiry is after as_of {as_of}"), "settle or remove the contract");
    }
    Some(expiry)
}

fn read_payoff(row: &mut Row<'_>, kind: Option<Kind>) -> Option<Payoff> {
    let payoff = row.word(PAYOFF, &PAYOFFS).or_else(|| row.is_blank(PAYOFF).then_some(Payoff::Linear))?;
    if kind == Some(Kind::Spot) && payoff != Payoff::Linear {
        row.refuse_cell(PAYOFF, "a spot instrument is linear", "leave the cell empty, or correct kind");
        return None;
    }
    Some(payoff)
}

/// A linear contract pays one unit of the settlement asset per unit of price, so the two must be worth about the same, as
/// two dollars are; a contract that fixes the rate between different things is a quanto.
fn check_price_asset(
    row: &mut Row<'_>,
    payoff: Option<Payoff>,
    (price_asset, settlement_asset): (Option<AssetIndex>, Option<AssetIndex>),
    market: &Market,
) {
    let price_of = |asset: Option<AssetIndex>| market.asset_prices.get(asset? as usize).copied();
    let (Some(Payoff::Linear), Some(price), Some(settlement)) =
        (payoff, price_of(price_asset), price_of(settlement_asset))
    else {
        return;
    };
    if (price - settlement).abs() > 0.25 * price.max(settlement) {
        let rule = "a linear contract is priced in the asset it settles in, or in one worth about the same";
        row.refuse(PRICE_ASSET, "", rule, "name that settlement_asset, or use payoff quanto with its fixed_rate");
    }
}

fn read_settlement(
    row: &mut Row<'_>,
    payoff: Option<Payoff>,
    underlying: Option<UnderlyingIndex>,
    market: &Market,
) -> Option<AssetIndex> {
    if let Some(asset) = row.text(SETTLEMENT_ASSET) {
        return market.asset_names.resolve(row, SETTLEMENT_ASSET, asset, "assets");
    }
    if !row.is_blank(SETTLEMENT_ASSET) {
        return None;
    }
    if payoff? != Payoff::Inverse {
        return market.asset_names.resolve(row, SETTLEMENT_ASSET, &market.quote, "assets");
    }
    let coin = &market.underlyings[underlying? as usize].name;
    let index = market.asset_names.get(coin);
    if index.is_none() {
        let rule = format!("an inverse contract settles in its underlying, and no usable asset is called {coin:?}");
        row.refuse(SETTLEMENT_ASSET, "", rule, "add that asset, or name the settlement asset");
    }
    index
}

fn read_fixed_rate(row: &mut Row<'_>, payoff: Option<Payoff>) -> f64 {
    let given = row.number_at(FIXED_RATE, NumberRule::Positive);
    match (payoff, given) {
        (Some(Payoff::Quanto), None) if row.is_blank(FIXED_RATE) => {
            row.refuse(FIXED_RATE, "", "a quanto contract has a fixed rate", "fill the cell in");
        }
        (Some(Payoff::Linear | Payoff::Inverse), Some(rate)) if rate != 1.0 => {
            row.refuse(FIXED_RATE, rate.to_string(), "only a quanto contract has a fixed rate", "leave the cell empty");
        }
        _ => {}
    }
    given.unwrap_or(1.0)
}

/// Refuses terms that a kind lacks or may not have. `given` says which of strike, expiry, right and implied volatility
/// were read.
fn check_terms(row: &mut Row<'_>, kind: Kind, given: [(usize, bool); 4]) {
    let noun = KINDS.iter().find(|(_, candidate)| *candidate == kind).map_or("", |(word, _)| word);
    for (column, is_given) in given {
        let needed = kind == Kind::Option || (kind == Kind::Future && column == EXPIRY);
        // An implied volatility beside a future is market data that happens to be there, not a contradiction.
        let allowed = needed || column == IMPLIED_VOLATILITY;
        let name = LAYOUT.columns[column].name;
        if needed && !is_given && row.is_blank(column) {
            row.refuse_cell(column, format!("kind {noun} needs {name}"), "fill the cell in");
        } else if is_given && !allowed {
            row.refuse_cell(column, format!("kind {noun} has no {name}"), "leave the cell empty, or correct kind");
        }
    }
}
