//! A whole account: every balance and position, by novation, or closed and opened again at one mark.

use super::cargo::{Load, Piece, Place, asset_of, grid_of};
use super::credit::Credit;
use super::holdings::Holdings;
use super::outcome::{Item, ItemKind};
use super::plan::{Plan, Positions, Reopening, fault};
use super::side;
use super::venue::Venues;
use crate::compare::net;
use crate::domain::{AssetIndex, Instrument, InstrumentIndex, Position, Side, Snapshot};
use crate::error::{Error, Fault, Result};
use crate::liquidation::Quanta;
use crate::margin::MarginSide;
use crate::pricing::{Unshocked, entry_value};

/// A whole account on its way.
#[derive(Debug)]
pub struct Account {
    /// What moves.
    pub load: Load,
    /// Cost of closing and of opening, quote units.
    pub reopening_cost: (f64, f64),
}

/// What happens to one asset beside the balance that moves.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    /// Units that closing realises, funding included.
    realised: f64,
    /// Units that closing and opening cost.
    cost: f64,
}

/// Resolves the whole pool of the source.
///
/// # Errors
/// [`Error::Configuration`] with every holding that the destination does not list on the same terms, and where orders are
/// open; [`Error::Refused`] where holdings, rulebooks and scenarios do not fit together.
pub fn resolve(
    positions: Positions,
    plan: &Plan,
    venues: &Venues<'_>,
    (source, destination): (&Holdings, &Holdings),
    unshocked: Unshocked,
) -> Result<Account> {
    let mut faults: Vec<Fault> = order_faults(source, venues);
    let mut matched: Vec<(Position, Position)> = Vec::new();
    for position in &source.positions {
        match counterpart(position, venues) {
            Ok(arriving) => matched.push((*position, arriving)),
            Err(found) => faults.extend(found),
        }
    }
    let names: Vec<(AssetIndex, String)> = assets_of(source, venues.source.snapshot);
    for (_, name) in &names {
        faults.extend(asset_of(venues.destination.snapshot, name, "destination").err().map(|fault| *fault));
    }
    if source.positions.is_empty() && source.balances.is_empty() {
        faults.push(fault("source.pool", venues.source.pool, "there is something to move", "name another pool"));
    }
    if !faults.is_empty() {
        return Err(Error::Configuration(faults));
    }
    let mut changes = vec![Change::default(); names.len()];
    let mut reopening_cost = (0.0, 0.0);
    if let Positions::Reopen(costs) = positions {
        reopening_cost = reopen(costs, &mut matched, (&names, &mut changes), (venues, source), unshocked)?;
    }
    let mut pieces = Vec::new();
    for (leaving, arriving) in matched {
        let piece = position_piece(leaving, arriving, venues, destination, (&names, &mut changes));
        pieces.push(piece.map_err(|fault| Error::Configuration(vec![*fault]))?);
    }
    let mut balances = Vec::new();
    for ((asset, name), change) in names.iter().zip(&changes) {
        let piece = balance_piece((*asset, name), change, plan, venues, (source, destination));
        balances.push(piece.map_err(|fault| Error::Configuration(vec![*fault]))?);
    }
    balances.append(&mut pieces);
    Ok(Account { load: Load { pieces: balances }, reopening_cost })
}

/// Open orders cannot move, and must not be left without collateral.
fn order_faults(source: &Holdings, venues: &Venues<'_>) -> Vec<Fault> {
    let (margin, orders) = (source.settings.open_order_margin, source.settings.orders.len());
    let mut faults = Vec::new();
    if orders > 0 {
        let rule = format!("no order of the pool is open: orders do not move, and {orders} of its are");
        faults.push(fault("source.pool", venues.source.pool, rule, "cancel them first"));
    }
    if margin > 0.0 {
        let rule = "the pool holds no margin for open orders: they do not move";
        let remedy = "cancel the orders that it is for, and set it to 0 in the source's table pools";
        let of_pool = Fault::of_table("pools", rule, remedy);
        faults.push(Fault { column: "open_order_margin".into(), value: margin.to_string(), ..of_pool });
    }
    faults
}

