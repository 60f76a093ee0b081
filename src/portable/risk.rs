//! What the engine says of one pool, as the risk section of a document.

use std::collections::BTreeMap;

use super::account::{FileDigest, Greeks, Risk, Worst};
use super::decimal::Decimal;
use crate::domain::Snapshot;
use crate::engine::{Explainer, Statement};
use crate::error::Result;
use crate::margin::{Basis, TermKind};
use crate::pricing::Column;

/// The inputs that figures come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The files of the margin rules.
    pub rulebook: Vec<FileDigest>,
    /// The scenario set, where one is used.
    pub scenarios: Option<FileDigest>,
}

/// A pool's risk, and what its collateral counts for.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// The section.
    pub risk: Risk,
    /// Share of each held asset's value that does not count, in [0, 1]; assets whose value is not positive are left out.
    pub haircuts: BTreeMap<String, Decimal>,
}

/// Evaluates the pool at `index` of the explainer's book: figures and Greeks in the unshocked market, figures in its worst
/// scenario.
///
/// # Errors
/// [`crate::Error::Refused`] where pool, rulebook and scenarios do not fit together, or a figure is not finite.
pub fn summarise(explainer: &Explainer<'_>, index: usize, sources: Sources) -> Result<Assessment> {
    let explanation = explainer.explain(index, None)?;
    let base = &explanation.base;
    let worst = explanation.scenario.as_ref().map(|statement| worst(explainer, statement)).transpose()?;
    let [equity, adjusted_equity, initial_margin, maintenance_margin] = figures("risk", base)?;
    let risk = Risk {
        rulebook: sources.rulebook,
        scenarios: sources.scenarios,
        state: base.state.name().into(),
        equity,
        adjusted_equity,
        initial_margin,
        maintenance_margin,
        worst,
        greeks: greeks(explainer.snapshot, base)?,
    };
    Ok(Assessment { risk, haircuts: haircuts(base)? })
}

fn figures(path: &str, statement: &Statement) -> Result<[Decimal; 4]> {
    let figures = &statement.figures;
    let of = |name: &str, value: f64| Decimal::of(&format!("{path}.{name}"), value);
    Ok([
        of("equity", figures.equity)?,
        of("adjusted_equity", figures.adjusted_equity)?,
        of("initial_margin", figures.initial_margin)?,
        of("maintenance_margin", figures.maintenance_margin)?,
    ])
}

fn worst(explainer: &Explainer<'_>, statement: &Statement) -> Result<Worst> {
    let id = match (statement.column, explainer.scenarios) {
        (Column::Scenario(at), Some(set)) => set.ids.get(at).cloned(),
        _ => None,
    };
    let [equity, adjusted_equity, initial_margin, maintenance_margin] = figures("risk.worst", statement)?;
    let (scenario, state) = (id.unwrap_or_default(), statement.state.name().into());
    Ok(Worst { scenario, state, equity, adjusted_equity, initial_margin, maintenance_margin })
}

fn greeks(snapshot: &Snapshot, statement: &Statement) -> Result<Vec<Greeks>> {
    let of_underlying = |legs: &crate::engine::greeks::UnderlyingLegs| {
        let names = crate::pricing::Greeks::NAMES.into_iter().zip(legs.total.to_array());
        let values = names.map(|(name, value)| Ok((name.into(), Decimal::of(&format!("risk.greeks.{name}"), value)?)));
        let underlying = snapshot.underlyings[legs.underlying as usize].name.clone();
        Ok(Greeks { underlying, values: values.collect::<Result<_>>()? })
    };
    statement.greeks.iter().map(of_underlying).collect()
}

fn haircuts(statement: &Statement) -> Result<BTreeMap<String, Decimal>> {
    let of_term = |term: &crate::margin::Term| match term.basis {
        Basis::Kept { value, kept } if term.component == TermKind::Haircut && value > 0.0 => {
            Some((term.item.clone(), (1.0 - kept / value).clamp(0.0, 1.0)))
        }
        _ => None,
    };
    let shares = statement.terms.iter().filter_map(of_term);
    shares.map(|(asset, share)| Ok((asset, Decimal::of("collateral.haircut", share)?))).collect()
}
