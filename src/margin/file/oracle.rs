//! `[oracle]` in a rulebook file.

use toml::{Table, Value};

use super::keys::Shape;
use super::oracle_keys::{KEYS, OF_SUBJECT, UNLIMITED};
use super::section::{Field, Section};
use super::writer::Writer;
use super::{table_of, word_of};
use crate::oracle::{Aggregation, NonPositive, OraclePolicies, OraclePolicy, StablePolicy, Ties, Tolerance, Validity};

/// The policies; what is at fault stands as its default.
pub(super) fn read(section: &Section) -> OraclePolicies {
    let aggregation = section.choice("aggregation", &Aggregation::WORDS).unwrap_or_default();
    let general = read_policy(section, &OraclePolicy::of(aggregation));
    let of = section.named("subject").into_iter().flatten();
    let of = of.map(|(name, section)| (name.clone(), read_policy(section, &general))).collect();
    OraclePolicies { of, general }
}

/// A policy; what is not written or at fault is that of `default`.
fn read_policy(section: &Section, default: &OraclePolicy) -> OraclePolicy {
    let number = |name: &str, default: f64| section.number(name).unwrap_or(default);
    let limit = |name: &str, default: Option<f64>| match section.field(name) {
        Some(Field::Number(number)) => Some(*number),
        Some(_) => None,
        None => default,
    };
    OraclePolicy {
        aggregation: section.choice("aggregation", &Aggregation::WORDS).unwrap_or(default.aggregation),
        ties: section.choice("ties", &Ties::WORDS).unwrap_or(default.ties),
        price_tick: number("price_tick", default.price_tick),
        non_positive: section.choice("non_positive", &NonPositive::WORDS).unwrap_or(default.non_positive),
        max_age_seconds: limit("max_age_seconds", default.max_age_seconds),
        heartbeat_seconds: section.number("heartbeat_seconds").or(default.heartbeat_seconds),
        deviation_mads: limit("deviation_mads", default.deviation_mads),
        deviation_confidences: number("deviation_confidences", default.deviation_confidences),
        deviation_floor: number("deviation_floor", default.deviation_floor),
        minimum_sources: (section.integer("minimum_sources").and_then(|count| u32::try_from(count).ok()))
            .unwrap_or(default.minimum_sources),
        quorum: number("quorum", default.quorum),
        max_confidence: limit("max_confidence", default.max_confidence),
        confidence_multiple: number("confidence_multiple", default.confidence_multiple),
        confidence_cap: number("confidence_cap", default.confidence_cap),
        volatility_ratio: number("volatility_ratio", default.volatility_ratio),
        margin_age_seconds: number("margin_age_seconds", default.margin_age_seconds),
        market_making_age_seconds: number("market_making_age_seconds", default.market_making_age_seconds),
        mark_divergence: number("mark_divergence", default.mark_divergence),
        tolerance: section.table("tolerates").map_or(default.tolerance, |table| tolerance(table, default.tolerance)),
        stable: section.table("stable").map_or(default.stable, |table| stable(table, default.stable)),
        impact_factor: number("impact_factor", default.impact_factor),
        daily_volatility: section.number("daily_volatility").or(default.daily_volatility),
    }
}

fn tolerance(section: &Section, default: Tolerance) -> Tolerance {
    let class = |name: &str, default: Validity| section.choice(name, &Validity::WORDS).unwrap_or(default);
    Tolerance {
        margin: class("margin", default.margin),
        liquidate: class("liquidate", default.liquidate),
        open: class("open", default.open),
        withdraw: class("withdraw", default.withdraw),
        settle: class("settle", default.settle),
    }
}

fn stable(section: &Section, default: StablePolicy) -> StablePolicy {
    StablePolicy {
        growth_per_second: section.number("growth_per_second").unwrap_or(default.growth_per_second),
        delay_growth_per_hour: section.number("delay_growth_per_hour").unwrap_or(default.delay_growth_per_hour),
    }
}

/// Writes the policies under `[oracle]` and `[oracle.subject.NAME]`, every key written.
pub(super) fn write(policies: &OraclePolicies, writer: &mut Writer) {
    writer.section(&["oracle"], &to_table(&policies.general), Shape::Keys(KEYS));
    for (name, policy) in &policies.of {
        writer.section(&["oracle", "subject", name], &to_table(policy), Shape::Keys(&OF_SUBJECT));
    }
}

fn to_table(policy: &OraclePolicy) -> Table {
    let limit = |limit: Option<f64>| limit.map_or(Value::from(UNLIMITED), Value::from);
    let class = |class: Validity| Value::from(class.word());
    let tolerates = table_of([
        ("margin", class(policy.tolerance.margin)),
        ("liquidate", class(policy.tolerance.liquidate)),
        ("open", class(policy.tolerance.open)),
        ("withdraw", class(policy.tolerance.withdraw)),
        ("settle", class(policy.tolerance.settle)),
    ]);
    let stable = table_of([
        ("growth_per_second", policy.stable.growth_per_second.into()),
        ("delay_growth_per_hour", policy.stable.delay_growth_per_hour.into()),
    ]);
    let mut table = table_of([
        ("aggregation", word_of(&Aggregation::WORDS, policy.aggregation).into()),
        ("ties", word_of(&Ties::WORDS, policy.ties).into()),
        ("price_tick", policy.price_tick.into()),
        ("non_positive", word_of(&NonPositive::WORDS, policy.non_positive).into()),
        ("max_age_seconds", limit(policy.max_age_seconds)),
        ("deviation_mads", limit(policy.deviation_mads)),
        ("deviation_confidences", policy.deviation_confidences.into()),
        ("deviation_floor", policy.deviation_floor.into()),
        ("minimum_sources", i64::from(policy.minimum_sources).into()),
        ("quorum", policy.quorum.into()),
        ("max_confidence", limit(policy.max_confidence)),
        ("confidence_multiple", policy.confidence_multiple.into()),
        ("confidence_cap", policy.confidence_cap.into()),
        ("volatility_ratio", policy.volatility_ratio.into()),
        ("margin_age_seconds", policy.margin_age_seconds.into()),
        ("market_making_age_seconds", policy.market_making_age_seconds.into()),
        ("mark_divergence", policy.mark_divergence.into()),
        ("tolerates", tolerates.into()),
        ("stable", stable.into()),
        ("impact_factor", policy.impact_factor.into()),
    ]);
    for (name, value) in
        [("heartbeat_seconds", policy.heartbeat_seconds), ("daily_volatility", policy.daily_volatility)]
    {
        if let Some(value) = value {
            table.insert(name.into(), value.into());
        }
    }
    table
}
