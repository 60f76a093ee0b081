//! Grids of price, volatility and asset shocks.

use std::collections::BTreeSet;

use ndarray::Array2;

use super::names::price_factors;
use super::{Factor, FactorKind, ScenarioSet};
use crate::domain::{Asset, Underlying};
use crate::error::{Error, Result};

/// Most scenarios one grid may have: a typing mistake must not fill the disk.
const MOST_SCENARIOS: usize = 1_000_000;

/// Which price factors a grid shock moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// All chosen underlyings move together.
    Parallel,
    /// Each price factor moves alone, the others stay: one block of scenarios per factor.
    PerUnderlying,
}

/// The axes of a grid. Shocks are relative (−0.2 = −20 %), finite, ≥ −1 and distinct within an axis.
#[derive(Debug, Clone)]
pub struct GridRequest {
    /// Shocks of the price factors; empty: prices stay.
    pub price: Vec<f64>,
    /// Shocks of the implied volatilities; empty: no volatility columns.
    pub volatility: Vec<f64>,
    /// Shocks of single assets on top of prices, an axis each.
    pub assets: Vec<(String, Vec<f64>)>,
    /// Underlyings that move; empty: all.
    pub underlyings: Vec<String>,
    /// Whether they move together.
    pub movement: Movement,
}

/// One axis at work: these columns take each of these shocks together.
struct Axis<'a> {
    title: String,
    columns: Vec<usize>,
    shocks: &'a [f64],
}

/// The cartesian product of the request's axes, prices slowest, weight 1 each.
///
/// Every price factor of `underlyings` has a column; those not chosen stay at 0, so that no holding lacks a factor. An
/// asset whose own underlying is among the factors moves with it. Ids name the shocks, for example `price-0.2 vol+0.5`.
///
/// # Errors
/// [`Error::Usage`] where a name is unknown, a shock is below −1, not finite or given twice, no axis is given, or the grid
/// exceeds 1,000,000 scenarios.
pub fn grid(underlyings: &[Underlying], assets: &[Asset], request: &GridRequest) -> Result<ScenarioSet> {
    check(underlyings, assets, request)?;
    let factors = columns(underlyings, request);
    let set_column = |factor: &Factor| factors.iter().position(|candidate| candidate == factor);
    let chosen = chosen_factors(underlyings, request);
    let groups: Vec<(String, Vec<&str>)> = match request.movement {
        Movement::Parallel => vec![(String::new(), chosen.iter().map(String::as_str).collect())],
        Movement::PerUnderlying => chosen.iter().map(|name| (format!("{name} "), vec![name.as_str()])).collect(),
    };
    let mut ids = Vec::new();
    let mut shocks = Vec::new();
    for (title, group) in &groups {
        let moved = |kind, names: Vec<&str>| -> Vec<usize> {
            names.iter().filter_map(|name| set_column(&Factor { kind, name: (*name).into() })).collect()
        };
        let with_volatility = underlyings
            .iter()
            .filter(|underlying| group.contains(&underlying.factor.as_str()) && is_chosen(underlying, request))
            .map(|underlying| underlying.name.as_str())
            .collect();
        let mut axes = vec![
            Axis { title: "price".into(), columns: moved(FactorKind::Price, group.clone()), shocks: &request.price },
            Axis {
                title: "vol".into(),
                columns: moved(FactorKind::Volatility, with_volatility),
                shocks: &request.volatility,
            },
        ];
        axes.extend(request.assets.iter().map(|(name, values)| Axis {
            title: name.clone(),
            columns: moved(FactorKind::Asset, vec![name]),
            shocks: values,
        }));
        axes.retain(|axis| !axis.shocks.is_empty());
        product(title, &axes, factors.len(), &mut ids, &mut shocks)?;
    }
    let count = ids.len();
    let shocks = Array2::from_shape_vec((count, factors.len()), shocks).map_err(|e| Error::Bug(e.to_string()))?;
    Ok(ScenarioSet { ids, weights: vec![1.0; count], labels: vec![String::new(); count], factors, shocks })
}

/// Appends every combination of the axes, the last axis fastest.
fn product(title: &str, axes: &[Axis<'_>], width: usize, ids: &mut Vec<String>, shocks: &mut Vec<f64>) -> Result<()> {
    let count = axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.shocks.len()));
    let count = count.filter(|count| ids.len().saturating_add(*count) <= MOST_SCENARIOS).ok_or_else(|| {
        Error::Usage(format!("the grid exceeds {MOST_SCENARIOS} scenarios: give fewer shocks or fewer axes"))
    })?;
    for scenario in 0..count {
        let mut row = vec![0.0; width];
        let mut parts = Vec::with_capacity(axes.len());
        let mut rest = scenario;
        for axis in axes.iter().rev() {
            // Adding 0 turns −0 into 0, so that equal shocks have equal names.
            let shock = axis.shocks[rest % axis.shocks.len()] + 0.0;
            rest /= axis.shocks.len();
            for column in &axis.columns {
                row[*column] = shock;
            }
            parts.push(format!("{}{shock:+}", axis.title));
        }
        parts.reverse();
        ids.push(format!("{title}{}", parts.join(" ")));
        shocks.extend_from_slice(&row);
    }
    Ok(())
}

fn is_chosen(underlying: &Underlying, request: &GridRequest) -> bool {
    request.underlyings.is_empty()
        || request.underlyings.iter().any(|name| *name == underlying.name || *name == underlying.factor)
}

fn chosen_factors(underlyings: &[Underlying], request: &GridRequest) -> Vec<String> {
    let chosen: Vec<Underlying> =
        underlyings.iter().filter(|underlying| is_chosen(underlying, request)).cloned().collect();
    price_factors(&chosen)
}

