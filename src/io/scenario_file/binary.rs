use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::TABLE;
use super::read::{Draft, Role};
use super::text::broken;
use crate::error::{Error, Fault, Result};
use crate::io::decoding::guarded;
use crate::scenario::ScenarioSet;

/// Reads a Parquet file.
pub(super) fn read_parquet(file: File) -> Draft {
    decoded(|| {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let schema = builder.schema().clone();
        let batches = builder.build().map_err(|error| error.to_string())?;
        Ok(read_batches(&schema, batches))
    })
}

/// Reads an Arrow IPC file.
pub(super) fn read_arrow(file: File) -> Draft {
    decoded(|| {
        let input = std::io::BufReader::new(file);
        let reader = arrow_ipc::reader::FileReader::try_new(input, None).map_err(|error| error.to_string())?;
        let schema = reader.schema();
        Ok(read_batches(&schema, reader))
    })
}

/// A decoded file, or the fault that it cannot be.
fn decoded(decode: impl FnOnce() -> Result<Draft, String>) -> Draft {
    guarded(decode).unwrap_or_else(|error| broken(&error))
}

fn read_batches(schema: &Schema, batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>) -> Draft {
    let mut draft = Draft::new(schema.fields().iter().map(|field| field.name().as_str()));
    for (column, field) in schema.fields().iter().enumerate() {
        check_type(&mut draft, column, field);
    }
    for batch in batches {
        match batch {
            Ok(batch) => read_batch(&mut draft, &batch),
            Err(error) => {
                let rule = format!("the file can be read to its end: {error}");
                draft.fault(Fault::of_table(TABLE, rule, "restore the file"));
                break;
            }
        }
    }
    draft
}

/// Refuses a column whose type cannot hold what its role needs.
fn check_type(draft: &mut Draft, column: usize, field: &Field) {
    let value_type = match field.data_type() {
        DataType::Dictionary(_, value) => value.as_ref(),
        other => other,
    };
    let (fits, rule) = match draft.roles[column] {
        Role::Refused => return,
        Role::Scenario => (is_text(value_type) || value_type.is_integer(), "ids are text or integers"),
        Role::Label => (is_text(value_type) || value_type.is_null(), "labels are text"),
        Role::Weight | Role::Factor(_) => {
            let number = value_type.is_numeric() || value_type.is_null() || is_text(value_type);
            (number, "shocks and weights are numbers")
        }
    };
    if !fits {
        let fault = Fault::of_table(TABLE, rule, "cast the column");
        draft.fault(Fault { column: field.name().clone(), value: field.data_type().to_string(), ..fault });
        draft.roles[column] = Role::Refused;
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn read_batch(draft: &mut Draft, batch: &RecordBatch) {
    let first = draft.ids.len();
    let rows = batch.num_rows();
    let width = draft.width();
    draft.ids.resize(first + rows, String::new());
    draft.labels.resize(first + rows, String::new());
    draft.weights.resize(first + rows, 1.0);
    draft.shocks.resize((first + rows) * width, f64::NAN);
    for (column, values) in batch.columns().iter().enumerate() {
        match draft.roles[column] {
            Role::Refused => {}
            Role::Scenario | Role::Label => {
                let names = draft.roles[column] == Role::Scenario;
                each_text(draft, column, first, values, |draft, row, text| {
                    let target = if names { &mut draft.ids } else { &mut draft.labels };
                    target[row] = text.into();
                });
            }
            Role::Weight => each_number(draft, column, first, values, |draft, row, value| draft.weights[row] = value),
            Role::Factor(factor) => each_number(draft, column, first, values, |draft, row, value| {
                draft.shocks[row * width + factor] = value;
            }),
        }
    }
}

/// Hands every text of a column that is not NULL to `keep`, with its row in the set.
fn each_text(
    draft: &mut Draft,
    column: usize,
    first: usize,
    values: &ArrayRef,
    keep: impl Fn(&mut Draft, usize, &str),
) {
    match arrow_cast::cast(values, &DataType::Utf8) {
        Ok(texts) => {
            for (row, text) in texts.as_string::<i32>().iter().enumerate() {
                if let Some(text) = text {
                    keep(draft, first + row, text);
                }
            }
        }
        Err(error) => draft.cell_fault(first, column, "", &format!("the column is text: {error}"), "cast the column"),
    }
}

/// Hands every number of a column that is not NULL to `keep`; numbers stored as text are read like CSV.
fn each_number(
    draft: &mut Draft,
    column: usize,
    first: usize,
    values: &ArrayRef,
    keep: impl Fn(&mut Draft, usize, f64),
) {
    let value_type = match values.data_type() {
        DataType::Dictionary(_, value) => value.as_ref(),
        other => other,
    };
    if is_text(value_type) {
        return each_text(draft, column, first, values, |draft, row, text| {
            if let Some(value) = draft.number(row, column, text) {
                keep(draft, row, value);
            }
        });
    }
    match arrow_cast::cast(values, &DataType::Float64) {
        Ok(numbers) => {
            for (row, value) in numbers.as_primitive::<Float64Type>().iter().enumerate() {
                match value {
                    Some(value) if value.is_finite() => keep(draft, first + row, value),
                    Some(value) => draft.not_finite(first + row, column, &value.to_string()),
                    None => {}
                }
            }
        }
        Err(error) => {
            draft.cell_fault(first, column, "", &format!("the column is numbers: {error}"), "cast the column")
        }
    }
}

/// Writes Parquet, zstd-compressed.
pub(super) fn write_parquet(output: impl Write + Send, set: &ScenarioSet) -> Result<()> {
    let batch = to_batch(set).map_err(bug)?;
    let level = ZstdLevel::try_new(3).map_err(bug)?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let mut writer = ArrowWriter::try_new(output, batch.schema(), Some(properties)).map_err(failed)?;
    writer.write(&batch).map_err(failed)?;
    writer.close().map_err(failed)?;
    Ok(())
}

/// Writes an Arrow IPC file, uncompressed.
pub(super) fn write_arrow(output: impl Write, set: &ScenarioSet) -> Result<()> {
    let batch = to_batch(set).map_err(bug)?;
    let mut writer = arrow_ipc::writer::FileWriter::try_new(output, &batch.schema()).map_err(failed)?;
    writer.write(&batch).map_err(failed)?;
    writer.finish().map_err(failed)
}

fn to_batch(set: &ScenarioSet) -> Result<RecordBatch, ArrowError> {
    let mut fields = vec![
        Field::new("scenario", DataType::Utf8, false),
        Field::new("weight", DataType::Float64, false),
        Field::new("label", DataType::Utf8, false),
    ];
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(&set.ids)),
        Arc::new(Float64Array::from_iter_values(set.weights.iter().copied())),
        Arc::new(StringArray::from_iter_values(&set.labels)),
    ];
    for (factor, shocks) in set.factors.iter().zip(set.shocks.columns()) {
        fields.push(Field::new(factor.to_string(), DataType::Float64, true));
        let cells = shocks.iter().map(|shock| (!shock.is_nan()).then_some(*shock));
        columns.push(Arc::new(cells.collect::<Float64Array>()));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn bug(error: impl std::fmt::Display) -> Error {
    Error::Bug(error.to_string())
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Temporary(format!("writing failed: {error}"))
}
