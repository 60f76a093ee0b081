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

    /// What to subtract from notional · rate in each bracket of the marginal form, quote units: `d₁ = 0`,
    /// `d_{j+1} = d_j + b_j·(r_{j+1} − r_j)`. The definition is the hinge form; these are for reading and checking.
    pub fn deductions(&self) -> Vec<f64> {
        let mut deductions = vec![0.0];
        for (bound, rates) in self.bounds.iter().zip(self.rates.windows(2)) {
            deductions.push(deductions[deductions.len() - 1] + bound * (rates[1] - rates[0]));
        }
        deductions
    }

    /// Slope and intercept of the requirement in the bracket that holds `notional`.
    fn line_at(&self, notional: f64) -> (f64, f64) {
        let bracket = self.bounds.partition_point(|bound| *bound <= notional);
        let deduction = match self.form {
            Form::Marginal => self.deductions()[bracket],
            Form::Whole => 0.0,
        };
        (self.rates[bracket], -deduction)
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

impl Rulebook {
    /// Things a reader should know that break no rule: margin classes whose initial requirement falls below the
    /// maintenance requirement at some notional (the maintenance requirement is then used for both).
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, class) in &self.margin {
            if let Some(notional) = class.initial_below_maintenance() {
                warnings.push(format!(
                    "margin class {name}: the initial requirement is below the maintenance requirement from a notional of \
                     {notional}; the maintenance requirement is used there"
                ));
            }
        }
        warnings
    }
}

impl MarginClass {
    /// The start of the first bracket in which the initial requirement falls below the maintenance requirement.
    fn initial_below_maintenance(&self) -> Option<f64> {
        // Rounding in derived deductions is not a shortfall.
        const TOLERANCE: f64 = 1e-9;
        let mut starts: Vec<f64> =
            [0.0].iter().chain(&self.initial.bounds).chain(&self.maintenance.bounds).copied().collect();
        starts.sort_by(f64::total_cmp);
        starts.dedup();
        let below = |(initial, maintenance): ((f64, f64), (f64, f64)), notional: f64| {
            let gap = (initial.0 - maintenance.0) * notional + (initial.1 - maintenance.1);
            gap < -TOLERANCE * (maintenance.0 * notional).max(1.0)
        };
        starts.iter().enumerate().find_map(|(i, &start)| {
            let lines = (self.initial.line_at(start), self.maintenance.line_at(start));
            // Both are straight within a bracket, so its two ends decide; the last bracket is decided by its slopes.
            let at_end = match starts.get(i + 1) {
                Some(end) => below(lines, *end),
                None => lines.0.0 < lines.1.0,
            };
            (below(lines, start) || at_end).then_some(start)
        })
    }
}
