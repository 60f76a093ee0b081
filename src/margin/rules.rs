use std::collections::{BTreeMap, HashMap};

use super::bracket::Schedule;
use super::component::Component;
use super::formula::MarketFormula;
use super::haircut::{HaircutBase, HaircutSchedule};
use super::open_interest;
use super::option::OptionClass;
use super::option_groups::OptionGroups;
use super::order::{OptionOrders, OrderReserve};
use super::pool::{MarginSide, Requirement};
use super::requirement::Requirements;
use super::rulebook::{MarginClass, MoveSet, Rulebook};
use super::scalar::Scalar;
use crate::domain::{AssetIndex, InstrumentIndex, Kind, Mode, Pool, Snapshot, UnderlyingIndex};
use crate::error::{Error, Fault, Result};
use crate::scenario::ScenarioSet;

/// A rulebook resolved against a snapshot: every instrument knows its class, every asset its haircut.
#[derive(Debug, Clone)]
pub struct Rules {
    classes: Vec<MarginClass>,
    /// Position in `classes`; instruments that nobody holds point at the last one, which requires nothing.
    class_of_instrument: Vec<u32>,
    /// Of options whose margin class is an option class.
    option_of_instrument: Vec<Option<OptionClass>>,
    option_groups: OptionGroups,
    option_orders: OptionOrders,
    haircut_of_asset: Vec<Option<HaircutSchedule>>,
    components: Vec<(String, Component)>,
    sets: BTreeMap<String, MoveSet>,
    scalars: BTreeMap<String, Scalar>,
    requirements: Requirements,
    /// What settled the rates of instruments whose class follows open interest.
    notes: HashMap<InstrumentIndex, String>,
    /// Scalars of ordered instruments in the unshocked market, where orders reserve margin.
    order_scales: HashMap<InstrumentIndex, f64>,
    /// Multipliers in force by underlying; `None` = 1.
    multipliers: Vec<Option<Requirement<f64>>>,
    /// What haircuts are taken of.
    pub haircut_base: HaircutBase,
    /// What open orders reserve.
    pub orders: OrderReserve,
}

impl Rules {
    /// Looks every held instrument and asset up.
    ///
    /// # Errors
    /// [`Error::Refused`] where a held instrument's margin class or a held asset's haircut class is not in the rulebook, or
    /// a held option's spreads cannot be recognised, or a pool is in portfolio mode and the rulebook has no requirement for it.
    pub fn resolve(rulebook: &Rulebook, snapshot: &Snapshot) -> Result<Self> {
        let mut faults = malformed(rulebook);
        if !faults.is_empty() {
            return Err(Error::Configuration(faults));
        }
        let (requirements, faults_of_formulas) = Requirements::of(rulebook);
        if !faults_of_formulas.is_empty() {
            return Err(Error::Configuration(faults_of_formulas));
        }
        let needs_classes = requirements.needs_classes(rulebook);
        faults.extend(portfolio_fault(rulebook, snapshot));
        let held = held_or_ordered(snapshot);
        let index: HashMap<&str, u32> = rulebook.margin.keys().map(String::as_str).zip(0..).collect();
        let of_option = |instrument: &crate::domain::Instrument| {
            let class = rulebook.option.get(&instrument.margin_class)?;
            (instrument.kind == Kind::Option).then_some(*class)
        };
        let option_of_instrument: Vec<_> = snapshot.instruments.iter().map(of_option).collect();
        let class_of_instrument = snapshot.instruments.iter().zip(&held).enumerate().map(|(at, (instrument, held))| {
            let class = index.get(instrument.margin_class.as_str());
            if needs_classes && class.is_none() && option_of_instrument[at].is_none() && *held {
                faults.push(no_class(rulebook, &instrument.margin_class, &instrument.name));
            }
            class.copied().unwrap_or(rulebook.margin.len() as u32)
        });
        let mut class_of_instrument: Vec<u32> = class_of_instrument.collect();
        faults.extend(open_interest::faults(rulebook, snapshot, &held));
        let option_groups = OptionGroups::of(rulebook, snapshot);
        faults.extend(option_groups.faults(snapshot, &held));
        let option_orders = OptionOrders::of(rulebook.orders, &option_of_instrument, snapshot, &mut faults);
        let mut held = vec![false; snapshot.assets.len()];
        snapshot.book.balances().iter().for_each(|balance| held[balance.asset as usize] = true);
        if rulebook.haircut_base == HaircutBase::BalanceAndPnl {
            // Profit is cut like a balance, so its asset needs a haircut without one, too.
            let settlement = |instrument: InstrumentIndex| snapshot.instruments[instrument as usize].settlement_asset;
            let positions = snapshot.book.positions().iter();
            positions.for_each(|position| held[settlement(position.instrument) as usize] = true);
        }
        let haircut_of_asset = snapshot.assets.iter().zip(&held).map(|(asset, held)| {
            let class = asset.haircut_class.as_ref()?;
            let haircut = rulebook.haircut.get(class);
            if haircut.is_none() && asset.custody.is_some() {
                // What stands on a route is backed by nothing here but the rulebook's word for that route.
                return Some(HaircutSchedule::flat(1.0));
            }
            if haircut.is_none() && *held {
                let rule = format!("haircut class {class:?} of {} is in the rulebook", asset.name);
                faults.push(Fault::of_table("assets", rule, "add the class to the rulebook"));
            }
            haircut.cloned()
        });
        let haircut_of_asset = haircut_of_asset.collect();
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        let nothing = Schedule::flat(0.0);
        let requires_nothing = MarginClass::brackets(nothing.clone(), nothing);
        let mut classes: Vec<MarginClass> = rulebook.margin.values().cloned().chain([requires_nothing]).collect();
        let notes = open_interest::settle(&mut classes, &mut class_of_instrument, snapshot);
        let mut rules = Self {
            classes,
            class_of_instrument,
            option_of_instrument,
            option_groups,
            option_orders,
            haircut_of_asset,
            components: rulebook.component.iter().map(|(name, component)| (name.clone(), component.clone())).collect(),
            sets: rulebook.sets.clone(),
            scalars: rulebook.scalar.clone(),
            requirements,
            haircut_base: rulebook.haircut_base,
            orders: rulebook.orders,
            notes,
            order_scales: HashMap::new(),
            multipliers: multipliers(rulebook, snapshot),
        };
        rules.order_scales = rules.scales_of_orders(snapshot)?;
        Ok(rules)
    }

