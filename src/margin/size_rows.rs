//! Rows of margin classes: scalars that requirements are multiplied by, and sizes that move with the market.

use std::collections::HashMap;

use super::expression::{Expression, Name, Part};
use super::haircut::SizeUnit;
use super::pool::{MarginSide, Requirement, Setting};
use super::row_sheet::{RowSheet, Values};
use super::size::{PositionSize, SizeCurve};
use crate::domain::{Instrument, InstrumentIndex, Kind, Payoff, Position, UnderlyingIndex};
use crate::pricing::{Column, unit_value};

/// Rows that the margin class of a held instrument reads beyond its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassRows {
    /// What requirements are multiplied by, the class's scalar times the overlay's multiplier; `None` = 1.
    pub scale: Requirement<Option<u32>>,
    /// Growth of the size of one contract times its notional, quote units, where that size moves with the market.
    pub grown: Requirement<Option<u32>>,
}

impl RowSheet<'_> {
    /// Rows of every held instrument, by instrument.
    pub(super) fn class_rows(&mut self) -> Vec<ClassRows> {
        let mut rows = vec![ClassRows::default(); self.snapshot.instruments.len()];
        let mut scales: HashMap<(Option<&str>, UnderlyingIndex), Requirement<Option<u32>>> = HashMap::new();
        let rules = self.rules;
        for index in self.held_instruments() {
            if rules.option(index).is_some() {
                continue;
            }
            let class = rules.class(index);
            let underlying = self.snapshot.instruments[index as usize].underlying;
            let name = class.scale.as_deref();
            let scale = *scales.entry((name, underlying)).or_insert_with(|| self.scale_rows(name, underlying));
            let mut grown = |side| {
                let curve = class.of(side).curve()?;
                let values = self.grown_values(curve, index)?;
                Some(self.append(values, &self.snapshot.instruments[index as usize].name))
            };
            let (initial, maintenance) = (grown(MarginSide::Initial), grown(MarginSide::Maintenance));
            rows[index as usize] = ClassRows { scale, grown: Requirement { initial, maintenance } };
        }
        rows
    }

    /// The rows of what a class's scalar and the overlay multiply the requirements on an underlying by.
    fn scale_rows(&mut self, name: Option<&str>, underlying: UnderlyingIndex) -> Requirement<Option<u32>> {
        let scalar = name.map(|name| self.scale_row(name, underlying));
        let Some(multipliers) = self.rules.multipliers(underlying) else { return Requirement::both(scalar) };
        let item = &self.snapshot.underlyings[underlying as usize].name;
        let mut row = |multiplier: f64| {
            let values =
                self.values(|column| multiplier * scalar.map_or(1.0, |scalar| self.rows.value(scalar, column)));
            Some(self.append(values, item))
        };
        Requirement { initial: row(multipliers.initial), maintenance: row(multipliers.maintenance) }
    }

    /// The row of a scalar for what is held of an underlying.
    fn scale_row(&mut self, name: &str, underlying: UnderlyingIndex) -> u32 {
        let scalar = Expression::Name(Name::Component(name.into(), Part::Own));
        self.scaling_row(&scalar, Some(underlying))
    }

    /// growth(size) · notional of one contract; `None` where its size is the same in every market.
    fn grown_values(&self, curve: &SizeCurve, index: InstrumentIndex) -> Option<Values> {
        let instrument = &self.snapshot.instruments[index as usize];
        let moves = instrument.kind != Kind::Option && instrument.payoff == Payoff::Inverse;
        if curve.unit == SizeUnit::Asset && !moves {
            return None;
        }
        Some(self.values(|column| {
            let notional = self.unit_notional(index, column);
            let size = match curve.unit {
                SizeUnit::Quote => notional,
                SizeUnit::Asset => unit_value(instrument, self.market.mark_price(instrument, column)).abs(),
            };
            curve.grown(size) * notional
        }))
    }

    /// Notional of one contract, quote units; of an option that of the index.
    fn unit_notional(&self, index: InstrumentIndex, column: Column) -> f64 {
        let instrument = &self.snapshot.instruments[index as usize];
        match instrument.kind {
            Kind::Option => instrument.contract_size * self.market.index_price(instrument.underlying, column),
            _ => self.rows.of_instrument(index).map_or(0.0, |row| self.rows.value(row, column).abs()),
        }
    }
}

impl Setting<'_> {
    /// A position as the size function of one side of its class reads it.
    pub(super) fn position_size(&self, position: &Position, side: MarginSide) -> PositionSize {
        let instrument: &Instrument = &self.snapshot.instruments[position.instrument as usize];
        PositionSize {
            notional: self.notional(position),
            quantity: position.quantity.abs(),
            unit_size: instrument.contract_size,
            grown: *self.rows.of_class(position.instrument).grown.of(side),
        }
    }
}
