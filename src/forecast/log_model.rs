use super::outlook::Outlook;
use super::realised::HORIZON;
use super::recalibrate::Recalibration;
use super::regression::Regression;
use super::residuals::Residuals;
use super::sample::Sample;

/// How the tail of a log model's residuals is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// As a normal distribution of their deviation.
    Normal,
    /// As they were.
    Empirical,
}

/// A linear model of ½ ln of the mean squared hourly return of the next 24 hours.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogModel {
    /// How its residuals give probabilities.
    pub tail: Tail,
    /// The model.
    pub regression: Regression,
    /// What it leaves unexplained.
    pub residuals: Residuals,
}

impl LogModel {
    /// Fits rows of features to their targets; `None` where that is not possible (see [`Regression::ridge`]).
    pub(super) fn fit(rows: &[&[f64]], targets: &[f64], penalty: f64, tail: Tail) -> Option<Self> {
        let regression = Regression::ridge(rows, targets, penalty)?;
        let residuals = rows.iter().zip(targets).map(|(row, target)| target - regression.at(row)).collect();
        Some(Self { tail, regression, residuals: Residuals::of(residuals) })
    }

    /// What it expects of a sample of which it looks at `row`.
    pub(super) fn outlook(&self, sample: &Sample, row: &[f64], recalibration: &Recalibration) -> Outlook {
        let spike = |threshold: f64| recalibration.at(self.exceedance(row, threshold));
        Outlook {
            hour: sample.hour,
            variance: self.variance(row),
            long_run_variance: sample.long_run,
            spike_probability: sample.threshold.map(spike),
        }
    }

    /// Expected realised variance of 24 hours: exp of the fit, times what exp of the residuals was on average.
    fn variance(&self, row: &[f64]) -> f64 {
        HORIZON as f64 * libm::exp(2.0 * self.regression.at(row)) * self.residuals.smearing
    }

    /// Probability that the realised variance of 24 hours exceeds `threshold`.
    fn exceedance(&self, row: &[f64], threshold: f64) -> f64 {
        let distance = 0.5 * libm::log(threshold / HORIZON as f64) - self.regression.at(row);
        match self.tail {
            Tail::Normal => self.residuals.normal_exceedance(distance),
            Tail::Empirical => self.residuals.exceedance(distance),
        }
    }
}
