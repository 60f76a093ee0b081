//! What a position loses at worst within a day of a moment.

use crate::forecast::BarHistory;

/// Hourly prices without gaps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices<'a> {
    /// The hour that the first bar begins at, since 1970-01-01 00:00 UTC.
    pub first_hour: i64,
    /// Highest price of each hour.
    pub high: &'a [f64],
    /// Lowest price of each hour.
    pub low: &'a [f64],
    /// Last price of each hour.
    pub close: &'a [f64],
}

/// Whether a position gains from a rise or from a fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From a rise.
    Long,
    /// From a fall.
    Short,
}

impl Direction {
    /// Both, the long one first.
    pub const ALL: [Self; 2] = [Self::Long, Self::Short];

    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }

    /// What one unit of price gains.
    pub(super) fn sign(self) -> f64 {
        match self {
            Self::Long => 1.0,
            Self::Short => -1.0,
        }
    }
}

impl<'a> Prices<'a> {
    /// The prices of an asset by its name, whatever the case; `None` where the history does not hold it.
    pub fn of(history: &'a BarHistory, asset: &str) -> Option<Self> {
        let bars = history.asset(asset)?;
        Some(Self { first_hour: history.moment(0), high: &bars.high, low: &bars.low, close: &bars.close })
    }

    /// Bars that have all three prices.
    pub(super) fn len(&self) -> usize {
        self.close.len().min(self.high.len()).min(self.low.len())
    }

    /// The bar that begins at an hour; the bar before it is the last one known then.
    pub(super) fn bar(&self, hour: i64) -> Option<usize> {
        let bar = usize::try_from(hour.checked_sub(self.first_hour)?).ok()?;
        (bar < self.len()).then_some(bar)
    }

    /// The price at which the worst of a bar is met.
    pub(super) fn worst(&self, direction: Direction, bar: usize) -> f64 {
        match direction {
            Direction::Long => self.low[bar],
            Direction::Short => self.high[bar],
        }
    }

    /// The largest loss of a position opened at `hour` within `hours` of it, a fraction ≥ 0 of the last price known then;
    /// `None` where the history does not reach that far, or that price is not positive.
    pub fn worst_excursion(&self, direction: Direction, hour: i64, hours: usize) -> Option<f64> {
        let first = self.bar(hour)?;
        let entry = self.close[first.checked_sub(1)?];
        let end = first.checked_add(hours).filter(|end| *end <= self.len())?;
        let losses = (first..end).map(|bar| direction.sign() * (entry - self.worst(direction, bar)) / entry);
        (entry > 0.0).then(|| losses.fold(0.0, f64::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_price_within_the_horizon_counts_against_the_last_known_close() {
        let prices = Prices {
            first_hour: 10,
            high: &[101.0, 102.0, 110.0, 104.0],
            low: &[99.0, 98.0, 95.0, 80.0],
            close: &[100.0, 101.0, 100.0, 90.0],
        };
        assert_eq!(prices.worst_excursion(Direction::Long, 11, 2), Some(0.05));
        assert_eq!(prices.worst_excursion(Direction::Short, 11, 2), Some(0.1));
        assert_eq!(prices.worst_excursion(Direction::Long, 11, 3), Some(0.2));
        assert_eq!(prices.worst_excursion(Direction::Long, 11, 4), None, "beyond the last hour");
        assert_eq!(prices.worst_excursion(Direction::Long, 10, 1), None, "nothing is known then");
        assert_eq!(prices.worst_excursion(Direction::Long, i64::MIN, 1), None);
        let rising = Prices { low: &[99.0, 100.5, 101.0, 102.0], ..prices };
        assert_eq!(rising.worst_excursion(Direction::Long, 11, 2), Some(0.0), "never a gain");
    }
}
