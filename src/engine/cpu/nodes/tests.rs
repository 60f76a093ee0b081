//! Random trees over random rows: what the builder folds and this engine computes, against the tree itself in exact numbers.

#![expect(clippy::print_stdout, reason = "what was compared is said with --nocapture")]

use std::cmp::Ordering;

use ndarray::Array2;
use pulp::Arch;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::engine::cpu::fixture::no_rows;
use crate::engine::cpu::kernel::{RootValues, RootsOfBlock};
use crate::engine::cpu::reduction::Points;
use crate::engine::plan::{Plan, PlanOptions, SCENARIO_BLOCK};
use crate::engine::tile::Tiles;
use crate::number::{Exact, Number};
use crate::pricing::{Column, Rows};
use crate::program::{Bound, Builder, Leaf, Node, Reduction, STACK_DEPTH_MAX, Weights, row_ranges};

const SCENARIOS: usize = 40;
/// Rows of a block.
const POINTS: u32 = 5;
/// Ordinary rows, all ≥ 0; then two blocks of differences.
const ORDINARY: u32 = 4;
const BLOCKS: [u32; 2] = [ORDINARY, ORDINARY + POINTS];

/// Where numbers come from: integers, on which f64 is exact and ties are common, or anything.
#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    Integers,
    Any,
}

impl Numbers {
    fn row(self, base: f64, random: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Integers => f64::from(random.random_range(0..9)),
            Self::Any => base * random.random_range(0.0..2.0),
        }
    }

    fn difference(self, random: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Integers => f64::from(random.random_range(-4..5)),
            Self::Any => random.random_range(-30.0..20.0),
        }
    }

    fn coefficient(self, random: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Integers => f64::from(random.random_range(-3..4)),
            Self::Any => random.random_range(-1.0..1.0) * 10f64.powf(random.random_range(-2.0..2.0)),
        }
    }
}

fn rows(numbers: Numbers, random: &mut ChaCha8Rng) -> Rows {
    let mut rows = no_rows(SCENARIOS);
    for _ in 0..ORDINARY {
        let base = if numbers == Numbers::Any { 10f64.powf(random.random_range(-1.0..4.0)) } else { 4.0 };
        // Some rows stand still, at their base or (a difference would) elsewhere.
        let still = random.random_bool(0.2);
        let shocked: Vec<f64> = (0..SCENARIOS).map(|_| if still { base } else { numbers.row(base, random) }).collect();
        rows.append(base, &shocked);
    }
    for block in BLOCKS {
        let still = random.random_bool(0.2).then(|| numbers.difference(random));
        let mut value = || still.unwrap_or_else(|| numbers.difference(random));
        let base: Vec<f64> = (0..POINTS).map(|_| value()).collect();
        let shocked = Array2::from_shape_fn((POINTS as usize, SCENARIOS), |_| value());
        assert_eq!(rows.append_differences(&base, shocked.view()), block);
    }
    rows
}

struct Trees<'r> {
    numbers: Numbers,
    random: &'r mut ChaCha8Rng,
}

impl Trees<'_> {
    fn leaf(&mut self, inside: bool) -> Node {
        let mut leaf = Leaf { constant: self.numbers.coefficient(self.random) * 4.0, ..Leaf::default() };
        for _ in 0..self.random.random_range(0..3) {
            leaf.terms.push((self.random.random_range(0..ORDINARY), self.numbers.coefficient(self.random)));
        }
        if inside {
            for _ in 0..self.random.random_range(0..4) {
                leaf.strided.push((BLOCKS[self.random.random_range(0..2)], self.numbers.coefficient(self.random)));
            }
        }
        Node::Leaf(leaf)
    }

    fn node(&mut self, depth: u32, inside: bool) -> Node {
        if depth == 0 {
            return self.leaf(inside);
        }
        let kind = self.random.random_range(0..if inside { 8 } else { 10 });
        let several = |trees: &mut Self| -> Vec<Node> {
            (0..trees.random.random_range(1..4)).map(|_| trees.node(depth - 1, inside)).collect()
        };
        match kind {
            0 => Node::Sum(several(self)),
            1 => Node::Max(several(self)),
            2 => Node::Min(several(self)),
            3 => self.node(depth - 1, inside).absolute(),
            4 => {
                let factor = self.numbers.coefficient(self.random);
                self.node(depth - 1, inside).scaled(factor)
            }
            5 => {
                let row = self.random.random_range(0..ORDINARY);
                self.node(depth - 1, inside).scaled_by_row(row)
            }
            6 => {
                let [predicate, then, otherwise] = [0; 3].map(|_| self.node(depth - 1, inside));
                predicate.select(then, otherwise)
            }
            7 => self.node(depth - 1, inside).positive_part(),
            _ => {
                let reduction = self.reduction();
                // Part of a block is a block.
                let points = if self.random.random_bool(0.2) { 4 } else { POINTS };
                self.node(depth - 1, true).reduced(reduction, points)
            }
        }
    }

    fn reduction(&mut self) -> Reduction {
        match self.random.random_range(0..4) {
            0 => Reduction::Max,
            1 => Reduction::Min,
            2 => Reduction::Rank(self.random.random_range(1..5)),
            _ => Reduction::Tail {
                whole: self.random.random_range(0..4),
                fraction: f64::from(self.random.random_range(0..4u8)) / 4.0,
            },
        }
    }
}

