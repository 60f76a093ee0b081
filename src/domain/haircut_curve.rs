/// How far the assets of a haircut class fell within a time, as measured: no law of motion is assumed.
#[derive(Debug, Clone, PartialEq)]
pub struct HaircutCurve {
    /// Haircut class of settled assets.
    pub class: String,
    /// Horizons in seconds, > 0, strictly increasing, with the fall that was hardly ever exceeded within each, in [0, 1], never
    /// decreasing; at least one.
    pub points: Vec<(f64, f64)>,
}
