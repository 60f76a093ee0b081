//! What `hedge` prints.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{Args, On, TradeAtName};
use crate::cli::print_text;
use crate::domain::{Pool, Side, Snapshot};
use crate::engine::Figures;
use crate::hedge::{Hedged, Plan, PlanOutcome, Trade};

/// What is shown, and of what.
pub(super) struct Shown<'a> {
    pub(super) args: &'a Args,
    pub(super) snapshot: &'a Snapshot,
    pub(super) pool: Pool<'a>,
}

impl Shown<'_> {
    pub(super) fn unknown_json(&self) -> Value {
        let mut object = self.head();
        object["before"] = Value::Null;
        object["met_before"] = Value::Null;
        object["plans"] = json!([]);
        object
    }

    pub(super) fn unknown_text(&self) -> String {
        let (account, pool) = (self.pool.account, self.pool.pool);
        format!("{account} / {pool}: unknown: a refused row touches this pool, so nothing is planned for it")
    }

    pub(super) fn json(&self, hedged: &Hedged) -> Value {
        let mut object = self.head();
        object["before"] = self.figures_json(&hedged.before);
        object["met_before"] = hedged.plans.is_empty().into();
        let plans = hedged.plans.iter().enumerate();
        object["plans"] = plans.map(|(at, plan)| self.plan_json(plan, hedged.cheapest == Some(at))).collect();
        object
    }

    fn head(&self) -> Value {
        json!({
            "account": self.pool.account,
            "pool": self.pool.pool,
            "scenario": self.args.scenario,
            "target": self.args.target,
            "on": match self.args.on { On::Initial => "initial", On::Maintenance => "maintenance" },
            "trade_at": match self.args.trade_at { TradeAtName::Scenario => "scenario", TradeAtName::Base => "base" },
        })
    }

    /// The requirement that the target is a multiple of.
    fn requirement(&self, figures: &Figures) -> f64 {
        match self.args.on {
            On::Initial => figures.initial_margin,
            On::Maintenance => figures.maintenance_margin,
        }
    }

    /// Adjusted equity / requirement; `None` where that is zero.
    fn ratio(&self, figures: &Figures) -> Option<f64> {
        let requirement = self.requirement(figures);
        (requirement != 0.0).then(|| figures.adjusted_equity / requirement).filter(|ratio| ratio.is_finite())
    }

    fn figures_json(&self, figures: &Figures) -> Value {
        json!({
            "equity": figures.equity,
            "adjusted_equity": figures.adjusted_equity,
            "initial_margin": figures.initial_margin,
            "maintenance_margin": figures.maintenance_margin,
            "health_ratio": figures.health_ratio(),
            "ratio": self.ratio(figures),
        })
    }

    fn plan_json(&self, plan: &Plan, cheapest: bool) -> Value {
        let mut object = json!({
            "plan": plan.choice.name(),
            "outcome": outcome_name(&plan.outcome),
            "cheapest": cheapest,
            "method": null,
            "cost_quote": null,
            "shortfall_quote": null,
            "after": null,
            "legs": [],
        });
        match &plan.outcome {
            PlanOutcome::Restored { trades, cost_quote, after, method } => {
                object["method"] = method.name().into();
                object["cost_quote"] = (*cost_quote).into();
                object["after"] = self.figures_json(after);
                object["legs"] = trades.iter().map(|trade| self.trade_json(trade)).collect();
            }
            PlanOutcome::Infeasible { shortfall_quote } => object["shortfall_quote"] = (*shortfall_quote).into(),
            PlanOutcome::Unsettled => {}
        }
        object
    }

    fn trade_json(&self, trade: &Trade) -> Value {
        json!({
            "instrument": self.name(trade),
            "side": side(trade.position.side),
            "quantity_before": trade.position.quantity,
            "quantity_after": trade.quantity,
            "cost_quote": trade.cost_quote,
            "marginal_requirement_quote": trade.marginal_requirement,
        })
    }

    fn name(&self, trade: &Trade) -> &str {
        &self.snapshot.instruments[trade.position.instrument as usize].name
    }

    pub(super) fn print(&self, hedged: &Hedged) {
        let market = match &self.args.scenario {
            Some(id) => format!("scenario {id}"),
            None => "unshocked market".into(),
        };
        let (account, pool) = (self.pool.account, self.pool.pool);
        let before = self.figures_text(&hedged.before);
        print_text(format_args!("{account} / {pool}, {market}: {before}"));
        if hedged.plans.is_empty() {
            print_text(format_args!("the target of {} is met; nothing to trade", self.args.target));
        }
        for (at, plan) in hedged.plans.iter().enumerate() {
            self.print_plan(plan, hedged.cheapest == Some(at));
        }
    }

    fn figures_text(&self, figures: &Figures) -> String {
        let requirement = self.requirement(figures);
        let ratio = self.ratio(figures).map_or_else(|| "no requirement".into(), |ratio| format!("ratio {ratio:.6}"));
        format!("adjusted equity {:.2}, requirement {requirement:.2}, {ratio}", figures.adjusted_equity)
    }

    fn print_plan(&self, plan: &Plan, cheapest: bool) {
        let name = plan.choice.name();
        match &plan.outcome {
            PlanOutcome::Restored { trades, cost_quote, after, method } => {
                let mark = if cheapest { ", the cheapest" } else { "" };
                let by = method.name();
                print_text(format_args!(
                    "\n{name}{mark}: cost {cost_quote:.2} (by {by}); {}",
                    self.figures_text(after)
                ));
                print_text(self.table(trades));
            }
            PlanOutcome::Infeasible { shortfall_quote } => {
                print_text(format_args!("\n{name}: infeasible: at best {shortfall_quote:.2} is missing"));
            }
            PlanOutcome::Unsettled => {
                print_text(format_args!(
                    "\n{name}: unsettled: neither trades nor a proof that there are none were found"
                ));
            }
        }
    }

    /// The positions traded.
    fn table(&self, trades: &[Trade]) -> Table {
        let mut table = Table::new();
        let header = ["instrument", "before", "after", "cost", "marginal requirement"];
        table.load_style(presets::ASCII_MARKDOWN).set_header(header);
        for column in 1..header.len() {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for trade in trades.iter().filter(|trade| trade.quantity != trade.position.quantity) {
            table.add_row([
                self.name(trade).to_owned(),
                trade.position.quantity.to_string(),
                trade.quantity.to_string(),
                format!("{:.2}", trade.cost_quote),
                format!("{:.4}", trade.marginal_requirement),
            ]);
        }
        table
    }
}

fn outcome_name(outcome: &PlanOutcome) -> &'static str {
    match outcome {
        PlanOutcome::Restored { .. } => "restored",
        PlanOutcome::Infeasible { .. } => "infeasible",
        PlanOutcome::Unsettled => "unsettled",
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Net => "net",
        Side::Long => "long",
        Side::Short => "short",
    }
}
