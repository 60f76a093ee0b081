//! Tables on disk: reading snapshots and bracket files with every fault reported, writing snapshots and results.

pub mod bar_csv;
pub mod bracket_csv;
pub mod chain_csv;
pub mod checkpoint_file;
pub mod event_file;
pub mod hash;
pub mod job_file;
pub mod model_file;
pub mod moment;
pub mod oracle_file;
pub mod oracle_tables;
pub mod overlay_file;
pub mod panel;
pub mod path_file;
pub mod policy_file;
pub mod price_file;
pub mod results;
pub mod rulebook_schema;
pub mod scenario_file;
pub mod snapshot;
pub mod snapshot_write;
pub mod table;
pub mod transfer_file;
pub mod utilisation_file;
pub mod wave_file;

mod decoding;
mod directory;
mod partial;
mod table_write;

use std::path::{Path, PathBuf};

use crate::error::{Error, Fault, Result};
use crate::margin::Rulebook;
use crate::margin::file::line_of;

pub use partial::remove_all as remove_partial;
pub use path_file::read as read_path;
pub use policy_file::read as read_policy;
pub use table_write::TableFormat;

/// Reads a rulebook from a TOML file, and the sets of moves that it names.
///
/// # Errors
/// [`Error::Io`] where a file cannot be read, [`Error::Configuration`] with every broken rule, and those of
/// [`scenario_file::read`].
pub fn read_rulebook(path: &Path) -> Result<Rulebook> {
    let (name, text) = named_text(path, "a rulebook")?;
    let mut rulebook = Rulebook::parse(&text, &name)?;
    let mut faults = Vec::new();
    for (key, set) in &mut rulebook.sets {
        match scenario_file::read(&beside(path, &set.file)) {
            Ok(moves) => set.moves = moves,
            Err(Error::Io { source, .. }) => {
                let rule = format!("the scenario file of a set can be read: {source}");
                let fault = Fault::of_table(&name, rule, "correct the path, which is relative to the rulebook");
                let column = format!("sets.{key}.file");
                let line = Some(line_of(&text, &column));
                faults.push(Fault { column, value: set.file.clone(), line, ..fault });
            }
            Err(other) => return Err(other),
        }
    }
    if faults.is_empty() { Ok(rulebook) } else { Err(Error::Configuration(faults)) }
}

/// The name of a file in faults, and its text; `what` it is stands in the fault of one that is no text.
fn named_text(path: &Path, what: &str) -> Result<(String, String)> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let text =
        String::from_utf8(bytes).map_err(|_| Error::Usage(format!("{}: {what} is UTF-8 text", path.display())))?;
    Ok((name, text))
}

/// The files that a rulebook consists of: its own, then those of its sets of moves.
pub fn rulebook_files(path: &Path, rulebook: &Rulebook) -> Vec<PathBuf> {
    std::iter::once(path.to_path_buf()).chain(rulebook.sets.values().map(|set| beside(path, &set.file))).collect()
}

fn beside(path: &Path, file: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(file)
}

/// Writes a file whole or not at all, in place of one that is there.
///
/// # Errors
/// [`Error::Io`] where writing fails; an earlier file of that name is untouched then.
pub fn write_file(path: &Path, contents: &[u8]) -> Result<()> {
    StagedFile::write(path, contents)?.publish()
}

/// A file that is written whole beside its place, and stands there once published; dropped before, it leaves nothing.
#[derive(Debug)]
pub struct StagedFile {
    path: PathBuf,
    partial: partial::Partial,
}

impl StagedFile {
    /// Writes it beside its place.
    ///
    /// # Errors
    /// [`Error::Io`] where writing fails.
    pub fn write(path: &Path, contents: &[u8]) -> Result<Self> {
        use std::io::Write;
        let name = path.file_name().ok_or_else(|| Error::Usage(format!("{}: not a file name", path.display())))?;
        let partial = path.with_file_name(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
        let write = || {
            let (partial, mut file) = partial::Partial::create(&partial, |path| std::fs::File::create_new(path))?;
            file.write_all(contents)?;
            file.sync_all()?;
            Ok(partial)
        };
        let partial = write().map_err(|source| Error::io(path, source))?;
        Ok(Self { path: path.into(), partial })
    }

    /// Puts it in its place, over an earlier file of that name.
    ///
    /// # Errors
    /// [`Error::Io`] where that fails; an earlier file is untouched then.
    pub fn publish(self) -> Result<()> {
        self.partial.publish(&self.path).map_err(|source| Error::io(&self.path, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_of_a_rulebook_are_read_beside_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = dir.path().join("rulebook.toml");
        let text = "version = 1\n[sets.returns]\nfile = \"returns.csv\"\n";
        std::fs::write(&at, text).expect("written");
        assert!(
            matches!(read_rulebook(&at), Err(Error::Configuration(faults)) if faults.len() == 1),
            "the file is missing"
        );
        std::fs::write(dir.path().join("returns.csv"), "scenario,price:BTC\na,-0.1\nb,0.2\n").expect("written");
        let rulebook = read_rulebook(&at).expect("a valid rulebook");
        assert_eq!(rulebook.sets["returns"].moves.ids, ["a", "b"]);
        assert_eq!(rulebook_files(&at, &rulebook), [at.clone(), dir.path().join("returns.csv")]);
    }
}
