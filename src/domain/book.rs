mod sorted;

use std::collections::HashMap;

pub use sorted::SortedBook;

use super::lot::{Lots, LotsBuilder};
use super::{AssetIndex, Balance, LotIndex, LotTerms, Mode, Order, Position};

/// Per-pool terms that are not holdings.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolSettings {
    /// How the requirement is formed (default cross).
    pub mode: Mode,
    /// Factor on the rulebook's initial margin (default 1).
    pub im_multiplier: f64,
    /// Factor on the rulebook's maintenance margin (default 1).
    pub mm_multiplier: f64,
    /// Margin already reserved for open orders, quote units; added to initial margin only.
    pub open_order_margin: f64,
    /// Open orders, whose margin the rulebook may reserve on top.
    pub orders: Vec<Order>,
}

impl Default for PoolSettings {
    fn default() -> Self {
        DEFAULT_SETTINGS
    }
}

impl PoolSettings {
    fn sort_orders(&mut self) {
        self.orders.sort_by_key(|o| (o.instrument, o.quantity.to_bits(), o.price.to_bits(), o.reduces_only));
    }
}

const DEFAULT_SETTINGS: PoolSettings = PoolSettings {
    mode: Mode::Cross,
    im_multiplier: 1.0,
    mm_multiplier: 1.0,
    open_order_margin: 0.0,
    orders: Vec::new(),
};
static SHARED_DEFAULT: PoolSettings = DEFAULT_SETTINGS;

/// One pool and what it holds: the unit of margin.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// Owner.
    pub account: &'a str,
    /// Name of the pool within the account.
    pub pool: &'a str,
    /// Balances, by asset, in canonical order.
    pub balances: &'a [Balance],
    /// Positions, by instrument and side, in canonical order.
    pub positions: &'a [Position],
    /// Multipliers and order margin.
    pub settings: &'a PoolSettings,
    /// A refused input row touched this pool: its state cannot be known.
    pub unknown: bool,
}

/// All pools, column by column: names in one arena, holdings in compressed rows.
///
/// Pools are sorted by account, then pool (bytes); holdings by asset, or by instrument and side. The order of the input
/// rows leaves no trace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    names: String,
    /// End of the account name and of the pool name of each pool, in `names`.
    name_ends: Vec<(u64, u64)>,
    balance_starts: Vec<u64>,
    balances: Vec<Balance>,
    lots: Lots,
    position_starts: Vec<u64>,
    positions: Vec<Position>,
    settings: HashMap<u32, PoolSettings>,
    unknown: Vec<bool>,
}

impl Book {
    /// Number of pools.
    pub fn len(&self) -> usize {
        self.name_ends.len()
    }

    /// Whether there is no pool at all.
    pub fn is_empty(&self) -> bool {
        self.name_ends.is_empty()
    }

    /// Positions of all pools.
    pub fn position_count(&self) -> usize {
        self.positions.len()
    }

    /// Balances of all pools.
    pub fn balance_count(&self) -> usize {
        self.balances.len()
    }

    /// Every balance of every pool.
    pub fn balances(&self) -> &[Balance] {
        &self.balances
    }

    /// What a balance of this book says of itself; `None` where nothing is stated.
    pub fn lot(&self, index: LotIndex) -> Option<&LotTerms> {
        self.lots.get(index)
    }

    /// What balances say of themselves.
    pub fn lots(&self) -> &Lots {
        &self.lots
    }

    /// Every position of every pool.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Settings of the pools that have their own, in no particular order.
    pub fn settings(&self) -> impl Iterator<Item = &PoolSettings> {
        self.settings.values()
    }

