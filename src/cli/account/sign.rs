//! `account sign` and `account convert`: the same content, with a signature more or in the other form.

use std::path::{Path, PathBuf};

use super::{AlgorithmName, role, show};
use crate::cli::{Context, Format, print_json, print_text};
use crate::error::Result;
use crate::io::write_file;
use crate::portable::{Document, Role, SecretKey};

/// Arguments of `account sign`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Portable account, JSON or CBOR; signatures it has must hold.
    file: PathBuf,
    /// File of the key: 32 bytes as hexadecimal digits.
    #[arg(long, value_name = "KEYFILE")]
    key: PathBuf,
    /// How to sign.
    #[arg(long, value_enum, default_value_t = AlgorithmName::Ed25519)]
    algorithm: AlgorithmName,
    /// In which capacity: owner, source_venue, destination_venue or attestor.
    #[arg(long, value_parser = role, default_value = "owner")]
    role: Role,
    /// File to write: .json or .cbor.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Arguments of `account convert`.
#[derive(Debug, clap::Args)]
pub struct ConvertArgs {
    /// Portable account, JSON or CBOR.
    file: PathBuf,
    /// File to write: .json or .cbor.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs `account sign`; returns the exit code.
pub(super) fn run(args: &Args, context: Context) -> Result<u8> {
    let key = SecretKey::read(&args.key, args.algorithm.algorithm())?;
    let document = Document::read(&args.file)?;
    document.check_signatures()?;
    write(&document.signed(args.role, &key)?, &args.out, context)
}

/// Runs `account convert`; returns the exit code.
pub(super) fn convert(args: &ConvertArgs, context: Context) -> Result<u8> {
    write(&Document::read(&args.file)?, &args.out, context)
}

fn write(document: &Document, out: &Path, context: Context) -> Result<u8> {
    let bytes = document.to_bytes_for(out)?;
    write_file(out, &bytes)?;
    match context.format {
        Format::Json => {
            let mut facts = show::facts(document);
            facts["out"] = out.display().to_string().into();
            facts["bytes"] = bytes.len().into();
            print_json(&facts);
        }
        Format::Table => {
            show::print(document);
            print_text(format_args!("{} byte(s) in {}", bytes.len(), out.display()));
        }
    }
    Ok(0)
}
