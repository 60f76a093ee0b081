//! Wide tables of numbers in CSV: price panels and correlation matrices.

use std::path::Path;

use ndarray::Array2;

use crate::collateral::haircut::History;
use crate::error::{Error, Fault, Result};
use crate::scenario::correlation::CorrelationMatrix;
use crate::scenario::panel::Panel;

/// Reads a price panel: CSV with a first column `hour` (Unix time / 3600, a whole number) and one column of prices per
/// asset; an empty cell means not quoted.
///
/// # Errors
/// [`Error::Io`] where the file cannot be opened; [`Error::Refused`] with every fault: no header or no `hour` column,
/// repeated or unsorted hours, cells that are not positive numbers, rows of another width.
pub fn read(path: &Path) -> Result<Panel> {
    panel_of(read_wide(("panel", UNQUOTED), path, all_columns)?)
}

fn panel_of(wide: Wide) -> Result<Panel> {
    let mut faults = wide.faults;
    if wide.corner != "hour" {
        let rule = format!("the first column is hour, not {:?}", wide.corner);
        faults.push(Fault::of_table("panel", rule, "start the header with hour: Unix time / 3600"));
        return Err(Error::Refused(faults));
    }
    let (hours, wrong_hours) = hours("panel", &wide.keys);
    let panel = Panel { hours, assets: wide.names, prices: wide.values };
    if wrong_hours.is_empty() {
        faults.extend(panel.faults());
    }
    faults.extend(wrong_hours);
    if faults.is_empty() { Ok(panel) } else { Err(Error::Refused(faults)) }
}

/// The keys of a table as hours, and a fault for each that is none.
pub(super) fn hours(table: &str, keys: &[String]) -> (Vec<i64>, Vec<Fault>) {
    let (mut hours, mut faults) = (Vec::with_capacity(keys.len()), Vec::new());
    for (row, key) in keys.iter().enumerate() {
        match key.trim().parse() {
            Ok(hour) => hours.push(hour),
            Err(_) => {
                let rule = "an hour is a whole number, Unix time / 3600";
                faults.push(Fault::of_cell((table, row as u64 + 1, "hour"), key, rule, "correct it"));
            }
        }
    }
    (hours, faults)
}

/// Reads a price history: a panel as [`read`] does, or a table of bars. In one with columns `x_close` only those and `x_low` are
/// prices; any other column is left out unread.
///
/// # Errors
/// Those of [`read`], and bars whose low is above their close.
pub fn read_history(path: &Path) -> Result<History> {
    let panel = panel_of(read_wide(("panel", UNQUOTED), path, History::bar_columns)?)?;
    let (history, faults) = History::of_panel(&panel);
    if faults.is_empty() { Ok(history) } else { Err(Error::Refused(faults)) }
}

/// Reads a square correlation matrix: CSV whose header names the columns and whose first column names the rows, in the
/// same order; the corner cell is free.
///
/// # Errors
/// [`Error::Io`] where the file cannot be opened; [`Error::Refused`] with every fault: not square, rows and columns named
/// differently, an empty or impossible entry.
pub fn read_correlation(path: &Path) -> Result<CorrelationMatrix> {
    let wide = read_wide(("correlation", "correct it"), path, all_columns)?;
    let mut faults = wide.faults;
    if wide.keys != wide.names {
        let rule = "rows are named like the columns, in the same order";
        faults.push(Fault::of_table("correlation", rule, "name the rows in the first column"));
    }
    let matrix = CorrelationMatrix { names: wide.names, values: wide.values };
    if faults.is_empty() {
        faults.extend(matrix.faults());
    }
    if faults.is_empty() { Ok(matrix) } else { Err(Error::Refused(faults)) }
}

/// A CSV of a key column and number columns. Cells that are empty or refused are NaN.
pub(super) struct Wide {
    pub(super) corner: String,
    pub(super) names: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) values: Array2<f64>,
    pub(super) faults: Vec<Fault>,
}

/// No choice of columns: all are kept.
fn all_columns(_: &[String]) -> Vec<usize> {
    Vec::new()
}

/// What to do about a cell of a panel that is no number.
const UNQUOTED: &str = "leave it empty for not quoted";

/// Reads the columns that `chosen` picks by their names, or all where it picks none. `remedy` is that of a cell that is no number.
pub(super) fn read_wide(
    (table, remedy): (&str, &str),
    path: &Path,
    chosen: fn(&[String]) -> Vec<usize>,
) -> Result<Wide> {
    let file = std::fs::File::open(path).map_err(|source| Error::io(path, source))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(file);
    let mut records = reader.byte_records();
    let header = match records.next() {
        Some(Ok(header)) => header,
        Some(Err(error)) => return refused(table, &format!("the file can be read: {error}")),
        None => return refused(table, "the file has a header row"),
    };
    if let Some(column) = header.iter().position(|name| std::str::from_utf8(name).is_err()) {
        let rule =
            format!("names of columns are UTF-8; that of column {} is not: {:?}", column + 1, text(&header[column]));
        return refused(table, &rule);
    }
    let mut names: Vec<String> = header.iter().map(text).collect();
    let corner = names.remove(0).trim_start_matches('\u{feff}').to_owned();
    let (width, mut kept) = (names.len() + 1, chosen(&names));
    if kept.is_empty() {
        kept = (0..names.len()).collect();
    }
    let names = kept.iter().map(|&column| std::mem::take(&mut names[column])).collect();
    let mut wide = Wide { corner, names, keys: Vec::new(), values: Array2::zeros((0, 0)), faults: Vec::new() };
    let mut cells = Vec::new();
    for (row, record) in records.enumerate() {
        let row = row as u64 + 1;
        match record {
            Ok(record) if record.len() == width => {
                wide.keys.push(text(&record[0]));
                for (name, column) in wide.names.iter().zip(&kept) {
                    cells.push(number(&mut wide.faults, ((table, row, name), remedy), &record[column + 1]));
                }
            }
            Ok(record) => {
                let rule = format!("a row has as many cells as the header: {width}, not {}", record.len());
                wide.faults.push(Fault { row: Some(row), ..Fault::of_table(table, rule, "correct the row") });
            }
            Err(error) => {
                let rule = format!("the file can be read to its end: {error}");
                wide.faults.push(Fault::of_table(table, rule, "restore the file"));
                break;
            }
        }
    }
    let shape = (wide.keys.len(), wide.names.len());
    wide.values = Array2::from_shape_vec(shape, cells).map_err(|error| Error::Bug(error.to_string()))?;
    Ok(wide)
}

