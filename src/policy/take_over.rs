use super::Purse;

/// When a backstop takes a pool over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TakeOver {
    /// Pools below this health ratio are taken over at once, whatever cutting could do, in [0, 1]; 0 = only where cutting
    /// cannot restore the target.
    pub below_health: f64,
    /// The backstop's own capital. It takes a pool over while what is left of it covers the pool's maintenance margin less the
    /// pool's equity, which it then takes up.
    pub capital: Purse,
}

impl Default for TakeOver {
    fn default() -> Self {
        Self { below_health: 0.0, capital: Purse::Quote(0.0) }
    }
}
