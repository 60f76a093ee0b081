use proptest::prelude::*;

use super::*;
use crate::number::{Exact, Interval, Number};

fn parse(text: &str) -> Expression {
    text.parse().unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"))
}

/// scan = 100, scan.initial = 120, scan.maintenance = 80, everything of the market 50 but depth, which is `depth`.
fn value<N: Number>(expression: &Expression, depth: f64) -> N {
    let mut market = |name: &Name| match name {
        Name::Market(Quantity::Depth, _) => depth,
        Name::Market(..) => 50.0,
        Name::Component(_, Part::Own) => 100.0,
        Name::Component(_, Part::Initial) => 120.0,
        Name::Component(_, Part::Maintenance) => 80.0,
    };
    expression.evaluate(&mut |leaf| match leaf {
        Leaf::Name(name) => N::of(market(name)),
        Leaf::Inverse(denominator) => N::of(denominator.inverse(&mut market)),
    })
}

#[test]
fn operators_bind_as_in_arithmetic() {
    for (text, expected) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("2 - 3 - 4", -5.0),
        ("2 - (3 - 4)", 3.0),
        ("8 / 4 / 2", 1.0),
        ("8 / (4 / 2)", 4.0),
        ("-2 * -3", 6.0),
        ("--2 + 1e1", 12.0),
        (".5 + 1.", 1.5),
        ("scan.initial-scan.maintenance", 40.0),
        ("max(1, scan, 3)", 100.0),
        ("min(1, scan, -3)", -3.0),
        ("abs(-scan) + abs(2)", 102.0),
        ("positive(1 - scan) + positive(3)", 3.0),
        ("clamp(scan, 0, 10) + clamp(-5, -2, 3) + clamp(1, 0, 2)", 9.0),
        ("scan / index(BTC)", 2.0),
        ("scan * price('BTC/USD') * volatility_index(1INCH) / 100", 2500.0),
        ("adv(A) + open_interest(_)", 100.0),
        ("max + scan . initial", 220.0),
    ] {
        assert_eq!(value::<f64>(&parse(text), 1.0), expected, "{text}");
    }
}

#[test]
fn a_piecewise_curve_is_straight_between_its_points_and_flat_outside() {
    for (x, expected) in [(-5.0, 1.0), (0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 2.5), (4.0, 2.0), (1e30, 2.0)] {
        let text = format!("piecewise({x}, 0, 1, 2, 3, 4, 4/2)");
        assert_eq!(value::<f64>(&parse(&text), 1.0), expected, "{text}");
    }
}

#[test]
fn a_denominator_of_zero_gives_a_finite_value() {
    for (depth, expected) in [(0.0, 1e32), (-0.0, 1e32), (-1e-40, -1e32), (4.0, 25.0)] {
        let found: f64 = value(&parse("scan / depth(BTC)"), depth);
        assert!((found / expected - 1.0).abs() < 1e-15, "{depth}: {found}");
    }
    let found: f64 = value(&parse("scan / (1 / depth(BTC))"), 0.0);
    assert!((found - 1e-28).abs() < 1e-40, "{found}");
}

#[test]
fn flaws_say_where_and_what() {
    for (text, rule, remedy) in [
        ("", "at character 1: a number, a name, a function or a parenthesis expected, not the end", "correct"),
        ("1 +", "at character 4: a number", "correct"),
        ("1 2", "at character 3: an operator or the end expected, not '2'", "correct"),
        ("(1", "at character 3: an operator, \",\" or \")\" expected, not the end", "correct"),
        ("ä", "at character 1: a number, a name, a function or a parenthesis expected, not 'ä'", "correct"),
        ("1 + mx(2, 3)", "at character 5: no function mx; known: max, min", "did you mean \"max\"?"),
        ("indx(BTC)", "no function indx", "did you mean \"index\"?"),
        (
            "scan.intial",
            "at character 6: a component has the parts initial and maintenance",
            "did you mean \"initial\"?",
        ),
        ("index()", "a name; one with other characters", "correct"),
        ("index(BTC/USD)", "at character 10: an operator", "correct"),
        ("index('BTC)", "a name in single quotes", "correct"),
        ("1 / (2 - 2)", "at character 4: a denominator is not 0", "denominator"),
        ("1e31", "at character 1: a number is at most 1e30", "correct"),
        (".", "a number like 0.05", "correct"),
        ("abs(1, 2)", "abs has one operand, not 2", "parentheses"),
        ("clamp(1, 2)", "clamp has three operands (x, low, high), not 2", "parentheses"),
        ("clamp(1, 2, 1)", "low at most high, not 2 and 1", "parentheses"),
        ("piecewise(1)", "piecewise has x, then points", "parentheses"),
        ("piecewise(1, 2)", "piecewise has x, then points", "parentheses"),
        ("piecewise(1, 2, 3, 2, 4)", "x strictly increasing", "parentheses"),
        ("piecewise(1, scan, 3)", "numbers", "parentheses"),
        ("a*a*a*a*a*a*a*a", "could overflow", "fewer"),
    ] {
        let flaw = text.parse::<Expression>().expect_err(text);
        assert!(flaw.rule.contains(rule), "{text}: {flaw:?}");
        assert!(flaw.remedy.contains(remedy), "{text}: {flaw:?}");
    }
}

