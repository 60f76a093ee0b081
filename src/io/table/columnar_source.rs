use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_ipc::reader::{FileReader, StreamReader};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::cells::{Batch, Cells, normalise};
use super::{FaultLog, Layout, column_fault, resolve};
use crate::io::decoding::guarded;

const BATCH_ROWS: usize = 65_536;

/// Streams a Parquet or Arrow file (file or stream format). The error is a fault of the whole file.
pub(super) fn stream(
    path: &Path,
    layout: &Layout,
    log: &mut FaultLog,
    on_batch: &mut dyn FnMut(&Batch, &mut FaultLog),
) -> Result<(), String> {
    let mut batches = guarded(|| open(path))?;
    let schema = batches.schema();
    let header: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let Some(positions) = resolve(layout, &header, log) else { return Ok(()) };
    while let Some(batch) = guarded(|| batches.next().transpose().map_err(|error| error.to_string()))? {
        let converted = guarded(|| Ok(convert(&batch, layout, &positions)))?;
        match converted {
            Ok(batch) => on_batch(&batch, log),
            Err((column, rule)) => {
                log.push(column_fault(layout, column, rule, "write the column in a type that fits".into()));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Streams the columns at these places of the layout; the others read as absent.
pub(super) fn project(
    path: &Path,
    layout: &Layout,
    columns: &[usize],
    on_batch: &mut dyn FnMut(&Batch) -> ControlFlow<()>,
) -> Result<(), String> {
    let is_wanted = |name: &str| columns.iter().any(|&column| layout.columns[column].name == name);
    let mut batches = guarded(|| {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let fields = builder.schema().fields().iter().enumerate();
        let wanted: Vec<usize> = fields.filter(|(_, field)| is_wanted(field.name())).map(|(at, _)| at).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let reader = builder.with_batch_size(BATCH_ROWS).with_projection(mask).build();
        reader.map_err(|error| error.to_string())
    })?;
    let schema = batches.schema();
    let place = |name: &str| schema.fields().iter().position(|field| field.name() == name);
    let positions: Vec<Option<usize>> = layout.columns.iter().map(|column| place(column.name)).collect();
    while let Some(batch) = guarded(|| batches.next().transpose().map_err(|error| error.to_string()))? {
        let converted = guarded(|| Ok(convert(&batch, layout, &positions)))?;
        let batch = converted.map_err(|(column, rule)| format!("{column}: {rule}"))?;
        if on_batch(&batch).is_break() {
            break;
        }
    }
    Ok(())
}

/// Headers and number of rows.
pub(super) fn shape(path: &Path) -> Result<(Vec<String>, u64), String> {
    guarded(|| {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let header = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        let rows = builder.metadata().file_metadata().num_rows();
        Ok((header, u64::try_from(rows).map_err(|error| error.to_string())?))
    })
}

type Batches = Box<dyn RecordBatchReader>;

fn open(path: &Path) -> Result<Batches, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    if path.extension().is_some_and(|extension| extension == "parquet") {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(|error| error.to_string())?;
        return Ok(Box::new(reader));
    }
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(6).read_to_end(&mut magic).map_err(|error| error.to_string())?;
    file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
    let buffered = BufReader::new(file);
    if magic == b"ARROW1" {
        Ok(Box::new(FileReader::try_new(buffered, None).map_err(|error| error.to_string())?))
    } else {
        Ok(Box::new(StreamReader::try_new(buffered, None).map_err(|error| error.to_string())?))
    }
}

fn convert(batch: &RecordBatch, layout: &Layout, positions: &[Option<usize>]) -> Result<Batch, (&'static str, String)> {
    let mut columns = Vec::with_capacity(positions.len());
    for (column, position) in layout.columns.iter().zip(positions) {
        columns.push(match position {
            Some(position) => normalise(batch.column(*position), column.kind).map_err(|rule| (column.name, rule))?,
            None => Cells::Absent,
        });
    }
    Ok(Batch { columns, rows: batch.num_rows(), ..Batch::default() })
}