fn larger(a: Exact, b: Exact) -> Exact {
    if a.minus(&b).sign() == Some(Ordering::Less) { b } else { a }
}

fn negative(a: &Exact) -> Exact {
    Exact::of(0.0).minus(a)
}

/// The tree, plainly.
fn exact(node: &Node, rows: &Rows, column: Column, point: u32) -> Exact {
    let of = |node: &Node| exact(node, rows, column, point);
    match node {
        Node::Leaf(leaf) => {
            let terms = leaf.terms.iter().map(|&(row, coefficient)| (row, coefficient));
            let strided = leaf.strided.iter().map(|&(row, coefficient)| (row + point, coefficient));
            terms.chain(strided).fold(Exact::of(leaf.constant), |sum, (row, coefficient)| {
                sum.plus(&Exact::of(coefficient).times(&Exact::of(rows.value(row, column))))
            })
        }
        Node::Sum(nodes) => nodes.iter().fold(Exact::of(0.0), |sum, node| sum.plus(&of(node))),
        Node::Max(nodes) => nodes.iter().map(of).reduce(larger).expect("an alternative"),
        Node::Min(nodes) => negative(&nodes.iter().map(|node| negative(&of(node))).reduce(larger).expect("one")),
        Node::Abs(inner) => larger(of(inner), negative(&of(inner))),
        Node::Scale(factor, inner) => of(inner).times(&Exact::of(*factor)),
        Node::ScaleByRow(row, inner) => of(inner).times(&Exact::of(rows.value(*row, column))),
        Node::Select(nodes) => of(&nodes[0]).select(of(&nodes[1]), of(&nodes[2])),
        Node::Reduce { reduction, points, body } => {
            let mut values: Vec<Exact> = (0..*points).map(|point| exact(body, rows, column, point)).collect();
            values.sort_by(|a, b| b.minus(a).sign().expect("exact numbers know"));
            match reduction {
                Reduction::Max => values[0].clone(),
                Reduction::Min => values[values.len() - 1].clone(),
                Reduction::Rank(rank) => values[*rank as usize - 1].clone(),
                Reduction::Tail { whole, fraction } => {
                    let (largest, rest) = values.split_at(*whole as usize);
                    let sum = largest.iter().fold(Exact::of(0.0), |sum, value| sum.plus(value));
                    rest.first().map_or(sum.clone(), |next| sum.plus(&next.times(&Exact::of(*fraction))))
                }
            }
        }
    }
}

/// What some trees came to.
#[derive(Default)]
struct Seen {
    compared: u32,
    doubtful: u32,
    affine: u32,
    kinks: u32,
    code: u32,
    direct: u32,
    worst: f64,
}

fn compare(numbers: Numbers, trees: usize) -> Seen {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut seen = Seen::default();
    let weights = Weights { initial: -2.0, maintenance: -1.0, requirement: 1.0, ..Weights::default() };
    for _ in 0..trees {
        let rows = rows(numbers, &mut random);
        let depth = random.random_range(1..4);
        let node = Trees { numbers, random: &mut random }.node(depth, false);
        let ranges = row_ranges(&rows);
        let mut builder = Builder::new(&ranges);
        builder.fold(&node, weights);
        builder.finish_pool();
        let program = builder.build();
        let parts = program.parts(0);
        seen.kinks += u32::from(!parts.kinks.is_empty());
        seen.code += u32::from(!parts.code.is_empty());
        seen.affine += u32::from(parts.kinks.is_empty() && parts.code.is_empty());
        if parts.pool.direct {
            seen.direct += 1;
            continue;
        }
        let [_, initial_bound, maintenance_bound] =
            parts.pool.magnitudes.map(|m| Bound::F64.error(m, parts.pool.compile_error).expect("small sizes"));
        let plan = Plan::for_cpu((1, SCENARIOS), PlanOptions::default());
        let tiles = Tiles::new(&rows, &ranges, plan);
        let mut points = Points::default();
        for first in (0..SCENARIOS).step_by(SCENARIO_BLOCK) {
            let block = tiles.block(first);
            let mut roots = RootValues::default();
            RootsOfBlock { parts, block, points: &mut points, roots: &mut roots }.run(Arch::new());
            for lane in 0..block.len() {
                let value = exact(&node, &rows, Column::Scenario(first + lane), 0);
                let gap = negative(&value).minus(&value.times(&Exact::of(-2.0)));
                assert_ne!(gap.minus(&Exact::of(parts.pool.gap)).sign(), Some(Ordering::Greater), "gap of {node:?}");
                for (found, weight, bound) in
                    [(roots.initial[lane], -2.0, initial_bound), (roots.maintenance[lane], -1.0, maintenance_bound)]
                {
                    if found.is_nan() {
                        seen.doubtful += 1;
                        continue;
                    }
                    let error = Exact::of(found).minus(&value.times(&Exact::of(weight)));
                    if numbers == Numbers::Integers {
                        assert_eq!(error.sign(), Some(Ordering::Equal), "{found} of {node:?}");
                    }
                    let within = [bound, -bound].map(|bound| error.minus(&Exact::of(bound)).sign());
                    let within = within[0] != Some(Ordering::Greater) && within[1] != Some(Ordering::Less);
                    assert!(within, "{found} is not within {bound:e} of {node:?}");
                    seen.worst = seen.worst.max(size(&error) / bound);
                    seen.compared += 1;
                }
            }
        }
    }
    seen
}

