use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// An operation of a random formula, on the values at two places.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Plus,
    Minus,
    Times,
    Over,
    PositivePart,
    Larger,
    Smaller,
    Magnitude,
    Select,
    /// The k-th largest of all values so far, k being the second place.
    OrderStatistic,
}

const OPERATIONS: [Operation; 10] = [
    Operation::Plus,
    Operation::Minus,
    Operation::Times,
    Operation::Over,
    Operation::PositivePart,
    Operation::Larger,
    Operation::Smaller,
    Operation::Magnitude,
    Operation::Select,
    Operation::OrderStatistic,
];

type Formula = Vec<(Operation, usize, usize)>;

/// Every value of a formula in any number: the atoms, then what each step makes of the values before it.
fn values<N: Number>(atoms: Vec<N>, formula: &Formula) -> Vec<N> {
    formula.iter().fold(atoms, |mut values, &(operation, i, j)| {
        let (a, b) = (values[i % values.len()].clone(), values[j % values.len()].clone());
        values.push(match operation {
            Operation::Plus => a.plus(&b),
            Operation::Minus => a.minus(&b),
            Operation::Times => a.times(&b),
            Operation::Over => a.over(&b),
            Operation::PositivePart => a.positive_part(),
            Operation::Larger => a.larger(&b),
            Operation::Smaller => a.smaller(&b),
            Operation::Magnitude => a.magnitude(),
            // A divisor that may be zero, kept out by its own sign.
            Operation::Select => a.select(b.over(&a), b.clone()),
            Operation::OrderStatistic => N::descending(values.clone())[j % values.len()].clone(),
        });
        values
    })
}

fn of<N: Number>(atoms: &[f64]) -> Vec<N> {
    atoms.iter().map(|&atom| N::of(atom)).collect()
}

/// Numbers of a book, and those at which arithmetic is special.
fn atom() -> impl Strategy<Value = f64> {
    let special = [0.0, -0.0, 1.0, -1.0, 0.1, -0.3, 5e-324, -5e-324, f64::MIN_POSITIVE, 1e30, -1e30, 1e-30, 1e300];
    prop_oneof![select(special.to_vec()), -1e9f64..1e9, -2.0f64..2.0]
}

fn formula() -> impl Strategy<Value = Formula> {
    prop::collection::vec((select(OPERATIONS.to_vec()), 0..64usize, 0..64usize), 1..12)
}

fn holds_exact(low: f64, high: f64, exact: &Exact) -> bool {
    let is_above = low == f64::NEG_INFINITY || exact.minus(&Exact::of(low)).sign() != Some(Ordering::Less);
    let is_below = high == f64::INFINITY || exact.minus(&Exact::of(high)).sign() != Some(Ordering::Greater);
    is_above && is_below
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_interval_holds_the_exact_value_and_the_published_one(
        atoms in prop::collection::vec(atom(), 4),
        formula in formula(),
    ) {
        let intervals = values(of::<Interval>(&atoms), &formula);
        let exact = values(of::<Exact>(&atoms), &formula);
        let published = values(of::<f64>(&atoms), &formula);
        let mut is_finite = true;
        for ((interval, exact), value) in intervals.iter().zip(&exact).zip(published) {
            prop_assert!(holds_exact(interval.low, interval.high, exact), "{interval:?} {exact:?}");
            // What came of a division by zero is outside, and so may be what follows from it.
            is_finite &= value.is_finite();
            prop_assert!(!is_finite || (interval.low <= value && value <= interval.high), "{interval:?} {value}");
            if let Some(sign) = interval.sign() {
                prop_assert_eq!(Some(sign), exact.sign());
            }
        }
    }

    #[test]
    fn a_lane_is_what_its_number_alone_is(
        atoms in prop::collection::vec(prop::collection::vec(atom(), LANES), 4),
        formula in formula(),
    ) {
        let block = |values: &Vec<f64>| std::array::from_fn(|lane| values[lane]);
        let lanes = values(atoms.iter().map(|values| Lanes(block(values))).collect(), &formula);
        let intervals = values(atoms.iter().map(|values| IntervalLanes::points(block(values))).collect(), &formula);
        for lane in 0..LANES {
            let alone: Vec<f64> = atoms.iter().map(|values| values[lane]).collect();
            for (value, lanes) in values(of::<f64>(&alone), &formula).iter().zip(&lanes) {
                let is_same = value.to_bits() == lanes.0[lane].to_bits() || (value.is_nan() && lanes.0[lane].is_nan());
                prop_assert!(is_same, "{value} {}", lanes.0[lane]);
            }
            for (interval, block) in values(of::<Interval>(&alone), &formula).iter().zip(&intervals) {
                prop_assert_eq!((interval.low, interval.high), (block.low[lane], block.high[lane]));
                let signs = block.signs();
                prop_assert_eq!(signs.negative >> lane & 1 == 1, interval.high < 0.0);
                prop_assert_eq!(signs.non_negative >> lane & 1 == 1, interval.low >= 0.0);
            }
        }
    }

    #[test]
    fn lanes_are_sorted_each_by_itself(blocks in prop::collection::vec(prop::collection::vec(atom(), LANES), 0..70)) {
        let lanes = blocks.iter().map(|values| Lanes(std::array::from_fn(|lane| values[lane]))).collect();
        let sorted = Lanes::descending(lanes);
        prop_assert_eq!(sorted.len(), blocks.len());
        for lane in 0..LANES {
            let alone = f64::descending(blocks.iter().map(|values| values[lane]).collect());
            let bits = |value: &f64| value.to_bits();
            let block: Vec<u64> = sorted.iter().map(|values| bits(&values.0[lane])).collect();
            prop_assert_eq!(block, alone.iter().map(bits).collect::<Vec<u64>>());
        }
    }
}

