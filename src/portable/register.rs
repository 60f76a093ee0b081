//! What a venue has taken in: the last nonce of each pool, and every lock that was credited.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::account::MarginAccount;
use super::fault::{at, none_of};
use crate::error::{Error, Result};
use crate::io::write_file;

const NAME: &str = "plimsoll.nonce-register";

/// A register file, held by this process until it is dropped.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    nonces: BTreeMap<[String; 3], u64>,
    locks: BTreeSet<[String; 2]>,
    /// Released when it is closed.
    _held: File,
}

/// What a nonce says of what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Admission {
    /// The last nonce that was taken in; none before the first.
    pub last: Option<u64>,
    /// Nonces between that and this one that were never seen.
    pub skipped: u64,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterFile {
    name: String,
    version: String,
    nonces: Vec<NonceEntry>,
    locks: Vec<LockEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NonceEntry {
    venue: String,
    account: String,
    pool: String,
    nonce: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LockEntry {
    venue: String,
    lock: String,
}

impl Register {
    /// Opens a register; a file that does not exist is an empty one. A file beside it keeps a second process out.
    ///
    /// # Errors
    /// [`Error::Usage`] where the file is no register, [`Error::Temporary`] where another process holds it, [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.file_name().ok_or_else(|| Error::Usage(format!("{}: not a file name", path.display())))?;
        let beside = path.with_file_name(format!(".{}.lock", name.to_string_lossy()));
        let held = File::options().create(true).append(true).open(&beside);
        let held = held.map_err(|source| Error::io(&beside, source))?;
        held.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::Temporary(format!("{}: another import holds it", path.display())),
            TryLockError::Error(source) => Error::io(&beside, source),
        })?;
        let mut register = Self { path: path.into(), nonces: BTreeMap::new(), locks: BTreeSet::new(), _held: held };
        match std::fs::read(path) {
            Ok(bytes) => register.fill(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::io(path, source)),
        }
        Ok(register)
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<()> {
        let refuse = |what: String| Error::Usage(format!("{}: no nonce register: {what}", self.path.display()));
        let file: RegisterFile =
            serde_json::from_slice(bytes).map_err(|error| refuse(crate::error::one_line(error)))?;
        if file.name != NAME || file.version != "1" {
            return Err(refuse(format!("it is {} {}", file.name, file.version)));
        }
        for NonceEntry { venue, account, pool, nonce } in file.nonces {
            let number = nonce.parse().map_err(|_| refuse(format!("nonce {nonce:?}")))?;
            let key = [venue, account, pool];
            if self.nonces.insert(key.clone(), number).is_some() {
                return Err(refuse(format!("{} stands twice", key.join(" / "))));
            }
        }
        self.locks = file.locks.into_iter().map(|LockEntry { venue, lock }| [venue, lock]).collect();
        Ok(())
    }

    /// Notes an account as taken in; [`Register::save`] makes it last.
    ///
    /// # Errors
    /// [`Error::Refused`] where its nonce is not above the last one, or one of its locked lots was credited before.
    pub fn admit(&mut self, account: &MarginAccount) -> Result<Admission> {
        let identity = &account.account;
        let key = [&identity.venue, &identity.account, &identity.pool].map(String::clone);
        let nonce: u64 = identity.nonce.parse().map_err(|_| Error::Bug("nonce of a checked account".into()))?;
        let last = self.nonces.get(&key).copied();
        let mut faults = Vec::new();
        if let Some(last) = last.filter(|last| nonce <= *last) {
            let rule = format!("a nonce rises: {last} was taken in before");
            faults.push(at("account.nonce", &identity.nonce, rule, "have its issuer export it again"));
        }
        let lots = account.collateral.iter().chain(&account.liabilities);
        for lock in lots.filter_map(|lot| lot.lock.as_ref()) {
            if !self.locks.insert([identity.venue.clone(), lock.clone()]) {
                faults.push(at("collateral.lock", lock, "a locked lot is credited once", "it was taken in before"));
            }
        }
        none_of(faults)?;
        self.nonces.insert(key, nonce);
        Ok(Admission { last, skipped: last.map_or(0, |last| nonce - last - 1) })
    }

    /// Writes the register in place of its file.
    ///
    /// # Errors
    /// [`Error::Io`] where writing fails; the earlier file is untouched then.
    pub fn save(&self) -> Result<()> {
        let nonces = self.nonces.iter().map(|([venue, account, pool], nonce)| NonceEntry {
            venue: venue.clone(),
            account: account.clone(),
            pool: pool.clone(),
            nonce: nonce.to_string(),
        });
        let locks = self.locks.iter().map(|[venue, lock]| LockEntry { venue: venue.clone(), lock: lock.clone() });
        let file =
            RegisterFile { name: NAME.into(), version: "1".into(), nonces: nonces.collect(), locks: locks.collect() };
        let text = serde_json::to_string_pretty(&file).map_err(|error| Error::Bug(error.to_string()))?;
        write_file(&self.path, format!("{text}\n").as_bytes())
    }
}
