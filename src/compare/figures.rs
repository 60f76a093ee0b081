//! The figures of a row by their published names, in their published order: one list for every output.

use super::{Arrangement, Comparison, ComparisonRow};

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// A number of something; `None` where the question does not arise.
    Count(Option<u64>),
    /// An amount or a ratio; `None` where there is none.
    Number(Option<f64>),
}

impl Comparison {
    /// Every figure of a row.
    pub fn figures(&self, row: &ComparisonRow) -> Vec<(&'static str, Figure)> {
        let metrics = &row.metrics;
        let of = |mode| self.row(row.rulebook, mode).map_or(metrics, |row| &row.metrics);
        let (as_is, isolated) = (of(Arrangement::AsIs), of(Arrangement::Isolated));
        let count = |value| Figure::Count(Some(value));
        let amount = |value| Figure::Number(Some(value));
        let ratio = Figure::Number;
        let [healthy, restricted, liquidatable, bankrupt, _] = metrics.states_at_base;
        let totals = &metrics.totals;
        let worst = metrics.worst;
        let contagion = metrics.contagion;
        vec![
            ("pools", count(metrics.pools)),
            ("unknown_pools", count(metrics.unknown_pools)),
            ("positions", count(metrics.positions)),
            ("equity", amount(totals.equity)),
            ("adjusted_collateral", amount(totals.adjusted_collateral)),
            ("initial_margin", amount(totals.initial_margin)),
            ("maintenance_margin", amount(totals.maintenance_margin)),
            ("gross_notional", amount(totals.gross_notional)),
            ("mean_health", ratio(metrics.mean_health)),
            ("median_health", ratio(metrics.median_health)),
            ("healthy_at_base", count(healthy)),
            ("restricted_at_base", count(restricted)),
            ("liquidatable_at_base", count(liquidatable)),
            ("bankrupt_at_base", count(bankrupt)),
            ("liquidatable", count(metrics.liquidatable)),
            ("bankrupt", count(metrics.bankrupt)),
            ("liquidatable_verdicts", count(metrics.liquidatable_verdicts)),
            ("bankrupt_verdicts", count(metrics.bankrupt_verdicts)),
            ("worst_liquidatable", Figure::Count(worst.map(|worst| worst.liquidatable_pools))),
            ("worst_bankrupt", Figure::Count(worst.map(|worst| worst.bankrupt_pools))),
            ("worst_shortfall", Figure::Number(worst.map(|worst| worst.shortfall))),
            ("expected_shortfall", amount(metrics.expected_shortfall)),
            ("expected_bankruptcies", amount(metrics.expected_bankruptcies)),
            ("bankruptcy_probability", ratio(metrics.bankruptcy_probability())),
            ("loss_given_default", ratio(metrics.loss_given_default())),
            ("contagion_affected_pools", Figure::Count(contagion.map(|contagion| contagion.affected_pools))),
            ("contagion_examined_pools", Figure::Count(contagion.map(|contagion| contagion.examined_pools))),
            ("contagion_verdicts", Figure::Count(contagion.map(|contagion| contagion.verdicts))),
            ("contagion_legs", Figure::Count(contagion.map(|contagion| contagion.legs))),
            ("contagion_healthy_legs", Figure::Count(contagion.map(|contagion| contagion.healthy_legs))),
            ("contagion_leg_share", ratio(contagion.and_then(|contagion| contagion.leg_share()))),
            ("contagion_notional_share", ratio(contagion.and_then(|contagion| contagion.notional_share()))),
            ("margin_ratio", ratio(metrics.margin_ratio(isolated))),
            ("diversification_index", ratio(metrics.diversification_index(isolated))),
            ("maintenance_diversification_index", ratio(metrics.maintenance_diversification_index(isolated))),
            ("capital_efficiency", ratio(metrics.capital_efficiency(as_is.totals.gross_notional))),
            ("utilisation", ratio(metrics.utilisation())),
        ]
    }
}
