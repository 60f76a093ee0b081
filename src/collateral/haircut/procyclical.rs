use super::tail::Tail;
use crate::backtest::{floor_at, weigh_stressed};

/// What keeps a haircut from falling too far in calm times (Delegated Regulation (EU) 153/2013, article 28).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Floor {
    /// Nothing.
    None,
    /// The estimate of the whole history.
    Long,
    /// (1 − weight)·estimate + weight·largest fall of the whole history, weight in [0, 1].
    Stress(f64),
}

impl Floor {
    /// The haircut under the floor: `estimate` and `long` come from the look-back and from the whole history `full`.
    pub fn apply(self, estimate: f64, long: f64, full: &Tail) -> f64 {
        let one = match self {
            Self::None => return estimate,
            Self::Long => floor_at(&[estimate], &[long]),
            Self::Stress(weight) => weigh_stressed(&[estimate], &[full.largest.max(estimate)], weight),
        };
        one.first().copied().unwrap_or(estimate)
    }
}

/// How far a haircut may move in one update, up or down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLimit {
    /// Share of the haircut in force, in [0, 1].
    pub relative: f64,
    /// Absolute change, in [0, 1]; the larger of the two applies.
    pub absolute: f64,
}

impl StepLimit {
    /// The haircut after one update towards `wanted`. `in_force` is that of each asset that the haircut is to serve: none of them
    /// is raised by more than the limit, and none lowered by more unless those in force lie too far apart for both. A tier of which
    /// nothing is to count is a cap, no haircut that follows the market: it applies at once.
    pub fn apply(self, wanted: f64, in_force: impl IntoIterator<Item = f64>) -> f64 {
        if wanted >= 1.0 {
            return wanted;
        }
        let (lowest, highest) = in_force.into_iter().fold((0.0_f64, 1.0_f64), |(lowest, highest), in_force| {
            let room = self.room(in_force);
            (lowest.max(in_force - room), highest.min(in_force + room))
        });
        wanted.max(lowest).min(highest)
    }

    /// How far a haircut may move in one update.
    pub fn room(self, in_force: f64) -> f64 {
        self.absolute.max(self.relative * in_force)
    }
}
