use crate::error::{Error, Fault, Result};
use crate::hedge::CostRates;
use crate::margin::MarginSide;
use crate::margin::file::LARGEST_AMOUNT;

/// What is to move, how, and what must hold all the while.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What moves.
    pub cargo: Cargo,
    /// What both sides keep in every state.
    pub target: Target,
    /// How it moves.
    pub route: Route,
    /// Number of the lock, which the source never uses twice.
    pub nonce: u64,
}

/// What moves.
#[derive(Debug, Clone, PartialEq)]
pub enum Cargo {
    /// Amounts of some assets, each asset at most once; at most one of them as large as the target allows.
    Lots(Vec<LotRequest>),
    /// Every balance and every position of the pool.
    Whole(Positions),
}

/// An amount of one asset.
#[derive(Debug, Clone, PartialEq)]
pub struct LotRequest {
    /// Its name, the same at both sides.
    pub asset: String,
    /// How much leaves the source.
    pub amount: LotAmount,
    /// Units of the asset that the route takes from the lot beside its share; ≥ 0.
    pub flat_fee: f64,
}

/// How much of an asset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LotAmount {
    /// Units; > 0.
    Units(f64),
    /// The balance.
    All,
    /// The most that keeps every target.
    Largest,
}

/// How positions get to another venue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Positions {
    /// As they are, entry price and funding included: the destination takes the source's place, and both keep matched books.
    Novation,
    /// Closed at the source and opened at the destination at the source's mark, in one act.
    Reopen(Reopening),
}

/// What closing and opening cost, as shares of notional.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reopening {
    /// At the source.
    pub source: CostRates,
    /// At the destination.
    pub destination: CostRates,
}

/// What both sides keep: adjusted equity ≥ target · requirement, in the unshocked market and under every scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Multiple that the source keeps; > 0.
    pub source: f64,
    /// Multiple that the destination keeps; > 0.
    pub destination: f64,
    /// The requirement meant. The initial one is never below the maintenance one.
    pub on: MarginSide,
    /// What a side that misses its target before anything has moved means.
    pub standing: Standing,
}

/// What a side means that misses its target with what it counts anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// It stops the plan.
    #[default]
    Check,
    /// It is reported: collateral may be sent to a pool that lacks it. States that change what a side counts still stop the plan,
    /// at the destination once it has booked.
    Report,
}

impl Standing {
    /// Its words in plans.
    pub const WORDS: [(&'static str, Self); 2] = [("check", Self::Check), ("report", Self::Report)];
}

/// What to do where the destination has no such pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Absent {
    /// Nothing: the plan is refused.
    #[default]
    Refuse,
    /// An empty pool with default settings.
    Create,
}

impl Absent {
    /// Its words in plans.
    pub const WORDS: [(&'static str, Self); 2] = [("refuse", Self::Refuse), ("create", Self::Create)];
}

/// The way between the sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Route {
    /// Share of every lot that the route takes, in [0, 1).
    pub fee: f64,
    /// Share of a locked lot that the source no longer counts, in [0, 1]: 0 where it stays in the source's reach, 1 where it has
    /// left it.
    pub transit_haircut: f64,
    /// Share of an accepted lot that the destination counts before it has arrived, in [0, 1]; at most the haircut, so that
    /// nothing counts twice.
    pub transit_credit: f64,
    /// Hours that one message takes; ≥ 0.
    pub latency_hours: f64,
    /// Hours after which a transfer without a decision is aborted; > 0.
    pub timeout_hours: f64,
}

impl Default for Route {
    fn default() -> Self {
        Self { fee: 0.0, transit_haircut: 0.0, transit_credit: 0.0, latency_hours: 0.0, timeout_hours: 24.0 }
    }
}

impl Plan {
    /// Everything about a plan that can be wrong without a look at a venue.
    ///
    /// # Errors
    /// [`Error::Configuration`] with every fault.
    pub fn check(&self) -> Result<()> {
        let faults = self.faults();
        if faults.is_empty() { Ok(()) } else { Err(Error::Configuration(faults)) }
    }

