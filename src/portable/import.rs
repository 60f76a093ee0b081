//! Taking a portable account into the book of another venue.

use std::collections::BTreeMap;

use super::account::{Lot, MarginAccount, Status, Terms};
use super::decimal::Decimal;
use super::export::{side_name, terms};
use super::fault::{at, none_of};
use super::identifier::AssetMap;
use super::lots::Lots;
use crate::domain::{
    Balance, BookBuilder, LotTerms, Mode, Order, PoolSettings, Position, Side, Snapshot, renumber_assets, sort_in,
};
use crate::error::{Fault, Result};

/// The snapshot with the account's pool added to its book. Holdings arrive bit for bit; marks, haircuts and risk figures
/// of the issuer are not taken over. An instrument must have the same name and terms in both places, an asset the same
/// identifier, a route the same name. A lot that has not settled becomes an asset on its route, at the price here.
///
/// # Errors
/// [`crate::Error::Refused`] where the pool exists, an instrument, asset or route is unknown here or has other
/// terms, a loan has not settled, or an f64 does not hold a number exactly.
pub fn import(account: &MarginAccount, into: &Snapshot, assets: &AssetMap) -> Result<Snapshot> {
    let mut arrival = Arrival { into, assets, lots: Lots::new(into, assets), faults: Vec::new() };
    let identity = &account.account;
    if into.book.pools().any(|pool| pool.account == identity.account && pool.pool == identity.pool) {
        let name = format!("{} / {}", identity.account, identity.pool);
        arrival.fault("account.pool", &name, "the book has a pool of this name", "rename one of them");
    }
    let settings = arrival.settings(account);
    let balances = arrival.balances(account);
    let positions = arrival.positions(account);
    none_of(arrival.faults)?;

    let mut builder = BookBuilder::with_lots_of(&into.book);
    for pool in into.book.pools() {
        let id = builder.pool(pool.account, pool.pool);
        pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        pool.positions.iter().for_each(|position| builder.add_position(id, *position));
        if *pool.settings != PoolSettings::default() {
            *builder.settings(id) = pool.settings.clone();
        }
        if pool.unknown {
            builder.mark_unknown(id);
        }
    }
    let id = builder.pool(&identity.account, &identity.pool);
    for (balance, terms) in balances {
        let lot = terms.map_or(0, |terms| builder.lot(terms));
        builder.add_balance(id, Balance { lot, ..balance });
    }
    positions.into_iter().for_each(|position| builder.add_position(id, position));
    if settings != PoolSettings::default() {
        *builder.settings(id) = settings;
    }
    let (assets, places) = sort_in(into.assets.clone(), arrival.lots.into_made());
    builder.renumber_assets(&places);
    let mut taken_in = Snapshot { assets, ..into.with_book(builder.build()) };
    renumber_assets(&mut taken_in.instruments, &places);
    Ok(taken_in)
}

/// An account on its way into a book, and what is wrong with that.
struct Arrival<'a> {
    into: &'a Snapshot,
    assets: &'a AssetMap,
    lots: Lots<'a>,
    faults: Vec<Fault>,
}

