use std::path::Path;

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::{BookBuilder, Instrument, InstrumentIndex, Kind, Position, Snapshot};
use crate::error::{Error, Result};
use crate::io::snapshot::read;
use crate::pricing::ShockedMarket;
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// Longest time step, years: a week.
const YEARS_MAX: f64 = 7.0 / 365.0;

/// The options of a snapshot, all held by one pool, and the scenarios they are priced under.
pub struct Work {
    /// The snapshot, its book replaced.
    pub snapshot: Snapshot,
    /// Price and volatility of every underlying with options, and time.
    pub scenarios: ScenarioSet,
    /// Its options.
    pub indices: Vec<InstrumentIndex>,
}

impl Work {
    /// Reads a snapshot and draws scenarios.
    ///
    /// # Errors
    /// As [`read`]; [`Error::Usage`] where there is no option.
    pub fn read(dir: &Path, n_scenarios: usize, seed: u64) -> Result<Self> {
        let mut snapshot = read(dir)?;
        let options = (0u32..).zip(&snapshot.instruments).filter(|(_, instrument)| instrument.kind == Kind::Option);
        let indices: Vec<InstrumentIndex> = options.map(|(index, _)| index).collect();
        if indices.is_empty() {
            return Err(Error::Usage(format!("{}: no instrument is an option", dir.display())));
        }
        let mut builder = BookBuilder::default();
        let pool = builder.pool("all", "main");
        for &index in &indices {
            builder.add_position(pool, Position::new(index, 1.0, snapshot.instruments[index as usize].mark_price));
        }
        snapshot.book = builder.build();
        let scenarios = scenarios(&snapshot, &indices, n_scenarios, seed);
        Ok(Self { snapshot, scenarios, indices })
    }

    /// The market under every scenario.
    pub fn market(&self) -> ShockedMarket<'_> {
        ShockedMarket::new(&self.snapshot, &self.scenarios)
    }

    /// The options.
    pub fn options(&self) -> impl Iterator<Item = &Instrument> {
        self.indices.iter().map(|&index| &self.snapshot.instruments[index as usize])
    }

    /// Options × scenarios.
    pub fn revaluations(&self) -> u64 {
        self.indices.len() as u64 * self.scenarios.len() as u64
    }
}

fn scenarios(snapshot: &Snapshot, options: &[InstrumentIndex], n: usize, seed: u64) -> ScenarioSet {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let underlyings: std::collections::BTreeSet<u32> =
        options.iter().map(|&index| snapshot.instruments[index as usize].underlying).collect();
    let mut factors = Vec::new();
    for underlying in underlyings {
        let underlying = &snapshot.underlyings[underlying as usize];
        let price = Factor::price(underlying.factor.as_str());
        if !factors.contains(&price) {
            factors.push(price);
        }
        factors.push(Factor { kind: FactorKind::Volatility, name: underlying.name.clone() });
    }
    factors.push(Factor { kind: FactorKind::Time, name: String::new() });
    let shocks = Array2::from_shape_fn((n, factors.len()), |(_, k)| match factors[k].kind {
        FactorKind::Price => random.random_range(-0.3..0.3),
        FactorKind::Volatility => random.random_range(-0.4..0.8),
        _ => random.random_range(0.0..YEARS_MAX),
    });
    ScenarioSet {
        ids: (0..n).map(|k| k.to_string()).collect(),
        weights: vec![1.0; n],
        labels: vec![String::new(); n],
        factors,
        shocks,
    }
}
