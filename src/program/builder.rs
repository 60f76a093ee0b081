use std::collections::HashMap;

use super::bound::compile_error;
use super::span::Span;
use super::{
    Instruction, Kink, Leaf, Magnitude, PoolProgram, Program, Reduction, RowRange, STACK_DEPTH_MAX, Term, Weights,
};

const NO_SLOT: u32 = u32::MAX;

/// Builds the programs of a chunk of pools, one pool after the other. Rules call it while they lower themselves; it knows
/// the range of every row and folds what cannot be reached.
pub struct Builder<'a> {
    ranges: &'a [RowRange],
    /// Ranges of blocks of rows, by first row and number of points.
    blocks: HashMap<(u32, u32), RowRange>,
    program: Program,
    /// Slot of a row among the current pool's terms.
    slots: Vec<u32>,
    term_start: usize,
    kink_start: usize,
    code_start: usize,
    constant: Weights,
    /// Largest sizes of the folded nodes and their operations, and what they may add to the gap.
    folded: [Magnitude; 3],
    folded_gap: f64,
    uncancelled: f64,
    contributions: u32,
    shadow: Vec<Magnitude>,
    /// Points of the reduction that is being emitted; 0 outside of one.
    points: u32,
    direct: bool,
    /// Parts of the maintenance total, by row: none of a pool that turns out direct.
    required: Vec<(u32, f64)>,
}

impl<'a> Builder<'a> {
    /// A builder over rows of these ranges.
    pub fn new(ranges: &'a [RowRange]) -> Self {
        Self {
            ranges,
            blocks: HashMap::new(),
            program: Program { net: vec![Weights::default(); ranges.len() + 1], ..Program::default() },
            slots: vec![NO_SLOT; ranges.len()],
            term_start: 0,
            kink_start: 0,
            code_start: 0,
            constant: Weights::default(),
            folded: [Magnitude::default(); 3],
            folded_gap: 0.0,
            uncancelled: 0.0,
            contributions: 0,
            shadow: Vec::new(),
            points: 0,
            direct: false,
            required: Vec::new(),
        }
    }

    /// Says that the current pool's requirement is no program: the direct formulas decide it. Equity is lowered as ever;
    /// requirements that are lowered all the same count nowhere.
    pub fn direct(&mut self) {
        self.direct = true;
    }

    /// The range of a row.
    pub(super) fn row_range(&self, row: u32) -> RowRange {
        self.ranges[row as usize]
    }

    /// What the rows from `row` on, one per point, can reach together.
    pub(super) fn block_range(&mut self, row: u32, points: u32) -> RowRange {
        let rows = row as usize..row as usize + points as usize;
        *self.blocks.entry((row, points)).or_insert_with(|| RowRange::hull(&self.ranges[rows]))
    }

    /// Bounds of `slope · row` over the scenarios, rounded outwards: certainly not above and not below.
    #[inline]
    pub fn range(&self, row: u32, slope: f64) -> (f64, f64) {
        let range = &self.ranges[row as usize];
        let (a, b) = (slope * range.low, slope * range.high);
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        // A product of zero is exact: a price that may fall to 0 keeps its sign.
        (if low == 0.0 { low } else { low.next_down() }, if high == 0.0 { high } else { high.next_up() })
    }

    /// Adds `weights · coefficient · row`. Always inlined: weights are constants of the callers, and most are 0.
    #[inline(always)]
    pub fn affine(&mut self, row: u32, coefficient: f64, weights: Weights) {
        if coefficient == 0.0 {
            return;
        }
        let range = &self.ranges[row as usize];
        let w = weights.scaled(coefficient);
        add(&mut self.constant, w.scaled(range.level));
        // The constant and the coefficient are summed apart, so their roundings do not cancel as the parts of a row may.
        self.uncancelled += w.largest() * range.parts_largest();
        self.contributions += 1;
        if range.is_constant() {
            return;
        }
        self.required.push((row, w.requirement));
        let slot = self.slots[row as usize];
        if slot == NO_SLOT {
            self.slots[row as usize] = self.program.terms.len() as u32;
            self.program.terms.push(Term { row, equity: w.equity, initial: w.initial, maintenance: w.maintenance });
            self.program.gross.push(w.gross);
        } else {
            let term = &mut self.program.terms[slot as usize];
            term.equity += w.equity;
            term.initial += w.initial;
            term.maintenance += w.maintenance;
            self.program.gross[slot as usize] += w.gross;
        }
    }

    /// Adds `weights · value`.
    #[inline]
    pub fn constant(&mut self, value: f64, weights: Weights) {
        let w = weights.scaled(value);
        add(&mut self.constant, w);
        self.uncancelled += w.largest();
        self.contributions += 1;
    }

