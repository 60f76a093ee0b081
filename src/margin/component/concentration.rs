//! Concentration charge: what a group pays for being large against its market.
//!
//! ```text
//! tiers        Σ over slices of the size x, each at its tier's rate (linear beyond a threshold: two tiers, the first free)
//! square root  factor · √(units / threshold units) · |Σ quantity · units · index|, of contracts without optionality
//! ```
//!
//! Thresholds are quote units, or shares of what the snapshot says of each underlying; a scenario's `depth:U` moves those of
//! its depth. Each underlying of a group is then charged by itself.

use super::by_side::{BY_SIDE, FROM, LIST_BY_SIDE, numbers, tiers};
use super::delta::delta_rows;
use super::exposure::{Exposure, Ranges, Terms, grouped, sum, terms_of};
use super::{ComponentRows, Cover, Part, Rule};
use crate::domain::{Instrument, Kind, Payoff, UnderlyingIndex};
use crate::error::Fault;
use crate::margin::bracket::{self, Schedule};
use crate::margin::file::{self, Key, KeyKind, Reader, Section, Shape, words};
use crate::margin::pool::{MarginSide, Market, Requirement};
use crate::margin::row_sheet::RowSheet;
use crate::number::Number;
use crate::pricing::Column;
use crate::program::{Leaf, Node};

const SHARES_OF: [(&str, ShareOf); 4] = [
    ("quote", ShareOf::Quote),
    ("depth", ShareOf::Depth),
    ("adv", ShareOf::Adv),
    ("open_interest", ShareOf::OpenInterest),
];
const MEASURES: [(&str, Measure); 2] = [("net_delta", Measure::NetDelta), ("gross_notional", Measure::GrossNotional)];

const MEASURE: Key = Key::optional(
    "measure",
    KeyKind::Word(&words(&MEASURES)),
    "net_delta",
    "what the size is, quote units: the net delta, or quantities · units · index without their signs",
);
const CHARGES: &[file::Kind] = &[
    file::Kind {
        name: "marginal",
        help: "each slice of the size pays the rate of its tier",
        keys: &[MEASURE, FROM, Key::required("rate", LIST_BY_SIDE, "rate of each tier, 0.01 = 1 %")],
    },
    file::Kind {
        name: "linear",
        help: "what exceeds a threshold pays a rate",
        keys: &[
            MEASURE,
            Key::required("threshold", KeyKind::POSITIVE, "size that pays nothing, in share_of"),
            Key::required("rate", BY_SIDE, "share of what exceeds it, 0.01 = 1 %"),
        ],
    },
    file::Kind {
        name: "square_root",
        help: "contracts without optionality pay a rate that grows with the root of their net units",
        keys: &[
            Key::required("threshold", KeyKind::POSITIVE, "size at which the rate is factor, in share_of"),
            Key::required("factor", BY_SIDE, "rate at the threshold, 0.01 = 1 %"),
        ],
    },
];

/// Keys of `[component.NAME]` of kind `concentration`.
pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "share_of",
        KeyKind::Word(&words(&SHARES_OF)),
        "quote",
        "what from and threshold are in: quote units, or shares of the underlying's depth, adv or open_interest",
    ),
    Key::required(
        "charge",
        KeyKind::Table(Shape::Kinds { by: "form", of: CHARGES }),
        "how the charge rises with the size",
    ),
];

/// Sheet of what sizes are summed of.
const SIZE: usize = 0;

/// Charge on a size beyond what its market bears.
#[derive(Debug, Clone, PartialEq)]
pub struct Concentration {
    /// What thresholds are measured in.
    pub share_of: ShareOf,
    /// How the charge rises with the size.
    pub form: Form,
}

/// What a concentration's thresholds are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShareOf {
    /// Quote units.
    #[default]
    Quote,
    /// The underlying's depth.
    Depth,
    /// The underlying's average daily volume.
    Adv,
    /// The underlying's open interest.
    OpenInterest,
}