    /// What settled a class's rate for an instrument, in words.
    pub(super) fn note(&self, instrument: InstrumentIndex) -> Option<&str> {
        self.notes.get(&instrument).map(String::as_str)
    }

    /// What the requirement of an order is multiplied by.
    pub(super) fn order_scale(&self, instrument: InstrumentIndex) -> f64 {
        self.order_scales.get(&instrument).copied().unwrap_or(1.0)
    }

    /// What the overlay multiplies the requirements of positions on an underlying by; `None` = 1.
    pub(super) fn multipliers(&self, underlying: UnderlyingIndex) -> Option<Requirement<f64>> {
        self.multipliers[underlying as usize]
    }

    /// Option class of an option that one margins; `None` for what pays on its notional.
    pub fn option(&self, instrument: InstrumentIndex) -> Option<&OptionClass> {
        self.option_of_instrument[instrument as usize].as_ref()
    }

    /// Groups of options whose spreads are recognised.
    pub(super) fn groups(&self) -> &OptionGroups {
        &self.option_groups
    }

    /// What open orders in options reserve.
    pub(super) fn option_orders(&self) -> &OptionOrders {
        &self.option_orders
    }

    /// What pools require.
    pub(super) fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// Scalars, by name.
    pub(super) fn scalar(&self, name: &str) -> Option<&Scalar> {
        self.scalars.get(name)
    }

    /// A set of joint moves, by name.
    pub(super) fn moves(&self, name: &str) -> Option<&ScenarioSet> {
        self.sets.get(name).map(|set| &set.moves)
    }

    /// A formula over the market alone.
    pub(super) fn market_formula(&self, at: usize) -> &MarketFormula {
        &self.requirements.market[at]
    }

    /// Name of a component.
    pub(super) fn component_name(&self, at: usize) -> &str {
        &self.components[at].0
    }

    /// A component, by its place.
    pub(super) fn component(&self, at: usize) -> &Component {
        &self.components[at].1
    }

    /// Components, by name.
    pub(super) fn components(&self) -> impl ExactSizeIterator<Item = &Component> {
        self.components.iter().map(|(_, component)| component)
    }

    /// Margin class of a held instrument.
    pub fn class(&self, instrument: InstrumentIndex) -> &MarginClass {
        &self.classes[self.class_of_instrument[instrument as usize] as usize]
    }

    /// Whether some asset has a haircut for the initial requirement alone.
    pub(super) fn has_initial_haircuts(&self) -> bool {
        self.haircut_of_asset.iter().flatten().any(|haircut| haircut.initial.is_some())
    }

    /// Haircut of an asset; `None` means 0.
    pub fn haircut(&self, asset: AssetIndex) -> Option<&HaircutSchedule> {
        self.haircut_of_asset[asset as usize].as_ref()
    }
}

