//! Replay of a return history as scenarios, plain or filtered to the volatility of today.

use ndarray::Array2;

use super::names::price_factors;
use super::panel::{Panel, moment};
use super::{Factor, ScenarioSet};
use crate::domain::{Asset, Underlying};
use crate::error::{Error, Result};

/// Volatility filter of a replayed history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filter {
    /// Decay λ of the exponentially weighted variance, in (0, 1).
    pub lambda: f64,
    /// First available returns of each asset, ≥ 1, whose mean square starts its variance.
    pub seed_returns: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self { lambda: 0.97, seed_returns: 60 }
    }
}

/// What a replay did that its reader should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryReport {
    /// Usual distance of rows, hours.
    pub step_hours: i64,
    /// Hour numbers of the rows that follow a longer step, with that step in hours. Their returns are kept as they are.
    pub gaps: Vec<(i64, i64)>,
    /// Leading rows spent on seeding; no scenario comes from them. 0 without a filter.
    pub seed_rows: usize,
    /// Assets left out because no scenario quotes them.
    pub left_out: Vec<String>,
    /// Assets with filtered returns below −1, set to −1, and how many each.
    pub clamped: Vec<(String, u64)>,
    /// Returns left unscaled because every earlier return was 0.
    pub unscaled: u64,
}

/// Every consecutive row pair of the panel as one joint scenario: columns `price:ASSET`, weight 1, id `hHOUR` and the
/// time of the later row as label. A missing price gives an empty cell; nothing is filled in.
///
/// # Errors
/// [`Error::Refused`] with every fault of the panel.
pub fn replay(panel: &Panel) -> Result<(ScenarioSet, HistoryReport)> {
    check(panel)?;
    assemble(panel, panel.returns(), Counts::default())
}

/// The same with each return scaled to today's volatility: r_t · σ_T / σ_t (filtered historical simulation; J. Hull,
/// A. White, "Incorporating volatility updating into the historical simulation method for value-at-risk", J. of Risk 1
/// (1998) 5–19).
///
/// Per asset, over its available returns in order: σ² starts as the mean square of the first `seed_returns`; after that
/// σ²_{t+1} = λσ²_t + (1 − λ)r_t². σ_t knows only returns before t; σ_T is the forecast after the asset's last return,
/// also where its series ends before the panel does. Seeding returns have no σ and stay empty; the first `seed_returns`
/// rows of the panel give no scenario. Scaled returns below −1 become −1 and are counted.
///
/// # Errors
/// [`Error::Usage`] where λ is outside (0, 1) or no seed return is asked for; [`Error::Refused`] with every fault of the
/// panel, or where no row is left after seeding.
pub fn filtered_replay(panel: &Panel, filter: &Filter) -> Result<(ScenarioSet, HistoryReport)> {
    if !(filter.lambda > 0.0 && filter.lambda < 1.0) {
        return Err(Error::Usage(format!("lambda {}: a decay lies between 0 and 1", filter.lambda)));
    }
    if filter.seed_returns == 0 {
        return Err(Error::Usage("a volatility needs at least one seed return".into()));
    }
    check(panel)?;
    let mut returns = panel.returns();
    if returns.nrows() <= filter.seed_returns {
        return Err(Error::Usage(format!(
            "{} returns are too few for {} seed returns: give a longer panel or fewer of them",
            returns.nrows(),
            filter.seed_returns
        )));
    }
    let mut counts = Counts { seed_rows: filter.seed_returns, ..Counts::default() };
    for (mut column, asset) in returns.columns_mut().into_iter().zip(&panel.assets) {
        let mut series: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
        let (clamped, unscaled) = scale_to_today(&mut series, filter);
        counts.unscaled += unscaled;
        if clamped > 0 {
            counts.clamped.push((asset.clone(), clamped));
        }
        let mut scaled = series.into_iter();
        for cell in column.iter_mut().filter(|cell| !cell.is_nan()) {
            *cell = scaled.next().unwrap_or(f64::NAN);
        }
    }
    let kept = returns.slice(ndarray::s![filter.seed_returns.., ..]).to_owned();
    assemble(panel, kept, counts)
}

/// Narrows a history to the price factors that `underlyings` and the collateral `assets` follow. Also gives the price
/// factors of underlyings that the history lacks, sorted: a sweep refuses to leave those unshocked unasked.
///
/// # Errors
/// [`Error::Usage`] where the history moves nothing that is held.
pub fn keep_held(
    set: &ScenarioSet,
    underlyings: &[Underlying],
    assets: &[Asset],
) -> Result<(ScenarioSet, Vec<String>)> {
    let wanted = price_factors(underlyings);
    let is_held =
        |factor: &Factor| wanted.contains(&factor.name) || assets.iter().any(|asset| asset.underlying == factor.name);
    let kept: Vec<usize> = (0..set.factors.len()).filter(|column| is_held(&set.factors[*column])).collect();
    if kept.is_empty() {
        return Err(Error::Usage("the panel has no asset that the snapshot holds".into()));
    }
    let narrowed = ScenarioSet {
        factors: kept.iter().map(|column| set.factors[*column].clone()).collect(),
        shocks: set.shocks.select(ndarray::Axis(1), &kept),
        ids: set.ids.clone(),
        weights: set.weights.clone(),
        labels: set.labels.clone(),
    };
    let lacking = wanted.into_iter().filter(|name| narrowed.column(&Factor::price(name)).is_none()).collect();
    Ok((narrowed, lacking))
}

