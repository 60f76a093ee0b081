use std::collections::BTreeSet;

use crate::domain::{Asset, Instrument, Kind, Snapshot};
use crate::margin::file::{Key, KeyKind, Reader, Section, words};

/// Words for [`Per`].
pub(super) const PER: [(&str, Per); 4] =
    [("underlying", Per::Underlying), ("expiry", Per::Expiry), ("settlement", Per::Settlement), ("pool", Per::Pool)];

const KINDS: [(&str, Kind); 4] =
    [("spot", Kind::Spot), ("perpetual", Kind::Perpetual), ("future", Kind::Future), ("option", Kind::Option)];

/// Keys that every component has.
pub(super) const COMMON: &[Key] = &[
    Key::optional(
        "per",
        KeyKind::Word(&words(&PER)),
        "underlying",
        "what the component is evaluated by; its value is the sum over these groups",
    ),
    Key::optional("kinds", KeyKind::Texts, "all", "kinds of instruments it covers: spot, perpetual, future, option"),
    Key::optional("underlyings", KeyKind::Texts, "all", "underlyings it covers"),
    Key::optional("classes", KeyKind::Texts, "all", "margin classes it covers"),
    Key::optional("collateral", KeyKind::Texts, "none", "assets whose balances take part; \"*\" is every asset"),
];

/// What a component covers; `None` where a fault was recorded.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Cover> {
    let names = |key: &str| section.texts(key).unwrap_or_default().iter().cloned().collect();
    let mut kinds = BTreeSet::new();
    let mut is_whole = true;
    for word in section.texts("kinds").unwrap_or_default() {
        match KINDS.iter().find(|(name, _)| name == word) {
            Some((_, kind)) => {
                kinds.insert(*kind);
            }
            None => {
                let known = KINDS.iter().map(|(name, _)| *name);
                let remedy = crate::suggest::remedy(word, known, "one of spot, perpetual, future, option");
                reader.fault(&section.at("kinds"), word.as_str(), "a kind of instrument", remedy);
                is_whole = false;
            }
        }
    }
    let cover =
        Cover { kinds, underlyings: names("underlyings"), classes: names("classes"), collateral: names("collateral") };
    is_whole.then_some(cover)
}

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
