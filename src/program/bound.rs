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
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Magnitude {
    /// B: bound on the sum of absolute values of all summands.
    pub size: f64,
    /// m: roundings on the longest path.
    pub operations: u32,
    /// The same size before any cancellation when coefficients were formed: what f64 compilation may have lost is
    /// relative to this.
    pub uncancelled: f64,
}

impl Magnitude {
    /// A constant, rounded once.
    pub fn constant(value: f64) -> Self {
        Self { size: value.abs(), operations: 1, uncancelled: value.abs() }
    }

    /// Coefficient times Δrow: two roundings (the inputs', the product's), since either input is rounded by half a unit.
    pub fn product(coefficient: f64, delta_largest: f64, value_largest: f64) -> Self {
        let (size, uncancelled) = (coefficient.abs() * delta_largest, coefficient.abs() * value_largest);
        Self { size, operations: 2, uncancelled }
    }

    /// Adds a summand: sizes add; the operation count is the largest plus the additions.
    pub fn plus(self, other: Self) -> Self {
        Self {
            size: self.size + other.size,
            operations: self.operations.max(other.operations) + 1,
            uncancelled: self.uncancelled + other.uncancelled,
        }
    }

    /// Maximum, minimum, or a choice of two: exact in itself.
    pub fn either(self, other: Self) -> Self {
        Self {
            size: self.size.max(other.size),
            operations: self.operations.max(other.operations),
            uncancelled: self.uncancelled.max(other.uncancelled),
        }
    }

    /// Times a number of at most `factor` in absolute value: one rounding of the product, one of the factor.
    pub fn scaled(self, factor: f64) -> Self {
        let factor = factor.abs();
        Self { size: self.size * factor, operations: self.operations + 2, uncancelled: self.uncancelled * factor }
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
        let Magnitude { size, operations, .. } = magnitude;
        let applies = operations <= OPERATIONS_MAX && size < SIZE_MAX;
        applies.then(|| SECOND_ORDER * f64::from(operations) * self.unit_roundoff * size + self.floor + compile_error)
    }
}

/// Bound on what forming coefficients and constants in f64 has lost: `contributions` summands of total uncancelled size,
/// each with at most six roundings of its own (`NUMERICS.md` §5).
pub fn compile_error(contributions: u32, uncancelled: f64) -> f64 {
    SECOND_ORDER * (f64::from(contributions) + 8.0) * UNIT_ROUNDOFF_F64 * uncancelled
}
