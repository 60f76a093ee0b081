//! The rules of the standard workloads.

use crate::domain::{Kind, Payoff};
use crate::error::Result;
use crate::margin::{Form, MarginClass, Rulebook, Schedule};
use crate::synth::{Market, add_haircuts};

const GRID: &str = include_str!("grid.toml");
/// Points of the grid.
pub(super) const GRID_POINTS: f64 = 21.0;
/// Maintenance rate where there is one only.
const MAINTENANCE_RATE: f64 = 0.01;
/// Initial rate where there is one only.
const INITIAL_RATE: f64 = 0.02;
/// Lower bound of the second bracket, quote units; each further one is twice the one before, so that a move of a third
/// crosses one from nearly every second position.
const FIRST_BOUND: f64 = 100.0;
/// Brackets of the table.
const BRACKETS: i32 = 20;
/// Maintenance rate of the first bracket; the last one's is 20 times that.
const FIRST_RATE: f64 = 0.005;
/// Growth of the rate from bracket to bracket.
const RATE_GROWTH: f64 = 1.17;

/// One maintenance rate and one initial rate for every linear perpetual of a market that settles in its first stablecoin.
pub(super) fn flat(listed: &Market) -> Rulebook {
    let class = MarginClass::brackets(Schedule::flat(MAINTENANCE_RATE), Schedule::flat(INITIAL_RATE));
    let perpetuals = listed.instruments.iter().filter(|instrument| {
        let is_linear = instrument.kind == Kind::Perpetual && instrument.payoff == Payoff::Linear;
        is_linear && Some(&instrument.settlement_asset) == listed.cash.first()
    });
    let margin = perpetuals.map(|instrument| (instrument.margin_class.clone(), class.clone())).collect();
    let mut rulebook = Rulebook { name: "bench-linear".into(), margin, ..Rulebook::default() };
    add_haircuts(&mut rulebook);
    rulebook
}

/// The same classes with many brackets.
pub(super) fn brackets(flat: &Rulebook) -> Rulebook {
    let bounds: Vec<f64> = (0..BRACKETS - 1).map(|k| FIRST_BOUND * 2f64.powi(k)).collect();
    let rates: Vec<f64> = (0..BRACKETS).map(|k| FIRST_RATE * RATE_GROWTH.powi(k)).collect();
    let schedule = |factor: f64| {
        let rates = rates.iter().map(|rate| factor * rate).collect();
        Schedule { form: Form::Marginal, bounds: bounds.clone(), rates }
    };
    let class = MarginClass::brackets(schedule(1.0), schedule(INITIAL_RATE / MAINTENANCE_RATE));
    let margin = flat.margin.keys().map(|key| (key.clone(), class.clone())).collect();
    Rulebook { name: "bench-brackets".into(), margin, ..flat.clone() }
}

/// Grid margin in place of margin by position, with the haircuts of `classes`.
///
/// # Errors
/// None, unless the file that was built in is broken.
pub(super) fn grid(classes: &Rulebook) -> Result<Rulebook> {
    let rulebook = Rulebook::parse(GRID, "grid.toml")?;
    Ok(Rulebook { haircut: classes.haircut.clone(), ..rulebook })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::MarketOptions;

    #[test]
    fn the_grid_has_the_points_that_are_counted() {
        let file: toml::Table = GRID.parse().expect("TOML");
        let axis = |name: &str| file["component"]["scan"][name].as_array().expect("an axis").len();
        assert_eq!((axis("prices") * axis("volatilities")) as f64, GRID_POINTS);
    }

    #[test]
    fn brackets_rise_and_double() {
        let market = Market::built_in(&MarketOptions::default()).expect("a market");
        let flat = flat(&market);
        assert!(flat.margin.len() > 20, "{} classes", flat.margin.len());
        let brackets = brackets(&flat);
        assert!(brackets.margin.keys().eq(flat.margin.keys()) && brackets.warnings().is_empty());
        // What it writes it reads: rates in range, bounds in order.
        let read = Rulebook::parse(&brackets.to_toml(), "brackets").expect("a valid rulebook");
        assert_eq!(read.margin, brackets.margin);
    }
}
