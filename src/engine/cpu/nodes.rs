//! Interprets a pool's postfix code over a tile, one instruction for all scenarios at a time: the CPU twin of the node
//! loop of `shaders/sweep.wgsl`.

use crate::engine::plan::SCENARIO_BLOCK;
use crate::engine::tile::TileBlock;
use crate::program::{Bound, Instruction, Magnitude, STACK_DEPTH_MAX, Weights, compile_error};

/// One value per scenario of a block.
type Values = [f64; SCENARIO_BLOCK];

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

/// Runs the code over every scenario of a block.
#[inline(always)]
pub fn evaluate_nodes(code: &[Instruction], block: TileBlock<'_>, values: &mut NodeValues) {
    *values = NodeValues::default();
    let mut stack = [[0.0; SCENARIO_BLOCK]; STACK_DEPTH_MAX];
    // NaN where a branch taken since the last fold is uncertain, else 0.
    let mut doubt = [0.0; SCENARIO_BLOCK];
    let mut depth = 0;
    for &instruction in code {
        match instruction {
            Instruction::Constant(value) => {
                stack[depth] = [value; SCENARIO_BLOCK];
                depth += 1;
            }
            Instruction::Term { row, coefficient } => {
                with_row(&mut stack[depth - 1], block, row, |top, delta| top + coefficient * delta);
            }
            Instruction::Add | Instruction::Max | Instruction::Min => {
                depth -= 1;
                let other = stack[depth];
                let top = &mut stack[depth - 1];
                match instruction {
                    Instruction::Add => top.iter_mut().zip(other).for_each(|(a, b)| *a += b),
                    Instruction::Max => top.iter_mut().zip(other).for_each(|(a, b)| *a = if *a < b { b } else { *a }),
                    _ => top.iter_mut().zip(other).for_each(|(a, b)| *a = if *a > b { b } else { *a }),
                }
            }
            Instruction::Abs => stack[depth - 1].iter_mut().for_each(|top| *top = top.abs()),
            Instruction::Scale(factor) => stack[depth - 1].iter_mut().for_each(|top| *top *= factor),
            Instruction::ScaleByRow { row, base } => {
                with_row(&mut stack[depth - 1], block, row, |top, delta| top * (base + delta));
            }
            Instruction::Select(predicate) => {
                depth -= 2;
                doubt_of(&stack[depth - 1], predicate, &mut doubt);
                for lane in 0..SCENARIO_BLOCK {
                    let chosen = if stack[depth - 1][lane] >= 0.0 { depth } else { depth + 1 };
                    stack[depth - 1][lane] = stack[chosen][lane];
                }
            }
            Instruction::Fold(weights) => {
                depth -= 1;
                fold(&stack[depth], weights, &doubt, values);
                doubt = [0.0; SCENARIO_BLOCK];
            }
        }
    }
}

#[inline(always)]
fn with_row(top: &mut Values, block: TileBlock<'_>, row: u32, operation: impl Fn(f64, f64) -> f64) {
    top.iter_mut().zip(block.deltas(row)).for_each(|(top, &delta)| *top = operation(*top, delta));
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
