use ndarray::Array2;

use crate::error::Fault;
use crate::scenario::panel::Panel;

const CLOSE: &str = "_close";
const LOW: &str = "_low";

/// Prices of many assets at common moments, with the lowest between them where that is known.
#[derive(Debug, Clone)]
pub struct History {
    /// Moment of each row, hours since 1970-01-01 00:00 UTC, strictly increasing.
    pub hours: Vec<i64>,
    /// One per asset.
    pub courses: Vec<Course>,
}

/// The course of one price.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Name of the asset.
    pub name: String,
    /// Price at the end of each row, > 0; NaN = not quoted.
    pub closes: Vec<f64>,
    /// Lowest price since the row before, ≤ the close; the close itself where only closes are known.
    pub lows: Vec<f64>,
}

impl History {
    /// The columns that are prices of bars, where a table has any: every `X_close`, and its `X_low`. Empty otherwise, and then
    /// every column is a price.
    pub fn bar_columns(names: &[String]) -> Vec<usize> {
        let prefixes: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(CLOSE)).collect();
        let is_price = |name: &String| {
            name.ends_with(CLOSE) || name.strip_suffix(LOW).is_some_and(|prefix| prefixes.contains(&prefix))
        };
        let chosen = names.iter().enumerate().filter(|(_, name)| !prefixes.is_empty() && is_price(name));
        chosen.map(|(column, _)| column).collect()
    }

    /// The courses of a panel that is free of faults. Columns `x_close` and `x_low` are one course `X`; any other column is a
    /// course of closes.
    ///
    /// Faults are bars whose low is above their close.
    pub fn of_panel(panel: &Panel) -> (Self, Vec<Fault>) {
        let bars = Self::bar_columns(&panel.assets);
        let closes = |column: usize| panel.prices.column(column).to_vec();
        let mut faults = Vec::new();
        let course = |(column, name): (usize, &String)| {
            if bars.is_empty() {
                return Some(Course { name: name.clone(), closes: closes(column), lows: closes(column) });
            }
            let prefix = name.strip_suffix(CLOSE)?;
            let lows = panel.column(&format!("{prefix}{LOW}")).map_or_else(|| closes(column), closes);
            let closes = closes(column);
            faults.extend(low_faults(prefix, &lows, &closes));
            Some(Course { name: prefix.to_ascii_uppercase(), closes, lows })
        };
        let courses = panel.assets.iter().enumerate().filter_map(course).collect();
        (Self { hours: panel.hours.clone(), courses }, faults)
    }

    /// The course of an asset by its name, else by its name in another case.
    pub fn course(&self, name: &str) -> Option<&Course> {
        let exact = self.courses.iter().find(|course| course.name == name);
        exact.or_else(|| self.courses.iter().find(|course| course.name.eq_ignore_ascii_case(name)))
    }

    /// The usual distance of rows in hours: the smallest one, at least 1.
    pub fn step_hours(&self) -> i64 {
        self.hours.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(1).max(1)
    }

    /// A horizon in hours, rounded up to a whole number of steps: what a window of rows can span.
    pub fn span(&self, horizon_hours: u32) -> i64 {
        let step = self.step_hours();
        (i64::from(horizon_hours.max(1)) + step - 1) / step * step
    }

    /// The closes as a table, `[n_hours × n_courses]`.
    pub fn closes(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.hours.len(), self.courses.len()), |(row, column)| self.courses[column].closes[row])
    }
}

impl Course {
    /// The price in units of another: closes over closes, as lows of two prices need not be of one moment.
    pub fn against(&self, reference: &Self) -> Self {
        let ratios: Vec<f64> = self.closes.iter().zip(&reference.closes).map(|(price, unit)| price / unit).collect();
        // A quotient of finite prices may leave the range of numbers; it is then no quote.
        let ratios: Vec<f64> =
            ratios.into_iter().map(|ratio| if ratio.is_finite() && ratio > 0.0 { ratio } else { f64::NAN }).collect();
        Self { name: format!("{}/{}", self.name, reference.name), lows: ratios.clone(), closes: ratios }
    }

    /// The last row in which it is quoted.
    pub fn last_quoted(&self) -> Option<usize> {
        self.closes.iter().rposition(|close| !close.is_nan())
    }
}

fn low_faults<'c>(prefix: &'c str, lows: &'c [f64], closes: &'c [f64]) -> impl Iterator<Item = Fault> + 'c {
    let wrong = lows.iter().zip(closes).enumerate().filter(|(_, (low, close))| low > close);
    wrong.map(move |(row, (low, close))| {
        let column = format!("{prefix}{LOW}");
        let rule = format!("a low is at most the close, {close}");
        Fault::of_cell(("panel", row as u64 + 1, column.as_str()), low.to_string(), rule, "correct one of them")
    })
}
