//! A curve of straight segments, flat outside its points.

use crate::number::Number;

/// A continuous function: straight between points, flat before the first and after the last.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// x strictly increasing, y at it: at least one point, all finite.
    points: Vec<(f64, f64)>,
}

/// A straight piece of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Where it begins.
    pub from: f64,
    /// Where it ends, above `from`.
    pub to: f64,
    /// Its slope: the nearest f64, an atom of the formula.
    pub slope: f64,
}

impl Curve {
    /// The curve through these points; `None` where there is none, x does not increase strictly, or a slope is beyond
    /// ± 1e30.
    pub fn new(points: Vec<(f64, f64)>) -> Option<Self> {
        let finite = points.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        let increasing = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let curve = Self { points };
        let moderate = |segment: Segment| segment.slope.abs() <= crate::margin::file::LARGEST;
        (!curve.points.is_empty() && finite && increasing && curve.segments().all(moderate)).then_some(curve)
    }

    /// The points: x and y.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The value before the first point.
    pub fn first(&self) -> f64 {
        self.points.first().map_or(0.0, |point| point.1)
    }

    /// The pieces between the points.
    pub fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        self.points.windows(2).map(|pair| {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            Segment { from, to, slope: (high - low) / (to - from) }
        })
    }

    /// Direct formula: `y₁ + Σ_k slope_k · (min(max(x, from_k), to_k) − from_k)`.
    pub fn at<N: Number>(&self, x: &N) -> N {
        self.segments().fold(N::of(self.first()), |sum, segment| {
            let (from, to) = (N::of(segment.from), N::of(segment.to));
            let inside = x.larger(&from).smaller(&to).minus(&from);
            sum.plus(&N::of(segment.slope).times(&inside))
        })
    }
}
