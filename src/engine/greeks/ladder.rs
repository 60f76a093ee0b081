use ndarray::Array2;
use rayon::prelude::*;

use super::sheet::GreekSheet;
use crate::domain::{Book, InstrumentIndex, Snapshot, Underlying, UnderlyingIndex};
use crate::pricing::{Column, Greeks, ShockedMarket};
use crate::scenario::{Factor, ScenarioSet};

/// Relative moves of the index; 0 is the unshocked market.
const MOVES: [f64; 13] = [-0.5, -0.4, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5];
/// Pools that are summed together; the sums of these are added in book order.
pub(in crate::engine) const PART_POOLS: usize = 2_048;

/// Greeks of the exchange on one underlying as its index moves and nothing else does.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// The underlying.
    pub underlying: UnderlyingIndex,
    /// Its unshocked index price, quote units.
    pub index_price: f64,
    /// From the largest fall to the largest rise.
    pub rungs: Vec<Rung>,
}

/// One rung of a [`Ladder`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rung {
    /// Relative move of the index, of the marks and forwards on it, and of the coin of that name.
    pub index_move: f64,
    /// Σ over pools.
    pub net: Greeks,
    /// Σ over pools of the pool's absolute Greek: what is held on either side. On an exchange where every long has its
    /// short the net is 0, and this is the only figure that says how much there is.
    pub gross: Greeks,
}

/// Contracts of the ladder's underlying, and their unit Greeks on every rung.
type Units = Vec<(InstrumentIndex, [Greeks; MOVES.len()])>;

/// A [`Ladder`] whose pools come in book order.
#[derive(Debug, Clone)]
pub struct LadderSums {
    /// The underlying.
    pub underlying: UnderlyingIndex,
    units: Units,
    /// Σ |Greeks of a pool| on every rung.
    gross: [Greeks; MOVES.len()],
}

impl LadderSums {
    /// Moves the index of one underlying of the sheet; what known pools hold on it are `instruments`, ascending.
    pub(super) fn new(sheet: &GreekSheet<'_>, underlying: UnderlyingIndex, instruments: &[InstrumentIndex]) -> Self {
        Self { underlying, units: units(sheet.snapshot, underlying, instruments), gross: Default::default() }
    }

    /// Adds the known pools of a book, or of the next part of one.
    pub fn add(&mut self, book: &Book) {
        let n_pools = book.len();
        let parts: Vec<[Greeks; MOVES.len()]> = (0..n_pools.div_ceil(PART_POOLS))
            .into_par_iter()
            .map(|part| gross(book, &self.units, part * PART_POOLS..((part + 1) * PART_POOLS).min(n_pools)))
            .collect();
        for part in parts {
            self.gross.iter_mut().zip(part).for_each(|(sum, part)| sum.add_scaled(1.0, part));
        }
    }

    /// The ladder of everything that was added; net positions are the sheet's.
    pub(super) fn ladder(&self, sheet: &GreekSheet<'_>) -> Ladder {
        let mut rungs: Vec<Rung> = Vec::with_capacity(MOVES.len());
        for (at, index_move) in MOVES.into_iter().enumerate() {
            let mut rung = Rung { index_move, gross: self.gross[at], ..Rung::default() };
            for (instrument, greeks) in &self.units {
                rung.net.add_scaled(sheet.net_quantity[*instrument as usize], greeks[at]);
            }
            rungs.push(rung);
        }
        let index_price = sheet.snapshot.underlyings[self.underlying as usize].index_price;
        Ladder { underlying: self.underlying, index_price, rungs }
    }
}

/// Unit Greeks on every rung. The underlying becomes its own factor here, so that a move is a move of its index whatever
/// factor and beta the scenario set drives it by.
fn units(snapshot: &Snapshot, underlying: UnderlyingIndex, instruments: &[InstrumentIndex]) -> Units {
    let mut underlyings = snapshot.underlyings.clone();
    let moved = &mut underlyings[underlying as usize];
    *moved = Underlying { factor: moved.name.clone(), beta: 1.0, ..moved.clone() };
    let factor = Factor::price(moved.name.clone());
    let market = Snapshot {
        as_of: snapshot.as_of,
        quote: snapshot.quote.clone(),
        assets: snapshot.assets.clone(),
        underlyings,
        instruments: instruments.iter().map(|&index| snapshot.instruments[index as usize].clone()).collect(),
        routes: snapshot.routes.clone(),
        haircut_curves: snapshot.haircut_curves.clone(),
        book: Book::default(),
    };
    let set = ScenarioSet {
        ids: MOVES.iter().map(f64::to_string).collect(),
        weights: vec![1.0; MOVES.len()],
        labels: vec![String::new(); MOVES.len()],
        factors: vec![factor],
        shocks: Array2::from_shape_fn((MOVES.len(), 1), |(at, _)| MOVES[at]),
    };
    let shocked = ShockedMarket::new(&market, &set);
    let of = |instrument| std::array::from_fn(|at| shocked.contract(instrument, Column::Scenario(at)).greeks);
    instruments.iter().copied().zip(market.instruments.iter().map(of)).collect()
}

/// Σ |Greeks of a pool on the underlying| over a range of pools, on every rung.
fn gross(book: &Book, units: &Units, pools: std::ops::Range<usize>) -> [Greeks; MOVES.len()] {
    let mut sums = [Greeks::default(); MOVES.len()];
    for pool in pools.map(|index| book.pool(index)).filter(|pool| !pool.unknown) {
        let mut of_pool = [Greeks::default(); MOVES.len()];
        let mut is_concerned = false;
        for position in pool.positions {
            if let Ok(at) = units.binary_search_by_key(&position.instrument, |(instrument, _)| *instrument) {
                is_concerned = true;
                of_pool.iter_mut().zip(&units[at].1).for_each(|(sum, unit)| sum.add_scaled(position.quantity, *unit));
            }
        }
        if is_concerned {
            for (sum, greeks) in sums.iter_mut().zip(of_pool) {
                sum.add_scaled(1.0, Greeks::from_array(greeks.to_array().map(f64::abs)));
            }
        }
    }
    sums
}
