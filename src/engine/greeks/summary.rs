use super::ladder::Ladder;
use super::sheet::{GreekSheet, PoolGreeks};
use crate::domain::{Kind, UnderlyingIndex};
use crate::pricing::Greeks;

/// Most ladders of a summary.
const MOST_LADDERS: usize = 3;

/// Greeks of the exchange on one underlying in the unshocked market, quote units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct UnderlyingTotal {
    /// The underlying.
    pub underlying: UnderlyingIndex,
    /// Known pools with positions on it.
    pub pools: u64,
    /// Σ over pools.
    pub net: Greeks,
    /// Σ over pools of the pool's absolute Greek: long side plus short side.
    pub gross: Greeks,
}

/// Adds up absolute Greeks of pools, rows in the order of the table.
#[derive(Debug, Clone, Default)]
pub struct GrossGreeks {
    /// Pools and Σ |Greeks| of each underlying, by index.
    sums: Vec<(u64, Greeks)>,
}

impl GrossGreeks {
    /// Adds the unshocked Greeks of these rows.
    pub fn add(&mut self, rows: &[PoolGreeks]) {
        for row in rows {
            let index = row.underlying as usize;
            if self.sums.len() <= index {
                self.sums.resize(index + 1, (0, Greeks::default()));
            }
            let (pools, gross) = &mut self.sums[index];
            *pools += 1;
            gross.add_scaled(1.0, Greeks::from_array(row.base.to_array().map(f64::abs)));
        }
    }
}

/// What is said of the exchange's Greeks as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GreekSummary {
    /// Every underlying with positions, largest gross delta in cash (|delta| · index price) first.
    pub underlyings: Vec<UnderlyingTotal>,
    /// Ladders of the underlyings with option positions, largest gross vega first; at most three.
    pub ladders: Vec<Ladder>,
}

impl GreekSummary {
    /// Summarises a sheet; `gross` holds all its pools.
    pub fn new(sheet: &GreekSheet<'_>, gross: &GrossGreeks) -> Self {
        let snapshot = sheet.snapshot;
        let total = |(underlying, instruments): &(UnderlyingIndex, Vec<_>)| {
            let (pools, gross) = gross.sums.get(*underlying as usize).copied().unwrap_or_default();
            let net = sheet.net(instruments, |instrument| sheet.base[instrument as usize]);
            UnderlyingTotal { underlying: *underlying, pools, net, gross }
        };
        let mut underlyings: Vec<UnderlyingTotal> = sheet.held.iter().map(total).collect();
        let cash =
            |total: &UnderlyingTotal| total.gross.delta * snapshot.underlyings[total.underlying as usize].index_price;
        underlyings.sort_by(|a, b| cash(b).total_cmp(&cash(a)).then(a.underlying.cmp(&b.underlying)));

        let is_option = |instrument: &u32| snapshot.instruments[*instrument as usize].kind == Kind::Option;
        let vega =
            |underlying: UnderlyingIndex| gross.sums.get(underlying as usize).map_or(0.0, |(_, greeks)| greeks.vega);
        let mut with_options: Vec<_> =
            sheet.held.iter().filter(|(_, instruments)| instruments.iter().any(is_option)).collect();
        with_options.sort_by(|a, b| vega(b.0).total_cmp(&vega(a.0)).then(a.0.cmp(&b.0)));
        let ladders = with_options.into_iter().take(MOST_LADDERS);
        let ladders = ladders.map(|(underlying, instruments)| Ladder::new(sheet, *underlying, instruments)).collect();
        Self { underlyings, ladders }
    }
}
