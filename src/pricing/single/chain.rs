use std::collections::HashMap;

use rayon::prelude::*;

use super::Arithmetic;
use super::formula::{Market, Rates, Terms};
use crate::domain::{Instrument, InstrumentIndex, Payoff, Right, Snapshot, VolatilityShock};
use crate::pricing::{Column, Numeraire, OptionMarket, ShockedMarket};

/// Numbers per expiry and scenario that a value needs: the fields of [`Market`] in order.
pub const MARKET_FIELDS: usize = 7;
/// Numbers that the Greeks need beside them: the fields of [`Rates`] in order.
pub const RATE_FIELDS: usize = 7;
/// ln(F/F₀) of a forward that falls to nothing: no strike is further away.
const GROWTH_MIN: f64 = -1e4;
/// Largest volatility · √T where nothing limits it: no option has more.
const DEVIATION_MAX: f64 = 1e9;

/// One option as a device sees it. All numbers are f64 values rounded once.
#[derive(Debug, Clone, Copy)]
pub struct ContractTerms {
    /// The instrument.
    pub instrument: InstrumentIndex,
    /// Its expiry, by position in the chain.
    pub expiry: u32,
    /// Its terms.
    pub terms: Terms<f32>,
}

/// The options of a snapshot and the market of each of their expiries under every scenario. Options of one underlying,
/// expiry, forward, rate and settlement share a market, so that it is worked out in f64 once for all strikes.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// Options, by expiry.
    pub contracts: Vec<ContractTerms>,
    /// `[n_expiries][14][n_scenarios]`: market, then rates.
    numbers: Vec<f32>,
    n_expiries: usize,
    n_scenarios: usize,
}

/// What options must share to share a market.
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord, Clone, Copy)]
struct ExpiryKey {
    underlying: u32,
    price_asset: u32,
    settlement_asset: u32,
    is_inverse: bool,
    expiry_seconds: i64,
    expiry_nanoseconds: i32,
    forward: Option<u64>,
    rate: u64,
}

impl ExpiryKey {
    fn of(instrument: &Instrument) -> Option<Self> {
        let expiry = instrument.expiry?;
        Some(Self {
            underlying: instrument.underlying,
            price_asset: instrument.price_asset,
            settlement_asset: instrument.settlement_asset,
            is_inverse: instrument.payoff == Payoff::Inverse,
            expiry_seconds: expiry.as_second(),
            expiry_nanoseconds: expiry.subsec_nanosecond(),
            forward: instrument.forward_price.map(f64::to_bits),
            rate: instrument.rate.to_bits(),
        })
    }
}

impl Chain {
    /// The chain of these instruments; those that are no options, or lack a term, are left out. `base` is the unshocked value
    /// of one contract, quote units, that its value comes out less of.
    pub fn new(
        snapshot: &Snapshot,
        market: &ShockedMarket<'_>,
        n_scenarios: usize,
        instruments: &[InstrumentIndex],
        base: impl Fn(InstrumentIndex) -> f64,
    ) -> Self {
        let mut keyed: Vec<(ExpiryKey, InstrumentIndex)> = instruments
            .iter()
            .filter_map(|&index| Some((ExpiryKey::of(&snapshot.instruments[index as usize])?, index)))
            .collect();
        keyed.sort_unstable();
        let mut expiries: HashMap<ExpiryKey, u32> = HashMap::new();
        let (mut contracts, mut members) = (Vec::new(), Vec::new());
        for (key, index) in keyed {
            let instrument = &snapshot.instruments[index as usize];
            let Some(terms) = contract_terms(market, instrument, base(index)) else { continue };
            let expiry = *expiries.entry(key).or_insert_with(|| {
                members.push(index);
                members.len() as u32 - 1
            });
            contracts.push(ContractTerms { instrument: index, expiry, terms });
        }
        let numbers = members.par_iter().flat_map_iter(|&index| {
            expiry_numbers(snapshot, market, &snapshot.instruments[index as usize], n_scenarios)
        });
        Self { contracts, numbers: numbers.collect(), n_expiries: members.len(), n_scenarios }
    }

    /// Number of expiries.
    pub fn expiry_count(&self) -> usize {
        self.n_expiries
    }

    /// Number of scenarios.
    pub fn scenario_count(&self) -> usize {
        self.n_scenarios
    }

    /// A field of an expiry under every scenario: [`MARKET_FIELDS`] of a market, then [`RATE_FIELDS`] of rates.
    pub fn field(&self, expiry: usize, field: usize) -> &[f32] {
        let at = expiry * (MARKET_FIELDS + RATE_FIELDS) + field;
        &self.numbers[at * self.n_scenarios..][..self.n_scenarios]
    }

    /// The market of an expiry under a scenario.
    pub fn market(&self, expiry: usize, scenario: usize) -> Market<f32> {
        market_of(|field| self.field(expiry, field)[scenario])
    }

    /// The rates of an expiry under a scenario.
    pub fn rates(&self, expiry: usize, scenario: usize) -> Rates<f32> {
        rates_of(|field| self.field(expiry, field)[scenario])
    }
}

/// A market from its fields in order.
#[inline(always)]
pub fn market_of<A>(field: impl Fn(usize) -> A) -> Market<A> {
    let [forward, growth, level, tilt, low, high, discount] = [0, 1, 2, 3, 4, 5, 6].map(field);
    Market { forward, growth, level, tilt, low, high, discount }
}

