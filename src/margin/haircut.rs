//! Haircuts: the share of a collateral's value that does not count, flat or in marginal tiers of its size.

use super::bracket::are_shares;
use crate::number::Number;
use crate::program::{Builder, Weights};

/// Unit in which the tiers of a haircut are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeUnit {
    /// Units of the asset.
    Asset,
    /// Quote units at the (shocked) price.
    Quote,
}

/// Share of a collateral's value that does not count, by size: marginal tiers, never decreasing (concave value).
#[derive(Debug, Clone, PartialEq)]
pub struct HaircutSchedule {
    /// Unit of `bounds`.
    pub unit: SizeUnit,
    /// Lower bounds of the second and later tiers, strictly increasing and > 0: `[n_tiers − 1]`.
    pub bounds: Vec<f64>,
    /// Haircut of each tier, in [0, 1], never decreasing: `[n_tiers]`.
    pub haircuts: Vec<f64>,
    /// Haircut of each tier for the initial requirement, none below that of `haircuts`, never decreasing: `[n_tiers]`. Adjusted
    /// equity keeps `haircuts`; what the initial ones take beyond them is added to the initial requirement. `None` = the same.
    pub initial: Option<Vec<f64>>,
}

/// What a haircut is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HaircutBase {
    /// The positive balance of the asset.
    #[default]
    Balance,
    /// The positive part of balance plus unrealised profit and loss of the positions settled in the asset.
    BalanceAndPnl,
}

impl HaircutSchedule {
    /// One haircut for every size.
    pub fn flat(haircut: f64) -> Self {
        Self { unit: SizeUnit::Asset, bounds: Vec::new(), haircuts: vec![haircut], initial: None }
    }

    /// What the initial requirement takes beyond `haircuts`: haircuts of the same tiers, whose differences may fall.
    fn beyond(&self) -> Option<Self> {
        let initial = self.initial.as_ref()?;
        let haircuts = initial.iter().zip(&self.haircuts).map(|(initial, haircut)| initial - haircut).collect();
        Some(Self { haircuts, initial: None, bounds: self.bounds.clone(), unit: self.unit })
    }

    /// Direct formula: what the initial requirement adds for this value, quote units, ≥ 0; `None` where it adds nothing.
    pub fn added_to_initial<N: Number>(&self, value: &N, price: &N) -> Option<N> {
        Some(value.minus(&self.beyond()?.kept(value, price)))
    }

    /// Whether haircuts lie in [0, 1] and never decrease, and the initial ones are none below the others.
    pub(super) fn is_well_formed(&self) -> bool {
        let is_concave =
            |haircuts: &[f64]| are_shares(haircuts, &self.bounds) && haircuts.windows(2).all(|pair| pair[0] <= pair[1]);
        let is_initial = |initial: &Vec<f64>| {
            is_concave(initial) && initial.iter().zip(&self.haircuts).all(|(initial, haircut)| initial >= haircut)
        };
        is_concave(&self.haircuts) && self.initial.as_ref().is_none_or(is_initial)
    }

    /// Lower bound of tier `j` (0 for the first) and the increase of the haircut there.
    fn kinks(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let bounds = std::iter::once(0.0).chain(self.bounds.iter().copied());
        let before = std::iter::once(0.0).chain(self.haircuts.iter().copied());
        bounds.zip(before.zip(&self.haircuts)).map(|(bound, (before, after))| (bound, after - before))
    }

    /// Direct formula: what of `value` (quote units) counts, `value − Σ_j (h_j − h_{j−1})·max(0, value − b_j·u)` with
    /// h₀ = 0, b₁ = 0 and u the asset's price (tiers in asset units) or 1 (tiers in quote units).
    ///
    /// A negative value counts in full: a haircut never helps a loan.
    pub fn kept<N: Number>(&self, value: &N, price: &N) -> N {
        let before = std::iter::once(0.0).chain(self.haircuts.iter().copied());
        let bounds = std::iter::once(0.0).chain(self.bounds.iter().copied());
        self.haircuts.iter().zip(before).zip(bounds).fold(value.clone(), |kept, ((&after, before), bound)| {
            let start = match self.unit {
                SizeUnit::Asset => N::of(bound).times(price),
                SizeUnit::Quote => N::of(bound),
            };
            let increase = N::of(after).minus(&N::of(before));
            kept.minus(&increase.times(&value.minus(&start).positive_part()))
        })
    }

