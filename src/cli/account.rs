//! `account`: portable margin accounts.

mod export;
mod import;
mod show;
mod sign;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::engine_args::UnshockedName;
use super::{Context, print_json};
use crate::domain::Snapshot;
use crate::engine::Explainer;
use crate::error::{Error, Result};
use crate::io::{hash, read_rulebook, rulebook_files, scenario_file};
use crate::margin::Rulebook;
use crate::portable::{self, Algorithm, Assessment, AssetMap, FileDigest, Role, Sources};
use crate::scenario::ScenarioSet;

/// Arguments of `account`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write one pool of a snapshot as a portable account.
    Export(Box<export::Args>),
    /// Check a portable account: form, meaning, hash, signatures, validity.
    Verify(verify::Args),
    /// Take a portable account into a snapshot, and recompute its risk there.
    Import(Box<import::Args>),
    /// Add a signature to a portable account.
    Sign(sign::Args),
    /// Write a portable account in its other form, JSON or CBOR.
    Convert(sign::ConvertArgs),
    /// Print the JSON Schema of portable accounts.
    Schema,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, context: Context) -> Result<u8> {
    match &args.command {
        Command::Export(args) => export::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Import(args) => import::run(args, context),
        Command::Sign(args) => sign::run(args, context),
        Command::Convert(args) => sign::convert(args, context),
        Command::Schema => {
            print_json(&portable::json_schema());
            Ok(0)
        }
    }
}

/// Names of the signature algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AlgorithmName {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// EIP-712 typed data over secp256k1.
    Eip712,
}

impl AlgorithmName {
    fn algorithm(self) -> Algorithm {
        match self {
            Self::Ed25519 => Algorithm::Ed25519,
            Self::Eip712 => Algorithm::Eip712,
        }
    }
}

/// A role by its word.
fn role(text: &str) -> Result<Role, String> {
    let names = Role::ALL.map(Role::name);
    let found = Role::ALL.into_iter().find(|role| role.name() == text);
    found.ok_or_else(|| format!("one of {}", names.join(", ")))
}

/// A moment.
fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse().map_err(|_| "a moment is RFC 3339 with an offset, like 2026-06-26T08:00:00Z".into())
}

/// The moment of the command, to the second.
fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The rules that a pool's risk is computed by.
struct RiskModel {
    rulebook: Rulebook,
    scenarios: Option<ScenarioSet>,
    sources: Sources,
    unshocked: UnshockedName,
}

impl RiskModel {
    fn read(rulebook: &Path, scenarios: Option<&Path>, unshocked: UnshockedName) -> Result<Self> {
        let digest = |path: &Path| {
            let hash::FileHash { file, blake3, .. } = hash::file(path)?;
            Ok(FileDigest { file, blake3 })
        };
        let rules = read_rulebook(rulebook)?;
        let sources = Sources {
            rulebook: rulebook_files(rulebook, &rules).iter().map(|file| digest(file)).collect::<Result<_>>()?,
            scenarios: scenarios.map(digest).transpose()?,
        };
        Ok(Self { rulebook: rules, scenarios: scenarios.map(scenario_file::read).transpose()?, sources, unshocked })
    }

    /// What the engine says of the pool at `index`.
    fn assess(&self, snapshot: &Snapshot, index: usize) -> Result<Assessment> {
        let explainer = Explainer {
            snapshot,
            rulebook: &self.rulebook,
            scenarios: self.scenarios.as_ref(),
            unshocked: self.unshocked.policy(),
        };
        portable::summarise(&explainer, index, self.sources.clone())
    }
}

/// The map of a file, or none.
fn asset_map(path: Option<&PathBuf>) -> Result<AssetMap> {
    path.map_or_else(|| Ok(AssetMap::default()), |path| AssetMap::read(path))
}

/// A signature that must be there: `ROLE=KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Required {
    role: Role,
    key: String,
}

fn required(text: &str) -> Result<Required, String> {
    let (name, key) = text.split_once('=').ok_or("ROLE=KEY, for example owner=0x…")?;
    let (role, key) = (role(name)?, key.to_ascii_lowercase());
    let digits = key.strip_prefix("0x").ok_or("a key begins with 0x")?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    // 32 bytes are an Ed25519 key, 20 an address.
    if !is_hex || !matches!(digits.len(), 40 | 64) {
        return Err("a key is 0x and 64 hexadecimal digits (Ed25519) or 40 (an address)".into());
    }
    Ok(Required { role, key })
}

/// Refuses a document that lacks a signature asked for; those it has are known to hold.
fn check_required(document: &portable::Document, required: &[Required]) -> Result<()> {
    let signatures = document.check_signatures()?;
    for Required { role, key } in required {
        if !signatures.iter().any(|entry| entry.role == *role && entry.key == *key) {
            let fault = crate::error::Fault::of_table(
                "portable account",
                format!("no signature of {} by {key}", role.name()),
                "have it signed by that key",
            );
            return Err(Error::Refused(vec![fault]));
        }
    }
    Ok(())
}
