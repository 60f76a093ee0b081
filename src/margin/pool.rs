//! One pool's equity and requirements: the direct formulas, and their lowering to a margin program.

use super::component::Scope;
use super::haircut::HaircutBase;
use super::option_rows::MarginRows;
use super::requirement::Evaluation;
use super::rules::Rules;
use crate::domain::{AssetIndex, Balance, InstrumentIndex, Kind, Payoff, Pool, Position, Snapshot};
use crate::number::Number;
use crate::pricing::entry_value;
use crate::program::{Builder, Collected, Node, Sink, Weights};

/// Everything a pool's formulas read: the market data, the rules, the rows of values.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Market data and book.
    pub snapshot: &'a Snapshot,
    /// Margin rules.
    pub rules: &'a Rules,
    /// Values in the unshocked market and under every scenario.
    pub rows: &'a MarginRows,
}

/// A market as a direct formula sees it: the value of a row, as one number or as a block of them.
pub trait Market<N: Number> {
    /// Value of a row.
    fn row(&self, row: u32) -> N;
}

/// A pool's equity in one market, quote units.
#[derive(Debug, Clone)]
pub struct Equity<N> {
    /// Balances and position values at market.
    pub raw: N,
    /// The same after haircuts.
    pub adjusted: N,
    /// Balances alone, after haircuts.
    pub collateral: N,
}

/// A pool's requirements in one market, quote units; or what a rule takes for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requirement<N> {
    /// Initial margin by the rules, before it is raised to the maintenance margin.
    pub initial: N,
    /// Maintenance margin.
    pub maintenance: N,
}

/// One of the two requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarginSide {
    /// The initial one.
    Initial,
    /// The maintenance one.
    Maintenance,
}

impl MarginSide {
    /// Both, the initial one first.
    pub const ALL: [Self; 2] = [Self::Initial, Self::Maintenance];

    /// The word used in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Maintenance => "maintenance",
        }
    }
}

impl<T> Requirement<T> {
    /// Each by itself.
    pub fn each(of: impl Fn(MarginSide) -> T) -> Self {
        Self { initial: of(MarginSide::Initial), maintenance: of(MarginSide::Maintenance) }
    }

    /// That of one of them.
    pub fn of(&self, margin: MarginSide) -> &T {
        match margin {
            MarginSide::Initial => &self.initial,
            MarginSide::Maintenance => &self.maintenance,
        }
    }
}

impl<T: Clone> Requirement<T> {
    /// The same for both.
    pub fn both(value: T) -> Self {
        Self { initial: value.clone(), maintenance: value }
    }
}

/// One asset of a pool in the direct evaluation: its balance, and the profit of the positions settled in it.
pub(super) struct Group<N> {
    pub(super) asset: AssetIndex,
    pub(super) balance: N,
    pub(super) pnl: N,
}

impl<N: Number> Group<N> {
    /// Balance and profit, before any haircut.
    pub(super) fn total(&self) -> N {
        self.balance.plus(&self.pnl)
    }
}