    /// Lowering of a balance: adds `weights · kept(amount · price row)`. A balance keeps its sign, so only tiers in quote
    /// units can kink.
    pub fn lower_balance(&self, amount: f64, price_row: u32, weights: Weights, builder: &mut Builder<'_>) {
        builder.affine(price_row, amount, weights);
        self.lower_cut(amount, price_row, weights, builder);
        if let Some(beyond) = self.beyond() {
            beyond.lower_cut(amount, price_row, Weights::INITIAL, builder);
        }
    }

    /// What the haircut takes of a balance.
    fn lower_cut(&self, amount: f64, price_row: u32, weights: Weights, builder: &mut Builder<'_>) {
        if amount <= 0.0 {
            return;
        }
        for (bound, increase) in self.kinks() {
            match self.unit {
                SizeUnit::Asset if amount > bound => {
                    // (amount − bound)·row, as two products: the difference would round.
                    builder.affine(price_row, amount, weights.scaled(-increase));
                    builder.affine(price_row, -bound, weights.scaled(-increase));
                }
                SizeUnit::Asset => {}
                SizeUnit::Quote => builder.hinge(price_row, amount, bound, weights.scaled(-increase)),
            }
        }
    }

    /// Lowering of balance plus unrealised profit: adds `weights · kept(Σ coefficient · row)`.
    pub fn lower_sum(&self, terms: &[(u32, f64)], price_row: u32, weights: Weights, builder: &mut Builder<'_>) {
        for &(row, coefficient) in terms {
            builder.affine(row, coefficient, weights);
        }
        self.lower_sum_cut(terms, price_row, weights, builder);
        if let Some(beyond) = self.beyond() {
            beyond.lower_sum_cut(terms, price_row, Weights::INITIAL, builder);
        }
    }

    /// What the haircut takes of a sum.
    fn lower_sum_cut(&self, terms: &[(u32, f64)], price_row: u32, weights: Weights, builder: &mut Builder<'_>) {
        for (bound, increase) in self.kinks().filter(|(_, increase)| *increase != 0.0) {
            match self.unit {
                SizeUnit::Asset => {
                    let terms: Vec<_> = terms.iter().copied().chain([(price_row, -bound)]).collect();
                    builder.hinge_of_sum(&terms, 0.0, weights.scaled(-increase));
                }
                SizeUnit::Quote => builder.hinge_of_sum(terms, bound, weights.scaled(-increase)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published marginal collateral ratios by BTC quantity: 98, 95, 90, 85, 80, 0 % in steps of ten coins.
    fn tiers() -> HaircutSchedule {
        HaircutSchedule {
            unit: SizeUnit::Asset,
            bounds: vec![10.0, 20.0, 30.0, 40.0, 50.0],
            haircuts: vec![0.02, 0.05, 0.1, 0.15, 0.2, 1.0],
            initial: None,
        }
    }

    #[test]
    fn tiers_by_quantity_give_the_published_effective_coins() {
        // 25 BTC: 9.8 + 9.5 + 5·0.9 = 23.8. 60 BTC: 9.8 + 9.5 + 9 + 8.5 + 8 + 0 = 44.8.
        for (quantity, effective) in [(25.0, 23.8), (60.0, 44.8)] {
            assert!((tiers().kept(&quantity, &1.0) - effective).abs() < 1e-12, "{quantity}");
            let price = 50_000.0;
            assert!((tiers().kept(&(quantity * price), &price) - effective * price).abs() < 1e-6);
        }
    }

    #[test]
    fn a_haircut_never_helps_a_negative_balance() {
        assert_eq!(tiers().kept(&-25.0, &1.0), -25.0);
    }
}
