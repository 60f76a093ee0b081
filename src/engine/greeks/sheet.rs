use std::ops::Range;

use rayon::prelude::*;

use crate::domain::{Book, InstrumentIndex, Pool, Snapshot, UnderlyingIndex};
use crate::engine::outcome::{PoolOutcome, State};
use crate::pricing::{Column, ContractValue, Greeks, ShockedMarket};
use crate::scenario::ScenarioSet;

/// Pools of one worst scenario that a thread takes at once.
const GROUP_POOLS: usize = 512;
/// Neighbouring scenarios that a contract is valued under at once.
const BLOCK_SCENARIOS: usize = 64;

/// Greeks of one pool on one underlying, quote units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolGreeks {
    /// Index of the pool in the book.
    pub pool: u32,
    /// The underlying.
    pub underlying: UnderlyingIndex,
    /// Σ quantity · unit Greeks in the unshocked market.
    pub base: Greeks,
    /// The same at the pool's worst scenario.
    pub worst: Greeks,
}

/// Greeks of the whole exchange on one underlying in one scenario, quote units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScenarioGreeks {
    /// Position of the scenario in the set.
    pub scenario: u32,
    /// The underlying.
    pub underlying: UnderlyingIndex,
    /// Σ net quantity · unit Greeks.
    pub greeks: Greeks,
}

/// Unit Greeks of everything held, and what pools and the exchange make of them, piece by piece: neither instruments ×
/// scenarios nor pools × underlyings is ever held.
pub struct GreekSheet<'a> {
    pub(super) snapshot: &'a Snapshot,
    market: ShockedMarket<'a>,
    n_scenarios: usize,
    /// In the unshocked market; zero where no known pool has a position: `[n_instruments]`.
    pub(super) base: Vec<Greeks>,
    /// Σ over known pools, contracts: `[n_instruments]`.
    pub(super) net_quantity: Vec<f64>,
    /// Underlyings with positions of known pools and the instruments these are in, both ascending.
    pub(super) held: Vec<(UnderlyingIndex, Vec<InstrumentIndex>)>,
}

impl<'a> GreekSheet<'a> {
    /// Nets the book and values what it holds in the unshocked market.
    pub fn new(snapshot: &'a Snapshot, scenarios: &'a ScenarioSet) -> Self {
        let market = ShockedMarket::new(snapshot, scenarios);
        let mut net = NetPositions::new(snapshot.instruments.len());
        net.add(&snapshot.book);
        let (net_quantity, held_instruments) = (net.quantities(), net.held);
        let value = |(instrument, &held): (_, &bool)| match held {
            true => market.contract(instrument, Column::Base).greeks,
            false => Greeks::default(),
        };
        let base = snapshot.instruments.par_iter().zip(&held_instruments).map(value).collect();
        let mut by_underlying: Vec<Vec<InstrumentIndex>> = vec![Vec::new(); snapshot.underlyings.len()];
        for ((index, instrument), _) in (0u32..).zip(&snapshot.instruments).zip(&held_instruments).filter(|(_, h)| **h)
        {
            by_underlying[instrument.underlying as usize].push(index);
        }
        let held = (0u32..).zip(by_underlying).filter(|(_, instruments)| !instruments.is_empty()).collect();
        Self { snapshot, market, n_scenarios: scenarios.len(), base, net_quantity, held }
    }

    /// The same with other net positions: where the sheet's own book only shows what is held, and the pools came piece by
    /// piece.
    pub fn with_net(self, net: &NetPositions) -> Self {
        Self { net_quantity: net.quantities(), ..self }
    }

    /// Number of scenarios.
    pub fn scenario_count(&self) -> usize {
        self.n_scenarios
    }

    /// Underlyings in which known pools have positions, ascending.
    pub fn underlyings(&self) -> impl ExactSizeIterator<Item = UnderlyingIndex> {
        self.held.iter().map(|(underlying, _)| *underlying)
    }

