//! Named historical market events as scenarios.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array2;

use super::names::price_factors;
use super::{Factor, ScenarioSet};
use crate::domain::{Asset, Underlying};
use crate::error::{Error, Fault, Result};

/// Key of [`Event::price`] that stands for every price factor without its own figure.
const DEFAULT: &str = "default";

/// A named market event: the joint move of prices, and the collateral that broke.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Unique id, for example `2020-03-12-black-thursday`.
    pub id: String,
    /// Day of the event, ISO 8601.
    pub date: String,
    /// What happened, in a few words.
    pub title: String,
    /// Where the figures come from and how sure they are.
    pub source: String,
    /// Relative move per price factor (−0.2 = −20 %); the key `default` moves every held factor without its own figure.
    pub price: BTreeMap<String, f64>,
    /// Relative move per asset on top of its price factor: a broken peg.
    #[serde(default)]
    pub asset: BTreeMap<String, f64>,
}

/// Events, and the names that follow a currency.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Names that `price.default` never moves: pegged coins and currencies.
    #[serde(default)]
    pub pegged: Vec<String>,
    /// The events, in the order of their scenarios.
    #[serde(rename = "event")]
    pub events: Vec<Event>,
}

/// The events that come with the program, oldest first.
///
/// # Errors
/// [`Error::Bug`] where the embedded file is broken; a test reads it.
pub fn catalogue() -> Result<Catalogue> {
    parse(include_str!("../../fixtures/events.toml")).map_err(|error| Error::Bug(error.to_string()))
}

/// Reads events from TOML: `[[event]]` tables with the fields of [`Event`], and optionally `pegged`.
///
/// # Errors
/// [`Error::Configuration`] with every fault: not TOML, an unknown key, a repeated id, a wrong date, no `price.default`, a
/// shock below −1 or not finite.
pub fn parse(text: &str) -> Result<Catalogue> {
    let catalogue: Catalogue = toml::from_str(text).map_err(|error| {
        let place = error.message().to_owned();
        Error::Configuration(vec![Fault::of_table("events", place, "correct the file; see docs/formats.md")])
    })?;
    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    for (index, event) in catalogue.events.iter().enumerate() {
        let row = index as u64 + 1;
        if event.id.is_empty() || !ids.insert(event.id.as_str()) {
            let rule = "an event has an id of its own";
            faults.push(Fault::of_cell(("events", row, "id"), &event.id, rule, "rename it"));
        }
        if event.date.parse::<jiff::civil::Date>().is_err() {
            let rule = "a date is a day such as 2020-03-12";
            faults.push(Fault::of_cell(("events", row, "date"), &event.date, rule, "correct it"));
        }
        if !event.price.contains_key(DEFAULT) {
            let rule = "an event has a default move for prices without their own figure";
            faults.push(Fault::of_cell(("events", row, "price.default"), "", rule, "add price.default"));
        }
        for (name, shock) in event.price.iter().chain(&event.asset) {
            if !(shock.is_finite() && *shock >= -1.0) {
                let rule = "a relative move is finite and at least -1";
                faults.push(Fault::of_cell(("events", row, name), shock.to_string(), rule, "correct it"));
            }
        }
    }
    if faults.is_empty() { Ok(catalogue) } else { Err(Error::Configuration(faults)) }
}

/// One scenario per event, weight 1, over the factors that `underlyings` and `assets` hold.
///
/// - Every price factor of the underlyings has a column; an event without its figure gives `price.default`, and the label
///   says for which factors. A pegged one takes the event's `asset` figure instead of the default, else 0.
/// - An asset that follows no held underlying (a token held only as collateral) gets a price column where some event has a
///   figure for it; the default never moves it, so a stablecoin stays at its peg.
/// - An asset named under `asset` in some event gets an `asset:` column; events that did not break it give 0. One that is
///   itself a held price factor does not: its price column has the move already.
///
/// Event names match held names whatever the case (`USDE`, `USDe`).
///
/// # Errors
/// [`Error::Usage`] where there is no event, or nothing held that one could move.
pub fn events(catalogue: &Catalogue, underlyings: &[Underlying], assets: &[Asset]) -> Result<ScenarioSet> {
    let held = price_factors(underlyings);
    let is_held = |name: &str| held.iter().any(|factor| factor == name);
    let named = |of: fn(&Event) -> &BTreeMap<String, f64>, name: &str| {
        catalogue.events.iter().any(|event| figure(of(event), name).is_some())
    };
    let collateral: BTreeSet<&str> = assets
        .iter()
        .map(|asset| asset.underlying.as_str())
        .filter(|name| !is_held(name) && named(|event| &event.price, name))
        .collect();
    let broken: BTreeSet<&str> = assets
        .iter()
        .filter(|asset| !(asset.name == asset.underlying && is_held(&asset.name)))
        .map(|asset| asset.name.as_str())
        .filter(|name| named(|event| &event.asset, name))
        .collect();
    let mut factors: Vec<Factor> = held.iter().map(Factor::price).collect();
    factors.extend(collateral.iter().map(|name| Factor::price(*name)));
    factors.extend(broken.iter().map(|name| Factor::asset(*name)));
    let count = catalogue.events.len();
    if factors.is_empty() || count == 0 {
        return Err(Error::Usage("no event moves anything the snapshot holds".into()));
    }
    let mut labels = Vec::with_capacity(count);
    let mut shocks = Vec::with_capacity(count * factors.len());
    for event in &catalogue.events {
        let mut defaulted = Vec::new();
        for name in &held {
            shocks.push(catalogue.price_move(event, name).unwrap_or_else(|| {
                defaulted.push(name.as_str());
                event.default_move()
            }));
        }
        shocks.extend(collateral.iter().map(|name| figure(&event.price, name).unwrap_or(0.0)));
        shocks.extend(broken.iter().map(|name| figure(&event.asset, name).unwrap_or(0.0)));
        labels.push(label(event, &defaulted));
    }
    let shocks = Array2::from_shape_vec((count, factors.len()), shocks).map_err(|e| Error::Bug(e.to_string()))?;
    let ids = catalogue.events.iter().map(|event| event.id.clone()).collect();
    Ok(ScenarioSet { ids, weights: vec![1.0; count], labels, factors, shocks })
}

