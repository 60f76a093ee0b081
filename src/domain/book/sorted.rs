use super::{Book, PoolSettings};
use crate::domain::{Balance, Position};

/// A [`Book`] whose pools come in book order: by account, then pool, each once. Nothing is sorted but a pool's holdings.
#[derive(Debug)]
pub struct SortedBook {
    book: Book,
}

impl Default for SortedBook {
    fn default() -> Self {
        let book = Book { balance_starts: vec![0], position_starts: vec![0], ..Book::default() };
        Self { book }
    }
}

impl SortedBook {
    /// Number of pools so far.
    pub fn len(&self) -> usize {
        self.book.len()
    }

    /// Whether there is no pool yet.
    pub fn is_empty(&self) -> bool {
        self.book.is_empty()
    }

    /// Bytes of the holdings and names so far.
    pub fn bytes(&self) -> usize {
        let book = &self.book;
        size_of_val(&*book.positions) + size_of_val(&*book.balances) + book.names.len() + 33 * book.len()
    }

    /// Adds the next pool, with its holdings in any order; `None` stands for default settings. Balances come without terms:
    /// [`Balance::lot`] is 0.
    pub fn push(
        &mut self,
        (account, pool): (&str, &str),
        balances: impl IntoIterator<Item = Balance>,
        positions: impl IntoIterator<Item = Position>,
        settings: Option<PoolSettings>,
    ) {
        let book = &mut self.book;
        debug_assert!(
            book.is_empty() || {
                let last = book.pool(book.len() - 1);
                (last.account, last.pool) < (account, pool)
            },
            "pools ascend"
        );
        book.names.push_str(account);
        let account_end = book.names.len() as u64;
        book.names.push_str(pool);
        book.name_ends.push((account_end, book.names.len() as u64));
        book.unknown.push(false);
        let first = book.balances.len();
        book.balances.extend(balances.into_iter().map(|balance| Balance { lot: 0, ..balance }));
        book.balances[first..]
            .sort_by_key(|balance| (balance.asset, balance.amount.to_bits(), balance.accrued_interest.to_bits()));
        book.balance_starts.push(book.balances.len() as u64);
        let first = book.positions.len();
        book.positions.extend(positions);
        book.positions[first..].sort_by_key(|position| (position.instrument, position.side));
        book.position_starts.push(book.positions.len() as u64);
        if let Some(mut settings) = settings {
            settings.sort_orders();
            book.settings.insert(book.name_ends.len() as u32 - 1, settings);
        }
    }

    /// The book of the pools so far.
    pub fn build(self) -> Book {
        self.book
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BookBuilder, Order, Side};

    #[test]
    fn it_is_the_book_that_any_order_gives() {
        let order = |price| Order { instrument: 0, quantity: 1.0, price, reduces_only: false };
        let settings = PoolSettings { im_multiplier: 2.0, orders: vec![order(3.0), order(1.0)], ..Default::default() };
        let balances = [Balance::new(1, 5.0), Balance::new(0, 2.0), Balance::new(0, 1.0)];
        let long = Position { side: Side::Long, ..Position::new(1, 1.0, 2.0) };
        let positions = [long, Position { side: Side::Short, quantity: -1.0, ..long }, Position::new(0, 1.0, 2.0)];
        let mut any = BookBuilder::default();
        for (account, pool) in [("b", "main"), ("a", "x"), ("a", "main")] {
            let id = any.pool(account, pool);
            if account == "a" {
                balances.iter().rev().for_each(|balance| any.add_balance(id, *balance));
                positions.iter().rev().for_each(|position| any.add_position(id, *position));
            }
            if pool == "x" {
                *any.settings(id) = settings.clone();
            }
        }
        let mut sorted = SortedBook::default();
        assert!(sorted.is_empty());
        sorted.push(("a", "main"), balances, positions, None);
        sorted.push(("a", "x"), balances, positions, Some(settings));
        sorted.push(("b", "main"), [], [], None);
        assert_eq!((sorted.len(), sorted.bytes()), (3, 6 * 24 + 6 * size_of::<Position>() + 12 + 99));
        assert_eq!(sorted.build(), any.build());
    }
}