    /// Says that a coefficient on `row` was itself a sum of `summands` numbers of total size `magnitude`, so that the
    /// compile bound covers what that sum may have cancelled.
    pub fn uncancelled(&mut self, row: u32, magnitude: f64, summands: usize) {
        self.uncancelled += magnitude * self.ranges[row as usize].parts_largest();
        self.contributions += summands as u32;
    }

    /// Adds `weights · max(0, slope·row − bound)`: nothing or affine where the row's range says so, else a kink.
    #[inline]
    pub fn hinge(&mut self, row: u32, slope: f64, bound: f64, weights: Weights) {
        let (low, high) = self.range(row, slope);
        if high <= bound {
        } else if low >= bound {
            self.affine(row, slope, weights);
            self.constant(-bound, weights);
        } else {
            self.kink(row, slope, bound, weights);
        }
    }

    /// Adds `weights · max(0, slope·row − bound)`, whatever the row's range.
    pub(super) fn kink(&mut self, row: u32, slope: f64, bound: f64, weights: Weights) {
        debug_assert!(weights.equity == 0.0 && weights.gross == 0.0, "kernels keep no kinks in these roots");
        let range = &self.ranges[row as usize];
        self.uncancelled += weights.largest() * (slope.abs() * range.parts_largest() + bound.abs());
        self.contributions += 2;
        self.program.kinks.push(Kink {
            row,
            slope,
            offset: slope * range.level - bound,
            initial: weights.initial,
            maintenance: weights.maintenance,
            requirement: weights.requirement,
        });
    }

    /// Adds `weights · max(0, Σ coefficient·row − bound)`: collapsed where the ranges say so, else a node.
    pub fn hinge_of_sum(&mut self, terms: &[(u32, f64)], bound: f64, weights: Weights) {
        let (low, high) = terms.iter().fold((0.0, 0.0), |(low, high), &(row, coefficient)| {
            let (a, b) = self.range(row, coefficient);
            (low + a, high + b)
        });
        // Hinges are continuous: a bound missed by the rounding of `low` or `high` is within the compile error.
        if high <= bound {
            self.uncancelled_leaf(terms, bound, weights);
        } else if low >= bound {
            terms.iter().for_each(|&(row, coefficient)| self.affine(row, coefficient, weights));
            self.constant(-bound, weights);
        } else {
            self.leaf(terms, -bound);
            self.emit(Instruction::Constant(0.0));
            self.emit(Instruction::Max);
            self.emit(Instruction::Fold(weights));
        }
    }

    /// Adds `weights · (slope·row where predicate slope·row ≥ bound, else 0)`: a jump of a whole-position rate.
    pub fn step(&mut self, predicate: (u32, f64), bound: f64, value: (u32, f64), weights: Weights) {
        self.leaf(&[predicate], -bound);
        self.leaf(&[value], 0.0);
        self.emit(Instruction::Constant(0.0));
        let predicate_size = self.shadow[self.shadow.len() - 3];
        self.emit(Instruction::Select(predicate_size));
        self.emit(Instruction::Fold(weights));
    }

    fn uncancelled_leaf(&mut self, terms: &[(u32, f64)], constant: f64, weights: Weights) {
        let size = terms.iter().fold(constant.abs(), |size, &(row, coefficient)| {
            size + coefficient.abs() * self.ranges[row as usize].parts_largest()
        });
        self.uncancelled += weights.largest() * size;
        self.contributions += terms.len() as u32 + 1;
    }

    /// Pushes `constant + Σ coefficient · row`.
    pub fn leaf(&mut self, terms: &[(u32, f64)], constant: f64) {
        let leaf = Leaf { constant, terms: terms.to_vec(), ..Leaf::default() };
        self.leaf_of_sums(&leaf, constant.abs());
    }

    /// Pushes a leaf whose constant is itself a sum, of summands of that total size.
    pub(super) fn leaf_of_sums(&mut self, leaf: &Leaf, constant_size: f64) {
        let (mut at_level, mut uncancelled) = (leaf.constant, constant_size);
        for &(row, _) in &leaf.strided {
            let block = &self.ranges[row as usize..][..self.points.max(1) as usize];
            assert!(block.iter().all(|range| range.level == block[0].level), "the rows of a block have one level");
        }
        for &(row, coefficient) in leaf.terms.iter().chain(&leaf.strided) {
            let level = self.ranges[row as usize].level;
            at_level += coefficient * level;
            uncancelled += coefficient.abs() * level.abs();
        }
        for &(row, size) in &leaf.uncancelled {
            uncancelled += size * self.ranges[row as usize].parts_largest();
        }
        self.emit(Instruction::Constant(at_level));
        if let Some(top) = self.shadow.last_mut() {
            top.uncancelled = uncancelled;
        }
        self.contributions += (leaf.terms.len() + leaf.strided.len() + leaf.uncancelled.len()) as u32 + 1;
        for &(row, coefficient) in &leaf.terms {
            if coefficient != 0.0 && !self.ranges[row as usize].is_constant() {
                self.emit(Instruction::Term { row, coefficient });
            }
        }
        for &(row, coefficient) in &leaf.strided {
            self.emit(Instruction::StridedTerm { row, coefficient });
        }
    }

