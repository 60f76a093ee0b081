use std::collections::BTreeMap;

use super::bracket::Schedule;
use super::component::Component;
use super::expression::Expression;
use super::haircut::{HaircutBase, HaircutSchedule};
use super::option::OptionClass;
use super::option_spread::OptionSpread;
use super::order::OrderReserve;
use super::overlay::Overlay;
use super::pool::{MarginSide, Requirement};
use super::scalar::Scalar;
use super::size::SizeFunction;
use super::status::StatusRung;
use crate::oracle::OraclePolicies;
use crate::policy::Policy;
use crate::scenario::ScenarioSet;

/// Requirements of the positions that share a margin class.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginClass {
    /// Maintenance requirement.
    pub maintenance: SizeFunction,
    /// Initial requirement; a position's own leverage raises every rate to at least 1/leverage.
    pub initial: SizeFunction,
    /// Upper end of the published table, quote units; a larger notional is reported and pays the last rate.
    pub max_notional: Option<f64>,
    /// What every position that is not empty requires on top, quote units, ≥ 0.
    pub minimum: Requirement<f64>,
    /// The scalar that requirements, the minimum included, are multiplied by; `None` = 1.
    pub scale: Option<String>,
}

/// Margin rules as data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rulebook {
    /// Name of the rulebook.
    pub name: String,
    /// From when the rules hold, where that is known.
    pub effective: Option<jiff::Timestamp>,
    /// What the rules are and where they were published.
    pub description: String,
    /// Margin classes by key.
    pub margin: BTreeMap<String, MarginClass>,
    /// Option classes by key; no key is also a margin class.
    pub option: BTreeMap<String, OptionClass>,
    /// Which option classes recognise spreads; `None` = no class does.
    pub option_spread: Option<OptionSpread>,
    /// Haircut classes by key.
    pub haircut: BTreeMap<String, HaircutSchedule>,
    /// What haircuts are taken of.
    pub haircut_base: HaircutBase,
    /// What open orders reserve.
    pub orders: OrderReserve,
    /// Components by name.
    pub component: BTreeMap<String, Component>,
    /// Sets of joint moves by name.
    pub sets: BTreeMap<String, MoveSet>,
    /// Numbers of the market that formulas may name.
    pub scalar: BTreeMap<String, Scalar>,
    /// The status ladder, ratios descending; empty = none. It is shown and decides nothing.
    pub status: Vec<StatusRung>,
    /// What pools require; `None` = their positions and every component.
    pub requirement: Option<RequirementRule>,
    /// What pools in portfolio mode require; `None` = there are none.
    pub portfolio_requirement: Option<RequirementRule>,
    /// How the venue liquidates; `None` = not said.
    pub liquidation: Option<Policy>,
    /// How prices are formed from several sources; `None` = not said.
    pub oracle: Option<OraclePolicies>,
    /// Multipliers that follow forecasts of volatility; `None` = there are none.
    pub overlay: Option<Overlay>,
}

/// A set of joint moves that components value holdings under.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MoveSet {
    /// The scenario file that holds them, relative to the rulebook.
    pub file: String,
    /// The moves; empty until the file has been read.
    pub moves: ScenarioSet,
}

/// The two requirements as expressions over components, scalars and holdings.
#[derive(Debug, Clone, PartialEq)]
pub struct RequirementRule {
    /// Initial margin.
    pub initial: Expression,
    /// Maintenance margin.
    pub maintenance: Expression,
}

impl Rulebook {
    /// Whether portfolio pools have a requirement.
    pub fn has_portfolio_requirement(&self) -> bool {
        self.portfolio_requirement.is_some()
    }

    /// Things a reader should know that break no rule: margin and option classes whose initial requirement falls below
    /// the maintenance requirement somewhere (the maintenance requirement is then used for both).
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, class) in &self.margin {
            if let Some(notional) = class.initial_below_maintenance() {
                warnings.push(format!(
                    "margin class {name}: the initial requirement is below the maintenance requirement from a notional of \
                     {notional}; the pool's initial margin is raised to its maintenance margin"
                ));
            }
        }
        for (name, _) in self.option.iter().filter(|(_, class)| class.initial_below_maintenance()) {
            warnings.push(format!(
                "option class {name}: a coefficient of the initial requirement is below that of maintenance; the pool's \
                 initial margin is raised to its maintenance margin"
            ));
        }
        let is_below = |spread: &OptionSpread| spread.unpaired_initial < spread.unpaired_maintenance;
        if self.option_spread.as_ref().is_some_and(is_below) {
            warnings.push("option_spread: unpaired_initial is below unpaired_maintenance".into());
        }
        warnings
    }
}

impl MarginClass {
    /// The size function of one requirement.
    pub fn of(&self, side: MarginSide) -> &SizeFunction {
        match side {
            MarginSide::Initial => &self.initial,
            MarginSide::Maintenance => &self.maintenance,
        }
    }

    /// A class of brackets of notional alone.
    pub fn brackets(maintenance: Schedule, initial: Schedule) -> Self {
        Self {
            maintenance: maintenance.into(),
            initial: initial.into(),
            max_notional: None,
            minimum: Requirement::default(),
            scale: None,
        }
    }

    /// The start of the first bracket in which the initial requirement falls below the maintenance requirement; only
    /// brackets are compared.
    fn initial_below_maintenance(&self) -> Option<f64> {
        let (SizeFunction::Brackets(initial), SizeFunction::Brackets(maintenance)) = (&self.initial, &self.maintenance)
        else {
            return None;
        };
        // Rounding in derived deductions is not a shortfall.
        const TOLERANCE: f64 = 1e-9;
        let mut starts: Vec<f64> = [0.0].iter().chain(&initial.bounds).chain(&maintenance.bounds).copied().collect();
        starts.sort_by(f64::total_cmp);
        starts.dedup();
        let below = |(initial, maintenance): ((f64, f64), (f64, f64)), notional: f64| {
            let gap = (initial.0 - maintenance.0) * notional + (initial.1 - maintenance.1);
            gap < -TOLERANCE * (maintenance.0 * notional).max(1.0)
        };
        starts.iter().enumerate().find_map(|(i, &start)| {
            let lines = (initial.line_at(start), maintenance.line_at(start));
            // Both are straight within a bracket, so its two ends decide; the last bracket is decided by its slopes.
            let at_end = match starts.get(i + 1) {
                Some(end) => below(lines, *end),
                None => lines.0.0 < lines.1.0,
            };
            (below(lines, start) || at_end).then_some(start)
        })
    }
}
