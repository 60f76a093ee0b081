use std::collections::BTreeMap;

use super::Inputs;
use crate::oracle::{Assessment, diverges, mark};

/// The mark of an instrument that has inputs of its own.
pub(super) struct InstrumentMark {
    /// The instrument.
    pub(super) instrument: String,
    /// Its underlying, whose formed price is the index.
    pub(super) underlying: String,
    /// The mark; `None` without any input.
    pub(super) mark: Option<f64>,
    /// Whether it is too far from the underlying's price for liquidations.
    pub(super) diverges: bool,
}

/// Marks of the instruments in `marks` whose underlying is among the subjects, or has no quotes at all.
pub(super) fn all(inputs: &Inputs, subjects: &BTreeMap<String, Assessment>) -> Vec<InstrumentMark> {
    let Some(snapshot) = &inputs.snapshot else { return Vec::new() };
    let of_instrument = |(name, own): (&String, _)| {
        let instrument = snapshot.instruments.iter().find(|instrument| instrument.name == *name)?;
        let underlying = &snapshot.underlyings[instrument.underlying as usize].name;
        let found = subjects.get(underlying);
        if found.is_none() && inputs.tables.subjects.contains_key(underlying) {
            return None;
        }
        let mark = mark(found.and_then(|found| found.formed.price), own);
        let price = found.and_then(|found| found.formed.median);
        let policy = inputs.policies.get(underlying);
        Some(InstrumentMark {
            instrument: name.clone(),
            underlying: underlying.clone(),
            mark,
            diverges: mark.zip(price).is_some_and(|(mark, price)| diverges(mark, price, policy)),
        })
    };
    inputs.tables.instruments.iter().filter_map(of_instrument).collect()
}
