//! The snapshots after the commit.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use crate::domain::{Book, BookBuilder, PoolSettings};
use crate::error::Result;
use crate::io::TableFormat;
use crate::io::snapshot_write::SnapshotWriter;
use crate::io::transfer_file::PlanFile;
use crate::margin::Rulebook;
use crate::transfer::{Holdings, Outcome, Relation, Venue, Venues};

/// What is written, and how.
pub(super) struct Applied<'a> {
    pub(super) file: &'a PlanFile,
    pub(super) venues: &'a Venues<'a>,
    pub(super) outcome: &'a Outcome,
    pub(super) format: TableFormat,
}

impl Applied<'_> {
    /// Writes the snapshots below `dir`, each with its rules.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] where a directory of them is not empty; [`crate::Error::Io`] where a rulebook cannot be read again
    /// or writing fails.
    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        let (source, destination) = (&self.venues.source, &self.venues.destination);
        let leaves = (source, &self.outcome.source_after);
        let arrives = (destination, &self.outcome.destination_after);
        let rules = [&self.file.source.rulebook, &self.file.destination.rulebook];
        match self.venues.relation {
            Relation::OneVenue => self.write_side(&dir.join("venue"), (source, rules[0]), &[leaves, arrives]),
            Relation::TwoVenues => {
                self.write_side(&dir.join("source"), (source, rules[0]), &[leaves])?;
                self.write_side(&dir.join("destination"), (destination, rules[1]), &[arrives])
            }
        }
    }

    fn write_side(
        &self,
        dir: &Path,
        (venue, rules): (&Venue<'_>, &Path),
        changed: &[(&Venue<'_>, &Holdings)],
    ) -> Result<()> {
        let mut writer = SnapshotWriter::create(dir, self.format, venue.snapshot)?;
        writer.write_book(&changed_book(&venue.snapshot.book, changed))?;
        copy_rules(&mut writer, rules, venue.rulebook)?;
        writer.finish()
    }
}

/// Copies a rulebook, whatever its name, and the files of its sets of moves that lie beside it.
fn copy_rules(writer: &mut SnapshotWriter, path: &Path, rulebook: &Rulebook) -> Result<()> {
    writer.copy("rulebook.toml", path)?;
    let files: BTreeSet<&str> = rulebook.sets.values().map(|set| set.file.as_str()).collect();
    for file in files {
        match Path::new(file).file_name() == Some(OsStr::new(file)) {
            true => writer.copy(file, &path.with_file_name(file))?,
            false => tracing::warn!("{file} is not copied, as it does not lie beside the rulebook that names it"),
        }
    }
    Ok(())
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