fn refused<T>(table: &str, rule: &str) -> Result<T> {
    Err(Error::Refused(vec![Fault::of_table(table, rule, "restore or rewrite the file")]))
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim().to_owned()
}

fn number(faults: &mut Vec<Fault>, (place, remedy): ((&str, u64, &str), &str), cell: &[u8]) -> f64 {
    let shown = text(cell);
    if shown.is_empty() {
        return f64::NAN;
    }
    match shown.parse::<f64>() {
        Ok(value) if value.is_finite() => value,
        _ => {
            faults.push(Fault::of_cell(place, shown, "a cell is a finite number", remedy));
            f64::NAN
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wide.csv");
        std::fs::write(&path, text).unwrap();
        (directory, path)
    }

    #[test]
    fn a_panel_keeps_empty_cells() {
        let (_directory, path) = written("\u{feff}hour,BTC,UST\n449328,58202,\n449332,58300.5,1.0\n");
        let panel = read(&path).unwrap();
        assert_eq!((panel.hours, panel.assets), (vec![449_328, 449_332], vec!["BTC".to_owned(), "UST".to_owned()]));
        assert!(panel.prices[[0, 1]].is_nan());
        assert_eq!(panel.prices[[1, 0]], 58300.5);
    }

    /// Each text with how many faults it has and a word of the first.
    #[test]
    fn malformed_panels_are_refused_with_every_fault() {
        for (text, count, word) in [
            ("", 1, "header"),
            ("hour,BTC\n", 1, "two rows"),
            ("time,BTC\n1,2\n2,3\n", 1, "first column is hour"),
            ("1,2\n2,3\n3,4\n", 1, "first column is hour"),
            ("hour\n1\n2\n", 1, "asset column"),
            ("hour,BTC,BTC\n1,2,2\n2,3,3\n", 1, "stands once"),
            ("hour,BTC,btc\n1,2,2\n2,3,3\n", 1, "btc stands once, whatever the case"),
            ("hour,BTC\n1,2\n1,3\n", 1, "hours increase"),
            ("hour,BTC\n2,2\n1,3\n", 1, "hours increase"),
            ("hour,BTC\n1.5,2\nx,3\n", 2, "whole number"),
            ("hour,BTC\n1,0\n2,-3\n", 2, "above 0"),
            ("hour,BTC\n1,nan\n2,inf\n3,1e400\n4,abc\n", 4, "finite number"),
            ("hour,BTC\n1,2,3\n2\n3,4\n4,5\n", 2, "as many cells"),
            ("hour,BTC\n1,0\n1,x\n", 3, "finite number"),
        ] {
            let (_directory, path) = written(text);
            match read(&path) {
                Err(Error::Refused(faults)) => {
                    assert_eq!(faults.len(), count, "{text:?}: {faults:?}");
                    assert!(faults[0].to_string().contains(word), "{text:?}: {}", faults[0]);
                }
                other => panic!("{text:?} not refused: {other:?}"),
            }
        }
        assert_eq!(read(Path::new("no-such-panel.csv")).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn a_header_that_is_no_text_is_refused() {
        let (_directory, path) = written("");
        std::fs::write(&path, b"hour,BTC,A\xff\n1,2,3\n2,3,4\n").unwrap();
        for error in [read(&path).unwrap_err(), read_history(&path).unwrap_err(), read_correlation(&path).unwrap_err()]
        {
            assert!(error.exit_code() == 3 && error.to_string().contains("column 3"), "{error}");
        }
    }

    #[test]
    fn a_correlation_matrix_is_square_and_named_on_both_sides() {
        let (_directory, path) = written(",BTC,ETH\nBTC,1,0.8\nETH,0.8,1\n");
        assert_eq!(read_correlation(&path).unwrap().values[[0, 1]], 0.8);
        for text in
            [",BTC,ETH\nETH,1,0.8\nBTC,0.8,1\n", ",BTC,ETH\nBTC,1,0.8\n", ",A,B\nA,1,2\nB,2,1\n", ",A,B\nA,1,\nB,,1\n"]
        {
            let (_directory, path) = written(text);
            assert_eq!(read_correlation(&path).unwrap_err().exit_code(), 3, "{text:?}");
        }
    }
}