/// How a concentration charge rises with the size.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// By tiers.
    Tiers {
        /// What the size is.
        measure: Measure,
        /// Rate by size; bounds in units of [`Concentration::share_of`].
        rates: Requirement<Schedule>,
    },
    /// By the square root of the size. The root is of the pool's own units (an inverse contract's at the unshocked index),
    /// formed once in f64: it is an atom.
    SquareRoot {
        /// Size at which the rate is `factor`, in units of [`Concentration::share_of`]; > 0.
        threshold: f64,
        /// Rate at the threshold; ≥ 0.
        factor: Requirement<f64>,
    },
}

/// What the size of a group is, quote units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// |Σ quantity · delta · index|, and what balances are worth that move with an underlying.
    #[default]
    NetDelta,
    /// Σ |quantity| · units · index, and Σ |balance|.
    GrossNotional,
}

/// Of one size that is charged: the underlying whose market it is compared with, and what it sums.
type Sized = (Option<UnderlyingIndex>, Terms);

impl Form {
    fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Self> {
        let tiered = |rates| {
            let measure = section.choice("measure", &MEASURES).unwrap_or_default();
            Some(Self::Tiers { measure, rates })
        };
        match section.kind() {
            "marginal" => tiered(tiers(section, (bracket::Form::Marginal, "rate"), reader)?),
            "linear" => {
                let (threshold, rates) = (section.number("threshold")?, numbers(section, "rate")?);
                let beyond = |rate: f64| {
                    let (bounds, rates) = (vec![threshold], vec![0.0, rate]);
                    Schedule { form: bracket::Form::Marginal, bounds, rates }
                };
                tiered(Requirement { initial: beyond(rates.initial), maintenance: beyond(rates.maintenance) })
            }
            _ => {
                Some(Self::SquareRoot { threshold: section.number("threshold")?, factor: numbers(section, "factor")? })
            }
        }
    }
}

impl Concentration {
    pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Option<Self> {
        let form = Form::read(section.table("charge")?, reader)?;
        Some(Self { share_of: section.choice("share_of", &SHARES_OF).unwrap_or_default(), form })
    }

    /// Quote units that a threshold of 1 stands for; `None` where the snapshot does not say.
    fn unit(&self, underlying: UnderlyingIndex, column: Column, sheet: &RowSheet<'_>) -> Option<f64> {
        let market = &sheet.snapshot.underlyings[underlying as usize];
        match self.share_of {
            ShareOf::Quote => Some(1.0),
            ShareOf::Depth => sheet.market.depth_quote(underlying, column),
            ShareOf::Adv => market.adv_quote,
            ShareOf::OpenInterest => market.open_interest_quote,
        }
    }

    /// Whether the snapshot says what thresholds are shares of; records every underlying where it does not.
    fn check(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> bool {
        let column = match self.share_of {
            ShareOf::Quote => return true,
            ShareOf::Depth => "depth",
            ShareOf::Adv => "adv",
            ShareOf::OpenInterest => "open_interest",
        };
        let mut is_known = true;
        for underlying in sheet.covered_underlyings(cover) {
            let unit = self.unit(underlying, Column::Base, sheet);
            // A root is of a quotient by it.
            let least = if matches!(self.form, Form::SquareRoot { .. }) { f64::MIN_POSITIVE } else { 0.0 };
            if unit.is_none_or(|unit| unit < least) {
                is_known = false;
                let name = &sheet.snapshot.underlyings[underlying as usize].name;
                let rule = format!(
                    "{name} has a {column}: the concentration charge of the rulebook is measured in shares of it"
                );
                let value = unit.map_or(String::new(), |unit| unit.to_string());
                let fault =
                    Fault::of_table("underlyings", rule, "fill the cell in, or leave the underlying out of the cover");
                sheet.faults.push(Fault { column: column.into(), value, ..fault });
            }
        }
        is_known
    }

    fn tier_rows(
        &self,
        (measure, rates): (Measure, &Requirement<Schedule>),
        cover: &Cover,
        sheet: &mut RowSheet<'_>,
    ) -> ComponentRows {
        let mut rows = match measure {
            Measure::NetDelta => delta_rows(cover, sheet),
            Measure::GrossNotional => {
                sheet.charge_rows(cover, |sheet, _, instrument, column| sheet.notional(instrument, column), |_, _| 1.0)
            }
        };
        if self.share_of == ShareOf::Quote {
            return rows;
        }
        for underlying in sheet.covered_underlyings(cover) {
            for margin in MarginSide::ALL {
                for (tier, bound) in rates.of(margin).bounds.iter().enumerate() {
                    let unit = |column| self.unit(underlying, column, sheet).unwrap_or_default();
                    let values = sheet.values(|column| bound * unit(column));
                    let name = &sheet.snapshot.underlyings[underlying as usize].name;
                    rows.set_underlying(bound_sheet(margin, tier), underlying, sheet.append(values, name));
                }
            }
        }
        rows
    }

    /// Factor · units · index · √(index / threshold) of contracts without optionality, by margin.
    fn root_rows(
        &self,
        (threshold, factor): (f64, &Requirement<f64>),
        cover: &Cover,
        sheet: &mut RowSheet<'_>,
    ) -> ComponentRows {
        let contract = |sheet: &RowSheet<'_>, margin, instrument: &Instrument, column| {
            if instrument.kind == Kind::Option {
                return 0.0;
            }
            let unit = self.unit(instrument.underlying, column, sheet).unwrap_or(f64::NAN);
            let root = (sheet.market.index_price(instrument.underlying, column) / (threshold * unit)).sqrt();
            factor.of(margin) * sheet.notional(instrument, column) * root
        };
        sheet.charge_rows(cover, contract, |_, _| 0.0)
    }

