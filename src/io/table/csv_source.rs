use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

use arrow_array::builder::LargeStringBuilder;

use super::cells::{Batch, Cells};
use super::{FaultLog, Layout, resolve};
use crate::error::Fault;

const BATCH_ROWS: usize = 8_192;

/// Streams a CSV file. Fields are quoted by `"`, lines end in LF or CRLF, a UTF-8 byte order mark is skipped; an empty
/// field is an absent value. The error is a fault of the whole file.
pub(super) fn stream(
    path: &Path,
    layout: &Layout,
    log: &mut FaultLog,
    on_batch: &mut dyn FnMut(&Batch, &mut FaultLog),
) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    // Flexible, so that a row with a wrong number of fields is a fault of that row and the others are still read.
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(true).from_reader(file);
    let header = reader.byte_headers().map_err(|error| error.to_string())?.clone();
    if header.is_empty() {
        return Err("the file is empty; the first line is the header".into());
    }
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8(name.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| "the header is not UTF-8".to_string())?;
    let Some(positions) = resolve(layout, &names, log) else { return Ok(()) };
    let mut collector = Collector::new(layout, positions, names.len());
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => collector.add(&record, log),
            Ok(false) => break,
            Err(error) => return Err(error.to_string()),
        }
        if collector.rows == BATCH_ROWS {
            on_batch(&collector.take(), log);
        }
    }
    on_batch(&collector.take(), log);
    Ok(())
}

/// Gathers records into a batch.
struct Collector<'a> {
    layout: &'a Layout,
    positions: Vec<Option<usize>>,
    fields: usize,
    builders: Vec<LargeStringBuilder>,
    rows: usize,
    rows_before: u64,
    unreadable: HashSet<usize>,
    spoiled: HashMap<usize, Vec<usize>>,
}

impl<'a> Collector<'a> {
    fn new(layout: &'a Layout, positions: Vec<Option<usize>>, fields: usize) -> Self {
        let builders = layout.columns.iter().map(|_| LargeStringBuilder::new()).collect();
        Self {
            layout,
            positions,
            fields,
            builders,
            rows: 0,
            rows_before: 0,
            unreadable: HashSet::new(),
            spoiled: HashMap::new(),
        }
    }

    fn add(&mut self, record: &csv::ByteRecord, log: &mut FaultLog) {
        let number = self.rows_before + self.rows as u64 + 1;
        let ragged = record.len() != self.fields;
        if ragged {
            self.unreadable.insert(self.rows);
            let rule = format!("a row has as many fields as the header: {}, not {}", self.fields, record.len());
            let place = (self.layout.table, number, "");
            log.push(Fault::of_cell(place, "", rule, "check separators, quotes and decimal commas"));
        }
        for (column, builder) in self.builders.iter_mut().enumerate() {
            let field = self.positions[column].filter(|_| !ragged).and_then(|position| record.get(position));
            match field.map(std::str::from_utf8) {
                None | Some(Ok("")) => builder.append_null(),
                Some(Ok(text)) => builder.append_value(text),
                Some(Err(_)) => {
                    builder.append_null();
                    self.spoiled.entry(self.rows).or_default().push(column);
                    let value = String::from_utf8_lossy(field.unwrap_or_default()).into_owned();
                    let place = (self.layout.table, number, self.layout.columns[column].name);
                    log.push(Fault::of_cell(place, value, "text is UTF-8", "save the file as UTF-8"));
                }
            }
        }
        self.rows += 1;
    }

    fn take(&mut self) -> Batch {
        let columns = self
            .builders
            .iter_mut()
            .zip(&self.positions)
            .map(|(builder, position)| {
                let cells = builder.finish();
                if position.is_some() { Cells::Text(cells) } else { Cells::Absent }
            })
            .collect();
        let rows = std::mem::take(&mut self.rows);
        self.rows_before += rows as u64;
        Batch {
            columns,
            rows,
            unreadable: std::mem::take(&mut self.unreadable),
            spoiled: std::mem::take(&mut self.spoiled),
        }
    }
}