#[derive(Debug, Default)]
struct Counts {
    seed_rows: usize,
    clamped: Vec<(String, u64)>,
    unscaled: u64,
}

/// Scales one asset's returns in place; gives how many were clamped and how many left unscaled. Seeding ones become NaN.
fn scale_to_today(series: &mut [f64], filter: &Filter) -> (u64, u64) {
    let (mut clamped, mut unscaled) = (0, 0);
    if series.len() <= filter.seed_returns {
        series.fill(f64::NAN);
        return (0, 0);
    }
    let (seed, rest) = series.split_at_mut(filter.seed_returns);
    let mut variance = seed.iter().map(|value| value * value).sum::<f64>() / seed.len() as f64;
    let volatilities: Vec<f64> = rest
        .iter()
        .map(|value| {
            let before = libm::sqrt(variance);
            variance = filter.lambda * variance + (1.0 - filter.lambda) * value * value;
            before
        })
        .collect();
    let today = libm::sqrt(variance);
    seed.fill(f64::NAN);
    for (value, volatility) in rest.iter_mut().zip(volatilities) {
        if volatility > 0.0 {
            *value *= today / volatility;
        } else {
            unscaled += 1;
        }
        if *value < -1.0 {
            *value = -1.0;
            clamped += 1;
        }
    }
    (clamped, unscaled)
}

fn check(panel: &Panel) -> Result<()> {
    let faults = panel.faults();
    if faults.is_empty() { Ok(()) } else { Err(Error::Refused(faults)) }
}