fn columns(underlyings: &[Underlying], request: &GridRequest) -> Vec<Factor> {
    let mut factors: Vec<Factor> = price_factors(underlyings).into_iter().map(Factor::price).collect();
    if !request.volatility.is_empty() {
        let names: BTreeSet<&str> = underlyings.iter().map(|underlying| underlying.name.as_str()).collect();
        factors.extend(names.into_iter().map(|name| Factor { kind: FactorKind::Volatility, name: name.into() }));
    }
    factors.extend(request.assets.iter().map(|(name, _)| Factor::asset(name.as_str())));
    factors
}

fn check(underlyings: &[Underlying], assets: &[Asset], request: &GridRequest) -> Result<()> {
    for name in &request.underlyings {
        if !underlyings.iter().any(|underlying| underlying.name == *name || underlying.factor == *name) {
            let remedy = crate::suggest::remedy(
                name,
                underlyings.iter().map(|underlying| underlying.name.as_str()),
                "nothing like it is known",
            );
            return Err(Error::Usage(format!("no underlying {name:?} in the snapshot: {remedy}")));
        }
    }
    for (position, (name, _)) in request.assets.iter().enumerate() {
        if !assets.iter().any(|asset| asset.name == *name) {
            let remedy = crate::suggest::remedy(
                name,
                assets.iter().map(|asset| asset.name.as_str()),
                "nothing like it is known",
            );
            return Err(Error::Usage(format!("no asset {name:?} in the snapshot: {remedy}")));
        }
        if request.assets[..position].iter().any(|(earlier, _)| earlier == name) {
            return Err(Error::Usage(format!("asset {name} is given twice: write one list, {name}=-0.1,0")));
        }
    }
    let lists = [("price", &request.price), ("vol", &request.volatility)];
    let lists = lists.into_iter().chain(request.assets.iter().map(|(name, values)| (name.as_str(), values)));
    let mut axes = 0;
    for (title, values) in lists {
        axes += usize::from(!values.is_empty());
        for (position, value) in values.iter().enumerate() {
            if !(value.is_finite() && *value >= -1.0) {
                return Err(Error::Usage(format!("{title} shock {value}: a relative shock is finite and at least -1")));
            }
            if values[..position].contains(value) {
                return Err(Error::Usage(format!("{title} shock {value} is given twice")));
            }
        }
    }
    if axes == 0 {
        return Err(Error::Usage("a grid needs shocks: give --price, --vol or --asset".into()));
    }
    if underlyings.is_empty() && !(request.price.is_empty() && request.volatility.is_empty()) {
        return Err(Error::Usage("the snapshot has no underlyings to shock".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixtures::{asset, underlying};

    fn request(price: &[f64], movement: Movement) -> GridRequest {
        GridRequest { price: price.into(), volatility: vec![], assets: vec![], underlyings: vec![], movement }
    }

    #[test]
    fn parallel_moves_everything_and_multiplies_the_axes() {
        let held = [underlying("BTC"), underlying("ETH")];
        let mut request = request(&[-0.5, -0.1], Movement::Parallel);
        request.volatility = vec![0.0, 1.0];
        request.assets = vec![("USDT".into(), vec![-0.05, 0.0])];
        let set = grid(&held, &[asset("USDT")], &request).unwrap();
        assert_eq!(set.len(), 8);
        assert!(set.faults().is_empty());
        let names: Vec<String> = set.factors.iter().map(Factor::to_string).collect();
        assert_eq!(names, ["price:BTC", "price:ETH", "vol:BTC", "vol:ETH", "asset:USDT"]);
        assert_eq!(set.ids[0], "price-0.5 vol+0 USDT-0.05");
        assert_eq!(set.shocks.row(0).to_vec(), [-0.5, -0.5, 0.0, 0.0, -0.05]);
        assert_eq!(set.shocks.row(7).to_vec(), [-0.1, -0.1, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn each_underlying_alone_leaves_the_others_unshocked() {
        let held = [underlying("BTC"), underlying("ETH"), underlying("SOL")];
        let mut request = request(&[-0.3, 0.3], Movement::PerUnderlying);
        request.underlyings = vec!["ETH".into(), "SOL".into()];
        let set = grid(&held, &[], &request).unwrap();
        assert_eq!(set.ids, ["ETH price-0.3", "ETH price+0.3", "SOL price-0.3", "SOL price+0.3"]);
        assert_eq!(set.shocks.row(2).to_vec(), [0.0, 0.0, -0.3]);
    }

    #[test]
    fn wrong_requests_are_refused() {
        let held = [underlying("BTC")];
        let base = request(&[-0.1], Movement::Parallel);
        let cases: [(&str, GridRequest); 6] = [
            ("did you mean \"BTC\"", GridRequest { underlyings: vec!["BTCC".into()], ..base.clone() }),
            ("no asset", GridRequest { assets: vec![("USDX".into(), vec![0.1])], ..base.clone() }),
            ("at least -1", GridRequest { price: vec![-1.5], ..base.clone() }),
            ("finite", GridRequest { price: vec![f64::NAN], ..base.clone() }),
            ("given twice", GridRequest { price: vec![0.1, 0.1], ..base.clone() }),
            ("needs shocks", GridRequest { price: vec![], ..base }),
        ];
        for (expected, request) in cases {
            let error = grid(&held, &[asset("USDT")], &request).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(expected), "{error}");
        }
        let many: Vec<f64> = (0..1100).map(|k| k as f64).collect();
        let mut request = request(&many, Movement::Parallel);
        request.volatility = many.clone();
        assert!(grid(&held, &[], &request).is_err());
    }
}
