//! The cut rule `program`: least cost under portfolio margin, by constraint generation.

use super::money::Quanta;
use super::plan::Planner;
use super::state::PoolState;
use crate::restore::{Landscape, Leg, Outcome, Plane, Problem, cheapest, greedy};

/// What is restored beyond the target, relative to equity and requirement: more than the tolerance of the program.
const ABOVE_TARGET: f64 = 4e-9;
/// Least cost of a cut, a fraction of its notional.
const LEAST_COST: f64 = 1e-7;
/// Most planes of one program.
const PLANES: usize = 200;
/// Share of a position's opening size that a gradient is taken over.
const BUMP: f64 = 1.0 / 65_536.0;

/// Contracts to cut of each position; `None` where no cut restores the pool. Only positions that can be traded move, and only
/// towards zero: what hedges the rest is left alone.
pub fn cuts_by_program(planner: &Planner<'_>, trial: &PoolState) -> Option<Vec<(usize, Quanta)>> {
    let figures = planner.marks.figures(trial);
    let (places, legs) = planner.legs(trial);
    let held: Vec<f64> = places.iter().map(|&place| trial.positions[place].contracts.units()).collect();
    let unit = |place: usize| planner.marks.unit_notional(trial.positions[place].position.instrument);
    let problem = Problem {
        legs: legs
            .iter()
            .zip(&held)
            .map(|(leg, &held)| {
                // Without any cost every restoration would be as good as the least.
                let cost = leg.cost_quote(leg.notional_quote).max(LEAST_COST * leg.notional_quote);
                Leg::cut(held, cost / held.abs())
            })
            .collect(),
        target: planner.policy.target_health,
        excess: ABOVE_TARGET
            * (planner.policy.target_health * figures.maintenance_margin + figures.adjusted_equity.abs()),
        limit: PLANES,
    };
    let mut landscape = PoolLandscape { planner, state: trial.clone(), places: &places, opening: &held };
    let trades = match cheapest(&problem, &mut landscape) {
        Outcome::Restored(restoration) => restoration.trades,
        Outcome::Infeasible { .. } => return None,
        Outcome::Unsettled => match greedy(&problem, &mut landscape) {
            Outcome::Restored(restoration) => restoration.trades,
            Outcome::Infeasible { .. } | Outcome::Unsettled => return None,
        },
    };
    let cut = |(&place, trade): (&usize, f64)| {
        let notional = trade.abs() * unit(place);
        (notional > 0.0).then(|| (place, planner.contracts_of(trial, place, notional)))
    };
    let cuts: Vec<_> = places.iter().zip(trades).filter_map(cut).collect();
    (!cuts.is_empty()).then_some(cuts)
}

/// Equity and requirement of a pool as its positions change, at frozen marks.
struct PoolLandscape<'p, 'a> {
    planner: &'p Planner<'a>,
    state: PoolState,
    places: &'p [usize],
    /// Contracts at the start: `[n_legs]`.
    opening: &'p [f64],
}

impl PoolLandscape<'_, '_> {
    /// Adjusted equity at the marks, whatever is held: what is sold at its mark is cash. Maintenance margin of the holdings.
    fn evaluate(&mut self, holdings: &[f64]) -> (f64, f64) {
        for (&place, &contracts) in self.places.iter().zip(holdings) {
            self.state.positions[place].position.quantity = contracts;
        }
        self.state.refresh_holdings();
        let figures = self.planner.marks.figures(&self.state);
        (figures.adjusted_equity, figures.maintenance_margin)
    }
}

impl Landscape for PoolLandscape<'_, '_> {
    fn plane(&mut self, holdings: &[f64]) -> Plane {
        let equity = self.planner.marks.figures(&self.state).adjusted_equity;
        let (_, requirement) = self.evaluate(holdings);
        let mut moved = holdings.to_vec();
        let mut gradient = vec![0.0; holdings.len()];
        for (leg, slope) in gradient.iter_mut().enumerate() {
            // Towards the opening size, away from zero, so that a position never changes sides.
            let bump = BUMP * self.opening[leg];
            moved[leg] = holdings[leg] + bump;
            let (_, bumped) = self.evaluate(&moved);
            *slope = (bumped - requirement) / bump;
            moved[leg] = holdings[leg];
        }
        self.evaluate(holdings);
        Plane { equity, requirement, equity_gradient: vec![0.0; holdings.len()], requirement_gradient: gradient }
    }
}