    /// Greeks of the known pools in `range`, by pool, then underlying; only underlyings in which a pool has positions.
    /// `outcomes` are those of the whole book. Pools are taken by worst scenario, so that a contract is valued about once
    /// in each.
    pub fn of_pools(&self, outcomes: &[PoolOutcome], range: Range<usize>) -> Vec<PoolGreeks> {
        self.of_part((&self.snapshot.book, 0), outcomes, range)
    }

    /// As [`GreekSheet::of_pools`], of a part of the book whose first pool stands at the given place in the whole; `outcomes`
    /// and `range` are the part's.
    pub fn of_part(
        &self,
        (book, first): (&Book, usize),
        outcomes: &[PoolOutcome],
        range: Range<usize>,
    ) -> Vec<PoolGreeks> {
        let worst = |pool: u32| outcomes[pool as usize].worst_scenario;
        let known = |pool: &u32| outcomes[*pool as usize].state != State::Unknown;
        let mut order: Vec<u32> = (range.start as u32..range.end as u32).filter(known).collect();
        order.sort_unstable_by_key(|&pool| (worst(pool), pool));
        let groups: Vec<&[u32]> =
            order.chunk_by(|&a, &b| worst(a) == worst(b)).flat_map(|group| group.chunks(GROUP_POOLS)).collect();
        let of_group = |shocked: &mut ShockedUnits, group: &&[u32]| {
            let mut rows = Vec::with_capacity(4 * group.len());
            for &pool in *group {
                let place = (first + pool as usize) as u32;
                self.add_pool((place, book.pool(pool as usize)), worst(pool) as usize, shocked, &mut rows);
            }
            rows
        };
        let init = || ShockedUnits::new(self.snapshot.instruments.len());
        let parts: Vec<Vec<PoolGreeks>> = groups.par_iter().map_init(init, of_group).collect();
        let mut rows = parts.concat();
        rows.par_sort_unstable_by_key(|row| (row.pool, row.underlying));
        rows
    }

    fn add_pool(
        &self,
        (pool, of): (u32, Pool<'_>),
        scenario: usize,
        shocked: &mut ShockedUnits,
        rows: &mut Vec<PoolGreeks>,
    ) {
        let first = rows.len();
        for position in of.positions {
            let instrument = &self.snapshot.instruments[position.instrument as usize];
            let underlying = instrument.underlying;
            let at = rows[first..].iter().position(|row| row.underlying == underlying).unwrap_or_else(|| {
                rows.push(PoolGreeks { pool, underlying, base: Greeks::default(), worst: Greeks::default() });
                rows.len() - 1 - first
            });
            let row = &mut rows[first + at];
            row.base.add_scaled(position.quantity, self.base[position.instrument as usize]);
            let worst = shocked.of(position.instrument, scenario, || {
                self.market.contract(instrument, Column::Scenario(scenario)).greeks
            });
            row.worst.add_scaled(position.quantity, worst);
        }
    }

    /// Greeks of the exchange in the scenarios of `range`, by scenario, then underlying; only underlyings with positions.
    pub fn of_scenarios(&self, range: Range<usize>) -> Vec<ScenarioGreeks> {
        let blocks: Vec<Range<usize>> = (range.start..range.end)
            .step_by(BLOCK_SCENARIOS)
            .map(|start| start..(start + BLOCK_SCENARIOS).min(range.end))
            .collect();
        let of_block = |block: Range<usize>| {
            let by_underlying: Vec<(UnderlyingIndex, Vec<Greeks>)> = self
                .held
                .iter()
                .map(|(underlying, instruments)| (*underlying, self.net_of_block(instruments, block.clone())))
                .collect();
            let of_scenario = |offset: usize| {
                let scenario = (block.start + offset) as u32;
                let rows = by_underlying.iter();
                rows.map(move |(underlying, sums)| ScenarioGreeks {
                    scenario,
                    underlying: *underlying,
                    greeks: sums[offset],
                })
            };
            (0..block.len()).flat_map(of_scenario).collect::<Vec<_>>()
        };
        blocks.into_par_iter().flat_map_iter(of_block).collect()
    }

    /// Σ net quantity · unit Greeks under neighbouring scenarios, in instrument order. What nets to nothing is not valued.
    fn net_of_block(&self, instruments: &[InstrumentIndex], block: Range<usize>) -> Vec<Greeks> {
        let mut sums = vec![Greeks::default(); block.len()];
        let mut contracts = vec![ContractValue::default(); block.len()];
        for &instrument in instruments {
            let quantity = self.net_quantity[instrument as usize];
            if quantity != 0.0 {
                self.market.contracts(&self.snapshot.instruments[instrument as usize], block.start, &mut contracts);
                sums.iter_mut().zip(&contracts).for_each(|(sum, unit)| sum.add_scaled(quantity, unit.greeks));
            }
        }
        sums
    }

    /// Σ net quantity · unit Greeks, in instrument order. What nets to nothing is not valued.
    pub(super) fn net(&self, instruments: &[InstrumentIndex], unit: impl Fn(InstrumentIndex) -> Greeks) -> Greeks {
        let mut sum = Greeks::default();
        for &instrument in instruments {
            let quantity = self.net_quantity[instrument as usize];
            if quantity != 0.0 {
                sum.add_scaled(quantity, unit(instrument));
            }
        }
        sum
    }
}

/// Which instruments known pools have positions in, and Σ quantity of each, contracts; compensated (Neumaier): on an exchange
/// where every long has its short, the sum is 0 and not the rounding of a million additions.
#[derive(Debug, Clone)]
pub struct NetPositions {
    held: Vec<bool>,
    sums: Vec<f64>,
    lost: Vec<f64>,
}

impl NetPositions {
    /// Nothing held of so many instruments.
    pub fn new(n_instruments: usize) -> Self {
        Self { held: vec![false; n_instruments], sums: vec![0.0; n_instruments], lost: vec![0.0; n_instruments] }
    }

