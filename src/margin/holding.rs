//! Quantities of a pool's holdings that formulas may name: value of options, what is owed, gross notional.

use super::pool::{Market, Setting};
use crate::domain::{Balance, Kind, Position, Premium};
use crate::number::Number;
use crate::program::Node;

impl Setting<'_> {
    /// Options whose premium was paid: row of their value and quantity.
    fn paid_options<'p>(&self, positions: impl Iterator<Item = &'p Position>) -> impl Iterator<Item = (u32, f64)> {
        positions.filter_map(|position| {
            let instrument = &self.snapshot.instruments[position.instrument as usize];
            let is_paid = instrument.kind == Kind::Option && instrument.premium == Premium::Paid;
            is_paid.then(|| (self.instrument_row(position.instrument), position.quantity))
        })
    }

    /// Direct formula: Σ quantity · value of options whose premium was paid, long less short.
    pub(super) fn option_value<'p, N: Number>(
        &self,
        positions: impl Iterator<Item = &'p Position>,
        market: &impl Market<N>,
    ) -> N {
        let terms = self.paid_options(positions);
        terms.fold(N::of(0.0), |sum, (row, quantity)| sum.plus(&N::of(quantity).times(&market.row(row))))
    }

    /// Lowering of the same.
    pub(super) fn option_value_node<'p>(&self, positions: impl Iterator<Item = &'p Position>) -> Node {
        Node::leaf(self.paid_options(positions).collect())
    }

    /// Direct formula of what is owed: Σ over assets of the value of a negative balance, ≥ 0.
    pub(super) fn liabilities<'p, N: Number>(
        &self,
        balances: impl Iterator<Item = &'p Balance>,
        market: &impl Market<N>,
    ) -> N {
        self.lots(balances).iter().fold(N::of(0.0), |sum, lots| {
            let owed = lots
                .iter()
                .fold(N::of(0.0), |owed, lot| owed.minus(&N::of(lot.amount)).minus(&N::of(lot.accrued_interest)));
            sum.plus(&owed.times(&market.row(self.asset_row(lots[0].asset))).positive_part())
        })
    }

    /// Lowering of the same.
    pub(super) fn liabilities_node<'p>(&self, balances: impl Iterator<Item = &'p Balance>) -> Node {
        let owed = |lots: &Vec<&Balance>| {
            let row = self.asset_row(lots[0].asset);
            let terms = lots.iter().flat_map(|lot| [(row, -lot.amount), (row, -lot.accrued_interest)]);
            Node::leaf(terms.collect()).positive_part()
        };
        Node::Sum(self.lots(balances).iter().map(owed).collect())
    }

    /// Balances by asset; none is empty.
    fn lots<'p>(&self, balances: impl Iterator<Item = &'p Balance>) -> Vec<Vec<&'p Balance>> {
        let mut all: Vec<Vec<&Balance>> = Vec::new();
        for balance in balances {
            match all.iter_mut().find(|lots| lots[0].asset == balance.asset) {
                Some(lots) => lots.push(balance),
                None => all.push(vec![balance]),
            }
        }
        all
    }

    /// Direct formula of the gross notional of some positions.
    pub(super) fn notional_of<'p, N: Number>(
        &self,
        positions: impl Iterator<Item = &'p Position>,
        market: &impl Market<N>,
    ) -> N {
        positions.fold(N::of(0.0), |sum, position| {
            let (row, coefficient) = self.notional(position);
            sum.plus(&N::of(coefficient).times(&market.row(row)))
        })
    }
}
