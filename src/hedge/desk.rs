use crate::domain::{Balance, Pool, Position};
use crate::engine::{Arbiter, Figures};
use crate::error::{Error, Fault, Result};
use crate::margin::{MarginSide, Setting};
use crate::number::Number;
use crate::pricing::{Column, entry_value};

/// A pool whose quantities may change: every position and hedge is there, if only with quantity 0.
#[derive(Debug)]
pub struct Desk<'a> {
    setting: Setting<'a>,
    /// The pool, extended by empty positions and balances.
    pool: Pool<'a>,
    /// The requirement meant.
    on: MarginSide,
    /// The market evaluated.
    column: Column,
    /// Terms of trade of each position.
    terms: Vec<Terms>,
}

/// What trading one contract of a position does.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Terms {
    /// Balance that pays, by position in the pool.
    balance: usize,
    /// Units of its asset that one contract bought takes: its value in excess of what the entry price accounts for.
    cash: f64,
    /// Price of that asset, quote units; > 0.
    price: f64,
    /// Notional of one contract, quote units; ≥ 0.
    notional: f64,
}

/// What a pool holds after trades.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub balances: Vec<Balance>,
    pub positions: Vec<Position>,
}

impl Held {
    /// As a pool with the name and settings of another.
    pub fn pool<'p>(&'p self, of: &Pool<'p>) -> Pool<'p> {
        Pool { balances: &self.balances, positions: &self.positions, ..*of }
    }
}

impl<'a> Desk<'a> {
    /// A desk over the only pool of the setting's snapshot, evaluated in `column`, trading at the prices of `traded`.
    ///
    /// # Errors
    /// [`Error::Refused`] where a settlement asset is worth nothing in the market traded in.
    pub fn new(setting: Setting<'a>, on: MarginSide, column: Column, traded: Column) -> Result<Self> {
        let pool = setting.snapshot.book.pool(0);
        let terms = pool.positions.iter().map(|position| Terms::of(&setting, &pool, position, traded));
        Ok(Self { setting, pool, on, column, terms: terms.collect::<Result<_>>()? })
    }

    /// The pool, extended by empty positions and balances.
    pub fn pool(&self) -> &Pool<'a> {
        &self.pool
    }

    /// The positions, whose quantities are what is traded.
    pub fn positions(&self) -> &'a [Position] {
        self.pool.positions
    }

    /// Notional of one contract of a position, quote units.
    pub fn notional(&self, position: usize) -> f64 {
        self.terms[position].notional
    }

    /// Notional of everything held, at the prices traded at, quote units.
    pub fn gross_notional(&self) -> f64 {
        self.positions().iter().zip(&self.terms).map(|(held, terms)| held.quantity.abs() * terms.notional).sum()
    }

    /// What the pool holds with other quantities `[n_positions]`, having paid for them and, where there are any, these costs
    /// `[n_positions]`, quote units.
    pub fn held(&self, quantities: &[f64], costs: &[f64]) -> Held {
        let mut held = Held { balances: self.pool.balances.to_vec(), positions: self.pool.positions.to_vec() };
        for ((position, terms), &quantity) in held.positions.iter_mut().zip(&self.terms).zip(quantities) {
            held.balances[terms.balance].amount -= (quantity - position.quantity) * terms.cash;
            position.quantity = quantity;
        }
        for (terms, cost) in self.terms.iter().zip(costs) {
            held.balances[terms.balance].amount -= cost / terms.price;
        }
        held
    }

    /// Adjusted equity and the requirement meant, quote units.
    pub fn level(&self, held: &Held) -> (f64, f64) {
        let pool = &held.pool(&self.pool);
        let market = (self.setting.rows, self.column);
        let required = self.setting.requirement::<f64>(pool, &market);
        let required = match self.on {
            MarginSide::Initial => required.initial.larger(&required.maintenance),
            MarginSide::Maintenance => required.maintenance,
        };
        (self.setting.equity::<f64>(pool, &market).adjusted, required)
    }

    /// Whether a pool's adjusted equity is at least `target` times the requirement: exactly.
    pub fn meets(&self, pool: &Pool<'_>, target: f64) -> bool {
        Arbiter::new(self.setting).meets(pool, self.column, (self.on, target))
    }

    /// Published figures of a pool.
    pub fn figures(&self, pool: &Pool<'_>) -> Figures {
        Arbiter::new(self.setting).figures(pool, self.column)
    }
}

impl Terms {
    fn of(setting: &Setting<'_>, pool: &Pool<'_>, position: &Position, traded: Column) -> Result<Self> {
        let instrument = &setting.snapshot.instruments[position.instrument as usize];
        let asset = instrument.settlement_asset;
        let value = |row: Option<u32>| row.map_or(f64::NAN, |row| setting.rows.value(row, traded));
        let price = value(setting.rows.of_asset(asset));
        let unit = value(setting.rows.of_instrument(position.instrument));
        let balance = pool.balances.iter().position(|balance| balance.asset == asset);
        let one = [Position { quantity: 1.0, ..*position }];
        let one = Pool { balances: &[], positions: &one, ..*pool };
        let notional = setting.gross_notional::<f64>(&one, &(setting.rows, traded));
        let cash = unit / price - entry_value(instrument, position.entry_price);
        match balance {
            Some(balance) if price > 0.0 && cash.is_finite() && notional.is_finite() => {
                Ok(Self { balance, cash, price, notional: notional.max(0.0) })
            }
            _ => {
                let settlement = &setting.snapshot.assets[asset as usize].name;
                let rule =
                    format!("{} settles in {settlement}, whose price is > 0 in the market traded in", instrument.name);
                let remedy = "trade in the unshocked market, or choose another scenario";
                Err(Error::Refused(vec![Fault::of_table("scenarios", rule, remedy)]))
            }
        }
    }
}
