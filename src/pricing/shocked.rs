use std::collections::{BTreeSet, HashMap};

use super::option_row::OptionRow;
use super::rows::{Column, Used};
use super::sight::Sight;
use super::{European, Numeraire, OptionMarket};
use crate::domain::{Asset, AssetIndex, Instrument, Kind, Payoff, Right, Snapshot, UnderlyingIndex};
use crate::error::Fault;
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// Seconds of a year, ACT/365.
pub const YEAR_SECONDS: f64 = 365.0 * 86_400.0;

/// A snapshot's market under any scenario of a set: prices of assets, indices, marks, and what options are valued in.
/// Where each shock stands in the set is looked up once.
pub struct ShockedMarket<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) scenarios: &'a ScenarioSet,
    /// `price:` column and beta of each underlying.
    pub(super) price: Vec<Option<(usize, f64)>>,
    /// `impact:` column of each underlying, and of each asset through its underlying.
    pub(super) impact: Vec<Option<usize>>,
    asset_impact: Vec<Option<usize>>,
    pub(super) basis: Vec<Option<usize>>,
    pub(super) volatility: Vec<Option<usize>>,
    pub(super) skew: Vec<Option<usize>>,
    /// `price:` column and beta, and `asset:` column, of each asset.
    asset_price: Vec<Option<(usize, f64)>>,
    asset: Vec<Option<usize>>,
    /// What the exchange sees of each underlying, and of each asset.
    pub(super) sight: Vec<Sight>,
    asset_sight: Vec<Sight>,
    /// `credit:` column of each asset.
    credit: Vec<Option<usize>>,
    /// `rate:` column of each asset.
    pub(super) rate: Vec<Option<usize>>,
    pub(super) time: Option<usize>,
    /// `depth:` and `volidx:` column of each underlying.
    depth: Vec<Option<usize>>,
    volatility_index: Vec<Option<usize>>,
}

impl<'a> ShockedMarket<'a> {
    /// Looks every factor up.
    pub fn new(snapshot: &'a Snapshot, scenarios: &'a ScenarioSet) -> Self {
        let columns: HashMap<&Factor, usize> = scenarios.factors.iter().zip(0..).collect();
        let column = |kind: FactorKind, name: &str| columns.get(&Factor { kind, name: name.into() }).copied();
        let by_underlying =
            |kind: FactorKind| snapshot.underlyings.iter().map(|underlying| column(kind, &underlying.name)).collect();
        // What stands on a route moves as it will once settled, unless the set says otherwise of it.
        let of_settled = |kind: FactorKind, asset: &Asset| column(kind, &asset.custody.as_ref()?.asset);
        let of_asset = |kind: FactorKind, asset: &Asset| column(kind, &asset.name).or_else(|| of_settled(kind, asset));
        let by_asset = |kind: FactorKind| snapshot.assets.iter().map(|asset| of_asset(kind, asset)).collect();
        let price: Vec<_> = snapshot
            .underlyings
            .iter()
            .map(|underlying| Some((column(FactorKind::Price, &underlying.factor)?, underlying.beta)))
            .collect();
        let by_name: HashMap<&str, usize> = snapshot.underlyings.iter().map(|u| u.name.as_str()).zip(0..).collect();
        // An asset follows the column of its underlying's own name; without one it moves as the underlying does, so that
        // collateral never stands still beside contracts that fall.
        let asset_price = snapshot.assets.iter().map(|asset| {
            let own = column(FactorKind::Price, &asset.underlying).map(|column| (column, 1.0));
            let through_factor = by_name.get(asset.underlying.as_str()).and_then(|&underlying| price[underlying]);
            own.or(through_factor)
        });
        let impact: Vec<_> = by_underlying(FactorKind::Impact);
        let asset_impact = snapshot
            .assets
            .iter()
            .map(|asset| by_name.get(asset.underlying.as_str()).and_then(|&underlying| impact[underlying]));
        let sight = snapshot.underlyings.iter().map(|underlying| Sight::of(|kind| column(kind, &underlying.name)));
        // An asset is seen through its own columns, else those of what it settles to, else its underlying's.
        let asset_sight = snapshot
            .assets
            .iter()
            .map(|asset| Sight::of(|kind| of_asset(kind, asset).or_else(|| column(kind, &asset.underlying))));
        Self {
            sight: sight.collect(),
            asset_sight: asset_sight.collect(),
            credit: by_asset(FactorKind::Credit),
            asset_price: asset_price.collect(),
            asset_impact: asset_impact.collect(),
            impact,
            asset: by_asset(FactorKind::Asset),
            rate: by_asset(FactorKind::Rate),
            basis: by_underlying(FactorKind::Basis),
            volatility: by_underlying(FactorKind::Volatility),
            skew: by_underlying(FactorKind::Skew),
            time: column(FactorKind::Time, ""),
            depth: by_underlying(FactorKind::Depth),
            volatility_index: by_underlying(FactorKind::VolatilityIndex),
            price,
            snapshot,
            scenarios,
        }
    }

