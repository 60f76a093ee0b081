//! Expressions over other components, evaluated within each group and added up: risk units of one underlying.

use super::{ComponentRows, Cover, Part, Ranges, Rule};
use crate::margin::pool::{Market, Requirement};
use crate::margin::requirement::{Evaluation, KnownNodes};
use crate::margin::row_sheet::RowSheet;
use crate::margin::rulebook::RequirementRule;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::Node;

impl Rule for RequirementRule {
    fn rows(&self, _: &Cover, _: &mut RowSheet<'_>) -> ComponentRows {
        ComponentRows::default()
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        match part.setting().rules.requirements().of_component(part.component()) {
            Some(formulas) => Evaluation::new(part.setting(), part.scope(), market).requirement(formulas),
            None => Requirement::both(N::of(0.0)),
        }
    }

    fn node(&self, part: &Part<'_, '_>, ranges: &Ranges<'_>) -> Option<Requirement<Node>> {
        let setting = part.setting();
        let formulas = setting.rules.requirements().of_component(part.component())?;
        let mut known = KnownNodes::default();
        Some(Requirement {
            initial: setting.node_of(&formulas.initial, part.scope(), ranges, &mut known)?,
            maintenance: setting.node_of(&formulas.maintenance, part.scope(), ranges, &mut known)?,
        })
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let setting = part.setting();
        let formulas = setting.rules.requirements().of_component(part.component())?;
        setting.binding_of(&formulas.maintenance, part.scope(), column)
    }
}
