//! `account verify`.

use std::path::PathBuf;

use super::{Required, check_required, moment, now, required, show};
use crate::cli::{Context, Format, print_json, print_text};
use crate::error::Result;
use crate::portable::Document;

/// Arguments of `account verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Portable account, JSON or CBOR.
    file: PathBuf,
    /// A signature that must be there, ROLE=KEY: owner, source_venue, destination_venue or attestor, and the public key
    /// or address. May be given several times.
    #[arg(long, value_name = "ROLE=KEY", value_parser = required)]
    require_signature: Vec<Required>,
    /// Moment at which it must be valid [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<jiff::Timestamp>,
}

/// Runs the command; returns the exit code.
pub(super) fn run(args: &Args, context: Context) -> Result<u8> {
    let document = Document::read(&args.file)?;
    check_required(&document, &args.require_signature)?;
    let at = args.at.unwrap_or_else(now);
    document.check_validity(at)?;
    match context.format {
        Format::Json => {
            let mut facts = show::facts(&document);
            facts["valid_at"] = at.to_string().into();
            facts["issuer_risk"] = show::risk_json(&document.account().risk);
            print_json(&facts);
        }
        Format::Table => {
            show::print(&document);
            show::print_risk("risk, as its issuer says", &document.account().risk);
            print_text(format_args!("valid at {at}"));
        }
    }
    Ok(0)
}
