use crate::error::{Error, Fault, Result};

/// Name of the table in faults.
const TABLE: &str = "history";
/// Least price; volumes may be 0.
const PRICE_MIN: f64 = 1e-30;
/// Largest price or volume.
const SIZE_MAX: f64 = 1e30;
/// Hours after which a close that never changed is no price any more.
const STALE_HOURS: usize = 168;

/// Hourly bars of one asset; every vector has one entry per hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Name of the asset.
    pub name: String,
    /// First price of each hour, > 0.
    pub open: Vec<f64>,
    /// Highest price, ≥ all others.
    pub high: Vec<f64>,
    /// Lowest price, ≤ all others.
    pub low: Vec<f64>,
    /// Last price.
    pub close: Vec<f64>,
    /// What was traded, ≥ 0, in any unit; `None` where it is not known.
    pub volume: Option<Vec<f64>>,
}

/// Hourly bars of several assets, without a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct BarHistory {
    first_hour: i64,
    hours: usize,
    assets: Vec<Bars>,
}

impl BarHistory {
    /// A history from the hours in which bars open (Unix time / 3600) and the bars of each asset.
    ///
    /// # Errors
    /// [`Error::Refused`] with every fault: no rows or assets, hours that do not follow each other one by one, columns of another
    /// length, prices that are not between 1e−30 and 1e30, bars whose high or low is not, closes that stand still for a week.
    pub fn new(hours: &[i64], assets: Vec<Bars>) -> Result<Self> {
        let mut faults = hour_faults(hours);
        if assets.is_empty() {
            faults.push(Fault::of_table(
                TABLE,
                "a history has at least one asset",
                "add columns x_open, x_high, x_low, x_close",
            ));
        }
        for bars in &assets {
            bars.find_faults(hours.len(), &mut faults);
        }
        match hours.first() {
            Some(&first_hour) if faults.is_empty() => Ok(Self { first_hour, hours: hours.len(), assets }),
            _ => Err(Error::Refused(faults)),
        }
    }

    /// Number of hours.
    pub fn len(&self) -> usize {
        self.hours
    }

    /// Whether it holds no hour; never so.
    pub fn is_empty(&self) -> bool {
        self.hours == 0
    }

    /// The moment at which the first `known` bars are known and no other, hours since 1970-01-01 00:00 UTC.
    pub fn moment(&self, known: usize) -> i64 {
        self.first_hour + known as i64
    }

    /// How many bars are known at a moment; `None` before the first bar and after the last.
    pub fn known_at(&self, moment: i64) -> Option<usize> {
        let known = usize::try_from(moment.checked_sub(self.first_hour)?).ok()?;
        (known <= self.hours).then_some(known)
    }

    /// The bars of each asset, in the order given.
    pub fn assets(&self) -> &[Bars] {
        &self.assets
    }

    /// The bars of an asset by its name, whatever the case.
    pub fn asset(&self, name: &str) -> Option<&Bars> {
        self.assets.iter().find(|bars| bars.name.eq_ignore_ascii_case(name))
    }

    /// The history as it was when only its first `known` bars existed; all of it where there are fewer.
    pub fn truncated(&self, known: usize) -> Self {
        let hours = known.min(self.hours);
        let cut = |column: &Vec<f64>| column[..hours].to_vec();
        let bars = |bars: &Bars| Bars {
            name: bars.name.clone(),
            open: cut(&bars.open),
            high: cut(&bars.high),
            low: cut(&bars.low),
            close: cut(&bars.close),
            volume: bars.volume.as_ref().map(cut),
        };
        Self { first_hour: self.first_hour, hours, assets: self.assets.iter().map(bars).collect() }
    }
}

