use crate::liquidation::Quanta;

/// Most steps that an amount may be: rounding to f64 and back is then exact (three roundings, each at most 2⁻⁵³ of it, miss
/// half a step).
const MOST_STEPS: f64 = (1u64 << 50) as f64;
/// Quanta in a unit.
const PER_UNIT: i128 = 100_000_000;

/// The amounts of one asset that move: multiples of a power of ten of quanta, the finest that f64 holds without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    step: i128,
}

impl Grid {
    /// The grid for amounts up to `units` in size; `None` where even whole units are too fine for f64.
    pub fn of(units: f64) -> Option<Self> {
        let mut step = 1;
        while step <= PER_UNIT {
            let grid = Self { step };
            if units.abs() * grid.per_unit() <= MOST_STEPS {
                return Some(grid);
            }
            step *= 10;
        }
        None
    }

    /// Steps in a unit: a power of ten, so exact.
    fn per_unit(self) -> f64 {
        (PER_UNIT / self.step) as f64
    }

    /// One step.
    pub fn step(self) -> Quanta {
        Quanta(self.step)
    }

    /// The nearest amount.
    pub fn nearest(self, units: f64) -> Quanta {
        Quanta((units * self.per_unit()).round() as i128 * self.step)
    }

    /// The nearest amount; what is not 0 stays at least one step, so that it can be told from nothing.
    pub fn contracts(self, quantity: f64) -> Quanta {
        match self.nearest(quantity) {
            Quanta::ZERO if quantity > 0.0 => self.step(),
            Quanta::ZERO if quantity < 0.0 => -self.step(),
            contracts => contracts,
        }
    }

    /// The amount next below: what somebody receives.
    pub fn floor(self, units: f64) -> Quanta {
        Quanta((units * self.per_unit()).floor() as i128 * self.step)
    }

    /// The amount next above: what somebody pays.
    pub fn ceil(self, units: f64) -> Quanta {
        Quanta((units * self.per_unit()).ceil() as i128 * self.step)
    }

    /// Quanta rounded up to an amount.
    pub fn up(self, quanta: Quanta) -> Quanta {
        Quanta(
            quanta.0.div_euclid(self.step) * self.step
                + if quanta.0.rem_euclid(self.step) == 0 { 0 } else { self.step },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_every_size_come_back_from_f64() {
        let mut amount = 0.1234567891234567_f64;
        for _ in 0..52 {
            let grid = Grid::of(amount).expect("a grid");
            let quanta = grid.nearest(amount);
            for steps in [-1, 0, 1, 7] {
                let near = Quanta(quanta.0 + steps * grid.step().0);
                assert_eq!(grid.nearest(near.units()), near, "{amount}");
            }
            amount *= 2.0;
        }
        assert_eq!(Grid::of(1e7).map(Grid::step), Some(Quanta(1)));
        assert_eq!(Grid::of(1e8).map(Grid::step), Some(Quanta(10)));
        assert_eq!(Grid::of(1e16), None);
        assert_eq!(Grid::of(f64::NAN), None);
    }

    #[test]
    fn rounding_up_stays_where_it_is_exact() {
        let grid = Grid { step: 10 };
        assert_eq!([0, 1, 10, 11, -1].map(|quanta| grid.up(Quanta(quanta)).0), [0, 10, 10, 20, 0]);
    }
}
