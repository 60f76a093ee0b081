use std::collections::BTreeSet;

use crate::domain::{Asset, Instrument, Kind, Snapshot};

/// Which holdings a component covers. An empty set of instruments' properties means any; of assets, none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cover {
    /// Kinds of instruments, as in the instruments table.
    pub kinds: BTreeSet<Kind>,
    /// Names of underlyings.
    pub underlyings: BTreeSet<String>,
    /// Margin classes.
    pub classes: BTreeSet<String>,
    /// Names of assets whose balances take part; `*` means every asset.
    pub collateral: BTreeSet<String>,
}

/// What a component is evaluated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Per {
    /// Each underlying apart.
    #[default]
    Underlying,
    /// Each underlying and expiry apart; what does not expire is one group of its underlying.
    Expiry,
    /// Each settlement asset apart.
    Settlement,
    /// All holdings together.
    Pool,
}

impl Cover {
    /// Whether positions in an instrument take part.
    pub fn instrument(&self, instrument: &Instrument, snapshot: &Snapshot) -> bool {
        let underlying = &snapshot.underlyings[instrument.underlying as usize].name;
        (self.kinds.is_empty() || self.kinds.contains(&instrument.kind))
            && (self.underlyings.is_empty() || self.underlyings.contains(underlying))
            && (self.classes.is_empty() || self.classes.contains(&instrument.margin_class))
    }

    /// Whether balances of an asset take part.
    pub fn asset(&self, asset: &Asset) -> bool {
        self.collateral.contains(&asset.name) || self.collateral.contains("*")
    }
}
