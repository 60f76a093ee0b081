use std::collections::BTreeSet;

use super::open_interest;
use super::option_groups::OptionGroups;
use super::requirement::Requirements;
use super::rules::portfolio_fault;
use super::{HaircutBase, OrderReserve, Rulebook};
use crate::domain::{Custody, CustodyStatus, Kind, Snapshot};
use crate::error::Fault;

/// Checks that a rulebook has a class for everything a book uses: the faults, and the warnings.
///
/// A fault: a held instrument (or, where orders reserve margin, an ordered one) whose margin class is missing, or that its
/// class cannot margin, or whose class reads an open interest that is not there; a used asset whose haircut class is
/// missing; portfolio pools where the rulebook has no requirement for them. A warning: used assets without a haircut class
/// (their haircut is 0), attested assets on routes without one (nothing of them counts), orders under a rulebook that
/// reserves nothing for them, oracle policies of unknown subjects, and those of [`Rulebook::warnings`].
pub fn check_book(snapshot: &Snapshot, rulebook: &Rulebook) -> (Vec<Fault>, Vec<String>) {
    let book = &snapshot.book;
    let mut held: BTreeSet<u32> = book.positions().iter().map(|position| position.instrument).collect();
    let mut used: BTreeSet<u32> = book.balances().iter().map(|balance| balance.asset).collect();
    if rulebook.haircut_base == HaircutBase::BalanceAndPnl {
        used.extend(held.iter().map(|&instrument| snapshot.instruments[instrument as usize].settlement_asset));
    }
    let mut orders = 0u64;
    for pool in book.pools() {
        orders += pool.settings.orders.len() as u64;
        if rulebook.orders == OrderReserve::Initial {
            held.extend(pool.settings.orders.iter().map(|order| order.instrument));
        }
    }
    let mut faults: Vec<Fault> = portfolio_fault(rulebook, snapshot).into_iter().collect();
    let mut warnings = rulebook.warnings();
    let (requirements, faults_of_formulas) = Requirements::of(rulebook);
    faults.extend(faults_of_formulas);
    let needs_classes = requirements.needs_classes(rulebook);
    for instrument in held.iter().filter(|_| needs_classes).map(|&index| &snapshot.instruments[index as usize]) {
        let class = &instrument.margin_class;
        let is_option = instrument.kind == Kind::Option;
        let is_option_class = rulebook.option.contains_key(class);
        if rulebook.margin.contains_key(class) || (is_option && is_option_class) {
            continue;
        }
        let rule = if is_option_class {
            format!("held instrument {} is no option, but its margin class is an option class", instrument.name)
        } else {
            format!("margin class of held instrument {} is not in the rulebook", instrument.name)
        };
        let option_classes = rulebook.option.keys().filter(|_| is_option);
        let known = rulebook.margin.keys().chain(option_classes).map(String::as_str);
        let remedy = crate::suggest::remedy(class, known, "add the class, or set margin_class");
        faults.push(missing("instruments", "margin_class", class, rule, remedy));
    }
    let is_held: Vec<bool> = (0..snapshot.instruments.len() as u32).map(|index| held.contains(&index)).collect();
    faults.extend(OptionGroups::of(rulebook, snapshot).faults(snapshot, &is_held));
    faults.extend(open_interest::faults(rulebook, snapshot, &is_held));
    let (mut without_class, mut uncredited) = (Vec::new(), Vec::new());
    for asset in used.iter().map(|&index| &snapshot.assets[index as usize]) {
        match (&asset.haircut_class, &asset.custody) {
            (None, _) => without_class.push(asset.name.as_str()),
            (Some(class), _) if rulebook.haircut.contains_key(class) => {}
            (_, Some(Custody { status: CustodyStatus::InTransit, .. })) => {}
            (_, Some(_)) => uncredited.push(asset.name.as_str()),
            (Some(class), None) => {
                let known = rulebook.haircut.keys().map(String::as_str);
                let rule = format!("haircut class of held asset {} is not in the rulebook", asset.name);
                let remedy = crate::suggest::remedy(class, known, "add the class, or leave haircut_class empty");
                faults.push(missing("assets", "haircut_class", class, rule, remedy));
            }
        }
    }
    if !without_class.is_empty() {
        warnings.push(format!("no haircut_class, so a haircut of 0: {}", without_class.join(", ")));
    }
    if !uncredited.is_empty() {
        let assets = uncredited.join(", ");
        warnings.push(format!("no haircut class for the route in the rulebook, so nothing counts: {assets}"));
    }
    if let Some(policies) = &rulebook.oracle {
        warnings.extend(policies.warnings(|name| {
            snapshot.assets.iter().any(|asset| asset.name == name)
                || snapshot.underlyings.iter().any(|underlying| underlying.name == name)
        }));
    }
    let is_underlying = |name: &str| snapshot.underlyings.iter().any(|underlying| underlying.name == name);
    let in_force = rulebook.overlay.iter().flat_map(|overlay| overlay.in_force.keys());
    let unknown: Vec<&str> = in_force.map(String::as_str).filter(|name| !is_underlying(name)).collect();
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        warnings.push(format!("overlay.in_force has multipliers of what is no underlying of the book: {names}"));
    }
    if orders > 0 && rulebook.orders == OrderReserve::None {
        warnings.push(format!("{orders} open order(s) reserve no margin under this rulebook"));
    }
    (faults, warnings)
}

