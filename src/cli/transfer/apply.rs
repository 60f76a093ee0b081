//! The snapshots after the commit.

use std::path::Path;

use crate::domain::{Book, BookBuilder, PoolSettings};
use crate::error::Result;
use crate::io::{TableFormat, snapshot_write};
use crate::transfer::{Holdings, Outcome, Relation, Venue, Venues};

/// Writes them below `dir`.
///
/// # Errors
/// [`crate::Error::Usage`] where a directory of them is not empty; [`crate::Error::Io`] where writing fails.
pub(super) fn write(dir: &Path, venues: &Venues<'_>, outcome: &Outcome, format: TableFormat) -> Result<()> {
    let source = (&venues.source, &outcome.source_after);
    let destination = (&venues.destination, &outcome.destination_after);
    let write = |name: &str, venue: &Venue<'_>, changed: &[(&Venue<'_>, &Holdings)]| {
        let snapshot = venue.snapshot.with_book(changed_book(&venue.snapshot.book, changed));
        snapshot_write::write(&dir.join(name), format, &snapshot)
    };
    match venues.relation {
        Relation::OneVenue => write("venue", source.0, &[source, destination]),
        Relation::TwoVenues => {
            write("source", source.0, &[source])?;
            write("destination", destination.0, &[destination])
        }
    }
}

/// A book in which these pools hold something else, or are new.
fn changed_book(book: &Book, changed: &[(&Venue<'_>, &Holdings)]) -> Book {
    let mut builder = BookBuilder::with_lots_of(book);
    let is_changed =
        |account: &str, pool: &str| changed.iter().any(|(venue, _)| (venue.account, venue.pool) == (account, pool));
    for pool in book.pools().filter(|pool| !is_changed(pool.account, pool.pool)) {
        let id = builder.pool(pool.account, pool.pool);
        pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
        pool.positions.iter().for_each(|position| builder.add_position(id, *position));
        if *pool.settings != PoolSettings::default() {
            *builder.settings(id) = pool.settings.clone();
        }
        if pool.unknown {
            builder.mark_unknown(id);
        }
    }
    changed.iter().for_each(|(venue, held)| held.add_to(&mut builder, venue.account, venue.pool));
    builder.build()
}