/// Assets that the pool holds or its positions settle in, with their names.
fn assets_of(held: &Holdings, snapshot: &Snapshot) -> Vec<(AssetIndex, String)> {
    let settled = held.positions.iter().map(|p| snapshot.instruments[p.instrument as usize].settlement_asset);
    let mut assets: Vec<AssetIndex> = held.balances.iter().map(|balance| balance.asset).chain(settled).collect();
    assets.sort_unstable();
    assets.dedup();
    assets.into_iter().map(|asset| (asset, snapshot.assets[asset as usize].name.clone())).collect()
}

/// The same position in an instrument of the destination; every difference of terms where there is none.
fn counterpart(position: &Position, venues: &Venues<'_>) -> Result<Position, Vec<Fault>> {
    let (from, to) = (venues.source.snapshot, venues.destination.snapshot);
    let here = &from.instruments[position.instrument as usize];
    let Some(at) = to.instruments.iter().position(|instrument| instrument.name == here.name) else {
        let remedy = "close the position: neither novation nor reopening can move it";
        return Err(vec![fault("instrument", &here.name, "the destination lists this instrument", remedy)]);
    };
    let there = &to.instruments[at];
    let arriving = Position { instrument: at as InstrumentIndex, ..*position };
    let differences = differences((here, from), (there, to));
    if differences.is_empty() {
        return Ok(arriving);
    }
    let remedy = "close the position: neither novation nor reopening can move it";
    let rule = |(term, from, to): &(&str, String, String)| {
        let rule = format!("its {term} is the same at both sides: {from} at the source, {to} at the destination");
        fault("instrument", &here.name, rule, remedy)
    };
    Err(differences.iter().map(rule).collect())
}

/// Terms in which two instruments differ: the term, here, there. Marks and margin classes are each venue's own.
fn differences(
    (here, from): (&Instrument, &Snapshot),
    (there, to): (&Instrument, &Snapshot),
) -> Vec<(&'static str, String, String)> {
    let terms = |of: &Instrument, snapshot: &Snapshot| {
        let asset = |index: AssetIndex| snapshot.assets[index as usize].name.clone();
        [
            ("kind", format!("{:?}", of.kind)),
            ("payoff", format!("{:?}", of.payoff)),
            ("underlying", snapshot.underlyings[of.underlying as usize].name.clone()),
            ("settlement_asset", asset(of.settlement_asset)),
            ("price_asset", asset(of.price_asset)),
            ("contract_size", of.contract_size.to_string()),
            ("strike", format!("{:?}", of.strike)),
            ("expiry", format!("{:?}", of.expiry)),
            ("right", format!("{:?}", of.right)),
            ("premium", format!("{:?}", of.premium)),
            ("fixed_rate", of.fixed_rate.to_string()),
        ]
    };
    let pairs = terms(here, from).into_iter().zip(terms(there, to));
    pairs.filter(|((_, here), (_, there))| here != there).map(|((term, h), (_, t))| (term, h, t)).collect()
}

