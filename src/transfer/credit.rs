use super::plan::Route;
use crate::liquidation::Quanta;

/// Parts of one.
const WHOLE: i128 = 1_000_000_000;

/// A share of amounts in whole parts per billion, so that parts of quanta add up exactly. Amounts on a grid stay below 1.2e23
/// quanta, their products below 1.2e32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share(i128);

impl Share {
    fn of(share: f64) -> Self {
        Self(((share * WHOLE as f64).round() as i128).clamp(0, WHOLE))
    }

    /// Rounded down; of an amount that is not positive nothing.
    fn floor(self, amount: Quanta) -> Quanta {
        Quanta(amount.0.max(0) * self.0 / WHOLE)
    }

    /// Rounded up; of an amount that is not positive nothing.
    fn ceil(self, amount: Quanta) -> Quanta {
        Quanta((amount.0.max(0) * self.0 + WHOLE - 1) / WHOLE)
    }
}

/// What counts of a lot on its way. Both parts together never exceed the lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    fee: Share,
    haircut: Share,
    credit: Share,
}

impl Credit {
    /// That of a route.
    pub fn of(route: &Route) -> Self {
        Self {
            fee: Share::of(route.fee),
            haircut: Share::of(route.transit_haircut),
            credit: Share::of(route.transit_credit.min(route.transit_haircut)),
        }
    }

    /// What the route takes of a lot.
    pub fn fee(self, lot: Quanta) -> Quanta {
        self.fee.ceil(lot)
    }

    /// What the source counts of a lot that it has locked; a loan counts in full.
    pub fn locked(self, lot: Quanta) -> Quanta {
        lot - self.haircut.ceil(lot)
    }

    /// What the destination counts of what is to arrive, before it has; of a loan nothing.
    pub fn accepted(self, arriving: Quanta) -> Quanta {
        self.credit.floor(arriving)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_never_exceed_the_lot(
            lot in 0i128..1_000_000_000_000_000_000_000,
            haircut in 0.0..=1.0f64,
            part in 0.0..=1.0f64,
            fee in 0.0..=1.0f64,
        ) {
            let route = Route { fee, transit_haircut: haircut, transit_credit: haircut * part, ..Route::default() };
            let (credit, lot) = (Credit::of(&route), Quanta(lot));
            let arriving = lot - credit.fee(lot);
            prop_assert!(arriving >= Quanta::ZERO);
            prop_assert!(credit.locked(lot) >= Quanta::ZERO && credit.accepted(arriving) >= Quanta::ZERO);
            prop_assert!(credit.locked(lot) + credit.accepted(arriving) <= lot);
        }
    }

    #[test]
    fn a_loan_counts_in_full_where_it_is() {
        let route = Route { fee: 0.5, transit_haircut: 0.5, transit_credit: 0.5, ..Route::default() };
        let credit = Credit::of(&route);
        assert_eq!(
            [credit.locked(Quanta(-7)), credit.accepted(Quanta(-7)), credit.fee(Quanta(-7))],
            [-7, 0, 0].map(Quanta)
        );
    }
}
