//! Constraints of a calibration job.

use super::keys::FUND;
use crate::calibration::LossMeasure;
use crate::calibration::constraint::{
    AtLeast, BankruptcyGivenLiquidation, Christoffersen, Constraint, Cover, Coverage, CoverageOf, Each, Floor,
    FundDraw, Kupiec, Limit, OverlayCoverage, Procyclicality, Rule, Shortfall,
};
use crate::margin::file::{Reader, Section};

/// Level of coverage, of VaR and of ES, where none is written.
const LEVEL: f64 = 0.99;
/// Significance of tests, where none is written.
const SIGNIFICANCE: f64 = 0.01;
/// Scenarios whose liquidations are run, where none is written.
const WORST: usize = 8;

/// A constraint; what is at fault stands as its default.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Constraint {
    let level = || section.number("level").unwrap_or(LEVEL);
    let significance = || section.number("significance").unwrap_or(SIGNIFICANCE);
    let measure = || section.choice("measure", &LossMeasure::WORDS).unwrap_or(LossMeasure::ExpectedShortfall);
    let limit = || match section.word("limit") {
        Some(FUND) => Limit::Fund,
        _ => Limit::Amount(section.number("limit").unwrap_or_default()),
    };
    let count = |key: &str| section.integer(key).and_then(|count| usize::try_from(count).ok());
    let rule = match section.kind() {
        "kupiec" => Rule::Kupiec(Kupiec { level: level(), significance: significance() }),
        "christoffersen" => Rule::Christoffersen(Christoffersen { significance: significance() }),
        "shortfall" => Rule::Shortfall(Shortfall { measure: measure(), level: level(), limit: limit() }),
        "cover" => Rule::Cover(Cover { accounts: count("accounts").unwrap_or(2), limit: limit() }),
        "bankruptcy_given_liquidation" => {
            Rule::Bankruptcy(BankruptcyGivenLiquidation { limit: section.number("limit").unwrap_or(LEVEL) })
        }
        "fund_draw" => {
            let worst = count("worst").unwrap_or(WORST);
            Rule::FundDraw(FundDraw { measure: measure(), level: level(), limit: limit(), worst })
        }
        "floor" => Rule::Floor(read_floor(section, reader)),
        "procyclicality" => Rule::Procyclicality(Procyclicality {
            peak_to_trough: section.number("peak_to_trough"),
            rises: Procyclicality::RISES.map(|key| section.number(key)),
        }),
        "overlay_coverage" => Rule::OverlayCoverage(OverlayCoverage { level: level() }),
        _ => Rule::Coverage(Coverage {
            of: section.choice("of", &CoverageOf::WORDS).unwrap_or_default(),
            each: section.choice("each", &Each::WORDS).unwrap_or_default(),
            level: level(),
            confidence: section.number("confidence").unwrap_or(0.5),
        }),
    };
    Constraint { name: section.text("name").map_or_else(|| rule.default_name(), str::to_owned), rule }
}

fn read_floor(section: &Section, reader: &mut Reader<'_>) -> Floor {
    let parameter = section.text("parameter").unwrap_or_default().to_string();
    let at_least = match (section.number("at_least"), section.texts("at_least_sum_of")) {
        (Some(number), None) => AtLeast::Number(number),
        (None, Some(paths)) => AtLeast::SumOf(paths.to_vec()),
        (number, _) => {
            if section.has("at_least") == section.has("at_least_sum_of") {
                let rule = "a floor is a number or a sum of numbers of the rulebook";
                reader.fault(&section.at("at_least"), "", rule, "write at_least or at_least_sum_of");
            }
            AtLeast::Number(number.unwrap_or_default())
        }
    };
    Floor { parameter, at_least }
}
