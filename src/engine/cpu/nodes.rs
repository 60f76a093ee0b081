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
                    // A NaN of either side stays: an uncertain operand makes an uncertain result.
                    Instruction::Max => top.iter_mut().zip(other).for_each(|(a, b)| *a = choose(*a, b, *a < b)),
                    _ => top.iter_mut().zip(other).for_each(|(a, b)| *a = choose(*a, b, *a > b)),
                }
            }
            Instruction::Abs => stack[depth - 1].iter_mut().for_each(|top| *top = top.abs()),
            Instruction::Scale(factor) => stack[depth - 1].iter_mut().for_each(|top| *top *= factor),
            Instruction::ScaleByRow { row, base } => {
                with_row(&mut stack[depth - 1], block, row, |top, delta| top * (base + delta));
            }
            Instruction::Select(predicate) => {
                depth -= 2;
                stack[depth - 1] = select(stack[depth - 1], stack[depth], stack[depth + 1], predicate);
            }
            Instruction::Fold(weights) => {
                depth -= 1;
                fold(&stack[depth], weights, values);
            }
        }
    }
}

#[inline(always)]
fn with_row(top: &mut Values, block: TileBlock<'_>, row: u32, operation: impl Fn(f64, f64) -> f64) {
    top.iter_mut().zip(block.deltas(row)).for_each(|(top, &delta)| *top = operation(*top, delta));
}

#[inline(always)]
fn choose(a: f64, b: f64, take_b: bool) -> f64 {
    if b.is_nan() || take_b { b } else { a }
}

/// `then` where the predicate is certainly ≥ 0, `otherwise` where it certainly is not, NaN where its sign is in doubt.
#[inline(always)]
fn select(predicate: Values, then: Values, otherwise: Values, magnitude: Magnitude) -> Values {
    // The predicate's own coefficients were formed in f64 from about as many roundings as it has operations.
    let compiled = compile_error(magnitude.operations, magnitude.uncancelled);
    let guard = Bound::F64.error(magnitude, compiled).unwrap_or(f64::INFINITY);
    std::array::from_fn(|lane| {
        let value = predicate[lane];
        if value > guard {
            then[lane]
        } else if value < -guard {
            otherwise[lane]
        } else {
            f64::NAN
        }
    })
}

/// Adds the weighted top to the roots. A weight of zero adds nothing, not even an uncertainty.
#[inline(always)]
fn fold(top: &Values, weights: Weights, values: &mut NodeValues) {
    let roots = [&mut values.initial, &mut values.maintenance, &mut values.requirement];
    for (root, weight) in roots.into_iter().zip([weights.initial, weights.maintenance, weights.requirement]) {
        if weight != 0.0 {
            root.iter_mut().zip(top).for_each(|(sum, value)| *sum += weight * value);
        }
    }
}
