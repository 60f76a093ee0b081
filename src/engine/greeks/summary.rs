use super::ladder::{Ladder, LadderSums};
use super::sheet::{GreekSheet, PoolGreeks};
use crate::domain::{InstrumentIndex, Kind, UnderlyingIndex};
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
        Self::with(sheet, gross, |underlying, instruments| {
            let mut sums = LadderSums::new(sheet, underlying, instruments);
            sums.add(&sheet.snapshot.book);
            Some(sums.ladder(sheet))
        })
    }

    /// Summarises a sheet whose pools came piece by piece, with the ladders ([`GreekSummary::ladders_of`]) that they were added
    /// to.
    pub fn of_parts(sheet: &GreekSheet<'_>, gross: &GrossGreeks, ladders: &[LadderSums]) -> Self {
        Self::with(sheet, gross, |underlying, _| {
            ladders.iter().find(|sums| sums.underlying == underlying).map(|sums| sums.ladder(sheet))
        })
    }

    /// Empty ladders of every underlying that a summary may have one of: which of them it has, only all pools tell.
    pub fn ladders_of(sheet: &GreekSheet<'_>) -> Vec<LadderSums> {
        let new = |(underlying, instruments): &(UnderlyingIndex, Vec<_>)| {
            let is_any = instruments.iter().any(|&instrument| is_option(sheet, instrument));
            is_any.then(|| LadderSums::new(sheet, *underlying, instruments))
        };
        sheet.held.iter().filter_map(new).collect()
    }

    fn with(
        sheet: &GreekSheet<'_>,
        gross: &GrossGreeks,
        ladder: impl Fn(UnderlyingIndex, &[InstrumentIndex]) -> Option<Ladder>,
    ) -> Self {
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

        let vega =
            |underlying: UnderlyingIndex| gross.sums.get(underlying as usize).map_or(0.0, |(_, greeks)| greeks.vega);
        let mut with_options: Vec<_> =
            sheet.held.iter().filter(|(_, instruments)| instruments.iter().any(|&i| is_option(sheet, i))).collect();
        with_options.sort_by(|a, b| vega(b.0).total_cmp(&vega(a.0)).then(a.0.cmp(&b.0)));
        let ladders = with_options.into_iter().take(MOST_LADDERS);
        let ladders = ladders.filter_map(|(underlying, instruments)| ladder(*underlying, instruments)).collect();
        Self { underlyings, ladders }
    }
}

fn is_option(sheet: &GreekSheet<'_>, instrument: InstrumentIndex) -> bool {
    sheet.snapshot.instruments[instrument as usize].kind == Kind::Option
}
