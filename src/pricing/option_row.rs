use std::array;

use pulp::{Arch, Simd, WithSimd};

use super::revalue::{BLOCK, OptionMarkets, exp, ln_ratio, price_block};
use super::shocked::{ShockedMarket, YEAR_SECONDS, european};
use super::sight::Sight;
use super::volatility::LevelScale;
use super::{Column, European, OptionMarket};
use crate::domain::{Instrument, VolatilityShock};

/// One option under every scenario of a set: its terms, and what its market needs that no scenario changes.
pub struct OptionRow<'a> {
    market: &'a ShockedMarket<'a>,
    instrument: &'a Instrument,
    option: European,
    /// Index and forward of the unshocked market, price-asset units.
    index: f64,
    forward: f64,
    volatility: f64,
    /// To expiry, unshocked.
    seconds: f64,
    years: f64,
    /// ln(K/F), unshocked.
    moneyness: f64,
    level_scale: LevelScale,
    volatility_shock: &'a VolatilityShock,
    /// Columns of shocks; beta.
    price: Option<(usize, f64)>,
    impact: Option<usize>,
    sight: Sight,
    basis: Option<usize>,
    level: Option<usize>,
    tilt: Option<usize>,
    rate: Option<usize>,
}

impl<'a> OptionRow<'a> {
    /// `None` for other kinds and for an option that lacks a term.
    pub fn of(market: &'a ShockedMarket<'a>, instrument: &'a Instrument) -> Option<Self> {
        let option = european(instrument)?;
        let underlying = instrument.underlying as usize;
        let index = market.index_at_base(instrument);
        let forward = match instrument.forward_price {
            Some(forward) => forward / market.snapshot.assets[instrument.price_asset as usize].price,
            None => index,
        };
        let seconds = market.seconds_left(instrument, Column::Base)?;
        let years = seconds / YEAR_SECONDS;
        let volatility_shock = &market.snapshot.underlyings[underlying].volatility_shock;
        Some(Self {
            market,
            instrument,
            option,
            index,
            forward,
            volatility: instrument.implied_volatility?,
            seconds,
            years,
            moneyness: ln_ratio(option.strike, forward),
            level_scale: volatility_shock.level_scale(years),
            volatility_shock,
            price: market.price[underlying],
            impact: market.impact[underlying],
            sight: market.sight[underlying],
            basis: market.basis[underlying],
            level: market.volatility[underlying],
            tilt: market.skew[underlying],
            rate: market.rate[instrument.settlement_asset as usize],
        })
    }

    /// Its terms, price-asset units.
    pub fn option(&self) -> &European {
        &self.option
    }

    /// What it is valued in.
    pub fn market(&self, column: Column) -> OptionMarket {
        match column {
            Column::Base => self.markets::<1>(None),
            Column::Scenario(scenario) => self.markets(Some([scenario])),
        }
        .lane(0)
    }

    /// Prices it under the scenarios from `first` on, as many as `outputs` are long (all are equally long, and the set has
    /// them): the first N of value and [`super::Greeks::NAMES`], N = 1, 5 or 9, price-asset units per unit of underlying.
    pub fn price<const N: usize>(&self, first: usize, mut outputs: [&mut [f64]; N]) {
        let count = outputs.first().map_or(0, |output| output.len());
        self.for_each_block(first, count, |offset, length, _, priced: &[[f64; BLOCK]; N]| {
            for (output, priced) in outputs.iter_mut().zip(priced) {
                output[offset..offset + length].copy_from_slice(&priced[..length]);
            }
        });
    }

    /// Calls `visit(offset, length, markets, priced)` for blocks of scenarios; `length` lanes of each are in use.
    pub(super) fn for_each_block<const N: usize>(
        &self,
        first: usize,
        count: usize,
        visit: impl FnMut(usize, usize, &OptionMarkets<BLOCK>, &[[f64; BLOCK]; N]),
    ) {
        Arch::new().dispatch(Blocks { row: self, first, count, visit });
    }

    /// Shocks of a factor in each lane; 0 without one, where not quoted, and in the unshocked market (no scenarios).
    #[inline(always)]
    fn shocks<const W: usize>(&self, factor: Option<usize>, scenarios: Option<[usize; W]>) -> [f64; W] {
        let mut shocks = [0.0; W];
        if let (Some(factor), Some(scenarios)) = (factor, scenarios) {
            let column = self.market.scenarios.shocks.column(factor);
            for lane in 0..W {
                let shock = column[scenarios[lane]];
                shocks[lane] = if shock.is_nan() { 0.0 } else { shock };
            }
        }
        shocks
    }