/// About the absolute value.
fn size(number: &Exact) -> f64 {
    let (mut low, mut high) = (0.0, 1e12);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        let inside = larger(number.clone(), negative(number)).minus(&Exact::of(middle)).sign();
        if inside == Some(Ordering::Less) { high = middle } else { low = middle }
    }
    low
}

#[test]
fn on_integers_every_collapse_and_every_value_is_exact() {
    let seen = compare(Numbers::Integers, 3_000);
    println!(
        "{} compared, {} doubtful, {} affine, {} with kinks, {} with code, {} direct",
        seen.compared, seen.doubtful, seen.affine, seen.kinks, seen.code, seen.direct
    );
    assert!(seen.compared > 100_000 && seen.doubtful < seen.compared / 5);
    assert!(seen.affine > 300 && seen.kinks > 20 && seen.code > 1_000);
}

#[test]
fn any_numbers_stay_within_the_bound() {
    let seen = compare(Numbers::Any, 1_500);
    println!("{} compared, {} doubtful, largest |error| / bound {}", seen.compared, seen.doubtful, seen.worst);
    assert!(seen.compared > 60_000 && seen.doubtful == 0);
    assert!(seen.worst > 0.001, "a bound this wide would hide anything");
}

#[test]
fn alternatives_a_rounding_apart_are_both_kept() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let rows = rows(Numbers::Any, &mut random);
    let ranges = row_ranges(&rows);
    let range = ranges.iter().find(|range| !range.is_constant()).expect("a row that moves");
    let row = ranges.iter().position(|other| other == range).expect("it") as u32;
    // The constant lies about the end of what the rounded product says, which the exact product may pass.
    let (mut kept, mut tempting) = (0, 0);
    for factor in (0..40).map(|_| random.random_range(0.1..4.0)) {
        for ulps in -2i64..3 {
            let constant = f64::from_bits((factor * range.high).to_bits().wrapping_add_signed(ulps));
            let mut builder = Builder::new(&ranges);
            let node = Node::Max(vec![Node::leaf(vec![(row, factor)]), Node::constant(constant)]);
            builder.fold(&node, Weights::ADJUSTED);
            builder.finish_pool();
            let program = builder.build();
            kept += program.kinks.len();
            let product = Exact::of(factor).times(&Exact::of(range.high));
            let may_pass = product.minus(&Exact::of(constant)).sign() == Some(Ordering::Greater);
            assert!(!may_pass || program.kinks.len() == 1, "{factor}, {ulps} ulps");
            tempting += u32::from(may_pass && ulps == 0);
        }
    }
    assert!(kept < 40 * 5 && tempting > 5, "{kept} kept, {tempting} only seem certain");
}

#[test]
fn a_deep_tree_is_left_to_the_direct_formulas() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let rows = rows(Numbers::Any, &mut random);
    let ranges = row_ranges(&rows);
    // Equally deep on both sides: no order of the operands helps.
    let mut node = Node::leaf(vec![(0, 1.0)]);
    for depth in 0..10 {
        let row = 1 + depth % 3;
        let side = node.clone().scaled_by_row(row);
        node = Node::Sum(vec![node.scaled_by_row(row), side]);
        let mut builder = Builder::new(&ranges);
        let tree = Node::Max(vec![node.clone(), Node::leaf(vec![(3, 1.0)])]);
        builder.fold(&tree, Weights::MAINTENANCE);
        builder.finish_pool();
        let program = builder.build();
        assert_eq!(program.pools[0].direct, depth as usize + 2 > STACK_DEPTH_MAX, "depth {depth}");
        assert_eq!(program.code.is_empty(), program.pools[0].direct);
        assert!(program.pools[0].compile_error > 0.0 && !program.parts(0).is_constant());
    }
}
