use std::sync::Arc;

use arrow_array::types::{Int16Type, Int32Type};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array,
    Int64Array, NullArray, RecordBatch, StringArray, StringViewArray, TimestampMillisecondArray,
    TimestampNanosecondArray, UInt8Array,
};

use super::*;
use crate::io::table_write::{TableFormat, TableWriter};

static LAYOUT: Layout = Layout {
    table: "things",
    columns: &[
        Column::required("name", CellKind::Text),
        Column::optional("number", CellKind::Number),
        Column::optional("time", CellKind::Time),
        Column::optional("flag", CellKind::Flag),
    ],
};

/// Cells of a row as text, and the faults of the table.
type Seen = (Vec<[String; 4]>, Vec<String>);

/// Writes the columns in a format and reads them back through [`LAYOUT`].
fn seen(format: TableFormat, columns: Vec<(&str, ArrayRef)>) -> Seen {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
            .expect("columns of one length");
    let path = dir.path().join(format!("things.{}", format.extension()));
    let mut writer = TableWriter::create(&path, &batch.schema(), format).expect("a writer");
    writer.write(&batch).expect("a written batch");
    writer.finish().expect("a complete file");
    let mut log = FaultLog::default();
    let mut rows = Vec::new();
    let outcome = read(dir.path(), &LAYOUT, Presence::Required, &mut log, |row| {
        let shown = |cell: Option<String>| cell.unwrap_or_default();
        rows.push([
            shown(row.required_text(0).map(str::to_owned)),
            shown(row.number_at(1, NumberRule::Amount).map(|number| number.to_string())),
            shown(row.time(2).map(|time| time.to_string())),
            shown(row.flag(3).map(|flag| flag.to_string())),
        ]);
    });
    assert_eq!(outcome.counts.read, outcome.counts.used + outcome.counts.refused);
    (rows, log.into_faults().iter().map(ToString::to_string).collect())
}

/// [`seen`] in both columnar formats, which must agree.
fn columnar(columns: Vec<(&str, ArrayRef)>) -> Seen {
    let parquet = seen(TableFormat::Parquet, columns.clone());
    let arrow = seen(TableFormat::Arrow, columns);
    assert_eq!(parquet, arrow);
    parquet
}

fn names(count: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..count).map(|index| format!("n{index}"))))
}

#[test]
fn integers_dictionaries_and_views_are_names() {
    let dictionary: DictionaryArray<Int32Type> = ["b", "a", "b"].into_iter().collect();
    let small: DictionaryArray<Int16Type> = ["b", "a", "b"].into_iter().collect();
    for (column, expected) in [
        (Arc::new(Int64Array::from(vec![7, -1, i64::MAX])) as ArrayRef, ["7", "-1", "9223372036854775807"]),
        (Arc::new(UInt8Array::from(vec![7, 0, 255])), ["7", "0", "255"]),
        (Arc::new(dictionary), ["b", "a", "b"]),
        (Arc::new(small), ["b", "a", "b"]),
        (
            Arc::new(StringViewArray::from(vec!["é", "a longer name than twelve bytes", "x"])),
            ["é", "a longer name than twelve bytes", "x"],
        ),
    ] {
        let (rows, faults) = columnar(vec![("name", column)]);
        assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), expected);
        assert!(faults.is_empty(), "{faults:?}");
    }
}

#[test]
fn decimals_and_all_widths_are_numbers() {
    let decimal = Decimal128Array::from(vec![Some(123_456_789_012_345_678), None])
        .with_precision_and_scale(30, 18)
        .expect("a precision");
    for (column, expected) in [
        (Arc::new(decimal) as ArrayRef, ["0.12345678901234568", ""]),
        (Arc::new(Float32Array::from(vec![Some(0.5), None])), ["0.5", ""]),
        (Arc::new(Int64Array::from(vec![Some(-3), Some(0)])), ["-3", "0"]),
        (Arc::new(Float64Array::from(vec![-0.0, 1e-300])), ["0", "0.000"]),
        (Arc::new(StringArray::from(vec![Some("1e3"), Some("")])), ["1000", ""]),
        (Arc::new(NullArray::new(2)), ["", ""]),
    ] {
        let (rows, faults) = columnar(vec![("name", names(2)), ("number", column)]);
        let same = |(row, expected): (&[String; 4], &str)| row[1].starts_with(expected) || row[1] == expected;
        assert!(rows.iter().zip(expected).all(same), "{rows:?} {expected:?}");
        assert!(faults.is_empty(), "{faults:?}");
    }
}

