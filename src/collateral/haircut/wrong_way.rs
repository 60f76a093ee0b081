use std::collections::BTreeSet;

use ndarray::Array2;

use super::history::History;
use super::propose::AssetHaircut;
use crate::domain::{Snapshot, UnderlyingIndex};
use crate::error::Result;
use crate::margin::{Component, Rulebook};
use crate::scenario::correlation::CorrelationMatrix;

/// A collateral that falls when positions in an underlying lose.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongWayPair {
    /// Name of the collateral asset.
    pub collateral: String,
    /// Name of the underlying.
    pub underlying: String,
    /// Correlation of their log-returns, row by row.
    pub correlation: f64,
    /// |correlation| · market haircut of the collateral: what of it falls together with the position.
    pub rate: f64,
}

/// The pairs of a held asset and an underlying with contracts whose correlation is at least `threshold` in size, strongest
/// first; an asset that is its own underlying is correlated by 1. Correlations need thirty common returns.
pub fn wrong_way_pairs(
    snapshot: &Snapshot,
    history: &History,
    proposed: &[AssetHaircut],
    threshold: f64,
) -> Vec<WrongWayPair> {
    let closes = history.closes();
    let rows = closes.nrows().saturating_sub(1);
    let returns = Array2::from_shape_fn((rows, closes.ncols()), |(row, column)| {
        libm::log(closes[[row + 1, column]] / closes[[row, column]])
    });
    let names = history.courses.iter().map(|course| course.name.clone()).collect();
    let matrix = CorrelationMatrix::of_log_returns(names, &returns);
    let place = |name: &str| {
        let course = history.course(name)?;
        history.courses.iter().position(|other| std::ptr::eq(other, course))
    };
    let listed: BTreeSet<UnderlyingIndex> =
        snapshot.instruments.iter().map(|instrument| instrument.underlying).collect();
    let mut pairs = Vec::new();
    for haircut in proposed {
        let asset = &snapshot.assets[haircut.asset as usize];
        let Some(market) = &haircut.market else { continue };
        for underlying in listed.iter().map(|index| &snapshot.underlyings[*index as usize]) {
            let known = || Some(matrix.values[[place(&market.source)?, place(&underlying.factor)?]]);
            let correlation = if asset.underlying == underlying.name { Some(1.0) } else { known() };
            if let Some(correlation) = correlation.filter(|correlation| correlation.abs() >= threshold) {
                pairs.push(WrongWayPair {
                    collateral: asset.name.clone(),
                    underlying: underlying.name.clone(),
                    correlation,
                    rate: correlation.abs() * market.haircut,
                });
            }
        }
    }
    pairs.sort_by(|a, b| b.correlation.abs().total_cmp(&a.correlation.abs()));
    pairs
}

/// The pairs as a component of a rulebook; `None` without any.
///
/// # Errors
/// [`Error::Bug`](crate::Error::Bug) never, unless the component cannot be read back.
pub fn wrong_way_component(pairs: &[WrongWayPair]) -> Result<Option<Component>> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let text = |value: &str| toml::Value::from(value).to_string();
    let rows: Vec<String> = pairs
        .iter()
        .map(|pair| {
            let moves = if pair.correlation > 0.0 { "together" } else { "opposite" };
            format!(
                "{{ collateral = {}, underlying = {}, moves = \"{moves}\", rate = {:?} }}",
                text(&pair.collateral),
                text(&pair.underlying),
                pair.rate
            )
        })
        .collect();
    let mut covered: Vec<String> = pairs.iter().map(|pair| text(&pair.collateral)).collect();
    covered.sort();
    covered.dedup();
    let file = format!(
        "version = 1\n[component.wrong_way]\nkind = \"wrong_way\"\nper = \"pool\"\ncollateral = [{}]\npairs = [{}]\n",
        covered.join(", "),
        rows.join(", ")
    );
    Ok(Rulebook::parse(&file, "wrong_way")?.component.remove("wrong_way"))
}
