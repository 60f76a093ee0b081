//! The status ladder in words and as JSON.

use serde_json::{Value, json};

use crate::margin::StatusRung;

/// A rung as JSON: the keys of the rulebook file.
pub(super) fn rung_json(rung: &StatusRung) -> Value {
    json!({
        "name": rung.name,
        "action": rung.action.name(),
        "below": rung.below,
        "target_ratio": rung.target_ratio,
        "hysteresis": rung.hysteresis,
    })
}

/// A rung in words.
pub(super) fn rung_text(rung: &StatusRung) -> String {
    let action = rung.action.name();
    let named = if rung.name == action { String::new() } else { format!(" ({action})") };
    let target = rung.target_ratio.map_or_else(String::new, |ratio| format!(", up to {ratio}"));
    let left = match rung.hysteresis {
        0.0 => String::new(),
        hysteresis => format!(", left from {}", rung.below + hysteresis),
    };
    format!("{}{named} below a health ratio of {}{target}{left}", rung.name, rung.below)
}
