//! Multipliers in force in a rulebook file, and the log of their changes.

use std::path::Path;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::StagedFile;
use crate::error::{Error, Fault, Result, one_line};
use crate::forecast::overlay::Change;
use crate::margin::InForce;
use crate::scenario::panel::moment;

/// First line of the log.
const HEADER: &str = "hour,moment,underlying,requirement,from,to,reason,model";

/// The text of a rulebook with other multipliers in force for an underlying; comments, order and everything else stay.
///
/// # Errors
/// [`Error::Configuration`] where the text is no TOML, or `overlay` or `overlay.in_force` is something other than a table.
pub fn with_in_force(text: &str, name: &str, underlying: &str, in_force: &InForce) -> Result<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refused = |rule: String| Error::Configuration(vec![Fault::of_table(name, rule, "correct the file")]);
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        refused(format!("not a readable TOML file: {}", one_line(error.message())))
    })?;
    let implicit = || {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    };
    let mut at = document.as_item_mut();
    for key in ["overlay", "in_force", underlying] {
        let table = at.as_table_like_mut().ok_or_else(|| refused(format!("what holds {key} is a table")))?;
        at = table.entry(key).or_insert_with(implicit);
    }
    let table = at.as_table_like_mut().ok_or_else(|| refused(format!("overlay.in_force.{underlying} is a table")))?;
    put(table, "initial", Some(in_force.initial.into()));
    put(table, "maintenance", Some(in_force.maintenance.into()));
    put(table, "since", Some(in_force.since.to_string().into()));
    put(table, "earlier", (!in_force.earlier.is_empty()).then(|| earlier(in_force)));
    put(table, "model", in_force.model.as_deref().map(Value::from));
    Ok(document.to_string())
}

/// Puts a value in place of the one under a key, whose comments stay; without one the key goes.
fn put(table: &mut dyn toml_edit::TableLike, key: &str, written: Option<Value>) {
    let Some(mut written) = written else {
        table.remove(key);
        return;
    };
    if let Some(before) = table.get(key).and_then(Item::as_value) {
        *written.decor_mut() = before.decor().clone();
    }
    table.insert(key, value(written));
}

fn earlier(in_force: &InForce) -> Value {
    let tables = in_force.earlier.iter().map(|earlier| {
        let mut table = InlineTable::new();
        table.insert("initial", earlier.initial.into());
        table.insert("since", earlier.since.to_string().into());
        Value::InlineTable(table)
    });
    Value::Array(tables.collect::<Array>())
}

/// The log with changes appended, a CSV file, which is made where there is none; to be published once what changed is written.
///
/// # Errors
/// [`Error::Io`] where it cannot be read or written; [`Error::Refused`] where what is there is no such log.
pub fn with_changes(path: &Path, changes: &[Change]) -> Result<StagedFile> {
    let mut text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => format!("{HEADER}\n"),
        Err(source) => return Err(Error::io(path, source)),
    };
    if text.lines().next() != Some(HEADER) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let rule = format!("a log of changes begins with {HEADER}");
        return Err(Error::Refused(vec![Fault::of_table(&name, rule, "name another file, or none that exists")]));
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    changes.iter().for_each(|change| text.push_str(&line(change)));
    StagedFile::write(path, text.as_bytes())
}

fn line(change: &Change) -> String {
    let Change { hour, underlying, side, from, to, reason, model } = change;
    let at = moment(*hour).map_or_else(String::new, |moment| moment.to_string());
    let quoted = match underlying.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", underlying.replace('"', "\"\"")),
        false => underlying.clone(),
    };
    let (side, reason, model) = (side.name(), reason.name(), model.as_deref().unwrap_or_default());
    format!("{hour},{at},{quoted},{side},{from:?},{to:?},{reason},{model}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::overlay::Reason;
    use crate::margin::{EarlierInitial, MarginSide, Rulebook};

    const FILE: &str = "# Ours.\nversion = 1\n[overlay] # follows the forecast\ncap = 2.0 # agreed\n\n[margin.P]\nmaintenance = { form = \"flat\", rate = 0.05 } # flat\n";

    fn in_force(initial: f64) -> InForce {
        let since = "2026-03-01T04:00:00Z".parse().expect("a moment");
        let earlier = vec![EarlierInitial { initial: 1.0, since: "2026-02-01T00:00:00Z".parse().expect("a moment") }];
        InForce { initial, maintenance: 1.0, since, earlier, model: Some("5f0c".into()) }
    }

    #[test]
    fn multipliers_are_written_beside_comments_and_read_back() {
        let once = with_in_force(FILE, "rulebook.toml", "BTC/USD", &in_force(1.25)).expect("a rulebook");
        let commented = once.replace("initial = 1.25\n", "initial = 1.25 # by hand\n");
        assert_ne!(once, commented, "{once}");
        let twice = with_in_force(&commented, "rulebook.toml", "BTC/USD", &in_force(1.5)).expect("a rulebook");
        for kept in
            ["# Ours.", "[overlay] # follows the forecast", "cap = 2.0 # agreed", "# flat", "initial = 1.5 # by hand"]
        {
            assert!(twice.contains(kept), "{kept} in\n{twice}");
        }
        let rulebook = Rulebook::parse(&twice, "rulebook.toml").expect("a rulebook");
        let overlay = rulebook.overlay.expect("an overlay");
        assert_eq!(overlay.in_force["BTC/USD"], in_force(1.5));
        let bare = InForce { earlier: Vec::new(), model: None, ..in_force(1.0) };
        let without = with_in_force(&twice, "rulebook.toml", "BTC/USD", &bare).expect("a rulebook");
        assert_eq!(
            Rulebook::parse(&without, "again").expect("a rulebook").overlay.expect("one").in_force["BTC/USD"],
            bare
        );
        assert!(with_in_force("overlay = 1", "rulebook.toml", "BTC", &bare).is_err());
        assert!(with_in_force("overlay", "rulebook.toml", "BTC", &bare).is_err());
    }

    #[test]
    fn a_log_grows_and_another_file_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("changes.csv");
        let (underlying, model) = ("BTC".to_string(), Some("5f0c".to_string()));
        let (side, reason) = (MarginSide::Initial, Reason::RateLimit);
        let change = Change { hour: 480_000, underlying, side, from: 1.0, to: 1.25, reason, model };
        drop(with_changes(&path, std::slice::from_ref(&change)).expect("staged"));
        assert_eq!(
            std::fs::read_dir(dir.path()).expect("a directory").count(),
            0,
            "nothing stays of what is not published"
        );
        for _ in 0..2 {
            let log = with_changes(&path, std::slice::from_ref(&change)).expect("staged");
            log.publish().expect("published");
        }
        let text = std::fs::read_to_string(&path).expect("read");
        let line = "480000,2024-10-04T00:00:00Z,BTC,initial,1.0,1.25,rate_limit,5f0c";
        assert_eq!(text.lines().collect::<Vec<_>>(), [HEADER, line, line]);
        std::fs::write(&path, "hour,price\n").expect("written");
        assert!(matches!(with_changes(&path, &[]), Err(Error::Refused(_))));
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "hour,price\n");
    }
}
