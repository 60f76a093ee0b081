use super::history::{Course, History};

/// How far a price fell after one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fall {
    /// Row at whose close the collateral is held.
    pub entry: usize,
    /// 1 − lowest price within the span / price at entry, in [0, 1]; 0 where it never fell below.
    pub loss: f64,
}

/// The worst fall of a long within `span_hours` of every close, in order of time; windows overlap.
///
/// A window holds the rows whose hour lies in (entry, entry + span]. It counts where the price is quoted at entry, somewhere
/// within, and at or after its end: a window that the history cuts off would understate the fall.
pub fn worst_falls(history: &History, course: &Course, span_hours: i64) -> Vec<Fall> {
    let hours = &history.hours;
    let Some(last) = course.last_quoted() else { return Vec::new() };
    let mut end = 0;
    let fall = |entry: usize| {
        let until = hours[entry].saturating_add(span_hours);
        if hours[last] < until || course.closes[entry].is_nan() {
            return None;
        }
        end = end.max(entry + 1);
        while end < hours.len() && hours[end] <= until {
            end += 1;
        }
        let lowest = course.lows[entry + 1..end].iter().copied().fold(f64::NAN, f64::min);
        let loss = (1.0 - lowest / course.closes[entry]).clamp(0.0, 1.0);
        (!lowest.is_nan()).then_some(Fall { entry, loss })
    };
    (0..last).filter_map(fall).collect()
}
