//! Reading a formula.

use std::str::FromStr;

use super::{Curve, Expression, Name, Part, QUANTITIES};
use crate::margin::file::LARGEST;

/// Longest formula, bytes.
const LONGEST: usize = 4000;
/// Most parentheses, functions and signs within each other.
const DEEPEST: usize = 32;
/// Most levels of the tree: chains of products count too.
const LEVELS: usize = 64;

const FUNCTIONS: [&str; 6] = ["max", "min", "abs", "positive", "clamp", "piecewise"];

/// What is wrong with a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The rule it breaks, and where.
    pub rule: String,
    /// What to do about it.
    pub remedy: String,
}

impl Flaw {
    fn new(rule: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { rule: rule.into(), remedy: remedy.into() }
    }
}

/// Whether a component of that name can be used in formulas: letters, digits and `_`, a letter or `_` first.
pub fn is_component_name(name: &str) -> bool {
    name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) && name.chars().all(is_word)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

impl FromStr for Expression {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        if text.len() > LONGEST {
            let rule = format!("a formula has at most {LONGEST} bytes, not {}", text.len());
            return Err(Flaw::new(rule, "name a part of it as a component"));
        }
        let mut parser = Parser { text, place: 0, depth: 0 };
        let expression = parser.sum()?;
        parser.skip_space();
        if parser.place < text.len() {
            return Err(parser.expected("an operator or the end"));
        }
        if expression.depth() > LEVELS {
            let rule = format!("a formula has at most {LEVELS} levels, not {}", expression.depth());
            return Err(Flaw::new(rule, "name a part of it as a component"));
        }
        if expression.exponent() > 300.0 {
            let rule = "so many factors could overflow: names count as 1e40 each, inverses as 1e30";
            return Err(Flaw::new(rule, "multiply fewer"));
        }
        Ok(expression)
    }
}

