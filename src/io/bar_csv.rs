//! Hourly bars of several assets in one wide CSV.

use std::path::Path;

use super::panel::{Wide, hours, read_wide};
use crate::error::{Error, Fault, Result};
use crate::forecast::{BarHistory, Bars};

/// Name of the table in faults.
const TABLE: &str = "history";
/// Ends of the columns of an asset.
const PRICES: [&str; 4] = ["open", "high", "low", "close"];
const VOLUME: &str = "vol";

/// Reads hourly bars: a first column `hour` (Unix time / 3600 at which the bar opens), and for each asset `X_open`, `X_high`, `X_low`,
/// `X_close` and, where it is known, `X_vol`. Assets are named by their prefix in capitals, in the order of their first column; any
/// other column is left out unread.
///
/// # Errors
/// [`Error::Io`] where the file cannot be opened; [`Error::Refused`] with every fault: no header or no `hour` column, an asset without
/// one of its columns or with one twice, cells that are empty or no numbers, and those of [`BarHistory::new`].
pub fn read(path: &Path) -> Result<BarHistory> {
    let mut wide = read_wide((TABLE, "correct it, or begin the history after it"), path, bar_columns)?;
    let mut faults = std::mem::take(&mut wide.faults);
    if wide.corner != "hour" {
        let rule = format!("the first column is hour, not {:?}", wide.corner);
        faults.push(Fault::of_table(
            TABLE,
            rule,
            "start the header with hour: Unix time / 3600 at which the bar opens",
        ));
    }
    let assets = assets(&wide, &mut faults);
    let (hours, wrong_hours) = hours(TABLE, &wide.keys);
    faults.extend(wrong_hours);
    // Where rows or columns are missing, what is left would be blamed for the gaps.
    if faults.iter().any(|fault| fault.row.is_none() || fault.column.is_empty() || fault.column == "hour") {
        return Err(Error::Refused(faults));
    }
    match BarHistory::new(&hours, assets) {
        Ok(history) if faults.is_empty() => Ok(history),
        Err(Error::Refused(further)) => {
            let told: Vec<_> = faults.iter().map(|fault| (fault.row, fault.column.clone())).collect();
            faults.extend(further.into_iter().filter(|fault| !told.contains(&(fault.row, fault.column.clone()))));
            Err(Error::Refused(faults))
        }
        Ok(_) => Err(Error::Refused(faults)),
        Err(other) => Err(other),
    }
}

/// The columns of bars; where there is none, all.
fn bar_columns(names: &[String]) -> Vec<usize> {
    let prefixes = prefixes(names);
    let is_bar = |name: &str| {
        name.rsplit_once('_')
            .is_some_and(|(prefix, end)| prefixes.contains(&prefix) && (PRICES.contains(&end) || end == VOLUME))
    };
    names.iter().enumerate().filter(|(_, name)| is_bar(name)).map(|(column, _)| column).collect()
}

/// What stands before `_open`, `_high`, `_low` or `_close`, once each, in order.
fn prefixes(names: &[String]) -> Vec<&str> {
    let mut prefixes = Vec::new();
    for name in names {
        if let Some((prefix, end)) = name.rsplit_once('_')
            && PRICES.contains(&end)
            && !prefix.is_empty()
            && !prefixes.contains(&prefix)
        {
            prefixes.push(prefix);
        }
    }
    prefixes
}

fn assets(wide: &Wide, faults: &mut Vec<Fault>) -> Vec<Bars> {
    let prefixes = prefixes(&wide.names);
    if prefixes.is_empty() {
        let remedy = "name the columns of each asset X_open, X_high, X_low, X_close and, where known, X_vol";
        faults.push(Fault::of_table(TABLE, "a history has at least one asset", remedy));
    }
    let mut assets: Vec<Bars> = Vec::new();
    for prefix in prefixes {
        let [open, high, low, close] = PRICES.map(|end| {
            let column = column(wide, prefix, end, faults);
            if column.is_none() {
                let rule = format!("an asset has all four prices; {prefix}_{end} is missing");
                faults.push(Fault::of_table(TABLE, rule, "add the column"));
            }
            column.unwrap_or_default()
        });
        let volume = column(wide, prefix, VOLUME, faults);
        let name = prefix.to_ascii_uppercase();
        if assets.iter().any(|bars| bars.name == name) {
            faults.push(Fault::of_table(
                TABLE,
                format!("{name} stands once, whatever the case"),
                "remove the second one",
            ));
        }
        assets.push(Bars { name, open, high, low, close, volume });
    }
    assets
}

