use super::event::Party;
use super::marks::Marks;
use super::money::Quanta;
use super::run::{Exchange, Run};
use super::state::Stage;
use super::tally::Tally;
use crate::engine;
use crate::pricing::{Column, ShockedMarket};

/// How many pools stand where, each in one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ladder {
    /// Above every threshold.
    pub healthy: u64,
    /// Adjusted equity < initial margin.
    pub restricted: u64,
    /// Adjusted equity < maintenance margin, not cut yet.
    pub liquidatable: u64,
    /// Cut, and not back at the target.
    pub partially_liquidated: u64,
    /// Raw equity < 0.
    pub bankrupt: u64,
    /// Closed or taken over.
    pub closed: u64,
    /// Nothing is claimed about them.
    pub unknown: u64,
}

impl Ladder {
    /// The count of a stage.
    pub(super) fn place(&mut self, stage: Stage) -> &mut u64 {
        match stage {
            Stage::Healthy => &mut self.healthy,
            Stage::Restricted => &mut self.restricted,
            Stage::Liquidatable => &mut self.liquidatable,
            Stage::PartiallyLiquidated => &mut self.partially_liquidated,
            Stage::Bankrupt => &mut self.bankrupt,
            Stage::Closed => &mut self.closed,
        }
    }
}

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoundFigures {
    /// Step of the path.
    pub step: u32,
    /// Round of the step.
    pub round: u32,
    /// Events.
    pub events: u64,
    /// Pools that were liquidated for the first time.
    pub pools: u64,
    /// Notional cut in the market, quote units at the marks of the round.
    pub liquidated_notional: f64,
    /// What forced trades cost, quote units.
    pub cost: f64,
    /// Paid by insurance funds, quote units.
    pub fund_draw: f64,
    /// Notional closed against other pools, quote units.
    pub deleveraged_notional: f64,
    /// Mean relative move of prices by forced trades since the path began, weighted by gross exposure.
    pub impact: f64,
}

impl RoundFigures {
    /// The sums so far.
    pub(super) fn of(exchange: &Exchange<'_>, run: &Run<'_>) -> Self {
        let tally = &run.tally;
        Self {
            step: run.step,
            round: run.round,
            events: run.log.count(),
            pools: tally.liquidated.len() as u64,
            liquidated_notional: tally.liquidated_notional,
            cost: tally.cost,
            fund_draw: tally.fund_draw.units(),
            deleveraged_notional: tally.deleveraged_notional,
            impact: exchange.mean(|underlying| run.books.impact(underlying)),
        }
    }

    /// What has been added since `before`, in its round.
    pub(super) fn since(self, before: &Self) -> Self {
        Self {
            step: before.step,
            round: before.round,
            events: self.events - before.events,
            pools: self.pools - before.pools,
            liquidated_notional: self.liquidated_notional - before.liquidated_notional,
            cost: self.cost - before.cost,
            fund_draw: self.fund_draw - before.fund_draw,
            deleveraged_notional: self.deleveraged_notional - before.deleveraged_notional,
            impact: self.impact,
        }
    }
}

/// How a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nobody is left to liquidate.
    Settled,
    /// The limit of rounds came first.
    CutOff,
}

/// What forced trades did to one underlying.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BookFigures {
    /// Place of the underlying in the snapshot.
    pub underlying: u32,
    /// Relative move of its price by the scenario alone.
    pub shock: f64,
    /// Relative move of its price by forced trades, on top.
    pub impact: f64,
    /// Net forced flow of the last step, quote units; buying > 0.
    pub flow_quote: f64,
}

/// What one scenario came to. Money is in quote units.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Id of the scenario, or name of the path.
    pub scenario: String,
    /// Hash of every event, in order.
    pub digest: String,
    /// Events.
    pub events: u64,
    /// Rounds, of all steps.
    pub rounds: Vec<RoundFigures>,
    /// How it ended.
    pub ending: Ending,
    /// Where pools stood at the first prices.
    pub before: Ladder,
    /// Where they stand at the last.
    pub after: Ladder,
    /// Liquidatable at the first prices, bankrupt ones among them.
    pub breached_pools: u64,
    /// What the events add up to.
    pub tally: Tally,
    /// Pools of [`Tally::deleveraged`].
    pub deleveraged_pools: u64,
    /// Pools of [`Tally::liquidated`].
    pub liquidated_pools: u64,
    /// Mean relative move of prices by the scenario alone, weighted by gross exposure.
    pub shock: f64,
    /// Mean |move| in the end over mean |move| by the scenario alone, weighted by gross exposure; `None` where nothing moved.
    pub amplification: Option<f64>,
    /// What forced trades did to each underlying with a contract held.
    pub books: Vec<BookFigures>,
    /// What is left of the insurance funds; `None` = unlimited.
    pub fund_left: Option<f64>,
    /// Equity of what the backstop took over, at the last prices.
    pub backstop_equity: f64,
    /// Pools that the backstop took over.
    pub taken_over_pools: u64,
}

