use super::LANES;

/// Sorts every lane of some blocks by itself, largest first, in the total order of IEEE 754: each lane is bit for bit what
/// sorting it alone gives.
///
/// Batcher's merge exchange (Knuth, *The Art of Computer Programming*, vol. 3, algorithm 5.2.2M): which places are compared
/// depends on their number only, so that all lanes are sorted by the same steps.
#[inline(always)]
pub(super) fn descending(mut blocks: Vec<[f64; LANES]>) -> Vec<[f64; LANES]> {
    let mut keys: Vec<[i64; LANES]> = Vec::with_capacity(blocks.len());
    for block in &blocks {
        keys.push(ordered(block));
    }
    let mut width = blocks.len().next_power_of_two() / 2;
    let widest = width;
    while width > 0 {
        let (mut distance, mut residue, mut reach) = (width, 0, widest);
        loop {
            for place in 0..keys.len().saturating_sub(distance) {
                if place & width == residue {
                    exchange(&mut keys, place, place + distance);
                }
            }
            if reach == width {
                break;
            }
            (distance, residue, reach) = (reach - width, width, reach / 2);
        }
        width /= 2;
    }
    for (block, keys) in blocks.iter_mut().zip(&keys) {
        *block = unordered(keys);
    }
    blocks
}

/// Puts the larger of two places first, in every lane.
#[inline(always)]
fn exchange(keys: &mut [[i64; LANES]], first: usize, second: usize) {
    let (head, tail) = keys.split_at_mut(second);
    let (first, second) = (&mut head[first], &mut tail[0]);
    for lane in 0..LANES {
        let (a, b) = (first[lane], second[lane]);
        first[lane] = if a < b { b } else { a };
        second[lane] = if a < b { a } else { b };
    }
}

/// Integers in the total order of the numbers: the bits, those of the size flipped where the number is negative.
#[inline(always)]
fn ordered(values: &[f64; LANES]) -> [i64; LANES] {
    let mut keys = [0; LANES];
    for lane in 0..LANES {
        keys[lane] = flipped(values[lane].to_bits() as i64);
    }
    keys
}

#[inline(always)]
fn unordered(keys: &[i64; LANES]) -> [f64; LANES] {
    let mut values = [0.0; LANES];
    for lane in 0..LANES {
        values[lane] = f64::from_bits(flipped(keys[lane]) as u64);
    }
    values
}

#[inline(always)]
fn flipped(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}