#[test]
fn length_and_depth_are_limited() {
    assert!(format!("{}1", "-".repeat(40)).parse::<Expression>().is_err());
    assert!("(".repeat(100_000).parse::<Expression>().is_err());
    assert!(format!("{}1", "(".repeat(3000)).parse::<Expression>().is_err());
    assert!(format!("1{}", "*1".repeat(100)).parse::<Expression>().is_err());
    assert!(format!("1{}", "+1".repeat(1000)).parse::<Expression>().is_ok(), "a long sum is no deep tree");
}

#[test]
fn products_and_quotients_of_what_depends_on_the_pool_are_refused() {
    let of = |name: &Name| match name {
        Name::Component(name, _) if name == "vol" => Dependence::Market,
        Name::Component(..) => Dependence::Pool,
        Name::Market(..) => Dependence::Market,
    };
    for (text, expected) in [
        ("2 * 3", Dependence::Constant),
        ("vol * index(BTC) / depth(BTC)", Dependence::Market),
        ("max(0, vol * scan / depth(BTC))", Dependence::Pool),
        ("piecewise(scan, 0, 1)", Dependence::Pool),
    ] {
        assert_eq!(parse(text).dependence(&of), Ok(expected), "{text}");
    }
    for (text, words) in [
        ("1 + (scan + 1) * abs(net)", "\"scan + 1.0\" and \"abs(net)\" both depend on the pool"),
        ("index(BTC) / scan", "\"scan\" depends on the pool: nothing is divided by it"),
    ] {
        let flaw = parse(text).dependence(&of).expect_err(text);
        assert!(flaw.rule.contains(words), "{text}: {flaw:?}");
    }
}

fn name() -> impl Strategy<Value = Name> {
    let part = prop::sample::select(vec![Part::Own, Part::Initial, Part::Maintenance]);
    let quantity = prop::sample::select(QUANTITIES.map(|(_, quantity)| quantity).to_vec());
    prop_oneof![
        ("[a-z_][a-z0-9_]{0,5}", part).prop_map(|(name, part)| Name::Component(name, part)),
        (quantity, "[A-Z0-9/: ä-]{1,6}").prop_map(|(quantity, of)| Name::Market(quantity, of)),
    ]
}

fn curve() -> impl Strategy<Value = Curve> {
    (prop::collection::btree_set(-1000i32..1000, 1..5), prop::collection::vec(-1e6..1e6f64, 5))
        .prop_map(|(xs, ys)| Curve::new(xs.into_iter().map(f64::from).zip(ys).collect()).expect("increasing"))
}

/// Formulas as the parser builds them.
fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        prop_oneof![0.0..1e30f64, 0.0..1.0f64, Just(0.0)].prop_map(Expression::Number),
        name().prop_map(Expression::Name)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let all = |least| prop::collection::vec(inner.clone(), least..4usize);
        let pair = || (inner.clone(), inner.clone()).prop_map(|(a, b)| Box::new([a, b]));
        let one = || inner.clone().prop_map(Box::new);
        prop_oneof![
            one().prop_map(Expression::Negative),
            // A sum that begins with a sum is one sum when it is read.
            all(2).prop_map(Expression::Sum),
            pair().prop_map(Expression::Product),
            pair()
                .prop_filter("a denominator is not 0", |pair| pair[1].constant() != Some(0.0))
                .prop_map(Expression::Quotient),
            all(1).prop_map(Expression::Maximum),
            all(1).prop_map(Expression::Minimum),
            one().prop_map(Expression::Magnitude),
            one().prop_map(Expression::PositivePart),
            (inner.clone(), name(), inner.clone()).prop_map(|(x, low, high)| Expression::Clamp(Box::new([
                x,
                Expression::Name(low),
                high
            ]))),
            (one(), curve()).prop_map(|(x, curve)| Expression::Piecewise(x, curve)),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_equal(expression in expression()) {
        let text = expression.to_string();
        match text.parse::<Expression>() {
            Ok(read) => prop_assert_eq!(read, expression, "{}", text),
            Err(flaw) => prop_assert!(flaw.rule.contains("overflow"), "{}: {:?}", text, flaw),
        }
    }

    #[test]
    fn no_text_is_a_panic(text in any::<String>(), tokens in prop::collection::vec(prop::sample::select(vec![
        "(", ")", ",", "+", "-", "*", "/", ".", "'", "1", "0", "1e", "1e400", "scan", ".initial", "max(", "clamp(",
        "piecewise(", "index(", "BTC", "ä", " ", "abs",
    ]), 0..40)) {
        for text in [text, tokens.concat()] {
            if let Ok(expression) = text.parse::<Expression>() {
                prop_assert_eq!(expression.to_string().parse::<Expression>(), Ok(expression));
            }
        }
    }

    /// Interval and exact evaluation agree with f64, and all are finite.
    #[test]
    fn an_interval_holds_the_exact_value(expression in expression(), depth in prop_oneof![Just(0.0), 0.0..1e9f64]) {
        if expression.to_string().parse::<Expression>().is_ok() {
            let interval: Interval = value(&expression, depth);
            let exact: Exact = value(&expression, depth);
            prop_assert!(value::<f64>(&expression, depth).is_finite());
            prop_assert_ne!(exact.minus(&Exact::of(interval.low)).sign(), Some(std::cmp::Ordering::Less));
            prop_assert_ne!(exact.minus(&Exact::of(interval.high)).sign(), Some(std::cmp::Ordering::Greater));
        }
    }
}