fn column(wide: &Wide, prefix: &str, end: &str, faults: &mut Vec<Fault>) -> Option<Vec<f64>> {
    let name = format!("{prefix}_{end}");
    let mut places = wide.names.iter().enumerate().filter(|(_, other)| **other == name).map(|(place, _)| place);
    let place = places.next()?;
    if places.next().is_some() {
        faults.push(Fault::of_table(TABLE, format!("column {name} stands once"), "remove the second one"));
    }
    Some(wide.values.column(place).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<BarHistory> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("bars.csv");
        std::fs::write(&path, text).expect("written");
        read(&path)
    }

    const HEADER: &str = "hour,btc_open,btc_high,btc_low,btc_close,eth_src,btc_vol";

    #[test]
    fn bars_are_read_and_other_columns_are_left_out() {
        let text = format!("{HEADER}\n10,1,3,0.5,2,word,7\n11,2,2,2,2,,8\n");
        let history = read_text(&text).expect("a history");
        assert_eq!((history.len(), history.moment(0)), (2, 10));
        let bars = &history.assets()[0];
        assert_eq!((bars.name.as_str(), bars.close.as_slice()), ("BTC", &[2.0, 2.0][..]));
        assert_eq!((bars.high[0], bars.volume.as_deref()), (3.0, Some(&[7.0, 8.0][..])));
    }

    /// Each text with how many faults it has and a word of the first.
    #[test]
    fn malformed_histories_are_refused_with_every_fault() {
        let row = |hour: &str, close: &str| format!("{hour},1,3,0.5,{close},,7\n");
        for (text, count, word) in [
            (String::new(), 1, "header"),
            (format!("{HEADER}\n"), 1, "has rows"),
            ("hour,BTC\n1,2\n".into(), 1, "at least one asset"),
            ("time,a_open\n1,2\n".into(), 4, "first column is hour"),
            ("hour,a_open,a_high,a_low,a_close,a_low\n1,1,1,1,1,1\n".into(), 1, "a_low stands once"),
            (
                format!("hour,a_open,a_high,a_low,a_close,A_open,A_high,A_low,A_close\n1{}\n", ",1".repeat(8)),
                1,
                "whatever the case",
            ),
            (format!("{HEADER}\n{}{}", row("1", "2"), row("3", "2")), 1, "row 2"),
            (format!("{HEADER}\n{}{}", row("1", "2"), row("1.5", "2")), 1, "whole number"),
            (format!("{HEADER}\n{}{}", row("1", "x"), row("2", "")), 2, "finite number"),
            (format!("{HEADER}\n{}{}", row("1", "2"), row("2", "0")), 1, "number from 1e-30"),
            (format!("{HEADER}\n{}{}", row("1", "9"), row("2", "0.1")), 2, "at least the open and the close, 9"),
            (format!("{HEADER}\n{}2,1\n", row("1", "2")), 1, "as many cells"),
        ] {
            match read_text(&text) {
                Err(Error::Refused(faults)) => {
                    assert_eq!(faults.len(), count, "{text:?}: {faults:?}");
                    assert!(faults.iter().any(|fault| fault.to_string().contains(word)), "{text:?}: {faults:?}");
                    assert!(!faults.iter().any(|fault| fault.to_string().contains("leave it empty")), "{faults:?}");
                }
                other => panic!("{text:?} not refused: {other:?}"),
            }
        }
    }
}