    /// The faults that [`Plan::check`] answers.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.faults_of_numbers();
        let Cargo::Lots(lots) = &self.cargo else {
            if self.route.transit_haircut > 0.0 {
                let rule = "a whole account changes hands in one act: nothing of it is in transit";
                let haircut = self.route.transit_haircut.to_string();
                faults.push(fault("route.transit_haircut", &haircut, rule, "leave it out"));
            }
            return faults;
        };
        if lots.is_empty() {
            faults.push(fault("lots", "[]", "a plan moves at least one lot", "add [[lots]], or whole = true"));
        }
        for (at, lot) in lots.iter().enumerate() {
            if let LotAmount::Units(units) = lot.amount
                && !(units > 0.0 && units <= LARGEST_AMOUNT)
            {
                let (key, rule) = (format!("lots[{at}].amount"), "an amount is > 0 and at most 1e20");
                faults.push(fault(&key, &units.to_string(), rule, "correct it"));
            }
            if !(0.0..=LARGEST_AMOUNT).contains(&lot.flat_fee) {
                let (key, rule) = (format!("lots[{at}].flat_fee"), "a fee is ≥ 0 and at most 1e20");
                faults.push(fault(&key, &lot.flat_fee.to_string(), rule, "correct it"));
            }
            if lots[..at].iter().any(|other| other.asset == lot.asset) {
                let (key, rule) = (format!("lots[{at}].asset"), "an asset stands in one lot");
                faults.push(fault(&key, &lot.asset, rule, "add the amounts up"));
            }
            let largest = |lot: &LotRequest| lot.amount == LotAmount::Largest;
            if largest(lot) && lots[..at].iter().any(largest) {
                let (key, rule) = (format!("lots[{at}].amount"), "one lot at most is the largest possible");
                faults.push(fault(&key, "largest", rule, "give the amount of the others"));
            }
        }
        faults
    }

    fn faults_of_numbers(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut check = |key: &str, value: f64, holds: bool, rule: &str, remedy: &str| {
            if !(holds && value.is_finite()) {
                faults.push(fault(key, &value.to_string(), rule, remedy));
            }
        };
        if let Cargo::Whole(Positions::Reopen(costs)) = &self.cargo {
            for (side, rates) in [("source", costs.source), ("destination", costs.destination)] {
                for rate in [rates.spot, rates.perpetual, rates.future, rates.option] {
                    let key = format!("reopen.{side}");
                    check(
                        &key,
                        rate,
                        (0.0..=1.0).contains(&rate),
                        "a cost is a share of notional",
                        "0.0006 is 6 basis points",
                    );
                }
            }
        }
        for (key, target) in [("target.source", self.target.source), ("target.destination", self.target.destination)] {
            check(key, target, target > 0.0, "a multiple of the requirement is > 0", "1.1 leaves a tenth over");
        }
        let route = &self.route;
        let shares = [("route.transit_haircut", route.transit_haircut), ("route.transit_credit", route.transit_credit)];
        for (key, share) in shares {
            check(key, share, (0.0..=1.0).contains(&share), "a share lies between 0 and 1", "0.05 is 5 %");
        }
        let rule = "a fee is a share below 1, so that something arrives";
        check("route.fee", route.fee, (0.0..1.0).contains(&route.fee), rule, "0.05 is 5 %");
        let (credit, haircut) = (route.transit_credit, route.transit_haircut);
        let rule =
            "what the destination counts in transit is at most what the source no longer counts, or it counts twice";
        check("route.transit_credit", credit, credit <= haircut, rule, "lower it, or raise transit_haircut");
        let latency = route.latency_hours;
        check("route.latency_hours", latency, latency >= 0.0, "hours are ≥ 0", "correct it");
        let rule = "an offer and its answer arrive in time: the timeout is > 0 and at least twice the latency";
        let timeout = route.timeout_hours;
        check("route.timeout_hours", timeout, timeout > 0.0 && timeout >= 2.0 * latency, rule, "raise it");
        faults
    }
}

/// A fault of one key of a plan.
pub(super) fn fault(key: &str, value: &str, rule: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault { column: key.into(), value: value.into(), ..Fault::of_table("plan", rule, remedy) }
}
