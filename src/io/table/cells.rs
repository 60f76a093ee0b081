use std::collections::{HashMap, HashSet};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, LargeStringArray};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};

use super::CellKind;

/// The cells of one column of a batch, in one of few forms whatever the file's format and types were.
#[derive(Debug)]
pub(super) enum Cells {
    /// The file has no such column, or it holds nothing but nulls.
    Absent,
    /// Text; also numbers, moments and flags that are still text.
    Text(LargeStringArray),
    /// Numbers.
    Number(Float64Array),
    /// Nanoseconds since the Unix epoch.
    Time(Vec<Option<i128>>),
    /// Truth values.
    Flag(BooleanArray),
}

/// Some consecutive rows of a table.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// One per column of the layout.
    pub columns: Vec<Cells>,
    /// Number of rows.
    pub rows: usize,
    /// Rows whose cells cannot be told apart; their fault is recorded.
    pub unreadable: HashSet<usize>,
    /// Rows with cells whose fault is recorded and that read as absent: their columns.
    pub spoiled: HashMap<usize, Vec<usize>>,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn is_unreadable(&self, index: usize) -> bool {
        !self.unreadable.is_empty() && self.unreadable.contains(&index)
    }
}

/// Brings an Arrow array into one of the forms of [`Cells`]; the error says which type was found and what is expected.
pub(super) fn normalise(array: &ArrayRef, kind: CellKind) -> Result<Cells, String> {
    let found = array.data_type();
    if let DataType::Dictionary(_, values) = found {
        return normalise(&cast(array, values).map_err(|error| error.to_string())?, kind);
    }
    let text = matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let decimal = matches!(
        found,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..)
    );
    let to = |to: &DataType| cast(array, to).map_err(|error| error.to_string());
    match kind {
        _ if *found == DataType::Null => Ok(Cells::Absent),
        _ if text => Ok(Cells::Text(to(&DataType::LargeUtf8)?.as_string::<i64>().clone())),
        CellKind::Text if found.is_integer() => Ok(Cells::Text(to(&DataType::LargeUtf8)?.as_string::<i64>().clone())),
        // Decimals go through text, because only parsing rounds once.
        CellKind::Number if decimal => Ok(Cells::Text(to(&DataType::LargeUtf8)?.as_string::<i64>().clone())),
        CellKind::Number if found.is_numeric() => {
            Ok(Cells::Number(to(&DataType::Float64)?.as_primitive::<arrow_array::types::Float64Type>().clone()))
        }
        CellKind::Time if matches!(found, DataType::Date32 | DataType::Date64) => {
            nanoseconds(&to(&DataType::Timestamp(TimeUnit::Second, None))?).map(Cells::Time)
        }
        CellKind::Time if matches!(found, DataType::Timestamp(..)) => nanoseconds(array).map(Cells::Time),
        CellKind::Flag if *found == DataType::Boolean => Ok(Cells::Flag(array.as_boolean().clone())),
        _ => Err(format!("{} expected, the column's type is {found}", expected(kind))),
    }
}

fn expected(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Text => "text",
        CellKind::Number => "a number",
        CellKind::Time => "a moment",
        CellKind::Flag => "true or false",
    }
}

fn nanoseconds(array: &ArrayRef) -> Result<Vec<Option<i128>>, String> {
    let DataType::Timestamp(unit, _) = array.data_type() else {
        return Err("a timestamp expected".into());
    };
    let scaled = |values: &mut dyn Iterator<Item = Option<i64>>, factor: i128| {
        values.map(|value| value.map(|value| i128::from(value) * factor)).collect()
    };
    Ok(match unit {
        TimeUnit::Second => scaled(&mut array.as_primitive::<TimestampSecondType>().iter(), 1_000_000_000),
        TimeUnit::Millisecond => scaled(&mut array.as_primitive::<TimestampMillisecondType>().iter(), 1_000_000),
        TimeUnit::Microsecond => scaled(&mut array.as_primitive::<TimestampMicrosecondType>().iter(), 1_000),
        TimeUnit::Nanosecond => scaled(&mut array.as_primitive::<TimestampNanosecondType>().iter(), 1),
    })
}
