//! What the holdings of a group are exposed to: rows by what is held, and the sums that charges are made on.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::{ComponentRows, Cover, Part};
use crate::domain::{AssetIndex, Instrument, InstrumentIndex, Kind, Payoff, UnderlyingIndex};
use crate::margin::pool::{MarginSide, Market};
use crate::margin::row_sheet::{RowSheet, Sensitivity, Values};
use crate::number::Number;
use crate::pricing::Column;

/// Instruments whose sensitivities are formed at once.
const BATCH: usize = 64;

/// Coefficients of rows. A row may appear several times: coefficients are a pool's own numbers, never sums of them.
pub(super) type Terms = Vec<(u32, f64)>;

/// Bounds of coefficient · row over the scenarios, rounded outwards.
pub(in crate::margin) type Ranges<'r> = dyn Fn(u32, f64) -> (f64, f64) + 'r;

/// Exact sum of some terms.
pub(super) fn sum<N: Number>(terms: &[(u32, f64)], market: &impl Market<N>) -> N {
    terms.iter().fold(N::of(0.0), |sum, &(row, coefficient)| sum.plus(&N::of(coefficient).times(&market.row(row))))
}

/// Bounds of some terms over the scenarios, rounded outwards.
pub(super) fn bounds(terms: &[(u32, f64)], ranges: &Ranges<'_>) -> (f64, f64) {
    terms.iter().fold((0.0, 0.0), |(low, high): (f64, f64), &(row, coefficient)| {
        let (a, b) = ranges(row, coefficient);
        // A sum with 0 is exact, so what cannot change its sign keeps it.
        let down = |sum: f64, exact: bool| if exact { sum } else { sum.next_down() };
        let up = |sum: f64, exact: bool| if exact { sum } else { sum.next_up() };
        (down(low + a, low == 0.0 || a == 0.0), up(high + b, high == 0.0 || b == 0.0))
    })
}

/// One holding of a group: a position, or a balance.
pub(super) struct Exposure<'s> {
    /// What a position is in; `None` of a balance.
    pub(super) instrument: Option<&'s Instrument>,
    /// What moves it; `None` of a balance that no underlying is named after.
    pub(super) underlying: Option<UnderlyingIndex>,
    /// Which way it is held: its sign is exact.
    pub(super) quantity: f64,
    /// Quantity · row.
    pub(super) terms: Terms,
}

impl Exposure<'_> {
    /// |quantity| · row.
    pub(super) fn magnitude(&self) -> Terms {
        let sign = if self.quantity < 0.0 { -1.0 } else { 1.0 };
        self.terms.iter().map(|&(row, coefficient)| (row, sign * coefficient)).collect()
    }

    /// Whether it is an option that is held short.
    pub(super) fn is_short_option(&self) -> bool {
        self.is_option() && self.quantity < 0.0
    }

    /// Whether it is a balance.
    pub(super) fn is_balance(&self) -> bool {
        self.instrument.is_none()
    }

    /// Whether it is an option.
    pub(super) fn is_option(&self) -> bool {
        self.instrument.is_some_and(|instrument| instrument.kind == Kind::Option)
    }
}

/// The exposures of each key, in the order in which they are met.
pub(super) fn grouped<'e, 's, K: PartialEq>(
    exposures: impl IntoIterator<Item = &'e Exposure<'s>>,
    key: impl Fn(&Exposure<'s>) -> K,
) -> Vec<(K, Vec<&'e Exposure<'s>>)>
where
    's: 'e,
{
    let mut groups: Vec<(K, Vec<&Exposure<'s>>)> = Vec::new();
    for exposure in exposures {
        let key = key(exposure);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(exposure),
            None => groups.push((key, vec![exposure])),
        }
    }
    groups
}

/// The terms of several exposures.
pub(super) fn terms_of<'e, 's: 'e>(exposures: impl IntoIterator<Item = &'e Exposure<'s>>) -> Terms {
    exposures.into_iter().flat_map(|exposure| exposure.terms.iter().copied()).collect()
}

impl<'s> Part<'_, 's> {
    /// The group's holdings that have a row on a sheet, positions first. A balance is its amount and what has accrued, two
    /// terms, because their sum would round.
    pub(super) fn exposures(&self, sheet: usize) -> Vec<Exposure<'s>> {
        let positions = self.positions().filter_map(|position| {
            let row = self.rows().of_instrument(sheet, position.instrument)?;
            let (instrument, quantity) = (self.instrument(position), position.quantity);
            let underlying = Some(instrument.underlying);
            Some(Exposure { instrument: Some(instrument), underlying, quantity, terms: vec![(row, quantity)] })
        });
        let balances = self.balances().filter_map(|balance| {
            let row = self.rows().of_asset(sheet, balance.asset)?;
            let terms = [balance.amount, balance.accrued_interest].map(|amount| (row, amount));
            Some(Exposure {
                instrument: None,
                underlying: self.setting().snapshot.underlying_of_asset(balance.asset),
                quantity: balance.amount + balance.accrued_interest,
                terms: terms.into_iter().filter(|(_, amount)| *amount != 0.0).collect(),
            })
        });
        positions.chain(balances).collect()
    }
}