    /// Shock of a column; 0 without one, and in the unshocked market.
    fn shock(&self, factor: Option<usize>, column: Column) -> f64 {
        match (factor, column) {
            (Some(factor), Column::Scenario(scenario)) => self.scenarios.shock(scenario, factor),
            _ => 0.0,
        }
    }

    /// Price of an asset, quote units, as the exchange sees it.
    pub fn asset_price(&self, asset: AssetIndex, column: Column) -> f64 {
        let index = asset as usize;
        let sight = &self.asset_sight[index];
        if sight.is_clear() {
            return self.moved_asset_price(index, self.snapshot.assets[index].price, column);
        }
        let seen = sight.seen(self.moved_asset_price(index, 1.0, column), |factor| self.shock(Some(factor), column));
        self.snapshot.assets[index].price * seen
    }

    /// A price that moves as an asset's does.
    fn moved_asset_price(&self, index: usize, mut price: f64, column: Column) -> f64 {
        if let Some((factor, beta)) = self.asset_price[index] {
            price *= 1.0 + beta * self.shock(Some(factor), column);
        }
        if let Some(impact) = self.asset_impact[index] {
            price *= 1.0 + self.shock(Some(impact), column);
        }
        price * (1.0 + self.shock(self.asset[index], column))
    }

    /// Share of an asset's price at which a balance of it counts as collateral: 1 + `credit:`; `None` where no column lowers it.
    pub fn credit(&self, asset: AssetIndex, column: Column) -> Option<f64> {
        let credit = self.credit[asset as usize]?;
        Some(1.0 + self.shock(Some(credit), column))
    }

    /// 1 + relative move of an underlying's index, marks and forwards, as the exchange sees it.
    pub fn price_factor(&self, underlying: UnderlyingIndex, column: Column) -> f64 {
        let moved = self.moved_price_factor(underlying, column);
        self.sight[underlying as usize].seen(moved, |factor| self.shock(Some(factor), column))
    }

    fn moved_price_factor(&self, underlying: UnderlyingIndex, column: Column) -> f64 {
        let by_price = match self.price[underlying as usize] {
            Some((factor, beta)) => 1.0 + beta * self.shock(Some(factor), column),
            None => 1.0,
        };
        match self.impact[underlying as usize] {
            Some(impact) => by_price * (1.0 + self.shock(Some(impact), column)),
            None => by_price,
        }
    }

    /// Index price of an underlying, quote units.
    pub fn index_price(&self, underlying: UnderlyingIndex, column: Column) -> f64 {
        self.snapshot.underlyings[underlying as usize].index_price * self.price_factor(underlying, column)
    }

    /// Mark price of a contract that is not an option, in its price asset. A dated future whose expiry falls inside `time`
    /// settles at the shocked index.
    pub fn mark_price(&self, instrument: &Instrument, column: Column) -> f64 {
        let factor = self.price_factor(instrument.underlying, column);
        if self.is_expired(instrument, column) {
            return self.settlement_price(instrument, column);
        }
        match self.basis[instrument.underlying as usize] {
            Some(basis) if instrument.kind != Kind::Spot => {
                let basis = self.shock(Some(basis), column);
                (instrument.mark_price + basis * self.index_at_base(instrument)) * factor
            }
            _ => instrument.mark_price * factor,
        }
    }

