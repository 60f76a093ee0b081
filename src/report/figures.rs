//! What a report says, picked from an outcome: one place for the terminal and the page.

use super::format::{count, number};
use super::{PoolSummary, ReportInput};
use crate::engine::{Outcome, State};

/// States in the order of reports, best first.
pub(super) const STATES: [State; 5] = State::ALL;

/// Lower bounds of the second and later health classes. They are fixed so that one night compares with the next.
pub(super) const HEALTH_BOUNDS: [f64; 14] = [0.0, 0.5, 0.8, 0.9, 1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0];

/// The loss distribution over the weighted scenarios, quote units.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Losses {
    /// (loss, share of the weight with a loss at least this large), losses > 0, largest first, one per distinct loss.
    pub(super) exceedance: Vec<(f64, f64)>,
    /// Σ w·loss / Σ w.
    pub(super) mean: f64,
    /// The smallest loss that is exceeded with at most 1 % of the weight.
    pub(super) var_99: f64,
    /// Mean of the worst 1 % of the weight.
    pub(super) es_99: f64,
}

/// Losses of an outcome under the weights of its scenario set; all zero where there is no weight.
pub(super) fn losses(input: &ReportInput<'_>) -> Losses {
    const TAIL: f64 = 0.01;
    let weights = &input.scenarios.weights;
    let mut weighted: Vec<(f64, f64)> =
        input.outcome.scenarios.iter().zip(weights).map(|(scenario, &weight)| (scenario.shortfall, weight)).collect();
    weighted.retain(|(loss, weight)| loss.is_finite() && *weight > 0.0);
    weighted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut losses = Losses::default();
    let (mut share, mut tail) = (0.0, 0.0);
    for (loss, weight) in weighted {
        let weight = weight / total;
        if share <= TAIL {
            losses.var_99 = loss;
        }
        tail += loss * weight.min((TAIL - share).max(0.0));
        share += weight;
        losses.mean += loss * weight;
        match losses.exceedance.last_mut() {
            Some(last) if last.0 == loss => last.1 = share,
            _ if loss > 0.0 => losses.exceedance.push((loss, share)),
            _ => {}
        }
    }
    losses.es_99 = tail / TAIL;
    losses
}

/// Pools by health class: at base, and with the worst excess measured by the base maintenance margin. A last class holds
/// the pools without a requirement; unknown pools are left out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HealthClasses {
    /// Label of each class, lowest first.
    pub(super) labels: Vec<String>,
    /// Pools of each class at base.
    pub(super) base: Vec<u64>,
    /// Pools of each class at 1 + worst excess / base maintenance margin: below 1 exactly where the pool is liquidatable.
    pub(super) worst: Vec<u64>,
}

/// The pools of a summary in health classes.
pub(super) fn health_classes(pools: &PoolSummary) -> HealthClasses {
    let last = HEALTH_BOUNDS.len();
    let mut labels = vec![format!("below {}", HEALTH_BOUNDS[0])];
    labels.extend(HEALTH_BOUNDS.windows(2).map(|pair| format!("{} – {}", pair[0], pair[1])));
    labels.extend([format!("{} and more", HEALTH_BOUNDS[last - 1]), "no requirement".into()]);
    HealthClasses { base: pools.health.to_vec(), worst: pools.worst_health.to_vec(), labels }
}

/// The `limit` largest shocks of a scenario, as `price:BTC −20 %`; absolute factors as plain numbers.
pub(super) fn largest_shocks(input: &ReportInput<'_>, scenario: usize, limit: usize) -> String {
    use crate::scenario::FactorKind::{Asset, Depth, Price, Volatility, VolatilityIndex};
    let set = input.scenarios;
    if scenario >= set.shocks.nrows() {
        return String::new();
    }
    let mut shocks: Vec<(usize, f64)> = (0..set.factors.len()).map(|at| (at, set.shock(scenario, at))).collect();
    shocks.retain(|(_, shock)| *shock != 0.0);
    shocks.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    let texts = shocks.iter().take(limit).map(|&(at, shock)| {
        let factor = &set.factors[at];
        let text = match factor.kind {
            Price | Asset | Depth | Volatility | VolatilityIndex => super::format::relative_move(shock),
            _ => number(shock, 4),
        };
        format!("{factor} {text}")
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// Id of a scenario by index; empty where there is none.
pub(super) fn scenario_id<'a>(input: &ReportInput<'a>, scenario: u32) -> &'a str {
    input.scenarios.ids.get(scenario as usize).map_or("", String::as_str)
}

/// What the audit of a sweep of so many pools found, in one sentence.
pub(super) fn audit_sentence(outcome: &Outcome, pools: usize) -> String {
    let audit = &outcome.audit;
    let redecided = format!("{} pools in {} were re-decided", count(outcome.redecided_pools), count(pools as u64));
    if audit.pools == 0 {
        return format!("not audited; {redecided}");
    }
    let repriced = match audit.prices {
        0 => String::new(),
        prices => format!(
            "; {} option values repriced, at most {:.2} of what they may differ by",
            count(prices),
            audit.worst_price_ratio
        ),
    };
    format!(
        "audited {} pools × {} scenarios: {} decisions differ, largest error {:.2} of its bound; {redecided}{repriced}",
        count(audit.pools),
        count(outcome.scenarios.len() as u64),
        count(audit.decisions_differ),
        audit.worst_bound_ratio,
    )
}

/// The sentence about what the sweep ran on.
pub(super) fn ran_on(outcome: &Outcome) -> String {
    match outcome.adapter.is_empty() {
        true => format!("the {} engine", outcome.engine),
        false => format!("the {} engine, {}", outcome.engine, outcome.adapter),
    }
}
