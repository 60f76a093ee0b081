use std::path::Path;

use ndarray::{Array1, Array2, Axis, concatenate};

use super::arrays::{array, array2};
use super::options;
use crate::domain::{Asset, Balance, Book, BookBuilder, Instrument, Position, Snapshot, Underlying};
use crate::error::{Error, Result};
use crate::margin::{Form, MarginClass, Rulebook, Schedule};
use crate::scenario::{Factor, FactorKind, ScenarioSet};

/// A workload of the peers, as a book.
pub(super) struct Workload {
    /// `linear` or `options`.
    pub(super) name: String,
    /// For example `medium`.
    pub(super) size: String,
    /// Market and book.
    pub(super) snapshot: Snapshot,
    /// Margin rules.
    pub(super) rulebook: Rulebook,
    /// Shocks.
    pub(super) scenarios: ScenarioSet,
}

impl Workload {
    /// Reads `meta.json` and the input arrays.
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("meta.json");
        let text = std::fs::read_to_string(&path).map_err(|error| Error::io(&path, error))?;
        let meta: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| Error::Usage(format!("{}: not a workload description: {error}", path.display())))?;
        let text = |key: &str| meta[key].as_str().unwrap_or_default().to_string();
        let (name, size) = (text("workload"), text("size"));
        let (mut snapshot, rulebook, scenarios) = match name.as_str() {
            "linear" => linear(dir)?,
            "options" => options::read(dir, &meta)?,
            other => {
                let rule = format!("{}: workload {other:?}; known are \"linear\" and \"options\"", path.display());
                return Err(Error::Usage(rule));
            }
        };
        snapshot.book = book(dir, &snapshot)?;
        Ok(Self { name, size, snapshot, rulebook, scenarios })
    }
}

fn linear(dir: &Path) -> Result<(Snapshot, Rulebook, ScenarioSet)> {
    let prices: Array1<f64> = array(dir, "price")?;
    let rulebook = rulebook(&array2(dir, "tier_rate")?, &array2(dir, "tier_ded")?, 1.0);
    Ok((market(&prices), rulebook, scenarios(array2(dir, "shock")?, None)))
}

/// The name of an instrument, and of its underlying where it is a perpetual.
pub(super) fn name(index: usize) -> String {
    format!("i{index:06}")
}

/// One scenario per row of `prices`, and of `volatilities` where there are some; columns are underlyings.
pub(super) fn scenarios(prices: Array2<f64>, volatilities: Option<Array2<f64>>) -> ScenarioSet {
    let (n_scenarios, n_underlyings) = prices.dim();
    let of_kind = |kind| (0..n_underlyings).map(move |k| Factor { kind, name: name(k) });
    let mut factors: Vec<Factor> = of_kind(FactorKind::Price).collect();
    let shocks = match volatilities {
        None => prices,
        Some(volatilities) => {
            factors.extend(of_kind(FactorKind::Volatility));
            concatenate![Axis(1), prices, volatilities]
        }
    };
    ScenarioSet {
        ids: (0..n_scenarios).map(|k| k.to_string()).collect(),
        weights: vec![1.0; n_scenarios],
        labels: vec![String::new(); n_scenarios],
        factors,
        shocks,
    }
}

/// A perpetual on every price, settled in dollars.
pub(super) fn market(prices: &Array1<f64>) -> Snapshot {
    let underlying = |(index, &price): (usize, &f64)| Underlying::new(name(index), price);
    let instrument = |(index, &price): (usize, &f64)| Instrument::perpetual(name(index), index as u32, 0, price);
    let cash = Asset::new("USD", 1.0);
    Snapshot {
        as_of: None,
        quote: "USD".into(),
        assets: vec![cash],
        underlyings: prices.iter().enumerate().map(underlying).collect(),
        instruments: prices.iter().enumerate().map(instrument).collect(),
        routes: Vec::new(),
        haircut_curves: Vec::new(),
        book: Book::default(),
    }
}

fn book(dir: &Path, market: &Snapshot) -> Result<Book> {
    let starts: Array1<u32> = array(dir, "acct_ptr")?;
    let instruments: Array1<i32> = array(dir, "pos_inst")?;
    let quantities: Array1<f64> = array(dir, "pos_qty")?;
    let cash: Array1<f64> = array(dir, "acct_cash")?;
    let fits = starts.len() == cash.len() + 1
        && starts.iter().zip(starts.iter().skip(1)).all(|(a, b)| a <= b)
        && starts.iter().all(|&start| start as usize <= instruments.len())
        && instruments.len() == quantities.len()
        && instruments.iter().all(|&index| (index as usize) < market.instruments.len());
    if !fits {
        return Err(misfit(dir));
    }
    let mut builder = BookBuilder::default();
    for (account, &amount) in cash.iter().enumerate() {
        let pool = builder.pool(&format!("a{account:08}"), "main");
        builder.add_balance(pool, Balance::new(0, amount));
        for at in starts[account] as usize..starts[account + 1] as usize {
            let instrument = instruments[at] as u32;
            let mark_price = market.instruments[instrument as usize].mark_price;
            builder.add_position(pool, Position::new(instrument, quantities[at], mark_price));
        }
    }
    Ok(builder.build())
}

/// Arrays whose sizes contradict each other.
pub(super) fn misfit(dir: &Path) -> Error {
    Error::Usage(format!("{}: the arrays do not fit each other", dir.display()))
}

/// `max_j(rate_j·n − ded_j)` as brackets: bounds are where neighbouring lines meet. The initial requirement is
/// `initial_ratio` times as much.
pub(super) fn rulebook(rates: &Array2<f64>, deductions: &Array2<f64>, initial_ratio: f64) -> Rulebook {
    let mut rulebook = Rulebook { name: "peers".into(), ..Rulebook::default() };
    for (index, (rates, deductions)) in rates.rows().into_iter().zip(deductions.rows()).enumerate() {
        let bounds: Vec<f64> =
            (1..rates.len()).map(|j| (deductions[j] - deductions[j - 1]) / (rates[j] - rates[j - 1])).collect();
        let schedule = |ratio: f64| Schedule {
            form: Form::Marginal,
            bounds: bounds.clone(),
            rates: rates.iter().map(|rate| ratio * rate).collect(),
        };
        let class = MarginClass::brackets(schedule(1.0), schedule(initial_ratio));
        rulebook.margin.insert(name(index), class);
    }
    rulebook
}
