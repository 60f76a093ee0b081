use super::{
    Asset, AssetIndex, Book, BookBuilder, HaircutCurve, Instrument, InstrumentIndex, Route, Underlying, UnderlyingIndex,
};

/// Everything known about an exchange at one moment: its market data and its book.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The moment; required where anything expires.
    pub as_of: Option<jiff::Timestamp>,
    /// The quote currency all totals are in. It is always one of `assets` (price 1).
    pub quote: String,
    /// Assets, sorted by name, unique.
    pub assets: Vec<Asset>,
    /// Underlyings, sorted by name, unique.
    pub underlyings: Vec<Underlying>,
    /// Instruments, sorted by name, unique.
    pub instruments: Vec<Instrument>,
    /// Routes to other networks, sorted by name, unique. Every custody of an asset names one of them.
    pub routes: Vec<Route>,
    /// Measured falls of haircut classes, sorted by class, unique.
    pub haircut_curves: Vec<HaircutCurve>,
    /// Pools with their holdings, sorted by account, then pool (bytes).
    pub book: Book,
}

impl Snapshot {
    /// The underlying whose price moves an asset, where the underlyings table has it.
    pub fn underlying_of_asset(&self, asset: AssetIndex) -> Option<UnderlyingIndex> {
        let name = &self.assets[asset as usize].underlying;
        let found = self.underlyings.binary_search_by(|underlying| underlying.name.cmp(name)).ok();
        found.map(|index| index as u32)
    }

    /// The same market with the pool at `index` (< [`Book::len`]) alone: what a question about one pool needs.
    pub fn of_pool(&self, index: usize) -> Self {
        self.of_pools(&[index])
    }

    /// The same market with these pools alone; each index is < [`Book::len`].
    pub fn of_pools(&self, indices: &[usize]) -> Self {
        let mut builder = BookBuilder::with_lots_of(&self.book);
        for &index in indices {
            let pool = self.book.pool(index);
            let id = builder.pool(pool.account, pool.pool);
            pool.balances.iter().for_each(|balance| builder.add_balance(id, *balance));
            pool.positions.iter().for_each(|position| builder.add_position(id, *position));
            *builder.settings(id) = pool.settings.clone();
            if pool.unknown {
                builder.mark_unknown(id);
            }
        }
        self.with_book(builder.build())
    }

    /// The same market with another book.
    pub fn with_book(&self, book: Book) -> Self {
        Self {
            as_of: self.as_of,
            quote: self.quote.clone(),
            assets: self.assets.clone(),
            underlyings: self.underlyings.clone(),
            instruments: self.instruments.clone(),
            routes: self.routes.clone(),
            haircut_curves: self.haircut_curves.clone(),
            book,
        }
    }
}

/// An open order, whose margin the rulebook may reserve.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The instrument.
    pub instrument: InstrumentIndex,
    /// Contracts; positive = buy, negative = sell.
    pub quantity: f64,
    /// Limit price, in the instrument's price asset.
    pub price: f64,
    /// An order that can only shrink a position reserves nothing.
    pub reduces_only: bool,
}
