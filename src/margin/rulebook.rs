use std::collections::BTreeMap;

/// How the rates of a [`Schedule`] apply to a notional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Each slice of the notional pays the rate of its bracket: continuous,
    /// `r₁N + Σ_j (r_{j+1} − r_j)·max(0, N − b_j)`.
    Marginal,
    /// The whole notional pays the rate of the bracket it lies in; a notional equal to a bound belongs to the higher one.
    Whole,
}

/// A rate as a function of notional.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// How the rates apply.
    pub form: Form,
    /// Lower bounds of the second and later brackets, quote units, strictly increasing and > 0: `[n_brackets − 1]`.
    pub bounds: Vec<f64>,
    /// Rate of each bracket, in [0, 1]: `[n_brackets]`.
    pub rates: Vec<f64>,
}

impl Schedule {
    /// One rate for every notional.
    pub fn flat(rate: f64) -> Self {
        Self { form: Form::Marginal, bounds: Vec::new(), rates: vec![rate] }
    }
}

/// Requirements of the positions that share a margin class.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginClass {
    /// Maintenance requirement.
    pub maintenance: Schedule,
    /// Initial requirement; a position's own leverage raises every rate to at least 1/leverage.
    pub initial: Schedule,
    /// Upper end of the published table, quote units; a larger notional is reported and pays the last rate.
    pub max_notional: Option<f64>,
}

/// Unit in which the tiers of a haircut are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeUnit {
    /// Units of the asset.
    Asset,
    /// Quote units at the (shocked) price.
    Quote,
}

/// Share of a collateral's value that does not count, by size: marginal tiers, never decreasing (concave value).
#[derive(Debug, Clone, PartialEq)]
pub struct HaircutSchedule {
    /// Unit of `bounds`.
    pub unit: SizeUnit,
    /// Lower bounds of the second and later tiers, strictly increasing and > 0: `[n_tiers − 1]`.
    pub bounds: Vec<f64>,
    /// Haircut of each tier, in [0, 1], never decreasing: `[n_tiers]`.
    pub haircuts: Vec<f64>,
}

/// What a haircut is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HaircutBase {
    /// The positive balance of the asset.
    #[default]
    Balance,
    /// The positive part of balance plus unrealised profit and loss of the positions settled in the asset.
    BalanceAndPnl,
}

/// Whether open orders reserve margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderReserve {
    /// Orders reserve nothing (they are counted and a warning says so).
    #[default]
    None,
    /// An order that may grow a position reserves its notional at the order price, times the initial rate of that notional.
    Initial,
}

/// Margin rules as data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rulebook {
    /// Name of the rulebook.
    pub name: String,
    /// Margin classes by key.
    pub margin: BTreeMap<String, MarginClass>,
    /// Haircut classes by key.
    pub haircut: BTreeMap<String, HaircutSchedule>,
    /// What haircuts are taken of.
    pub haircut_base: HaircutBase,
    /// What open orders reserve.
    pub orders: OrderReserve,
}
