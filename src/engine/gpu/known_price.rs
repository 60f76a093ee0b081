//! A textbook option whose value is known to sixteen digits: Hull, *Options, Futures and Other Derivatives*, ch. 15: S = 42,
//! K = 40, r = 10 %, σ = 20 %, half a year; printed there as 4.76.

use ndarray::Array2;

use super::OptionPricer;
use super::pricer::Outputs;
use crate::domain::{Asset, BookBuilder, Instrument, Kind, Right, Snapshot, Underlying};
use crate::pricing::ShockedMarket;
use crate::pricing::single::{Chain, output_bounds};
use crate::scenario::{Factor, ScenarioSet};

/// The value, from mpmath in 30 digits.
const VALUE: f64 = 4.759_422_392_871_535;
/// A bound wider than this would say nothing.
const BOUND_MAX: f64 = 1e-3;

/// Prices the option on a device; says what was wrong.
pub fn check(pricer: &OptionPricer) -> Result<(), String> {
    let (snapshot, scenarios) = (snapshot(), unshocked());
    let market = ShockedMarket::new(&snapshot, &scenarios);
    let chain = Chain::new(&snapshot, &market, 1, &[0], |_| 0.0);
    let contract = chain.contracts.first().ok_or("the textbook option is none")?;
    let bound = output_bounds(&chain, contract, 0)[0].1[0];
    let priced = pricer.run(&chain, Outputs::Value, 1).map_err(|error| error.to_string())?;
    let answer = f64::from(priced.at(0, 0, 0));
    let is_right = (answer - VALUE).abs() <= bound && bound < BOUND_MAX;
    if is_right {
        Ok(())
    } else {
        Err(format!("a textbook option is worth {answer}, known to be {VALUE} ± {bound:e}"))
    }
}

fn snapshot() -> Snapshot {
    let option = Instrument {
        kind: Kind::Option,
        strike: Some(40.0),
        // 182½ days of 365.
        expiry: "2026-07-02T12:00:00Z".parse().ok(),
        right: Some(Right::Call),
        implied_volatility: Some(0.2),
        forward_price: Some(42.0 * 0.05f64.exp()),
        rate: 0.1,
        ..Instrument::perpetual("textbook", 0, 0, 4.76)
    };
    Snapshot {
        as_of: "2026-01-01T00:00:00Z".parse().ok(),
        quote: "USD".into(),
        assets: vec![Asset::new("USD", 1.0)],
        underlyings: vec![Underlying::new("STOCK", 42.0)],
        instruments: vec![option],
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: BookBuilder::default().build(),
    }
}

fn unshocked() -> ScenarioSet {
    ScenarioSet {
        ids: vec!["unshocked".into()],
        weights: vec![1.0],
        labels: vec![String::new()],
        factors: vec![Factor::price("STOCK")],
        shocks: Array2::zeros((1, 1)),
    }
}
