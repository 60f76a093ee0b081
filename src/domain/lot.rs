use std::collections::HashMap;
use std::sync::Arc;

/// Where the terms of a lot stand in a book, from 1; 0 says nothing of it.
pub type LotIndex = u32;

/// What a balance says of itself beyond its asset and amount. No rule of margin reads it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LotTerms {
    /// Network that holds it.
    pub network: Option<String>,
    /// Id of what holds it on its network; unique in a book, so that no lot is credited twice.
    pub lock: Option<String>,
    /// Units that cannot be withdrawn, ≥ 0.
    pub locked: f64,
}

impl LotTerms {
    /// Locks first, so that they can be searched.
    fn key(&self) -> (Option<&str>, Option<&str>, u64) {
        (self.lock.as_deref(), self.network.as_deref(), self.locked.to_bits())
    }
}

/// The terms of the lots of a book: sorted, unique, none of them unused. Copies share them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lots(Arc<Vec<LotTerms>>);

impl Lots {
    /// The terms at `index`; none at 0.
    pub fn get(&self, index: LotIndex) -> Option<&LotTerms> {
        self.0.get((index as usize).checked_sub(1)?)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &LotTerms> {
        self.0.iter()
    }

    /// Whether a lot has this lock.
    pub fn has_lock(&self, lock: &str) -> bool {
        self.0.binary_search_by(|terms| terms.lock.as_deref().cmp(&Some(lock))).is_ok()
    }
}

/// Terms on their way into a book: those of another one, then those that were added.
#[derive(Debug, Default)]
pub(super) struct LotsBuilder {
    others: Lots,
    added: Vec<LotTerms>,
    /// Terms without a lock repeat from row to row: their places, by network and units locked.
    repeating: HashMap<(Option<String>, u64), LotIndex>,
}

impl LotsBuilder {
    /// Those of a book keep their indices.
    pub(super) fn of(others: &Lots) -> Self {
        Self { others: others.clone(), ..Self::default() }
    }

    /// The index of these terms.
    pub(super) fn add(&mut self, terms: LotTerms) -> LotIndex {
        let next = (self.others.0.len() + self.added.len() + 1) as LotIndex;
        if terms.lock.is_some() {
            self.added.push(terms);
            return next;
        }
        let key = (terms.network, terms.locked.to_bits());
        if let Some(known) = self.repeating.get(&key) {
            return *known;
        }
        self.added.push(LotTerms { network: key.0.clone(), ..terms });
        self.repeating.insert(key, next);
        next
    }

    /// The terms that are in use, in canonical order, and their indices there.
    pub(super) fn settle(mut self, in_use: impl Iterator<Item = LotIndex>) -> (Lots, Places) {
        let mut in_use: Vec<LotIndex> = in_use.filter(|index| *index != 0).collect();
        in_use.sort_unstable();
        in_use.dedup();
        let mut terms: Vec<(LotTerms, LotIndex)> =
            in_use.into_iter().filter_map(|index| Some((self.take(index)?, index))).collect();
        terms.sort_by(|(a, _), (b, _)| a.key().cmp(&b.key()));
        let mut settled: Vec<LotTerms> = Vec::with_capacity(terms.len());
        let mut places = Vec::with_capacity(terms.len());
        for (terms, index) in terms {
            if settled.last() != Some(&terms) {
                settled.push(terms);
            }
            places.push((index, settled.len() as LotIndex));
        }
        places.sort_unstable();
        (Lots(settled.into()), Places(places))
    }

    /// The terms at an index, once.
    fn take(&mut self, index: LotIndex) -> Option<LotTerms> {
        let added = (index as usize).checked_sub(self.others.0.len() + 1);
        match added {
            Some(place) => self.added.get_mut(place).map(std::mem::take),
            None => self.others.get(index).cloned(),
        }
    }
}

/// Old and new indices, sorted by the old ones.
pub(super) struct Places(Vec<(LotIndex, LotIndex)>);

impl Places {
    /// The index in the book; 0 where the terms are not known there.
    pub(super) fn of(&self, index: LotIndex) -> LotIndex {
        self.0.binary_search_by_key(&index, |(old, _)| *old).map_or(0, |place| self.0[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Balance, BookBuilder, Position};

    fn locked(lock: &str) -> LotTerms {
        LotTerms { network: Some("n".into()), lock: Some(lock.into()), locked: 0.0 }
    }

    #[test]
    fn a_lot_takes_no_memory_of_a_balance() {
        assert_eq!((size_of::<Balance>(), size_of::<Position>() % 8), (24, 0));
    }

    #[test]
    fn equal_books_have_equal_terms_in_whatever_order_they_came() {
        let of = |locks: [&str; 3]| {
            let mut builder = BookBuilder::default();
            let pool = builder.pool("a", "main");
            for lock in locks {
                let lot = builder.lot(locked(lock));
                builder.add_balance(pool, Balance { lot, ..Balance::new(0, 1.0) });
            }
            builder.lot(locked("unused"));
            builder.build()
        };
        let book = of(["x", "y", "z"]);
        assert_eq!(book, of(["z", "x", "y"]));
        assert_ne!(book, of(["z", "x", "w"]));
        let locks: Vec<_> =
            book.balances().iter().map(|lot| book.lot(lot.lot).and_then(|lot| lot.lock.as_deref())).collect();
        assert_eq!(locks, [Some("x"), Some("y"), Some("z")]);
        assert!(book.lots().has_lock("y") && !book.lots().has_lock("unused"));
    }

    #[test]
    fn terms_without_a_lock_are_kept_once() {
        let mut builder = BookBuilder::default();
        let on = |network: &str| LotTerms { network: Some(network.into()), ..LotTerms::default() };
        assert_eq!([on("n"), on("m"), on("n")].map(|terms| builder.lot(terms)), [1, 2, 1]);
    }

    #[test]
    fn a_part_of_a_book_keeps_its_terms_and_drops_the_rest() {
        let mut builder = BookBuilder::default();
        for (account, lock) in [("a", "x"), ("b", "y")] {
            let (pool, lot) = (builder.pool(account, "main"), builder.lot(locked(lock)));
            builder.add_balance(pool, Balance { lot, ..Balance::new(0, 1.0) });
        }
        let book = builder.build();
        let second = book.pool(1).balances[0];
        let copied = |mut builder: BookBuilder| {
            let pool = builder.pool("b", "main");
            builder.add_balance(pool, second);
            let copy = builder.build();
            copy.lot(copy.balances()[0].lot).cloned()
        };
        assert_eq!(copied(BookBuilder::with_lots_of(&book)), Some(locked("y")));
        assert_eq!(copied(BookBuilder::default()), None, "another book knows nothing of it");
    }
}