fn missing(table: &str, column: &str, class: &str, rule: String, remedy: String) -> Fault {
    Fault { column: column.into(), value: class.into(), ..Fault::of_table(table, rule, remedy) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Asset, Balance, Book, BookBuilder, Instrument, Order, Payoff, Position, Premium, Side, Underlying,
    };
    use crate::margin::{MarginClass, Schedule};

    fn snapshot(book: Book) -> Snapshot {
        let asset = |name: &str, class: Option<&str>| Asset {
            name: name.into(),
            price: 1.0,
            underlying: name.into(),
            haircut_class: class.map(Into::into),
            network: None,
            custody: None,
        };
        let instrument = |name: &str| Instrument {
            name: name.into(),
            kind: Kind::Perpetual,
            underlying: 0,
            payoff: Payoff::Linear,
            settlement_asset: 1,
            contract_size: 1.0,
            mark_price: 1.0,
            strike: None,
            expiry: None,
            right: None,
            implied_volatility: None,
            forward_price: None,
            rate: 0.0,
            price_asset: 1,
            premium: Premium::Paid,
            fixed_rate: 1.0,
            margin_class: name.into(),
            confidence: 1.0,
        };
        Snapshot {
            as_of: None,
            quote: "USD".into(),
            assets: vec![asset("COIN", Some("coin")), asset("USD", None)],
            underlyings: vec![Underlying {
                name: "U".into(),
                index_price: 1.0,
                factor: "U".into(),
                beta: 1.0,
                volatility_index: None,
                depth_quote: None,
                adv_quote: None,
                open_interest_quote: None,
                confidence: 1.0,
                volatility_shock: Default::default(),
            }],
            instruments: vec![instrument("held"), instrument("ordered"), instrument("unused")],
            routes: Vec::new(),
            haircut_curves: Vec::new(),
            book,
        }
    }

    #[test]
    fn only_what_is_used_needs_a_class() {
        let mut builder = BookBuilder::default();
        let pool = builder.pool("a", "main");
        builder.add_balance(pool, Balance::new(0, 1.0));
        builder.add_position(
            pool,
            Position {
                instrument: 0,
                quantity: 1.0,
                entry_price: 1.0,
                leverage: None,
                accrued_funding: 0.0,
                side: Side::Net,
            },
        );
        builder.settings(pool).orders.push(Order { instrument: 1, quantity: 1.0, price: 1.0, reduces_only: false });
        let snapshot = snapshot(builder.build());
        let values = |rulebook: &Rulebook| -> Vec<String> {
            check_book(&snapshot, rulebook).0.into_iter().map(|fault| fault.value).collect()
        };
        let mut rulebook = Rulebook::default();
        assert_eq!(values(&rulebook), ["held", "coin"]);
        assert_eq!(check_book(&snapshot, &rulebook).1, ["1 open order(s) reserve no margin under this rulebook"]);
        rulebook.orders = OrderReserve::Initial;
        rulebook.haircut_base = HaircutBase::BalanceAndPnl;
        assert_eq!(values(&rulebook), ["held", "ordered", "coin"]);
        assert_eq!(check_book(&snapshot, &rulebook).1, ["no haircut_class, so a haircut of 0: USD"]);
        let flat = Schedule::flat(0.1);
        let class = MarginClass::brackets(flat.clone(), flat);
        rulebook.margin.insert("held".into(), class);
        assert_eq!(values(&rulebook), ["ordered", "coin"]);
    }
}
