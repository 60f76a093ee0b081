//! Whether a policy fits a snapshot: depths that its law needs, names that it uses, sizes that whole quanta can hold.

use super::books::depth_at_base;
use super::money::LARGEST_UNITS;
use crate::domain::Snapshot;
use crate::error::{Error, Fault, Result};
use crate::policy::{ImpactLaw, Policy, Step};
use crate::pricing::entry_value;

/// Every check.
///
/// # Errors
/// [`Error::Configuration`] for names that the snapshot does not have, [`Error::Refused`] for what the snapshot lacks.
pub fn check(snapshot: &Snapshot, policy: &Policy) -> Result<()> {
    check_names(snapshot, policy)?;
    check_depths(snapshot, policy)?;
    check_sizes(snapshot)
}

/// Names of the policy stand in the snapshot.
fn check_names(snapshot: &Snapshot, policy: &Policy) -> Result<()> {
    let underlyings: Vec<&str> = snapshot.underlyings.iter().map(|underlying| underlying.name.as_str()).collect();
    let instruments = snapshot.instruments.iter().map(|instrument| instrument.name.as_str());
    let assets = snapshot.assets.iter().map(|asset| asset.name.as_str());
    let tradable: Vec<&str> = underlyings.iter().copied().chain(instruments).chain(assets).collect();
    let mut faults = Vec::new();
    let mut check = |key: &str, names: Vec<&String>, known: &[&str], rule: &str| {
        for name in names.into_iter().filter(|name| !known.contains(&name.as_str())) {
            let mut fault = Fault::of_table("policy", rule, "");
            fault.remedy = crate::suggest::remedy(name, known.iter().copied(), "remove it");
            (fault.column, fault.value) = (format!("{key}.{name}"), name.clone());
            faults.push(fault);
        }
    };
    let depths = policy.impact.depth_quote.keys().collect();
    check("impact.depth_quote", depths, &tradable, "an underlying, an instrument or an asset of the snapshot");
    let funds = policy.fund.balances.keys().collect();
    check("fund.balances_quote", funds, &underlyings, "an underlying of the snapshot");
    if faults.is_empty() { Ok(()) } else { Err(Error::Configuration(faults)) }
}

/// Depths that the policy's law needs and nobody gives, for what the book holds: [`Error::Refused`] by name.
///
/// # Errors
/// One fault for each underlying.
fn check_depths(snapshot: &Snapshot, policy: &Policy) -> Result<()> {
    let impact = &policy.impact;
    let mut held = vec![false; snapshot.underlyings.len()];
    for position in snapshot.book.positions() {
        held[snapshot.instruments[position.instrument as usize].underlying as usize] = true;
    }
    let mut owned = vec![false; snapshot.assets.len()];
    snapshot.book.balances().iter().for_each(|balance| owned[balance.asset as usize] = true);
    for (index, _) in owned.iter().enumerate().filter(|(_, owned)| **owned && policy.takes(Step::ConvertCollateral)) {
        if let Some(underlying) = snapshot.underlying_of_asset(index as u32) {
            held[underlying as usize] = true;
        }
    }
    let mut faults = Vec::new();
    for (index, terms) in snapshot.underlyings.iter().enumerate().filter(|(index, _)| held[*index]) {
        let has_depth = depth_at_base(snapshot, impact, index as u32).is_some_and(|depth| depth > 0.0);
        let missing = match impact.law {
            ImpactLaw::None => None,
            ImpactLaw::Linear | ImpactLaw::Saturating { .. } => (!has_depth).then_some("depth"),
            ImpactLaw::SquareRoot { .. } if !terms.adv_quote.is_some_and(|volume| volume > 0.0) => Some("adv"),
            ImpactLaw::SquareRoot { .. } => terms.volatility_index.is_none().then_some("volatility_index"),
        };
        if let Some(column) = missing {
            let rule = format!("the law of impact needs the {column} of {}, whose contracts are held", terms.name);
            let remedy = match column {
                "depth" => "add the column, or depth_quote or default_depth_quote to the policy's impact",
                _ => "add the column, or choose another law of impact",
            };
            faults.push(Fault::of_cell(("underlyings", index as u64 + 1, column), "", rule, remedy));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Refused(faults)) }
}

/// Assets in pools that trade in a book of their own whose depth nobody gives: they are sold without any impact.
pub fn bottomless_assets<'s>(snapshot: &'s Snapshot, policy: &Policy) -> Vec<&'s str> {
    let impact = &policy.impact;
    if impact.law == ImpactLaw::None || impact.default_depth_quote.is_some() {
        return Vec::new();
    }
    let mut owned = vec![false; snapshot.assets.len()];
    snapshot.book.balances().iter().for_each(|balance| owned[balance.asset as usize] = true);
    let bottomless = (0u32..).zip(&snapshot.assets).zip(owned).filter(|((index, asset), owned)| {
        *owned
            && asset.name != snapshot.quote
            && snapshot.underlying_of_asset(*index).is_none()
            && !impact.depth_quote.contains_key(&asset.name)
    });
    bottomless.map(|((_, asset), _)| asset.name.as_str()).collect()
}

/// Amounts that leave room for exact sums.
fn check_sizes(snapshot: &Snapshot) -> Result<()> {
    let balances = snapshot.book.balances().iter().map(|balance| balance.amount.abs() + balance.accrued_interest.abs());
    let positions = snapshot.book.positions().iter().map(|position| position.quantity.abs());
    let entries = snapshot.book.positions().iter().map(|position| {
        let instrument = &snapshot.instruments[position.instrument as usize];
        (position.quantity * entry_value(instrument, position.entry_price)).abs()
    });
    let largest = balances.chain(positions).chain(entries).fold(0.0, f64::max);
    if largest <= LARGEST_UNITS {
        return Ok(());
    }
    let rule =
        format!("amounts, contracts and entry values are at most {LARGEST_UNITS:e} to be sequenced in whole quanta");
    let mut fault = Fault::of_table("positions", rule, "correct the amount, or leave its pool out");
    fault.value = largest.to_string();
    Err(Error::Refused(vec![fault]))
}
