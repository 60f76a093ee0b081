use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::listing;
use super::names::{self, CASH, Facts, STABLE};
use super::networks;
use super::random::{Random, round_significant};
use super::rulebook::haircut_class;
use super::symbol::Symbol;
use crate::domain::{
    Asset, AssetIndex, Book, Instrument, InstrumentIndex, Kind, Payoff, Premium, Route, Snapshot, Underlying,
};
use crate::error::{Error, Result};
use crate::margin::Rulebook;

const QUOTE: &str = "USD";
/// How many instruments the built-in market lists unless told otherwise.
const DEFAULT_INSTRUMENTS: usize = 58;
/// Collateral that accounts like best, whatever it trades like.
const FAVOURED: [&str; 7] = ["BTC", "ETH", "SOL", "BNB", "LUNA", "UST", "FTT"];
/// Yearly carry of dated contracts.
pub(super) const CARRY_PER_YEAR: f64 = 0.06;

/// What a synthetic market should look like.
#[derive(Debug, Clone, Default)]
pub struct MarketOptions {
    /// Seeds the numbers of names that are not in the built-in list, and the premium of each mark over its index.
    pub seed: u64,
    /// How many instruments, most popular first; default 58 for the built-in market and all of a rulebook's classes.
    pub instruments: Option<usize>,
    /// Keep only contracts on these names, and list every one of them as an asset and an underlying.
    pub underlyings: Option<Vec<String>>,
    /// Assets that accounts post beside USDT and USDC, most popular first; default: every asset of the market.
    pub collateral_assets: Option<Vec<String>>,
    /// Whether options are listed beside them.
    pub options: OptionListing,
    /// How many other networks collateral is held on, each with a route of its own.
    pub networks: usize,
}

/// Whether a market lists options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OptionListing {
    /// It does not.
    #[default]
    None,
    /// Chains on bitcoin, ether (settled in coin) and SOL (in USDC), where the market has them and, of a given rulebook, it has
    /// a class for them.
    Chains,
}

/// The market side of a snapshot, and what is popular in it.
#[derive(Debug, Clone)]
pub struct Market {
    /// The moment of all prices; before every expiry.
    pub as_of: Timestamp,
    /// The quote currency, `USD`; one of `assets`.
    pub quote: String,
    /// Sorted by name, unique; those on routes follow the settled ones they will become in everything.
    pub assets: Vec<Asset>,
    /// Sorted by name, unique.
    pub underlyings: Vec<Underlying>,
    /// Sorted by name, unique; the margin class is the name, of an option on `U` it is `U-option`.
    pub instruments: Vec<Instrument>,
    /// Every instrument that is no option, most popular first.
    pub popularity: Vec<InstrumentIndex>,
    /// Every option.
    pub options: Vec<InstrumentIndex>,
    /// Routes from other networks, sorted by name.
    pub routes: Vec<Route>,
    /// Stablecoins that accounts hold as cash, best first; never empty.
    pub cash: Vec<AssetIndex>,
    /// Other collateral, most popular first.
    pub collateral: Vec<AssetIndex>,
    /// Margin classes whose key does not name a contract this generator makes (options, for example); no instrument.
    pub skipped_classes: Vec<String>,
}

impl Market {
    /// The built-in market: perpetuals settled in USDT and USDC, some inverse and dated ones, a quanto and spot pairs.
    ///
    /// # Errors
    /// [`Error::Usage`] where more instruments are asked for than there are, or none is left by `options.underlyings`.
    pub fn built_in(options: &MarketOptions) -> Result<Self> {
        let keys = built_in_keys();
        let classes = Classes { has_haircut: &|_| true, has_option: &|_| true };
        let listed: Vec<&str> = names::built_in().collect();
        build(keys, &listed, options, Some(options.instruments.unwrap_or(DEFAULT_INSTRUMENTS)), &classes)
    }

    /// One instrument per margin class of `rulebook`. A class key such as `BTC/USDT:USDT` names base, quote and settlement;
    /// of a base with a multiplier, such as `1000BONK`, the underlying is `BONK` and the contract size 1000. An asset has
    /// its haircut class where the rulebook defines that class, and none otherwise.
    ///
    /// # Errors
    /// As [`Market::built_in`].
    pub fn from_rulebook(rulebook: &Rulebook, options: &MarketOptions) -> Result<Self> {
        let keys = rulebook.margin.keys().cloned().collect();
        let classes = Classes {
            has_haircut: &|class| rulebook.haircut.contains_key(class),
            has_option: &|class| rulebook.option.contains_key(class),
        };
        build(keys, &[], options, options.instruments, &classes)
    }

