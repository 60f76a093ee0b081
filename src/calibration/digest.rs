use super::landscape::{Axis, Evaluation};

/// BLAKE3 over an answer: names and values of the parameters, and what they amount to. Equal on every machine, for any number
/// of threads, and whether or not the calibration was interrupted.
pub fn digest(axes: &[Axis], point: &[f64], evaluation: &Evaluation) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"plimsoll calibration 1");
    let mut add = |values: &[f64]| {
        hasher.update(&(values.len() as u64).to_le_bytes());
        // −0 and 0 are one value.
        for value in values {
            hasher.update(&(value + 0.0).to_le_bytes());
        }
    };
    add(point);
    add(&[evaluation.objective]);
    evaluation.readings.iter().for_each(|reading| add(&[reading.value, reading.limit]));
    for axis in axes {
        hasher.update(&(axis.name.len() as u64).to_le_bytes());
        hasher.update(axis.name.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
