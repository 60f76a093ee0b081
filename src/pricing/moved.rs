use ndarray::{Array2, ArrayViewMut1};
use pulp::{Arch, Simd, WithSimd};

use super::option_row::OptionRow;
use super::payoff::{option_unit_value, unit_value};
use super::revalue::{BLOCK, OptionMarkets, exp, ln_ratio, price_block};
use super::volatility_move::{MoveAt, VolatilityMove};
use super::{Column, ShockedMarket};
use crate::domain::{Instrument, Payoff};

/// One further move of a market that a scenario may already have shocked: a point of a venue's grid, or a day's returns.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Move<'v> {
    /// Relative move of index, marks and forwards, ≥ −1.
    pub price: f64,
    /// Move of the volatility; `None` leaves it.
    pub volatility: Option<&'v VolatilityMove>,
    /// Years that pass, ≥ 0.
    pub years: f64,
    /// Added to the rate, per year.
    pub rate: f64,
    /// Relative move of the settlement asset's price, ≥ −1.
    pub settlement: f64,
}

/// Values of one long contract after some moves, quote units.
#[derive(Debug, Clone)]
pub struct MovedValues {
    /// In the unshocked market: `[n_moves]`.
    pub base: Vec<f64>,
    /// Under each scenario: `[n_moves × n_scenarios]`.
    pub shocked: Array2<f64>,
}

impl ShockedMarket<'_> {
    /// Values of one long contract after each of `moves`, in the unshocked market and under every scenario. A contract that a
    /// scenario lets expire is cash: nothing moves it but the price of what it is paid in. A value that does not exist (an
    /// inverse contract at a price of 0) is NaN or infinite.
    pub fn moved(&self, instrument: &Instrument, moves: &[Move<'_>]) -> MovedValues {
        let n_scenarios = self.scenarios.len();
        let mut values = MovedValues { base: Vec::new(), shocked: Array2::zeros((moves.len(), n_scenarios)) };
        let option = OptionRow::of(self, instrument);
        for (at, step) in moves.iter().enumerate() {
            let row = values.shocked.row_mut(at);
            let base = match &option {
                Some(option) => Arch::new().dispatch(OptionMoves { option, instrument, market: self, step, row }),
                None => self.moved_marks(instrument, step, row),
            };
            values.base.push(base);
        }
        values
    }

    /// The same of a contract that is no option; answers the value in the unshocked market.
    fn moved_marks(&self, instrument: &Instrument, step: &Move<'_>, mut row: ArrayViewMut1<'_, f64>) -> f64 {
        let value = |column: Column| {
            let mark = self.mark_price(instrument, column);
            let is_cash = self.is_expired(instrument, column);
            let moved = if is_cash { mark } else { mark * (1.0 + step.price) };
            unit_value(instrument, moved) * self.settlement_after(instrument, step, column)
        };
        row.iter_mut().enumerate().for_each(|(scenario, cell)| *cell = value(Column::Scenario(scenario)));
        value(Column::Base)
    }

    fn settlement_after(&self, instrument: &Instrument, step: &Move<'_>, column: Column) -> f64 {
        self.asset_price(instrument.settlement_asset, column) * (1.0 + step.settlement)
    }
}

/// One option after one move, compiled for the widest vectors; answers the value in the unshocked market.
struct OptionMoves<'r, 'a, 'w> {
    option: &'r OptionRow<'a>,
    instrument: &'r Instrument,
    market: &'r ShockedMarket<'a>,
    step: &'r Move<'r>,
    row: ArrayViewMut1<'w, f64>,
}

impl WithSimd for OptionMoves<'_, '_, '_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> f64 {
        let count = self.row.len();
        for offset in (0..count).step_by(BLOCK) {
            let length = BLOCK.min(count - offset);
            let lanes = std::array::from_fn(|lane| offset + lane.min(length - 1));
            let columns = |lane: usize| Column::Scenario(lanes[lane]);
            let values = self.values::<BLOCK>(self.option.markets(Some(lanes)), columns);
            for lane in 0..length {
                self.row[offset + lane] = values[lane];
            }
        }
        self.values::<1>(self.option.markets(None), |_| Column::Base)[0]
    }
}

impl OptionMoves<'_, '_, '_> {
    #[inline(always)]
    fn values<const W: usize>(&self, markets: OptionMarkets<W>, column: impl Fn(usize) -> Column) -> [f64; W] {
        let mut moved = markets;
        let mut volatility_at: Option<MoveAt<'_>> = None;
        for lane in 0..W {
            let years = markets.years[lane];
            if years <= 0.0 {
                // Settled: its value is cash.
                continue;
            }
            moved.index[lane] *= 1.0 + self.step.price;
            moved.forward[lane] *= 1.0 + self.step.price;
            moved.rate[lane] += self.step.rate;
            if let Some(volatility) = self.step.volatility {
                // Most scenarios leave the time as it is.
                let at = match volatility_at {
                    Some(at) if at.years() == years => at,
                    _ => volatility.at(years),
                };
                volatility_at = Some(at);
                let moneyness = match volatility.skew {
                    Some(_) => ln_ratio(self.option.option().strike, markets.forward[lane]),
                    None => 0.0,
                };
                moved.volatility[lane] = at.apply(markets.volatility[lane], moneyness);
            }
            if self.step.years > 0.0 {
                pass_time(&mut moved, lane, self.step.years);
            }
        }
        let [value] = price_block::<1, W>(self.option.option(), &moved);
        let mut values = [0.0; W];
        for lane in 0..W {
            let units = match self.instrument.payoff {
                Payoff::Inverse if !self.option.option().has_value(&moved.lane(lane)) => f64::NAN,
                _ => option_unit_value(self.instrument, value[lane], moved.index[lane]),
            };
            values[lane] = units * self.market.settlement_after(self.instrument, self.step, column(lane));
        }
        values
    }
}

/// As time passes the forward slides along its carry; at expiry the option settles at the index.
#[inline(always)]
fn pass_time<const W: usize>(markets: &mut OptionMarkets<W>, lane: usize, passed: f64) {
    let years = markets.years[lane] - passed;
    let (index, forward) = (markets.index[lane], markets.forward[lane]);
    if years <= 0.0 {
        (markets.years[lane], markets.forward[lane]) = (0.0, index);
    } else {
        if index > 0.0 && forward > 0.0 {
            markets.forward[lane] = index * exp(ln_ratio(forward, index) * (years / markets.years[lane]));
        }
        markets.years[lane] = years;
    }
}
