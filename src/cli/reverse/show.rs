use serde_json::{Map, Value, json};

use super::Args;
use crate::reverse::{Answer, Buffer, Crossing, Findings, Question};

/// Factors of an answer that are named in a table: those that move most.
const SHOWN_FACTORS: usize = 6;

/// A finished search, to be printed.
pub struct Shown<'a> {
    pub args: &'a Args,
    pub question: Question<'a>,
    pub findings: &'a Findings,
    pub warnings: &'a [String],
}

impl Shown<'_> {
    /// The search as one JSON object: what scripts rely on.
    pub fn json(&self) -> Value {
        let Self { args, question, findings, .. } = self;
        let ellipsoid = question.ellipsoid;
        let factor = |(factor, deviation): (_, &f64)| json!({"factor": format!("{factor}"), "deviation": deviation});
        json!({
            "digest": findings.digest,
            "engine": findings.outcome.engine,
            "adapter": findings.outcome.adapter,
            "account": args.account,
            "pool": args.pool,
            "pools": question.snapshot.book.len(),
            "target": question.target.name(),
            "amount": question.target.amount(),
            "base": findings.base,
            "reached": !findings.answers.is_empty(),
            "max_radius": args.max_radius,
            "answers": findings.answers.iter().enumerate().map(|(at, answer)| self.answer_json(at, answer)).collect::<Vec<_>>(),
            "furthest": findings.furthest.as_ref().map(|furthest| json!({"value": furthest.value,
                "radius": furthest.radius, "shocks": self.shocks(&furthest.shocks)})),
            "buffers": findings.buffers.iter().map(buffer_json).collect::<Vec<_>>(),
            "history": findings.evidence.as_ref().map(|evidence| json!({"rows": evidence.rows,
                "reaching": evidence.reaching})),
            "factors": ellipsoid.moving().zip(ellipsoid.deviations()).map(factor).collect::<Vec<_>>(),
            "still": ellipsoid.still().map(ToString::to_string).collect::<Vec<_>>(),
            "correlation_shrinkage": ellipsoid.shrinkage(),
            "evaluated": findings.evaluated,
            "seed": args.seed,
            "out": (!findings.answers.is_empty()).then(|| args.out.display().to_string()),
            "warnings": self.warnings,
        })
    }

    fn answer_json(&self, at: usize, answer: &Answer) -> Value {
        json!({
            "scenario": self.findings.set.ids[at],
            "radius": answer.radius,
            "likelihood": answer.likelihood,
            "value": answer.value,
            "restricted_pools": answer.outcome.restricted_pools,
            "liquidatable_pools": answer.outcome.liquidatable_pools,
            "bankrupt_pools": answer.outcome.bankrupt_pools,
            "shortfall": answer.outcome.shortfall,
            "liquidatable_notional": answer.outcome.liquidatable_notional,
            "history_rows_beyond": answer.beyond,
            "shocks": self.shocks(&answer.shocks),
        })
    }

    fn shocks(&self, shocks: &[f64]) -> Map<String, Value> {
        let factors = self.question.ellipsoid.factors().iter();
        factors.zip(shocks).map(|(factor, shock)| (factor.to_string(), json!(shock))).collect()
    }

    /// The search for reading.
    pub fn text(&self) -> String {
        let Self { args, question, findings, .. } = self;
        let mut lines = vec![format!(
            "target {} ≥ {} over {} pool(s); unshocked {}; {} scenarios evaluated on {}",
            question.target.name(),
            question.target.amount(),
            question.snapshot.book.len(),
            findings.base,
            findings.evaluated,
            findings.outcome.engine
        )];
        lines.extend(self.answer_lines());
        if let Some(reaching) = findings.evidence.as_ref().and_then(|evidence| evidence.reaching) {
            lines.push(format!("{reaching} rows of the history reach the target when replayed"));
        }
        lines.extend(findings.buffers.iter().filter(|of| of.down.is_some() || of.up.is_some()).map(buffer_line));
        if question.ellipsoid.shrinkage() > 0.0 {
            let percent = 100.0 * question.ellipsoid.shrinkage();
            lines.push(format!("the correlations are not positive definite: every one was shrunk by {percent:.4} %"));
        }
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        if !findings.answers.is_empty() {
            lines.push(format!("{}: {} scenario(s)", args.out.display(), findings.answers.len()));
        }
        lines.push(format!("digest {}", findings.digest));
        lines.join("\n")
    }

    /// The answers, or how near the search came.
    fn answer_lines(&self) -> Vec<String> {
        let (findings, name) = (self.findings, self.question.target.name());
        let mut lines = Vec::new();
        for (id, answer) in findings.set.ids.iter().zip(&findings.answers) {
            lines.push(format!(
                "{id}: radius {:.4}, likelihood {:.3e} of the first; {name} {}; {}",
                answer.radius,
                answer.likelihood,
                answer.value,
                self.largest(&answer.shocks)
            ));
            if let (Some(beyond), Some(evidence)) = (answer.beyond, &findings.evidence) {
                lines.push(format!("  {beyond} of {} rows of the history went as far that way", evidence.rows));
            }
        }
        if let Some(furthest) = &findings.furthest {
            lines.push(format!(
                "not reached within radius {}: the highest {name} seen is {}, at radius {:.4}; {}",
                self.args.max_radius,
                furthest.value,
                furthest.radius,
                self.largest(&furthest.shocks)
            ));
        }
        lines
    }

    /// The largest shocks, in words.
    fn largest(&self, shocks: &[f64]) -> String {
        let mut named: Vec<_> = self.question.ellipsoid.factors().iter().zip(shocks).collect();
        named.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let words: Vec<String> =
            named.iter().take(SHOWN_FACTORS).map(|(factor, shock)| format!("{factor} {shock:+.4}")).collect();
        let more = if named.len() > SHOWN_FACTORS { " …" } else { "" };
        format!("{}{more}", words.join(", "))
    }
}

fn buffer_json(buffer: &Buffer) -> Value {
    let side = |crossing: Option<Crossing>| {
        crossing.map(|crossing| json!({"shock": crossing.shock, "deviations": crossing.deviations}))
    };
    json!({"factor": buffer.factor.to_string(), "down": side(buffer.down), "up": side(buffer.up)})
}

fn buffer_line(buffer: &Buffer) -> String {
    let side = |crossing: Option<Crossing>| match crossing {
        Some(Crossing { shock, deviations }) => format!("{shock:+.6} ({deviations:.2} standard deviations)"),
        None => "never".into(),
    };
    format!("{} alone: down {}, up {}", buffer.factor, side(buffer.down), side(buffer.up))
}