    /// The sizes of a group: of each underlying where thresholds are its own, else of the whole.
    fn sizes(&self, measure: Measure, part: &Part<'_, '_>) -> Vec<Sized> {
        let exposures = part.exposures(SIZE);
        let terms = |group: Vec<&Exposure<'_>>| match measure {
            Measure::NetDelta => terms_of(group),
            Measure::GrossNotional => group.into_iter().flat_map(Exposure::magnitude).collect(),
        };
        let is_whole = self.share_of == ShareOf::Quote;
        let groups = grouped(&exposures, |exposure| exposure.underlying.filter(|_| !is_whole)).into_iter();
        let known = groups.filter(|(underlying, _)| is_whole || underlying.is_some());
        known.map(|(underlying, group)| (underlying, terms(group))).collect()
    }

    /// The contracts without optionality of each underlying, and the root of their units.
    fn roots(&self, margin: MarginSide, part: &Part<'_, '_>) -> Vec<(f64, Terms)> {
        let exposures = part.exposures(margin as usize);
        let linear = exposures.iter().filter(|exposure| exposure.instrument.is_some() && !exposure.is_option());
        let groups = grouped(linear, |exposure| exposure.underlying).into_iter();
        let rooted = groups.map(|(_, group)| {
            let units: f64 = group.iter().map(|exposure| units(exposure, part) * exposure.quantity).sum();
            (units.abs().sqrt(), terms_of(group))
        });
        rooted.collect()
    }
}

/// Units of the underlying per contract, at the unshocked index.
fn units(exposure: &Exposure<'_>, part: &Part<'_, '_>) -> f64 {
    let Some(instrument) = exposure.instrument else { return 0.0 };
    let snapshot = part.setting().snapshot;
    match instrument.payoff {
        Payoff::Linear | Payoff::Quanto => instrument.contract_size,
        Payoff::Inverse => {
            let value = instrument.contract_size * snapshot.assets[instrument.price_asset as usize].price;
            value / snapshot.underlyings[instrument.underlying as usize].index_price
        }
    }
}

/// Sheet of a tier's bound.
fn bound_sheet(margin: MarginSide, tier: usize) -> usize {
    2 * tier + margin as usize
}

/// Rows of a schedule's bounds; `None` where they are quote units, or the same for every market.
fn bound_rows(
    schedule: &Schedule,
    margin: MarginSide,
    underlying: Option<UnderlyingIndex>,
    part: &Part<'_, '_>,
) -> Option<Vec<u32>> {
    let tiers = 0..schedule.bounds.len();
    tiers.map(|tier| part.rows().of_underlying(bound_sheet(margin, tier), underlying?)).collect()
}

fn charge<N: Number>(
    schedule: &Schedule,
    margin: MarginSide,
    (underlying, terms): &Sized,
    (measure, part): (Measure, &Part<'_, '_>),
    market: &impl Market<N>,
) -> N {
    let size = size_of(terms, measure, market);
    match bound_rows(schedule, margin, *underlying, part) {
        Some(rows) => schedule.charge(&size, &rows.iter().map(|row| market.row(*row)).collect::<Vec<N>>()),
        None => schedule.charge(&size, &schedule.quote_bounds()),
    }
}

