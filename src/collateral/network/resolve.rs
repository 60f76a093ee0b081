use std::collections::{BTreeMap, BTreeSet, HashMap};

use ndarray::{Array1, Array2, Axis};

use super::haircut;
use crate::domain::{Asset, Custody, CustodyStatus, HaircutCurve, Route, Snapshot};
use crate::margin::Rulebook;
use crate::scenario::{Factor, FactorKind, ScenarioSet};

const HOUR_SECONDS: f64 = 3_600.0;

/// The set with everything that happens to routes turned into what happens to the assets on them, which is all that engines
/// know.
///
/// For every asset on route R, compounded with what the set says of the asset itself or of the settled one
/// (`(1 + a)(1 + b) − 1`): `route:R` is a shock of its price (`asset:`), `reorg:R` one of what is in transit, `censor:R` and
/// `delay:R` (by [`haircut::delayed`] of the settled class in `rulebook`) shocks of what counts (`credit:`), `stale:R` the share
/// of moves that is not seen yet (`lag:`). A factor of a route on which nothing stands that it reaches stays as it is, to be
/// reported like any factor that names nothing.
pub fn resolve(set: ScenarioSet, snapshot: &Snapshot, rulebook: &Rulebook) -> ScenarioSet {
    let market = Market::of(snapshot, rulebook);
    let columns: HashMap<&Factor, usize> = set.factors.iter().zip(0..).collect();
    let mut replaced: BTreeSet<usize> = BTreeSet::new();
    let mut made: BTreeMap<Factor, Array1<f64>> = BTreeMap::new();
    for (asset, custody) in snapshot.assets.iter().filter_map(|asset| Some((asset, asset.custody.as_ref()?))) {
        for target in [FactorKind::Asset, FactorKind::Credit, FactorKind::Lag] {
            let column = |kind, name: &str| columns.get(&Factor { kind, name: name.into() }).copied();
            let sources = sources(target, custody.status);
            let sources: Vec<(FactorKind, usize)> =
                sources.iter().filter_map(|&kind| Some((kind, column(kind, &custody.route)?))).collect();
            if sources.is_empty() {
                continue;
            }
            let own = column(target, &asset.name);
            // What is not seen of the settled asset, or of what moves it, is not seen of what stands on the route either.
            let above = || column(target, &asset.underlying).filter(|_| target == FactorKind::Lag);
            let base = own.or_else(|| column(target, &custody.asset)).or_else(above);
            let shock = |scenario: usize| {
                let base = base.map_or(0.0, |base| set.shock(scenario, base));
                sources.iter().fold(base, |sum, &(kind, column)| {
                    let shock = market.effect(kind, (asset, custody), set.shock(scenario, column));
                    compound(target, sum, shock)
                })
            };
            made.insert(Factor { kind: target, name: asset.name.clone() }, (0..set.len()).map(shock).collect());
            replaced.extend(own.into_iter().chain(sources.iter().map(|(_, column)| *column)));
        }
    }
    drop(columns);
    if made.is_empty() { set } else { rebuilt(set, &replaced, made) }
}

/// What of a route moves `target` of an asset that has come this far.
fn sources(target: FactorKind, status: CustodyStatus) -> &'static [FactorKind] {
    match (target, status) {
        (FactorKind::Asset, CustodyStatus::Attested) => &[FactorKind::Route],
        (FactorKind::Asset, CustodyStatus::InTransit) => &[FactorKind::Route, FactorKind::Reorganisation],
        (FactorKind::Credit, _) => &[FactorKind::Censorship, FactorKind::Delay],
        _ => &[FactorKind::Stale],
    }
}

/// Two shocks of one kind, one on top of the other. A shock beside none is itself, to the last bit.
fn compound(target: FactorKind, a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 {
        return a + b;
    }
    match target {
        // What is not seen of a move that is not seen in full.
        FactorKind::Lag => 1.0 - (1.0 - a) * (1.0 - b),
        _ => ((1.0 + a) * (1.0 + b) - 1.0).min(FactorKind::MAXIMUM),
    }
}

/// The set without the columns `replaced` and with those `made`.
fn rebuilt(set: ScenarioSet, replaced: &BTreeSet<usize>, made: BTreeMap<Factor, Array1<f64>>) -> ScenarioSet {
    let kept: Vec<usize> = (0..set.factors.len()).filter(|column| !replaced.contains(column)).collect();
    let old = set.shocks.select(Axis(1), &kept);
    let mut shocks = Array2::zeros((set.len(), kept.len() + made.len()));
    let (mut left, mut right) = shocks.view_mut().split_at(Axis(1), kept.len());
    left.assign(&old);
    for (mut column, values) in right.columns_mut().into_iter().zip(made.values()) {
        column.assign(values);
    }
    let factors = kept.into_iter().map(|column| set.factors[column].clone()).chain(made.into_keys()).collect();
    ScenarioSet { factors, shocks, ..set }
}

/// What the effect of a delay depends on.
struct Market<'a> {
    snapshot: &'a Snapshot,
    rulebook: &'a Rulebook,
    routes: HashMap<&'a str, &'a Route>,
}

impl<'a> Market<'a> {
    fn of(snapshot: &'a Snapshot, rulebook: &'a Rulebook) -> Self {
        let routes = snapshot.routes.iter().map(|route| (route.name.as_str(), route)).collect();
        Self { snapshot, rulebook, routes }
    }

    /// What a shock of the asset's route means for the asset.
    fn effect(&self, kind: FactorKind, (asset, custody): (&Asset, &Custody), shock: f64) -> f64 {
        match kind {
            FactorKind::Censorship | FactorKind::Reorganisation => 0.0 - shock,
            FactorKind::Delay => self.delayed(asset, custody, shock),
            _ => shock,
        }
    }

    fn delayed(&self, asset: &Asset, custody: &Custody, hours: f64) -> f64 {
        let Some(route) = self.routes.get(custody.route.as_str()) else { return 0.0 };
        let class = settled_class(asset, custody);
        let settled = self.rulebook.haircut.get(class).and_then(|class| class.haircuts.first()).copied().unwrap_or(0.0);
        haircut::delayed(settled, curve(self.snapshot, class), route, hours * HOUR_SECONDS)
    }
}

/// Haircut class of the settled asset, or its name where it has none.
fn settled_class<'a>(asset: &'a Asset, custody: &'a Custody) -> &'a str {
    let class = asset.haircut_class.as_deref().and_then(|class| class.rsplit_once('@'));
    class.map_or(custody.asset.as_str(), |(class, _)| class)
}

/// The curve of a class, where there is one.
pub(super) fn curve<'a>(snapshot: &'a Snapshot, class: &str) -> Option<&'a HaircutCurve> {
    let found = snapshot.haircut_curves.binary_search_by(|curve| curve.class.as_str().cmp(class)).ok()?;
    snapshot.haircut_curves.get(found)
}