impl Expression {
    /// The power of ten that the magnitude never exceeds.
    fn exponent(&self) -> f64 {
        let largest = |all: &[Self]| all.iter().map(Self::exponent).fold(0.0, f64::max);
        match self {
            Self::Number(number) => number.abs().max(1.0).log10(),
            Self::Name(_) => 40.0,
            Self::Sum(terms) => largest(terms) + (terms.len() as f64).log10(),
            Self::Product(pair) => pair[0].exponent() + pair[1].exponent(),
            // The denominator itself is formed, too.
            Self::Quotient(pair) => (pair[0].exponent() + 30.0).max(pair[1].exponent()),
            Self::Piecewise(x, curve) => {
                // Slopes are at most 1e30 and differences of x at most twice the larger.
                let of_points = curve.points().iter().fold(0.0, |most: f64, (x, _)| most.max(x.abs().max(1.0).log10()));
                x.exponent().max(of_points + 31.0) + (curve.points().len() as f64).log10()
            }
            _ => largest(self.operands()),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    /// Byte that is read next.
    place: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    /// `product (("+" | "-") product)*`
    fn sum(&mut self) -> Result<Expression, Flaw> {
        let first = self.product()?;
        let mut terms = vec![first];
        while let Some(operator) = self.take_any(&['+', '-']) {
            let term = self.product()?;
            terms.push(if operator == '-' { Expression::Negative(Box::new(term)) } else { term });
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Expression::Sum(terms) })
    }

    /// `unary (("*" | "/") unary)*`
    fn product(&mut self) -> Result<Expression, Flaw> {
        let mut left = self.unary()?;
        while let Some(operator) = self.take_any(&['*', '/']) {
            let place = self.place;
            let right = self.unary()?;
            left = if operator == '*' {
                Expression::Product(Box::new([left, right]))
            } else {
                if right.constant() == Some(0.0) {
                    let rule = format!("{}: a denominator is not 0", self.at(place));
                    return Err(Flaw::new(rule, "correct the denominator"));
                }
                Expression::Quotient(Box::new([left, right]))
            };
        }
        Ok(left)
    }

    /// `"-" unary | atom`
    fn unary(&mut self) -> Result<Expression, Flaw> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let rule = format!("{}: at most {DEEPEST} parentheses, functions and signs within each other", self.here());
            return Err(Flaw::new(rule, "name a part of it as a component"));
        }
        let expression = match self.take_any(&['-']) {
            Some(_) => self.unary().map(|x| Expression::Negative(Box::new(x))),
            None => self.atom(),
        };
        self.depth -= 1;
        expression
    }

    fn atom(&mut self) -> Result<Expression, Flaw> {
        self.skip_space();
        match self.peek() {
            Some('(') => {
                self.place += 1;
                let inner = self.sum()?;
                self.close()?;
                Ok(inner)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number().map(Expression::Number),
            Some(c) if is_word(c) => {
                let place = self.place;
                let word = self.word();
                self.skip_space();
                if self.peek() == Some('(') { self.call(word, place) } else { self.component(word) }
            }
            _ => Err(self.expected("a number, a name, a function or a parenthesis")),
        }
    }

    /// Digits, a point, digits, an exponent.
    fn number(&mut self) -> Result<f64, Flaw> {
        let place = self.place;
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut end = place + digits(&self.text[place..]);
        if self.text[end..].starts_with('.') {
            end += 1;
            end += digits(&self.text[end..]);
        }
        let exponent = &self.text[end..];
        if let Some(power) = exponent.strip_prefix(['e', 'E']) {
            let unsigned = power.strip_prefix(['+', '-']).unwrap_or(power);
            if digits(unsigned) > 0 {
                end += exponent.len() - unsigned.len() + digits(unsigned);
            }
        }
        self.place = end;
        match self.text[place..end].parse::<f64>() {
            Ok(number) if number <= LARGEST => Ok(number),
            Ok(_) => {
                let rule = format!("{}: a number is at most 1e30", self.at(place));
                Err(Flaw::new(rule, "correct it"))
            }
            Err(_) => {
                let rule = format!("{}: a number like 0.05 or 1e6", self.at(place));
                Err(Flaw::new(rule, "correct it"))
            }
        }
    }

    /// `name`, `name.initial` or `name.maintenance`.
    fn component(&mut self, name: &str) -> Result<Expression, Flaw> {
        let part = if self.take_any(&['.']).is_some() {
            self.skip_space();
            let place = self.place;
            match self.word() {
                "initial" => Part::Initial,
                "maintenance" => Part::Maintenance,
                other => {
                    let rule = format!("{}: a component has the parts initial and maintenance", self.at(place));
                    return Err(Flaw::new(
                        rule,
                        crate::suggest::remedy(other, ["initial", "maintenance"], "use one of them"),
                    ));
                }
            }
        } else {
            Part::Own
        };
        Ok(Expression::Name(Name::Component(name.into(), part)))
    }

    fn call(&mut self, function: &str, place: usize) -> Result<Expression, Flaw> {
        self.place += 1;
        if let Some((_, quantity)) = QUANTITIES.iter().find(|(word, _)| *word == function) {
            let of = self.market_name()?;
            self.close()?;
            return Ok(Expression::Name(Name::Market(*quantity, of)));
        }
        if !FUNCTIONS.contains(&function) {
            let known: Vec<&str> = FUNCTIONS.into_iter().chain(QUANTITIES.map(|(word, _)| word)).collect();
            let rule = format!("{}: no function {function}; known: {}", self.at(place), known.join(", "));
            return Err(Flaw::new(rule, crate::suggest::remedy(function, known, "use one of them")));
        }
        let mut operands = vec![self.sum()?];
        while self.take_any(&[',']).is_some() {
            operands.push(self.sum()?);
        }
        self.close()?;
        apply(function, operands)
            .map_err(|rule| Flaw::new(format!("{}: {rule}", self.at(place)), "correct what is in the parentheses"))
    }

    /// The name of an asset or underlying: a word, or anything in single quotes.
    fn market_name(&mut self) -> Result<String, Flaw> {
        self.skip_space();
        if self.peek() != Some('\'') {
            let word = self.word();
            return if word.is_empty() {
                Err(self.expected("a name; one with other characters than letters, digits and _ in single quotes"))
            } else {
                Ok(word.into())
            };
        }
        let rest = &self.text[self.place + 1..];
        match rest.split_once('\'') {
            Some((name, _)) if !name.is_empty() && !name.chars().any(char::is_control) => {
                self.place += name.len() + 2;
                Ok(name.into())
            }
            _ => Err(self.expected("a name in single quotes")),
        }
    }

    fn close(&mut self) -> Result<(), Flaw> {
        match self.take_any(&[')']) {
            Some(_) => Ok(()),
            None => Err(self.expected("an operator, \",\" or \")\"")),
        }
    }

    fn word(&mut self) -> &'t str {
        let rest = &self.text[self.place..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        self.place += end;
        &rest[..end]
    }

    fn peek(&self) -> Option<char> {
        self.text[self.place..].chars().next()
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.place..];
        self.place += rest.len() - rest.trim_start().len();
    }

    /// Takes the next character where it is one of these.
    fn take_any(&mut self, characters: &[char]) -> Option<char> {
        self.skip_space();
        let found = self.peek().filter(|c| characters.contains(c))?;
        self.place += found.len_utf8();
        Some(found)
    }

    fn at(&self, place: usize) -> String {
        format!("at character {}", self.text[..place].chars().count() + 1)
    }

    fn here(&self) -> String {
        self.at(self.place)
    }

    fn expected(&self, what: &str) -> Flaw {
        let found = self.peek().map_or_else(|| "the end".to_string(), |c| format!("{c:?}"));
        Flaw::new(format!("{}: {what} expected, not {found}", self.here()), "correct the formula")
    }
}

/// A function of its operands, or the rule they break.
fn apply(function: &str, operands: Vec<Expression>) -> Result<Expression, String> {
    let count = operands.len();
    let one = |operands: Vec<Expression>| match <[Expression; 1]>::try_from(operands) {
        Ok([x]) => Ok(Box::new(x)),
        Err(_) => Err(format!("{function} has one operand, not {count}")),
    };
    match function {
        "max" => Ok(Expression::Maximum(operands)),
        "min" => Ok(Expression::Minimum(operands)),
        "abs" => one(operands).map(Expression::Magnitude),
        "positive" => one(operands).map(Expression::PositivePart),
        "clamp" => {
            let triple = <[Expression; 3]>::try_from(operands);
            let triple = triple.map_err(|_| format!("clamp has three operands (x, low, high), not {count}"))?;
            match (triple[1].constant(), triple[2].constant()) {
                (Some(low), Some(high)) if low > high => {
                    Err(format!("clamp has low at most high, not {low} and {high}"))
                }
                _ => Ok(Expression::Clamp(Box::new(triple))),
            }
        }
        _ => piecewise(operands),
    }
}

fn piecewise(mut operands: Vec<Expression>) -> Result<Expression, String> {
    const RULE: &str = "piecewise has x, then points x1, y1, x2, y2, …: numbers, x strictly increasing, no step";
    let x = operands.remove(0);
    let numbers: Option<Vec<f64>> = operands.iter().map(Expression::constant).collect();
    let numbers = numbers.filter(|numbers| numbers.len().is_multiple_of(2)).ok_or(RULE)?;
    let moderate = numbers.iter().all(|number| number.abs() <= LARGEST);
    let points = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let curve = Curve::new(points).filter(|_| moderate).ok_or(RULE)?;
    Ok(Expression::Piecewise(Box::new(x), curve))
}