impl RowSheet<'_> {
    /// Held instruments that a component covers.
    pub(super) fn covered_instruments(&self, cover: &Cover) -> Vec<InstrumentIndex> {
        let is_covered =
            |&index: &InstrumentIndex| cover.instrument(&self.snapshot.instruments[index as usize], self.snapshot);
        self.held_instruments().into_iter().filter(is_covered).collect()
    }

    /// Held assets whose balances a component covers.
    pub(super) fn covered_assets(&self, cover: &Cover) -> Vec<AssetIndex> {
        let held: BTreeSet<_> = self.snapshot.book.balances().iter().map(|balance| balance.asset).collect();
        held.into_iter().filter(|asset| cover.asset(&self.snapshot.assets[*asset as usize])).collect()
    }

    /// Underlyings of what a component covers.
    pub(super) fn covered_underlyings(&self, cover: &Cover) -> BTreeSet<UnderlyingIndex> {
        let instruments = self.covered_instruments(cover);
        let of_instruments = instruments.into_iter().map(|index| self.snapshot.instruments[index as usize].underlying);
        let assets = self.covered_assets(cover);
        let of_assets = assets.into_iter().filter_map(|asset| self.snapshot.underlying_of_asset(asset));
        of_instruments.chain(of_assets).collect()
    }

    /// Years to expiry in a market; 0 for what does not expire, and once it has.
    pub(super) fn years_left(&self, instrument: &Instrument, column: Column) -> f64 {
        let seconds = self.market.seconds_left(instrument, column).unwrap_or(0.0);
        if seconds > 0.0 { seconds / crate::pricing::YEAR_SECONDS } else { 0.0 }
    }

    /// Units of the underlying · index price of one contract, quote units (of an inverse contract without optionality what
    /// its quote units are worth, at the index as at any price); 0 once it has expired.
    pub(super) fn notional(&self, instrument: &Instrument, column: Column) -> f64 {
        if self.market.is_expired(instrument, column) {
            return 0.0;
        }
        let index = self.market.index_price(instrument.underlying, column);
        let price = |asset: AssetIndex| self.market.asset_price(asset, column);
        match (instrument.kind, instrument.payoff) {
            (Kind::Option, _) | (_, Payoff::Linear) => instrument.contract_size * index,
            (_, Payoff::Inverse) => instrument.contract_size * price(instrument.price_asset),
            (_, Payoff::Quanto) => {
                let paid = instrument.fixed_rate * price(instrument.settlement_asset);
                instrument.contract_size * index * (paid / price(instrument.price_asset))
            }
        }
    }

    /// Price of an asset, market by market.
    pub(super) fn prices(&self, asset: AssetIndex) -> Values {
        self.values(|column| self.market.asset_price(asset, column))
    }

    /// A sensitivity of one contract of each of some instruments, market by market, to make rows of; priced in parallel.
    pub(super) fn each_sensitivity(
        &mut self,
        sensitivity: Sensitivity,
        instruments: &[InstrumentIndex],
        mut add: impl FnMut(&mut Self, InstrumentIndex, Values),
    ) {
        for batch in instruments.chunks(BATCH) {
            let formed: Vec<Values> = batch.par_iter().map(|&index| self.sensitivities(sensitivity, index)).collect();
            batch.iter().zip(formed).for_each(|(&index, values)| add(self, index, values));
        }
    }

    /// A row times another, market by market.
    pub(super) fn scaled(&self, values: &[f64], scale: impl Fn(Column) -> f64) -> Values {
        values.iter().zip(self.columns()).map(|(value, column)| value * scale(column)).collect()
    }

    /// Rows by margin: what one contract is charged, and price · rate of an asset.
    pub(super) fn charge_rows(
        &mut self,
        cover: &Cover,
        contract: impl Fn(&Self, MarginSide, &Instrument, Column) -> f64,
        rate: impl Fn(MarginSide, AssetIndex) -> f64,
    ) -> ComponentRows {
        let mut rows = ComponentRows::default();
        let snapshot = self.snapshot;
        for margin in MarginSide::ALL {
            for index in self.covered_instruments(cover) {
                let instrument = &snapshot.instruments[index as usize];
                let values = self.values(|column| contract(self, margin, instrument, column));
                rows.set_instrument(margin as usize, index, self.append(values, &instrument.name));
            }
            for asset in self.covered_assets(cover) {
                let values = self.scaled(&self.prices(asset), |_| rate(margin, asset));
                let row = self.append(values, &snapshot.assets[asset as usize].name);
                rows.set_asset(margin as usize, asset, row);
            }
        }
        rows
    }
}