    /// The pool at `index` (< [`Book::len`]).
    pub fn pool(&self, index: usize) -> Pool<'_> {
        let start = if index == 0 { 0 } else { self.name_ends[index - 1].1 as usize };
        let (account_end, pool_end) = self.name_ends[index];
        let range = |starts: &[u64]| starts[index] as usize..starts[index + 1] as usize;
        Pool {
            account: &self.names[start..account_end as usize],
            pool: &self.names[account_end as usize..pool_end as usize],
            balances: &self.balances[range(&self.balance_starts)],
            positions: &self.positions[range(&self.position_starts)],
            settings: self.settings.get(&(index as u32)).unwrap_or(&SHARED_DEFAULT),
            unknown: self.unknown[index],
        }
    }

    /// Every pool in order.
    pub fn pools(&self) -> impl ExactSizeIterator<Item = Pool<'_>> {
        (0..self.len()).map(|index| self.pool(index))
    }
}

/// A holding on its way into a [`Book`]. The input row fills what would be padding.
#[derive(Debug, Clone, Copy)]
struct Entry<T> {
    pool: u32,
    row: u32,
    holding: T,
}

/// Collects rows in any order and sorts them into a [`Book`].
#[derive(Debug, Default)]
pub struct BookBuilder {
    index: HashMap<Box<str>, u32>,
    names: Vec<(Box<str>, u32)>,
    balances: Vec<Entry<Balance>>,
    lots: LotsBuilder,
    positions: Vec<Entry<Position>>,
    settings: HashMap<u32, PoolSettings>,
    unknown: Vec<bool>,
    last: Option<u32>,
}

impl BookBuilder {
    /// An empty book, to which balances of `book` can be added with their terms. Those of a third book come without: with
    /// [`Balance::lot`] 0.
    pub fn with_lots_of(book: &Book) -> Self {
        Self { lots: LotsBuilder::of(&book.lots), ..Self::default() }
    }

    /// The place of these terms, for balances that are added to this builder.
    pub fn lot(&mut self, terms: LotTerms) -> LotIndex {
        self.lots.add(terms)
    }

    /// The pool of this name, made on first sight. The number is good for the other calls of this builder only.
    pub fn pool(&mut self, account: &str, pool: &str) -> u32 {
        // Rows usually come account by account: the last pool is asked for again.
        if let Some(last) = self.last {
            let (name, split) = &self.names[last as usize];
            if &name[..*split as usize] == account && &name[*split as usize + 1..] == pool {
                return last;
            }
        }
        let key: Box<str> = format!("{account}\0{pool}").into();
        let next = self.names.len() as u32;
        let id = *self.index.entry(key.clone()).or_insert(next);
        if id == next {
            self.names.push((key, account.len() as u32));
            self.unknown.push(false);
        }
        self.last = Some(id);
        id
    }

    /// Adds a balance to a pool. A lot that the builder does not know ends up without terms.
    pub fn add_balance(&mut self, pool: u32, balance: Balance) {
        self.add_balance_row(pool, 0, balance);
    }

    /// Adds a balance to a pool and remembers its input row for [`BookBuilder::drop_balance_rows`].
    pub fn add_balance_row(&mut self, pool: u32, row: u32, balance: Balance) {
        self.balances.push(Entry { pool, row, holding: balance });
    }

    /// Gives every asset that balances are held in another number: that of asset `a` is `places[a]`.
    pub fn renumber_assets(&mut self, places: &[AssetIndex]) {
        self.balances.iter_mut().for_each(|entry| entry.holding.asset = places[entry.holding.asset as usize]);
    }

    /// Adds a position to a pool.
    pub fn add_position(&mut self, pool: u32, position: Position) {
        self.add_position_row(pool, 0, position);
    }

    /// Adds a position to a pool and remembers its input row for [`BookBuilder::drop_position_rows`].
    pub fn add_position_row(&mut self, pool: u32, row: u32, position: Position) {
        self.positions.push(Entry { pool, row, holding: position });
    }

    /// Takes the balances of these input rows (sorted) out again.
    pub fn drop_balance_rows(&mut self, rows: &[u32]) {
        drop_rows(&mut self.balances, rows);
    }

