//! Classes whose rate follows open interest, settled for the instruments of a snapshot.

use std::collections::HashMap;

use super::explain::number;
use super::rulebook::{MarginClass, Rulebook};
use super::size::SizeFunction;
use crate::domain::{InstrumentIndex, Kind, Snapshot};
use crate::error::Fault;

impl MarginClass {
    fn follows_open_interest(&self) -> bool {
        [&self.initial, &self.maintenance].iter().any(|size| matches!(size, SizeFunction::OpenInterest(_)))
    }
}

/// Held instruments whose class reads an open interest that their underlying does not have.
pub(super) fn faults(rulebook: &Rulebook, snapshot: &Snapshot, held: &[bool]) -> Vec<Fault> {
    let held = snapshot.instruments.iter().zip(held).filter(|(_, held)| **held);
    let lacking = held.filter_map(|(instrument, _)| {
        let by_option_class = instrument.kind == Kind::Option && rulebook.option.contains_key(&instrument.margin_class);
        let class = rulebook.margin.get(&instrument.margin_class).filter(|_| !by_option_class)?;
        let underlying = &snapshot.underlyings[instrument.underlying as usize];
        (class.follows_open_interest() && underlying.open_interest_quote.is_none()).then(|| {
            let rule = format!(
                "margin class {:?} of {} reads the open interest of {}",
                instrument.margin_class, instrument.name, underlying.name
            );
            let fault = Fault::of_table("underlyings", rule, "fill open_interest in");
            Fault { column: "open_interest".into(), ..fault }
        })
    });
    lacking.collect()
}

/// Gives every instrument whose class follows open interest a class with the rates that its underlying's reaches. Answers
/// what settled them.
pub(super) fn settle(
    classes: &mut Vec<MarginClass>,
    class_of_instrument: &mut [u32],
    snapshot: &Snapshot,
) -> HashMap<InstrumentIndex, String> {
    let mut notes = HashMap::new();
    for (index, of_instrument) in class_of_instrument.iter_mut().enumerate() {
        let class = &classes[*of_instrument as usize];
        let underlying = &snapshot.underlyings[snapshot.instruments[index].underlying as usize];
        let Some(open_interest) = underlying.open_interest_quote.filter(|_| class.follows_open_interest()) else {
            continue;
        };
        let settled = MarginClass {
            initial: class.initial.at_open_interest(open_interest),
            maintenance: class.maintenance.at_open_interest(open_interest),
            ..class.clone()
        };
        let bounds = [&class.initial, &class.maintenance].into_iter().find_map(|size| match size {
            SizeFunction::OpenInterest(rate) => Some((rate.lower, rate.upper)),
            _ => None,
        });
        let (lower, upper) = bounds.unwrap_or_default();
        let [open_interest, lower, upper] = [open_interest, lower, upper].map(number);
        notes.insert(
            index as u32,
            format!("open interest {open_interest} of {} against {lower} to {upper}", underlying.name),
        );
        *of_instrument = classes.len() as u32;
        classes.push(settled);
    }
    notes
}
