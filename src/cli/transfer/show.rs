//! What `transfer` prints.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::io::transfer_file::PlanFile;
use crate::liquidation::Quanta;
use crate::margin::MarginSide;
use crate::transfer::{Breach, Cargo, Item, Outcome, Positions, Relation, SideOutcome, StepOutcome};

/// What is shown, and of what.
pub(super) struct Shown<'a> {
    pub(super) file: &'a PlanFile,
    pub(super) outcome: &'a Outcome,
    pub(super) relation: Relation,
}

impl Shown<'_> {
    pub(super) fn json(&self) -> Value {
        let (file, outcome) = (self.file, self.outcome);
        let target = &file.plan.target;
        let audit = |of: &crate::engine::Audit| json!({"pools": of.pools, "verdicts": of.verdicts, "decisions_differ": of.decisions_differ});
        json!({
            "outcome": if outcome.breach.is_none() { "safe" } else { "refused" },
            "relation": match self.relation { Relation::OneVenue => "one_venue", Relation::TwoVenues => "two_venues" },
            "source": {"account": file.source.account, "pool": file.source.pool},
            "destination": {"account": file.destination.account, "pool": file.destination.pool},
            "target": {"source": target.source, "destination": target.destination, "margin": self.margin()},
            "nonce": file.plan.nonce,
            "items": outcome.items.iter().map(item_json).collect::<Vec<_>>(),
            "steps": outcome.steps.iter().map(step_json).collect::<Vec<_>>(),
            "breach": outcome.breach.as_ref().map(breach_json),
            "next_breach": outcome.next_breach.as_ref().map(breach_json),
            "reopening_cost_quote": {"source": outcome.reopening_cost.0, "destination": outcome.reopening_cost.1},
            "conservation_error": outcome.conservation_error.0.to_string(),
            "digest": outcome.digest(),
            "engine": outcome.engine.0,
            "adapter": outcome.engine.1,
            "audits": outcome.audits.iter().map(audit).collect::<Vec<_>>(),
            "limits": self.limits(),
            "warnings": outcome.warnings,
        })
    }

    fn margin(&self) -> &'static str {
        match self.file.plan.target.on {
            MarginSide::Initial => "initial",
            MarginSide::Maintenance => "maintenance",
        }
    }

    /// What is kept, in a sentence.
    pub(super) fn target(&self) -> String {
        let (target, margin) = (&self.file.plan.target, self.margin());
        format!(
            "Adjusted equity at least {} (source) and {} (destination) times the {margin} margin, in the unshocked market and \
             under every scenario, in every state.",
            target.source, target.destination
        )
    }

    /// What the plan rests on and cannot show.
    pub(super) fn limits(&self) -> Vec<String> {
        let mut limits = vec![
            "A state is safe under the scenarios given, at their prices; what lies outside them is not claimed."
                .to_string(),
            "Both snapshots are taken to be of one moment, and neither pool to trade until the commit.".into(),
        ];
        match (self.relation, &self.file.plan.cargo) {
            (Relation::OneVenue, _) => limits.push("Pools of one book: the commit is one act.".into()),
            (Relation::TwoVenues, Cargo::Lots(_)) => limits.push(
                "Between two venues the commit is a message: once the source has paid out, the lot counts nowhere (beside the \
                 credit in transit) until the destination books it, and nothing here makes that message arrive."
                    .into(),
            ),
            (Relation::TwoVenues, Cargo::Whole(_)) => limits.push(
                "Positions and collateral change hands in one act, which both venues must agree to: no message protocol makes two \
                 books change at the same moment."
                    .into(),
            ),
        }
        match &self.file.plan.cargo {
            Cargo::Whole(Positions::Novation) => limits.push(
                "Novation: the destination takes the source's place in every contract, entry and funding included. Each venue \
                 then needs a counterparty to stay matched; who that is, is not modelled."
                    .into(),
            ),
            Cargo::Whole(Positions::Reopen(_)) => limits.push(
                "Reopening: closed and opened at the source's mark at the stated costs, whatever the size; no price impact."
                    .into(),
            ),
            Cargo::Lots(_) => {}
        }
        limits
    }

    pub(super) fn text(&self) -> String {
        let (file, outcome) = (self.file, self.outcome);
        let pool = |side: &crate::io::transfer_file::SideFiles| format!("{} / {}", side.account, side.pool);
        let mut text = format!("{} → {}\n{}\n\n", pool(&file.source), pool(&file.destination), self.target());
        text.push_str(&format!("{}\n\n{}\n\n", self.items(), self.states()));
        match &outcome.breach {
            None => text.push_str("safe: every state keeps every target\n"),
            Some(breach) => text.push_str(&format!("not to be started: {breach}\n")),
        }
        if let Some(breach) = &outcome.next_breach {
            text.push_str(&format!("one quantum more: {breach}\n"));
        }
        if matches!(file.plan.cargo, Cargo::Whole(Positions::Reopen(_))) {
            let (closing, opening) = outcome.reopening_cost;
            text.push_str(&format!("reopening costs {closing:.2} at the source, {opening:.2} at the destination\n"));
        }
        let notes = self.limits().into_iter().map(|limit| format!("note: {limit}"));
        let warnings = outcome.warnings.iter().map(|warning| format!("warning: {warning}"));
        text.push_str(&notes.chain(warnings).collect::<Vec<_>>().join("\n"));
        text
    }

    fn items(&self) -> Table {
        let rows = self.outcome.items.iter().map(|item| {
            let amounts = [item.source_before, item.leaving, item.fee, item.arriving, item.destination_after()];
            std::iter::once(item.name.clone()).chain(amounts.map(|amount| amount.to_string())).collect()
        });
        table(&["holding", "source before", "leaves", "fee", "arrives", "destination after"], rows)
    }

    fn states(&self) -> Table {
        let header =
            ["state", "side", "adjusted", "initial", "maintenance", "ratio", "target", "missed", "worst", "excess"];
        let sides = self.outcome.steps.iter().flat_map(|step| step.sides().map(|(name, side)| (step, name, side)));
        let rows = sides.map(|(step, name, side)| {
            let base = &side.pool.base;
            vec![
                step.state.name().to_string(),
                name.name().into(),
                format!("{:.2}", base.adjusted_equity),
                format!("{:.2}", base.initial_margin),
                format!("{:.2}", base.maintenance_margin),
                side.ratio().map_or_else(|| "–".into(), |ratio| format!("{ratio:.4}")),
                side.verdict().into(),
                side.check.breached.to_string(),
                side.check.scenario.clone(),
                format!("{:.2}", side.check.excess),
            ]
        });
        table(&header, rows)
    }
}