/// Rates from their fields in order, which follow those of a market.
#[inline(always)]
pub fn rates_of<A>(field: impl Fn(usize) -> A) -> Rates<A> {
    let [root, years, half_inverse, rate, carry, rate_less_carry, per_index] = [7, 8, 9, 10, 11, 12, 13].map(field);
    Rates { root, years, half_inverse, rate, carry, rate_less_carry, per_index }
}

/// Terms in another arithmetic, taken as exact.
#[inline(always)]
pub fn terms_of<A: Arithmetic>(terms: &Terms<f32>) -> Terms<A> {
    Terms {
        moneyness: A::of(terms.moneyness),
        strike: A::of(terms.strike),
        volatility: A::of(terms.volatility),
        sign: A::of(terms.sign),
        contract: A::of(terms.contract),
        base: A::of(terms.base),
    }
}

/// Nearest f32, subnormals flushed to zero as a device may do.
fn single(value: f64) -> f32 {
    let single = value as f32;
    if single.is_subnormal() { 0.0 } else { single }
}

fn contract_terms(market: &ShockedMarket<'_>, instrument: &Instrument, base: f64) -> Option<Terms<f32>> {
    let (option, state) = market.option(instrument, Column::Base)?;
    let fixed_rate = if instrument.payoff == Payoff::Quanto { instrument.fixed_rate } else { 1.0 };
    Some(Terms {
        moneyness: single((state.forward / option.strike).ln()),
        strike: single(option.strike),
        volatility: single(instrument.implied_volatility?),
        sign: if option.right == Right::Call { 1.0 } else { -1.0 },
        contract: single(instrument.contract_size * fixed_rate),
        base: single(base),
    })
}

/// `[14][n_scenarios]` of the expiry that an option belongs to.
fn expiry_numbers(
    snapshot: &Snapshot,
    market: &ShockedMarket<'_>,
    instrument: &Instrument,
    n_scenarios: usize,
) -> Vec<f32> {
    const FIELDS: usize = MARKET_FIELDS + RATE_FIELDS;
    let mut numbers = vec![0.0; FIELDS * n_scenarios];
    let Some((_, base)) = market.option(instrument, Column::Base) else { return numbers };
    for scenario in 0..n_scenarios {
        let column = Column::Scenario(scenario);
        let Some((option, state)) = market.option(instrument, column) else { continue };
        let limits = &snapshot.underlyings[instrument.underlying as usize].volatility_shock;
        let shocks = market.volatility_shocks(instrument.underlying, column);
        let settlement_price = market.asset_price(instrument.settlement_asset, column);
        let quote_index = market.index_price(instrument.underlying, column);
        let per_index = if quote_index > 0.0 { 1.0 / quote_index } else { 0.0 };
        let volatility = shocked_volatility(limits, shocks, base.years);
        let fields = expiry_fields(&base, &state, volatility, (option.numeraire, settlement_price, per_index));
        for (field, value) in fields.into_iter().enumerate() {
            numbers[field * n_scenarios + scenario] = single(value);
        }
    }
    numbers
}

/// σ after a shock is `σ₀·level + tilt·ln(K/F₀)` within low and high: those four.
fn shocked_volatility(limits: &VolatilityShock, (level, tilt): (f64, f64), years_at_base: f64) -> [f64; 4] {
    if level == 0.0 && tilt == 0.0 {
        return [1.0, 0.0, 0.0, DEVIATION_MAX];
    }
    let unlimited = VolatilityShock { minimum: 0.0, maximum: f64::INFINITY, ..*limits };
    // The factor of a volatility of 1; a level that falls to nothing is one the limits do not see.
    let factor =
        if level == 0.0 { 1.0 } else { unlimited.apply(1.0, level, 0.0, 0.0, unlimited.level_scale(years_at_base)) };
    [factor, tilt, limits.minimum, limits.maximum]
}

fn expiry_fields(
    base: &OptionMarket,
    state: &OptionMarket,
    [level, tilt, low, high]: [f64; 4],
    (numeraire, settlement_price, per_index): (Numeraire, f64, f64),
) -> [f64; MARKET_FIELDS + RATE_FIELDS] {
    let OptionMarket { index, forward, years, rate, .. } = *state;
    let expired = years <= 0.0;
    let carry = if !expired && index > 0.0 && forward > 0.0 { (forward / index).ln() / years } else { 0.0 };
    let years = if expired { 0.0 } else { years };
    let rate = match numeraire {
        _ if expired => 0.0,
        Numeraire::Quote => rate,
        Numeraire::Coin => rate + carry,
    };
    let quote_units = match numeraire {
        Numeraire::Quote => settlement_price,
        Numeraire::Coin if index > 0.0 => settlement_price / index,
        Numeraire::Coin => 0.0,
    };
    let root = years.sqrt();
    let growth = if forward > 0.0 { (forward / base.forward).ln().max(GROWTH_MIN) } else { GROWTH_MIN };
    let half_inverse = if expired { 0.0 } else { 0.5 / years };
    let discount = (-rate * years).exp() * quote_units;
    [
        forward,
        growth,
        level * root,
        tilt * root,
        low * root,
        if expired { 0.0 } else { (high * root).min(DEVIATION_MAX) },
        discount,
        root,
        years,
        half_inverse,
        rate,
        carry,
        rate - carry,
        per_index,
    ]
}
