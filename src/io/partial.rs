//! Files and directories under construction, listed so that an interrupted process can remove them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io, mem, thread};

/// What is under construction. Every change of it, and every move of a finished thing to its place, happens under the
/// lock; an interrupt takes the lock for good.
static PARTIAL: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn list() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // The list itself is never left half changed.
    PARTIAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or directory under construction; removed when dropped, unless it was published.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
}

impl Partial {
    /// Lists `path` and makes it with `create`.
    pub(super) fn create<T>(path: &Path, create: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<(Self, T)> {
        let mut list = list();
        let made = create(path)?;
        list.insert(path.into());
        Ok((Self { path: path.into() }, made))
    }

    /// Where it is built.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves a file to `target`, in place of a file that stands there; over a directory it fails.
    pub(super) fn publish(self, target: &Path) -> io::Result<()> {
        let mut list = list();
        fs::rename(&self.path, target)?;
        list.remove(&self.path);
        Ok(())
    }

    /// Moves a directory to `target`. A directory that stands there is moved aside and handed back, to be removed: whether
    /// it may be is for the caller to know.
    pub(super) fn replace(self, target: &Path) -> io::Result<Option<Self>> {
        let mut list = list();
        let aside = target.is_dir().then(|| self.path.with_extension("replaced"));
        if let Some(aside) = &aside {
            fs::rename(target, aside)?;
        }
        if let Err(error) = fs::rename(&self.path, target) {
            if let Some(aside) = &aside {
                // Put the earlier one back; should this fail as well, it still stands beside, and the error is told.
                let _ = fs::rename(aside, target);
            }
            return Err(error);
        }
        list.remove(&self.path);
        list.extend(aside.clone());
        Ok(aside.map(|path| Self { path }))
    }

    /// Removes it.
    pub(super) fn remove(self) -> io::Result<()> {
        remove(&self.path)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let mut list = list();
        if list.remove(&self.path) {
            // Nothing better can be done with a failure here: the work has failed already, or it was removed.
            let _ = remove(&self.path);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes everything under construction and lets nothing be published or started any more: for a process that is about
/// to end. Answers what could not be removed.
pub fn remove_all() -> Vec<PathBuf> {
    /// Other threads may still be writing into a directory while it is removed.
    const ATTEMPTS: usize = 20;
    let list = list();
    let left = list.iter().filter(|path| {
        !(0..ATTEMPTS).any(|attempt| {
            if attempt > 0 {
                thread::sleep(Duration::from_millis(5));
            }
            remove(path).is_ok()
        })
    });
    let left = left.cloned().collect();
    // Never given back.
    mem::forget(list);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_published_is_removed_and_what_it_replaces_is_handed_back() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| dir.path().join(name);
        drop(Partial::create(&at("a"), |path| fs::create_dir(path)).expect("a directory"));
        assert!(!at("a").exists());
        let (first, _) = Partial::create(&at("b"), |path| fs::write(path, "b")).expect("a file");
        first.publish(&at("c")).expect("published");
        assert!(at("c").is_file() && !at("b").exists());
        fs::create_dir(at("d")).expect("a directory");
        let (second, _) = Partial::create(&at("e"), |path| fs::create_dir(path)).expect("a directory");
        let replaced = second.replace(&at("d")).expect("published").expect("a directory stood there");
        assert!(replaced.path().exists());
        replaced.remove().expect("removed");
        let (third, _) = Partial::create(&at("f"), |path| fs::write(path, "f")).expect("a file");
        assert!(third.publish(&at("d")).is_err(), "a file never takes the place of a directory");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 2);
    }
}
