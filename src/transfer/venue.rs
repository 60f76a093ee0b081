use super::holdings::Holdings;
use super::plan::{Absent, fault};
use crate::domain::Snapshot;
use crate::error::{Error, Result};
use crate::margin::Rulebook;
use crate::scenario::ScenarioSet;

/// One side of a transfer: a pool, in its market, under its rules and scenarios.
#[derive(Debug, Clone, Copy)]
pub struct Venue<'a> {
    /// Market data and book.
    pub snapshot: &'a Snapshot,
    /// Margin rules.
    pub rulebook: &'a Rulebook,
    /// Scenarios under which the target is kept.
    pub scenarios: &'a ScenarioSet,
    /// Owner of the pool.
    pub account: &'a str,
    /// Name of the pool.
    pub pool: &'a str,
}

/// What two sides are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Pools of one book: what one loses the other gains in one act.
    OneVenue,
    /// Books of two venues.
    TwoVenues,
}

/// Both sides.
#[derive(Debug, Clone, Copy)]
pub struct Venues<'a> {
    /// Where the lot comes from.
    pub source: Venue<'a>,
    /// Where it goes.
    pub destination: Venue<'a>,
    /// What to do where the destination has no such pool.
    pub absent: Absent,
    /// What they are to each other.
    pub relation: Relation,
}

impl Venue<'_> {
    /// Place of the pool in the book; `None` where there is none of this name.
    pub(super) fn index(&self) -> Option<usize> {
        let book = &self.snapshot.book;
        (0..book.len()).find(|&index| {
            let pool = book.pool(index);
            (pool.account, pool.pool) == (self.account, self.pool)
        })
    }

    fn held(&self, index: usize) -> Result<Holdings> {
        let pool = self.snapshot.book.pool(index);
        if pool.unknown {
            let rule = format!("a refused row touches {} / {}: nothing is claimed about it", pool.account, pool.pool);
            return Err(Error::Usage(rule));
        }
        Ok(Holdings::of(&pool))
    }

    fn no_such_pool(&self, side: &str) -> Error {
        let pools = || self.snapshot.book.pools();
        let of_account: Vec<&str> = pools().filter(|pool| pool.account == self.account).map(|pool| pool.pool).collect();
        let (key, value, remedy) = if of_account.is_empty() {
            let accounts = pools().map(|pool| pool.account);
            (
                "account",
                self.account,
                crate::suggest::remedy(self.account, accounts, "the snapshot has no such account"),
            )
        } else {
            let otherwise = format!("the account has {}", of_account.join(", "));
            ("pool", self.pool, crate::suggest::remedy(self.pool, of_account, &otherwise))
        };
        Error::Configuration(vec![fault(&format!("{side}.{key}"), value, format!("the {side} has this {key}"), remedy)])
    }
}

impl Venues<'_> {
    /// What the two pools hold; the destination's holds nothing where it is to be created.
    ///
    /// # Errors
    /// [`Error::Configuration`] where a pool is not there, both are one, or their quotes differ, [`Error::Usage`] where nothing is known of one.
    pub(super) fn holdings(&self) -> Result<(Holdings, Holdings)> {
        let (source, destination) = (&self.source, &self.destination);
        let name = |venue: &Venue<'_>| (venue.account.to_string(), venue.pool.to_string());
        if self.relation == Relation::OneVenue && name(source) == name(destination) {
            let fault = fault("destination.pool", destination.pool, "the destination is another pool", "name it");
            return Err(Error::Configuration(vec![fault]));
        }
        let quotes = [&source.snapshot.quote, &destination.snapshot.quote];
        if quotes[0] != quotes[1] {
            let rule = format!("both sides are quoted in one currency; the source is in {}", quotes[0]);
            let fault = fault("destination.snapshot", quotes[1], rule, "convert one of the snapshots");
            return Err(Error::Configuration(vec![fault]));
        }
        let from = source.index().ok_or_else(|| source.no_such_pool("source"))?;
        let to = match (destination.index(), self.absent) {
            (Some(index), _) => destination.held(index)?,
            (None, Absent::Create) => Holdings::default(),
            (None, Absent::Refuse) => return Err(destination.no_such_pool("destination")),
        };
        Ok((source.held(from)?, to))
    }
}
