use std::path::Path;

use super::volatility::{SECTION, VolatilityShocks};
use crate::error::{Fault, one_line};
use crate::io::table::FaultLog;

const TABLE: &str = "snapshot.toml";

/// What holds for a whole snapshot.
#[derive(Debug)]
pub(super) struct Header {
    pub as_of: Option<jiff::Timestamp>,
    pub quote: String,
    pub volatility_shocks: VolatilityShocks,
}

/// Reads `snapshot.toml`; without the file nothing may expire and the quote is USD.
pub(super) fn read(dir: &Path, log: &mut FaultLog) -> Header {
    let mut header = Header { as_of: None, quote: "USD".into(), volatility_shocks: VolatilityShocks::default() };
    let path = dir.join(TABLE);
    if !path.exists() {
        return header;
    }
    let parsed = std::fs::read_to_string(&path)
        .map_err(one_line)
        .and_then(|text| text.trim_start_matches('\u{feff}').parse::<toml::Table>().map_err(one_line));
    let table = match parsed {
        Ok(table) => table,
        Err(error) => {
            log.push(Fault::of_table(TABLE, format!("not a readable TOML file: {error}"), "correct the file"));
            return header;
        }
    };
    for (key, value) in &table {
        match (key.as_str(), value) {
            ("as_of", toml::Value::Datetime(_) | toml::Value::String(_)) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                match text.parse() {
                    Ok(as_of) => header.as_of = Some(as_of),
                    Err(_) => {
                        let rule = "a moment is RFC 3339 with an offset";
                        log.push(fault(key, &text, rule, "write it like 2026-06-26T08:00:00Z"));
                    }
                }
            }
            ("quote", toml::Value::String(quote)) if is_name(quote) => header.quote = quote.clone(),
            (SECTION, section) => header.volatility_shocks = VolatilityShocks::read(section, log),
            ("as_of" | "quote", value) => {
                log.push(fault(key, &value.to_string(), "a non-empty string", "write it in double quotes"));
            }
            _ => {
                let remedy = crate::suggest::remedy(key, ["as_of", "quote", SECTION], "remove the key");
                log.push(fault(key, "", "the file has no such key", remedy));
            }
        }
    }
    header
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.trim().len() == text.len() && !text.chars().any(char::is_control)
}

/// A fault of one key.
pub(super) fn fault(key: &str, value: &str, rule: &str, remedy: impl Into<String>) -> Fault {
    Fault { column: key.into(), value: value.into(), ..Fault::of_table(TABLE, rule, remedy) }
}

/// The fault of a snapshot in which something expires but that does not say when it was taken.
pub(super) fn as_of_missing() -> Fault {
    fault("as_of", "", "a snapshot with an expiry says when it was taken", "add as_of = \"2026-06-26T08:00:00Z\"")
}
