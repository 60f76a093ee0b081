use super::ask::{Ask, Choice, TradeAt};
use super::desk::Desk;
use super::legs::legs;
use super::plan::{Plan, plan};
use crate::domain::{Balance, BookBuilder, InstrumentIndex, Kind, Position, Snapshot};
use crate::engine::Figures;
use crate::error::{Error, Result};
use crate::margin::{Rulebook, Rules, Setting, revalue};
use crate::pricing::{Column, ShockedMarket, Unshocked};
use crate::scenario::ScenarioSet;

/// Plans trades of pools of a snapshot under a rulebook.
#[derive(Debug, Clone, Copy)]
pub struct Hedger<'a> {
    /// Market data and book.
    pub snapshot: &'a Snapshot,
    /// Margin rules.
    pub rulebook: &'a Rulebook,
    /// A set, and the position in it of the scenario in which the target is to be met; `None` = the unshocked market.
    pub scenario: Option<(&'a ScenarioSet, usize)>,
    /// What to do with a held underlying without a factor.
    pub unshocked: Unshocked,
}

/// One pool before, and the ways to its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Hedged {
    /// Published figures of the pool as it is.
    pub before: Figures,
    /// The ways to the target; none where the pool meets it as it is: decided exactly.
    pub plans: Vec<Plan>,
    /// The cheapest of those that reach it, by position; the first of equals.
    pub cheapest: Option<usize>,
}

impl Hedger<'_> {
    /// Plans for the pool at `index` of the book. Only what this pool holds, and what it may hedge with, is valued.
    ///
    /// # Errors
    /// [`Error::Configuration`] for numbers of `ask` out of range; [`Error::Refused`] where holdings, rulebook and scenario do
    /// not fit together, or an underlying does not say how much of it trades.
    pub fn plans(&self, index: usize, ask: &Ask) -> Result<Hedged> {
        ask.check()?;
        let original = self.snapshot.of_pool(index);
        let hedges = ask.hedges_of(&original.book.pool(0), &original);
        ask.check_liquidity(&hedges, &original)?;
        let scenarios = self.scenario.map_or_else(|| Ok(ScenarioSet::default()), |(set, at)| only(set, at))?;
        let column = if self.scenario.is_some() { Column::Scenario(0) } else { Column::Base };
        let traded = if ask.trade_at == TradeAt::Base { Column::Base } else { column };
        let snapshot = extended(&original, &hedges, &ShockedMarket::new(&original, &scenarios), traded);
        let rules = Rules::resolve(self.rulebook, &snapshot)?;
        let unshocked = if self.scenario.is_some() { self.unshocked } else { Unshocked::Hold };
        let rows = revalue(&rules, &snapshot, &scenarios, unshocked)?;
        let setting = Setting { snapshot: &snapshot, rules: &rules, rows: &rows };
        let desk = Desk::new(setting, ask.on, column, traded)?;
        let before = original.book.pool(0);
        let choices = if desk.meets(&before, ask.target) { &[] } else { ask.choices() };
        let mut plans: Vec<Plan> = Vec::with_capacity(choices.len());
        for &choice in choices {
            let made = plan(&desk, ask, choice, legs(&desk, ask, choice, (&hedges, &snapshot)));
            plans.push(if choice == Choice::Both { made.or_cheaper(&plans) } else { made });
        }
        let costs = plans.iter().enumerate().filter_map(|(at, plan)| Some((at, plan.cost_quote()?)));
        let cheapest = costs.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at);
        Ok(Hedged { before: desk.figures(&before), plans, cheapest })
    }
}

/// The set of one scenario of another.
fn only(set: &ScenarioSet, at: usize) -> Result<ScenarioSet> {
    let faults = set.faults();
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let (Some(id), Some(label)) = (set.ids.get(at), set.labels.get(at)) else {
        return Err(Error::Usage(format!("no scenario at position {at} of a set of {}", set.len())));
    };
    Ok(ScenarioSet {
        ids: vec![id.clone()],
        weights: vec![1.0],
        labels: vec![label.clone()],
        factors: set.factors.clone(),
        shocks: set.shocks.select(ndarray::Axis(0), &[at]),
    })
}

/// The only pool of a snapshot with an empty position in each hedge that it does not hold, entered at the mark traded at, and
/// a balance in every asset that its positions settle in.
fn extended(snapshot: &Snapshot, hedges: &[InstrumentIndex], market: &ShockedMarket<'_>, traded: Column) -> Snapshot {
    let pool = snapshot.book.pool(0);
    let instrument = |index: InstrumentIndex| &snapshot.instruments[index as usize];
    let is_held = |hedge: InstrumentIndex| pool.positions.iter().any(|position| position.instrument == hedge);
    let mut positions = pool.positions.to_vec();
    for &hedge in hedges.iter().filter(|&&hedge| !is_held(hedge)) {
        let terms = instrument(hedge);
        let mark = if terms.kind == Kind::Option { terms.mark_price } else { market.mark_price(terms, traded) };
        // A price of 0 cannot be entered at; the difference is settled in cash, which is worth the same.
        let entry = if mark > 0.0 { mark } else { terms.mark_price };
        positions.push(Position::new(hedge, 0.0, entry));
    }
    let mut balances = pool.balances.to_vec();
    for position in &positions {
        let asset = instrument(position.instrument).settlement_asset;
        if balances.iter().all(|balance| balance.asset != asset) {
            balances.push(Balance::new(asset, 0.0));
        }
    }
    let mut builder = BookBuilder::with_lots_of(&snapshot.book);
    let id = builder.pool(pool.account, pool.pool);
    balances.into_iter().for_each(|balance| builder.add_balance(id, balance));
    positions.into_iter().for_each(|position| builder.add_position(id, position));
    *builder.settings(id) = pool.settings.clone();
    snapshot.with_book(builder.build())
}
