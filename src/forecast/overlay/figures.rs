use super::path::Follower;
use crate::backtest::{Coverage, Procyclicality};
use crate::forecast::Outlook;
use crate::margin::OverlayCoefficients;

/// What an overlay does to margin over a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Mean initial multiplier.
    pub mean_multiplier: f64,
    /// Share of the losses covered; `None` without steps.
    pub coverage: Option<f64>,
    /// Largest initial multiplier over the smallest one.
    pub peak_to_trough: Option<f64>,
    /// Largest relative rise of the initial multiplier within 1, 5 and 30 days.
    pub largest_rise: [Option<f64>; 3],
}

/// The figures of an overlay that follows these outlooks, `steps_per_day` of them a day. `losses` are those of the day after each
/// outlook as multiples of the base requirement: one is covered where it is at most the initial multiplier. Pairs end with the
/// shorter of both; outlooks that no step follows from are left out with their losses.
pub fn figures(
    coefficients: &OverlayCoefficients,
    outlooks: &[Outlook],
    losses: &[f64],
    steps_per_day: usize,
) -> Figures {
    let mut follower = Follower::at_rest(*coefficients);
    let pairs = outlooks.iter().zip(losses);
    let steps = pairs.filter_map(|(outlook, loss)| Some((follower.step(outlook)?.initial.to, *loss)));
    let (multipliers, losses): (Vec<f64>, Vec<f64>) = steps.unzip();
    let procyclicality = Procyclicality::of(&multipliers, steps_per_day);
    Figures {
        mean_multiplier: multipliers.iter().sum::<f64>() / multipliers.len().max(1) as f64,
        coverage: Coverage::of(losses.into_iter().zip(multipliers)).share(),
        peak_to_trough: procyclicality.peak_to_trough,
        largest_rise: procyclicality.largest_rise,
    }
}
