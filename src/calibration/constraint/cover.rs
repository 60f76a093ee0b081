//! What the accounts lose that lose most beyond their resources.

use super::super::job::{Job, fault};
use super::super::landscape::Reading;
use super::super::loss_measure::LossMeasure;
use super::{Limit, Rule, View};
use crate::error::Fault;

/// In every scenario with a weight, the n accounts that lose most beyond their resources lose no more than the limit together
/// (two: Cover-2 of clearing houses).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cover {
    /// Accounts, ≥ 1; the same in every such constraint of a job.
    pub accounts: usize,
    /// The most of it.
    pub limit: Limit,
}

impl Cover {
    pub(super) fn reading(&self, view: &View<'_>) -> Reading {
        let loss = LossMeasure::Maximum.of(&view.measured.cover, view.weights, 0.0);
        self.limit.reading(loss, view.measured.fund, view.relaxed)
    }

    pub(super) fn faults(&self, place: &dyn Fn(&str) -> String, job: &Job) -> Vec<Fault> {
        let others = job.constraints.iter().filter_map(|constraint| match &constraint.rule {
            Rule::Cover(cover) => Some(cover.accounts),
            _ => None,
        });
        let differs = others.into_iter().any(|accounts| accounts != self.accounts);
        let rule = "one number of accounts, 1 or more, in all constraints of this kind";
        let is_wrong = differs || self.accounts == 0;
        is_wrong
            .then(|| fault(&place("accounts"), self.accounts.to_string(), rule, "use one number"))
            .into_iter()
            .collect()
    }
}
