use std::cmp::Ordering;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::outcome::{Figures, State};
use crate::domain::Pool;
use crate::margin::{MarginSide, Market, Setting};
use crate::number::{Exact, Interval, Number};
use crate::pricing::Column;

/// The three decisions about one pool in one market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decision {
    /// Adjusted equity < initial margin (or < maintenance margin: the initial margin is never below it).
    pub restricted: bool,
    /// Adjusted equity < maintenance margin.
    pub liquidatable: bool,
    /// Raw equity < 0.
    pub bankrupt: bool,
}

impl Decision {
    /// The exclusive state.
    pub fn state(self) -> State {
        match self {
            Self { bankrupt: true, .. } => State::Bankrupt,
            Self { liquidatable: true, .. } => State::Liquidatable,
            Self { restricted: true, .. } => State::Restricted,
            _ => State::Healthy,
        }
    }
}

/// Decides what a kernel could not, and publishes figures: the direct formulas, in intervals first, exactly where even
/// those cannot tell. This is also the reference that the audit compares with.
#[derive(Debug)]
pub struct Arbiter<'a> {
    setting: Setting<'a>,
    exact_verdicts: AtomicU64,
}

impl<'a> Arbiter<'a> {
    /// An arbiter over these formulas.
    pub fn new(setting: Setting<'a>) -> Self {
        Self { setting, exact_verdicts: AtomicU64::new(0) }
    }

    /// How many verdicts needed exact arithmetic so far.
    pub fn exact_verdicts(&self) -> u64 {
        self.exact_verdicts.load(Relaxed)
    }

    /// The exact decisions about a pool in a market.
    pub fn decide(&self, pool: &Pool<'_>, column: Column) -> Decision {
        self.examine(pool, column).0
    }

    /// The exact decisions, and an interval that certainly holds adjusted equity − maintenance margin.
    pub fn examine(&self, pool: &Pool<'_>, column: Column) -> (Decision, Interval) {
        let market = (self.setting.rows, column);
        let (decision, excess) = self.decide_in::<Interval>(pool, &market);
        let decision = decision.unwrap_or_else(|| {
            self.exact_verdicts.fetch_add(1, Relaxed);
            // Exact numbers know every sign.
            self.decide_in::<Exact>(pool, &market).0.unwrap_or_default()
        });
        (decision, excess)
    }

    fn decide_in<N: Number>(&self, pool: &Pool<'_>, market: &impl Market<N>) -> (Option<Decision>, N) {
        let equity = self.setting.equity(pool, market);
        let requirement = self.setting.requirement(pool, market);
        let excess = equity.adjusted.minus(&requirement.maintenance);
        let below = |value: &N| Some(value.sign()? == Ordering::Less);
        let decide = || {
            let liquidatable = below(&excess)?;
            let restricted = liquidatable || below(&equity.adjusted.minus(&requirement.initial))?;
            Some(Decision { restricted, liquidatable, bankrupt: below(&equity.raw)? })
        };
        (decide(), excess.clone())
    }

    /// Whether adjusted equity is at least `target` times a requirement (the initial one is never below the maintenance one):
    /// exactly.
    pub fn meets(&self, pool: &Pool<'_>, column: Column, (side, target): (MarginSide, f64)) -> bool {
        let market = (self.setting.rows, column);
        let sign = self.excess_sign::<Interval>(pool, &market, (side, target));
        let sign = sign.or_else(|| self.excess_sign::<Exact>(pool, &market, (side, target)));
        sign.is_some_and(|sign| sign != Ordering::Less)
    }

    fn excess_sign<N: Number>(
        &self,
        pool: &Pool<'_>,
        market: &impl Market<N>,
        (side, target): (MarginSide, f64),
    ) -> Option<Ordering> {
        let required = self.setting.requirement(pool, market);
        let required = match side {
            MarginSide::Initial => required.initial.larger(&required.maintenance),
            MarginSide::Maintenance => required.maintenance,
        };
        self.setting.equity(pool, market).adjusted.minus(&N::of(target).times(&required)).sign()
    }

    /// The exclusive state behind canonical figures whose error is at most `error`; asks for the exact decision only where
    /// that does not tell.
    pub fn state_of(&self, pool: &Pool<'_>, column: Column, figures: &Figures, error: f64) -> State {
        let excess = figures.adjusted_equity - figures.maintenance_margin;
        let initial_excess = figures.adjusted_equity - figures.initial_margin;
        // The differences above round once more, by less than the error they are compared with.
        let certain = |value: f64| value.abs() > 2.0 * error;
        if certain(excess) && certain(initial_excess) && certain(figures.equity) {
            let (liquidatable, bankrupt) = (excess < 0.0, figures.equity < 0.0);
            Decision { restricted: liquidatable || initial_excess < 0.0, liquidatable, bankrupt }.state()
        } else {
            self.decide(pool, column).state()
        }
    }

    /// The formulas.
    pub fn setting(&self) -> &Setting<'a> {
        &self.setting
    }

    /// The first of `candidates` with the lowest canonical adjusted equity − maintenance margin, and the figures there.
    pub fn worst_scenario<M: Market<f64>>(
        &self,
        pool: &Pool<'_>,
        candidates: impl IntoIterator<Item = usize>,
        market: impl Fn(usize) -> M,
    ) -> Option<(usize, Figures)> {
        let mut worst: Option<(usize, Figures)> = None;
        for scenario in candidates {
            let figures = self.figures_in(pool, &market(scenario));
            if worst.is_none_or(|(_, lowest)| figures.maintenance_excess() < lowest.maintenance_excess()) {
                worst = Some((scenario, figures));
            }
        }
        worst
    }

    /// Published figures of a pool in a market: the canonical f64 evaluation.
    pub fn figures(&self, pool: &Pool<'_>, column: Column) -> Figures {
        self.figures_in(pool, &(self.setting.rows, column))
    }

    /// The same in a market.
    fn figures_in(&self, pool: &Pool<'_>, market: &impl Market<f64>) -> Figures {
        let equity = self.setting.equity::<f64>(pool, market);
        let requirement = self.setting.requirement::<f64>(pool, market);
        let (initial, maintenance) = (requirement.initial, requirement.maintenance);
        Figures {
            equity: equity.raw,
            adjusted_equity: equity.adjusted,
            initial_margin: if initial < maintenance { maintenance } else { initial },
            maintenance_margin: maintenance,
            adjusted_collateral: equity.collateral,
            gross_notional: self.setting.gross_notional::<f64>(pool, market),
        }
    }
}
