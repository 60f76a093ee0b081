//! What a walk forward found, as JSON and as text.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::forecast::{Bin, Evaluation, Gain, Interval, ModelKind, Score, Verdict, WalkForward};

/// A walk and its scores.
pub(super) struct Findings<'w> {
    pub(super) walk: &'w WalkForward,
    pub(super) evaluation: &'w Evaluation,
}

impl Findings<'_> {
    /// One JSON object: what scripts rely on.
    pub(super) fn json(&self) -> Value {
        let Self { walk, evaluation } = self;
        let bins = evaluation.scores.iter().flat_map(|score| {
            let bins = score.spikes.iter().flat_map(|spikes| &spikes.reliability);
            bins.map(|bin| bin_json(score.model, bin))
        });
        json!({
            "asset": walk.asset,
            "companions": walk.companions,
            "from": walk.observations.first().map(|seen| moment(seen.hour)),
            "to": walk.observations.last().map(|seen| moment(seen.hour)),
            "observations": evaluation.observations,
            "base_rate": evaluation.base_rate,
            "models": evaluation.scores.iter().map(score_json).collect::<Vec<_>>(),
            "choice": evaluation.choice().name(),
            "reliability": bins.collect::<Vec<_>>(),
            "digest": evaluation.digest,
        })
    }
}

/// A moment as text.
pub(super) fn moment(hour: i64) -> String {
    crate::scenario::panel::moment(hour).map_or_else(|| hour.to_string(), |moment| moment.to_string())
}

fn score_json(score: &Score) -> Value {
    let spikes = score.spikes.as_ref();
    json!({
        "name": score.model.name(),
        "forecasts": score.forecasts,
        "pr_auc": spikes.and_then(|spikes| spikes.pr_auc),
        "roc_auc": spikes.and_then(|spikes| spikes.roc_auc),
        "brier": spikes.map(|spikes| spikes.brier),
        "log_loss": spikes.map(|spikes| spikes.log_loss),
        "qlike": score.qlike,
        "against": score.gain.map(|_| ModelKind::LogHar.name()),
        "pr_auc_gain": score.gain.and_then(|gain| gain.pr_auc).map(interval_json),
        "qlike_gain": score.gain.and_then(|gain| gain.qlike).map(interval_json),
        "log_loss_gain": score.gain.and_then(|gain| gain.log_loss).map(interval_json),
        "months": score.gain.map(|gain| gain.months),
        "spikes": score.gain.map(|gain| gain.spikes),
        "verdict": score.verdict.name(),
        "used": score.used(),
    })
}

/// An interval as JSON.
pub(super) fn interval_json(interval: Interval) -> Value {
    json!({ "estimate": interval.estimate, "low": interval.low, "high": interval.high })
}

fn bin_json(model: ModelKind, bin: &Bin) -> Value {
    json!({
        "model": model.name(), "low": bin.low, "high": bin.high, "count": bin.count,
        "forecast": bin.forecast, "observed": bin.observed,
    })
}

/// The same for reading.
pub(super) fn text(findings: &Findings<'_>) -> String {
    let Findings { walk, evaluation } = findings;
    let span = walk.observations.first().zip(walk.observations.last());
    let span =
        span.map_or_else(String::new, |(first, last)| format!("{} to {}", moment(first.hour), moment(last.hour)));
    let looks = if walk.companions.is_empty() { String::new() } else { format!(" with {}", walk.companions.join(" ")) };
    let choice = evaluation.choice();
    let chosen = evaluation.score(choice).and_then(|score| score.spikes.as_ref());
    let mut text = format!(
        "{}{looks}: {} moments, {span}; {:.2} % were followed by a spike\n{}\n{}",
        walk.asset,
        evaluation.observations,
        100.0 * evaluation.base_rate,
        score_table(&evaluation.scores),
        "gains over log_har with 95 % intervals (months resampled); garch_t at midnight (UTC) only, against log_har there",
    );
    text.push_str(&verdict(evaluation));
    if let Some(spikes) = chosen {
        text.push_str(&format!("\nreliability of {}\n{}", choice.name(), bin_table(&spikes.reliability)));
    }
    text.push_str(&format!("\ndigest {}", evaluation.digest));
    text
}

/// Why the gate cannot judge, in words.
pub(super) fn too_short(evaluation: &Evaluation) -> String {
    let rule = evaluation.rule;
    let found = evaluation.score(ModelKind::HarX).and_then(|score| score.gain);
    let (months, spikes) = found.map_or((0, 0), |gain| (gain.months, gain.spikes));
    format!(
        "the gate cannot judge: it needs {} calendar months and {} spikes of forecasts; here are {months} and {spikes}",
        rule.months, rule.spikes
    )
}

fn ridge_is(evaluation: &Evaluation, verdict: Verdict) -> bool {
    evaluation.score(ModelKind::HarX).is_some_and(|score| score.verdict == verdict)
}

/// What the gate let pass, in a sentence.
fn verdict(evaluation: &Evaluation) -> String {
    match evaluation.choice() {
        ModelKind::LogHar if ridge_is(evaluation, Verdict::TooShort) => {
            format!("\n{}: log_har is used", too_short(evaluation))
        }
        ModelKind::LogHar => {
            "\nno ridge model beats log_har with an interval above zero and none below: log_har is used".into()
        }
        choice => format!("\n{} passes the gate, with the least log loss of those that do: it is used", choice.name()),
    }
}

fn score_table(scores: &[Score]) -> Table {
    let mut table = Table::new();
    let header = ["model", "n", "PR-AUC", "ROC", "Brier", "log loss", "QLIKE", "PR-AUC gain", "QLIKE gain", "used"];
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for score in scores {
        let spikes = score.spikes.as_ref();
        let gain =
            |of: fn(&Gain) -> Option<Interval>| score.gain.as_ref().and_then(of).map_or_else(dash, interval_text);
        table.add_row([
            score.model.name().to_owned(),
            score.forecasts.to_string(),
            spikes.and_then(|spikes| spikes.pr_auc).map_or_else(dash, |value| format!("{value:.3}")),
            spikes.and_then(|spikes| spikes.roc_auc).map_or_else(dash, |value| format!("{value:.3}")),
            spikes.map_or_else(dash, |spikes| format!("{:.4}", spikes.brier)),
            spikes.map_or_else(dash, |spikes| format!("{:.4}", spikes.log_loss)),
            format!("{:.3}", score.qlike),
            gain(|gain| gain.pr_auc),
            gain(|gain| gain.qlike),
            match score.verdict {
                Verdict::Baseline => "baseline",
                Verdict::Passed => "may be",
                Verdict::Failed => "no",
                Verdict::TooShort => "too short",
            }
            .to_owned(),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn bin_table(bins: &[Bin]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["from", "to", "n", "forecast", "observed"]);
    for bin in bins {
        let shares = [bin.low, bin.high].map(|share| format!("{share:.3}"));
        let means = [bin.forecast, bin.observed].map(|share| format!("{share:.3}"));
        table.add_row(shares.into_iter().chain([bin.count.to_string()]).chain(means));
    }
    table.column_iter_mut().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// An interval for reading.
pub(super) fn interval_text(interval: Interval) -> String {
    format!("{:+.3} [{:+.3}, {:+.3}]", interval.estimate, interval.low, interval.high)
}

fn dash() -> String {
    "–".into()
}
