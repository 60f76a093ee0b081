//! The pricers of the host, in f64.

use std::time::Instant;

use rayon::prelude::*;

use super::work::Work;
use super::{Asked, Check, Pricer, worse};
use crate::error::Result;
use crate::pricing::{Column, OptionRow};

/// The plain reference on one thread.
pub(super) struct Plain;

impl Pricer for Plain {
    fn name(&self) -> String {
        "f64, plain, one thread".into()
    }

    /// It is what the others are compared with.
    fn check(&self, _: &Work) -> Result<Check> {
        Ok(Check::default())
    }

    /// The plain formula always forms all Greeks.
    fn seconds(&self, work: &Work, _: Asked) -> Result<f64> {
        let market = work.market();
        let clock = Instant::now();
        for row in work.options().filter_map(|option| OptionRow::of(&market, option)) {
            for scenario in 0..work.scenarios.len() {
                let state = row.market(Column::Scenario(scenario));
                std::hint::black_box(row.option().reference(&state));
            }
        }
        Ok(clock.elapsed().as_secs_f64())
    }
}

/// What a sweep's rows come from: vectors, on all threads.
pub(super) struct Revaluer;

impl Pricer for Revaluer {
    fn name(&self) -> String {
        format!("f64, vectors, {} threads", rayon::current_num_threads())
    }

    /// Values against the plain reference, in units of what the two may differ by (`NUMERICS.md` §11).
    fn check(&self, work: &Work) -> Result<Check> {
        let market = work.market();
        let rows: Vec<OptionRow<'_>> = work.options().filter_map(|option| OptionRow::of(&market, option)).collect();
        let of_row = |row: &OptionRow<'_>| {
            let mut values = vec![0.0; work.scenarios.len()];
            row.price::<1>(0, [&mut values]);
            values.iter().enumerate().fold(0.0, |worst, (scenario, value)| {
                let state = row.market(Column::Scenario(scenario));
                let plain = row.option().reference(&state).value;
                let difference = (value - plain).abs();
                let ratio = if difference == 0.0 { 0.0 } else { difference / row.option().tolerance(&state, plain) };
                worse(worst, ratio)
            })
        };
        let worst = rows.par_iter().map(of_row).reduce(|| 0.0, worse);
        Ok(Check { ratios: vec![("value", worst)], compared: work.revaluations(), left_out: 0 })
    }

    fn seconds(&self, work: &Work, asked: Asked) -> Result<f64> {
        let market = work.market();
        let clock = Instant::now();
        match asked {
            Asked::Value => price_all::<1>(work, &market),
            Asked::FourGreeks => price_all::<5>(work, &market),
            Asked::EightGreeks => price_all::<9>(work, &market),
        }
        Ok(clock.elapsed().as_secs_f64())
    }
}

/// Prices every option under every scenario; each thread writes into tables of its own.
fn price_all<const N: usize>(work: &Work, market: &crate::pricing::ShockedMarket<'_>) {
    let options: Vec<_> = work.options().collect();
    let tables = || -> [Vec<f64>; N] { std::array::from_fn(|_| vec![0.0; work.scenarios.len()]) };
    options.par_iter().for_each_init(tables, |tables, option| {
        if let Some(row) = OptionRow::of(market, option) {
            row.price(0, tables.each_mut().map(Vec::as_mut_slice));
            std::hint::black_box(&tables);
        }
    });
}