impl Summary {
    /// Everything about a run at its end.
    pub(super) fn of(
        exchange: &Exchange<'_>,
        run: &Run<'_>,
        real: Marks<'_>,
        (before, after): (Ladder, Ladder),
        (rounds, ending): (Vec<RoundFigures>, Ending),
    ) -> Self {
        let scenarios = run.path.scenarios().as_it_is();
        let alone = ShockedMarket::new(exchange.snapshot, &scenarios);
        let column = Column::Scenario(run.step as usize);
        let books: Vec<BookFigures> = (exchange.exposures().filter(|(_, exposure)| *exposure > 0.0))
            .map(|(underlying, _)| {
                let impact = run.books.impact(underlying);
                let shock = alone.price_factor(underlying, column) - 1.0;
                BookFigures { underlying, shock, impact, flow_quote: run.books.flow_quote(underlying) }
            })
            .collect();
        let of = |underlying: u32| books.iter().find(|book| book.underlying == underlying);
        let shock = exchange.mean(|underlying| of(underlying).map_or(0.0, |book| book.shock));
        let alone = exchange.mean(|underlying| of(underlying).map_or(0.0, |book| book.shock.abs()));
        let total = exchange.mean(|u| of(u).map_or(0.0, |book| ((1.0 + book.shock) * (1.0 + book.impact) - 1.0).abs()));
        Self {
            scenario: run.path.name.clone(),
            digest: run.log.digest().to_hex().to_string(),
            events: run.log.count(),
            rounds,
            ending,
            breached_pools: before.liquidatable + before.bankrupt,
            before,
            after,
            deleveraged_pools: run.tally.deleveraged.len() as u64,
            liquidated_pools: run.tally.liquidated.len() as u64,
            shock,
            amplification: (alone > 0.0).then(|| total / alone),
            books,
            fund_left: run.funds.left().map(Quanta::units),
            backstop_equity: backstop_equity(run, real),
            taken_over_pools: run.tally.taken_over.len() as u64,
            tally: run.tally.clone(),
        }
    }
}

fn backstop_equity(run: &Run<'_>, real: Marks<'_>) -> f64 {
    let cash = run.ledger.cash_of(Party::Backstop).map(|(asset, amount)| amount.units() * real.asset_price(asset));
    let contracts = run.ledger.taken(Party::Backstop).map(|(i, contracts)| contracts.units() * real.unit_value(i));
    // Nothing at all sums to −0.
    cash.chain(contracts).sum::<f64>() + 0.0
}

/// Seconds of a liquidation's parts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Seconds {
    /// Screening sweeps.
    pub screen: f64,
    /// Everything that the CPU sequences.
    pub sequence: f64,
}

/// What a liquidation found out.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// One per path, in order.
    pub scenarios: Vec<Summary>,
    /// Hash of every event of every path.
    pub digest: String,
    /// Engine that screened.
    pub engine: String,
    /// Its adapter, where it has one.
    pub adapter: String,
    /// Screening sweeps.
    pub sweeps: u64,
    /// Cells that they evaluated.
    pub cells: u64,
    /// Pools of which nothing is claimed, and which are never liquidated.
    pub unknown_pools: u64,
    /// Verdicts that their audits recomputed; all agreed.
    pub audited_verdicts: u64,
    /// Wall-clock seconds.
    pub seconds: Seconds,
    /// Things a reader should know.
    pub warnings: Vec<String>,
}

impl Outcome {
    /// Counts a screening sweep.
    pub(super) fn add_sweep(&mut self, swept: &engine::Outcome) {
        self.engine.clone_from(&swept.engine);
        self.adapter.clone_from(&swept.adapter);
        self.sweeps += 1;
        self.cells += swept.cells;
        self.unknown_pools = swept.unknown_pools;
        self.audited_verdicts += swept.audit.verdicts;
        for warning in &swept.warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
    }
}