/// Closes every position at the source's mark and opens it there: sets entries and funding, adds what that realises and costs.
/// Answers the costs of both sides, quote units.
fn reopen(
    costs: Reopening,
    matched: &mut [(Position, Position)],
    (names, changes): (&[(AssetIndex, String)], &mut [Change]),
    (venues, source): (&Venues<'_>, &Holdings),
    unshocked: Unshocked,
) -> Result<(f64, f64)> {
    // Costs are those of the unshocked market: which target is meant makes no difference.
    let target = (1.0, MarginSide::Maintenance);
    let arriving = Holdings { positions: matched.iter().map(|(_, there)| *there).collect(), ..Holdings::default() };
    let here = side::Side::new(&venues.source, std::slice::from_ref(source), target, unshocked)?;
    let there = side::Side::new(&venues.destination, &[arriving], target, unshocked)?;
    let mut total = (0.0, 0.0);
    for (leaving, arriving) in matched {
        let instrument = &venues.source.snapshot.instruments[leaving.instrument as usize];
        let mark = instrument.mark_price;
        let prices = [here.settlement_price(leaving.instrument), there.settlement_price(arriving.instrument)];
        if prices.iter().any(|price| *price <= 0.0) {
            let rule = format!("{} settles in an asset whose price is > 0 at both sides", instrument.name);
            return Err(Error::Refused(vec![Fault::of_table("assets", rule, "novate the position instead")]));
        }
        let size = leaving.quantity.abs();
        let closing = size * here.unit_notional(leaving) * costs.source.of(instrument.kind);
        let opening = size * there.unit_notional(arriving) * costs.destination.of(instrument.kind);
        let entry = entry_value(instrument, mark) - entry_value(instrument, leaving.entry_price);
        let change = change_of(names, changes, instrument.settlement_asset);
        change.realised += leaving.quantity * entry + leaving.accrued_funding;
        change.cost += closing / prices[0] + opening / prices[1];
        total = (total.0 + closing, total.1 + opening);
        (arriving.entry_price, arriving.accrued_funding) = (mark, 0.0);
    }
    Ok(total)
}

fn change_of<'c>(names: &[(AssetIndex, String)], changes: &'c mut [Change], asset: AssetIndex) -> &'c mut Change {
    // Every settlement asset of the pool is among its assets.
    let at = names.iter().position(|(known, _)| *known == asset).unwrap_or_default();
    &mut changes[at]
}

/// A position, netted with what the destination holds; what that realises is paid out there.
fn position_piece(
    leaving: Position,
    arriving: Position,
    venues: &Venues<'_>,
    destination: &Holdings,
    (names, changes): (&[(AssetIndex, String)], &mut [Change]),
) -> Result<Piece, Box<Fault>> {
    let instrument = &venues.source.snapshot.instruments[leaving.instrument as usize];
    let held = destination.position(&arriving).copied();
    let quantity = held.map_or(0.0, |held| held.quantity);
    let grid = grid_of(&instrument.name, leaving.quantity, quantity)?;
    let (before, moved) = (grid.contracts(quantity), grid.contracts(leaving.quantity));
    let after = match held {
        None => Some(arriving),
        Some(held) => {
            let there = &venues.destination.snapshot.instruments[arriving.instrument as usize];
            let netted = net(there, &[held, arriving]);
            if let Some(paid) = netted.paid_out {
                change_of(names, changes, instrument.settlement_asset).realised += paid.amount;
            }
            let sum = before + moved;
            netted
                .position
                .filter(|_| sum != Quanta::ZERO)
                .map(|position| Position { quantity: sum.units(), ..position })
        }
    };
    let item = Item {
        kind: ItemKind::Position,
        leaving: moved,
        arriving: moved,
        ..Item::balance(&item_name(instrument, leaving.side), moved, before)
    };
    Ok(Piece { item, grid, place: Place::Position { leaving, arriving, after } })
}

/// Name of a position: that of the instrument, and its leg in hedge mode.
fn item_name(instrument: &Instrument, side: Side) -> String {
    match side {
        Side::Net => instrument.name.clone(),
        Side::Long => format!("{} long", instrument.name),
        Side::Short => format!("{} short", instrument.name),
    }
}

fn balance_piece(
    (asset, name): (AssetIndex, &str),
    change: &Change,
    plan: &Plan,
    venues: &Venues<'_>,
    (source, destination): (&Holdings, &Holdings),
) -> Result<Piece, Box<Fault>> {
    let to = asset_of(venues.destination.snapshot, name, "destination")?;
    let units = source.amount(asset) + source.accrued(asset);
    let there = destination.amount(to);
    let grid = grid_of(name, units.abs() + change.realised.abs() + change.cost, there)?;
    let (before, realised, cost) = (grid.nearest(units), grid.floor(change.realised), grid.ceil(change.cost));
    let fee = grid.up(Credit::of(&plan.route).fee(before));
    let item = Item {
        leaving: before,
        arriving: before + realised - cost - fee,
        fee,
        realised,
        cost,
        ..Item::balance(name, before, grid.nearest(there))
    };
    Ok(Piece { item, grid, place: Place::Account(asset, to) })
}
