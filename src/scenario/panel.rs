//! A panel of prices: many assets at common moments.

use std::collections::HashSet;

use ndarray::Array2;

use crate::error::Fault;

/// Prices of many assets at common moments: the raw material of replayed history and of correlations.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Moment of each row, hours since 1970-01-01 00:00 UTC, strictly increasing.
    pub hours: Vec<i64>,
    /// Asset of each column, unique whatever the case.
    pub assets: Vec<String>,
    /// `[n_hours × n_assets]`, > 0 in any one currency; NaN = not quoted.
    pub prices: Array2<f64>,
}

impl Panel {
    /// Checks every rule of a panel and reports every fault: at least two rows and one asset, assets unique whatever the case, increasing
    /// hours that are dates, positive prices.
    pub fn faults(&self) -> Vec<Fault> {
        let table = "panel";
        let mut faults = Vec::new();
        if self.hours.len() < 2 {
            faults.push(Fault::of_table(table, "a return needs two rows of prices", "add rows"));
        }
        if self.assets.is_empty() {
            faults.push(Fault::of_table(table, "a panel has at least one asset column", "add a column of prices"));
        }
        let mut seen = HashSet::new();
        for asset in &self.assets {
            if asset.is_empty() {
                faults.push(Fault::of_table(table, "an asset column has a name", "name the column"));
            } else if !seen.insert(asset.to_ascii_lowercase()) {
                let rule = format!("column {asset} stands once, whatever the case");
                faults.push(Fault::of_table(table, rule, "remove the second one"));
            }
        }
        for (row, hour) in self.hours.iter().enumerate() {
            let place = (table, row as u64 + 1, "hour");
            if moment(*hour).is_none() {
                faults.push(Fault::of_cell(place, hour.to_string(), "an hour is Unix time / 3600", "correct it"));
            }
            if row > 0 && *hour <= self.hours[row - 1] {
                let rule = format!("hours increase; the row before has {}", self.hours[row - 1]);
                faults.push(Fault::of_cell(place, hour.to_string(), rule, "sort the rows and remove repeated ones"));
            }
        }
        for ((row, column), price) in self.prices.indexed_iter() {
            if *price <= 0.0 || price.is_infinite() {
                let place = (table, row as u64 + 1, self.assets[column].as_str());
                let rule = "a price is finite and above 0";
                faults.push(Fault::of_cell(place, price.to_string(), rule, "leave the cell empty for not quoted"));
            }
        }
        faults
    }

    /// Simple returns p_t/p_{t−1} − 1 of consecutive rows, `[n_hours − 1 × n_assets]`; NaN where either price is missing.
    pub fn returns(&self) -> Array2<f64> {
        let rows = self.hours.len().saturating_sub(1);
        Array2::from_shape_fn((rows, self.assets.len()), |(row, column)| {
            self.prices[[row + 1, column]] / self.prices[[row, column]] - 1.0
        })
    }

    /// The usual distance of rows in hours: the smallest one. 0 for fewer than two rows.
    pub fn step_hours(&self) -> i64 {
        self.hours.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(0)
    }

    /// The position of an asset's column.
    pub fn column(&self, asset: &str) -> Option<usize> {
        self.assets.iter().position(|candidate| candidate == asset)
    }
}

/// The moment of an hour number; `None` outside the calendar.
pub fn moment(hour: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(hour.checked_mul(3600)?).ok()
}