impl Bars {
    /// The columns with the ends of their names.
    fn columns(&self) -> [(&'static str, &[f64]); 4] {
        [("open", &self.open), ("high", &self.high), ("low", &self.low), ("close", &self.close)]
    }

    fn find_faults(&self, hours: usize, faults: &mut Vec<Fault>) {
        let prefix = self.name.to_ascii_lowercase();
        let volume = self.volume.as_deref().map(|volume| ("vol", volume));
        let mut complete = true;
        for (end, values) in self.columns().into_iter().chain(volume) {
            let column = format!("{prefix}_{end}");
            if values.len() != hours {
                let rule = format!("{column} has a value for each of {hours} hours, not {}", values.len());
                faults.push(Fault::of_table(TABLE, rule, "complete the column"));
                complete = false;
            }
            let least = if end == "vol" { 0.0 } else { PRICE_MIN };
            for (row, value) in values.iter().enumerate() {
                if !(least..=SIZE_MAX).contains(value) {
                    let place = (TABLE, row as u64 + 1, column.as_str());
                    let shown = if value.is_nan() { String::new() } else { value.to_string() };
                    let rule = format!("a value is a number from {least:e} to {SIZE_MAX:e}; nothing is filled in");
                    faults.push(Fault::of_cell(place, shown, rule, "supply the bar, or start the history after it"));
                    complete = false;
                }
            }
        }
        if complete {
            self.find_range_faults(&prefix, faults);
            self.find_stale(&prefix, faults);
        }
    }

    fn find_range_faults(&self, prefix: &str, faults: &mut Vec<Fault>) {
        for (row, (&high, &low)) in self.high.iter().zip(&self.low).enumerate() {
            let (open, close) = (self.open[row], self.close[row]);
            let wrong = [
                (high < open.max(close), "high", high, "at least", open.max(close)),
                (low > open.min(close), "low", low, "at most", open.min(close)),
            ];
            for (is_wrong, end, value, relation, limit) in wrong {
                if is_wrong {
                    let column = format!("{prefix}_{end}");
                    let rule = format!("a {end} is {relation} the open and the close, {limit}");
                    let place = (TABLE, row as u64 + 1, column.as_str());
                    faults.push(Fault::of_cell(place, value.to_string(), rule, "correct the bar"));
                }
            }
        }
    }

    /// A price that stands still has no variance to forecast.
    fn find_stale(&self, prefix: &str, faults: &mut Vec<Fault>) {
        let mut since = 0;
        for row in 1..self.close.len() {
            if self.close[row] != self.close[since] {
                since = row;
            } else if row - since == STALE_HOURS {
                let column = format!("{prefix}_close");
                let rule =
                    format!("a price moves at least once in {STALE_HOURS} hours; since row {} it did not", since + 1);
                let remedy = "leave the asset out, or start the history after its standstill";
                let place = (TABLE, row as u64 + 1, column.as_str());
                faults.push(Fault::of_cell(place, self.close[row].to_string(), rule, remedy));
            }
        }
    }
}

fn hour_faults(hours: &[i64]) -> Vec<Fault> {
    if hours.is_empty() {
        return vec![Fault::of_table(TABLE, "a history has rows", "add rows")];
    }
    let mut faults = Vec::new();
    // Beyond these years a moment is no date.
    const HOUR_MAX: i64 = 70_000_000;
    for (row, &hour) in hours.iter().enumerate() {
        let place = (TABLE, row as u64 + 1, "hour");
        if !(-HOUR_MAX..=HOUR_MAX).contains(&hour) {
            faults.push(Fault::of_cell(place, hour.to_string(), "an hour is Unix time / 3600", "correct it"));
        } else if row > 0 && hour != hours[row - 1].saturating_add(1) {
            let before = hours[row - 1];
            let rule = format!("hours follow each other one by one; the row before has {before}");
            let remedy = "supply the missing bars, or start the history after the gap; repeated rows are removed";
            faults.push(Fault::of_cell(place, hour.to_string(), rule, remedy));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(name: &str, close: Vec<f64>) -> Bars {
        Bars { name: name.into(), open: close.clone(), high: close.clone(), low: close.clone(), close, volume: None }
    }

    fn faults(hours: &[i64], bars: Bars) -> Vec<String> {
        match BarHistory::new(hours, vec![bars]) {
            Err(Error::Refused(faults)) => faults.iter().map(ToString::to_string).collect(),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_moment_knows_the_bars_before_it() {
        let history = BarHistory::new(&[10, 11, 12], vec![flat("A", vec![1.0, 2.0, 3.0])]).expect("a history");
        assert_eq!(
            (history.moment(3), history.known_at(13), history.known_at(14), history.known_at(9)),
            (13, Some(3), None, None)
        );
        assert_eq!(history.truncated(2).assets()[0].close, [1.0, 2.0]);
    }

    #[test]
    fn gaps_and_impossible_bars_are_refused_with_their_rows() {
        let wrong = faults(&[10, 12, 12], flat("A", vec![1.0, f64::NAN, -3.0]));
        assert_eq!(wrong.len(), 10, "{wrong:?}");
        assert!(wrong[0].contains("row 2") && wrong[0].contains("one by one"), "{}", wrong[0]);
        let bar = Bars { high: vec![0.5, 2.0], low: vec![0.5, 2.0], ..flat("A", vec![1.0, 1.5]) };
        let wrong = faults(&[1, 2], bar);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(faults(&[], flat("A", Vec::new()))[0].contains("has rows"));
        assert!(faults(&[1, 2], flat("A", vec![1.0]))[0].contains("each of 2 hours"));
        assert!(faults(&[i64::MAX, i64::MIN], flat("A", vec![1.0, 2.0])).len() == 2);
    }

    #[test]
    fn a_price_that_stands_still_for_a_week_is_refused_once() {
        let hours: Vec<i64> = (0..400).collect();
        let wrong = faults(&hours, flat("A", vec![7.0; 400]));
        assert!(wrong.len() == 1 && wrong[0].contains("row 169"), "{wrong:?}");
    }
}