    /// Magnitude of the value pushed last.
    pub(super) fn top(&self) -> Magnitude {
        self.shadow.last().copied().unwrap_or_default()
    }

    /// Roundings counted so far in the pool's coefficients and figures.
    pub(super) fn roundings(&self) -> u32 {
        self.contributions
    }

    /// Counts roundings of coefficients and of figures beyond those of the contributions.
    pub(super) fn count_roundings(&mut self, roundings: u32) {
        self.contributions = self.contributions.saturating_add(roundings);
    }

    /// Counts summands of this total size, weighted, whose sum is one coefficient.
    pub(super) fn count_cancelled(&mut self, weights: Weights, size: f64) {
        self.uncancelled += weights.largest() * size;
        self.contributions += 1;
    }

    /// Pops the top and adds it to the roots, weighted; `span` is what it can reach.
    pub(super) fn close(&mut self, weights: Weights, span: Span) {
        let before = self.folded_gap;
        self.emit(Instruction::Fold(weights));
        let weight = weights.maintenance - weights.initial;
        let reach = if weight == 0.0 { 0.0 } else { Span::point(weight).times(span).high };
        self.folded_gap = self.folded_gap.min((before + reach).next_up());
    }

    /// Appends an instruction and keeps the bound's induction in step with it.
    pub fn emit(&mut self, instruction: Instruction) {
        let top = |shadow: &mut Vec<Magnitude>| shadow.pop().unwrap_or_default();
        let stack = &mut self.shadow;
        match instruction {
            Instruction::Constant(value) => stack.push(Magnitude::constant(value)),
            Instruction::Term { row, coefficient } => {
                let range = &self.ranges[row as usize];
                let a = top(stack);
                stack.push(a.plus(Magnitude::product(coefficient, range.delta_largest(), range.parts_largest())));
            }
            Instruction::StridedTerm { row, coefficient } => {
                let a = top(stack);
                // Outside of a reduction it is the term of its first point.
                let range = self.block_range(row, self.points.max(1));
                let stack = &mut self.shadow;
                stack.push(a.plus(Magnitude::product(coefficient, range.delta_largest(), range.parts_largest())));
            }
            Instruction::Repeat { points } => {
                debug_assert!(self.points == 0 && points > 0, "reductions have points and do not nest");
                self.points = points;
            }
            Instruction::Reduce(reduction) => {
                self.points = 0;
                let a = top(stack);
                stack.push(match reduction {
                    Reduction::Tail { whole, fraction } => a.tail(whole, fraction),
                    Reduction::Max | Reduction::Min | Reduction::Rank(_) => a.ordered(),
                });
            }
            Instruction::Add => {
                let (b, a) = (top(stack), top(stack));
                stack.push(a.plus(b));
            }
            Instruction::Max | Instruction::Min => {
                let (b, a) = (top(stack), top(stack));
                stack.push(a.either(b));
            }
            Instruction::Abs => {
                let a = top(stack);
                stack.push(a.either(a));
            }
            Instruction::Scale(factor) => {
                let a = top(stack);
                stack.push(a.scaled(factor));
            }
            Instruction::ScaleByRow { row, .. } => {
                let a = top(stack);
                stack.push(a.scaled_by_sum(self.ranges[row as usize].parts_largest()));
            }
            Instruction::Select(_) => {
                let (b, a, _predicate) = (top(stack), top(stack), top(stack));
                stack.push(a.either(b));
            }
            Instruction::Fold(weights) => {
                debug_assert!(weights.equity == 0.0 && weights.gross == 0.0, "kernels fold no nodes into these roots");
                let a = top(stack);
                // What f64 has lost in the node's leaves, times what the node passes on.
                self.uncancelled += weights.largest() * a.uncancelled;
                self.contributions += 1;
                let by_root = [weights.equity, weights.initial, weights.maintenance];
                for (root, weight) in self.folded.iter_mut().zip(by_root) {
                    *root = root.plus(a.scaled(weight));
                }
                self.folded_gap += (weights.maintenance - weights.initial).abs() * a.size;
            }
        }
        // Kernels keep this many values and check nothing.
        if self.shadow.len() > STACK_DEPTH_MAX {
            self.direct();
        }
        self.program.code.push(instruction);
    }

