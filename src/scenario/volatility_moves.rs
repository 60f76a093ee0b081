//! Volatility shocks beside drawn price shocks.

use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;

use super::distribution::inverse_normal;
use super::philox::Stream;
use super::{Factor, FactorKind, ScenarioSet, YEAR_DAYS};
use crate::domain::Underlying;
use crate::error::{Error, Result};

/// Logarithms beyond this are clamped, so that a shock stays finite and above −1.
const LARGEST_LOG_MOVE: f64 = 20.0;

/// How implied volatilities move with prices and by themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolatilityMoves {
    /// Change of ln σ per change of ln price: −1 doubles volatility where the price halves. Finite.
    pub price_beta: f64,
    /// Standard deviation of the rest of ln σ, per √year; finite and ≥ 0.
    pub volatility_of_volatility: f64,
    /// Time the shocks span, days of a 365-day year, > 0.
    pub horizon_days: f64,
    /// Seed of every random number.
    pub seed: u64,
}

/// Adds a column `vol:U` for each of `underlyings`: exp(y) − 1 with y = β·ln(1 + s) + η·√(h/365)·z, where s is the set's shock
/// of U's price (times U's beta), and z standard normal from the stream `vol:U` of the scenario's position. The normal is not
/// mixed as the prices' t is: tails of volatility come through β.
///
/// # Errors
/// [`Error::Usage`] where a number is out of its range or the set has such a column already.
pub fn add_volatility_moves(set: &mut ScenarioSet, underlyings: &[&Underlying], moves: &VolatilityMoves) -> Result<()> {
    let VolatilityMoves { price_beta, volatility_of_volatility, horizon_days, seed } = *moves;
    if !price_beta.is_finite() || !(0.0..1e6).contains(&volatility_of_volatility) {
        return Err(Error::Usage(format!(
            "volatility moves of {price_beta} and {volatility_of_volatility}: give finite numbers, the second at least 0"
        )));
    }
    let factors: Vec<Factor> = underlyings
        .iter()
        .map(|underlying| Factor { kind: FactorKind::Volatility, name: underlying.name.clone() })
        .collect();
    if let Some(known) = factors.iter().find(|factor| set.column(factor).is_some()) {
        return Err(Error::Usage(format!("the set has a column {known} already")));
    }
    let own = volatility_of_volatility * libm::sqrt(horizon_days / YEAR_DAYS);
    let sources: Vec<_> = underlyings
        .iter()
        .map(|underlying| {
            let price = set.column(&Factor::price(&underlying.factor));
            (price, underlying.beta, Stream::new(seed, &format!("vol:{}", underlying.name)))
        })
        .collect();
    let mut shocks = Array2::zeros((set.len(), factors.len()));
    shocks.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(scenario, mut row)| {
        for (cell, (price, beta, stream)) in row.iter_mut().zip(&sources) {
            let price_move = price.map_or(0.0, |column| libm::log1p((beta * set.shock(scenario, column)).max(-1.0)));
            let normal = inverse_normal(stream.uniforms(scenario as u64 + 1, 0)[0]);
            let with_price = if price_beta == 0.0 { 0.0 } else { price_beta * price_move };
            *cell = libm::expm1((with_price + own * normal).clamp(-LARGEST_LOG_MOVE, LARGEST_LOG_MOVE));
        }
    });
    set.shocks = concatenate![Axis(1), set.shocks, shocks];
    set.factors.extend(factors);
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn drawn(price_beta: f64, volatility_of_volatility: f64) -> ScenarioSet {
        let n = 20_000;
        let mut set = ScenarioSet {
            ids: (0..n).map(|k| k.to_string()).collect(),
            weights: vec![1.0; n],
            labels: vec![String::new(); n],
            factors: vec![Factor::price("BTC")],
            shocks: Array2::from_shape_fn((n, 1), |(k, _)| [-1.0, -0.5, 0.0, f64::NAN][k % 4]),
        };
        let moves = VolatilityMoves { price_beta, volatility_of_volatility, horizon_days: 365.0, seed: 1 };
        add_volatility_moves(&mut set, &[&Underlying::new("BTC", 1.0)], &moves).expect("moves");
        set
    }

    #[test]
    fn volatility_follows_the_price_and_its_own_noise() {
        let followed = drawn(-1.0, 0.0);
        assert!(followed.faults().is_empty(), "{:?}", followed.faults());
        let column = followed.column(&Factor { kind: FactorKind::Volatility, name: "BTC".into() }).expect("a column");
        assert!((followed.shocks[[1, column]] - 1.0).abs() < 1e-12, "a halved price doubles volatility");
        assert_eq!([followed.shocks[[2, column]], followed.shocks[[3, column]]], [0.0, 0.0], "no move, no shock");
        assert!(followed.shocks[[0, column]].is_finite(), "a total loss is clamped");
        let noise: Vec<f64> = drawn(0.0, 0.5).shocks.column(column).iter().map(|s| s.ln_1p()).collect();
        let mean = noise.iter().sum::<f64>() / noise.len() as f64;
        let deviation = (noise.iter().map(|y| y * y).sum::<f64>() / noise.len() as f64).sqrt();
        assert!(mean.abs() < 0.02 && (deviation - 0.5).abs() < 0.01, "{mean} {deviation}");
        assert_ne!(array![0.0], drawn(0.0, 0.5).shocks.column(column).slice(ndarray::s![..1]));
    }

    #[test]
    fn a_second_column_is_refused() {
        let mut set = drawn(-1.0, 0.1);
        let moves = VolatilityMoves { price_beta: 0.0, volatility_of_volatility: 0.1, horizon_days: 1.0, seed: 1 };
        assert!(add_volatility_moves(&mut set, &[&Underlying::new("BTC", 1.0)], &moves).is_err());
    }
}
