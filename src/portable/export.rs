//! A pool of a snapshot as a portable account.

use super::account::{
    AsOf, Custody, Identity, Lot, MarginAccount, NAME, OpenOrder, OrderBook, Position, SchemaName, Status, Terms,
    VERSION, Validity,
};
use super::decimal::Decimal;
use super::fault::refusal;
use super::identifier::AssetMap;
use super::risk::Assessment;
use crate::domain::{
    Asset, CustodyStatus, Instrument, InstrumentIndex, Kind, Payoff, Pool, Premium, Right, Side, Snapshot,
};
use crate::error::Result;

/// What a snapshot does not say of a document.
#[derive(Debug, Clone)]
pub struct Issue<'a> {
    /// The venue that issues it.
    pub venue: &'a str,
    /// CAIP-2 network of the account, where it lives on one.
    pub network: Option<&'a str>,
    /// Height of the block that the snapshot was read at, where it was read from a chain.
    pub block: Option<u64>,
    /// How sure the snapshot is not to be undone.
    pub finality: super::Finality,
    /// The document's nonce.
    pub nonce: u64,
    /// Usable from this moment on.
    pub not_before: jiff::Timestamp,
    /// Usable before this moment.
    pub expires: jiff::Timestamp,
    /// What assets are called elsewhere.
    pub assets: &'a AssetMap,
}

/// The account of the pool at `index` (< [`crate::domain::Book::len`]). Amounts ≥ 0 become collateral, negative ones
/// liabilities; a lot's haircut is the pool's haircut on that asset. What stands on a route is a lot of the settled asset with
/// that route. A lot has the lock that the book has for it.
///
/// # Errors
/// [`crate::Error::Refused`] where a refused row touches the pool, a number is not finite, or the network of a lot on a
/// route is not known.
pub fn export(snapshot: &Snapshot, index: usize, issue: &Issue<'_>, assessment: Assessment) -> Result<MarginAccount> {
    let pool = snapshot.book.pool(index);
    if pool.unknown {
        let rule = format!("nothing is claimed about {} / {}: a refused row touches it", pool.account, pool.pool);
        return Err(refusal(rule, "correct the snapshot; `check` lists its faults"));
    }
    let (mut collateral, mut liabilities) = (Vec::new(), Vec::new());
    for balance in pool.balances {
        let is_owed = balance.amount < 0.0;
        let lot = lot(snapshot, balance, issue.assets)?;
        if is_owed {
            liabilities.push(lot);
        } else {
            let name = &snapshot.assets[balance.asset as usize].name;
            collateral.push(Lot { haircut: assessment.haircuts.get(name).cloned(), ..lot });
        }
    }
    let positions = pool.positions.iter().map(|held| position(snapshot, held, issue.assets));
    Ok(MarginAccount {
        schema: SchemaName { name: NAME.into(), version: VERSION.into() },
        account: identity(snapshot, &pool, issue)?,
        collateral,
        liabilities,
        positions: positions.collect::<Result<_>>()?,
        orders: orders(snapshot, &pool, issue.assets)?,
        risk: assessment.risk,
        claims: None,
        validity: Validity { not_before: issue.not_before.to_string(), expires: issue.expires.to_string() },
        content_hash: String::new(),
        signatures: Vec::new(),
    })
}

fn identity(snapshot: &Snapshot, pool: &Pool<'_>, issue: &Issue<'_>) -> Result<Identity> {
    Ok(Identity {
        venue: issue.venue.into(),
        network: issue.network.map(Into::into),
        account: pool.account.into(),
        pool: pool.pool.into(),
        mode: pool.settings.mode.name().into(),
        nonce: issue.nonce.to_string(),
        quote: issue.assets.id_of(&snapshot.quote),
        initial_multiplier: Decimal::of("account.initial_multiplier", pool.settings.im_multiplier)?,
        maintenance_multiplier: Decimal::of("account.maintenance_multiplier", pool.settings.mm_multiplier)?,
        as_of: AsOf {
            time: snapshot.as_of.map(|moment| moment.to_string()),
            block: issue.block.map(|height| height.to_string()),
            finality: issue.finality,
        },
    })
}

