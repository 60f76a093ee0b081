//! A grid over one group: its cells, its losses by the direct formula, and the lowering of the largest.

use jiff::Timestamp;

use super::points::Run;
use super::sheet::{CAP, CHANGE, CURRENT, DAMPENING, NEGATIVE, POSITIVE};
use super::{Cell, Grid, SettleAt, Transform};
use crate::domain::{AssetIndex, Instrument, Kind, Position, UnderlyingIndex};
use crate::margin::component::Part;
use crate::margin::component::changes::Changes;
use crate::margin::pool::Market;
use crate::number::Number;
use crate::program::{Node, Reduction};

/// What nets before the transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    underlying: Option<UnderlyingIndex>,
    settlement: Option<AssetIndex>,
    expiry: Option<Timestamp>,
}

/// The holdings of one cell, as rows of their changes.
struct CellTerms {
    key: Key,
    /// Changes of undiscounted values, and of what is settled in a coin that moves along.
    changes: Changes,
    /// Quantities of discounted options: positive, negative, current rows.
    discounted: Vec<(u32, u32, u32, f64)>,
}

fn cells(grid: &Grid, part: &Part<'_, '_>) -> Vec<CellTerms> {
    let mut cells: Vec<CellTerms> = Vec::new();
    let mut cell_of = |key: Key| {
        cells.iter().position(|cell| cell.key == key).unwrap_or_else(|| {
            cells.push(CellTerms { key, changes: Changes::default(), discounted: Vec::new() });
            cells.len() - 1
        })
    };
    let mut placed = Vec::new();
    for position in part.positions() {
        let instrument = part.instrument(position);
        placed.push((cell_of(grid.key_of(instrument)), position, instrument));
    }
    let snapshot = part.setting().snapshot;
    let mut balances = Vec::new();
    for balance in part.balances() {
        let Some(underlying) = snapshot.underlying_of_asset(balance.asset) else { continue };
        let settlement = (grid.cell == Cell::Pair).then_some(balance.asset);
        balances.push((cell_of(Key { underlying: Some(underlying), settlement, expiry: None }), balance));
    }
    for (at, position, instrument) in placed {
        add_position(grid, part, &mut cells[at], (position, instrument));
    }
    for (at, balance) in balances {
        let Some(row) = part.rows().of_asset(CHANGE, balance.asset) else { continue };
        cells[at].changes.add(row, [balance.amount, 1.0]);
        cells[at].changes.add(row, [balance.accrued_interest, 1.0]);
    }
    cells
}

fn add_position(
    grid: &Grid,
    part: &Part<'_, '_>,
    cell: &mut CellTerms,
    (position, instrument): (&Position, &Instrument),
) {
    let (rows, index, quantity) = (part.rows(), position.instrument, position.quantity);
    let sheets = [POSITIVE, NEGATIVE, CURRENT].map(|sheet| rows.of_instrument(sheet, index));
    if let [Some(positive), Some(negative), Some(current)] = sheets {
        cell.discounted.push((positive, negative, current, quantity));
    }
    let moves_along = part.setting().snapshot.underlying_of_asset(instrument.settlement_asset);
    let settlement = (grid.settle_at == SettleAt::Moved && moves_along == Some(instrument.underlying))
        .then(|| rows.of_asset(CHANGE, instrument.settlement_asset))
        .flatten();
    cell.changes.add_position(position, instrument, (rows.of_instrument(CHANGE, index), settlement));
}

impl Grid {
    fn key_of(&self, instrument: &Instrument) -> Key {
        let underlying = Some(instrument.underlying);
        match (self.cell, instrument.kind) {
            (Cell::Pair, _) => Key { underlying, settlement: Some(instrument.settlement_asset), expiry: None },
            (Cell::Expiry, Kind::Option) => Key { underlying, settlement: None, expiry: instrument.expiry },
            (Cell::Expiry, _) => Key { underlying, settlement: None, expiry: None },
        }
    }
}

/// Direct formula: −Σ over cells of the transformed gain or loss, at each point: `[n_points]`.
pub(super) fn losses<N: Number>(grid: &Grid, part: &Part<'_, '_>, market: &impl Market<N>) -> Vec<N> {
    let cells = cells(grid, part);
    let runs = grid.runs();
    let points = runs.iter().flat_map(|run| (run.first..run.first + run.count).map(move |k| (k, run)));
    let loss = |(k, run): (usize, &Run)| {
        cells.iter().fold(N::of(0.0), |loss, cell| {
            let gain = gain_at(cell, k as u32, market);
            let gain = if run.is_absolute { N::of(0.0).minus(&gain.magnitude()) } else { gain };
            loss.minus(&transformed(grid, gain, (cell, k as u32, run), part, market))
        })
    };
    points.map(loss).collect()
}

