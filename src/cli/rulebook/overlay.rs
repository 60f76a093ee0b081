//! The overlay in words.

use serde_json::{Value, json};

use crate::cli::print_text;
use crate::margin::{InForce, Overlay};

pub(super) fn overlay_json(overlay: &Overlay) -> Value {
    let of = overlay.coefficients;
    let in_force = |(name, in_force): (&String, &InForce)| {
        let InForce { initial, maintenance, since, model, .. } = in_force;
        json!({
            "underlying": name, "initial": initial, "maintenance": maintenance, "since": since.to_string(), "model": model,
        })
    };
    json!({
        "blend": of.blend,
        "floor": of.floor,
        "cap": of.cap,
        "rise_per_day": of.rise_per_day,
        "half_life_days": of.half_life_days,
        "notice_hours": of.notice_hours,
        "in_force": overlay.in_force.iter().map(in_force).collect::<Vec<_>>(),
    })
}

/// The same in words.
pub(super) fn print_overlay(overlay: &Overlay) {
    let of = overlay.coefficients;
    print_text(format_args!(
        "overlay: requirements of margin classes times {} to {}, {} of the variance forecast; initial up by at most {} a day, down by \
         half in {} days; maintenance up {} hours after",
        of.floor, of.cap, of.blend, of.rise_per_day, of.half_life_days, of.notice_hours
    ));
    if overlay.in_force.is_empty() {
        print_text("  no multipliers in force: 1 for every underlying");
    }
    for (name, InForce { initial, maintenance, since, model, .. }) in &overlay.in_force {
        let by = model.as_ref().map_or_else(|| "by hand".to_owned(), |model| format!("by model {model}"));
        print_text(format_args!("  {name}: initial {initial}, maintenance {maintenance} since {since}, {by}"));
    }
}