    /// What an option is, and the market it is valued in; both in units of its price asset. `None` for other kinds and for
    /// an option that lacks a term.
    pub fn option(&self, instrument: &Instrument, column: Column) -> Option<(European, OptionMarket)> {
        let row = OptionRow::of(self, instrument)?;
        Some((*row.option(), row.market(column)))
    }

    /// Shocks of the level and of the skew of an underlying's volatilities; 0 where no column moves them.
    pub fn volatility_shocks(&self, underlying: UnderlyingIndex, column: Column) -> (f64, f64) {
        let underlying = underlying as usize;
        (self.shock(self.volatility[underlying], column), self.shock(self.skew[underlying], column))
    }

    /// Shock of the rates of instruments settled in an asset, per year.
    pub fn rate_shock(&self, asset: AssetIndex, column: Column) -> f64 {
        self.shock(self.rate[asset as usize], column)
    }

    /// Whether some column moves the price of an underlying.
    pub fn moves_price(&self, underlying: UnderlyingIndex) -> bool {
        self.price[underlying as usize].is_some()
    }

    /// Volatility index of an underlying, per √year, where the snapshot has one.
    pub fn volatility_index(&self, underlying: UnderlyingIndex, column: Column) -> Option<f64> {
        let index = underlying as usize;
        let value = self.snapshot.underlyings[index].volatility_index?;
        Some(value * (1.0 + self.shock(self.volatility_index[index], column)))
    }

    /// Depth of an underlying, quote units within 1 % of the mid price, where the snapshot has one.
    pub fn depth_quote(&self, underlying: UnderlyingIndex, column: Column) -> Option<f64> {
        let index = underlying as usize;
        Some(self.snapshot.underlyings[index].depth_quote? * self.depth_factor(underlying, column))
    }

    /// 1 + relative move of an underlying's depth.
    pub fn depth_factor(&self, underlying: UnderlyingIndex, column: Column) -> f64 {
        1.0 + self.shock(self.depth[underlying as usize], column)
    }

    /// Years that have passed.
    pub fn years_passed(&self, column: Column) -> f64 {
        self.shock(self.time, column)
    }

    /// Index in the price asset's units, unshocked.
    pub(super) fn index_at_base(&self, instrument: &Instrument) -> f64 {
        let index = self.snapshot.underlyings[instrument.underlying as usize].index_price;
        index / self.snapshot.assets[instrument.price_asset as usize].price
    }

    /// Index at which an expired contract settles, in its price asset.
    pub(super) fn settlement_price(&self, instrument: &Instrument, column: Column) -> f64 {
        self.index_price(instrument.underlying, column) / self.asset_price(instrument.price_asset, column)
    }

    /// Seconds to expiry once the scenario's time has passed; `None` for what does not expire.
    pub fn seconds_left(&self, instrument: &Instrument, column: Column) -> Option<f64> {
        let seconds = instrument.expiry?.duration_since(self.snapshot.as_of?).as_secs_f64();
        Some(seconds - self.shock(self.time, column) * YEAR_SECONDS)
    }

    /// Whether a scenario's time has taken a contract past its expiry: it is cash then.
    pub fn is_expired(&self, instrument: &Instrument, column: Column) -> bool {
        self.seconds_left(instrument, column).is_some_and(|seconds| seconds <= 0.0)
    }

    /// Names of held underlyings, and of held collateral that is an underlying, without a factor.
    pub(super) fn held_still(&self, used: &Used) -> Vec<String> {
        let snapshot = self.snapshot;
        let mut names = BTreeSet::new();
        for &index in &used.instruments {
            let underlying = snapshot.instruments[index as usize].underlying as usize;
            if self.price[underlying].is_none() {
                names.insert(snapshot.underlyings[underlying].name.clone());
            }
        }
        for balance in snapshot.book.balances() {
            let asset = &snapshot.assets[balance.asset as usize];
            let is_underlying = snapshot.underlyings.binary_search_by(|u| u.name.cmp(&asset.underlying)).is_ok();
            let moves =
                self.asset_price[balance.asset as usize].is_some() || self.asset[balance.asset as usize].is_some();
            if is_underlying && !moves && !names.contains(&asset.underlying) {
                names.insert(asset.underlying.clone());
            }
        }
        names.into_iter().collect()
    }