fn gain_at<N: Number>(cell: &CellTerms, k: u32, market: &impl Market<N>) -> N {
    let gain: N = cell.changes.gain(k, market);
    if cell.discounted.is_empty() {
        return gain;
    }
    let sum = |row: fn(&(u32, u32, u32, f64)) -> u32| {
        let options = cell.discounted.iter();
        options.fold(N::of(0.0), |sum, option| sum.plus(&N::of(option.3).times(&market.row(row(option) + k))))
    };
    let (positive, negative, current) = (sum(|o| o.0), sum(|o| o.1), sum(|o| o.2));
    let after = positive.positive_part().plus(&negative.smaller(&N::of(0.0)));
    gain.plus(&after).minus(&current)
}

fn transformed<N: Number>(
    grid: &Grid,
    gain: N,
    (cell, k, run): (&CellTerms, u32, &Run),
    part: &Part<'_, '_>,
    market: &impl Market<N>,
) -> N {
    let limit = |sheet: usize| {
        let row = cell.key.underlying.and_then(|underlying| part.rows().of_underlying(sheet, underlying));
        row.map(|row| market.row(row + k))
    };
    grid.transforms.iter().fold(gain, |gain, transform| match *transform {
        Transform::Weight => gain,
        Transform::Dampen { .. } if run.is_dampened => match limit(DAMPENING) {
            // Towards zero, never through it.
            Some(amount) => {
                let (above, below) = (gain.minus(&amount), gain.plus(&amount));
                above.positive_part().plus(&below.smaller(&N::of(0.0)))
            }
            None => gain,
        },
        Transform::Dampen { .. } => gain,
        Transform::Gain { share, .. } => {
            let shared = gain.smaller(&gain.times(&N::of(share)));
            limit(CAP).map_or(shared.clone(), |cap| shared.smaller(&cap))
        }
    })
}

/// Lowering: max(0, largest loss over each run of points).
pub(super) fn largest_loss(grid: &Grid, part: &Part<'_, '_>) -> Node {
    let cells = cells(grid, part);
    let mut runs: Vec<Node> = grid
        .runs()
        .iter()
        .map(|run| {
            let cells = cells.iter().map(|cell| cell_node(grid, cell, run, part).scaled(-1.0));
            Node::Sum(cells.collect()).reduced(Reduction::Max, run.count as u32)
        })
        .collect();
    runs.push(Node::constant(0.0));
    Node::Max(runs)
}

fn cell_node(grid: &Grid, cell: &CellTerms, run: &Run, part: &Part<'_, '_>) -> Node {
    let first = run.first as u32;
    let mut gain = Node::strided(cell.changes.terms(first, 1.0));
    if !cell.discounted.is_empty() {
        let sum = |row: fn(&(u32, u32, u32, f64)) -> u32, sign: f64| {
            Node::strided(cell.discounted.iter().map(|option| (row(option) + first, sign * option.3)).collect())
        };
        let positive = sum(|option| option.0, 1.0).positive_part();
        let negative = Node::Min(vec![sum(|option| option.1, 1.0), Node::constant(0.0)]);
        gain = Node::Sum(vec![gain, positive, negative, sum(|option| option.2, -1.0)]);
    }
    if run.is_absolute {
        gain = gain.absolute().scaled(-1.0);
    }
    let limit = |sheet: usize, sign: f64| {
        let row = cell.key.underlying.and_then(|underlying| part.rows().of_underlying(sheet, underlying));
        row.map(|row| Node::strided(vec![(row + first, sign)]))
    };
    grid.transforms.iter().fold(gain, |gain, transform| match *transform {
        Transform::Dampen { .. } if run.is_dampened => match (limit(DAMPENING, -1.0), limit(DAMPENING, 1.0)) {
            (Some(less), Some(more)) => {
                let above = Node::Sum(vec![gain.clone(), less]).positive_part();
                let below = Node::Min(vec![Node::Sum(vec![gain, more]), Node::constant(0.0)]);
                Node::Sum(vec![above, below])
            }
            _ => gain,
        },
        Transform::Gain { share, .. } => {
            let shared = if share == 0.0 { Node::constant(0.0) } else { gain.clone().scaled(share) };
            Node::Min([Some(gain), Some(shared), limit(CAP, 1.0)].into_iter().flatten().collect())
        }
        Transform::Weight | Transform::Dampen { .. } => gain,
    })
}
