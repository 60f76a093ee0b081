use std::path::PathBuf;

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use ndarray::Array2;

use super::*;
use crate::error::Fault;
use crate::scenario::{Factor, ScenarioSet};

fn awkward_set() -> ScenarioSet {
    ScenarioSet {
        ids: ["1", " spaced ", "a,\"b\"\nc", "ünïcode"].map(String::from).to_vec(),
        weights: vec![1.0, 0.1 + 0.2, 0.0, 1e300],
        labels: ["", "x", "y;z", "\r\n"].map(String::from).to_vec(),
        factors: vec![
            Factor::price("BTC"),
            Factor::parse("asset:USD:C").unwrap(),
            Factor::parse("time").unwrap(),
            Factor::parse("rate:USD").unwrap(),
        ],
        shocks: Array2::from_shape_vec(
            (4, 4),
            vec![
                -0.1,
                f64::NAN,
                0.0,
                5e-324, // the smallest number above 0
                -1.0,
                -0.0,
                1.0 / 365.0,
                987_654_321.123_456_7,
                1.0 / 3.0,
                2.5,
                f64::NAN,
                f64::MIN_POSITIVE,
                f64::NAN,
                f64::NAN,
                0.1,
                -123_456.789,
            ],
        )
        .unwrap(),
    }
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn faults_of(path: &Path) -> Vec<Fault> {
    match read(path) {
        Err(Error::Refused(faults)) => faults,
        other => panic!("{} not refused: {other:?}", path.display()),
    }
}

#[test]
fn every_encoding_reads_back_the_same_bits() {
    let directory = directory();
    let set = awkward_set();
    for name in ["set.csv", "set.parquet", "set.ARROW"] {
        let path = directory.path().join(name);
        write(&path, &set).unwrap();
        let back = read(&path).unwrap();
        assert_eq!((&back.ids, &back.labels, &back.factors), (&set.ids, &set.labels, &set.factors), "{name}");
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back.weights), bits(&set.weights), "{name}");
        assert_eq!(bits(back.shocks.as_slice().unwrap()), bits(set.shocks.as_slice().unwrap()), "{name}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3, "no temporary file is left");
}

#[test]
fn nothing_is_left_of_a_failed_write() {
    let directory = directory();
    assert_eq!(write(&directory.path().join("set.txt"), &awkward_set()).unwrap_err().exit_code(), 2);
    assert_eq!(write(&directory.path().join("no/such/set.csv"), &awkward_set()).unwrap_err().exit_code(), 2);
    let mut wrong = awkward_set();
    wrong.weights[0] = -1.0;
    assert_eq!(write(&directory.path().join("set.csv"), &wrong).unwrap_err().exit_code(), 3);
    std::fs::create_dir(directory.path().join("taken.csv")).unwrap();
    assert!(write(&directory.path().join("taken.csv"), &awkward_set()).is_err());
    let left: Vec<PathBuf> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [directory.path().join("taken.csv")]);
}

#[test]
fn weight_and_label_may_be_missing_and_columns_stand_in_any_order() {
    let directory = directory();
    let path = directory.path().join("set.csv");
    std::fs::write(&path, "\u{feff}price:BTC,scenario,weight\n -0.2 ,7,\n,8,3\n").unwrap();
    let set = read(&path).unwrap();
    assert_eq!((set.ids, set.weights), (vec!["7".to_owned(), "8".to_owned()], vec![1.0, 3.0]));
    assert_eq!(set.shocks[[0, 0]], -0.2);
    assert!(set.shocks[[1, 0]].is_nan());
}

