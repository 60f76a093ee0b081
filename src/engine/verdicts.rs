use super::arbiter::Decision;

/// Decisions about one pool under a block of scenarios: one bit per scenario, lowest bit first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdicts {
    /// Adjusted equity < initial margin.
    pub restricted: u32,
    /// Adjusted equity < maintenance margin.
    pub liquidatable: u32,
    /// Raw equity < 0.
    pub bankrupt: u32,
}

impl Verdicts {
    /// Sets the decision of one scenario.
    pub fn set(&mut self, lane: usize, decision: Decision) {
        let bit = 1 << lane;
        for (mask, holds) in [
            (&mut self.restricted, decision.restricted),
            (&mut self.liquidatable, decision.liquidatable),
            (&mut self.bankrupt, decision.bankrupt),
        ] {
            *mask = if holds { *mask | bit } else { *mask & !bit };
        }
    }

    /// The decision of one scenario.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "the device engine settles with it"))]
    pub fn at(&self, lane: usize) -> Decision {
        let holds = |mask: u32| mask >> lane & 1 == 1;
        Decision {
            restricted: holds(self.restricted),
            liquidatable: holds(self.liquidatable),
            bankrupt: holds(self.bankrupt),
        }
    }
}

/// A mask of the first `len` lanes.
pub fn low_bits(len: usize) -> u32 {
    if len >= 32 { u32::MAX } else { (1 << len) - 1 }
}

/// The lanes of a mask, ascending.
pub fn lanes(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = mask.trailing_zeros() as usize;
        (mask != 0).then(|| {
            mask &= mask - 1;
            lane
        })
    })
}