fn lot(snapshot: &Snapshot, balance: &crate::domain::Balance, assets: &AssetMap) -> Result<Lot> {
    let asset = &snapshot.assets[balance.asset as usize];
    let accrued = (balance.accrued_interest != 0.0).then_some(balance.accrued_interest);
    Ok(Lot {
        asset: assets.id_of(asset.custody.as_ref().map_or(&asset.name, |standing| &standing.asset)),
        quantity: Decimal::of("collateral.quantity", balance.amount.abs())?,
        accrued_interest: accrued.map(|accrued| Decimal::of("collateral.accrued_interest", accrued)).transpose()?,
        custody: custody(asset)?,
        status: match asset.custody.as_ref().map(|standing| standing.status) {
            None => Status::Settled,
            Some(CustodyStatus::Attested) => Status::Attested,
            Some(CustodyStatus::InTransit) => Status::InTransit,
        },
        lock: snapshot.book.lot(balance.lot).and_then(|terms| terms.lock.clone()),
        haircut: None,
    })
}

/// Where an asset is held, as far as the snapshot says it; an asset on a route has its route's network.
fn custody(asset: &Asset) -> Result<Option<Custody>> {
    let route = asset.custody.as_ref().map(|standing| standing.route.clone());
    match (asset.network.clone(), route) {
        (Some(network), route) => Ok(Some(Custody { network, route })),
        (None, None) => Ok(None),
        (None, Some(route)) => {
            let rule = format!("{}: a lot on a route says on which network it is held", asset.name);
            Err(refusal(rule, format!("fill in from_network of the route {route}")))
        }
    }
}

fn position(snapshot: &Snapshot, held: &crate::domain::Position, assets: &AssetMap) -> Result<Position> {
    Ok(Position {
        instrument: terms(snapshot, held.instrument, assets)?,
        side: side_name(held.side).into(),
        quantity: Decimal::of("positions.quantity", held.quantity)?,
        entry_price: Decimal::of("positions.entry_price", held.entry_price)?,
        leverage: held.leverage.map(|leverage| Decimal::of("positions.leverage", leverage)).transpose()?,
        accrued_funding: Decimal::of("positions.accrued_funding", held.accrued_funding)?,
        mark: Decimal::of("positions.mark", snapshot.instruments[held.instrument as usize].mark_price)?,
    })
}

fn orders(snapshot: &Snapshot, pool: &Pool<'_>, assets: &AssetMap) -> Result<OrderBook> {
    let of_order = |order: &crate::domain::Order| {
        Ok(OpenOrder {
            instrument: terms(snapshot, order.instrument, assets)?,
            quantity: Decimal::of("orders.quantity", order.quantity)?,
            price: Decimal::of("orders.price", order.price)?,
            reduces_only: order.reduces_only,
        })
    };
    Ok(OrderBook {
        reserved: Decimal::of("orders.reserved", pool.settings.open_order_margin)?,
        open: pool.settings.orders.iter().map(of_order).collect::<Result<_>>()?,
    })
}

/// The terms of an instrument of a snapshot.
pub(super) fn terms(snapshot: &Snapshot, index: InstrumentIndex, assets: &AssetMap) -> Result<Terms> {
    let instrument: &Instrument = &snapshot.instruments[index as usize];
    let asset = |index: u32| assets.id_of(&snapshot.assets[index as usize].name);
    let is_option = instrument.kind == Kind::Option;
    let fixed_rate = (instrument.payoff == Payoff::Quanto).then_some(instrument.fixed_rate);
    Ok(Terms {
        name: instrument.name.clone(),
        kind: kind_name(instrument.kind).into(),
        payoff: payoff_name(instrument.payoff).into(),
        underlying: snapshot.underlyings[instrument.underlying as usize].name.clone(),
        settlement_asset: asset(instrument.settlement_asset),
        price_asset: asset(instrument.price_asset),
        contract_size: Decimal::of("instrument.contract_size", instrument.contract_size)?,
        fixed_rate: fixed_rate.map(|rate| Decimal::of("instrument.fixed_rate", rate)).transpose()?,
        strike: instrument.strike.map(|strike| Decimal::of("instrument.strike", strike)).transpose()?,
        expiry: instrument.expiry.map(|expiry| expiry.to_string()),
        right: instrument.right.map(|right| right_name(right).into()),
        premium: is_option.then(|| premium_name(instrument.premium).into()),
    })
}

pub(super) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Net => "net",
        Side::Long => "long",
        Side::Short => "short",
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Spot => "spot",
        Kind::Perpetual => "perpetual",
        Kind::Future => "future",
        Kind::Option => "option",
    }
}

fn payoff_name(payoff: Payoff) -> &'static str {
    match payoff {
        Payoff::Linear => "linear",
        Payoff::Inverse => "inverse",
        Payoff::Quanto => "quanto",
    }
}

fn right_name(right: Right) -> &'static str {
    match right {
        Right::Call => "call",
        Right::Put => "put",
    }
}

fn premium_name(premium: Premium) -> &'static str {
    match premium {
        Premium::Paid => "paid",
        Premium::Margined => "margined",
    }
}