    /// Closes the current pool.
    pub fn finish_pool(&mut self) {
        let compile_error = compile_error(self.contributions, self.uncancelled);
        let magnitudes = self.magnitudes();
        let gap = self.gap() + 2.0 * compile_error;
        let program = &mut self.program;
        if self.direct {
            program.code.truncate(self.code_start);
        }
        for (term, gross) in program.terms[self.term_start..].iter().zip(&program.gross[self.term_start..]) {
            self.slots[term.row as usize] = NO_SLOT;
            let net = &mut program.net[term.row as usize];
            net.equity += term.equity;
            net.initial += term.initial;
            net.maintenance += term.maintenance;
            net.gross += gross;
        }
        if self.direct {
            self.constant.requirement = 0.0;
            self.required.clear();
        }
        for (row, required) in self.required.drain(..) {
            program.net[row as usize].requirement += required;
        }
        add(&mut program.net[self.ranges.len()], self.constant);
        program.pools.push(PoolProgram {
            term_end: program.terms.len() as u32,
            kink_end: program.kinks.len() as u32,
            code_end: program.code.len() as u32,
            constant: self.constant,
            magnitudes,
            compile_error,
            gap,
            direct: self.direct,
        });
        self.term_start = program.terms.len();
        self.kink_start = program.kinks.len();
        self.code_start = program.code.len();
        self.constant = Weights::default();
        self.folded = [Magnitude::default(); 3];
        self.contributions = 0;
        (self.folded_gap, self.uncancelled) = (0.0, 0.0);
        self.shadow.clear();
        (self.points, self.direct) = (0, false);
    }

    /// The finished chunk.
    pub fn build(self) -> Program {
        self.program
    }

    /// B and m of the three deciding roots: constant, terms, kinks, folded nodes, summed in any order.
    fn magnitudes(&self) -> [Magnitude; 3] {
        let terms = &self.program.terms[self.term_start..];
        let kinks = &self.program.kinks[self.kink_start..];
        let summands = (terms.len() + kinks.len()) as u32;
        let constant = [self.constant.equity, self.constant.initial, self.constant.maintenance];
        let mut roots = [0, 1, 2].map(|root| {
            let folded = self.folded[root];
            // One more addition: a compiler may move the error bound across the comparison, into the sum.
            let additions = folded.additions + summands + 1;
            // A kink is a leaf of two summands (2 + 1) scaled once (+ 2).
            let before = (folded.operations - folded.additions).max(if kinks.is_empty() { 2 } else { 5 });
            Magnitude {
                size: constant[root].abs() + folded.size,
                operations: before + additions,
                additions,
                peak: folded.peak,
                uncancelled: 0.0,
            }
        });
        for term in terms {
            let largest = self.ranges[term.row as usize].delta_largest();
            roots[0].size += term.equity.abs() * largest;
            roots[1].size += term.initial.abs() * largest;
            roots[2].size += term.maintenance.abs() * largest;
        }
        for kink in kinks {
            let largest = kink.offset.abs() + kink.slope.abs() * self.ranges[kink.row as usize].delta_largest();
            roots[1].size += kink.initial.abs() * largest;
            roots[2].size += kink.maintenance.abs() * largest;
            roots.iter_mut().for_each(|root| root.peak = root.peak.max(largest));
        }
        roots
    }

    /// Upper bound of maintenance root − initial root.
    fn gap(&self) -> f64 {
        let terms = &self.program.terms[self.term_start..];
        let kinks = &self.program.kinks[self.kink_start..];
        let start = self.constant.maintenance - self.constant.initial + self.folded_gap;
        let gap = terms.iter().fold(start, |gap, term| {
            let range = &self.ranges[term.row as usize];
            let slope = term.maintenance - term.initial;
            gap + if slope > 0.0 { slope * range.delta_high } else { slope * range.delta_low }
        });
        let gap = kinks.iter().fold(gap, |gap, kink| {
            let weight = kink.maintenance - kink.initial;
            if weight <= 0.0 {
                return gap;
            }
            let range = &self.ranges[kink.row as usize];
            let ends = (kink.slope * range.delta_low).max(kink.slope * range.delta_high);
            gap + weight * (kink.offset + ends).max(0.0)
        });
        // Rounding of this very sum is far below one part in 2⁴⁰ of the sizes it adds.
        let slack = 1e-12 * (self.constant.maintenance.abs() + self.constant.initial.abs() + self.uncancelled);
        if gap > 0.0 { gap + slack } else { slack }
    }
}

fn add(sum: &mut Weights, other: Weights) {
    sum.equity += other.equity;
    sum.initial += other.initial;
    sum.maintenance += other.maintenance;
    sum.requirement += other.requirement;
    sum.gross += other.gross;
}
