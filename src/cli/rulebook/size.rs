//! Size functions of margin classes, as `rulebook explain` shows them.

use serde_json::{Value, json};

use crate::cli::print_text;
use crate::margin::{Form, Growth, OpenInterestRate, Schedule, SizeCurve, SizeFunction, SizeUnit};

/// A size function as JSON: the keys of the rulebook file, brackets with their deductions.
pub(super) fn size_json(size: &SizeFunction) -> Value {
    match size {
        SizeFunction::Brackets(schedule) => json!({
            "form": form_name(schedule.form),
            "from": std::iter::once(0.0).chain(schedule.bounds.iter().copied()).collect::<Vec<_>>(),
            "rate": schedule.rates,
            "deduction": deductions(schedule),
        }),
        SizeFunction::Curve(SizeCurve { base, growth, unit }) => {
            let unit = unit_name(*unit);
            match growth {
                Growth::Linear { slope } => json!({ "form": "linear", "base": base, "slope": slope, "unit": unit }),
                Growth::SquareRoot { factor, share_of_base } => json!({
                    "form": "square_root", "base": base, "factor": factor, "share_of_base": share_of_base, "unit": unit,
                }),
            }
        }
        SizeFunction::OpenInterest(OpenInterestRate { base, lower, upper }) => {
            json!({ "form": "open_interest", "base": base, "lower": lower, "upper": upper })
        }
    }
}

/// Prints a size function: brackets as a table, a rate in words.
pub(super) fn print_size(requirement: &str, size: &SizeFunction) {
    match size {
        SizeFunction::Brackets(schedule) => print_text(schedule_table(requirement, schedule)),
        SizeFunction::Curve(SizeCurve { base, growth, unit }) => {
            let rate = match growth {
                Growth::Linear { slope } => format!("{base} + {slope} · size"),
                Growth::SquareRoot { factor, share_of_base } => {
                    format!("max({base}, {share_of_base} · {base} + {factor} · √size)")
                }
            };
            print_text(format_args!("{requirement}: rate {rate}, size in units of {}", unit_name(*unit)));
        }
        SizeFunction::OpenInterest(OpenInterestRate { base, lower, upper }) => print_text(format_args!(
            "{requirement}: rate {base} up to an open interest of {lower}, rising to 1 at {upper}"
        )),
    }
}

fn unit_name(unit: SizeUnit) -> &'static str {
    match unit {
        SizeUnit::Asset => "underlying",
        SizeUnit::Quote => "quote",
    }
}

/// To a millionth, so that the rounding of a derived number does not show.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Marginal => "marginal",
        Form::Whole => "whole",
    }
}

/// What is subtracted in each bracket; nothing where the whole notional pays one rate.
fn deductions(schedule: &Schedule) -> Vec<f64> {
    match schedule.form {
        Form::Marginal => schedule.deductions(),
        Form::Whole => vec![0.0; schedule.rates.len()],
    }
}

fn schedule_table(requirement: &str, schedule: &Schedule) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    let first = format!("{requirement} ({})", form_name(schedule.form));
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header([&first, "from", "rate", "1/rate", "deduction"]);
    for (bracket, (rate, deduction)) in schedule.rates.iter().zip(deductions(schedule)).enumerate() {
        let from = bracket.checked_sub(1).map_or(0.0, |before| schedule.bounds[before]);
        let inverse = if *rate > 0.0 { format!("{:.6}", 1.0 / rate) } else { String::new() };
        table.add_row([
            (bracket + 1).to_string(),
            from.to_string(),
            rate.to_string(),
            inverse,
            rounded(deduction).to_string(),
        ]);
    }
    table
}