    /// A snapshot of this market with this book, whose indices must be this market's.
    pub fn snapshot(&self, book: Book) -> Snapshot {
        Snapshot {
            as_of: Some(self.as_of),
            quote: self.quote.clone(),
            assets: self.assets.clone(),
            underlyings: self.underlyings.clone(),
            instruments: self.instruments.clone(),
            routes: self.routes.clone(),
            haircut_curves: Vec::new(),
            book,
        }
    }

    /// The index of an asset by name.
    pub fn asset(&self, name: &str) -> Option<AssetIndex> {
        self.assets.binary_search_by(|asset| asset.name.as_str().cmp(name)).ok().map(|at| at as AssetIndex)
    }
}

fn built_in_keys() -> Vec<String> {
    let mut keys = Vec::new();
    let volatile: Vec<&str> = names::built_in().filter(|name| !STABLE.contains(name)).collect();
    for name in &volatile {
        let multiplier = if names::facts(name, 0).price < 1e-4 { "1000" } else { "" };
        keys.push(format!("{multiplier}{name}/USDT:USDT"));
    }
    keys.extend(volatile[..12].iter().map(|name| format!("{name}/USDC:USDC")));
    keys.extend(volatile[..6].iter().map(|name| format!("{name}/USD:{name}")));
    for (name, day) in [("BTC", "261225"), ("BTC", "270326"), ("ETH", "261225"), ("ETH", "270326")] {
        keys.push(format!("{name}/USDT:USDT-{day}"));
        keys.push(format!("{name}/USD:{name}-{day}"));
    }
    keys.extend(["BTC/USDT", "ETH/USDT", "SOL/USDC", "XRP/USDC", "ETH/USD:BTC"].map(String::from));
    keys
}

fn build(
    keys: Vec<String>,
    listed: &[&str],
    options: &MarketOptions,
    limit: Option<usize>,
    classes: &Classes<'_>,
) -> Result<Market> {
    let (symbols, skipped_classes) = select(keys, options, limit)?;
    let mut asset_names: BTreeSet<&str> = CASH.into_iter().chain([QUOTE]).collect();
    let mut underlying_names: BTreeSet<&str> = symbols.iter().map(|(_, symbol)| symbol.base.as_str()).collect();
    for (_, symbol) in &symbols {
        asset_names.extend([symbol.base.as_str(), symbol.quote.as_str()]);
        asset_names.extend(symbol.settlement.as_deref());
    }
    match &options.underlyings {
        Some(names) => {
            asset_names.extend(names.iter().map(String::as_str));
            underlying_names.extend(names.iter().map(String::as_str));
        }
        None => asset_names.extend(listed),
    }
    asset_names.extend(options.collateral_assets.iter().flatten().map(String::as_str));
    // Collateral has depth and a volatility index too: a liquidation sells it.
    underlying_names.extend(asset_names.iter().copied().filter(|name| !CASH.contains(name) && *name != QUOTE));

    let assets: Vec<Asset> =
        asset_names.into_iter().map(|name| asset(name, options.seed, classes.has_haircut)).collect();
    let routes = networks::routes(options.networks)?;
    let assets = networks::spread(assets, QUOTE, &routes);
    let underlyings: Vec<Underlying> =
        underlying_names.into_iter().map(|name| underlying(name, options.seed)).collect();
    let as_of = moment(&symbols);
    let places = Places { assets: &assets, underlyings: &underlyings, seed: options.seed, as_of };
    let mut instruments: Vec<Instrument> =
        symbols.iter().map(|(key, symbol)| places.instrument(key, symbol)).collect::<Result<_>>()?;
    if options.options == OptionListing::Chains {
        instruments.extend(listing::chains((&assets, &underlyings), as_of, classes.has_option));
        instruments.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let of_symbol: BTreeMap<&str, &Symbol> = symbols.iter().map(|(key, symbol)| (key.as_str(), symbol)).collect();
    let (mut popularity, listed_options): (Vec<_>, Vec<_>) = (0..instruments.len() as InstrumentIndex)
        .partition(|&at| of_symbol.contains_key(instruments[at as usize].name.as_str()));
    popularity.sort_by_key(|&at| unpopularity(of_symbol[instruments[at as usize].name.as_str()], options.seed));
    let cash = CASH.iter().map(|name| find(&assets, name)).collect::<Result<_>>()?;
    let collateral = collateral(&assets, options)?;
    let quote = QUOTE.to_string();
    Ok(Market {
        as_of,
        quote,
        assets,
        underlyings,
        instruments,
        popularity,
        options: listed_options,
        routes,
        cash,
        collateral,
        skipped_classes,
    })
}

/// Which classes the rulebook of a market has.
struct Classes<'a> {
    has_haircut: &'a dyn Fn(&str) -> bool,
    has_option: &'a dyn Fn(&str) -> bool,
}