#[test]
fn timestamps_dates_and_text_are_moments() {
    let text = "2026-06-26T08:00:00+02:00";
    for (column, expected) in [
        (Arc::new(TimestampMillisecondArray::from(vec![1_500])) as ArrayRef, "1970-01-01T00:00:01.5Z"),
        (Arc::new(TimestampNanosecondArray::from(vec![-1]).with_timezone("+05:00")), "1969-12-31T23:59:59.999999999Z"),
        (Arc::new(Date32Array::from(vec![1])), "1970-01-02T00:00:00Z"),
        (Arc::new(StringArray::from(vec![text])), "2026-06-26T06:00:00Z"),
    ] {
        let (rows, faults) = columnar(vec![("name", names(1)), ("time", column)]);
        assert_eq!((rows[0][2].as_str(), faults.len()), (expected, 0), "{faults:?}");
    }
    let (_, faults) =
        columnar(vec![("name", names(1)), ("time", Arc::new(TimestampMillisecondArray::from(vec![i64::MAX])))]);
    assert!(faults[0].contains("a moment is RFC 3339"), "{faults:?}");
}

#[test]
fn flags_are_truth_values_or_words() {
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None]));
    let words: ArrayRef = Arc::new(StringArray::from(vec![Some("true"), None]));
    for column in [flags, words] {
        let (rows, faults) = columnar(vec![("name", names(2)), ("flag", column)]);
        assert_eq!((rows[0][3].as_str(), rows[1][3].as_str(), faults.len()), ("true", "", 0));
    }
}

#[test]
fn non_finite_numbers_are_faults_and_null_is_absent() {
    let column: ArrayRef = Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(f64::INFINITY), None, Some(1e31)]));
    let (_, faults) = columnar(vec![("name", names(4)), ("number", column)]);
    assert_eq!(faults.len(), 3);
    assert!(faults[0].starts_with("things row 1 column number value \"NaN\": a number is finite"), "{faults:?}");
    assert!(faults[2].starts_with("things row 4 column number value"), "{faults:?}");
}

#[test]
fn types_that_do_not_fit_are_a_fault_of_the_column() {
    for (name, column, expected) in [
        ("name", Arc::new(Float64Array::from(vec![1.0])) as ArrayRef, "text expected, the column's type is Float64"),
        ("name", Arc::new(BinaryArray::from(vec![&b"x"[..]])), "text expected, the column's type is Binary"),
        ("number", Arc::new(BooleanArray::from(vec![true])), "a number expected, the column's type is Boolean"),
        ("time", Arc::new(Int64Array::from(vec![1])), "a moment expected, the column's type is Int64"),
        ("flag", Arc::new(Int64Array::from(vec![1])), "true or false expected, the column's type is Int64"),
    ] {
        let mut columns = vec![(name, column)];
        if name != "name" {
            columns.push(("name", names(1)));
        }
        let (rows, faults) = columnar(columns);
        assert!(rows.is_empty());
        assert!(faults[0].contains(expected), "{faults:?}");
    }
}

#[test]
fn a_flood_of_faults_is_counted_and_cut() {
    let count = FAULTS_KEPT + 500;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text: String = std::iter::once("name,number\n".into()).chain((0..count).map(|i| format!("n{i},x\n"))).collect();
    std::fs::write(dir.path().join("things.csv"), text).expect("a file");
    let mut log = FaultLog::default();
    let outcome = read(dir.path(), &LAYOUT, Presence::Required, &mut log, |row| {
        row.number_at(1, NumberRule::Amount);
    });
    assert_eq!((outcome.counts.read, outcome.counts.refused), (count as u64, count as u64));
    assert_eq!(log.total(), count as u64);
    assert_eq!(log.into_faults().len(), FAULTS_KEPT);
}
