/// Largest relative error of one WGSL f32 operation: correctly rounded, direction unspecified.
pub const UNIT_ROUNDOFF_F32: f64 = 1.0 / 8_388_608.0;
/// Largest relative error of one f64 operation, round to nearest.
pub const UNIT_ROUNDOFF_F64: f64 = f64::EPSILON / 2.0;

/// Operations above which the linear form of the bound is not used (`NUMERICS.md` §4).
const OPERATIONS_MAX: u32 = 8_192;
/// Size above which an f32 intermediate could overflow.
const SIZE_MAX: f64 = 1.267_650_600_228_229_4e30; // 2^100
/// Slack for second-order terms.
const SECOND_ORDER: f64 = 1.001;

/// How large a value and its intermediates can be over the scenario set, and how many roundings it has seen. The error of
/// evaluating it with unit roundoff u is at most `1.001·m·u·B` (`NUMERICS.md` §3, by induction over the program).
///
/// A compiler may regroup sums that are added to each other, so a summand can pass every addition of both: additions that
/// nothing but sums and factors have enclosed yet are counted apart and add up, where the rest takes the largest.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Magnitude {
    /// B: bound on the sum of absolute values of all summands.
    pub size: f64,
    /// m: roundings on the longest path, in any order of summation.
    pub operations: u32,
    /// Those of them that are additions a surrounding sum may be merged with; 0 behind a maximum or a choice.
    pub additions: u32,
    /// The largest absolute value any intermediate may take: what could overflow f32.
    pub peak: f64,
    /// The same size before any cancellation when coefficients were formed: what f64 compilation may have lost is
    /// relative to this.
    pub uncancelled: f64,
}

impl Magnitude {
    /// A constant, rounded once.
    pub fn constant(value: f64) -> Self {
        let size = value.abs();
        Self { size, operations: 1, additions: 0, peak: size, uncancelled: size }
    }

    /// Coefficient times Δrow: two roundings (the inputs', the product's), since either input is rounded by half a unit.
    pub fn product(coefficient: f64, delta_largest: f64, value_largest: f64) -> Self {
        let (size, uncancelled) = (coefficient.abs() * delta_largest, coefficient.abs() * value_largest);
        Self { size, operations: 2, additions: 0, peak: size, uncancelled }
    }

    /// Adds a summand: sizes add; so do the additions, since any of the summands may pass all of them.
    pub fn plus(self, other: Self) -> Self {
        let size = self.size + other.size;
        let additions = self.additions + other.additions + 1;
        let before = (self.operations - self.additions).max(other.operations - other.additions);
        Self {
            size,
            operations: before + additions,
            additions,
            peak: self.peak.max(other.peak).max(size),
            uncancelled: self.uncancelled + other.uncancelled,
        }
    }

    /// Maximum, minimum, or a choice of two: exact in itself, and no sum is regrouped across it.
    pub fn either(self, other: Self) -> Self {
        Self {
            size: self.size.max(other.size),
            operations: self.operations.max(other.operations),
            additions: 0,
            peak: self.peak.max(other.peak),
            uncancelled: self.uncancelled.max(other.uncancelled),
        }
    }

    /// Largest, smallest or any order statistic of the values at some points: exact, and no further from the real one than
    /// the values are.
    pub fn ordered(self) -> Self {
        self.either(self)
    }

    /// Sum of the `whole` largest values and `fraction` of the next: `whole` additions, one product with a rounded factor.
    pub fn tail(self, whole: u32, fraction: f64) -> Self {
        let share = f64::from(whole) + fraction;
        let size = self.size * share;
        Self {
            size,
            operations: self.operations.saturating_add(whole).saturating_add(2),
            additions: 0,
            peak: self.peak.max(size),
            uncancelled: self.uncancelled * share,
        }
    }

    /// Times a number of at most `factor` in absolute value: one rounding of the product, one of the factor.
    pub fn scaled(self, factor: f64) -> Self {
        let factor = factor.abs();
        let size = self.size * factor;
        Self {
            size,
            operations: self.operations + 2,
            additions: self.additions,
            peak: self.peak.max(size).max(factor),
            uncancelled: self.uncancelled * factor,
        }
    }

    /// Times a row formed as `base + Δ`, of at most `reach` = |base| + |Δ| together. The sum rounds, and a compiler may
    /// multiply it out, which doubles the summands.
    pub fn scaled_by_sum(self, reach: f64) -> Self {
        let scaled = self.scaled(reach);
        let additions = 2 * self.additions + 1;
        Self { operations: scaled.operations - self.additions + additions, additions, ..scaled }
    }
}

/// The arithmetic a kernel evaluates in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    unit_roundoff: f64,
    floor: f64,
}

impl Bound {
    /// WGSL f32: either rounding direction, any order, contraction, flushed subnormals.
    pub const F32: Self = Self { unit_roundoff: UNIT_ROUNDOFF_F32, floor: 7.888_609_052_210_118e-31 }; // 2^-100
    /// IEEE f64, round to nearest, fused or not.
    pub const F64: Self = Self { unit_roundoff: UNIT_ROUNDOFF_F64, floor: 1e-300 };

    /// Certified bound on |computed − exact| for a value of this magnitude; `None` where the derivation does not hold
    /// (too many operations, or sizes that could overflow f32), so that the value must be computed otherwise.
    pub fn error(self, magnitude: Magnitude, compile_error: f64) -> Option<f64> {
        let Magnitude { size, operations, peak, .. } = magnitude;
        let applies = operations <= OPERATIONS_MAX && size < SIZE_MAX && peak < SIZE_MAX;
        applies.then(|| SECOND_ORDER * f64::from(operations) * self.unit_roundoff * size + self.floor + compile_error)
    }
}

/// Bound on what forming coefficients and constants in f64 has lost: `contributions` summands of total uncancelled size,
/// each with at most six roundings of its own (`NUMERICS.md` §5).
pub fn compile_error(contributions: u32, uncancelled: f64) -> f64 {
    SECOND_ORDER * (f64::from(contributions) + 8.0) * UNIT_ROUNDOFF_F64 * uncancelled
}
