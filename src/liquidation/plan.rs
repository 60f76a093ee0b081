//! What is done about one pool in one round: a pure function of the pool, the frozen marks and the policy.

use crate::domain::AssetIndex;
use crate::engine::Figures;
use crate::policy::{CutRule, ImpactLaw, Policy, Step};

use super::books::{Books, Venues};
use super::cut::{Choice, Leg, LegImpact, Target, choose};
use super::event::{Cause, Health};
use super::marks::Marks;
use super::money::Quanta;
use super::program_rule::cuts_by_program;
use super::settle::{Occasion, TradeTerms, convert, cut};
use super::state::PoolState;
use super::step_down::cuts_by_step_down;

/// Passes over a pool's cuts: requirements are convex in what is cut, so a pass falls short rather than over and the next one
/// finishes, one bracket each.
const PASSES: usize = 24;
/// What f64 sums may miss of a target, relative to equity and requirement: far above their rounding, far below a quantum's worth.
const ROUNDING: f64 = 1e-10;
/// Share of a position that is cut on trial to see what margin it releases.
const TRIAL: f64 = 1.0 / 1024.0;

/// What a pool asks for in a round.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Why.
    pub cause: Cause,
    /// The pool before the round.
    pub before: Health,
    /// Whether its open orders are cancelled.
    pub orders: Orders,
    /// Collateral to sell.
    pub conversions: Vec<(AssetIndex, Quanta)>,
    /// Positions to cut, by place in the pool, contracts of the position's sign.
    pub cuts: Vec<(usize, Quanta)>,
    /// How it ends.
    pub ending: Ending,
}

/// What becomes of open orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orders {
    /// They stay.
    Kept,
    /// They are cancelled.
    Cancelled,
}

/// How a round ends for a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// At its target, if costs are as estimated.
    Restored,
    /// Cut as far as one round allows.
    Clipped,
    /// Nothing is left to cut.
    Emptied,
    /// A backstop is asked to take it over as it is.
    TakenOver,
}

/// What planning reads beside the pool.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    /// Marks that decide.
    pub marks: Marks<'a>,
    /// Books that forced trades go to.
    pub books: &'a Books,
    /// Which.
    pub venues: &'a Venues,
    /// Rules.
    pub policy: &'a Policy,
    /// The quote currency.
    pub quote: AssetIndex,
    /// Whether a backstop may be asked.
    pub backstop: Backstop,
}

/// Whether a backstop may be asked to take pools over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backstop {
    /// It may, where the policy has one.
    Asked,
    /// It cannot cover this pool: what cutting cannot restore is closed.
    Spent,
}