/// Contracts with their keys, and the keys that are none.
type Selection = (Vec<(String, Symbol)>, Vec<String>);

/// The contracts to list, sorted by key, and the keys that are none.
fn select(keys: Vec<String>, options: &MarketOptions, limit: Option<usize>) -> Result<Selection> {
    let mut skipped = Vec::new();
    let mut symbols = Vec::new();
    for key in keys {
        match Symbol::parse(&key) {
            Some(symbol) => symbols.push((key, symbol)),
            None => skipped.push(key),
        }
    }
    if let Some(names) = &options.underlyings {
        symbols.retain(|(_, symbol)| names.contains(&symbol.base));
    }
    if symbols.is_empty() {
        return Err(Error::Usage("no contract is left: check the margin classes and the list of underlyings".into()));
    }
    if let Some(count) = limit {
        if count == 0 || options.instruments.is_some() && count > symbols.len() {
            let most = symbols.len();
            return Err(Error::Usage(format!("{count} instruments asked for, between 1 and {most} are possible")));
        }
        symbols.sort_by_key(|(key, symbol)| (unpopularity(symbol, options.seed), key.clone()));
        symbols.truncate(count);
    }
    symbols.sort_by(|a, b| a.0.cmp(&b.0));
    Ok((symbols, skipped))
}

/// Sorts contracts: the first names' perpetuals lead, other kinds follow some ranks behind their own perpetual.
fn unpopularity(symbol: &Symbol, seed: u64) -> usize {
    let behind = match (&symbol.settlement, symbol.expiry.is_some()) {
        (None, _) => 100,
        (Some(settlement), true) if *settlement == symbol.base => 90,
        (Some(_), true) => 80,
        (Some(settlement), false) if *settlement == symbol.base => 45,
        (Some(settlement), false) if *settlement != symbol.quote => 150,
        (Some(settlement), false) if settlement != CASH[0] => 65,
        _ => 0,
    };
    10 * names::facts(&symbol.base, seed).rank + behind
}

/// 2026-11-22, or 64 days before the first expiry where that is earlier: every listed contract is alive.
fn moment(symbols: &[(String, Symbol)]) -> Timestamp {
    let default = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_795_305_600);
    let first = symbols.iter().filter_map(|(_, symbol)| symbol.expiry).min();
    first.map_or(default, |expiry| default.min(expiry - SignedDuration::from_hours(64 * 24)))
}

fn asset(name: &str, seed: u64, has_haircut: &dyn Fn(&str) -> bool) -> Asset {
    let price = if name == QUOTE { 1.0 } else { names::facts(name, seed).price };
    let class = haircut_class(name, price);
    let haircut_class = has_haircut(class).then(|| class.to_string());
    Asset { name: name.into(), price, underlying: name.into(), haircut_class, network: None, custody: None }
}

fn underlying(name: &str, seed: u64) -> Underlying {
    let Facts { price, volatility, adv_quote, .. } = names::facts(name, seed);
    Underlying {
        name: name.into(),
        index_price: price,
        factor: name.into(),
        beta: 1.0,
        volatility_index: Some(volatility),
        // A thousandth of a day's volume rests within 1 % of mid, a third of it is open: the order of real perpetual markets.
        depth_quote: Some(round_significant(adv_quote * 1e-3, 3)),
        adv_quote: Some(adv_quote),
        open_interest_quote: Some(round_significant(adv_quote * 0.35, 3)),
        confidence: 1.0,
        volatility_shock: Default::default(),
    }
}