/// Names the rows, leaves out columns without a single number, and counts. `returns` are the last rows of the panel.
fn assemble(panel: &Panel, returns: Array2<f64>, counts: Counts) -> Result<(ScenarioSet, HistoryReport)> {
    let first = panel.hours.len() - returns.nrows();
    let step_hours = panel.step_hours();
    let mut gaps = Vec::new();
    let mut ids = Vec::with_capacity(returns.nrows());
    let mut labels = Vec::with_capacity(returns.nrows());
    for row in first..panel.hours.len() {
        let hour = panel.hours[row];
        let step = hour - panel.hours[row - 1];
        if step > step_hours {
            gaps.push((hour, step));
        }
        ids.push(format!("h{hour}"));
        labels.push(moment(hour).map(|time| time.to_string()).unwrap_or_default());
    }
    let (kept, empty): (Vec<usize>, Vec<usize>) =
        (0..returns.ncols()).partition(|column| returns.column(*column).iter().any(|value| !value.is_nan()));
    let shocks = returns.select(ndarray::Axis(1), &kept);
    let report = HistoryReport {
        step_hours,
        gaps,
        seed_rows: counts.seed_rows,
        left_out: empty.iter().map(|column| panel.assets[*column].clone()).collect(),
        clamped: counts.clamped,
        unscaled: counts.unscaled,
    };
    let factors = kept.iter().map(|column| Factor::price(panel.assets[*column].as_str())).collect();
    Ok((ScenarioSet { weights: vec![1.0; ids.len()], ids, labels, factors, shocks }, report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixtures::{asset, underlying};

    const NONE: f64 = f64::NAN;

    fn panel(hours: &[i64], assets: &[&str], prices: &[f64]) -> Panel {
        Panel {
            hours: hours.into(),
            assets: assets.iter().map(|name| (*name).into()).collect(),
            prices: Array2::from_shape_vec((hours.len(), assets.len()), prices.into()).unwrap(),
        }
    }

    #[test]
    fn replay_keeps_gaps_and_leaves_missing_prices_empty() {
        let prices = [100.0, 10.0, 110.0, NONE, 99.0, 12.0, 49.5, 6.0];
        let (set, report) = replay(&panel(&[449_328, 449_332, 449_340, 449_344], &["BTC", "UST"], &prices)).unwrap();
        assert_eq!(set.ids, ["h449332", "h449340", "h449344"]);
        assert_eq!(set.labels[0], "2021-04-05T04:00:00Z");
        assert_eq!(set.factors[1].to_string(), "price:UST");
        assert_eq!(set.shocks[[0, 0]], 110.0 / 100.0 - 1.0);
        assert!(set.shocks[[0, 1]].is_nan() && set.shocks[[1, 1]].is_nan());
        assert_eq!(set.shocks[[2, 1]], -0.5);
        assert_eq!(report.gaps, [(449_340, 8)]);
        assert_eq!(report.step_hours, 4);
        assert_eq!(set.unquoted(), [0, 2]);
        assert!(set.faults().is_empty());
    }

    /// λ = 0.5 and two seed returns of ±0.1: σ² = 0.01, then 0.5·0.01 + 0.5·0.04 = 0.025, then 0.5·0.025 + 0.5·0.0025 =
    /// 0.01375 = σ_T². Returns 0.2 and −0.05 become 0.2·√(0.01375/0.01) and −0.05·√(0.01375/0.025).
    #[test]
    fn filtered_returns_worked_by_hand() {
        let mut prices = vec![100.0];
        for change in [0.1, -0.1, 0.2, -0.05] {
            prices.push(prices[prices.len() - 1] * (1.0 + change));
        }
        let filter = Filter { lambda: 0.5, seed_returns: 2 };
        let (set, report) = filtered_replay(&panel(&[0, 1, 2, 3, 4], &["A"], &prices), &filter).unwrap();
        assert_eq!(set.ids, ["h3", "h4"]);
        assert!((set.shocks[[0, 0]] - 0.2 * 1.375f64.sqrt()).abs() < 1e-12);
        assert!((set.shocks[[1, 0]] + 0.05 * 0.55f64.sqrt()).abs() < 1e-12);
        assert_eq!((report.seed_rows, report.clamped), (2, vec![]));
    }

    #[test]
    fn a_late_asset_is_seeded_late_and_a_short_one_is_left_out() {
        let prices = [1.0, NONE, 2.0, 2.0, 1.0, NONE, 3.0, 2.0, NONE, 0.9, 1.0, NONE, 2.2, 4.0, 5.0];
        let filter = Filter { lambda: 0.9, seed_returns: 2 };
        let (set, report) =
            filtered_replay(&panel(&[0, 1, 2, 3, 4], &["A", "LATE", "SHORT"], &prices), &filter).unwrap();
        assert_eq!(set.factors, [Factor::price("A"), Factor::price("LATE")]);
        assert_eq!(report.left_out, ["SHORT"]);
        assert_eq!(set.ids, ["h3", "h4"]);
        assert!(set.shocks[[0, 1]].is_nan() && set.shocks[[1, 1]] > 0.0);
    }

    #[test]
    fn a_huge_scaled_loss_is_clamped_and_a_flat_past_leaves_the_return() {
        let prices = [1.0, 1.0, 0.5, 5.0];
        let filter = Filter { lambda: 0.5, seed_returns: 1 };
        let (set, report) = filtered_replay(&panel(&[0, 1, 2, 3], &["A"], &prices), &filter).unwrap();
        assert_eq!(set.shocks[[0, 0]], -0.5);
        assert_eq!(report.unscaled, 1);
        let prices = [1.0, 1.01, 0.5, 5.0];
        let (set, report) = filtered_replay(&panel(&[0, 1, 2, 3], &["A"], &prices), &filter).unwrap();
        assert_eq!(set.shocks[[0, 0]], -1.0);
        assert_eq!(report.clamped, [("A".to_owned(), 1)]);
        assert!(set.faults().is_empty());
    }

    #[test]
    fn a_history_is_narrowed_to_what_is_held() {
        let (set, _) = replay(&panel(&[0, 1], &["BTC", "ETH", "UST"], &[1.0, 1.0, 1.0, 2.0, 3.0, 0.5])).unwrap();
        let held = [underlying("BTC"), underlying("SOL")];
        let (narrowed, lacking) = keep_held(&set, &held, &[asset("UST")]).unwrap();
        assert_eq!(narrowed.factors, [Factor::price("BTC"), Factor::price("UST")]);
        assert_eq!(narrowed.shocks.row(0).to_vec(), [1.0, -0.5]);
        assert_eq!(lacking, ["SOL"]);
        assert!(keep_held(&set, &held[1..], &[]).is_err());
    }

    #[test]
    fn wrong_panels_and_filters_are_refused() {
        let good = panel(&[0, 1, 2], &["A"], &[1.0, 2.0, 3.0]);
        for (lambda, seed_returns) in [(0.0, 1), (1.0, 1), (NONE, 1), (0.9, 0), (0.9, 2)] {
            assert!(filtered_replay(&good, &Filter { lambda, seed_returns }).is_err());
        }
        for (expected, wrong) in [
            (1, panel(&[0], &["A"], &[1.0])),
            (1, panel(&[0, 0], &["A"], &[1.0, 2.0])),
            (1, panel(&[1, 0], &["A"], &[1.0, 2.0])),
            (2, panel(&[0, 1], &["A"], &[0.0, -2.0])),
            (1, panel(&[0, 1], &["A"], &[f64::INFINITY, 2.0])),
            (1, panel(&[0, 1], &["A", "A"], &[1.0; 4])),
            (1, panel(&[0, 1], &[], &[])),
            (1, panel(&[0, i64::MAX], &["A"], &[1.0; 2])),
        ] {
            match replay(&wrong) {
                Err(Error::Refused(faults)) => assert_eq!(faults.len(), expected, "{faults:?}"),
                other => panic!("not refused: {other:?}"),
            }
        }
    }
}