/// Each CSV with how many faults it has and words of the first.
#[test]
fn malformed_csv_is_refused_with_every_fault() {
    let cases: &[(&[u8], usize, &str)] = &[
        (b"", 1, "header row"),
        (b"scenario,price:BTC\n", 1, "at least one scenario"),
        (b"name,price:BTC\na,-0.1\n", 2, "scenario, weight, label or one of"),
        (b"scenario,prize:BTC\na,-0.1\n", 1, "did you mean price:BTC?"),
        (b"scenario,BTC\na,-0.1\n", 1, "did you mean price:BTC?"),
        (b"scenario,wieght\na,1\n", 1, "did you mean weight?"),
        (b"scenario,price:\na,1\n", 1, "name what price: shocks"),
        (b"scenario,price:A,price:A\na,1,2\n", 1, "price:A stands once"),
        (b"scenario,scenario\na,b\n", 1, "scenario stands once"),
        (b"scenario,price:A\na,nan\nb,inf\nc,1e400\nd,-infinity\n", 4, "row 1 column price:A value \"nan\""),
        (b"scenario,price:A\na,-10%\nb,0x1p3\n", 2, "is a number"),
        (b"scenario,price:A\na,-1.01\n", 1, "at least -1"),
        (b"scenario,time\na,-0.1\n", 1, "at least 0"),
        (b"scenario,price:A\na,0.1\na,0.2\n,0.3\n", 2, "ids are unique"),
        (b"scenario,weight,price:A\na,-1,0\nb,x,0\nc,9,0\n", 2, "is a number"),
        (b"scenario,weight,price:A\na,0,0\n", 1, "positive sum"),
        (b"scenario,price:A\na\nb,1,2\nc,0.1\n", 2, "row 1: a row has as many cells"),
        (b"scenario,price:A\na,\xff\n", 1, "UTF-8"),
        (b"scenario,\xff\na,1\n", 1, "header is UTF-8"),
    ];
    let directory = directory();
    let path = directory.path().join("set.csv");
    for (text, count, words) in cases {
        std::fs::write(&path, text).unwrap();
        let faults = faults_of(&path);
        let shown = String::from_utf8_lossy(text);
        assert!(faults[0].to_string().contains(words), "{shown:?}: {}", faults[0]);
        assert_eq!(faults.len(), *count, "{shown:?}: {faults:?}");
    }
}

#[test]
fn faults_are_counted_when_there_are_too_many_to_list() {
    let directory = directory();
    let path = directory.path().join("set.csv");
    let rows: String = (0..10_050).map(|row| format!("{row},x\n")).collect();
    std::fs::write(&path, format!("scenario,price:A\n{rows}")).unwrap();
    let faults = faults_of(&path);
    assert_eq!(faults.len(), 10_001);
    assert!(faults[10_000].rule.contains("50 more faults"));
}

fn write_columns(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(path).unwrap();
    if Encoding::of(path).unwrap() == Encoding::Parquet {
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    } else {
        let mut writer = arrow_ipc::writer::FileWriter::try_new(file, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    }
}

#[test]
fn binary_columns_of_other_types_are_read_or_refused() {
    let directory = directory();
    for name in ["set.parquet", "set.arrow"] {
        let path = directory.path().join(name);
        let ids: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![7, 8]));
        let texts: ArrayRef = std::sync::Arc::new(StringArray::from(vec![Some("-0.5"), Some("")]));
        let narrow: ArrayRef = std::sync::Arc::new(Float32Array::from(vec![Some(0.5), None]));
        let whole: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![0, 1]));
        let columns = [("price:A", &texts), ("price:B", &narrow), ("scenario", &ids), ("weight", &whole)];
        write_columns(&path, columns.map(|(name, values)| (name, values.clone())).to_vec());
        let set = read(&path).unwrap();
        assert_eq!((set.ids, set.weights), (vec!["7".to_owned(), "8".to_owned()], vec![0.0, 1.0]));
        assert_eq!(set.shocks.row(0).to_vec(), [-0.5, 0.5]);
        assert!(set.shocks.row(1).iter().all(|shock| shock.is_nan()));

        let flags: ArrayRef = std::sync::Arc::new(arrow_array::BooleanArray::from(vec![true, false]));
        let wrong: ArrayRef = std::sync::Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY]));
        write_columns(&path, vec![("scenario", narrow), ("price:A", flags), ("price:B", wrong)]);
        let faults = faults_of(&path);
        assert!(faults.iter().any(|fault| fault.rule.contains("ids are text or integers")), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.column == "price:A" && fault.rule.contains("numbers")));
        assert!(faults.iter().any(|fault| fault.row == Some(2) && fault.value == "inf"));
    }
}

/// Whatever stands in the file, reading answers: every truncation, and a flip of every byte.
#[test]
fn damaged_binary_files_are_refused_or_read() {
    let directory = directory();
    let set = awkward_set();
    for name in ["set.parquet", "set.arrow"] {
        let path = directory.path().join(name);
        write(&path, &set).unwrap();
        let good = std::fs::read(&path).unwrap();
        for length in 0..good.len() {
            std::fs::write(&path, &good[..length]).unwrap();
            assert!(!faults_of(&path).is_empty());
        }
        for position in (0..good.len()).step_by(7) {
            let mut damaged = good.clone();
            damaged[position] ^= 0xff;
            std::fs::write(&path, &damaged).unwrap();
            if let Err(error) = read(&path) {
                assert_eq!(error.exit_code(), 3, "{name} byte {position}: {error}");
            }
        }
    }
}
