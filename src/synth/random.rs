use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Random numbers of one account: a ChaCha8 stream of its own, and transforms that give the same bits everywhere.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    /// The stream numbered `stream` of `seed`. Streams do not overlap.
    pub(super) fn keyed(seed: u64, stream: u64) -> Self {
        let mut key = *b"plimsoll synthetic exchange\0\0\0\0\0";
        for (byte, seed) in key.iter_mut().zip(seed.to_le_bytes()) {
            *byte ^= seed;
        }
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        Self(generator)
    }

    /// The stream that belongs to a name: a name keeps its numbers whatever other names there are.
    pub(super) fn named(seed: u64, name: &str) -> Self {
        let hash = blake3::hash(name.as_bytes());
        let mut stream = [0u8; 8];
        stream.copy_from_slice(&hash.as_bytes()[..8]);
        // The highest bit keeps names apart from account numbers.
        Self::keyed(seed, u64::from_le_bytes(stream) | 1 << 63)
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with probability `share`.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// Standard normal, by Box and Muller's transform; always two draws, so that streams stay aligned.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Log-normal with this median and this standard deviation of the logarithm.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.normal())
    }

    /// One of `choices`, with probability proportional to its weight (> 0). `choices` is not empty.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(T, f64)]) -> T {
        let mut left = self.uniform() * choices.iter().map(|(_, weight)| weight).sum::<f64>();
        for &(choice, weight) in choices {
            left -= weight;
            if left < 0.0 {
                return choice;
            }
        }
        choices[choices.len() - 1].0
    }
}

/// Ranks drawn with probability ∝ 1 / (rank + 1)^exponent.
#[derive(Debug)]
pub(super) struct Zipf {
    /// Σ of the weights up to each rank: `[n]`.
    cumulative: Vec<f64>,
}

impl Zipf {
    /// Over ranks `0..n`.
    pub(super) fn new(n: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let cumulative = (0..n).map(|rank| {
            sum += libm::pow((rank + 1) as f64, -exponent);
            sum
        });
        Self { cumulative: cumulative.collect() }
    }

    /// Number of ranks.
    pub(super) fn len(&self) -> usize {
        self.cumulative.len()
    }

    /// One rank; 0 where there is none.
    pub(super) fn draw(&self, random: &mut Random) -> usize {
        let at = random.uniform() * self.cumulative.last().copied().unwrap_or(0.0);
        self.cumulative.partition_point(|&sum| sum <= at).min(self.len().saturating_sub(1))
    }
}

const POWERS: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// `value` rounded to `digits` significant decimal digits, as the nearest f64 to that decimal; 0 and values beyond 10^±18
/// come back unchanged.
pub(super) fn round_significant(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let places = digits - 1 - libm::floor(libm::log10(value.abs())) as i32;
    match POWERS.get(places.unsigned_abs() as usize) {
        Some(power) if places >= 0 => (value * power).round() / power,
        Some(power) => (value / power).round() * power,
        None => value,
    }
}
