//! Measures which f32 arithmetic an adapter really does, and has it answer a sweep whose answers are known.
//!
//! The bounds of `NUMERICS.md` hold for anything WGSL allows: either rounding direction, fusion, reassociation, flushed
//! subnormals. So all that can fail here is a result outside the two neighbours of the exact one; the rest is told.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::adapter::AdapterSummary;
use super::device::Device;
use super::layout::{ProbeInput, ProbeOutput};
use super::{Checks, Gpu, OptionPricer, known_answer, known_price};
use crate::error::Result;
use crate::program::UNIT_ROUNDOFF_F32;

/// Samples per operation.
const SAMPLES: usize = 1_024;
/// Seed of the samples; any other would do.
const SEED: u64 = 0x0091_0be5;

/// How an operation rounds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rounding {
    /// Results that are the nearest f32 to the exact one.
    pub nearest: usize,
    /// Results that are its other neighbour: rounding in another direction.
    pub other_neighbour: usize,
    /// Results that are neither, against WGSL.
    pub outside: usize,
    /// Largest |result − exact| / |exact|.
    pub worst_error: f64,
}

impl Rounding {
    fn note(&mut self, exact: f64, result: f32) {
        let nearest = exact as f32;
        let difference = f64::from(result) - exact;
        let other = match exact.partial_cmp(&f64::from(nearest)) {
            Some(std::cmp::Ordering::Greater) => nearest.next_up(),
            Some(std::cmp::Ordering::Less) => nearest.next_down(),
            _ => nearest,
        };
        if result == nearest {
            self.nearest += 1;
        } else if result == other {
            self.other_neighbour += 1;
        } else {
            self.outside += 1;
        }
        let error = if difference == 0.0 { 0.0 } else { (difference / exact).abs() };
        // NaN is no answer, and `max` would pass it over.
        self.worst_error = if error.is_nan() { f64::INFINITY } else { self.worst_error.max(error) };
    }

    fn faults(&self, name: &str) -> Option<String> {
        let fine = self.outside == 0 && self.worst_error <= UNIT_ROUNDOFF_F32;
        (!fine).then(|| {
            format!(
                "{name}: {} results are no neighbour of the exact one; worst relative error {:e}, assumed at most {UNIT_ROUNDOFF_F32:e}",
                self.outside, self.worst_error
            )
        })
    }
}

/// In how many samples something that could have been seen was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Samples in which it was seen.
    pub seen: usize,
    /// Samples in which it could have been.
    pub of: usize,
}

impl Seen {
    fn note(&mut self, seen: impl FnOnce() -> bool) {
        self.of += 1;
        self.seen += usize::from(seen());
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.seen {
            0 => write!(f, "no"),
            seen if seen == self.of => write!(f, "yes"),
            seen => write!(f, "in {seen} of {}", self.of),
        }
    }
}

/// What an adapter's arithmetic is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Arithmetic {
    /// Of a + b.
    pub addition: Rounding,
    /// Of a · b.
    pub multiplication: Rounding,
    /// a · b + c is one operation.
    pub contracted: Seen,
    /// The error term of TwoSum is the exact one: nothing was reassociated.
    pub error_term_kept: Seen,
    /// Subnormal operands count as zero.
    pub subnormal_inputs_flushed: Seen,
    /// Subnormal results become zero.
    pub subnormal_results_flushed: Seen,
}

/// Everything the probes say of an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeReport {
    /// The adapter.
    pub adapter: AdapterSummary,
    /// Its arithmetic.
    pub arithmetic: Arithmetic,
    /// What the known-answer sweep got wrong; `None` where every answer was right.
    pub wrong_answer: Option<String>,
    /// What the pricer makes of a textbook option, where that is wrong.
    pub wrong_price: Option<String>,
}

impl ProbeReport {
    /// Why this adapter's answers cannot be trusted; empty where they can.
    pub fn faults(&self) -> Vec<String> {
        let rounding = [("addition", self.arithmetic.addition), ("multiplication", self.arithmetic.multiplication)];
        let wrong = self.wrong_answer.iter().chain(&self.wrong_price);
        let known_answer = wrong.map(|reason| format!("known answer: {reason}"));
        rounding.into_iter().filter_map(|(name, rounding)| rounding.faults(name)).chain(known_answer).collect()
    }
}

/// Opens an adapter and probes it.
///
/// # Errors
/// [`crate::Error::Temporary`] where the device does not open or is lost.
pub fn run(adapter: &wgpu::Adapter) -> Result<ProbeReport> {
    let gpu = Gpu::on(adapter.clone())?;
    let wrong_price = known_price::check(&OptionPricer::on(adapter, Checks::Trusted)?).err();
    let inputs = samples();
    let outputs = dispatch(&gpu.device, &inputs)?;
    let arithmetic = examine(&inputs, &outputs);
    let adapter = gpu.device.summary.clone();
    Ok(ProbeReport { adapter, arithmetic, wrong_answer: known_answer::check(gpu).err(), wrong_price })
}

