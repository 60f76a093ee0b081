//! What the exchange sees of a price: some of its move, times a divergence.

use crate::scenario::FactorKind;

/// Columns of `lag:` and `oracle:` that a price is seen through: seen = move^(1 − lag) · (1 + divergence).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sight {
    lag: Option<usize>,
    divergence: Option<usize>,
}

impl Sight {
    /// The column of each kind, where there is one.
    pub(super) fn of(column: impl Fn(FactorKind) -> Option<usize>) -> Self {
        Self { lag: column(FactorKind::Lag), divergence: column(FactorKind::Oracle) }
    }

    /// Whether prices are seen as they are.
    pub(super) fn is_clear(&self) -> bool {
        self.lag.is_none() && self.divergence.is_none()
    }

    /// The columns it reads.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + use<> {
        self.lag.into_iter().chain(self.divergence)
    }

    /// A move (1 + its relative size) as it is seen; `shock` answers the shock of a column. A frozen price has not moved, even
    /// where nothing is left of it.
    #[inline(always)]
    pub(super) fn seen(&self, moved: f64, shock: impl Fn(usize) -> f64) -> f64 {
        let reported = self.lag.map_or(1.0, |lag| 1.0 - shock(lag));
        let followed = if reported == 1.0 { moved } else { libm::pow(moved, reported) };
        self.divergence.map_or(followed, |divergence| followed * (1.0 + shock(divergence)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGHT: Sight = Sight { lag: Some(0), divergence: Some(1) };

    #[test]
    fn half_of_a_move_is_its_root() {
        let shocks = [0.5, 0.1];
        assert!((SIGHT.seen(0.64, |column| shocks[column]) - 0.8 * 1.1).abs() < 1e-15);
    }

    #[test]
    fn a_frozen_price_stands_even_where_nothing_is_left() {
        let shocks = [1.0, 0.0];
        assert_eq!(SIGHT.seen(0.0, |column| shocks[column]), 1.0);
        let shocks = [0.0, 0.0];
        assert_eq!(SIGHT.seen(0.0, |column| shocks[column]), 0.0);
    }

    #[test]
    fn without_columns_every_bit_stays() {
        let clear = Sight::default();
        assert!(clear.is_clear());
        assert_eq!(clear.seen(0.1 + 0.2, |_| unreachable!()), 0.1 + 0.2);
    }
}