impl Catalogue {
    /// The event's move of a price factor; `None` where only the default is left.
    fn price_move(&self, event: &Event, name: &str) -> Option<f64> {
        let is_pegged = self.pegged.iter().any(|pegged| pegged.eq_ignore_ascii_case(name));
        let peg = || is_pegged.then(|| figure(&event.asset, name).unwrap_or(0.0));
        figure(&event.price, name).or_else(peg)
    }
}

impl Event {
    fn default_move(&self) -> f64 {
        self.price.get(DEFAULT).copied().unwrap_or(0.0)
    }
}

fn label(event: &Event, defaulted: &[&str]) -> String {
    let mut label = format!("{} ({})", event.title, event.date);
    if !defaulted.is_empty() {
        label.push_str(&format!("; default {} for {}", event.default_move(), defaulted.join(" ")));
    }
    label
}

/// The event's own figure for a held name; `default` is a key, not a name.
fn figure(moves: &BTreeMap<String, f64>, name: &str) -> Option<f64> {
    moves.iter().find(|(key, _)| *key != DEFAULT && key.eq_ignore_ascii_case(name)).map(|(_, shock)| *shock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixtures::{asset, underlying};

    #[test]
    fn the_catalogue_is_complete() {
        let events = catalogue().unwrap().events;
        assert!(events.len() >= 12);
        for event in &events {
            assert!(event.price.len() > 5, "{}: at least five underlyings beside the default", event.id);
            assert!(event.source.len() > 40, "{}", event.id);
            assert!(event.id.starts_with(&event.date), "{}", event.id);
        }
        let cascade = events.iter().find(|event| event.date == "2025-10-10").unwrap();
        assert!(figure(&cascade.asset, "USDe").unwrap() <= -0.3);
        assert!(figure(&cascade.asset, "wBETH").unwrap() < -0.85);
        assert!(figure(&cascade.asset, "BNSOL").unwrap() < -0.8);
    }

    #[test]
    fn every_held_underlying_is_shocked_and_the_label_names_the_defaults() {
        let held = [underlying("BTC"), underlying("NEWCOIN")];
        let collateral = [asset("USDC"), asset("USD"), asset("FTT"), asset("USDe")];
        let set = events(&catalogue().unwrap(), &held, &collateral).unwrap();
        assert!(set.faults().is_empty());
        let names: Vec<String> = set.factors.iter().map(Factor::to_string).collect();
        assert_eq!(names, ["price:BTC", "price:NEWCOIN", "price:FTT", "asset:USDC", "asset:USDe"]);
        assert!(set.shocks.column(0).iter().chain(set.shocks.column(1)).all(|shock| *shock != 0.0));
        let depeg = set.position("2023-03-11-usdc-depeg").unwrap();
        assert_eq!(set.shocks[[depeg, 3]], -0.12);
        assert_eq!(set.shocks[[depeg, 4]], 0.0);
        assert_eq!(set.shocks[[depeg, 1]], -0.1);
        assert!(set.labels[depeg].ends_with("default -0.1 for NEWCOIN"), "{}", set.labels[depeg]);
        assert!(set.shocks[[set.position("2022-11-09-ftx-collapse").unwrap(), 2]] < -0.85);
    }

    #[test]
    fn a_pegged_underlying_keeps_its_peg_unless_it_broke() {
        let held = [underlying("BTC"), underlying("USDC")];
        let set = events(&catalogue().unwrap(), &held, &[asset("USDC")]).unwrap();
        assert_eq!(set.factors, [Factor::price("BTC"), Factor::price("USDC")]);
        let depeg = set.position("2023-03-11-usdc-depeg").unwrap();
        for (row, shock) in set.shocks.column(1).iter().enumerate() {
            assert_eq!(*shock, if row == depeg { -0.12 } else { 0.0 });
        }
    }

    #[test]
    fn wrong_catalogues_are_refused() {
        let event = |id: &str, date: &str, price: &str| {
            format!("[[event]]\nid='{id}'\ndate='{date}'\ntitle='t'\nsource='s'\nprice={price}\n")
        };
        let good = event("a", "2020-01-02", "{default=-0.1}");
        assert_eq!(parse(&good).unwrap().events.len(), 1);
        for bad in [
            "not toml".to_owned(),
            format!("{good}extra=1\n"),
            format!("{good}{good}"),
            event("", "2020-01-02", "{default=-0.1}"),
            event("a", "2020-13-02", "{default=-0.1}"),
            event("a", "2020-01-02", "{BTC=-0.1}"),
            event("a", "2020-01-02", "{default=-1.1}"),
            event("a", "2020-01-02", "{default=nan}"),
        ] {
            assert!(matches!(parse(&bad), Err(Error::Configuration(_))), "{bad}");
        }
        let empty = Catalogue { pegged: vec![], events: vec![] };
        assert!(events(&empty, &[underlying("BTC")], &[]).is_err());
    }
}
