//! What a calibration has evaluated, line by line, so that an interrupted one goes on where it stood.
//!
//! The first line names the job by a hash of everything that it reads; each further one is a candidate. Numbers are written as
//! their bits: what is read back is what was evaluated.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::calibration::{Evaluated, Evaluation, Reading, Recorder};
use crate::error::{Error, Result};

/// A checkpoint that is being written; there is no file before the first evaluation.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    job: String,
    /// Bytes of whole lines that stand there.
    whole: u64,
    file: Option<File>,
}

impl CheckpointFile {
    /// Opens the checkpoint of the job with this hash, if there is one; answers what stands there. A last line that was not
    /// finished is dropped.
    ///
    /// # Errors
    /// [`Error::Usage`] where the file is another job's, or no checkpoint; [`Error::Io`] where it cannot be read.
    pub fn open(path: &Path, job: &str) -> Result<(Self, Vec<Evaluated>)> {
        let text = match fs::read(path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| not_a_checkpoint(path))?,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Error::io(path, source)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let known = read(&text[..whole], job, path)?;
        Ok((Self { path: path.into(), job: job.into(), whole: whole as u64, file: None }, known))
    }

    /// The file behind its last whole line; a header is written where there is none.
    fn start(&self) -> std::io::Result<File> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path)?;
        file.set_len(self.whole)?;
        file.seek(SeekFrom::End(0))?;
        if self.whole == 0 {
            file.write_all(format!("{}\n", json!({ HEADER: VERSION, "job": self.job })).as_bytes())?;
        }
        Ok(file)
    }

    fn append(&mut self, line: &str) -> std::io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.start()?,
        };
        self.file.insert(file).write_all(line.as_bytes())
    }
}

/// Removes the checkpoint of a calibration that is complete, if there is one.
///
/// # Errors
/// [`Error::Io`] where it cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::io(path, source)),
        _ => Ok(()),
    }
}

impl Recorder for CheckpointFile {
    fn record(&mut self, evaluated: &Evaluated) -> Result<()> {
        let line = format!("{}\n", to_json(evaluated));
        self.append(&line).map_err(|source| Error::io(&self.path, source))
    }
}

/// The key of the first line, and what it says.
const HEADER: &str = "plimsoll_checkpoint";
const VERSION: u64 = 1;

/// Reads whole lines; of an empty text nothing is known.
fn read(text: &str, job: &str, path: &Path) -> Result<Vec<Evaluated>> {
    let mut lines = text.lines();
    let Some(first) = lines.next() else { return Ok(Vec::new()) };
    let header: Value = serde_json::from_str(first).map_err(|_| not_a_checkpoint(path))?;
    if header[HEADER] != VERSION {
        return Err(not_a_checkpoint(path));
    }
    if header["job"] != job {
        let path = path.display();
        return Err(Error::Usage(format!(
            "{path}: the checkpoint of another job, or of other inputs: remove it to start anew, or choose another --out"
        )));
    }
    lines.map(|line| from_json(line).ok_or_else(|| not_a_checkpoint(path))).collect()
}

fn not_a_checkpoint(path: &Path) -> Error {
    Error::Usage(format!(
        "{}: not a checkpoint of this program: remove it to start anew, or choose another --out",
        path.display()
    ))
}

fn to_json(evaluated: &Evaluated) -> Value {
    let bits = |value: f64| value.to_bits();
    let Evaluated { point, relaxed, evaluation } = evaluated;
    let readings = evaluation.readings.iter().map(|reading| [reading.value, reading.limit, reading.slack].map(bits));
    json!({
        "point": point.iter().map(|value| bits(*value)).collect::<Vec<_>>(),
        "relaxed": bits(*relaxed),
        "objective": bits(evaluation.objective),
        "readings": readings.collect::<Vec<_>>(),
    })
}

fn from_json(line: &str) -> Option<Evaluated> {
    let value: Value = serde_json::from_str(line).ok()?;
    let number = |value: &Value| value.as_u64().map(f64::from_bits);
    let numbers = |value: &Value| value.as_array()?.iter().map(number).collect::<Option<Vec<f64>>>();
    let reading = |value: &Value| match numbers(value)?.as_slice() {
        &[value, limit, slack] => Some(Reading { value, limit, slack }),
        _ => None,
    };
    let readings = value["readings"].as_array()?.iter().map(reading).collect::<Option<Vec<_>>>()?;
    let evaluation = Evaluation { objective: number(&value["objective"])?, readings };
    Some(Evaluated { point: numbers(&value["point"])?, relaxed: number(&value["relaxed"])?, evaluation })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(at: f64) -> Evaluated {
        let readings = vec![Reading { value: 0.1 + at, limit: f64::INFINITY, slack: -1e-300 }];
        Evaluated {
            point: vec![at, 1.0 / 3.0],
            relaxed: 1.0,
            evaluation: Evaluation { objective: 1e9 / 7.0, readings },
        }
    }

    fn write(path: &Path, count: usize) {
        let (mut file, _) = CheckpointFile::open(path, "job").expect("a checkpoint");
        (0..count).for_each(|at| file.record(&evaluated(at as f64)).expect("recorded"));
    }

    #[test]
    fn what_was_evaluated_comes_back_bit_for_bit() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("out.checkpoint");
        write(&path, 2);
        write(&path, 1);
        let (_, known) = CheckpointFile::open(&path, "job").expect("a checkpoint");
        assert_eq!(known, [evaluated(0.0), evaluated(1.0), evaluated(0.0)]);
        remove(&path).expect("removed");
        assert!(!path.exists());
    }

    #[test]
    fn a_line_that_was_cut_off_is_dropped() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("out.checkpoint");
        write(&path, 2);
        let text = fs::read_to_string(&path).expect("text");
        for cut in [1, 20] {
            fs::write(&path, &text[..text.len() - cut]).expect("written");
            write(&path, 1);
            let (_, known) = CheckpointFile::open(&path, "job").expect("a checkpoint");
            assert_eq!(known, [evaluated(0.0), evaluated(0.0)]);
        }
        fs::write(&path, &text[..5]).expect("written");
        assert_eq!(CheckpointFile::open(&path, "job").expect("nothing whole").1, []);
    }

    #[test]
    fn what_is_another_jobs_or_none_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("out.checkpoint");
        write(&path, 1);
        let text = fs::read_to_string(&path).expect("text");
        let refused = |job: &str| matches!(CheckpointFile::open(&path, job), Err(Error::Usage(_)));
        assert!(refused("other"));
        for broken in
            [text.replace("readings", "reading"), "{}\n".to_string(), "no JSON\n".to_string(), format!("{text}{{}}\n")]
        {
            fs::write(&path, &broken).expect("written");
            assert!(refused("job"), "{broken}");
            assert_eq!(fs::read_to_string(&path).expect("text"), broken, "what is refused is left alone");
        }
    }
}
