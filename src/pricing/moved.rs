use ndarray::{Array2, ArrayViewMut1};
use pulp::{Arch, Simd, WithSimd};

use super::option_row::OptionRow;
use super::payoff::{option_unit_value, unit_value};
use super::revalue::{BLOCK, OptionMarkets, exp, ln_ratio, price_block};
use super::shocked::YEAR_SECONDS;
use super::volatility::LevelScale;
use super::volatility_move::{MoveAt, VolatilityMove};
use super::{Column, Numeraire, ShockedMarket};
use crate::domain::{Instrument, Payoff, VolatilityShock};

/// How a move changes an option's volatility.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VolatilityChange<'v> {
    /// As a point of a venue's grid does.
    Grid(&'v VolatilityMove),
    /// As the factors of a scenario set do.
    Factors {
        /// How shocks reach the underlying's options.
        shock: &'v VolatilityShock,
        /// Relative shock of the level, ≥ −1.
        level: f64,
        /// Tilt, per unit of log-moneyness.
        tilt: f64,
    },
}

/// One further move of a market that a scenario may already have shocked: a point of a venue's grid, or a day's returns.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Move<'v> {
    /// Relative move of index, marks and forwards, ≥ −1.
    pub price: f64,
    /// Move of the volatility; `None` leaves it.
    pub volatility: Option<VolatilityChange<'v>>,
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

impl<'a> ShockedMarket<'a> {
    /// Every scenario of this market's set as a further move of an instrument's market, by its `price`, `vol`, `skew`, `asset`,
    /// `rate` and `time` columns; others move nothing.
    pub fn as_moves(&self, instrument: &Instrument) -> Vec<Move<'a>> {
        let shock = &self.snapshot.underlyings[instrument.underlying as usize].volatility_shock;
        let settlement = instrument.settlement_asset;
        let settlement_price = self.asset_price(settlement, Column::Base);
        let step = |column: Column| {
            let (level, tilt) = self.volatility_shocks(instrument.underlying, column);
            let moves_volatility = level != 0.0 || tilt != 0.0;
            Move {
                price: self.price_factor(instrument.underlying, column) - 1.0,
                volatility: moves_volatility.then_some(VolatilityChange::Factors { shock, level, tilt }),
                years: self.years_passed(column),
                rate: self.rate_shock(settlement, column),
                settlement: self.asset_price(settlement, column) / settlement_price - 1.0,
            }
        };
        (0..self.scenarios.len()).map(|scenario| step(Column::Scenario(scenario))).collect()
    }
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
            let moved = match self.seconds_left(instrument, column) {
                Some(seconds) if seconds <= 0.0 => self.mark_price(instrument, column),
                Some(seconds) if seconds <= step.years * YEAR_SECONDS => {
                    self.settlement_price(instrument, column) * (1.0 + step.price)
                }
                _ => self.mark_price(instrument, column) * (1.0 + step.price),
            };
            unit_value(instrument, moved) * self.settlement_after(instrument, step, column)
        };
        row.iter_mut().enumerate().for_each(|(scenario, cell)| *cell = value(Column::Scenario(scenario)));
        value(Column::Base)
    }

    /// Delta of one long contract at the moved prices, units of the underlying: of an option with respect to its forward, else
    /// the contract size (inverse: contract size / mark); 0 of what has expired. Shapes as of [`ShockedMarket::moved`].
    pub fn moved_deltas(&self, instrument: &Instrument, moves: &[Move<'_>]) -> MovedValues {
        let mut deltas = MovedValues { base: Vec::new(), shocked: Array2::zeros((moves.len(), self.scenarios.len())) };
        let option = OptionRow::of(self, instrument);
        for (at, step) in moves.iter().enumerate() {
            let delta = |column: Column| {
                if self.seconds_left(instrument, column).is_some_and(|seconds| seconds <= 0.0) {
                    return 0.0;
                }
                match (&option, instrument.payoff) {
                    (Some(option), _) => {
                        let markets = moved_markets(option, step, OptionMarkets::<1>::from(option.market(column)));
                        let [_, delta, ..] = price_block::<5, 1>(option.option(), &markets);
                        let state = markets.lane(0);
                        let per_forward = match option.option().numeraire {
                            Numeraire::Quote if state.forward > 0.0 => state.index / state.forward,
                            _ => 1.0,
                        };
                        instrument.contract_size * delta[0] * per_forward
                    }
                    (None, Payoff::Inverse) => {
                        instrument.contract_size / (self.mark_price(instrument, column) * (1.0 + step.price))
                    }
                    (None, Payoff::Linear | Payoff::Quanto) => instrument.contract_size,
                }
            };
            deltas.base.push(delta(Column::Base));
            deltas.shocked.row_mut(at).iter_mut().enumerate().for_each(|(s, cell)| *cell = delta(Column::Scenario(s)));
        }
        deltas
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
        let moved = moved_markets(self.option, self.step, markets);
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

/// The markets of an option after a move.
#[inline(always)]
fn moved_markets<const W: usize>(
    option: &OptionRow<'_>,
    step: &Move<'_>,
    markets: OptionMarkets<W>,
) -> OptionMarkets<W> {
    let mut moved = markets;
    let mut change = VolatilityAt { change: step.volatility, years: f64::NAN, at: None };
    for lane in 0..W {
        let years = markets.years[lane];
        if years <= 0.0 {
            // Settled: its value is cash.
            continue;
        }
        moved.index[lane] *= 1.0 + step.price;
        moved.forward[lane] *= 1.0 + step.price;
        moved.rate[lane] += step.rate;
        if change.change.is_some() {
            let moneyness = ln_ratio(option.option().strike, markets.forward[lane]);
            moved.volatility[lane] = change.apply(markets.volatility[lane], moneyness, years);
        }
        if step.years > 0.0 {
            pass_time(&mut moved, lane, step.years);
        }
    }
    moved
}

/// A change of volatility as it applies to options with one time to expiry: most scenarios leave the time as it is.
struct VolatilityAt<'v> {
    change: Option<VolatilityChange<'v>>,
    years: f64,
    at: Option<At<'v>>,
}

enum At<'v> {
    Grid(MoveAt<'v>),
    Factors(LevelScale),
}

impl VolatilityAt<'_> {
    #[inline(always)]
    fn apply(&mut self, volatility: f64, moneyness: f64, years: f64) -> f64 {
        if self.years != years {
            self.years = years;
            self.at = self.change.map(|change| match change {
                VolatilityChange::Grid(volatility) => At::Grid(volatility.at(years)),
                VolatilityChange::Factors { shock, .. } => At::Factors(shock.level_scale(years)),
            });
        }
        match (&self.at, self.change) {
            (Some(At::Grid(at)), _) => at.apply(volatility, moneyness),
            (Some(At::Factors(scale)), Some(VolatilityChange::Factors { shock, level, tilt })) => {
                shock.apply(volatility, level, tilt, moneyness, *scale)
            }
            _ => volatility,
        }
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
