//! Named failures of what the exchange sees.

use ndarray::Array2;

use super::{Factor, FactorKind, ScenarioSet};
use crate::error::{Error, Result};

/// Most cells of one set.
const MOST_CELLS: usize = 50_000_000;

/// Sizes of the failures.
#[derive(Debug, Clone, PartialEq)]
pub struct OracleShocks {
    /// Shares of a move that are not seen, in [0, 1]; 1 is a frozen price.
    pub lags: Vec<f64>,
    /// Relative distances of what is seen from what is, ≥ −1.
    pub divergences: Vec<f64>,
    /// Relative half-widths of prices, ≥ 0.
    pub confidences: Vec<f64>,
    /// Relative distances of what a captured source quotes from what it would, ≥ −1.
    pub captures: Vec<f64>,
}

impl Default for OracleShocks {
    /// Half a move and a frozen price, 5 and 20 % either way, a width of 10 %, captures that quote half or one and a half times.
    fn default() -> Self {
        Self {
            lags: vec![0.5, 1.0],
            divergences: vec![-0.2, -0.05, 0.05, 0.2],
            confidences: vec![0.1],
            captures: vec![-0.5, 0.5],
        }
    }
}

/// Whose prices fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OracleTargets<'a> {
    /// Underlyings and assets that fail one by one.
    pub each: &'a [String],
    /// Underlyings and assets that fail together, as one further target.
    pub all: &'a [String],
    /// Sources that are captured one by one.
    pub sources: &'a [String],
}

/// First a scenario in which everything is seen as it is; then for each target each lag, divergence and confidence, and for each
/// source each capture. Weight 1 each; ids such as `BTC lag 0.5`, `all oracle -0.2`, `source binance +0.5`.
///
/// # Errors
/// [`Error::Usage`] where a size is out of range or given twice, or the set exceeds 50,000,000 cells.
pub fn oracle_failures(targets: OracleTargets<'_>, shocks: &OracleShocks) -> Result<ScenarioSet> {
    let kinds = [
        (FactorKind::Lag, &shocks.lags),
        (FactorKind::Oracle, &shocks.divergences),
        (FactorKind::Confidence, &shocks.confidences),
        (FactorKind::Source, &shocks.captures),
    ];
    kinds.iter().try_for_each(|(kind, sizes)| check(*kind, sizes))?;
    let mut builder = Builder::default();
    builder.push("seen as it is".into(), "every price is seen as it is".into(), &[]);
    for (kind, sizes) in &kinds[..3] {
        for &size in *sizes {
            if !targets.all.is_empty() {
                builder.push_one(*kind, "all", targets.all, size);
            }
            for name in targets.each {
                builder.push_one(*kind, name, std::slice::from_ref(name), size);
            }
        }
    }
    for &size in &shocks.captures {
        for source in targets.sources {
            let factor = Factor { kind: FactorKind::Source, name: source.clone() };
            let label = format!("source {source} quotes {size:+} off");
            builder.push(format!("source {source} {size:+}"), label, &[(factor, size)]);
        }
    }
    builder.build()
}

fn check(kind: FactorKind, sizes: &[f64]) -> Result<()> {
    for (place, size) in sizes.iter().enumerate() {
        if !(kind.minimum()..=kind.maximum()).contains(size) {
            let (least, most) = (kind.minimum(), kind.maximum());
            return Err(Error::Usage(format!("{} {size}: a number from {least} to {most}", kind.prefix())));
        }
        if sizes[..place].contains(size) {
            return Err(Error::Usage(format!("{} {size} is given twice", kind.prefix())));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Builder {
    factors: Vec<Factor>,
    ids: Vec<String>,
    labels: Vec<String>,
    cells: Vec<(usize, usize, f64)>,
}

impl Builder {
    /// One failure of one target, which is one name or several.
    fn push_one(&mut self, kind: FactorKind, target: &str, names: &[String], size: f64) {
        let shocks: Vec<_> = names.iter().map(|name| (Factor { kind, name: name.clone() }, size)).collect();
        let label = match kind {
            FactorKind::Lag if size == 1.0 => format!("{target}: the price stands still"),
            FactorKind::Lag => format!("{target}: {size} of the move is not seen"),
            FactorKind::Oracle => format!("{target}: seen {size:+} off"),
            _ => format!("{target}: a price ± {size}"),
        };
        let size = if kind == FactorKind::Oracle { format!("{size:+}") } else { size.to_string() };
        self.push(format!("{target} {} {size}", kind.prefix()), label, &shocks);
    }

    fn push(&mut self, id: String, label: String, shocks: &[(Factor, f64)]) {
        for (factor, shock) in shocks {
            let column = self.factors.iter().position(|known| known == factor).unwrap_or_else(|| {
                self.factors.push(factor.clone());
                self.factors.len() - 1
            });
            self.cells.push((self.ids.len(), column, *shock));
        }
        self.ids.push(id);
        self.labels.push(label);
    }

    fn build(self) -> Result<ScenarioSet> {
        let (rows, columns) = (self.ids.len(), self.factors.len());
        if rows.checked_mul(columns).is_none_or(|cells| cells > MOST_CELLS) {
            return Err(Error::Usage(format!("{rows} × {columns} cells are more than {MOST_CELLS}: name fewer")));
        }
        let mut shocks = Array2::zeros((rows, columns));
        self.cells.iter().for_each(|&(row, column, shock)| shocks[[row, column]] = shock);
        let set =
            ScenarioSet { weights: vec![1.0; rows], ids: self.ids, labels: self.labels, factors: self.factors, shocks };
        let faults = set.faults();
        if faults.is_empty() { Ok(set) } else { Err(Error::Refused(faults)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn every_target_fails_in_every_way_and_all_together() {
        let (each, all, sources) = (names(&["BTC"]), names(&["BTC", "ETH"]), names(&["x", "y"]));
        let targets = OracleTargets { each: &each, all: &all, sources: &sources };
        let set = oracle_failures(targets, &OracleShocks::default()).expect("a set");
        // As it is; two targets × (2 + 4 + 1); two sources × 2.
        assert_eq!(set.len(), 1 + 2 * 7 + 4);
        let of = |id: &str, factor: &str| {
            let column = set.column(&Factor::parse(factor).expect("a factor")).expect("a column");
            set.shock(set.position(id).expect(id), column)
        };
        assert_eq!((of("all lag 0.5", "lag:ETH"), of("BTC lag 0.5", "lag:ETH")), (0.5, 0.0));
        assert_eq!((of("BTC oracle -0.2", "oracle:BTC"), of("source y +0.5", "source:y")), (-0.2, 0.5));
        assert!(set.shocks.row(0).iter().all(|shock| *shock == 0.0));
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let targets = OracleTargets { each: &[], all: &[], sources: &[] };
        for (lags, divergences) in
            [(vec![1.5], vec![]), (vec![0.5, 0.5], vec![]), (vec![], vec![-1.5]), (vec![f64::NAN], vec![])]
        {
            let shocks = OracleShocks { lags, divergences, ..OracleShocks::default() };
            assert!(oracle_failures(targets, &shocks).is_err(), "{shocks:?}");
        }
    }
}