    /// Names of underlyings whose options are held and whose volatility no column moves.
    pub(super) fn unmoved_volatility(&self, used: &Used) -> Vec<String> {
        let options = used.instruments.iter().map(|&index| &self.snapshot.instruments[index as usize]);
        let underlyings: BTreeSet<_> = options
            .filter(|instrument| instrument.kind == Kind::Option)
            .map(|instrument| instrument.underlying)
            .filter(|&underlying| self.volatility[underlying as usize].is_none())
            .collect();
        underlyings.into_iter().map(|u| self.snapshot.underlyings[u as usize].name.clone()).collect()
    }

    /// Names of balances' assets, the quote apart, without any factor.
    pub(super) fn unmoved_collateral(&self) -> Vec<String> {
        let snapshot = self.snapshot;
        let mut held = vec![false; snapshot.assets.len()];
        snapshot.book.balances().iter().for_each(|balance| held[balance.asset as usize] = true);
        let assets = snapshot.assets.iter().enumerate().filter(|(index, asset)| {
            // What stands on a route moves as it will once settled.
            held[*index]
                && asset.custody.is_none()
                && asset.name != snapshot.quote
                && self.asset_price[*index].is_none()
                && self.asset[*index].is_none()
        });
        assets.map(|(_, asset)| asset.name.clone()).collect()
    }

    /// Shocks that a beta takes below −1.
    pub(super) fn check_betas(&self, used: &Used, faults: &mut Vec<Fault>) {
        let (snapshot, scenarios) = (self.snapshot, self.scenarios);
        let held: BTreeSet<_> = used.instruments.iter().map(|&i| snapshot.instruments[i as usize].underlying).collect();
        for underlying in held {
            let Some((column, beta)) = self.price[underlying as usize] else { continue };
            for scenario in 0..scenarios.len() {
                let shock = beta * scenarios.shock(scenario, column);
                if shock < -1.0 {
                    let name = &snapshot.underlyings[underlying as usize].name;
                    let rule = format!("beta · shock of {name} is at least −1; beta {beta} makes it {shock}");
                    let factor = scenarios.factors[column].to_string();
                    let place = ("scenarios", scenario as u64 + 1, factor.as_str());
                    let value = scenarios.shock(scenario, column).to_string();
                    faults.push(Fault::of_cell(place, value, rule, "lower the beta or the shock"));
                }
            }
        }
    }

    /// Factors of the set that name nothing in the snapshot.
    pub(super) fn ignored(&self) -> Vec<String> {
        let (snapshot, scenarios) = (self.snapshot, self.scenarios);
        let used: BTreeSet<usize> = (self.price.iter().chain(&self.asset_price).flatten().map(|(column, _)| *column))
            .chain(
                [
                    &self.asset,
                    &self.impact,
                    &self.basis,
                    &self.volatility,
                    &self.skew,
                    &self.rate,
                    &self.depth,
                    &self.volatility_index,
                ]
                .into_iter()
                .flatten()
                .flatten()
                .copied(),
            )
            .chain(self.credit.iter().flatten().copied())
            .chain(self.sight.iter().chain(&self.asset_sight).flat_map(Sight::columns))
            .chain(self.time)
            .collect();
        let names_something = |factor: &Factor| snapshot.underlyings.iter().any(|u| u.name == factor.name);
        let ignored = scenarios.factors.iter().enumerate();
        ignored
            .filter(|(k, f)| !used.contains(k) && !names_something(f))
            .map(|(_, factor)| factor.to_string())
            .collect()
    }
}

/// An option's terms; `None` for other kinds and for one that lacks a term.
pub fn european(instrument: &Instrument) -> Option<European> {
    if instrument.kind != Kind::Option {
        return None;
    }
    let numeraire = match instrument.payoff {
        Payoff::Linear | Payoff::Quanto => Numeraire::Quote,
        Payoff::Inverse => Numeraire::Coin,
    };
    let right: Right = instrument.right?;
    Some(European { right, strike: instrument.strike?, numeraire })
}
