//! What the exchange sees of a price: some of its move, times a divergence.

use crate::scenario::FactorKind;

/// Columns of `lag:` and `oracle:` that a price is seen through: seen = move^r · Π (1 + divergence), r = Π (1 − lag).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sight {
    lags: Vec<usize>,
    divergences: Vec<usize>,
}

impl Sight {
    /// The columns that there are of each kind.
    pub(super) fn of(columns: impl Fn(FactorKind) -> [Option<usize>; 2]) -> Self {
        let all = |kind: FactorKind| columns(kind).into_iter().flatten().collect();
        Self { lags: all(FactorKind::Lag), divergences: all(FactorKind::Oracle) }
    }

    /// Whether prices are seen as they are.
    pub(super) fn is_clear(&self) -> bool {
        self.lags.is_empty() && self.divergences.is_empty()
    }

    /// The columns it reads.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.lags.iter().chain(&self.divergences).copied()
    }

    /// A move (1 + its relative size) as it is seen; `shock` answers the shock of a column. A frozen price has not moved, even
    /// where nothing is left of it.
    #[inline(always)]
    pub(super) fn seen(&self, moved: f64, shock: impl Fn(usize) -> f64) -> f64 {
        if self.is_clear() {
            return moved;
        }
        let reported = self.lags.iter().fold(1.0, |share, &lag| share * (1.0 - shock(lag)));
        let followed = if reported == 1.0 { moved } else { libm::pow(moved, reported) };
        self.divergences.iter().fold(followed, |seen, &divergence| seen * (1.0 + shock(divergence)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight() -> Sight {
        Sight { lags: vec![0], divergences: vec![1] }
    }

    #[test]
    fn half_of_a_move_is_its_root() {
        let shocks = [0.5, 0.1];
        assert!((sight().seen(0.64, |column| shocks[column]) - 0.8 * 1.1).abs() < 1e-15);
    }

    #[test]
    fn a_frozen_price_stands_even_where_nothing_is_left() {
        let shocks = [1.0, 0.0];
        assert_eq!(sight().seen(0.0, |column| shocks[column]), 1.0);
        let shocks = [0.0, 0.0];
        assert_eq!(sight().seen(0.0, |column| shocks[column]), 0.0);
    }

    #[test]
    fn without_columns_every_bit_stays() {
        let clear = Sight::default();
        assert!(clear.is_clear());
        assert_eq!(clear.seen(0.1 + 0.2, |_| unreachable!()), 0.1 + 0.2);
    }
}
