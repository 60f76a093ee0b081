/// One haircut for several losses that happen one after another: 1 − Π(1 − h), each h in [0, 1]; a single one is kept as it is.
pub fn combined(parts: &[f64]) -> f64 {
    parts.iter().fold(0.0, |lost: f64, part| lost + part * (1.0 - lost)).clamp(0.0, 1.0)
}

/// The haircut under which all deposits of an asset together count for no more than they would up to `cap`:
/// 1 − (1 − h)·min(1, cap / deposits), quote units.
pub fn under_total_cap(haircut: f64, cap: f64, deposits: f64) -> f64 {
    if deposits <= cap { haircut } else { (1.0 - (1.0 - haircut) * (cap / deposits)).clamp(0.0, 1.0) }
}