impl Planner<'_> {
    /// What is done about a pool whose liquidation has begun.
    pub fn plan(&self, state: &PoolState) -> Plan {
        let figures = self.marks.figures(state);
        let decision = self.marks.decide(state);
        let before = Health::from(figures);
        let cause = match (decision.bankrupt, state.in_liquidation) {
            (true, _) => Cause::Bankrupt,
            (_, true) => Cause::BelowTarget,
            (_, false) => Cause::Breach,
        };
        let plan = Plan {
            cause,
            before,
            orders: Orders::Kept,
            conversions: Vec::new(),
            cuts: Vec::new(),
            ending: Ending::Restored,
        };
        let take_over = self.policy.take_over.below_health;
        let is_below = take_over > 0.0 && figures.adjusted_equity < take_over * figures.maintenance_margin;
        if self.has_backstop() && !state.is_flat() && is_below {
            return Plan { cause: Cause::BelowTakeOver, ending: Ending::TakenOver, ..plan };
        }
        if decision.bankrupt {
            return self.everything(state, plan);
        }
        self.by_steps(state, plan)
    }

    /// The steps of the policy in order, each only as far as the ones before have not restored the pool.
    fn by_steps(&self, state: &PoolState, mut plan: Plan) -> Plan {
        let mut trial = state.clone();
        for step in &self.policy.steps {
            if *step != Step::CancelOrders && !self.is_short(&trial) {
                break;
            }
            match step {
                Step::CancelOrders if trial.has_orders() => {
                    trial.cancel_orders();
                    plan.orders = Orders::Cancelled;
                }
                Step::ConvertCollateral => self.convert_until_restored(&mut trial, &mut plan),
                Step::Cut => self.cut_until_restored(&mut trial, &mut plan),
                _ => {}
            }
        }
        self.apply_clip(state, &mut plan);
        if plan.ending == Ending::Clipped || !self.is_short(&trial) {
            return plan;
        }
        // No partial cut restores the pool.
        let whole = Plan { cause: Cause::Infeasible, conversions: Vec::new(), cuts: Vec::new(), ..plan };
        if self.has_backstop() && !state.is_flat() {
            return Plan { ending: Ending::TakenOver, ..whole };
        }
        self.everything(state, whole)
    }

    /// Closes all of it: every position that can be traded, and, where the pool owes, its other balances.
    pub fn everything(&self, state: &PoolState, plan: Plan) -> Plan {
        let open = state.positions.iter().enumerate().filter(|(_, held)| {
            self.policy.takes(Step::Cut) && self.is_tradable(held.contracts, held.position.instrument)
        });
        let mut plan = Plan {
            cuts: open.map(|(index, held)| (index, held.contracts)).collect(),
            orders: if state.has_orders() { Orders::Cancelled } else { Orders::Kept },
            ending: Ending::Emptied,
            ..plan
        };
        self.apply_clip(state, &mut plan);
        let owes = plan.before.equity < 0.0 || state.cash.iter().any(|(_, amount)| amount.0 < 0);
        if owes && plan.ending == Ending::Emptied {
            let others = state.cash.iter().filter(|(asset, amount)| {
                *asset != self.quote && *amount != Quanta::ZERO && self.books.is_open(self.venues.of_asset(*asset).0)
            });
            plan.conversions = others.copied().collect();
        }
        plan
    }

    fn is_tradable(&self, contracts: Quanta, instrument: u32) -> bool {
        contracts != Quanta::ZERO
            && self.marks.settlement_value(instrument).is_some()
            && self.books.is_open(self.venues.of_instrument(instrument).0)
    }

    fn shortfall(&self, figures: &Figures) -> f64 {
        self.policy.target_health * figures.maintenance_margin - figures.adjusted_equity
    }

    /// What more than the shortfall is asked for, so that rounding does not leave the target missed by a hair, quote units.
    fn slack(&self, figures: &Figures) -> f64 {
        ROUNDING * (self.policy.target_health * figures.maintenance_margin + figures.adjusted_equity.abs())
    }

    fn is_short(&self, trial: &PoolState) -> bool {
        let figures = self.marks.figures(trial);
        self.shortfall(&figures) > self.slack(&figures)
    }

    fn has_backstop(&self) -> bool {
        self.backstop == Backstop::Asked && self.policy.takes(Step::TakeOver)
    }

    fn occasion(&self, plan: &Plan) -> Occasion {
        Occasion { step: 0, round: 0, cause: plan.cause, before: plan.before }
    }

    /// Sells the collateral that frees the most health for its cost first, as much of each as is needed.
    fn convert_until_restored(&self, trial: &mut PoolState, plan: &mut Plan) {
        let mut offers: Vec<(f64, AssetIndex)> = Vec::new();
        for (asset, amount) in trial.cash.clone() {
            if asset == self.quote || amount.0 <= 0 || !self.books.is_open(self.venues.of_asset(asset).0) {
                continue;
            }
            let gain = self.gain_of_conversion(trial, plan, asset, amount);
            if gain > 0.0 {
                offers.push((gain / (amount.units() * self.marks.asset_price(asset)), asset));
            }
        }
        offers.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, asset) in offers {
            let figures = self.marks.figures(trial);
            let short = self.shortfall(&figures) + self.slack(&figures);
            if !self.is_short(trial) {
                return;
            }
            let amount = trial.cash(asset);
            let gain = self.gain_of_conversion(trial, plan, asset, amount);
            if gain <= 0.0 {
                continue;
            }
            let least = Quanta::ceil(self.policy.cut.dust_quote / self.marks.asset_price(asset));
            let sold = Quanta::ceil(amount.units() * (short / gain).min(1.0)).max(least).min(amount);
            let terms = self.conversion_terms(asset, sold);
            convert(trial, asset, sold, terms, (&self.marks, self.quote, &self.occasion(plan)));
            plan.conversions.push((asset, sold));
        }
    }

    /// How much of the shortfall selling all of an asset removes, quote units.
    fn gain_of_conversion(&self, trial: &PoolState, plan: &Plan, asset: AssetIndex, amount: Quanta) -> f64 {
        let mut sold = trial.clone();
        let terms = self.conversion_terms(asset, amount);
        convert(&mut sold, asset, amount, terms, (&self.marks, self.quote, &self.occasion(plan)));
        self.shortfall(&self.marks.figures(trial)) - self.shortfall(&self.marks.figures(&sold))
    }

    fn conversion_terms(&self, asset: AssetIndex, amount: Quanta) -> TradeTerms {
        let (book, thinness) = self.venues.of_asset(asset);
        let notional = amount.units() * self.marks.asset_price(asset);
        let concession = self.own_impact(book, thinness).average(notional);
        TradeTerms {
            concession: concession + self.policy.costs.half_spread,
            trading_fee: self.policy.costs.trading_fee,
            fund_fee: 0.0,
            fund_fee_room: Quanta::ZERO,
        }
    }

    /// Cuts by the policy's rule until the target is reached or cutting helps no more.
    fn cut_until_restored(&self, trial: &mut PoolState, plan: &mut Plan) {
        let mut taken = vec![Quanta::ZERO; trial.positions.len()];
        for _ in 0..PASSES {
            let figures = self.marks.figures(trial);
            let short = self.shortfall(&figures);
            if !self.is_short(trial) || trial.is_flat() {
                break;
            }
            let Some(cuts) = self.choose(trial, short + self.slack(&figures)) else { break };
            for (index, contracts) in cuts {
                taken[index] += contracts;
                self.cut_on_trial(trial, plan, index, contracts);
            }
            if self.shortfall(&self.marks.figures(trial)) >= short {
                break;
            }
        }
        plan.cuts = taken.into_iter().enumerate().filter(|(_, contracts)| *contracts != Quanta::ZERO).collect();
    }

    fn cut_on_trial(&self, trial: &mut PoolState, plan: &Plan, index: usize, contracts: Quanta) {
        let instrument = trial.positions[index].position.instrument;
        let kind = self.marks.snapshot().instruments[instrument as usize].kind;
        let notional = contracts.units().abs() * self.marks.unit_notional(instrument);
        let (book, thinness) = self.venues.of_instrument(instrument);
        let concession = self.own_impact(book, thinness).average(notional);
        let room = Quanta::floor(self.marks.figures(trial).equity.max(0.0));
        let terms = TradeTerms::of(&self.policy.costs, kind, concession, room);
        cut(trial, index, contracts, terms, (&self.marks, self.quote, &self.occasion(plan)));
    }

    /// One pass: contracts to cut of each position; `None` where nothing can be cut to any use.
    fn choose(&self, trial: &PoolState, short: f64) -> Option<Vec<(usize, Quanta)>> {
        match self.policy.cut.rule {
            CutRule::Full => {
                let open = trial.positions.iter().enumerate();
                let open = open.filter(|(_, held)| self.is_tradable(held.contracts, held.position.instrument));
                Some(open.map(|(index, held)| (index, held.contracts)).collect())
            }
            CutRule::Program => cuts_by_program(self, trial),
            CutRule::StepDown => cuts_by_step_down(self, trial),
            rule => {
                let (places, legs) = self.legs(trial);
                let target = Target { shortfall_quote: short, health: self.policy.target_health };
                let Choice::Cuts(cuts) = choose(rule, &legs, target) else { return None };
                let cuts: Vec<_> = places
                    .into_iter()
                    .zip(cuts)
                    .filter(|(index, notional)| *notional >= self.quantum_of(trial, *index))
                    .map(|(index, notional)| (index, self.contracts_of(trial, index, notional)))
                    .collect();
                (!cuts.is_empty()).then_some(cuts)
            }
        }
    }

    /// Notional of the smallest cut of a position, one quantum; what a rule asks for below it is nothing.
    fn quantum_of(&self, trial: &PoolState, index: usize) -> f64 {
        Quanta(1).units() * self.marks.unit_notional(trial.positions[index].position.instrument)
    }

    /// Contracts worth a notional, rounded away from zero; all of them where only dust would be left.
    pub(super) fn contracts_of(&self, trial: &PoolState, index: usize, notional_quote: f64) -> Quanta {
        let held = &trial.positions[index];
        let unit = self.marks.unit_notional(held.position.instrument);
        let whole = held.contracts.magnitude();
        // Nobody trades less than dust: prices move meanwhile, and the rest of a rest would never end.
        let wanted = Quanta::ceil(notional_quote.max(self.policy.cut.dust_quote) / unit).min(whole);
        let left = (whole - wanted).units() * unit;
        let magnitude = if left < self.policy.cut.dust_quote { whole } else { wanted };
        Quanta(magnitude.0 * held.contracts.0.signum())
    }

    /// Positions that can be traded, as the rules see them.
    pub(super) fn legs(&self, trial: &PoolState) -> (Vec<usize>, Vec<Leg>) {
        let base = self.marks.figures(trial);
        let mut places = Vec::new();
        let mut legs = Vec::new();
        for (index, held) in trial.positions.iter().enumerate() {
            let instrument = held.position.instrument;
            if !self.is_tradable(held.contracts, instrument) {
                continue;
            }
            let notional = held.contracts.units().abs() * self.marks.unit_notional(instrument);
            let mut less = trial.clone();
            less.positions[index].take(Quanta((held.contracts.0 as f64 * TRIAL) as i128));
            less.refresh();
            let cut_share = 1.0 - less.positions[index].contracts.0 as f64 / held.contracts.0 as f64;
            let released = base.maintenance_margin - self.marks.figures(&less).maintenance_margin;
            let relief = if cut_share > 0.0 && notional > 0.0 { released / (cut_share * notional) } else { 0.0 };
            let terms = &self.marks.snapshot().instruments[instrument as usize];
            let costs = &self.policy.costs;
            let cost = costs.half_spread_of(terms.kind) + costs.trading_fee + costs.liquidation_fee;
            let (book, thinness) = self.venues.of_instrument(instrument);
            let carry = held.carry.units() * self.marks.asset_price(terms.settlement_asset);
            let profit_quote = held.contracts.units() * self.marks.unit_value(instrument) - carry;
            let impact = self.own_impact(book, thinness).of_leg();
            places.push(index);
            legs.push(Leg { notional_quote: notional, relief, cost, impact, profit_quote });
        }
        (places, legs)
    }

    /// What a pool's own trade would move its book by, as an estimate.
    fn own_impact(&self, book: u32, thinness: f64) -> OwnImpact {
        let depth = self.books.depth(book);
        match self.books.law(book) {
            ImpactLaw::None => OwnImpact::None,
            ImpactLaw::Linear | ImpactLaw::Saturating { .. } => {
                let slope = depth.within_one_percent_quote.map_or(0.0, |depth| 0.01 * thinness / depth);
                OwnImpact::Linear { slope }
            }
            ImpactLaw::SquareRoot { factor } => {
                let volatility = depth.daily_volatility.unwrap_or_default();
                let volume = depth.daily_volume_quote.unwrap_or(f64::INFINITY);
                OwnImpact::SquareRoot { factor: factor * volatility * (thinness / volume).sqrt() }
            }
        }
    }

    /// Keeps cuts within what one round may take.
    fn apply_clip(&self, state: &PoolState, plan: &mut Plan) {
        let Some(clip) = self.policy.cut.clip else { return };
        let gross = self.marks.figures(state).gross_notional;
        if gross <= clip.above_quote || state.clipped_rounds >= clip.rounds || state.is_flat() {
            return;
        }
        for (index, contracts) in &mut plan.cuts {
            let whole = state.positions[*index].contracts;
            let most = Quanta((whole.0.abs() as f64 * clip.share) as i128).max(Quanta(1)).0;
            if contracts.0.abs() > most {
                *contracts = Quanta(most * whole.0.signum());
                plan.ending = Ending::Clipped;
            }
        }
    }
}

/// How a pool's own trade is expected to move its price.
#[derive(Debug, Clone, Copy)]
enum OwnImpact {
    None,
    Linear { slope: f64 },
    SquareRoot { factor: f64 },
}

impl OwnImpact {
    /// Average concession of a notional, a fraction of it.
    fn average(self, notional_quote: f64) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Linear { slope } => slope * notional_quote / 2.0,
            Self::SquareRoot { factor } => factor * notional_quote.sqrt() * (2.0 / 3.0),
        }
    }

    fn of_leg(self) -> LegImpact {
        match self {
            Self::None => LegImpact::None,
            Self::Linear { slope } => LegImpact::Linear { slope },
            Self::SquareRoot { factor } => LegImpact::SquareRoot { coefficient: factor * (2.0 / 3.0) },
        }
    }
}