    /// Adds the known pools of a book, or of the next part of one.
    pub fn add(&mut self, book: &Book) {
        for position in book.pools().filter(|pool| !pool.unknown).flat_map(|pool| pool.positions) {
            let index = position.instrument as usize;
            self.held[index] = true;
            let (sum, quantity) = (self.sums[index], position.quantity);
            let total = sum + quantity;
            let is_larger = sum.abs() >= quantity.abs();
            self.lost[index] += if is_larger { (sum - total) + quantity } else { (quantity - total) + sum };
            self.sums[index] = total;
        }
    }

    /// Σ quantity by instrument.
    fn quantities(&self) -> Vec<f64> {
        self.sums.iter().zip(&self.lost).map(|(sum, lost)| sum + lost).collect()
    }
}

/// Unit Greeks of one scenario, valued on first use.
struct ShockedUnits {
    /// Scenario + 1 in which each entry was valued; 0 = never.
    valued_in: Vec<usize>,
    greeks: Vec<Greeks>,
}

impl ShockedUnits {
    fn new(n_instruments: usize) -> Self {
        Self { valued_in: vec![0; n_instruments], greeks: vec![Greeks::default(); n_instruments] }
    }

    fn of(&mut self, instrument: InstrumentIndex, scenario: usize, value: impl FnOnce() -> Greeks) -> Greeks {
        let index = instrument as usize;
        if self.valued_in[index] != scenario + 1 {
            self.valued_in[index] = scenario + 1;
            self.greeks[index] = value();
        }
        self.greeks[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_is_valued_once_in_each_scenario_in_turn() {
        let mut units = ShockedUnits::new(2);
        let valued = |delta| move || Greeks { delta, ..Greeks::default() };
        let again = || panic!("valued already");
        assert_eq!(units.of(1, 0, valued(1.0)).delta, 1.0);
        assert_eq!(units.of(1, 0, again).delta, 1.0);
        assert_eq!(units.of(1, 4, valued(2.0)).delta, 2.0);
        assert_eq!(units.of(0, 4, valued(3.0)).delta, 3.0);
        assert_eq!(units.of(1, 4, again).delta, 2.0);
        assert_eq!(units.of(1, 0, valued(4.0)).delta, 4.0);
    }
}