fn size_of<N: Number>(terms: &Terms, measure: Measure, market: &impl Market<N>) -> N {
    match measure {
        Measure::NetDelta => sum(terms, market).magnitude(),
        Measure::GrossNotional => sum(terms, market),
    }
}

fn charge_node(
    schedule: &Schedule,
    margin: MarginSide,
    (underlying, terms): &Sized,
    (measure, part): (Measure, &Part<'_, '_>),
) -> Node {
    let size = Node::leaf(terms.clone());
    let size = match measure {
        Measure::NetDelta => size.absolute(),
        Measure::GrossNotional => size,
    };
    match bound_rows(schedule, margin, *underlying, part) {
        Some(rows) => {
            let leaves = rows.into_iter().map(|row| Leaf { terms: vec![(row, 1.0)], ..Leaf::default() });
            schedule.charge_node(&size, &leaves.collect::<Vec<_>>())
        }
        None => schedule.charge_node(&size, &schedule.quote_bound_leaves()),
    }
}

impl Rule for Concentration {
    fn rows(&self, cover: &Cover, sheet: &mut RowSheet<'_>) -> ComponentRows {
        if !self.check(cover, sheet) {
            return ComponentRows::default();
        }
        match &self.form {
            Form::Tiers { measure, rates } => self.tier_rows((*measure, rates), cover, sheet),
            Form::SquareRoot { threshold, factor } => self.root_rows((*threshold, factor), cover, sheet),
        }
    }

    fn value<N: Number>(&self, part: &Part<'_, '_>, market: &impl Market<N>) -> Requirement<N> {
        let total =
            |charges: &mut dyn Iterator<Item = N>| charges.fold(N::of(0.0), |total, charge| total.plus(&charge));
        match &self.form {
            Form::Tiers { measure, rates } => {
                let sizes = self.sizes(*measure, part);
                Requirement::each(|margin| {
                    let schedule = rates.of(margin);
                    total(&mut sizes.iter().map(|size| charge(schedule, margin, size, (*measure, part), market)))
                })
            }
            Form::SquareRoot { .. } => Requirement::each(|margin| {
                let roots = self.roots(margin, part);
                total(&mut roots.iter().map(|(root, terms)| N::of(*root).times(&sum(terms, market).magnitude())))
            }),
        }
    }

    fn node(&self, part: &Part<'_, '_>, _: &Ranges<'_>) -> Option<Requirement<Node>> {
        Some(Requirement::each(|margin| match &self.form {
            Form::Tiers { measure, rates } => {
                let sizes = self.sizes(*measure, part);
                let charges = sizes.iter().map(|size| charge_node(rates.of(margin), margin, size, (*measure, part)));
                Node::Sum(charges.collect())
            }
            Form::SquareRoot { .. } => {
                let roots = self.roots(margin, part).into_iter();
                Node::Sum(roots.map(|(root, terms)| Node::leaf(terms).absolute().scaled(root)).collect())
            }
        }))
    }

    fn binding(&self, part: &Part<'_, '_>, column: Column) -> Option<String> {
        let market = (part.setting().rows, column);
        match &self.form {
            Form::Tiers { measure, rates } => {
                let schedule = &rates.maintenance;
                let sizes = self.sizes(*measure, part);
                let sized =
                    sizes.iter().map(|(underlying, terms)| (underlying, size_of::<f64>(terms, *measure, &market)));
                let (underlying, size) = sized.max_by(|a, b| a.1.total_cmp(&b.1))?;
                let rows = bound_rows(schedule, MarginSide::Maintenance, *underlying, part);
                let bounds = rows.map(|rows| rows.into_iter().map(|row| market.row(row)).collect::<Vec<f64>>());
                Some(schedule.tier_at(size, &bounds.unwrap_or_else(|| schedule.bounds.clone())))
            }
            Form::SquareRoot { .. } => {
                let roots = self.roots(MarginSide::Maintenance, part).into_iter().map(|(root, _)| root * root);
                roots.reduce(f64::max).map(|units| format!("{units} units"))
            }
        }
    }
}
