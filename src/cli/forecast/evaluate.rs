use std::path::PathBuf;

use super::history::HistoryArgs;
use super::show::{self, Findings};
use crate::cli::tables::Tables;
use crate::cli::{Context, Format, print_json, print_text};
use crate::error::Result;
use crate::io::hash;
use crate::io::results::ResultsWriter;

/// Arguments of `forecast evaluate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    history: HistoryArgs,
    /// Directory for every forecast and the scores; appears whole or not at all.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Format of the table written.
    #[arg(long, value_enum, default_value_t = Tables::Parquet)]
    tables: Tables,
}

/// Runs the command; returns the exit code.
pub(super) fn run(args: &Args, context: Context) -> Result<u8> {
    let writer = args.out.as_ref().map(|out| ResultsWriter::create(out, args.tables.format())).transpose()?;
    let walked = args.history.walked()?;
    let findings = Findings { walk: &walked.walk, evaluation: &walked.evaluation };
    let object = findings.json();
    if let Some(writer) = writer {
        writer.write_outlooks(&walked.walk)?;
        let mut manifest = object.clone();
        manifest["version"] = env!("CARGO_PKG_VERSION").into();
        manifest["inputs"] = serde_json::json!([hash::file(&args.history.history)?]);
        writer.finish(manifest)?;
    }
    match context.format {
        Format::Json => print_json(&object),
        Format::Table => print_text(show::text(&findings)),
    }
    Ok(0)
}
