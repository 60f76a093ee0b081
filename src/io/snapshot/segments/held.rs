use crate::domain::{Balance, Book, Mode, Order, PoolSettings, Position, SortedBook};

/// What a book holds, whoever holds it: all that rules, prices and checks ask of a book as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    assets: Vec<bool>,
    /// By instrument: not short, short.
    instruments: Vec<[bool; 2]>,
    /// Open orders by instrument.
    orders: Vec<u64>,
    pub(super) has_portfolio_pools: bool,
}

impl Held {
    pub(super) fn new(n_assets: usize, n_instruments: usize) -> Self {
        Self {
            assets: vec![false; n_assets],
            instruments: vec![[false; 2]; n_instruments],
            orders: vec![0; n_instruments],
            has_portfolio_pools: false,
        }
    }

    pub(super) fn asset(&mut self, index: u32) {
        self.assets[index as usize] = true;
    }

    pub(super) fn position(&mut self, instrument: u32, quantity: f64) {
        self.instruments[instrument as usize][usize::from(quantity < 0.0)] = true;
    }

    pub(super) fn order(&mut self, instrument: u32) {
        self.orders[instrument as usize] += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.assets.iter_mut().zip(&other.assets).for_each(|(held, other)| *held |= other);
        for (held, other) in self.instruments.iter_mut().zip(&other.instruments) {
            *held = [held[0] | other[0], held[1] | other[1]];
        }
        self.orders.iter_mut().zip(&other.orders).for_each(|(orders, other)| *orders += other);
        self.has_portfolio_pools |= other.has_portfolio_pools;
    }

    /// A book of one pool that holds, long and short, and orders all of it.
    pub(super) fn sketch(&self) -> Book {
        let balances = (0u32..).zip(&self.assets).filter(|(_, held)| **held);
        let positions = (0u32..).zip(&self.instruments).flat_map(|(instrument, [long, short])| {
            let sides = [(*long, 1.0), (*short, -1.0)].into_iter().filter(|(is_held, _)| *is_held);
            sides.map(move |(_, quantity)| Position::new(instrument, quantity, 1.0))
        });
        let orders = (0u32..).zip(&self.orders).flat_map(|(instrument, count)| {
            let order = Order { instrument, quantity: 1.0, price: 1.0, reduces_only: false };
            std::iter::repeat_n(order, *count as usize)
        });
        let mode = if self.has_portfolio_pools { Mode::Portfolio } else { Mode::Cross };
        let settings = PoolSettings { mode, orders: orders.collect(), ..PoolSettings::default() };
        let mut book = SortedBook::default();
        book.push(("", ""), balances.map(|(asset, _)| Balance::new(asset, 0.0)), positions, Some(settings));
        book.build()
    }
}