    /// Takes the positions of these input rows (sorted) out again.
    pub fn drop_position_rows(&mut self, rows: &[u32]) {
        drop_rows(&mut self.positions, rows);
    }

    /// The settings of a pool, to be filled in.
    pub fn settings(&mut self, pool: u32) -> &mut PoolSettings {
        self.settings.entry(pool).or_default()
    }

    /// Marks a pool as unknowable: a row that names it was refused.
    pub fn mark_unknown(&mut self, pool: u32) {
        self.unknown[pool as usize] = true;
    }

    /// Sorts everything into place.
    pub fn build(self) -> Book {
        let Self { index, names, mut balances, lots, positions, settings, unknown, .. } = self;
        drop(index);
        let mut order: Vec<u32> = (0..names.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| {
            let ((a, a_split), (b, b_split)) = (&names[a as usize], &names[b as usize]);
            let split = |name: &'_ str, at: u32| -> (Vec<u8>, Vec<u8>) {
                (name.as_bytes()[..at as usize].to_vec(), name.as_bytes()[at as usize + 1..].to_vec())
            };
            // The separator sorts below every other byte, so comparing the joined name is comparing the pair, unless a
            // name itself holds the separator.
            if a.as_bytes()[..*a_split as usize].contains(&0) || b.as_bytes()[..*b_split as usize].contains(&0) {
                split(a, *a_split).cmp(&split(b, *b_split))
            } else {
                a.cmp(b)
            }
        });
        let mut place = vec![0u32; names.len()];
        for (new, &old) in order.iter().enumerate() {
            place[old as usize] = new as u32;
        }
        let mut arena = String::with_capacity(names.iter().map(|(name, _)| name.len()).sum());
        let mut name_ends = Vec::with_capacity(names.len());
        for &old in &order {
            let (name, split) = &names[old as usize];
            arena.push_str(&name[..*split as usize]);
            let account_end = arena.len() as u64;
            arena.push_str(&name[*split as usize + 1..]);
            name_ends.push((account_end, arena.len() as u64));
        }
        let unknown = order.iter().map(|&old| unknown[old as usize]).collect();
        drop(names);
        let (lots, places) = lots.settle(balances.iter().map(|entry| entry.holding.lot));
        balances.iter_mut().for_each(|entry| entry.holding.lot = places.of(entry.holding.lot));
        let (balance_starts, balances) = group_by_pool(balances, &place, |balance| {
            (balance.asset, balance.amount.to_bits(), balance.accrued_interest.to_bits(), balance.lot)
        });
        let (position_starts, positions) =
            group_by_pool(positions, &place, |position| (position.instrument, position.side));
        let settings = settings
            .into_iter()
            .map(|(old, mut settings)| {
                settings.sort_orders();
                (place[old as usize], settings)
            })
            .collect();
        Book { names: arena, name_ends, balance_starts, balances, lots, position_starts, positions, settings, unknown }
    }
}

fn drop_rows<T>(entries: &mut Vec<Entry<T>>, rows: &[u32]) {
    if !rows.is_empty() {
        entries.retain(|entry| rows.binary_search(&entry.row).is_err());
    }
}

/// Sorts by pool, then `key`: starts `[n_pools + 1]` and the holdings in that order.
///
/// Everything happens in place, because the positions are most of the memory of a large book.
fn group_by_pool<T, K: Ord>(mut entries: Vec<Entry<T>>, place: &[u32], key: impl Fn(&T) -> K) -> (Vec<u64>, Vec<T>) {
    let mut starts = vec![0u64; place.len() + 1];
    for entry in &mut entries {
        entry.pool = place[entry.pool as usize];
        starts[entry.pool as usize + 1] += 1;
    }
    for pool in 0..place.len() {
        starts[pool + 1] += starts[pool];
    }
    entries.sort_unstable_by_key(|entry| (entry.pool, key(&entry.holding), entry.row));
    (starts, entries.into_iter().map(|entry| entry.holding).collect())
}
