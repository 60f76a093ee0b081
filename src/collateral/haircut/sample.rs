/// Numbers in ascending order, to which more may come and from which some may go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// A sample of these numbers, none NaN.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = numbers.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }

    /// Adds a number.
    pub fn insert(&mut self, number: f64) {
        let at = self.sorted.partition_point(|other| other.total_cmp(&number).is_lt());
        self.sorted.insert(at, number);
    }

    /// Takes a number out; one that is not there leaves everything as it is.
    pub fn remove(&mut self, number: f64) {
        let at = self.sorted.partition_point(|other| other.total_cmp(&number).is_lt());
        if self.sorted.get(at).is_some_and(|found| found.total_cmp(&number).is_eq()) {
            self.sorted.remove(at);
        }
    }

    /// How many numbers.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The largest number; `None` without one.
    pub fn largest(&self) -> Option<f64> {
        self.sorted.last().copied()
    }

    /// Empirical quantile at `level` in [0, 1]: linear between the two numbers around place (n − 1)·level, counted from 0
    /// (R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", American Statistician 50 (1996) 361–365,
    /// definition 7). `None` of an empty sample.
    pub fn quantile(&self, level: f64) -> Option<f64> {
        let place = (self.sorted.len().checked_sub(1)?) as f64 * level.clamp(0.0, 1.0);
        let below = libm::floor(place) as usize;
        let low = *self.sorted.get(below)?;
        let high = self.sorted.get(below + 1).copied().unwrap_or(low);
        Some(low + (high - low) * (place - below as f64))
    }

    /// Mean of the numbers that are not below `threshold`; `None` where there is none.
    pub fn mean_from(&self, threshold: f64) -> Option<f64> {
        let tail = &self.sorted[self.sorted.partition_point(|number| *number < threshold)..];
        (!tail.is_empty()).then(|| tail.iter().sum::<f64>() / tail.len() as f64)
    }
}
