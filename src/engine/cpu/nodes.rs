//! Interprets a pool's postfix code over a tile, one instruction for all scenarios at a time: the CPU twin of the node
//! loop of `shaders/sweep.wgsl`.

use crate::engine::tile::Tile;
use crate::program::{Bound, Instruction, Magnitude, STACK_DEPTH_MAX, Weights};

/// What a pool's nodes add to its roots: `[tile width]` each.
#[derive(Debug, Clone, Default)]
pub struct NodeValues {
    /// Into the initial root; NaN where a branch is uncertain.
    pub initial: Vec<f64>,
    /// Into the maintenance root; NaN where a branch is uncertain.
    pub maintenance: Vec<f64>,
    /// Into the maintenance total.
    pub requirement: Vec<f64>,
    stack: Vec<f64>,
    /// NaN where a branch taken since the last fold is uncertain, else 0.
    doubt: Vec<f64>,
}

impl NodeValues {
    /// Room for tiles of this width.
    pub fn new(width: usize) -> Self {
        let zeros = vec![0.0; width];
        Self {
            initial: zeros.clone(),
            maintenance: zeros.clone(),
            requirement: zeros,
            stack: vec![0.0; width * STACK_DEPTH_MAX],
            doubt: vec![0.0; width],
        }
    }
}

/// Runs the code over every scenario of the tile.
#[inline(always)]
pub fn evaluate_nodes(code: &[Instruction], tile: Tile<'_>, values: &mut NodeValues) {
    let width = tile.width;
    let NodeValues { initial, maintenance, requirement, stack, doubt } = values;
    [&mut *initial, &mut *maintenance, &mut *requirement, &mut *doubt].into_iter().for_each(|values| values.fill(0.0));
    let mut depth = 0;
    for &instruction in code {
        match instruction {
            Instruction::Constant(value) => {
                stack[depth * width..][..width].fill(value);
                depth += 1;
            }
            Instruction::Term { row, coefficient } => {
                let deltas = &tile.deltas[row as usize * width..][..width];
                let top = &mut stack[(depth - 1) * width..][..width];
                top.iter_mut().zip(deltas).for_each(|(top, delta)| *top += coefficient * delta);
            }
            Instruction::Add | Instruction::Max | Instruction::Min => {
                depth -= 1;
                let (below, top) = stack.split_at_mut(depth * width);
                let pairs = below[(depth - 1) * width..].iter_mut().zip(&top[..width]);
                match instruction {
                    Instruction::Add => pairs.for_each(|(a, b)| *a += b),
                    Instruction::Max => pairs.for_each(|(a, b)| *a = if *a < *b { *b } else { *a }),
                    _ => pairs.for_each(|(a, b)| *a = if *a > *b { *b } else { *a }),
                }
            }
            Instruction::Abs => stack[(depth - 1) * width..][..width].iter_mut().for_each(|top| *top = top.abs()),
            Instruction::Scale(factor) => {
                stack[(depth - 1) * width..][..width].iter_mut().for_each(|top| *top *= factor);
            }
            Instruction::ScaleByRow { row, base } => {
                let deltas = &tile.deltas[row as usize * width..][..width];
                let top = &mut stack[(depth - 1) * width..][..width];
                top.iter_mut().zip(deltas).for_each(|(top, delta)| *top *= base + delta);
            }
            Instruction::Select(predicate) => {
                depth -= 2;
                select(&mut stack[(depth - 1) * width..], doubt, predicate);
            }
            Instruction::Fold(weights) => {
                depth -= 1;
                let top = &stack[depth * width..][..width];
                fold(top, weights, doubt, [initial, maintenance, requirement]);
                doubt.fill(0.0);
            }
        }
    }
}

/// Replaces the lowest of three operands (predicate, then, otherwise) by the choice; raises the doubt where the sign is.
#[inline(always)]
fn select(stack: &mut [f64], doubt: &mut [f64], predicate: Magnitude) {
    let width = doubt.len();
    // The predicate's own coefficients were formed in f64 from about as many roundings as it has operations.
    let compiled = crate::program::compile_error(predicate.operations, predicate.uncancelled);
    let guard = Bound::F64.error(predicate, compiled).unwrap_or(f64::INFINITY);
    let (predicates, operands) = stack.split_at_mut(width);
    for lane in 0..width {
        let (then, otherwise) = (operands[lane], operands[width + lane]);
        let value = predicates[lane];
        if !(value > guard || value < -guard) {
            doubt[lane] = f64::NAN;
        }
        predicates[lane] = if value >= 0.0 { then } else { otherwise };
    }
}

/// Adds the weighted top to the roots. A weight of zero adds nothing, not even a doubt; the maintenance total takes the
/// branch that rounding chose, for a total must not be lost to one doubtful verdict.
#[inline(always)]
fn fold(top: &[f64], weights: Weights, doubt: &[f64], [initial, maintenance, requirement]: [&mut [f64]; 3]) {
    for (root, weight) in [(initial, weights.initial), (maintenance, weights.maintenance)] {
        if weight != 0.0 {
            let parts = top.iter().zip(doubt);
            root.iter_mut().zip(parts).for_each(|(sum, (value, doubt))| *sum += weight * value + doubt);
        }
    }
    requirement.iter_mut().zip(top).for_each(|(sum, value)| *sum += weights.requirement * value);
}
