use ndarray::Array2;
use rayon::prelude::*;

use super::sheet::GreekSheet;
use crate::domain::{Book, InstrumentIndex, Snapshot, Underlying, UnderlyingIndex};
use crate::pricing::{Column, Greeks, ShockedMarket};
use crate::scenario::{Factor, ScenarioSet};

/// Relative moves of the index; 0 is the unshocked market.
const MOVES: [f64; 13] = [-0.5, -0.4, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5];
/// Pools that are summed together; the sums of these are added in book order.
const PART_POOLS: usize = 4_096;

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

impl Ladder {
    /// Moves the index of one underlying of the sheet and sums over the whole book at every rung. What known pools hold
    /// on it are `instruments`, ascending.
    pub(super) fn new(sheet: &GreekSheet<'_>, underlying: UnderlyingIndex, instruments: &[InstrumentIndex]) -> Self {
        let units = units(sheet.snapshot, underlying, instruments);
        let n_pools = sheet.snapshot.book.len();
        let parts: Vec<[Greeks; MOVES.len()]> = (0..n_pools.div_ceil(PART_POOLS))
            .into_par_iter()
            .map(|part| gross(sheet, &units, part * PART_POOLS..((part + 1) * PART_POOLS).min(n_pools)))
            .collect();
        let mut rungs: Vec<Rung> = Vec::with_capacity(MOVES.len());
        for (at, index_move) in MOVES.into_iter().enumerate() {
            let mut rung = Rung { index_move, ..Rung::default() };
            for (instrument, greeks) in &units {
                rung.net.add_scaled(sheet.net_quantity[*instrument as usize], greeks[at]);
            }
            parts.iter().for_each(|part| rung.gross.add_scaled(1.0, part[at]));
            rungs.push(rung);
        }
        let index_price = sheet.snapshot.underlyings[underlying as usize].index_price;
        Self { underlying, index_price, rungs }
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
fn gross(sheet: &GreekSheet<'_>, units: &Units, pools: std::ops::Range<usize>) -> [Greeks; MOVES.len()] {
    let mut sums = [Greeks::default(); MOVES.len()];
    for pool in sheet.known_pools(pools) {
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