impl Arrival<'_> {
    fn fault(&mut self, path: &str, value: &str, rule: impl Into<String>, remedy: &str) {
        self.faults.push(at(path, value, rule, remedy));
    }

    /// A number, exactly.
    fn number(&mut self, path: &str, decimal: &Decimal) -> f64 {
        let value = decimal.to_f64();
        if value.is_none() {
            let rule = "no f64 is this number: taking it in would round it";
            self.fault(path, decimal.as_str(), rule, "have its issuer state it in fewer digits");
        }
        value.unwrap_or_default()
    }

    fn settings(&mut self, account: &MarginAccount) -> PoolSettings {
        let identity = &account.account;
        let reserved = self.number("orders.reserved", &account.orders.reserved);
        let quote = self.assets.id_of(&self.into.quote);
        if reserved != 0.0 && identity.quote != quote {
            let rule = format!("margin reserved for orders is in another currency than this book's, {quote}");
            self.fault("account.quote", &identity.quote, rule, "cancel the orders, or issue in that currency");
        }
        let mode = Mode::ALL.into_iter().find(|mode| mode.name() == identity.mode);
        let mut orders = Vec::new();
        for (place, order) in account.orders.open.iter().enumerate() {
            let path = format!("orders.open[{place}]");
            let instrument = self.instrument(&format!("{path}.instrument"), &order.instrument);
            let quantity = self.number(&format!("{path}.quantity"), &order.quantity);
            let price = self.number(&format!("{path}.price"), &order.price);
            let reduces_only = order.reduces_only;
            orders.extend(instrument.map(|instrument| Order { instrument, quantity, price, reduces_only }));
        }
        PoolSettings {
            mode: mode.unwrap_or_default(),
            im_multiplier: self.number("account.initial_multiplier", &identity.initial_multiplier),
            mm_multiplier: self.number("account.maintenance_multiplier", &identity.maintenance_multiplier),
            open_order_margin: reserved,
            orders,
        }
    }

    fn balances(&mut self, account: &MarginAccount) -> Vec<(Balance, Option<LotTerms>)> {
        let mut balances = Vec::new();
        for (place, lot) in account.collateral.iter().enumerate() {
            balances.extend(self.balance(&format!("collateral[{place}]"), lot, 1.0));
        }
        for (place, lot) in account.liabilities.iter().enumerate() {
            balances.extend(self.balance(&format!("liabilities[{place}]"), lot, -1.0));
        }
        balances
    }

    fn balance(&mut self, path: &str, lot: &Lot, sign: f64) -> Option<(Balance, Option<LotTerms>)> {
        if lot.status != Status::Settled && sign < 0.0 {
            let rule = "a loan is settled: only what is held stands on a route";
            self.fault(&format!("{path}.status"), &lot.asset, rule, "have its issuer correct it");
        }
        let quantity = self.number(&format!("{path}.quantity"), &lot.quantity);
        let accrued = lot.accrued_interest.as_ref();
        let accrued_interest = accrued.map_or(0.0, |accrued| self.number(&format!("{path}.accrued_interest"), accrued));
        let asset = self.lots.asset(path, lot, &mut self.faults)?;
        // The sum with 0 keeps a loan of nothing from being minus zero.
        let balance = Balance { accrued_interest, ..Balance::new(asset, sign * quantity + 0.0) };
        Some((balance, self.terms(path, lot)))
    }

    /// What the book will know of a lot; a lock holds one lot of a book.
    fn terms(&mut self, path: &str, lot: &Lot) -> Option<LotTerms> {
        let lock = lot.lock.clone().filter(|_| lot.status != Status::Settled)?;
        if self.into.book.lots().has_lock(&lock) {
            let rule = "a lot of this book has this lock: it is credited already";
            self.fault(&format!("{path}.lock"), &lock, rule, "take one of them out");
        }
        Some(LotTerms { lock: Some(lock), ..LotTerms::default() })
    }

    fn positions(&mut self, account: &MarginAccount) -> Vec<Position> {
        let mut positions = Vec::new();
        for (place, position) in account.positions.iter().enumerate() {
            let path = format!("positions[{place}]");
            let instrument = self.instrument(&format!("{path}.instrument"), &position.instrument);
            let sides = [Side::Net, Side::Long, Side::Short];
            let side = sides.into_iter().find(|side| side_name(*side) == position.side).unwrap_or(Side::Net);
            let quantity = self.number(&format!("{path}.quantity"), &position.quantity);
            let entry_price = self.number(&format!("{path}.entry_price"), &position.entry_price);
            let accrued_funding = self.number(&format!("{path}.accrued_funding"), &position.accrued_funding);
            let leverage = position.leverage.as_ref();
            let leverage = leverage.map(|leverage| self.number(&format!("{path}.leverage"), leverage));
            positions.extend(instrument.map(|instrument| Position {
                instrument,
                quantity,
                entry_price,
                leverage,
                accrued_funding,
                side,
            }));
        }
        positions
    }

    /// The instrument of this name, where its terms are these.
    fn instrument(&mut self, path: &str, given: &Terms) -> Option<u32> {
        let instruments = &self.into.instruments;
        let Ok(index) = instruments.binary_search_by(|instrument| instrument.name.cmp(&given.name)) else {
            let names = instruments.iter().map(|instrument| instrument.name.as_str());
            let remedy = crate::suggest::remedy(&given.name, names, "list the instrument");
            self.fault(path, &given.name, "no instrument of this book has this name", &remedy);
            return None;
        };
        let index = index as u32;
        let here = match terms(self.into, index, self.assets) {
            Ok(here) => here,
            Err(error) => {
                self.fault(path, &given.name, format!("the terms here cannot be stated: {error}"), "correct the book");
                return None;
            }
        };
        let differing = differing(given, &here);
        if !differing.is_empty() {
            let rule = format!("the instrument of this name has other terms here: {}", differing.join(", "));
            self.fault(path, &given.name, rule, "close the position at its venue");
        }
        Some(index)
    }
}

/// Each term that differs, with both values.
fn differing(given: &Terms, here: &Terms) -> Vec<String> {
    let fields = |terms: &Terms| -> BTreeMap<&str, String> {
        let decimal = |decimal: &Option<Decimal>| decimal.as_ref().map_or("", Decimal::as_str).to_string();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            ("kind", terms.kind.clone()),
            ("payoff", terms.payoff.clone()),
            ("underlying", terms.underlying.clone()),
            ("settlement_asset", terms.settlement_asset.clone()),
            ("price_asset", terms.price_asset.clone()),
            ("contract_size", terms.contract_size.as_str().into()),
            ("fixed_rate", decimal(&terms.fixed_rate)),
            ("strike", decimal(&terms.strike)),
            ("expiry", text(&terms.expiry)),
            ("right", text(&terms.right)),
            ("premium", text(&terms.premium)),
        ]
        .into()
    };
    let pairs = fields(given).into_iter().zip(fields(here).into_values());
    let differing = pairs.filter(|((_, given), here)| given != here);
    differing.map(|((name, given), here)| format!("{name} {given:?} is {here:?} here")).collect()
}
