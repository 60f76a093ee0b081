use super::path::{Follower, Step};
use crate::backtest::{Coverage, Procyclicality};
use crate::forecast::Outlook;
use crate::margin::{MarginSide, OverlayCoefficients};

/// What an overlay does to margin over a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Mean multiplier.
    pub mean_multiplier: f64,
    /// Share of the losses covered; `None` without steps.
    pub coverage: Option<f64>,
    /// Largest multiplier over the smallest one.
    pub peak_to_trough: Option<f64>,
    /// Largest relative rise of the multiplier over exactly 1, 5 and 30 days.
    pub largest_rise: [Option<f64>; 3],
}

/// The figures of one side's multiplier of an overlay that follows these outlooks, `steps_per_day` of them a day. `losses` are those
/// of the day after each outlook as multiples of the base requirement of that side: one is covered where it is at most the multiplier. Pairs end with the
/// shorter of both; outlooks that no step follows from are left out with their losses.
pub fn figures(
    coefficients: &OverlayCoefficients,
    side: MarginSide,
    outlooks: &[Outlook],
    losses: &[f64],
    steps_per_day: usize,
) -> Figures {
    let mut follower = Follower::at_rest(*coefficients);
    let pairs = outlooks.iter().zip(losses);
    let multiplier = |step: Step| match side {
        MarginSide::Initial => step.initial.to,
        MarginSide::Maintenance => step.maintenance.to,
    };
    let steps = pairs.filter_map(|(outlook, loss)| Some((multiplier(follower.step(outlook)?), *loss)));
    let (multipliers, losses): (Vec<f64>, Vec<f64>) = steps.unzip();
    let procyclicality = Procyclicality::of(&multipliers, steps_per_day);
    Figures {
        mean_multiplier: multipliers.iter().sum::<f64>() / multipliers.len().max(1) as f64,
        coverage: Coverage::of(losses.into_iter().zip(multipliers)).share(),
        peak_to_trough: procyclicality.peak_to_trough,
        largest_rise: procyclicality.largest_rise,
    }
}
