use std::collections::BTreeMap;

use super::history::History;
use super::market::MarketFall;
use crate::domain::{Asset, Snapshot};
use crate::error::{Error, Result};

/// What each stable or wrapped asset should be worth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pegs {
    /// Reference asset by asset.
    pub of: BTreeMap<String, String>,
    /// Names that follow the quote currency unless `of` says otherwise, in any case.
    pub stable: Vec<String>,
}

/// How far an asset may leave its peg within the horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct PegBreak {
    /// What it should be worth.
    pub reference: String,
    /// Worst falls of the ratio of the two prices; `None` where the history does not have both.
    pub fall: Option<MarketFall>,
    /// The larger of that and the floor, in [0, 1].
    pub haircut: f64,
}

impl Pegs {
    /// The reference of an asset: as stated; else the underlying it follows; else, of a stable one, the quote currency.
    pub fn reference<'p>(&'p self, asset: &'p Asset, snapshot: &'p Snapshot) -> Option<&'p str> {
        let is_stable = || self.stable.iter().any(|name| name.eq_ignore_ascii_case(&asset.name));
        match self.of.get(&asset.name) {
            Some(reference) => Some(reference),
            None if asset.underlying != asset.name => Some(&asset.underlying),
            None => is_stable().then_some(snapshot.quote.as_str()),
        }
    }

    /// Checks the references stated: each is the quote currency, an asset or an underlying of the snapshot, or a price of the
    /// history, and following them never leads back.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the first asset whose reference is wrong.
    pub fn check(&self, snapshot: &Snapshot, history: &History) -> Result<()> {
        for (name, reference) in &self.of {
            if *name == snapshot.quote {
                return Err(Error::Usage(format!(
                    "peg {name}={reference}: {name} is the quote currency, it has no peg"
                )));
            }
            let assets = snapshot.assets.iter().map(|asset| asset.name.as_str());
            let underlyings = snapshot.underlyings.iter().map(|underlying| underlying.name.as_str());
            let mut known = assets.chain(underlyings).chain([snapshot.quote.as_str()]);
            if !known.any(|known| known == reference) && history.course(reference).is_none() {
                let courses = history.courses.iter().map(|course| course.name.as_str());
                let assets = snapshot.assets.iter().map(|asset| asset.name.as_str());
                let remedy =
                    crate::suggest::remedy(reference, assets.chain(courses), "neither snapshot nor panel has it");
                return Err(Error::Usage(format!("peg {name}={reference}: no asset {reference:?} ({remedy})")));
            }
            let path = self.path(name, snapshot);
            if path.iter().skip(1).any(|step| step.eq_ignore_ascii_case(name)) {
                return Err(Error::Usage(format!("peg {}: {name} follows itself", path.join("="))));
            }
        }
        Ok(())
    }

    /// An asset, what it follows, what that follows and so on, up to the first name that comes again.
    fn path<'p>(&'p self, name: &'p str, snapshot: &'p Snapshot) -> Vec<&'p str> {
        let mut path = vec![name];
        let asset = |name: &str| snapshot.assets.iter().find(|asset| asset.name.eq_ignore_ascii_case(name));
        let mut next = self.of.get(name).map(String::as_str);
        while let Some(reference) = next {
            let is_known = path.iter().any(|step| step.eq_ignore_ascii_case(reference));
            path.push(reference);
            if is_known {
                break;
            }
            next = asset(reference).and_then(|asset| self.reference(asset, snapshot));
        }
        path
    }
}