    /// Shock of a factor in a scenario; 0 where not quoted, and in the unshocked market.
    fn shock(&self, factor: usize, scenario: Option<usize>) -> f64 {
        scenario.map_or(0.0, |scenario| self.market.scenarios.shock(scenario, factor))
    }

    #[inline(always)]
    pub(super) fn markets<const W: usize>(&self, scenarios: Option<[usize; W]>) -> OptionMarkets<W> {
        let price = self.shocks(self.price.map(|(factor, _)| factor), scenarios);
        let beta = self.price.map_or(0.0, |(_, beta)| beta);
        let impact = self.impact.map(|impact| self.shocks(Some(impact), scenarios));
        let basis = self.shocks(self.basis, scenarios);
        let rate = self.shocks(self.rate, scenarios);
        let level = self.shocks(self.level, scenarios);
        let tilt = self.shocks(self.tilt, scenarios);
        let mut markets = OptionMarkets {
            index: [0.0; W],
            forward: [0.0; W],
            volatility: [0.0; W],
            years: [self.years; W],
            rate: [0.0; W],
        };
        for lane in 0..W {
            let by_price = 1.0 + beta * price[lane];
            let moved = impact.map_or(by_price, |impact| by_price * (1.0 + impact[lane]));
            let factor = self.sight.seen(moved, |factor| self.shock(factor, scenarios.map(|lanes| lanes[lane])));
            markets.index[lane] = self.index * factor;
            markets.forward[lane] = (self.forward + basis[lane] * self.index) * factor;
            markets.rate[lane] = self.instrument.rate + rate[lane];
            let (shock, scale) = (self.volatility_shock, self.level_scale);
            markets.volatility[lane] = shock.apply(self.volatility, level[lane], tilt[lane], self.moneyness, scale);
        }
        if self.market.time.is_some() {
            let time = self.shocks(self.market.time, scenarios);
            self.pass_time(&mut markets, time, basis);
        }
        for lane in 0..W {
            // Few lanes expire, if any.
            if markets.years[lane] <= 0.0 {
                let column = scenarios.map_or(Column::Base, |scenarios| Column::Scenario(scenarios[lane]));
                let index = self.market.settlement_price(self.instrument, column);
                (markets.index[lane], markets.forward[lane], markets.years[lane]) = (index, index, 0.0);
            }
        }
        markets
    }

    /// As time passes the forward slides along its carry, F = S·(F₀/S₀)^{T/T₀}.
    #[inline(always)]
    fn pass_time<const W: usize>(&self, markets: &mut OptionMarkets<W>, time: [f64; W], basis: [f64; W]) {
        for lane in 0..W {
            let years = (self.seconds - time[lane] * YEAR_SECONDS) / YEAR_SECONDS;
            let unshocked_forward = self.forward + basis[lane] * self.index;
            let growth = ln_ratio(unshocked_forward, self.index) * (years / self.years);
            let slid = markets.index[lane] * exp(growth);
            // A forward below 0 stays as it is, to be refused.
            let slides = years != self.years && unshocked_forward > 0.0;
            markets.forward[lane] = if slides { slid } else { markets.forward[lane] };
            markets.years[lane] = years;
        }
    }
}

/// A row's blocks, compiled for the widest vectors.
struct Blocks<'r, 'a, const N: usize, V> {
    row: &'r OptionRow<'a>,
    first: usize,
    count: usize,
    visit: V,
}

impl<const N: usize, V> WithSimd for Blocks<'_, '_, N, V>
where
    V: FnMut(usize, usize, &OptionMarkets<BLOCK>, &[[f64; BLOCK]; N]),
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        for offset in (0..self.count).step_by(BLOCK) {
            let length = BLOCK.min(self.count - offset);
            // Lanes past the end repeat the last scenario; nobody reads them.
            let markets = self.row.markets(Some(array::from_fn(|lane| self.first + offset + lane.min(length - 1))));
            let priced = price_block::<N, BLOCK>(&self.row.option, &markets);
            (self.visit)(offset, length, &markets, &priced);
        }
    }
}
