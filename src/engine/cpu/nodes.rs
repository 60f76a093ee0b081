//! Interprets a pool's postfix code over a block, one instruction for all scenarios at a time: the CPU twin of the node
//! loop of `shaders/sweep.wgsl`.

use pulp::Simd;

use super::kernel::{UNROLL, vectors};
use super::reduction::Points;
use crate::engine::plan::SCENARIO_BLOCK;
use crate::engine::tile::TileBlock;
use crate::program::{Bound, Instruction, Magnitude, STACK_DEPTH_MAX, Weights, compile_error};

/// One value per scenario of a block.
pub type Values = [f64; SCENARIO_BLOCK];

/// What a pool's nodes add to its roots on a block.
#[derive(Debug, Clone, Copy)]
pub struct NodeValues {
    /// Into the initial root; NaN where a branch is uncertain.
    pub initial: Values,
    /// Into the maintenance root; NaN where a branch is uncertain.
    pub maintenance: Values,
    /// Into the maintenance total.
    pub requirement: Values,
}

impl Default for NodeValues {
    fn default() -> Self {
        let zeros = [0.0; SCENARIO_BLOCK];
        Self { initial: zeros, maintenance: zeros, requirement: zeros }
    }
}

/// The reduction that is being evaluated.
#[derive(Debug, Clone, Copy, Default)]
struct Repetition {
    /// Where its body starts.
    body: usize,
    points: u32,
    /// The point at hand.
    point: u32,
}

/// Runs the code over every scenario of a block.
#[inline(always)]
pub fn evaluate_nodes<S: Simd>(
    simd: S,
    code: &[Instruction],
    block: TileBlock<'_>,
    points: &mut Points,
    values: &mut NodeValues,
) {
    *values = NodeValues::default();
    let mut stack = Stack::default();
    // NaN where a branch taken since the last fold is uncertain, else 0.
    let mut doubt = [0.0; SCENARIO_BLOCK];
    let mut depth = 0;
    let mut repetition = Repetition::default();
    let mut at = 0;
    while at < code.len() {
        let instruction = code[at];
        at += 1;
        match instruction {
            Instruction::Constant(value) => {
                let terms = &code[at..];
                let terms = &terms[..terms.iter().take_while(|next| is_term(next)).count()];
                stack.0[depth] = [value; SCENARIO_BLOCK];
                add_terms(simd, terms, repetition.point, block, &mut stack.0[depth]);
                depth += 1;
                at += terms.len();
            }
            Instruction::Term { .. } | Instruction::StridedTerm { .. } => {
                add_terms(simd, &code[at - 1..at], repetition.point, block, &mut stack.0[depth - 1]);
            }
            Instruction::Repeat { points } => repetition = Repetition { body: at, points, point: 0 },
            Instruction::Reduce(reduction) => {
                points.take(reduction, repetition.point, &stack.0[depth - 1]);
                repetition.point += 1;
                if repetition.point < repetition.points {
                    depth -= 1;
                    at = repetition.body;
                } else {
                    points.reduce(reduction, repetition.points, &mut stack.0[depth - 1]);
                    repetition.point = 0;
                }
            }
            Instruction::Add | Instruction::Max | Instruction::Min => {
                depth -= 1;
                let other = stack.0[depth];
                let top = &mut stack.0[depth - 1];
                match instruction {
                    Instruction::Add => top.iter_mut().zip(other).for_each(|(a, b)| *a += b),
                    Instruction::Max => larger(top, &other),
                    _ => smaller(top, &other),
                }
            }
            Instruction::Abs => stack.0[depth - 1].iter_mut().for_each(|top| *top = top.abs()),
            Instruction::Scale(factor) => stack.0[depth - 1].iter_mut().for_each(|top| *top *= factor),
            Instruction::ScaleByRow { row, level } => {
                let top = &mut stack.0[depth - 1];
                top.iter_mut().zip(block.deltas(row)).for_each(|(top, &delta)| *top *= level + delta);
            }
            Instruction::Select(predicate) => {
                depth -= 2;
                doubt_of(&stack.0[depth - 1], predicate, &mut doubt);
                for lane in 0..SCENARIO_BLOCK {
                    let chosen = if stack.0[depth - 1][lane] >= 0.0 { depth } else { depth + 1 };
                    stack.0[depth - 1][lane] = stack.0[chosen][lane];
                }
            }
            Instruction::Fold(weights) => {
                depth -= 1;
                fold(&stack.0[depth], weights, &doubt, values);
                doubt = [0.0; SCENARIO_BLOCK];
            }
        }
    }
}

