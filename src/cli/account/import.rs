//! `account import`.

use std::path::{Path, PathBuf};

use super::{Required, RiskModel, asset_map, check_required, moment, now, required, show};
use crate::cli::engine_args::UnshockedName;
use crate::cli::explain::find;
use crate::cli::tables::Tables;
use crate::cli::{Context, Format, print_json, print_text};
use crate::domain::{PoolSettings, Snapshot};
use crate::error::{Error, Result};
use crate::io::rulebook_files;
use crate::io::snapshot::read_with_faults;
use crate::io::snapshot_write::SnapshotWriter;
use crate::margin::{Rulebook, check_book};
use crate::portable::{Admission, Document, MarginAccount, Register, Risk, Status, import};

/// Arguments of `account import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Portable account, JSON or CBOR.
    file: PathBuf,
    /// Directory of tables of the venue that takes the account in.
    #[arg(long, value_name = "SNAPSHOT")]
    into: PathBuf,
    /// Directory to write: the same tables with the pool added.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What was taken in before, by venue, account and pool; made where it does not exist. Without it a replayed document
    /// is not noticed.
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// A signature that must be there, ROLE=KEY; may be given several times.
    #[arg(long, value_name = "ROLE=KEY", value_parser = required)]
    require_signature: Vec<Required>,
    /// Moment at which it must be valid [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<jiff::Timestamp>,
    /// What assets are called elsewhere: a TOML table [assets] of NAME = "CAIP-19".
    #[arg(long, value_name = "FILE")]
    assets: Option<PathBuf>,
    /// Margin rules of the venue that takes the account in [default: SNAPSHOT/rulebook.toml].
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Scenario set to recompute its risk under.
    #[arg(long, value_name = "FILE")]
    scenarios: Option<PathBuf>,
    /// What to do with a held underlying that no factor moves.
    #[arg(long, value_enum, default_value_t = UnshockedName::Refuse)]
    unshocked: UnshockedName,
    /// Format of the tables.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
}

/// Runs the command; returns the exit code.
pub(super) fn run(args: &Args, context: Context) -> Result<u8> {
    let document = Document::read(&args.file)?;
    check_required(&document, &args.require_signature)?;
    document.check_validity(args.at.unwrap_or_else(now))?;
    let account = document.account();
    let mut register = args.register.as_deref().map(Register::open).transpose()?;
    let admission = register.as_mut().map(|register| register.admit(account)).transpose()?;

    let rulebook = args.rulebook.clone().unwrap_or_else(|| args.into.join("rulebook.toml"));
    let model = RiskModel::read(&rulebook, args.scenarios.as_deref(), args.unshocked)?;
    let into = read_with_faults(&args.into)?.into_snapshot()?;
    let snapshot = import(account, &into, &asset_map(args.assets.as_ref())?)?;
    let (faults, warnings) = check_book(&snapshot, &model.rulebook);
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let index = find(&snapshot, &account.account.account, Some(&account.account.pool))?[0];
    let here = model.assess(&snapshot, index)?.risk;

    warn_of_unlocked(account);

    let mut writer = SnapshotWriter::create(&args.out, args.tables.format(), &snapshot)?;
    write_book(&mut writer, &snapshot)?;
    copy_rules(&mut writer, &args.into, &rulebook, &model.rulebook)?;
    // A crash between the two must not leave a pool in a book whose nonce may be used again.
    if let Some(register) = &register {
        register.save()?;
    }
    writer.finish()?;
    report(args, &document, (&here, admission), context);
    Ok(0)
}

/// Says of how many lots on routes nothing shows that they are credited once: the tables will give them locks of their own.
fn warn_of_unlocked(account: &MarginAccount) {
    let unlocked = account.collateral.iter().filter(|lot| lot.status != Status::Settled && lot.lock.is_none()).count();
    if unlocked > 0 {
        tracing::warn!("{unlocked} lot(s) on routes have no lock: nothing shows that they are credited once");
    }
}

fn write_book(writer: &mut SnapshotWriter, snapshot: &Snapshot) -> Result<()> {
    for pool in snapshot.book.pools() {
        writer.write_pool(pool.account, pool.pool, pool.balances, pool.positions)?;
        let holds_nothing = pool.balances.is_empty() && pool.positions.is_empty();
        if holds_nothing || *pool.settings != PoolSettings::default() {
            writer.write_settings(pool.account, pool.pool, pool.settings)?;
        }
    }
    Ok(())
}

/// Copies the rules that lie in the snapshot itself.
fn copy_rules(writer: &mut SnapshotWriter, into: &Path, path: &Path, rulebook: &Rulebook) -> Result<()> {
    for file in rulebook_files(path, rulebook) {
        let name = file.strip_prefix(into).ok().and_then(Path::to_str).filter(|name| !name.contains(['/', '\\']));
        match (name, std::fs::read_to_string(&file)) {
            (Some(name), Ok(text)) => writer.write_text(name, &text)?,
            _ => tracing::warn!("{} is not copied: it is no text file of the snapshot", file.display()),
        }
    }
    Ok(())
}

fn report(args: &Args, document: &Document, (here, admission): (&Risk, Option<Admission>), context: Context) {
    let issuer = &document.account().risk;
    match context.format {
        Format::Json => {
            let mut facts = show::facts(document);
            facts["out"] = args.out.display().to_string().into();
            facts["admission"] = serde_json::json!(admission);
            facts["issuer_risk"] = show::risk_json(issuer);
            facts["risk"] = show::risk_json(here);
            print_json(&facts);
        }
        Format::Table => {
            show::print(document);
            match admission {
                None => print_text("no register: a replayed document would not be noticed"),
                Some(Admission { last: None, .. }) => print_text("first document of this pool"),
                Some(Admission { last: Some(last), skipped: 0 }) => print_text(format_args!("follows nonce {last}")),
                Some(Admission { last: Some(last), skipped }) => {
                    print_text(format_args!("follows nonce {last}; {skipped} nonce(s) between were never seen"));
                }
            }
            show::print_risk("risk, as its issuer says", issuer);
            show::print_risk("risk, recomputed here", here);
            print_text(format_args!("the book with this pool is in {}", args.out.display()));
        }
    }
}
