//! The share of losses that requirements cover.

use super::super::landscape::{Group, Measured, Probe, Reading};
use super::super::loss_measure::share_of;
use super::binomial::lower_quantile;
use super::{Sample, View, met};

/// Whose losses are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CoverageOf {
    /// Pools of the book.
    #[default]
    Accounts,
    /// Outright portfolios.
    Outrights,
}

impl CoverageOf {
    /// The words of a job file.
    pub const WORDS: [(&'static str, Self); 2] = [("accounts", Self::Accounts), ("outrights", Self::Outrights)];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Outrights => "outrights",
        }
    }
}

/// What must be covered by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Each {
    /// Every margin class; of outrights every portfolio.
    #[default]
    Class,
    /// All together.
    Book,
}

impl Each {
    /// The words of a job file.
    pub const WORDS: [(&'static str, Self); 2] = [("class", Self::Class), ("book", Self::Book)];
}

/// At least a share of losses is covered. With a confidence above one half, exceedances stay below the lower binomial quantile
/// of as many independent observations as there are scenarios, so that scenarios which were not searched over meet the level,
/// too. Pools of one scenario move together, so scenarios are counted, not pools.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Whose losses.
    pub of: CoverageOf,
    /// What must be covered by itself.
    pub each: Each,
    /// Share of losses that is covered, in (0, 1).
    pub level: f64,
    /// Confidence that the level holds beyond these scenarios, in [0.5, 1); 0.5 = the plain share.
    pub confidence: f64,
}

impl Coverage {
    /// One reading for each that must be covered by itself, in the order of what was measured.
    pub(super) fn parts(&self, view: &View<'_>) -> Vec<Reading> {
        let tolerated = self.tolerated_share(view) * view.relaxed;
        let sums = self.sums(view).into_iter();
        sums.map(|(exceeded, observed)| {
            if observed <= 0.0 {
                return met(1.0, 1.0 - tolerated);
            }
            let share = exceeded / observed;
            let slack = match tolerated {
                tolerated if tolerated > 0.0 => (tolerated - share) / tolerated,
                _ => -share / share_of(self.level),
            };
            Reading { value: 1.0 - share, limit: 1.0 - tolerated, slack }
        })
        .collect()
    }

    /// Share of observations that may exceed: of too few scenarios for the confidence, none.
    fn tolerated_share(&self, view: &View<'_>) -> f64 {
        let share = share_of(self.level);
        if self.confidence <= 0.5 || view.sample == Sample::HeldOut {
            return share;
        }
        let n = view.weights.len() as u64;
        lower_quantile(n, share, self.confidence).map_or(0.0, |most| most as f64 / n as f64)
    }

