//! Directories that appear whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::partial::Partial;
use crate::error::{Error, Result};

/// Whether an existing directory may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    /// Only an empty one.
    Never,
    /// Also one that an earlier run wrote: it holds a `manifest.json` of plimsoll.
    EarlierRun,
}

/// A directory under construction beside its final place; removed again unless [`PendingDirectory::publish`] succeeds.
#[derive(Debug)]
pub(super) struct PendingDirectory {
    building: Partial,
    target: PathBuf,
}

impl PendingDirectory {
    /// Starts a directory that will become `target`.
    pub(super) fn create(target: &Path, replace: Replace) -> Result<Self> {
        check_replaceable(target, replace)?;
        let name = target
            .file_name()
            .ok_or_else(|| Error::Usage(format!("{}: not a name for a directory", target.display())))?;
        if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
        }
        let name = format!(".{}.{}.partial", name.to_string_lossy(), std::process::id());
        let path = target.with_file_name(name);
        // A create, not a create-all: a directory of this name is another writer's and is not taken over.
        let building =
            Partial::create(&path, |path| fs::create_dir(path)).map_err(|source| Error::io(&path, source))?;
        Ok(Self { building: building.0, target: target.into() })
    }

    /// Where a file of this name is to be written.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.building.path().join(name)
    }

    /// Writes a small file and forces it to disk.
    pub(super) fn write(&self, name: &str, contents: &[u8]) -> Result<()> {
        let path = self.file(name);
        let write = || {
            use std::io::Write;
            let mut file = fs::File::create_new(&path)?;
            file.write_all(contents)?;
            file.sync_all()
        };
        write().map_err(|source| Error::io(&path, source))
    }

    /// Moves the directory to its place. An earlier run's directory there is moved aside first, and then removed.
    pub(super) fn publish(self, replace: Replace) -> Result<()> {
        check_replaceable(&self.target, replace)?;
        sync_directory(self.building.path());
        let replaced = self.building.replace(&self.target).map_err(|source| Error::io(&self.target, source))?;
        if let Some(parent) = self.target.parent() {
            sync_directory(parent);
        }
        match replaced {
            Some(replaced) => replaced.remove().map_err(|source| Error::io(&self.target, source)),
            None => Ok(()),
        }
    }
}

/// Forces the names in a directory to disk. Not every system allows it, and the files themselves are safe already, so a
/// failure is no error.
fn sync_directory(path: &Path) {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if let Ok(directory) = fs::File::open(path) {
        let _ = directory.sync_all();
    }
}

/// Checks that a directory may be put at `target`: nothing is there, an empty one, or one that may be replaced.
pub(super) fn check_replaceable(target: &Path, replace: Replace) -> Result<()> {
    let metadata = match fs::symlink_metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::io(target, source)),
    };
    if !metadata.is_dir() {
        return Err(Error::Usage(format!("{}: exists and is not a directory", target.display())));
    }
    let mut entries = fs::read_dir(target).map_err(|source| Error::io(target, source))?;
    if entries.next().is_none() || (replace == Replace::EarlierRun && is_earlier_run(target)) {
        return Ok(());
    }
    Err(Error::Usage(format!("{}: the directory is not empty and is left alone; name another", target.display())))
}

fn is_earlier_run(target: &Path) -> bool {
    fs::read(target.join("manifest.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .is_some_and(|manifest| manifest.get("program").and_then(|name| name.as_str()) == Some("plimsoll"))
}
