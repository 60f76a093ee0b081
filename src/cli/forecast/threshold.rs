use std::path::PathBuf;

use serde_json::{Value, json};

use crate::error::{Error, Fault, Result};
use crate::forecast::Outlook;
use crate::forecast::overlay::{Change, Subject, apply};
use crate::io::{StagedFile, overlay_file, read_rulebook, write_file};

/// What an outlook does to a rulebook.
#[derive(Debug, clap::Args)]
pub(super) struct ThresholdArgs {
    /// Rulebook with an [overlay] that follows the outlook.
    #[arg(long, value_name = "FILE", requires = "write_rulebook")]
    rulebook: Option<PathBuf>,
    /// Rulebook to write, with the multipliers in force from that moment on; comments stay.
    #[arg(long, value_name = "FILE", requires = "rulebook")]
    write_rulebook: Option<PathBuf>,
    /// The underlying that the asset is in the rulebook [default: its name]. Names that are no underlying of a book multiply nothing.
    #[arg(long, value_name = "NAME", requires = "rulebook")]
    underlying: Option<String>,
    /// Log that every change is appended to, CSV.
    #[arg(long, value_name = "FILE", requires = "rulebook")]
    log: Option<PathBuf>,
}

/// An outlook, and the model behind it.
pub(super) struct Said<'a> {
    pub(super) outlook: &'a Outlook,
    pub(super) asset: &'a str,
    pub(super) model: &'a str,
    /// Whether the gate let the model pass.
    pub(super) is_used: bool,
}

impl ThresholdArgs {
    /// Applies an outlook to the rulebook, where one is given; answers what changed.
    ///
    /// # Errors
    /// [`Error::Configuration`] where the rulebook has no overlay, [`Error::Usage`] where the model did not pass the gate.
    pub(super) fn apply(&self, said: &Said<'_>) -> Result<Vec<Change>> {
        let (Some(from), Some(to)) = (&self.rulebook, &self.write_rulebook) else { return Ok(Vec::new()) };
        if !said.is_used {
            let rule = "thresholds do not follow a model that did not pass the gate: fit one without --ungated";
            return Err(Error::Usage(rule.into()));
        }
        let mut rulebook = read_rulebook(from)?;
        let name = from.file_name().unwrap_or_default().to_string_lossy();
        let Some(overlay) = &mut rulebook.overlay else {
            let fault = Fault::of_table(&name, "a rulebook whose thresholds follow has an overlay", "add [overlay]");
            return Err(Error::Configuration(vec![fault]));
        };
        let underlying = self.underlying.as_deref().unwrap_or(said.asset);
        if self.underlying.is_some() {
            eprintln!("warning: only underlyings of a book are multiplied; whether {underlying} is one, check tells");
        }
        let changes = apply(overlay, said.outlook, Subject { underlying, model: Some(said.model) })?;
        let text = std::fs::read_to_string(from).map_err(|source| Error::io(from, source))?;
        let text = match overlay.in_force.get(underlying) {
            Some(in_force) => overlay_file::with_in_force(&text, &name, underlying, in_force)?,
            None => text,
        };
        // A log that cannot be written leaves the rulebook as it was.
        let log = self.log.as_ref().map(|log| overlay_file::with_changes(log, &changes)).transpose()?;
        write_file(to, text.as_bytes())?;
        log.map_or(Ok(()), StagedFile::publish)?;
        Ok(changes)
    }
}

/// A change as JSON.
pub(super) fn json(change: &Change) -> Value {
    json!({
        "hour": change.hour, "underlying": change.underlying, "requirement": change.side.name(),
        "from": change.from, "to": change.to, "reason": change.reason.name(), "model": change.model,
    })
}

/// The same for reading.
pub(super) fn text(change: &Change) -> String {
    let Change { underlying, side, from, to, reason, .. } = change;
    format!("\n{underlying} {}: {from} to {to} ({})", side.name(), reason.name())
}
