//! Option classes in words and numbers.

use serde_json::{Value, json};

use crate::cli::print_text;
use crate::margin::{MarkIn, OptionClass, OptionReference, OptionRequirement, OptionSpread};

pub(super) fn option_json(class: &OptionClass) -> Value {
    let requirement = |requirement: &OptionRequirement| {
        json!({
            "rate": requirement.rate,
            "floor": requirement.floor,
            "put_cap_of_strike": requirement.put_cap_of_strike,
            "put_floor_of_mark": requirement.put_floor_of_mark,
            "long_of_mark": requirement.long_of_mark,
        })
    };
    let mark = match class.mark {
        MarkIn::Equity => "equity",
        MarkIn::Requirement => "requirement",
    };
    json!({
        "reference": reference_name(class.reference),
        "mark": mark,
        "maintenance": requirement(&class.maintenance),
        "initial": requirement(&class.initial),
        "initial_over_maintenance": {
            "call": class.call_initial_over_maintenance,
            "put": class.put_initial_over_maintenance,
        },
        "long_credit": class.long_credit,
    })
}

pub(super) fn spread_json(spread: &OptionSpread) -> Value {
    json!({
        "classes": spread.classes,
        "unpaired_initial": spread.unpaired_initial,
        "unpaired_maintenance": spread.unpaired_maintenance,
    })
}

fn reference_name(reference: OptionReference) -> &'static str {
    match reference {
        OptionReference::Index => "index",
        OptionReference::Forward => "forward",
        OptionReference::Strike => "strike",
    }
}

/// One class: its requirements, then what holds for both.
pub(super) fn print_option(name: &str, class: &OptionClass, spread: Option<&OptionSpread>) {
    let reference = reference_name(class.reference);
    print_text(format_args!("{name} (options; shares of the {reference}, of a coin where settled in coins)"));
    for (requirement, of) in [("maintenance", &class.maintenance), ("initial", &class.initial)] {
        print_text(format_args!("  {requirement}: {}", sentence(of, reference)));
    }
    for (right, ratio) in [("call", class.call_initial_over_maintenance), ("put", class.put_initial_over_maintenance)] {
        if ratio > 0.0 {
            print_text(format_args!(
                "  short {right}: initial requirement + mark at least {ratio} · (maintenance requirement + mark)"
            ));
        }
    }
    print_text(match class.mark {
        MarkIn::Equity => "  mark: in equity, which holds every option's value; not required again",
        MarkIn::Requirement => "  mark: in equity, and again in the requirement of a short option",
    });
    print_text(format_args!(
        "  long, premium paid: {} of its value counts in adjusted equity",
        percent(class.long_credit)
    ));
    if let Some(spread) = spread {
        print_text(format_args!(
            "  options of one expiry: no more than they can lose at any strike; a net short call adds {} (initial) or {} \
             (maintenance) of the forward",
            percent(spread.unpaired_initial),
            percent(spread.unpaired_maintenance)
        ));
    }
}

fn sentence(requirement: &OptionRequirement, reference: &str) -> String {
    let mut text = match requirement.rate {
        0.0 => format!("short {} of the {reference}", percent(requirement.floor)),
        rate => format!(
            "short {} of the {reference} less the amount out of the money, at least {}",
            percent(rate),
            percent(requirement.floor)
        ),
    };
    if let Some(cap) = requirement.put_cap_of_strike {
        text += &format!("; put at most {} of the strike", percent(cap));
    }
    if requirement.put_floor_of_mark > 0.0 {
        text += &format!("; put at least {} of its mark", percent(requirement.put_floor_of_mark));
    }
    if requirement.long_of_mark > 0.0 {
        text += &format!("; long {} of its mark", percent(requirement.long_of_mark));
    }
    text
}

/// To a millionth of a percent, so that the rounding of a product does not show.
fn percent(share: f64) -> String {
    format!("{} %", (share * 1e8).round() / 1e6)
}
