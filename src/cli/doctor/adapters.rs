use serde_json::{Value, json};

use super::{AdapterReport, Choice, Probe};
use crate::engine::gpu::probe::{self, ProbeReport, Rounding, Seen};
use crate::engine::gpu::{self, AdapterSummary};
use crate::error::Result;

/// Lists all adapters and probes the one asked for, or all of them.
pub(super) fn examine(asked: Option<&str>) -> Result<(Vec<AdapterReport>, Choice)> {
    let adapters = gpu::adapters();
    let summaries: Vec<AdapterSummary> =
        adapters.iter().map(|adapter| AdapterSummary::of(&adapter.get_info())).collect();
    let chosen = match asked {
        None => None,
        Some(_) => Some(gpu::position(&summaries, asked).ok_or_else(|| gpu::none_like(asked, &summaries))?),
    };
    let reports = adapters.iter().zip(&summaries).enumerate().map(|(index, (adapter, summary))| {
        let wanted = chosen.is_none_or(|chosen| chosen == index);
        report(adapter, summary, wanted.then(|| probe(adapter)))
    });
    Ok((reports.collect(), choice(&summaries)))
}

fn choice(summaries: &[AdapterSummary]) -> Choice {
    let index = gpu::position(summaries, None);
    let reason = match index {
        Some(index) => format!("gpu, adapter {index}: the first hardware one"),
        None if summaries.is_empty() => "cpu: there is no adapter".into(),
        None => "cpu: software adapters are refused unless named with --adapter".into(),
    };
    Choice { index, reason }
}

fn report(adapter: &wgpu::Adapter, summary: &AdapterSummary, probe: Option<Probe>) -> AdapterReport {
    let (limits, features) = (adapter.limits(), adapter.features());
    AdapterReport {
        name: summary.name.clone(),
        kind: summary.kind,
        backend: summary.backend.clone(),
        driver: summary.driver.clone(),
        limits: [
            ("storage_binding_bytes", limits.max_storage_buffer_binding_size),
            ("buffer_bytes", limits.max_buffer_size),
            ("workgroup_memory_bytes", limits.max_compute_workgroup_storage_size.into()),
            ("workgroups_per_dimension", limits.max_compute_workgroups_per_dimension.into()),
        ],
        features: [
            ("SUBGROUP", features.contains(wgpu::Features::SUBGROUP)),
            ("SHADER_F64", features.contains(wgpu::Features::SHADER_F64)),
            ("SHADER_INT64", features.contains(wgpu::Features::SHADER_INT64)),
            ("TIMESTAMP_QUERY", features.contains(wgpu::Features::TIMESTAMP_QUERY)),
        ],
        probe,
    }
}

fn probe(adapter: &wgpu::Adapter) -> Probe {
    match probe::run(adapter) {
        Ok(report) => Probe { lines: lines(&report), json: object(&report), faults: report.faults() },
        // A device that does not open cannot be used either.
        Err(error) => Probe { faults: vec![error.to_string()], ..Probe::default() },
    }
}

fn lines(report: &ProbeReport) -> Vec<(&'static str, String)> {
    let rounding = |rounding: Rounding| {
        let Rounding { nearest, other_neighbour, outside, worst_error } = rounding;
        format!("{nearest} nearest, {other_neighbour} other neighbour, {outside} outside; worst {worst_error:.3e}")
    };
    let arithmetic = &report.arithmetic;
    let known = |wrong: &Option<String>| wrong.as_ref().map_or("right".into(), |reason| format!("WRONG: {reason}"));
    vec![
        ("rounding of a + b", rounding(arithmetic.addition)),
        ("rounding of a * b", rounding(arithmetic.multiplication)),
        ("a * b + c fused", arithmetic.contracted.to_string()),
        ("TwoSum survives", arithmetic.error_term_kept.to_string()),
        ("subnormal operands flushed", arithmetic.subnormal_inputs_flushed.to_string()),
        ("subnormal results flushed", arithmetic.subnormal_results_flushed.to_string()),
        ("known-answer sweep", known(&report.wrong_answer)),
        ("known-answer option", known(&report.wrong_price)),
    ]
}

fn object(report: &ProbeReport) -> Value {
    let rounding = |rounding: Rounding| {
        let Rounding { nearest, other_neighbour, outside, worst_error } = rounding;
        json!({"nearest": nearest, "other_neighbour": other_neighbour, "outside": outside, "worst_error": worst_error})
    };
    let seen = |Seen { seen, of }: Seen| json!({"seen": seen, "of": of});
    let arithmetic = &report.arithmetic;
    json!({
        "addition": rounding(arithmetic.addition),
        "multiplication": rounding(arithmetic.multiplication),
        "contracted": seen(arithmetic.contracted),
        "error_term_kept": seen(arithmetic.error_term_kept),
        "subnormal_inputs_flushed": seen(arithmetic.subnormal_inputs_flushed),
        "subnormal_results_flushed": seen(arithmetic.subnormal_results_flushed),
        "known_answer_right": report.wrong_answer.is_none(),
        "known_price_right": report.wrong_price.is_none(),
    })
}
