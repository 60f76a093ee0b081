//! How far the overlay moves a requirement with the market.

use super::super::job::fault;
use super::super::landscape::Reading;
use crate::error::Fault;
use crate::forecast::overlay::Figures;

/// Caps on what the overlay's multiplier does over the history of the job; those that are `None` cap nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Procyclicality {
    /// Largest multiplier over the smallest one, ≥ 1.
    pub peak_to_trough: Option<f64>,
    /// Largest relative rise within 1, 5 and 30 days, > 0.
    pub rises: [Option<f64>; 3],
}

impl Procyclicality {
    /// The keys of the caps on rises.
    pub const RISES: [&'static str; 3] = ["rise_1d", "rise_5d", "rise_30d"];

    /// The largest ratio of a measure to its cap, which is 1 at most. No tolerance relaxes it.
    pub(in crate::calibration) fn reading(&self, figures: &Figures) -> Reading {
        let rises = figures.largest_rise.into_iter().zip(self.rises);
        let pairs = [(figures.peak_to_trough, self.peak_to_trough)].into_iter().chain(rises);
        let ratios = pairs.filter_map(|(measure, cap)| Some(measure? / cap?));
        let value = ratios.fold(f64::NEG_INFINITY, f64::max);
        Reading { value, limit: 1.0, slack: 1.0 - value }
    }

    pub(super) fn faults(&self, place: &dyn Fn(&str) -> String) -> Vec<Fault> {
        let rises = Self::RISES.into_iter().zip(self.rises).map(|(key, cap)| (key, cap, f64::MIN_POSITIVE));
        let caps: Vec<_> = [("peak_to_trough", self.peak_to_trough, 1.0)].into_iter().chain(rises).collect();
        if caps.iter().all(|(_, cap, _)| cap.is_none()) {
            let rule = format!("at least one cap: peak_to_trough, {}", Self::RISES.join(", "));
            return vec![fault(&place("peak_to_trough"), "", rule, "add one of them")];
        }
        let is_wrong = |cap: &f64, least: f64| !(*cap >= least && cap.is_finite());
        let wrong = caps.into_iter().filter_map(|(key, cap, least)| {
            let cap = cap.filter(|cap| is_wrong(cap, least))?;
            let rule = if least == 1.0 { "a ratio of peak to trough is at least 1" } else { "a cap is above 0" };
            Some(fault(&place(key), cap.to_string(), rule, "correct it"))
        });
        wrong.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measure_closest_to_its_cap_is_read() {
        let figures = Figures {
            mean_multiplier: 1.2,
            coverage: None,
            peak_to_trough: Some(1.5),
            largest_rise: [Some(0.2), Some(0.4), Some(-0.1)],
        };
        let read = |peak_to_trough, rises| Procyclicality { peak_to_trough, rises }.reading(&figures);
        assert_eq!(read(Some(2.0), [None; 3]), Reading { value: 0.75, limit: 1.0, slack: 0.25 });
        assert_eq!(read(Some(2.0), [None, Some(0.2), None]).value, 2.0);
        assert!(!read(None, [Some(0.1), None, None]).is_met() && read(None, [None, None, Some(0.1)]).is_met());
    }
}
