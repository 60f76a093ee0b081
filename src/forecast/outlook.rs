/// What is expected of the next 24 hours, at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// The moment: hours since 1970-01-01 00:00 UTC; everything that it rests on was known by then.
    pub hour: i64,
    /// Expected realised variance of the next 24 hours: Σ of 24 squared hourly log returns.
    pub variance: f64,
    /// Mean realised variance of 24 hours over the trailing year.
    pub long_run_variance: f64,
    /// Probability that the variance exceeds the threshold of a spike, in [0, 1]; `None` of models that give none.
    pub spike_probability: Option<f64>,
}

impl Outlook {
    /// Whether both variances are positive numbers.
    pub(crate) fn is_usable(&self) -> bool {
        [self.variance, self.long_run_variance].iter().all(|variance| *variance > 0.0 && variance.is_finite())
    }
}
