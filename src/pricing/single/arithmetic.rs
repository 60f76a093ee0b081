/// The operations of `shaders/revalue.wgsl`, so that its formula can be written once ([`super::formula`]) and evaluated in
/// any arithmetic: f32, f32 rounded by an adversary, f64 with the error that WGSL allows.
pub trait Arithmetic: Copy {
    /// A number that is exact: a constant of the shader.
    fn of(value: f32) -> Self;
    /// a + b.
    fn plus(self, other: Self) -> Self;
    /// a − b.
    fn minus(self, other: Self) -> Self;
    /// a · b.
    fn times(self, other: Self) -> Self;
    /// a · `sign`, which is ±1: exact.
    fn signed(self, sign: Self) -> Self;
    /// 1 / a, for a > 0.
    fn reciprocal(self) -> Self;
    /// eᵃ, for a ≤ 0.
    fn exponential(self) -> Self;
    /// |a|.
    fn absolute(self) -> Self;
    /// The larger of two.
    fn or_more(self, other: Self) -> Self;
    /// The smaller of two.
    fn or_less(self, other: Self) -> Self;
    /// `then` where a > `limit`, else `otherwise`.
    fn above(self, limit: f32, then: Self, otherwise: Self) -> Self;

    /// a, which stands for a number that it misses by this part of itself: only a bound takes note.
    fn approximated(self, relative: f64) -> Self {
        let _ = relative;
        self
    }

    /// a, kept within ±`limit`.
    fn within(self, limit: f32) -> Self {
        self.or_more(Self::of(-limit)).or_less(Self::of(limit))
    }
}

impl Arithmetic for f32 {
    fn of(value: f32) -> Self {
        value
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn times(self, other: Self) -> Self {
        self * other
    }

    fn signed(self, sign: Self) -> Self {
        self * sign
    }

    fn reciprocal(self) -> Self {
        1.0 / self
    }

    fn exponential(self) -> Self {
        self.exp()
    }

    fn absolute(self) -> Self {
        self.abs()
    }

    fn or_more(self, other: Self) -> Self {
        self.max(other)
    }

    fn or_less(self, other: Self) -> Self {
        self.min(other)
    }

    fn above(self, limit: f32, then: Self, otherwise: Self) -> Self {
        if self > limit { then } else { otherwise }
    }
}