/// Operands, each on cache lines of its own.
#[repr(align(64))]
struct Stack([Values; STACK_DEPTH_MAX]);

impl Default for Stack {
    fn default() -> Self {
        Self([[0.0; SCENARIO_BLOCK]; STACK_DEPTH_MAX])
    }
}

#[inline(always)]
fn is_term(instruction: &Instruction) -> bool {
    matches!(instruction, Instruction::Term { .. } | Instruction::StridedTerm { .. })
}

/// Adds the terms of a leaf to the top. The sums stay in registers while the terms go by: this is the inner loop of a grid.
#[inline(always)]
fn add_terms<S: Simd>(simd: S, terms: &[Instruction], point: u32, block: TileBlock<'_>, top: &mut Values) {
    let step = UNROLL * S::F64_LANES;
    for start in (0..SCENARIO_BLOCK).step_by(step) {
        let top = S::as_mut_simd_f64s(&mut top[start..start + step]).0;
        let mut sum = [top[0], top[1], top[2], top[3]];
        for term in terms {
            let (row, coefficient) = match *term {
                Instruction::StridedTerm { row, coefficient } => (row + point, coefficient),
                Instruction::Term { row, coefficient } => (row, coefficient),
                _ => continue,
            };
            let coefficient = simd.splat_f64s(coefficient);
            let deltas = vectors::<S>(block, row, start);
            for k in 0..UNROLL {
                sum[k] = simd.mul_add_e_f64s(coefficient, deltas[k], sum[k]);
            }
        }
        top.copy_from_slice(&sum);
    }
}

/// Lane by lane the larger of two values.
#[inline(always)]
pub fn larger(top: &mut Values, other: &Values) {
    top.iter_mut().zip(other).for_each(|(a, b)| *a = if *a < *b { *b } else { *a });
}

/// Lane by lane the smaller of two values.
#[inline(always)]
pub fn smaller(top: &mut Values, other: &Values) {
    top.iter_mut().zip(other).for_each(|(a, b)| *a = if *a > *b { *b } else { *a });
}

/// Raises the doubt where the sign of a predicate is not certain.
#[inline(always)]
fn doubt_of(predicate: &Values, magnitude: Magnitude, doubt: &mut Values) {
    // The predicate's own coefficients were formed in f64 from about as many roundings as it has operations.
    let compiled = compile_error(magnitude.operations, magnitude.uncancelled);
    let guard = Bound::F64.error(magnitude, compiled).unwrap_or(f64::INFINITY);
    for lane in 0..SCENARIO_BLOCK {
        if !(predicate[lane] > guard || predicate[lane] < -guard) {
            doubt[lane] = f64::NAN;
        }
    }
}

/// Adds the weighted top to the roots. A weight of zero adds nothing, not even a doubt; the maintenance total takes the
/// branch that rounding chose, for a total must not be lost to one doubtful verdict.
#[inline(always)]
fn fold(top: &Values, weights: Weights, doubt: &Values, values: &mut NodeValues) {
    for (root, weight) in [(&mut values.initial, weights.initial), (&mut values.maintenance, weights.maintenance)] {
        if weight != 0.0 {
            for lane in 0..SCENARIO_BLOCK {
                root[lane] += weight * top[lane] + doubt[lane];
            }
        }
    }
    for lane in 0..SCENARIO_BLOCK {
        values.requirement[lane] += weights.requirement * top[lane];
    }
}

#[cfg(test)]
mod tests;