    /// Exceedances and observations of each that must be covered by itself.
    fn sums(&self, view: &View<'_>) -> Vec<(f64, f64)> {
        let Measured { groups, probes, .. } = view.measured;
        // The last group is the book.
        let (classes, book) = groups.split_at(groups.len().saturating_sub(1));
        let of_groups = |groups: &[Group]| groups.iter().map(|group| group_sums(group, view.weights)).collect();
        let of_probes = || probes.iter().map(|probe| probe_sums(probe, view.weights));
        match (self.of, self.each) {
            (CoverageOf::Accounts, Each::Class) => of_groups(classes),
            (CoverageOf::Accounts, Each::Book) => of_groups(book),
            (CoverageOf::Outrights, Each::Class) => of_probes().collect(),
            (CoverageOf::Outrights, Each::Book) => {
                vec![of_probes().fold((0.0, 0.0), |sum, probe| (sum.0 + probe.0, sum.1 + probe.1))]
            }
        }
    }
}

/// Weighted exceedances and observations of a group.
fn group_sums(group: &Group, weights: &[f64]) -> (f64, f64) {
    let counts = group.exceeded.iter().zip(&group.observed).zip(weights);
    counts.fold((0.0, 0.0), |sum, ((exceeded, observed), weight)| {
        (sum.0 + weight * f64::from(*exceeded), sum.1 + weight * f64::from(*observed))
    })
}

/// Weighted exceedances and observations of an outright portfolio.
pub(super) fn probe_sums(probe: &Probe, weights: &[f64]) -> (f64, f64) {
    probe.exceeded.iter().zip(weights).fold((0.0, 0.0), |sum, (exceeded, weight)| match exceeded {
        None => sum,
        Some(exceeded) => (sum.0 + weight * f64::from(u8::from(*exceeded)), sum.1 + weight),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;

    fn group(name: &str, exceeded: [u32; 4]) -> Group {
        Group { name: name.into(), observed: vec![10; 4], exceeded: exceeded.into() }
    }

    fn measured() -> Measured {
        let probe = |exceeded: [Option<bool>; 4]| Probe { name: String::new(), exceeded: exceeded.into() };
        Measured {
            groups: vec![group("A", [0, 0, 0, 4]), group("B", [0, 0, 0, 1]), group("book", [0, 0, 0, 5])],
            probes: vec![
                probe([Some(false), Some(true), None, Some(false)]),
                probe([Some(false), Some(false), Some(false), Some(false)]),
            ],
            ..Measured::default()
        }
    }

    fn reading(of: CoverageOf, each: Each, weights: &[f64], relaxed: f64) -> Reading {
        let measured = measured();
        let rule = Coverage { of, each, level: 0.9, confidence: 0.5 };
        Rule::Coverage(rule).reading(&View { measured: &measured, weights, relaxed, sample: Sample::Searched })
    }

    #[test]
    fn the_worst_of_what_stands_by_itself_counts() {
        let even = [1.0; 4];
        // Class A: 4 of 40, exactly what is tolerated.
        let classes = reading(CoverageOf::Accounts, Each::Class, &even, 1.0);
        assert_eq!((classes.value, classes.limit, classes.slack), (0.9, 0.9, 0.0));
        assert!(!reading(CoverageOf::Accounts, Each::Class, &even, 0.99).is_met());
        assert_eq!(reading(CoverageOf::Accounts, Each::Book, &even, 1.0).value, 1.0 - 5.0 / 40.0);
        // What is not quoted is no observation.
        assert_eq!(reading(CoverageOf::Outrights, Each::Class, &even, 1.0).value, 1.0 - 1.0 / 3.0);
        assert_eq!(reading(CoverageOf::Outrights, Each::Book, &even, 1.0).value, 1.0 - 1.0 / 7.0);
    }

    #[test]
    fn weights_move_the_share() {
        assert_eq!(reading(CoverageOf::Accounts, Each::Class, &[1.0, 1.0, 1.0, 0.0], 1.0).slack, 1.0);
        assert_eq!(reading(CoverageOf::Accounts, Each::Class, &[0.0, 0.0, 0.0, 1.0], 1.0).value, 0.6);
        assert!(reading(CoverageOf::Accounts, Each::Class, &[0.0; 4], 1.0).is_met(), "nothing is observed");
    }

    #[test]
    fn confidence_asks_for_more_where_it_is_searched() {
        let measured = Measured {
            groups: vec![Group { name: "book".into(), observed: vec![1; 1_000], exceeded: vec![0; 1_000] }],
            ..Measured::default()
        };
        let limit = |confidence: f64, sample: Sample| {
            let rule = Coverage { of: CoverageOf::Accounts, each: Each::Book, level: 0.99, confidence };
            Rule::Coverage(rule)
                .reading(&View { measured: &measured, weights: &vec![1.0; 1_000], relaxed: 1.0, sample })
                .limit
        };
        assert_eq!(limit(0.5, Sample::Searched), 0.99);
        // P(X ≤ 4 | 1000, 1 %) = 2.87 %, P(X ≤ 5) = 6.6 %.
        assert_eq!(limit(0.95, Sample::Searched), 1.0 - 4.0 / 1_000.0);
        assert_eq!(limit(0.95, Sample::HeldOut), 0.99);
        assert_eq!(limit(0.999_999, Sample::Searched), 1.0, "too few scenarios: none may exceed");
    }
}