#[test]
fn a_rounding_residue_is_not_decided() {
    let sum = Interval::of(0.1).plus(&Interval::of(0.2)).minus(&Interval::of(0.3));
    assert_eq!(sum.sign(), None, "0.1 + 0.2 − 0.3 is below what f64 can decide");
    let exact = Exact::of(0.1).plus(&Exact::of(0.2)).minus(&Exact::of(0.3));
    assert_eq!(exact.sign(), Some(Ordering::Greater), "as exact f64 values the sum is 2⁻⁵⁴·… > 0");
}

#[test]
fn exact_quotients_do_not_round() {
    let third = |n: f64| Exact::of(n).over(&Exact::of(3.0));
    assert_eq!(third(1.0).plus(&third(2.0)).minus(&Exact::of(1.0)).sign(), Some(Ordering::Equal), "1/3 + 2/3 = 1");
    let half_of_third = third(1.0).over(&Exact::of(-2.0));
    assert_eq!(
        half_of_third.plus(&Exact::of(1.0).over(&Exact::of(6.0))).sign(),
        Some(Ordering::Equal),
        "1/3 / −2 = −1/6"
    );
    assert_eq!(half_of_third.magnitude().minus(&third(0.5)).sign(), Some(Ordering::Equal));
    assert!(half_of_third.is_below(0.0) && !third(1.0).is_below(1.0 / 3.0), "the f64 1/3 is below a third");
    assert_eq!(Exact::of(1.0).over(&third(0.0)).sign(), Some(Ordering::Equal), "by definition");
}

#[test]
fn the_magnitude_of_an_interval_around_zero_reaches_down_to_it() {
    let around = Interval { low: -3.0, high: 2.0 };
    assert_eq!(around.magnitude(), Interval { low: 0.0, high: 3.0 });
    assert_eq!(Interval { low: -3.0, high: -2.0 }.magnitude(), Interval { low: 2.0, high: 3.0 });
    assert_eq!(Interval::of(-1.0).larger(&around), Interval { low: -1.0, high: 2.0 });
    assert_eq!(Interval::of(-1.0).smaller(&around), Interval { low: -3.0, high: -1.0 });
}

#[test]
fn order_statistics_are_enclosed_tightly() {
    let interval = |low: f64, high: f64| Interval { low, high };
    let sorted = Interval::descending(vec![interval(1.0, 4.0), interval(2.0, 3.0), interval(-1.0, 0.0)]);
    assert_eq!(sorted, [interval(2.0, 4.0), interval(1.0, 3.0), interval(-1.0, 0.0)]);
}

#[test]
fn a_branch_not_taken_poisons_nothing() {
    let quotient = Interval::of(1.0).over(&Interval::of(0.0));
    assert_eq!(quotient, Interval::WHOLE);
    assert_eq!(Interval::of(-1.0).select(quotient.times(&quotient), Interval::of(2.0)), Interval::of(2.0));
    let nothing = Interval::of(0.0).times(&quotient);
    assert!(nothing.low < 0.0 && nothing.low > -1e-300 && nothing.high < 1e-300, "0 · x = 0: {nothing:?}");
}
