use std::collections::{BTreeMap, BTreeSet};

use super::combined::{combined, under_total_cap};
use super::history::{Course, History};
use super::liquidity::{Liquidity, Volume};
use super::market::{MarketFall, TooShort};
use super::peg::{PegBreak, Pegs};
use super::procyclical::{Floor, StepLimit};
use super::steps::Steps;
use super::tail::FEWEST;
use crate::domain::{Asset, AssetIndex, Snapshot};
use crate::error::{Error, Result};

/// What haircuts are made by.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Hours that selling a collateral takes, ≥ 1.
    pub horizon_hours: u32,
    /// Share of windows whose fall the haircut should cover, in (0, 1).
    pub level: f64,
    /// Days that the estimate looks back; `None` = the whole history.
    pub look_back_days: Option<u32>,
    /// Y of the square-root law, ≥ 0.
    pub impact: f64,
    /// Upper end of each tier as a share of the daily volume, > 0, strictly increasing; beyond the last nothing counts. Empty =
    /// one tier without a liquidity haircut.
    pub sizes: Vec<f64>,
    /// Share of the daily volume up to which all deposits of an asset count, > 0; `None` = no limit.
    pub total_cap: Option<f64>,
    /// What stable and wrapped assets should be worth.
    pub pegs: Pegs,
    /// Least haircut for a peg, in [0, 1].
    pub peg_floor: f64,
    /// Haircut for the bridge or issuer, in [0, 1], by asset.
    pub bridge: BTreeMap<String, f64>,
    /// What keeps the market haircut from falling too far.
    pub floor: Floor,
    /// How far a class may move in one update; `None` = any distance.
    pub step: Option<StepLimit>,
}

/// One tier of an asset's haircut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// Upper end, quote units; `None` = no end.
    pub upper: Option<f64>,
    /// Slippage of selling that much.
    pub liquidity: f64,
    /// Everything combined, in [0, 1].
    pub haircut: f64,
}

/// All deposits of an asset against what may count of them, quote units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TotalCap {
    /// Σ of positive balances.
    pub deposits: f64,
    /// Up to which they count.
    pub cap: f64,
}

