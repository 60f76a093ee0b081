use super::policy::{OraclePolicy, Ties};
use super::vote::{Votes, units};

/// What a mark is made of beside the index; quote units, > 0 but for the basis.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MarkInputs {
    /// Average of mid price − index over a short time (150 s at Hyperliquid), quote units of either sign.
    pub basis_average: Option<f64>,
    /// Best bid.
    pub bid: Option<f64>,
    /// Best ask.
    pub ask: Option<f64>,
    /// Last trade.
    pub last: Option<f64>,
    /// Median of the perpetual's price at other venues.
    pub perpetual_median: Option<f64>,
}

/// The mark: the median of index + average basis (0 where none is given), the median of bid, ask and last trade, and the
/// perpetual's median elsewhere (Hyperliquid's rule).
///
/// Of bid, ask and last those given count, two by their mean. With an index and one other input the index itself is the third,
/// so that no single book moves the mark beyond it; the index alone is its own mark. Without an index two inputs count by their
/// mean and one by itself; without any there is no mark.
pub fn mark(index: Option<f64>, inputs: &MarkInputs) -> Option<f64> {
    let anchored = index.map(|index| index + inputs.basis_average.unwrap_or(0.0));
    let book = median(&[inputs.bid, inputs.ask, inputs.last]);
    let others = [book, inputs.perpetual_median];
    match others.iter().flatten().count() {
        0 => index,
        1 => median(&[anchored, index, others[0], others[1]]),
        _ => median(&[anchored, others[0], others[1]]),
    }
}

/// Whether mark and price are too far apart for liquidations to go on: |mark / price − 1| above the policy's limit.
pub fn diverges(mark: f64, price: f64, policy: &OraclePolicy) -> bool {
    (mark - price).abs() > policy.mark_divergence * price.abs()
}

fn median(values: &[Option<f64>]) -> Option<f64> {
    let one = units(1.0)?;
    Votes::new(values.iter().flatten().map(|&value| (value, one)).collect()).median(Ties::Mean)
}
