use std::io::{Read, Write};

use super::TABLE;
use super::read::{Draft, Role};
use crate::error::Fault;
use crate::scenario::ScenarioSet;

/// Reads CSV with a header row.
pub(super) fn read(input: impl Read) -> Draft {
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(input);
    let mut record = csv::ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(true) if std::str::from_utf8(record.as_slice()).is_ok() => {}
        Ok(true) => return broken("the header is UTF-8 text"),
        Ok(false) => return broken("a scenario set has a header row"),
        Err(error) => return broken(&format!("the file can be read: {error}")),
    }
    let mut draft = Draft::new(record.iter().map(header_name));
    let width = record.len();
    let mut row = 0;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => read_row(&mut draft, row, width, &record),
            Err(error) => {
                let rule = format!("the file can be read to its end: {error}");
                draft.fault(Fault::of_table(TABLE, rule, "restore the file"));
                break;
            }
        }
        row += 1;
    }
    draft
}

/// A draft that can only be refused.
pub(super) fn broken(rule: &str) -> Draft {
    let mut draft = Draft::default();
    draft.fault(Fault::of_table(TABLE, rule, "restore or rewrite the file"));
    draft
}

/// A header cell without the byte-order mark that spreadsheets write; the caller has checked that it is UTF-8.
fn header_name(name: &[u8]) -> &str {
    std::str::from_utf8(name).unwrap_or_default().trim_start_matches('\u{feff}').trim()
}

fn read_row(draft: &mut Draft, row: usize, width: usize, record: &csv::ByteRecord) {
    if record.len() != width {
        let rule = format!("a row has as many cells as the header: {width}, not {}", record.len());
        draft.fault(Fault { row: Some(row as u64 + 1), ..Fault::of_table(TABLE, rule, "correct the row") });
        return;
    }
    let start = draft.shocks.len();
    draft.shocks.resize(start + draft.width(), f64::NAN);
    let (mut id, mut weight, mut label) = (String::new(), 1.0, String::new());
    for (column, cell) in record.iter().enumerate() {
        let Ok(text) = std::str::from_utf8(cell) else {
            let shown = String::from_utf8_lossy(cell).into_owned();
            draft.cell_fault(row, column, &shown, "text is UTF-8", "save the file as UTF-8");
            continue;
        };
        match draft.roles[column] {
            Role::Scenario => id = text.into(),
            Role::Label => label = text.into(),
            Role::Weight => weight = draft.number(row, column, text).unwrap_or(1.0),
            Role::Factor(factor) => {
                draft.shocks[start + factor] = draft.number(row, column, text).unwrap_or(f64::NAN);
            }
            Role::Refused => {}
        }
    }
    draft.ids.push(id);
    draft.weights.push(weight);
    draft.labels.push(label);
}

/// Writes CSV: numbers in the shortest form that reads back to the same bits, empty cells for NaN.
pub(super) fn write(output: impl Write, set: &ScenarioSet) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(output);
    let names: Vec<String> = set.factors.iter().map(ToString::to_string).collect();
    writer.write_record(["scenario", "weight", "label"].into_iter().chain(names.iter().map(String::as_str)))?;
    let mut number = String::new();
    for (row, shocks) in set.shocks.rows().into_iter().enumerate() {
        writer.write_field(&set.ids[row])?;
        writer.write_field(shown(set.weights[row], &mut number))?;
        writer.write_field(&set.labels[row])?;
        for shock in shocks {
            writer.write_field(shown(*shock, &mut number))?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()?;
    Ok(())
}

fn shown(value: f64, buffer: &mut String) -> &str {
    use std::fmt::Write as _;
    buffer.clear();
    if !value.is_nan() {
        // Writing to a String cannot fail.
        let _ = write!(buffer, "{value}");
    }
    buffer
}