/// The haircut of one held asset, term by term.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetHaircut {
    /// Its position in the snapshot.
    pub asset: AssetIndex,
    /// Fall of what it follows; `None` of an asset that follows the quote currency, and where there is no history.
    pub market: Option<MarketFall>,
    /// The windows of a price, or of a peg, that has too few of them within the look-back: nothing is said then.
    pub too_short: Option<TooShort>,
    /// Its peg, where it has one.
    pub peg: Option<PegBreak>,
    /// Haircut for its bridge or issuer.
    pub bridge: f64,
    /// What selling it costs, where that is known.
    pub liquidity: Option<Liquidity>,
    /// The limit of all deposits, where there is one and it binds.
    pub total_cap: Option<TotalCap>,
    /// Tiers from the smallest size; beyond the last one nothing counts where it has an end. Empty where nothing is known: the
    /// haircut in force stays.
    pub tiers: Vec<Tier>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Settings {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Usage`] with the first rule that is broken.
    pub fn check(&self) -> Result<()> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let wrong = |rule: &str| Err(Error::Usage(rule.into()));
        if !(self.level > 0.0 && self.level < 1.0) {
            return wrong("a quantile lies strictly between 0 and 1");
        }
        if !(self.impact.is_finite() && self.impact >= 0.0) {
            return wrong("the impact Y is finite and not negative");
        }
        let is_rising = self.sizes.windows(2).all(|pair| pair[0] < pair[1]);
        if !(is_rising && self.sizes.iter().chain(&self.total_cap).all(|size| size.is_finite() && *size > 0.0)) {
            return wrong("sizes and caps are shares of a day's volume: above 0, sizes strictly increasing");
        }
        let stress = if let Floor::Stress(weight) = self.floor { weight } else { 0.0 };
        let step = self.step.map_or([0.0; 2], |step| [step.relative, step.absolute]);
        if !self.bridge.values().copied().chain([self.peg_floor, stress]).chain(step).all(share) {
            return wrong("a haircut, a stress weight and a step lie between 0 and 1");
        }
        Ok(())
    }
}

/// The haircut of every asset that some pool holds, in the order of the snapshot.
///
/// # Errors
/// [`Error::Usage`] where the settings break a rule, or a peg is of nothing that is known.
pub fn propose(snapshot: &Snapshot, history: &History, settings: &Settings) -> Result<Vec<AssetHaircut>> {
    settings.check()?;
    settings.pegs.check(snapshot, history)?;
    let held: BTreeSet<AssetIndex> = snapshot.book.balances().iter().map(|balance| balance.asset).collect();
    let proposal = Proposal { snapshot, history, settings, span: history.span(settings.horizon_hours) };
    Ok(held.into_iter().map(|asset| proposal.asset(asset)).collect())
}

struct Proposal<'a> {
    snapshot: &'a Snapshot,
    history: &'a History,
    settings: &'a Settings,
    span: i64,
}

impl Proposal<'_> {
    fn asset(&self, index: AssetIndex) -> AssetHaircut {
        let asset = &self.snapshot.assets[index as usize];
        let mut haircut = AssetHaircut {
            asset: index,
            market: None,
            too_short: None,
            peg: None,
            bridge: self.settings.bridge.get(&asset.name).copied().unwrap_or(0.0),
            liquidity: None,
            total_cap: None,
            tiers: Vec::new(),
            notes: Vec::new(),
        };
        if asset.name == self.snapshot.quote {
            haircut.tiers = vec![Tier { upper: None, liquidity: 0.0, haircut: combined(&[haircut.bridge]) }];
            haircut.notes.push("the quote currency".into());
            return haircut;
        }
        if !self.add_terms(asset, &mut haircut) {
            return haircut;
        }
        self.add_liquidity(&mut haircut);
        self.add_total_cap(&mut haircut);
        haircut.tiers = self.tiers(&haircut);
        haircut
    }

    /// Market and peg; answers whether anything is known.
    fn add_terms(&self, asset: &Asset, haircut: &mut AssetHaircut) -> bool {
        let own = self.history.course(&asset.name);
        let Some(reference) = self.settings.pegs.reference(asset, self.snapshot) else {
            haircut.market = self.fall(&asset.name, own, haircut);
            return haircut.market.is_some();
        };
        let follows_quote = reference == self.snapshot.quote;
        let of_reference = self.history.course(reference).filter(|_| !follows_quote);
        let ratio = match (own, of_reference) {
            (Some(own), Some(of_reference)) => Some(own.against(of_reference)),
            (Some(own), None) if follows_quote => Some(own.clone()),
            _ => None,
        };
        let pair = format!("{} against {reference}", asset.name);
        let fall = ratio.as_ref().and_then(|ratio| self.fall(&pair, Some(ratio), haircut));
        if ratio.is_none() {
            haircut.notes.push(format!("{pair}: no history of the peg, its floor alone"));
        } else if fall.is_none() {
            return false;
        }
        let size = fall.as_ref().map_or(0.0, |fall| fall.haircut).max(self.settings.peg_floor);
        haircut.peg = Some(PegBreak { reference: reference.into(), fall, haircut: size });
        if follows_quote {
            return true;
        }
        haircut.market = self.fall(reference, of_reference.or(own), haircut);
        haircut.market.is_some()
    }

    /// The fall of a course; without one a note says what is lacking.
    fn fall(&self, name: &str, course: Option<&Course>, haircut: &mut AssetHaircut) -> Option<MarketFall> {
        let Settings { level, look_back_days, floor, .. } = *self.settings;
        let read = |course| MarketFall::of(self.history, course, self.span, level, (look_back_days, floor));
        let lack = match course.map(read) {
            Some(Ok(fall)) => return Some(fall),
            Some(Err(short)) => {
                haircut.too_short = Some(short);
                self.lack(short)
            }
            None => "no history".into(),
        };
        haircut.notes.push(format!("{name}: {lack}; the haircut in force stays"));
        None
    }

    fn lack(&self, short: TooShort) -> String {
        if short.independent >= FEWEST {
            return "no two quotes a step apart".into();
        }
        let within = self.settings.look_back_days.map_or_else(String::new, |days| format!(" within {days} days"));
        format!("{:.1} independent windows of history{within}, fewer than {FEWEST}", short.independent)
    }

    fn add_liquidity(&self, haircut: &mut AssetHaircut) {
        if self.settings.sizes.is_empty() {
            haircut.notes.push("one tier on request: no liquidity haircut, no cap".into());
            return;
        }
        let volume = Volume::of_asset(self.snapshot, haircut.asset);
        let of_peg = haircut.peg.as_ref().and_then(|peg| peg.fall.as_ref());
        let volatility = haircut.market.as_ref().or(of_peg).map_or(0.0, |fall| fall.daily_volatility);
        haircut.liquidity =
            volume.map(|volume| Liquidity { volume, impact: self.settings.impact, daily_volatility: volatility });
        if haircut.liquidity.is_none() {
            haircut.notes.push("no volume or depth is known: no liquidity haircut, no cap".into());
        }
    }

    fn add_total_cap(&self, haircut: &mut AssetHaircut) {
        let Some((share, liquidity)) = self.settings.total_cap.zip(haircut.liquidity) else { return };
        let price = self.snapshot.assets[haircut.asset as usize].price;
        let balances = self.snapshot.book.balances().iter().filter(|balance| balance.asset == haircut.asset);
        let amounts = balances.map(|balance| (balance.amount + balance.accrued_interest).max(0.0));
        let total = TotalCap { deposits: amounts.sum::<f64>() * price, cap: share * liquidity.volume.daily() };
        haircut.total_cap = Some(total).filter(|total| total.deposits > total.cap);
    }

    fn tiers(&self, haircut: &AssetHaircut) -> Vec<Tier> {
        let parts = haircut.parts();
        let of = |upper: Option<f64>, liquidity: f64| {
            let all = combined(&[parts[0].1, parts[1].1, parts[2].1, liquidity]);
            let capped = haircut.total_cap.map_or(all, |total| under_total_cap(all, total.cap, total.deposits));
            Tier { upper, liquidity, haircut: capped }
        };
        match haircut.liquidity {
            None => vec![of(None, 0.0)],
            Some(Liquidity { volume: Volume::Nothing, .. }) => vec![of(None, 1.0)],
            Some(liquidity) => {
                let uppers = self.settings.sizes.iter().map(|share| share * liquidity.volume.daily());
                uppers.map(|upper| of(Some(upper), liquidity.slippage(upper))).collect()
            }
        }
    }
}

impl AssetHaircut {
    /// The terms that every tier has, by name.
    fn parts(&self) -> [(&'static str, f64); 3] {
        let market = self.market.as_ref().map_or(0.0, |market| market.haircut);
        [("market", market), ("peg", self.peg.as_ref().map_or(0.0, |peg| peg.haircut)), ("bridge", self.bridge)]
    }

    /// The largest term of the first tier, by name; `None` where nothing is known or nothing is taken.
    pub fn binding(&self) -> Option<&'static str> {
        let tier = self.tiers.first()?;
        let limited = self.total_cap.map_or(0.0, |total| 1.0 - total.cap / total.deposits);
        let terms = self.parts().into_iter().chain([("liquidity", tier.liquidity), ("total cap", limited)]);
        let largest = terms.fold(("", 0.0), |largest, term| if term.1 > largest.1 { term } else { largest });
        (largest.1 > 0.0).then_some(largest.0)
    }

    /// Its tiers by size; `None` where nothing is known.
    pub fn steps(&self) -> Option<Steps> {
        let last = self.tiers.last()?;
        let mut steps = Steps {
            bounds: self.tiers.iter().filter_map(|tier| tier.upper).collect(),
            haircuts: self.tiers.iter().map(|tier| tier.haircut).collect(),
        };
        if last.upper.is_some() {
            steps.haircuts.push(1.0);
        }
        Some(Steps::over([&steps], |size| steps.at(size)))
    }
}
