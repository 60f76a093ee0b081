use super::credit::Credit;
use super::plan::Route;
use super::protocol::{Giver, Lock, Parcel, Taken, Taker, Unwinding, Verdict};
use crate::error::{Error, Result};
use crate::liquidation::Quanta;

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing has happened.
    Idle,
    /// The source has locked the lot.
    Locked,
    /// It has told the destination.
    Offered,
    /// The destination has recomputed its pool with the lot and will book it.
    Accepted,
    /// The source has paid out, the destination has not booked yet: between two venues only.
    Released,
    /// The destination has booked.
    Committed,
    /// The source has kept the lot after all.
    Aborted,
}

impl State {
    /// Its word in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Locked => "locked",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Released => "released",
            Self::Committed => "committed",
            Self::Aborted => "aborted",
        }
    }
}

/// A state on the way, and what each side counts there.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The state.
    pub state: State,
    /// Hours since the lock.
    pub at_hours: f64,
    /// What the source counts `[n_holdings]`.
    pub source: Vec<Quanta>,
    /// What the destination counts `[n_holdings]`.
    pub destination: Vec<Quanta>,
}

/// How a parcel gets from one side to the other.
#[derive(Debug, Clone)]
pub struct Course<'a> {
    /// What the source holds `[n_holdings]`.
    pub source: &'a [Quanta],
    /// What the destination holds `[n_holdings]`.
    pub destination: &'a [Quanta],
    /// What moves.
    pub parcel: &'a Parcel,
    /// The way.
    pub route: &'a Route,
    /// Whether a commit is one act on both books, or a message between them.
    pub commit: Commit,
    /// Number of the lock.
    pub nonce: u64,
}

/// How a commit reaches both books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// In one act.
    AtOnce,
    /// By a message.
    ByMessage,
}

impl Course<'_> {
    /// Every state from idle to committed, then what an abort after the acceptance leaves.
    ///
    /// # Errors
    /// [`Error::Bug`] where the parties do not get there: the source does not hold the parcel.
    pub fn steps(&self) -> Result<Vec<Step>> {
        let latency = self.route.latency_hours;
        let mut giver = Giver::new(self.source.to_vec(), self.nonce, self.unwinding());
        let mut taker = Taker::new(self.destination.to_vec());
        let stuck = || Error::Bug("a transfer does not get through its states".into());
        let mut steps = vec![self.step(State::Idle, 0.0, &giver, &taker)];
        let lock = giver.lock(self.parcel.clone()).ok_or_else(stuck)?;
        steps.push(self.step(State::Locked, 0.0, &giver, &taker));
        let offer = giver.offer(lock).ok_or_else(stuck)?;
        steps.push(self.step(State::Offered, 0.0, &giver, &taker));
        // Whether the destination may accept is decided by what the states are swept to, before anything is sent.
        let accept = taker.receive(&offer, |_| Verdict::Accept).ok_or_else(stuck)?;
        steps.push(self.step(State::Accepted, latency, &giver, &taker));
        let aborted = self.aborted(giver.clone(), taker.clone(), lock).ok_or_else(stuck)?;
        let commit = giver.receive(&accept).ok_or_else(stuck)?;
        let mut booked_at = 2.0 * latency;
        if self.commit == Commit::ByMessage {
            steps.push(self.step(State::Released, booked_at, &giver, &taker));
            booked_at += latency;
        }
        taker.receive(&commit, |_| Verdict::Refuse);
        steps.push(self.step(State::Committed, booked_at, &giver, &taker));
        steps.push(aborted);
        Ok(steps)
    }

    fn unwinding(&self) -> Unwinding {
        if self.route.transit_credit > 0.0 { Unwinding::OnConfirmation } else { Unwinding::AtOnce }
    }

    fn aborted(&self, mut giver: Giver, mut taker: Taker, lock: Lock) -> Option<Step> {
        let abort = giver.expire(lock)?;
        let confirmed = taker.receive(&abort, |_| Verdict::Refuse)?;
        giver.receive(&confirmed);
        Some(self.step(State::Aborted, self.route.timeout_hours, &giver, &taker))
    }

    fn step(&self, state: State, at_hours: f64, giver: &Giver, taker: &Taker) -> Step {
        let credit = Credit::of(self.route);
        Step { state, at_hours, source: counted_by_giver(giver, credit), destination: counted_by_taker(taker, credit) }
    }
}

/// What a source counts: what is free, and of what is locked what the haircut leaves.
pub fn counted_by_giver(giver: &Giver, credit: Credit) -> Vec<Quanta> {
    let mut counted = giver.free();
    for (_, parcel, _) in giver.locks().filter(|(_, _, given)| given.is_locked()) {
        counted.iter_mut().zip(&parcel.leaving).for_each(|(counted, part)| *counted += credit.locked(*part));
    }
    counted
}

/// What a destination counts: what is booked, and of what it has accepted the credit.
pub fn counted_by_taker(taker: &Taker, credit: Credit) -> Vec<Quanta> {
    let mut counted = taker.held().to_vec();
    for (_, parcel, _) in taker.locks().filter(|(_, _, taken)| *taken == Taken::Accepted) {
        counted.iter_mut().zip(&parcel.arriving).for_each(|(counted, part)| *counted += credit.accepted(*part));
    }
    counted
}
