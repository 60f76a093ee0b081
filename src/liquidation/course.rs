use crate::scenario::ScenarioSet;

/// Whether the prices that decide follow the market in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Oracle {
    /// They do.
    #[default]
    Updates,
    /// They stay those of the last step in which they did; trades happen at the market's.
    Holds,
}

/// One step of a course.
#[derive(Debug, Clone, PartialEq)]
pub struct CourseStep {
    /// Name, shown in outputs.
    pub label: String,
    /// Row of [`Course::market`].
    pub row: usize,
    /// Whether the prices that decide follow.
    pub oracle: Oracle,
    /// What the market trades in this step at most, all books together, quote units; `None` = without limit.
    pub capacity_quote: Option<f64>,
}

/// What one scenario puts the exchange through: a market, or one after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Id of the scenario, or name of the path.
    pub id: String,
    /// Markets of the steps, relative to the snapshot.
    pub market: ScenarioSet,
    /// The steps, at least one.
    pub steps: Vec<CourseStep>,
    /// Rounds of one step; `None` = as many as the policy allows.
    pub rounds_per_step: Option<u32>,
}

impl Course {
    /// One scenario of a set, cascading to its end.
    pub fn of_scenario(scenarios: &ScenarioSet, scenario: usize) -> Self {
        let market = scenarios.pick(&[scenario]);
        let step = CourseStep { label: scenarios.labels[scenario].clone(), row: 0, oracle: Oracle::Updates, capacity_quote: None };
        Self { id: scenarios.ids[scenario].clone(), market, steps: vec![step], rounds_per_step: None }
    }
}