fn step_json(step: &StepOutcome) -> Value {
    json!({
        "state": step.state.name(),
        "at_hours": step.at_hours,
        "joint_requirement": step.joint_requirement,
        "source": side_json(&step.source),
        "destination": side_json(&step.destination),
    })
}

fn side_json(side: &SideOutcome) -> Value {
    let base = &side.pool.base;
    json!({
        "counts": side.counts.iter().map(Quanta::to_string).collect::<Vec<_>>(),
        "equity": base.equity,
        "adjusted_equity": base.adjusted_equity,
        "initial_margin": base.initial_margin,
        "maintenance_margin": base.maintenance_margin,
        "health_ratio": base.health_ratio(),
        "ratio": side.ratio(),
        "status": side.pool.state.name(),
        "verdict": side.verdict(),
        "breached_markets": side.check.breached,
        "worst_scenario": side.check.scenario,
        "worst_excess": side.check.excess,
        "restricted_scenarios": side.pool.restricted_scenarios,
        "liquidatable_scenarios": side.pool.liquidatable_scenarios,
        "bankrupt_scenarios": side.pool.bankrupt_scenarios,
        "digest": side.digest,
    })
}

fn item_json(item: &Item) -> Value {
    let text = |amount: Quanta| amount.to_string();
    json!({
        "kind": item.kind.name(),
        "name": item.name,
        "source_before": text(item.source_before),
        "destination_before": text(item.destination_before),
        "leaving": text(item.leaving),
        "fee": text(item.fee),
        "realised": text(item.realised),
        "cost": text(item.cost),
        "arriving": text(item.arriving),
        "source_after": text(item.source_after()),
        "destination_after": text(item.destination_after()),
    })
}

fn breach_json(breach: &Breach) -> Value {
    json!({
        "state": breach.state.name(),
        "side": breach.side.name(),
        "scenario": breach.scenario,
        "excess": breach.excess,
        "breached_markets": breach.breached,
    })
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.iter().copied());
    rows.for_each(|row| {
        table.add_row(row);
    });
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