/// Operands whose sums and products f64 holds exactly: 24 bits each, exponents within 24 of one another.
fn samples() -> Vec<ProbeInput> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut number = |low: i32, high: i32| {
        let sign = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let scale = 2f32.powi(random.random_range(low..high));
        sign * (1.0 + random.random_range(0..1u32 << 23) as f32 / 8_388_608.0) * scale
    };
    (0..SAMPLES)
        .map(|_| {
            let (a, b) = (number(-12, 12), number(-12, 12));
            // Built from bits: a host in a flushing mode could not compute it.
            let subnormal = f32::from_bits((number(0, 1).to_bits() & 0x003f_ffff) | 0x0020_0000);
            ProbeInput { a, b, c: -(a * b), subnormal, small: number(-120, -119) }
        })
        .collect()
}

fn dispatch(device: &Device, inputs: &[ProbeInput]) -> Result<Vec<ProbeOutput>> {
    let shader = include_str!("../../../shaders/probe.wgsl");
    device.compute(shader, inputs, inputs.len())
}

/// Compares what came back with what is exact.
fn examine(inputs: &[ProbeInput], outputs: &[ProbeOutput]) -> Arithmetic {
    let mut arithmetic = Arithmetic::default();
    for (input, output) in inputs.iter().zip(outputs) {
        let [a, b, c] = [input.a, input.b, input.c].map(f64::from);
        arithmetic.addition.note(a + b, output.sum);
        arithmetic.multiplication.note(a * b, output.product);
        // What is left shows only where the nearest product is not the exact one.
        let lost = (a * b + c) as f32;
        if lost != 0.0 {
            arithmetic.contracted.note(|| output.product_sum == lost);
        }
        let error = ((a + b) - f64::from(output.sum)) as f32;
        if error != 0.0 {
            arithmetic.error_term_kept.note(|| output.sum_error == error);
        }
        arithmetic.subnormal_inputs_flushed.note(|| output.from_subnormal == 0.0);
        arithmetic.subnormal_results_flushed.note(|| output.to_subnormal == 0.0);
    }
    arithmetic
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factors of `shaders/probe.wgsl`.
    const UP: f32 = 1_048_576.0;
    const DOWN: f32 = 1.0 / 65_536.0;

    /// What a device that rounds to nearest, fuses nothing and flushes nothing answers.
    fn answers(inputs: &[ProbeInput]) -> Vec<ProbeOutput> {
        let answer = |input: &ProbeInput| {
            let sum = input.a + input.b;
            let b_part = sum - input.a;
            ProbeOutput {
                sum,
                product: input.a * input.b,
                product_sum: input.a * input.b + input.c,
                sum_error: (input.a - (sum - b_part)) + (input.b - b_part),
                from_subnormal: input.subnormal * UP,
                to_subnormal: input.small * DOWN,
            }
        };
        inputs.iter().map(answer).collect()
    }

    #[test]
    fn ieee_arithmetic_is_recognised() {
        let inputs = samples();
        let report = examine(&inputs, &answers(&inputs));
        assert_eq!((report.addition.nearest, report.multiplication.nearest), (SAMPLES, SAMPLES));
        assert!(report.addition.worst_error <= UNIT_ROUNDOFF_F32 / 2.0, "round to nearest");
        assert!(report.addition.worst_error > UNIT_ROUNDOFF_F32 / 4.0, "the samples are not easy ones");
        assert!(report.contracted.of > SAMPLES / 2 && report.error_term_kept.of > SAMPLES / 2, "{report:?}");
        assert_eq!(report.contracted.seen, 0);
        assert_eq!(report.error_term_kept.seen, report.error_term_kept.of);
        assert_eq!((report.subnormal_inputs_flushed.seen, report.subnormal_results_flushed.seen), (0, 0));
    }

    #[test]
    fn fusion_reassociation_and_flushing_are_recognised() {
        let inputs = samples();
        let mut outputs = answers(&inputs);
        for (input, output) in inputs.iter().zip(&mut outputs) {
            output.product_sum = input.a.mul_add(input.b, input.c);
            (output.sum_error, output.from_subnormal, output.to_subnormal) = (0.0, 0.0, 0.0);
        }
        let report = examine(&inputs, &outputs);
        assert_eq!(report.contracted.seen, report.contracted.of);
        assert_eq!(report.error_term_kept.seen, 0);
        assert_eq!((report.subnormal_inputs_flushed.seen, report.subnormal_results_flushed.seen), (SAMPLES, SAMPLES));
    }

    #[test]
    fn the_other_neighbour_is_allowed_and_the_next_one_is_a_fault() {
        let inputs = samples();
        let mut outputs = answers(&inputs);
        let away =
            |exact: f64, nearest: f32| if exact > f64::from(nearest) { nearest.next_up() } else { nearest.next_down() };
        let at = inputs
            .iter()
            .zip(&outputs)
            .position(|(input, output)| f64::from(input.a) * f64::from(input.b) != f64::from(output.product));
        let at = at.expect("a product that rounds");
        let exact = f64::from(inputs[at].a) * f64::from(inputs[at].b);
        outputs[at].product = away(exact, outputs[at].product);
        let report = |outputs: &[ProbeOutput]| examine(&inputs, outputs).multiplication;
        assert_eq!(report(&outputs).other_neighbour, 1);
        assert_eq!(report(&outputs).faults("multiplication"), None);
        outputs[at].product = away(exact, outputs[at].product).next_up().next_up();
        assert_eq!(report(&outputs).outside, 1);
        assert!(report(&outputs).faults("multiplication").is_some());
        outputs[at].product = f32::NAN;
        assert!(report(&outputs).faults("multiplication").is_some());
    }
}
