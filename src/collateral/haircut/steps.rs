use crate::margin::{HaircutSchedule, SizeUnit};

/// Marginal haircuts by size in quote units: tiers of a schedule whatever its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// Lower bounds of the second and later tiers, > 0, strictly increasing: `[n_tiers − 1]`.
    pub bounds: Vec<f64>,
    /// Haircut of each tier, in [0, 1], never decreasing: `[n_tiers]`.
    pub haircuts: Vec<f64>,
}

impl Steps {
    /// One haircut for every size.
    pub fn flat(haircut: f64) -> Self {
        Self { bounds: Vec::new(), haircuts: vec![haircut] }
    }

    /// A schedule at the price of an asset.
    pub fn of_schedule(schedule: &HaircutSchedule, price: f64) -> Self {
        Self::in_quote(schedule, &schedule.haircuts, price)
    }

    /// What a schedule takes for the initial requirement alone, where it says so.
    pub fn of_initial(schedule: &HaircutSchedule, price: f64) -> Option<Self> {
        Some(Self::in_quote(schedule, schedule.initial.as_ref()?, price))
    }

    fn in_quote(schedule: &HaircutSchedule, haircuts: &[f64], price: f64) -> Self {
        let unit = match schedule.unit {
            SizeUnit::Asset => price,
            SizeUnit::Quote => 1.0,
        };
        let mut steps = Self::flat(haircuts.first().copied().unwrap_or(0.0));
        for (bound, haircut) in schedule.bounds.iter().zip(haircuts.iter().skip(1)) {
            steps.push(bound * unit, *haircut);
        }
        steps
    }

    /// Adds a tier; one that begins where the last one does takes its place.
    fn push(&mut self, bound: f64, haircut: f64) {
        if bound > self.bounds.last().copied().unwrap_or(0.0) {
            self.bounds.push(bound);
            self.haircuts.push(haircut);
        } else if let Some(last) = self.haircuts.last_mut() {
            *last = haircut;
        }
    }

    /// The marginal haircut of what lies just above `size`.
    pub fn at(&self, size: f64) -> f64 {
        let tier = self.bounds.partition_point(|bound| *bound <= size);
        self.haircuts.get(tier).copied().unwrap_or(1.0)
    }

    /// Tiers wherever one of these has a bound, with the haircut that `of` gives at each lower bound; neighbours of the same
    /// haircut are one.
    pub fn over<'s>(all: impl IntoIterator<Item = &'s Self>, of: impl Fn(f64) -> f64) -> Self {
        let mut bounds: Vec<f64> = all.into_iter().flat_map(|steps| steps.bounds.iter().copied()).collect();
        bounds.sort_by(f64::total_cmp);
        let mut steps = Self::flat(of(0.0));
        for bound in bounds {
            let haircut = of(bound);
            if steps.haircuts.last() != Some(&haircut) {
                steps.push(bound, haircut);
            }
        }
        steps
    }

    /// The largest of several haircuts at every size; 0 without any.
    pub fn worst(all: &[Self]) -> Self {
        Self::over(all, |size| all.iter().map(|steps| steps.at(size)).fold(0.0, f64::max))
    }

    /// As a class of a rulebook; `initial` has its haircuts at the lower bounds of the same tiers, none below these.
    pub fn to_schedule(&self, initial: Option<&Self>) -> HaircutSchedule {
        let of = |steps: &Self, joint: &Self| -> Vec<f64> {
            let starts = std::iter::once(0.0).chain(joint.bounds.iter().copied());
            starts.map(|start| steps.at(start)).collect()
        };
        let joint = match initial {
            None => self.clone(),
            // A bound of either is kept, even where one of them does not change.
            Some(initial) => {
                let mut bounds: Vec<f64> = self.bounds.iter().chain(&initial.bounds).copied().collect();
                bounds.sort_by(f64::total_cmp);
                bounds.dedup();
                Self { haircuts: Vec::new(), bounds }
            }
        };
        let haircuts = of(self, &joint);
        let initial = initial.map(|initial| {
            let wanted = of(initial, &joint);
            wanted.iter().zip(&haircuts).map(|(initial, haircut)| initial.max(*haircut)).collect()
        });
        HaircutSchedule { unit: SizeUnit::Quote, bounds: joint.bounds, haircuts, initial }
    }
}
