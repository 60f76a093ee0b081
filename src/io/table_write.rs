//! Writing record batches as Parquet, CSV or Arrow IPC.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::partial::Partial;
use crate::error::{Error, Result};

/// Format of a table on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Parquet, Zstandard-compressed.
    Parquet,
    /// CSV with a header; an absent value is an empty field.
    Csv,
    /// Arrow IPC file.
    Arrow,
}

impl TableFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Arrow];

    /// File extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Arrow => "arrow",
        }
    }

    /// The format a file name asks for by its extension.
    ///
    /// # Errors
    /// [`Error::Usage`] for any other extension.
    pub fn of_path(path: &Path) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|format| path.extension().is_some_and(|extension| extension == format.extension()))
            .ok_or_else(|| Error::Usage(format!("{}: end the name in .parquet, .csv or .arrow", path.display())))
    }
}

/// Writes one table batch by batch; nothing is complete before [`TableWriter::finish`].
pub(super) struct TableWriter {
    path: PathBuf,
    sink: Sink,
}

enum Sink {
    Parquet(Box<ArrowWriter<File>>),
    Csv(BufWriter<File>),
    Arrow(Box<arrow_ipc::writer::FileWriter<BufWriter<File>>>),
}

impl TableWriter {
    /// Starts the table `path` (not existing yet) with these columns.
    pub(super) fn create(path: &Path, schema: &SchemaRef, format: TableFormat) -> Result<Self> {
        let file = File::create_new(path).map_err(|source| Error::io(path, source))?;
        let sink = match format {
            TableFormat::Parquet => {
                // Level 1: a fifth of the time of the default level for a few percent of size.
                let level = ZstdLevel::try_new(1).map_err(|error| failed(path, &error))?;
                let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties));
                Sink::Parquet(Box::new(writer.map_err(|error| failed(path, &error))?))
            }
            TableFormat::Csv => {
                let mut sink = BufWriter::new(file);
                let header: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
                write_record(&mut sink, header.iter().copied()).map_err(|source| Error::io(path, source))?;
                Sink::Csv(sink)
            }
            TableFormat::Arrow => {
                let writer = arrow_ipc::writer::FileWriter::try_new(BufWriter::new(file), schema);
                Sink::Arrow(Box::new(writer.map_err(|error| failed(path, &error))?))
            }
        };
        Ok(Self { path: path.into(), sink })
    }

    /// Appends rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.sink {
            Sink::Parquet(writer) => writer.write(batch).map_err(|error| failed(&self.path, &error)),
            Sink::Arrow(writer) => writer.write(batch).map_err(|error| failed(&self.path, &error)),
            Sink::Csv(sink) => write_csv(sink, batch, &self.path),
        }
    }

    /// Completes the file and forces it to disk.
    pub(super) fn finish(self) -> Result<()> {
        let path = self.path;
        let file = match self.sink {
            Sink::Parquet(writer) => writer.into_inner().map_err(|error| failed(&path, &error))?,
            Sink::Csv(sink) => sink.into_inner().map_err(|error| Error::io(&path, error.into_error()))?,
            Sink::Arrow(mut writer) => {
                writer.finish().map_err(|error| failed(&path, &error))?;
                let buffered = writer.into_inner().map_err(|error| failed(&path, &error))?;
                buffered.into_inner().map_err(|error| Error::io(&path, error.into_error()))?
            }
        };
        file.sync_all().map_err(|source| Error::io(&path, source))
    }
}

/// Encoders fail where the disk does; what they say is kept as text.
fn failed(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::Temporary(format!("{}: {error}", path.display()))
}

fn write_csv(sink: &mut BufWriter<File>, batch: &RecordBatch, path: &Path) -> Result<()> {
    let options = FormatOptions::default();
    let formatters = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| failed(path, &error))?;
    let mut fields: Vec<String> = vec![String::new(); formatters.len()];
    for row in 0..batch.num_rows() {
        for ((field, column), formatter) in fields.iter_mut().zip(batch.columns()).zip(&formatters) {
            field.clear();
            write_cell(field, column, formatter, row);
        }
        write_record(sink, fields.iter().map(String::as_str)).map_err(|source| Error::io(path, source))?;
    }
    Ok(())
}

fn write_cell(field: &mut String, column: &ArrayRef, formatter: &ArrayFormatter<'_>, row: usize) {
    use std::fmt::Write as _;
    if column.is_null(row) {
        return;
    }
    // Writing to a String cannot fail. Numbers are shortest decimals that read back equal.
    let _ = match column.as_any().downcast_ref::<arrow_array::Float64Array>() {
        Some(numbers) => write!(field, "{:?}", numbers.value(row)),
        None => write!(field, "{}", formatter.value(row)),
    };
}

/// Writes one line, quoting fields that hold a separator, a quote or a line break.
fn write_record<'a>(sink: &mut impl Write, fields: impl Iterator<Item = &'a str>) -> std::io::Result<()> {
    for (position, field) in fields.enumerate() {
        if position > 0 {
            sink.write_all(b",")?;
        }
        if field.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
            write!(sink, "\"{}\"", field.replace('"', "\"\""))?;
        } else {
            sink.write_all(field.as_bytes())?;
        }
    }
    sink.write_all(b"\n")
}

/// Writes a table that is a file of its own: columns with their names, and whether they may be null. The format follows the
/// extension; the file appears whole or not at all.
///
/// # Errors
/// [`Error::Usage`] for an unknown extension; [`Error::Io`] or [`Error::Temporary`] where writing fails.
pub fn write_file(path: &Path, columns: Vec<(&str, ArrayRef, bool)>) -> Result<()> {
    let format = TableFormat::of_path(path)?;
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| Error::Bug(error.to_string()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let create = |path: &Path| TableWriter::create(path, &batch.schema(), format).map_err(std::io::Error::other);
    let (partial, mut writer) = Partial::create(&temporary, create).map_err(|source| Error::io(path, source))?;
    writer.write(&batch)?;
    writer.finish()?;
    partial.publish(path).map_err(|source| Error::io(path, source))
}
