use super::cost::CostRates;
use crate::domain::{InstrumentIndex, Kind, Pool, Snapshot, Underlying};
use crate::error::{Error, Fault, Result};
use crate::margin::MarginSide;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Multiple of the requirement that adjusted equity must reach; > 0.
    pub target: f64,
    /// The requirement meant. The initial one is never below the maintenance one.
    pub on: MarginSide,
    /// The market whose prices trades are made at.
    pub trade_at: TradeAt,
    /// Whether positions may be cut.
    pub cuts: Cuts,
    /// Instruments to hedge with; `None` = the perpetuals on what the pool's positions refer to.
    pub hedges: Option<Vec<InstrumentIndex>>,
    /// Cost of trading.
    pub costs: CostRates,
    /// Most that a hedge may be; `None` = the gross notional of the pool, in each instrument.
    pub participation: Option<Participation>,
}

/// The market whose prices trades are made at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeAt {
    /// The market in which the target is to be met: what to do once it has come.
    Evaluated,
    /// The unshocked market: what to do beforehand.
    Base,
}

/// Whether positions may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cuts {
    /// Any position may shrink, at most to zero.
    Allowed,
    /// Positions stay or grow.
    Refused,
}

/// What a plan may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Move positions towards zero.
    Cuts,
    /// Add to hedge instruments, or make positions in them larger.
    Hedges,
    /// Each of these.
    Both,
}

impl Choice {
    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cuts => "cuts",
            Self::Hedges => "hedges",
            Self::Both => "both",
        }
    }

    pub(super) fn cuts(self) -> bool {
        self != Self::Hedges
    }

    pub(super) fn hedges(self) -> bool {
        self != Self::Cuts
    }
}

/// A column of the underlyings table that says how much trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liquidity {
    /// Average daily volume.
    Volume,
    /// Depth within 1 % of the mid price.
    Depth,
}

/// The most that a hedge may be, as a share of what trades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Participation {
    /// Share; > 0.
    pub share: f64,
    /// Of what.
    pub of: Liquidity,
}

impl Liquidity {
    fn column(self) -> &'static str {
        match self {
            Self::Volume => "adv",
            Self::Depth => "depth",
        }
    }

    fn of(self, underlying: &Underlying) -> Option<f64> {
        match self {
            Self::Volume => underlying.adv_quote,
            Self::Depth => underlying.depth_quote,
        }
    }
}

impl Ask {
    /// The plans to make, in the order of output.
    pub(super) fn choices(&self) -> &'static [Choice] {
        match self.cuts {
            Cuts::Allowed => &[Choice::Cuts, Choice::Hedges, Choice::Both],
            Cuts::Refused => &[Choice::Hedges],
        }
    }

    /// Instruments to hedge a pool with, ascending, each once.
    pub(super) fn hedges_of(&self, pool: &Pool<'_>, snapshot: &Snapshot) -> Vec<InstrumentIndex> {
        let mut hedges = self.hedges.clone().unwrap_or_else(|| {
            let underlying = |index: InstrumentIndex| snapshot.instruments[index as usize].underlying;
            let held: Vec<u32> = pool.positions.iter().map(|position| underlying(position.instrument)).collect();
            let all = (0u32..).zip(&snapshot.instruments);
            let fits = all.filter(|(_, i)| i.kind == Kind::Perpetual && held.contains(&i.underlying));
            fits.map(|(index, _)| index).collect()
        });
        hedges.sort_unstable();
        hedges.dedup();
        hedges
    }

    /// The most of an underlying that a hedge may be, quote units of notional.
    pub(super) fn cap(&self, underlying: &Underlying, gross_notional: f64) -> f64 {
        match self.participation {
            None => gross_notional,
            // Checked: every underlying hedged with says how much trades.
            Some(participation) => participation.share * participation.of.of(underlying).unwrap_or_default(),
        }
    }

    /// Every number in its range.
    ///
    /// # Errors
    /// [`Error::Configuration`] with every one that is not.
    pub(super) fn check(&self) -> Result<()> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let mut faults = Vec::new();
        if !positive(self.target) {
            faults.push(fault(
                "target",
                self.target,
                "the multiple of the requirement is > 0",
                "1.1 leaves a tenth over",
            ));
        }
        let kinds = [Kind::Spot, Kind::Perpetual, Kind::Future, Kind::Option];
        for rate in kinds.map(|kind| self.costs.of(kind)) {
            if !(rate.is_finite() && rate >= 0.0) {
                faults.push(fault("cost", rate, "a cost is a share of notional, ≥ 0", "0.0006 is 6 basis points"));
            }
        }
        faults.dedup();
        if let Some(Participation { share, .. }) = self.participation.filter(|of| !positive(of.share)) {
            let rule = "a share of what trades is > 0";
            faults.push(fault("participation", share, rule, "0.1 is a tenth of the daily volume"));
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Configuration(faults)) }
    }

    /// Every underlying hedged with says how much trades, where that caps the hedge.
    ///
    /// # Errors
    /// [`Error::Refused`] with every one that does not.
    pub(super) fn check_liquidity(&self, hedges: &[InstrumentIndex], snapshot: &Snapshot) -> Result<()> {
        let Some(Participation { of, .. }) = self.participation else { return Ok(()) };
        let mut faults = Vec::new();
        for &hedge in hedges {
            let instrument = &snapshot.instruments[hedge as usize];
            let underlying = &snapshot.underlyings[instrument.underlying as usize];
            if of.of(underlying).is_none() {
                let (name, column) = (&underlying.name, of.column());
                let rule = format!("{name} has {column}, which caps a hedge in {}", instrument.name);
                let remedy = "give it, hedge with other instruments, or leave the cap out";
                faults.push(Fault { column: column.into(), ..Fault::of_table("underlyings", rule, remedy) });
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Refused(faults)) }
    }
}

/// A fault of one option of the call.
fn fault(column: &str, value: f64, rule: &str, remedy: &str) -> Fault {
    Fault { column: column.into(), value: value.to_string(), ..Fault::of_table("hedge", rule, remedy) }
}
