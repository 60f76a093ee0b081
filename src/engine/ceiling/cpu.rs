//! Micro-kernels of the processor, in the widest vectors that it has, on all threads at once.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use pulp::{Arch, Simd, WithSimd};

use super::{Ceilings, Clock};

/// How long every thread works in a round.
const SPAN: Duration = Duration::from_millis(60);
/// Rounds of each kernel; the best counts, since other work on the machine can only slow one down.
const ROUNDS: usize = 3;
/// Dependent chains of multiply-adds: two units of latency 4 need 8, and more than 14 would not fit 16 vector registers
/// beside the operands.
const CHAINS: usize = 14;
/// Multiply-adds of a chain between two looks at the clock.
const CHAIN_LENGTH: usize = 20_000;
/// Sums that a read is spread over.
const SUMS: usize = 8;
/// Data that every first-level cache holds.
const L1_BYTES: usize = 16 << 10;
/// Data that no first-level cache holds, and a second-level cache does.
const L2_BYTES: usize = 256 << 10;
/// Bytes read between two looks at the clock.
const READ_BYTES: usize = 4 << 20;
/// Data of all threads together that is copied; as much is written.
const COPY_BYTES: usize = 128 << 20;
/// f64 values of a cache line.
const LINE: usize = 8;

/// Measures on the threads of the current pool; takes about a second and 256 MiB.
pub fn measure() -> Ceilings {
    let arch = Arch::new();
    Ceilings {
        copy_bytes: copy(),
        l2_bytes: read(arch, L2_BYTES),
        l1_bytes: Some(read(arch, L1_BYTES)),
        multiply_adds_f32: best(|| (), |()| arch.dispatch(Chains32)),
        multiply_adds_f64: Some(best(|| (), |()| arch.dispatch(Chains64))),
        clock: Clock::Host,
    }
}

/// The most work per second, of all threads together, in any round. `prepare` makes what a thread works on; `work` does some
/// work and says how much it was.
fn best<D>(prepare: impl Fn() -> D + Sync, work: impl Fn(&mut D) -> f64 + Sync) -> f64 {
    let start = Barrier::new(rayon::current_num_threads());
    let of_threads = rayon::broadcast(|_| {
        let mut data = prepare();
        [(); ROUNDS].map(|()| {
            // Threads that start late would measure what is left of the memory's bandwidth.
            start.wait();
            let clock = Instant::now();
            let mut done = 0.0;
            while clock.elapsed() < SPAN {
                done += work(&mut data);
            }
            done / clock.elapsed().as_secs_f64()
        })
    });
    let in_round = |round: usize| of_threads.iter().map(|rates| rates[round]).sum::<f64>();
    (0..ROUNDS).map(in_round).fold(0.0, f64::max)
}

/// Bytes read plus bytes written per second.
fn copy() -> f64 {
    let len = COPY_BYTES / size_of::<f64>() / rayon::current_num_threads();
    best(
        || (vec![1.0f64; len], vec![2.0f64; len]),
        |(from, to)| {
            to.copy_from_slice(from);
            black_box(to);
            (2 * size_of_val(&from[..])) as f64
        },
    )
}

/// Bytes per second from a buffer of this size per thread.
fn read(arch: Arch, bytes: usize) -> f64 {
    let len = bytes / size_of::<f64>();
    best(
        || vec![1.0f64; len + LINE],
        |buffer| {
            // Vectors that straddle cache lines would be read twice.
            let start = buffer.as_ptr().align_offset(LINE * size_of::<f64>()).min(LINE);
            let rounds = READ_BYTES / bytes;
            arch.dispatch(Sum { values: &buffer[start..][..len], rounds });
            (rounds * bytes) as f64
        },
    )
}

/// Reads values over and over.
struct Sum<'a> {
    values: &'a [f64],
    rounds: usize,
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut sums = [simd.splat_f64s(0.0); SUMS];
        for _ in 0..self.rounds {
            for vectors in S::as_simd_f64s(black_box(self.values)).0.chunks_exact(SUMS) {
                for k in 0..SUMS {
                    sums[k] = simd.add_f64s(sums[k], vectors[k]);
                }
            }
        }
        black_box(sums.map(|sum| simd.reduce_sum_f64s(sum)));
    }
}

/// Independent chains of dependent multiply-adds in registers; answers how many there were.
macro_rules! chains {
    ($name:ident, $lanes:ident, $splat:ident, $multiply_add:ident, $sum:ident) => {
        struct $name;

        impl WithSimd for $name {
            type Output = f64;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> f64 {
                // Towards 2, so that nothing overflows or becomes subnormal.
                let (factor, addend) = (simd.$splat(black_box(0.5)), simd.$splat(black_box(1.0)));
                let mut chains = [simd.$splat(black_box(1.5)); CHAINS];
                for _ in 0..CHAIN_LENGTH {
                    for k in 0..CHAINS {
                        chains[k] = simd.$multiply_add(chains[k], factor, addend);
                    }
                }
                black_box(chains.map(|chain| simd.$sum(chain)));
                (S::$lanes * CHAINS * CHAIN_LENGTH) as f64
            }
        }
    };
}

chains!(Chains32, F32_LANES, splat_f32s, mul_add_e_f32s, reduce_sum_f32s);
chains!(Chains64, F64_LANES, splat_f64s, mul_add_e_f64s, reduce_sum_f64s);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearer_is_faster_and_narrower_numbers_are_more() {
        let ceilings = measure();
        let l1 = ceilings.l1_bytes.expect("measured");
        let f64s = ceilings.multiply_adds_f64.expect("measured");
        // Unoptimised builds leave a tenth of the speed; the order stays.
        assert!(ceilings.copy_bytes > 1e8 && ceilings.l2_bytes > 1e8 && l1 > 1e8, "{ceilings:?}");
        assert!(f64s > 1e7 && ceilings.multiply_adds_f32 > 1.2 * f64s, "{ceilings:?}");
    }

    #[test]
    fn every_thread_adds_to_the_rate() {
        let sleep = |_: &mut ()| {
            std::thread::sleep(Duration::from_millis(5));
            1.0
        };
        let rate = |threads| crate::engine::on_threads(Some(threads), || best(|| (), sleep)).expect("threads");
        let (one, four) = (rate(1), rate(4));
        assert!(four > 2.0 * one, "{one} {four}");
    }
}
