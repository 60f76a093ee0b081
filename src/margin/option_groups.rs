use std::collections::HashMap;

use super::rulebook::Rulebook;
use crate::domain::{InstrumentIndex, Kind, Payoff, Snapshot};
use crate::error::Fault;

/// Which options net with each other: those of one underlying, expiry, settlement and price asset whose class recognises
/// spreads. Groups are formed over all instruments of a snapshot, so that they do not depend on who holds what.
#[derive(Debug, Clone, Default)]
pub struct OptionGroups {
    /// Group of each instrument; empty where no class recognises spreads.
    of_instrument: Vec<Option<u32>>,
    /// First instrument of each group.
    first: Vec<InstrumentIndex>,
    unpaired: (f64, f64),
}

impl OptionGroups {
    pub(super) fn of(rulebook: &Rulebook, snapshot: &Snapshot) -> Self {
        let Some(spread) = &rulebook.option_spread else { return Self::default() };
        let mut groups = Self { unpaired: (spread.unpaired_initial, spread.unpaired_maintenance), ..Self::default() };
        let mut by_key = HashMap::new();
        for (index, instrument) in (0u32..).zip(&snapshot.instruments) {
            let is_covered = instrument.kind == Kind::Option && spread.classes.contains(&instrument.margin_class);
            let group = is_covered.then(|| {
                let key =
                    (instrument.underlying, instrument.expiry, instrument.settlement_asset, instrument.price_asset);
                *by_key.entry(key).or_insert_with(|| {
                    groups.first.push(index);
                    groups.first.len() as u32 - 1
                })
            });
            groups.of_instrument.push(group);
        }
        groups
    }

    /// Held options that cannot be in a group: the maximum loss over strikes is defined for linear ones.
    pub(super) fn faults(&self, snapshot: &Snapshot, held: &[bool]) -> Vec<Fault> {
        let grouped = self.of_instrument.iter().zip(&snapshot.instruments).zip(held);
        let refused = grouped
            .filter(|((group, instrument), held)| group.is_some() && **held && instrument.payoff != Payoff::Linear);
        let fault = |((_, instrument), _): ((_, &crate::domain::Instrument), _)| {
            let rule = format!("spreads are recognised between linear options; {} is not one", instrument.name);
            Fault::of_table("instruments", rule, "give it a class that is not in option_spread")
        };
        refused.map(fault).collect()
    }

    /// Group of an instrument.
    pub(super) fn of_instrument(&self, instrument: InstrumentIndex) -> Option<u32> {
        self.of_instrument.get(instrument as usize).copied().flatten()
    }

    /// Number of groups.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// First instrument of a group, by name.
    pub(super) fn first(&self, group: u32) -> InstrumentIndex {
        self.first[group as usize]
    }

    /// Share of the forward for each net short call: initial, maintenance.
    pub(super) fn unpaired(&self) -> (f64, f64) {
        self.unpaired
    }
}
