use super::answer::Answer;

/// BLAKE3 over an answer: names, values and intervals of the parameters, what they amount to, and the front. Equal on every machine, for any number
/// of threads, and whether or not the calibration was interrupted.
pub fn digest(answer: &Answer) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"plimsoll calibration 1");
    let mut add = |values: &[f64]| {
        hasher.update(&(values.len() as u64).to_le_bytes());
        // −0 and 0 are one value.
        for value in values {
            hasher.update(&(value + 0.0).to_le_bytes());
        }
    };
    add(&answer.point());
    for parameter in &answer.parameters {
        add(&parameter.interval.map_or_else(Vec::new, |interval| vec![interval.low, interval.high]));
    }
    add(&answer.objective);
    for constraint in &answer.constraints {
        add(&[constraint.new.value, constraint.new.limit]);
        add(&constraint.hold_out.map_or_else(Vec::new, |reading| vec![reading.value]));
    }
    answer.front.iter().for_each(|point| add(&point.point));
    for parameter in &answer.parameters {
        hasher.update(&(parameter.axis.name.len() as u64).to_le_bytes());
        hasher.update(parameter.axis.name.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
