//! `account export`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{AlgorithmName, RiskModel, asset_map, moment, now, role, show};
use crate::cli::engine_args::UnshockedName;
use crate::cli::explain::find_one;
use crate::cli::{Context, Format, print_json, print_text};
use crate::error::{Error, Result};
use crate::io::snapshot::read_with_faults;
use crate::io::write_file;
use crate::portable::{Document, Finality, Issue, Role, SecretKey, export};

/// Seconds that a document is valid where nothing else is asked for.
const VALID_SECONDS: i64 = 24 * 3600;

/// Arguments of `account export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of tables.
    snapshot: PathBuf,
    /// Account that owns the pool.
    account: String,
    /// Pool of the account; needed where it has several.
    #[arg(long)]
    pool: Option<String>,
    /// Margin rules [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Scenario set for the risk summary; without it only the unshocked market is in it.
    #[arg(long, value_name = "FILE")]
    scenarios: Option<PathBuf>,
    /// What to do with a held underlying that no factor moves.
    #[arg(long, value_enum, default_value_t = UnshockedName::Refuse)]
    unshocked: UnshockedName,
    /// What assets are called elsewhere: a TOML table [assets] of NAME = "CAIP-19".
    #[arg(long, value_name = "FILE")]
    assets: Option<PathBuf>,
    /// Venue that issues the document.
    #[arg(long, default_value = "plimsoll", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    venue: String,
    /// CAIP-2 network of the account, for example eip155:1.
    #[arg(long)]
    network: Option<String>,
    /// Height of the block that the snapshot was read at.
    #[arg(long)]
    block: Option<u64>,
    /// How sure the snapshot is not to be undone.
    #[arg(long, value_enum, default_value_t = FinalityName::Venue)]
    finality: FinalityName,
    /// Number of the document; rises with every document of this venue, account and pool.
    #[arg(long, default_value_t = 1)]
    nonce: u64,
    /// Usable from this moment on [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    not_before: Option<jiff::Timestamp>,
    /// Usable before this moment [default: a day after not-before].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<jiff::Timestamp>,
    /// Sign with the key in this file: 32 bytes as hexadecimal digits.
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
    /// How to sign.
    #[arg(long, value_enum, default_value_t = AlgorithmName::Ed25519, requires = "sign")]
    algorithm: AlgorithmName,
    /// In which capacity to sign: owner, source_venue, destination_venue or attestor.
    #[arg(long, value_parser = role, default_value = "owner", requires = "sign")]
    role: Role,
    /// File to write: .json or .cbor.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Names of the degrees of finality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FinalityName {
    /// The ledger of a venue.
    Venue,
    /// A block that may be undone.
    Latest,
    /// A block that the network takes for safe.
    Safe,
    /// A final block.
    Finalized,
}

impl FinalityName {
    fn finality(self) -> Finality {
        match self {
            Self::Venue => Finality::Venue,
            Self::Latest => Finality::Latest,
            Self::Safe => Finality::Safe,
            Self::Finalized => Finality::Finalized,
        }
    }
}

/// Runs the command; returns the exit code.
pub(super) fn run(args: &Args, context: Context) -> Result<u8> {
    let key = args.sign.as_deref().map(|path| SecretKey::read(path, args.algorithm.algorithm())).transpose()?;
    let assets = asset_map(args.assets.as_ref())?;
    let rulebook = args.rulebook.clone().unwrap_or_else(|| args.snapshot.join("rulebook.toml"));
    let model = RiskModel::read(&rulebook, args.scenarios.as_deref(), args.unshocked)?;
    let snapshot = read_with_faults(&args.snapshot)?.into_quarantined()?;
    let index = find_one(&snapshot, &args.account, args.pool.as_deref())?;
    if snapshot.book.pool(index).unknown {
        let name = &args.account;
        return Err(Error::Usage(format!("a refused row touches a pool of {name:?}: `check` lists the faults")));
    }
    let not_before = args.not_before.unwrap_or_else(now);
    let later = || not_before.checked_add(jiff::SignedDuration::from_secs(VALID_SECONDS)).unwrap_or(not_before);
    let issue = Issue {
        venue: &args.venue,
        network: args.network.as_deref(),
        block: args.block,
        finality: args.finality.finality(),
        nonce: args.nonce,
        not_before,
        expires: args.expires.unwrap_or_else(later),
        assets: &assets,
    };
    let account = export(&snapshot, index, &issue, model.assess(&snapshot, index)?)?;
    let mut document = Document::new(&account)?;
    if let Some(key) = key {
        document = document.signed(args.role, &key)?;
    }
    let bytes = document.to_bytes_for(&args.out)?;
    write_file(&args.out, &bytes)?;
    match context.format {
        Format::Json => {
            let mut facts = show::facts(&document);
            facts["out"] = args.out.display().to_string().into();
            facts["bytes"] = bytes.len().into();
            facts["risk"] = show::risk_json(&account.risk);
            print_json(&facts);
        }
        Format::Table => {
            show::print(&document);
            show::print_risk("risk", &account.risk);
            print_text(format_args!("{} byte(s) in {}", bytes.len(), args.out.display()));
        }
    }
    Ok(0)
}