/// The fault of pools in portfolio mode under a rulebook without a requirement for them.
pub(super) fn portfolio_fault(rulebook: &Rulebook, snapshot: &Snapshot) -> Option<Fault> {
    let is_portfolio = |pool: &Pool<'_>| pool.settings.mode == Mode::Portfolio;
    let has_any = snapshot.book.settings().any(|settings| settings.mode == Mode::Portfolio);
    if rulebook.has_portfolio_requirement() || !has_any {
        return None;
    }
    let first = snapshot.book.pools().find(is_portfolio)?;
    let pools = snapshot.book.pools().filter(is_portfolio).count();
    let rule = format!(
        "a pool in portfolio mode needs [requirement.portfolio] in the rulebook; {pools} pool(s) ask for it, {} / {} first",
        first.account, first.pool
    );
    let value = Mode::Portfolio.name().into();
    Some(Fault {
        column: "mode".into(),
        value,
        ..Fault::of_table("pools", rule, "add the table, or use cross or isolated")
    })
}

/// The overlay's multipliers by underlying of the snapshot.
fn multipliers(rulebook: &Rulebook, snapshot: &Snapshot) -> Vec<Option<Requirement<f64>>> {
    let in_force = |name: &str| Some(rulebook.overlay.as_ref()?.in_force.get(name)?.multipliers());
    snapshot.underlyings.iter().map(|underlying| in_force(&underlying.name)).collect()
}

/// The fault of a held instrument that no class margins.
fn no_class(rulebook: &Rulebook, class: &str, instrument: &str) -> Fault {
    if rulebook.option.contains_key(class) {
        let rule = format!("margin class {class:?} of {instrument}, which is no option, is not only an option class");
        return Fault::of_table("instruments", rule, "add a margin class, or correct margin_class");
    }
    let rule = format!("margin class {class:?} of {instrument} is in the rulebook");
    Fault::of_table("instruments", rule, "add the class to the rulebook")
}

/// Instruments that a position or an open order names.
fn held_or_ordered(snapshot: &Snapshot) -> Vec<bool> {
    let mut held = vec![false; snapshot.instruments.len()];
    snapshot.book.positions().iter().for_each(|position| held[position.instrument as usize] = true);
    snapshot.book.settings().flat_map(|settings| &settings.orders).for_each(|o| held[o.instrument as usize] = true);
    held
}

/// What the bounds assume of a rulebook (`NUMERICS.md` A0): rates and haircuts in [0, 1], one more than there are bounds,
/// bounds positive and increasing, haircuts never decreasing. Files are checked when they are read; this guards rulebooks
/// that were built in code.
fn malformed(rulebook: &Rulebook) -> Vec<Fault> {
    let is_minimum = |minimum: &f64| (0.0..=1e30).contains(minimum);
    let is_well_formed = |class: &MarginClass| {
        let sides = MarginSide::ALL.map(|side| class.of(side).is_well_formed() && is_minimum(class.minimum.of(side)));
        sides.into_iter().all(|side| side)
    };
    let classes = rulebook.margin.iter().filter(|(_, class)| !is_well_formed(class));
    let margin = classes
        .map(|(key, _)| format!("rates of margin class {key:?} lie in [0, 1], one per bracket, bounds ascending"));
    let unscaled = rulebook.margin.iter().filter_map(|(key, class)| {
        let scale = class.scale.as_ref().filter(|scale| !rulebook.scalar.contains_key(*scale))?;
        Some(format!("scale {scale:?} of margin class {key:?} is a scalar of the rulebook"))
    });
    let tiers = rulebook.haircut.iter().filter(|(_, haircut)| !haircut.is_well_formed());
    let haircut = tiers.map(|(key, _)| {
        format!("haircuts of class {key:?} lie in [0, 1], one per tier, never decreasing, the initial ones none below")
    });
    let option = rulebook.option.iter().filter(|(_, class)| !class.is_well_formed());
    let option =
        option.map(|(key, _)| format!("shares of option class {key:?} lie in [0, 1], ratios are 0 or 1 to 10"));
    let clashes = rulebook.option.keys().filter(|key| rulebook.margin.contains_key(*key));
    let clashes = clashes.map(|key| format!("{key:?} is either a margin class or an option class"));
    let spread = rulebook.option_spread.iter().flat_map(|spread| spread.faults(rulebook));
    let spread = spread.map(|(key, rule)| format!("{rule} ({key:?})"));
    let ladder = (!super::status::is_well_formed(&rulebook.status))
        .then(|| "ratios of the status ladder are positive and descend, no target is below its rung".to_string());
    let overlay = rulebook.overlay.iter().flat_map(|overlay| overlay.broken_rules());
    let overlay = overlay.map(|(at, rule)| format!("{rule} (overlay.{at})"));
    let rules =
        margin.chain(ladder).chain(overlay).chain(unscaled).chain(haircut).chain(option).chain(clashes).chain(spread);
    rules.map(|rule| Fault::of_table("rulebook", rule, "correct the class")).collect()
}
