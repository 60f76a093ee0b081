//! Rows under construction: what rules append to the values that a sweep reads.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ndarray::{ArrayView2, Axis};

use super::rules::Rules;
use crate::domain::{InstrumentIndex, Snapshot};
use crate::error::Fault;
use crate::pricing::{Column, ContractValue, Rows, ShockedMarket};

/// Which sides of an instrument the book holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct HeldSides {
    /// Some pool has a position in it.
    pub(super) any: bool,
    /// Some pool is short of it.
    pub(super) short: bool,
}

/// What charges are made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sensitivity {
    /// Delta · index price: quote units per 100 % of the index.
    Delta,
    /// Quote units per 1.00 of volatility.
    Vega,
}

/// A row on its way: its value in the unshocked market, then under each scenario.
pub(super) type Values = Vec<f64>;

/// Rows under construction.
pub(super) struct RowSheet<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: &'a Rules,
    pub(super) market: ShockedMarket<'a>,
    pub(super) rows: Rows,
    /// By instrument.
    pub(super) held: Vec<HeldSides>,
    pub(super) faults: Vec<Fault>,
    /// Appended rows by the hash of their bits.
    seen: HashMap<u64, Vec<u32>>,
}

impl<'a> RowSheet<'a> {
    pub(super) fn new(rules: &'a Rules, snapshot: &'a Snapshot, market: ShockedMarket<'a>, rows: Rows) -> Self {
        let mut held = vec![HeldSides::default(); snapshot.instruments.len()];
        for position in snapshot.book.positions() {
            let sides: &mut HeldSides = &mut held[position.instrument as usize];
            sides.any = true;
            sides.short |= position.quantity < 0.0;
        }
        Self { snapshot, rules, market, rows, held, faults: Vec::new(), seen: HashMap::new() }
    }

    /// Instruments that some pool holds.
    pub(super) fn held_instruments(&self) -> Vec<InstrumentIndex> {
        (0u32..).zip(&self.held).filter(|(_, held)| held.any).map(|(instrument, _)| instrument).collect()
    }

    /// The unshocked market, then every scenario.
    pub(super) fn columns(&self) -> impl Iterator<Item = Column> + use<> {
        std::iter::once(Column::Base).chain((0..self.rows.scenario_count()).map(Column::Scenario))
    }

    /// A row formed market by market.
    pub(super) fn values(&self, value: impl Fn(Column) -> f64) -> Values {
        self.columns().map(value).collect()
    }

    /// A sensitivity of one contract, quote units; 0 where it has expired: its value is cash.
    pub(super) fn sensitivities(&self, sensitivity: Sensitivity, index: InstrumentIndex) -> Values {
        let instrument = &self.snapshot.instruments[index as usize];
        let mut contracts = vec![ContractValue::default(); self.rows.scenario_count() + 1];
        contracts[0] = self.market.contract(instrument, Column::Base);
        self.market.contracts(instrument, 0, &mut contracts[1..]);
        let of = |(contract, column): (ContractValue, Column)| match sensitivity {
            _ if self.market.is_expired(instrument, column) => 0.0,
            Sensitivity::Delta => contract.greeks.delta * self.market.index_price(instrument.underlying, column),
            Sensitivity::Vega => contract.greeks.vega,
        };
        contracts.into_iter().zip(self.columns()).map(of).collect()
    }

    /// Appends a row, or answers the equal one that is there. `item` is what a value that is not finite is blamed on.
    pub(super) fn append(&mut self, values: Values, item: &str) -> u32 {
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            self.not_finite(at, values[at], item);
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        values.iter().for_each(|value| value.to_bits().hash(&mut hasher));
        let same_hash = self.seen.entry(hasher.finish()).or_default();
        let (base, shocked) = (values[0], &values[1..]);
        let rows = &mut self.rows;
        let is_same = |row: u32| rows.base[row as usize] == base && rows.shocked.row(row as usize).iter().eq(shocked);
        if let Some(&row) = same_hash.iter().find(|&&row| is_same(row)) {
            return row;
        }
        let row = rows.append(base, shocked);
        same_hash.push(row);
        row
    }

    /// Appends adjacent rows that already are differences: `[n]` in the unshocked market, `[n × n_scenarios]` under each
    /// scenario. Answers the first.
    pub(super) fn append_block(&mut self, base: &[f64], shocked: ArrayView2<'_, f64>, item: &str) -> u32 {
        let in_base = base.iter().find(|value| !value.is_finite()).map(|value| (0, *value));
        let in_rows = shocked.axis_iter(Axis(1)).enumerate();
        let mut in_rows = in_rows.filter_map(|(s, column)| Some((s + 1, *column.iter().find(|v| !v.is_finite())?)));
        if let Some((at, value)) = in_base.or_else(|| in_rows.next()) {
            self.not_finite(at, value, item);
            return 0;
        }
        self.rows.append_differences(base, shocked)
    }

    fn not_finite(&mut self, at: usize, value: f64, item: &str) {
        let rule = "what a margin rule requires is finite";
        let fault = Fault::of_cell(("scenarios", at as u64, item), value.to_string(), rule, "soften the shock");
        self.faults.push(fault);
    }
}