fn collateral(assets: &[Asset], options: &MarketOptions) -> Result<Vec<AssetIndex>> {
    if let Some(names) = &options.collateral_assets {
        let others = names.iter().filter(|name| !CASH.contains(&name.as_str()));
        return others.map(|name| find(assets, name)).collect();
    }
    let mut ranked = BTreeMap::new();
    let is_listed = |asset: &Asset| asset.name != QUOTE && asset.custody.is_none();
    for (at, asset) in assets.iter().enumerate().filter(|(_, asset)| is_listed(asset)) {
        if !CASH.contains(&asset.name.as_str()) {
            let rank = names::facts(&asset.name, options.seed).rank + FAVOURED.len();
            let rank = FAVOURED.iter().position(|name| *name == asset.name).unwrap_or(rank);
            ranked.insert((rank, at), at as AssetIndex);
        }
    }
    Ok(ranked.into_values().collect())
}

fn find(assets: &[Asset], name: &str) -> Result<AssetIndex> {
    let at = assets.binary_search_by(|asset| asset.name.as_str().cmp(name));
    at.map(|at| at as AssetIndex).map_err(|_| Error::Bug(format!("asset {name} is not in the synthetic market")))
}

/// Where instruments find what they refer to.
struct Places<'a> {
    assets: &'a [Asset],
    underlyings: &'a [Underlying],
    seed: u64,
    as_of: Timestamp,
}

impl Places<'_> {
    fn instrument(&self, key: &str, symbol: &Symbol) -> Result<Instrument> {
        let at = self.underlyings.binary_search_by(|underlying| underlying.name.cmp(&symbol.base));
        let underlying = at.map_err(|_| Error::Bug(format!("{key}: no underlying {}", symbol.base)))?;
        let settlement = symbol.settlement.as_ref().unwrap_or(&symbol.quote);
        let settlement_asset = find(self.assets, settlement)?;
        let price_asset = find(self.assets, &symbol.quote)?;
        let index = self.underlyings[underlying].index_price / self.assets[price_asset as usize].price;
        let payoff = if *settlement == symbol.quote {
            Payoff::Linear
        } else if *settlement == symbol.base {
            Payoff::Inverse
        } else {
            Payoff::Quanto
        };
        Ok(Instrument {
            name: key.into(),
            kind: match (&symbol.settlement, symbol.expiry) {
                (None, _) => Kind::Spot,
                (Some(_), None) => Kind::Perpetual,
                (Some(_), Some(_)) => Kind::Future,
            },
            underlying: underlying as u32,
            payoff,
            settlement_asset,
            contract_size: contract_size(payoff, symbol),
            mark_price: round_significant(index * self.premium(key, symbol), 7),
            strike: None,
            expiry: symbol.expiry,
            right: None,
            implied_volatility: None,
            forward_price: None,
            rate: 0.0,
            price_asset,
            premium: Premium::Margined,
            fixed_rate: if payoff == Payoff::Quanto { self.fixed_rate(settlement_asset) } else { 1.0 },
            margin_class: key.into(),
            confidence: 1.0,
        })
    }

    /// Mark over index: a few basis points either way, plus the carry to expiry.
    fn premium(&self, key: &str, symbol: &Symbol) -> f64 {
        let noise = 1.0 + 3e-4 * Random::named(self.seed, key).normal();
        let days = symbol.expiry.map_or(0.0, |expiry| expiry.duration_since(self.as_of).as_secs_f64() / 86_400.0);
        if symbol.settlement.is_none() { 1.0 } else { noise * libm::exp(CARRY_PER_YEAR * days / 365.0) }
    }

    /// A power of ten near 1 / price: one price unit is worth about one quote unit.
    fn fixed_rate(&self, settlement: AssetIndex) -> f64 {
        1.0 / libm::pow(10.0, libm::round(libm::log10(self.assets[settlement as usize].price)))
    }
}

/// Linear: the multiplier in the name. Inverse: 100 quote units for bitcoin and 10 for others, as listed by venues.
fn contract_size(payoff: Payoff, symbol: &Symbol) -> f64 {
    match payoff {
        Payoff::Inverse if symbol.base == "BTC" => 100.0,
        Payoff::Inverse => 10.0,
        Payoff::Linear | Payoff::Quanto => symbol.multiplier,
    }
}