impl Setting<'_> {
    /// A row that revaluation has made: a pool's holdings are always held.
    pub(super) fn asset_row(&self, asset: AssetIndex) -> u32 {
        self.rows.of_asset(asset).unwrap_or_default()
    }

    /// Row of the price at which an asset counts as collateral: below its own where a scenario says so.
    pub(super) fn credit_row(&self, asset: AssetIndex) -> u32 {
        self.rows.of_credit(asset).unwrap_or(self.asset_row(asset))
    }

    /// Row of the price at which a pool's balances of an asset count in adjusted equity: that of credit where they add up to more
    /// than nothing. A loan is owed in full.
    pub(super) fn collateral_row(&self, asset: AssetIndex, balances: &[Balance]) -> u32 {
        let row = self.asset_row(asset);
        let Some(credited) = self.rows.of_credit(asset) else { return row };
        let lots = balances.iter().filter(|balance| balance.asset == asset);
        let net: f64 = lots.map(|lot| lot.amount + lot.accrued_interest).sum();
        if net > 0.0 { credited } else { row }
    }

    pub(super) fn instrument_row(&self, instrument: InstrumentIndex) -> u32 {
        self.rows.of_instrument(instrument).unwrap_or_default()
    }

    /// A position's notional as a row and a coefficient: |quantity| · |unit value|; of an option, |quantity| · contract size ·
    /// index price. An inverse contract's unit value is negative, so its coefficient is, too.
    pub(super) fn notional(&self, position: &Position) -> (u32, f64) {
        let instrument = &self.snapshot.instruments[position.instrument as usize];
        let row = self.instrument_row(position.instrument);
        match (instrument.kind, instrument.payoff) {
            (Kind::Option, _) => {
                let index_row = self.rows.of_index(instrument.underlying).unwrap_or_default();
                (index_row, position.quantity.abs() * instrument.contract_size)
            }
            (_, Payoff::Inverse) => (row, -position.quantity.abs()),
            (_, Payoff::Linear | Payoff::Quanto) => (row, position.quantity.abs()),
        }
    }

    /// Direct formula of equity, holdings in stored order. In f64 this is the published figure; in intervals and in exact
    /// numbers it decides.
    ///
    /// A position is worth quantity · (unit value − entry value · price of the settlement asset) plus accrued funding; spot
    /// is worth its full value and takes no haircut. Haircuts apply per asset, to the sum of its lots. Where a class credits
    /// long options in part, the rest is left out of adjusted equity before any haircut.
    pub fn equity<N: Number>(&self, pool: &Pool<'_>, market: &impl Market<N>) -> Equity<N> {
        let (spot, groups) = self.groups(pool, market);
        let mut equity = Equity { raw: self.raw_equity(pool, market), adjusted: spot, collateral: N::of(0.0) };
        for group in groups {
            let (collateral, adjusted) = self.after_haircut(&group, market);
            equity.adjusted = equity.adjusted.plus(&adjusted);
            equity.collateral = equity.collateral.plus(&collateral);
        }
        equity
    }

    /// Value of the spot positions, and of everything else by asset.
    pub(super) fn groups<N: Number>(&self, pool: &Pool<'_>, market: &impl Market<N>) -> (N, Vec<Group<N>>) {
        let mut groups: Vec<Group<N>> = Vec::with_capacity(4);
        for balance in pool.balances {
            let value = units::<N>(balance).times(&market.row(self.collateral_row(balance.asset, pool.balances)));
            let group = group_of(&mut groups, balance.asset);
            group.balance = group.balance.plus(&value);
        }
        let mut spot = N::of(0.0);
        for position in pool.positions {
            let instrument = &self.snapshot.instruments[position.instrument as usize];
            let (mut value, funding) = self.position_value(position, market);
            if let Some(uncredited) = self.uncredited(position, market) {
                value = value.minus(&uncredited);
            }
            let group = group_of(&mut groups, instrument.settlement_asset);
            group.pnl = group.pnl.plus(&funding);
            if instrument.kind == Kind::Spot {
                spot = spot.plus(&value);
            } else {
                group.pnl = group.pnl.plus(&value);
            }
        }
        (spot, groups)
    }

    /// Direct formula of what the balances of each asset count after haircuts; their sum is [`Equity::collateral`].
    pub fn collateral_by_asset<N: Number>(&self, pool: &Pool<'_>, market: &impl Market<N>) -> Vec<(AssetIndex, N)> {
        let (_, groups) = self.groups(pool, market);
        groups.into_iter().map(|group| (group.asset, self.after_haircut(&group, market).0)).collect()
    }

    /// What counts of a group's balance, and of all of it.
    pub(super) fn after_haircut<N: Number>(&self, group: &Group<N>, market: &impl Market<N>) -> (N, N) {
        let price = market.row(self.credit_row(group.asset));
        let kept = |value: &N| self.rules.haircut(group.asset).map_or(value.clone(), |h| h.kept(value, &price));
        let collateral = kept(&group.balance);
        let adjusted = match self.rules.haircut_base {
            HaircutBase::Balance => collateral.plus(&group.pnl),
            HaircutBase::BalanceAndPnl => kept(&group.total()),
        };
        (collateral, adjusted)
    }

    /// Direct formula of raw equity: balances, then positions, summed in stored order.
    #[inline(always)]
    pub fn raw_equity<N: Number>(&self, pool: &Pool<'_>, market: &impl Market<N>) -> N {
        // Plain loops: an iterator's closures would not be compiled for the vectors this is dispatched to.
        let mut sum = N::of(0.0);
        for balance in pool.balances {
            sum = sum.plus(&self.balance_value(balance, market));
        }
        for position in pool.positions {
            let (value, funding) = self.position_value(position, market);
            sum = sum.plus(&value);
            if position.accrued_funding != 0.0 {
                sum = sum.plus(&funding);
            }
        }
        sum
    }

    #[inline(always)]
    fn balance_value<N: Number>(&self, balance: &Balance, market: &impl Market<N>) -> N {
        units::<N>(balance).times(&market.row(self.asset_row(balance.asset)))
    }

    /// A position's value, and its accrued funding, at market.
    #[inline(always)]
    fn position_value<N: Number>(&self, position: &Position, market: &impl Market<N>) -> (N, N) {
        let instrument = &self.snapshot.instruments[position.instrument as usize];
        let price = market.row(self.asset_row(instrument.settlement_asset));
        let quantity = N::of(position.quantity);
        let entry = N::of(entry_value(instrument, position.entry_price));
        let unit = market.row(self.instrument_row(position.instrument));
        let value = quantity.times(&unit).minus(&quantity.times(&entry).times(&price));
        (value, N::of(position.accrued_funding).times(&price))
    }

    /// What adjusted equity leaves out of a long option's value, (1 − credit)·quantity·unit value while it lives; `None` where
    /// all of it counts.
    pub(super) fn uncredited<N: Number>(&self, position: &Position, market: &impl Market<N>) -> Option<N> {
        let class = self.rules.option(position.instrument)?;
        if !class.is_cut(&self.snapshot.instruments[position.instrument as usize], position) {
            return None;
        }
        let share = N::of(1.0).minus(&N::of(class.long_credit));
        let live_value = market.row(self.option_rows(position).live_value);
        Some(share.times(&N::of(position.quantity)).times(&live_value))
    }

    /// Direct formula of the requirements: the rulebook's formulas over the pool's positions and components, times the pool's
    /// multipliers; open orders and initial haircuts add to the initial margin.
    pub fn requirement<N: Number>(&self, pool: &Pool<'_>, market: &impl Market<N>) -> Requirement<N> {
        let scope = Scope::of_pool(*self, pool);
        let formulas = self.rules.requirements().of_pool(pool);
        let required = Evaluation::new(*self, &scope, market).requirement(formulas);
        let reserve = N::of(self.rules.order_reserve(pool, self.snapshot));
        let initial = N::of(pool.settings.im_multiplier).times(&required.initial).plus(&reserve);
        Requirement {
            initial: match self.initial_haircuts(pool, market) {
                Some(haircuts) => initial.plus(&haircuts),
                None => initial,
            },
            maintenance: N::of(pool.settings.mm_multiplier).times(&required.maintenance),
        }
    }

    /// Direct formula of what initial haircuts take beyond those of adjusted equity; `None` where no asset of the pool has any.
    fn initial_haircuts<N: Number>(&self, pool: &Pool<'_>, market: &impl Market<N>) -> Option<N> {
        if !self.rules.has_initial_haircuts() {
            return None;
        }
        let (_, groups) = self.groups(pool, market);
        let added = groups.iter().filter_map(|group| self.initial_haircut(group, market));
        added.reduce(|sum, added| sum.plus(&added))
    }

    /// What the initial haircut takes of a group beyond its haircut.
    pub(super) fn initial_haircut<N: Number>(&self, group: &Group<N>, market: &impl Market<N>) -> Option<N> {
        let price = market.row(self.credit_row(group.asset));
        let value = match self.rules.haircut_base {
            HaircutBase::Balance => group.balance.clone(),
            HaircutBase::BalanceAndPnl => group.total(),
        };
        self.rules.haircut(group.asset)?.added_to_initial(&value, &price)
    }

    /// Direct formula of what positions require by their classes, in stored order: Σ over positions, then over groups of
    /// options.
    pub(super) fn positions_requirement<'p, N: Number>(
        &self,
        positions: impl Iterator<Item = &'p Position> + Clone,
        market: &impl Market<N>,
    ) -> Requirement<N> {
        let (mut initial, mut maintenance) = (N::of(0.0), N::of(0.0));
        for position in positions.clone().filter(|position| !self.is_grouped(position)) {
            let required = self.position_requirement(position, market);
            maintenance = maintenance.plus(&required.maintenance);
            initial = initial.plus(&required.initial);
        }
        for legs in self.spread_legs(positions) {
            let required = self.group_parts::<N>(&legs, market).requirement();
            maintenance = maintenance.plus(&required.maintenance);
            initial = initial.plus(&required.initial);
        }
        Requirement { initial, maintenance }
    }

    /// Whether a position is margined with others of its group, not by itself.
    pub(super) fn is_grouped(&self, position: &Position) -> bool {
        self.rules.groups().of_instrument(position.instrument).is_some()
    }

    fn position_requirement<N: Number>(&self, position: &Position, market: &impl Market<N>) -> Requirement<N> {
        if let Some(class) = self.rules.option(position.instrument) {
            return self.option_requirement(class, position, market);
        }
        Requirement::each(|side| self.class_requirement(position, side, market))
    }

    /// Direct formula of one requirement of a position by its margin class: scale · (size function + minimum).
    fn class_requirement<N: Number>(&self, position: &Position, side: MarginSide, market: &impl Market<N>) -> N {
        if position.quantity == 0.0 {
            return N::of(0.0);
        }
        let class = self.rules.class(position.instrument);
        let size = self.position_size(position, side);
        let required = class.of(side).requirement(&size, floor_rate(position, side), market);
        let required = match *class.minimum.of(side) {
            0.0 => required,
            minimum => required.plus(&N::of(minimum)),
        };
        match *self.rows.of_class(position.instrument).scale.of(side) {
            Some(scale) => market.row(scale).times(&required),
            None => required,
        }
    }

    /// Direct formula of gross notional: Σ |quantity| · |unit value|, options at the index price.
    #[inline(always)]
    pub fn gross_notional<N: Number>(&self, pool: &Pool<'_>, market: &impl Market<N>) -> N {
        let mut sum = N::of(0.0);
        for position in pool.positions {
            let (row, coefficient) = self.notional(position);
            sum = sum.plus(&N::of(coefficient).times(&market.row(row)));
        }
        sum
    }

    /// Lowering of one pool: what the direct formulas say, as a margin program over rows.
    pub fn lower(&self, pool: &Pool<'_>, builder: &mut Builder<'_>) {
        builder.constant(-self.rules.order_reserve(pool, self.snapshot), Weights::INITIAL);
        for position in pool.positions {
            let (row, coefficient) = self.notional(position);
            builder.affine(row, coefficient, Weights::GROSS);
        }
        self.lower_requirement(pool, builder);
        match self.rules.haircut_base {
            HaircutBase::Balance => self.lower_balances(pool, builder),
            HaircutBase::BalanceAndPnl => self.lower_groups(pool, builder),
        }
    }

    /// Lowering of one requirement of the positions, each by its class.
    pub(super) fn lower_positions<'p>(
        &self,
        positions: impl Iterator<Item = &'p Position> + Clone,
        side: MarginSide,
        sink: &mut impl Sink,
    ) {
        let apart = |position: &&Position| position.quantity != 0.0 && !self.is_grouped(position);
        for position in positions.clone().filter(apart) {
            if let Some(class) = self.rules.option(position.instrument) {
                self.lower_option(class, position, side, sink);
                continue;
            }
            match *self.rows.of_class(position.instrument).scale.of(side) {
                Some(scale) => {
                    let mut collected = Collected::default();
                    self.lower_class(position, side, &mut collected);
                    sink.node(collected.sum().scaled_by_row(scale));
                }
                None => self.lower_class(position, side, sink),
            }
        }
        for legs in self.spread_legs(positions) {
            self.lower_group(&legs, side, sink);
        }
    }

    /// Lowering of one requirement of a position by its margin class, before its scale.
    fn lower_class(&self, position: &Position, side: MarginSide, sink: &mut impl Sink) {
        let class = self.rules.class(position.instrument);
        class.of(side).lower(&self.position_size(position, side), floor_rate(position, side), sink);
        let minimum = *class.minimum.of(side);
        if minimum != 0.0 {
            sink.node(Node::constant(minimum));
        }
    }

    fn lower_balances(&self, pool: &Pool<'_>, builder: &mut Builder<'_>) {
        for position in pool.positions {
            for (row, coefficient) in self.value_terms(position) {
                builder.affine(row, coefficient, Weights::VALUE);
            }
            for (row, coefficient) in self.uncredited_terms(position) {
                builder.affine(row, -coefficient, Weights::ADJUSTED);
            }
        }
        // Lots of one asset are neighbours; its tiers apply to their sum.
        for lots in pool.balances.chunk_by(|a, b| a.asset == b.asset) {
            let asset = lots[0].asset;
            let amount = lots.iter().map(|lot| lot.amount + lot.accrued_interest).sum::<f64>();
            let magnitude = lots.iter().map(|lot| lot.amount.abs() + lot.accrued_interest.abs()).sum::<f64>();
            let row = self.asset_row(asset);
            builder.affine(row, amount, Weights::EQUITY);
            builder.uncancelled(row, magnitude, lots.len());
            let row = self.collateral_row(asset, lots);
            match self.rules.haircut(asset) {
                Some(haircut) => haircut.lower_balance(amount, row, Weights::ADJUSTED, builder),
                None => builder.affine(row, amount, Weights::ADJUSTED),
            }
        }
    }

    /// Adjusted equity's part of an asset, after haircuts, from all its terms.
    fn lower_adjusted(&self, asset: AssetIndex, terms: &[(u32, f64)], builder: &mut Builder<'_>) {
        match self.rules.haircut(asset) {
            Some(haircut) => haircut.lower_sum(terms, self.credit_row(asset), Weights::ADJUSTED, builder),
            None => terms.iter().for_each(|&(row, c)| builder.affine(row, c, Weights::ADJUSTED)),
        }
    }

    fn lower_groups(&self, pool: &Pool<'_>, builder: &mut Builder<'_>) {
        let mut groups: Vec<(AssetIndex, Vec<(u32, f64)>)> = Vec::with_capacity(4);
        let mut add =
            |asset: AssetIndex, term: (u32, f64)| match groups.iter_mut().find(|(candidate, _)| *candidate == asset) {
                Some((_, terms)) => terms.push(term),
                None => groups.push((asset, vec![term])),
            };
        for balance in pool.balances {
            let (row, collateral_row) =
                (self.asset_row(balance.asset), self.collateral_row(balance.asset, pool.balances));
            for units in [balance.amount, balance.accrued_interest] {
                add(balance.asset, (collateral_row, units));
                if collateral_row != row {
                    // Raw equity has all of it.
                    builder.affine(row, units, Weights::EQUITY);
                    builder.affine(collateral_row, -units, Weights::EQUITY);
                }
            }
        }
        for position in pool.positions {
            let instrument = &self.snapshot.instruments[position.instrument as usize];
            let [value, entry, funding] = self.value_terms(position);
            if instrument.kind == Kind::Spot {
                builder.affine(value.0, value.1, Weights::VALUE);
            } else {
                add(instrument.settlement_asset, value);
                add(instrument.settlement_asset, entry);
            }
            add(instrument.settlement_asset, funding);
            for (row, coefficient) in self.uncredited_terms(position) {
                // Adjusted equity leaves it out with the rest of the group; raw equity has it.
                add(instrument.settlement_asset, (row, -coefficient));
                builder.affine(row, coefficient, Weights::EQUITY);
            }
        }
        for (asset, terms) in groups {
            for &(row, coefficient) in &terms {
                builder.affine(row, coefficient, Weights::EQUITY);
            }
            self.lower_adjusted(asset, &terms, builder);
        }
    }

    /// What adjusted equity leaves out of a long option's value, as row terms: quantity less credit · quantity, apart because
    /// their difference would round.
    fn uncredited_terms(&self, position: &Position) -> impl Iterator<Item = (u32, f64)> + use<> {
        let instrument = &self.snapshot.instruments[position.instrument as usize];
        let class = self.rules.option(position.instrument).filter(|class| class.is_cut(instrument, position));
        let terms = class.map(|class| {
            let row = self.option_rows(position).live_value;
            [(row, position.quantity), (row, -(class.long_credit * position.quantity))]
        });
        terms.into_iter().flatten()
    }

    /// A position's value as row terms: quantity · unit value, less quantity · entry value · price, plus funding · price.
    fn value_terms(&self, position: &Position) -> [(u32, f64); 3] {
        let instrument = &self.snapshot.instruments[position.instrument as usize];
        let price_row = self.asset_row(instrument.settlement_asset);
        [
            (self.instrument_row(position.instrument), position.quantity),
            (price_row, -(position.quantity * entry_value(instrument, position.entry_price))),
            (price_row, position.accrued_funding),
        ]
    }
}

/// What a position's own leverage raises the rates of one side to.
pub(super) fn floor_rate(position: &Position, side: MarginSide) -> f64 {
    match side {
        MarginSide::Initial => position.leverage.map_or(0.0, f64::recip),
        MarginSide::Maintenance => 0.0,
    }
}

/// Units of a balance, accrued ones included.
#[inline(always)]
fn units<N: Number>(balance: &Balance) -> N {
    N::of(balance.amount).plus(&N::of(balance.accrued_interest))
}

/// The group of an asset, made on first sight.
fn group_of<N: Number>(groups: &mut Vec<Group<N>>, asset: AssetIndex) -> &mut Group<N> {
    let at = groups.iter().position(|group| group.asset == asset).unwrap_or_else(|| {
        groups.push(Group { asset, balance: N::of(0.0), pnl: N::of(0.0) });
        groups.len() - 1
    });
    &mut groups[at]
}
