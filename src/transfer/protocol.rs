//! Two parties that move a lot by messages: lock, offer, accept, commit or abort.
//!
//! The source alone decides, once: it commits when it hears that the lot is accepted, it aborts when it hears a refusal or the
//! time is up. A destination that has accepted waits for that decision; it books at the commit, at most once for each lock, and
//! remembers what it has closed. So messages may be lost, late, doubled or out of order: a repeated or stale one changes
//! nothing, and an answer to it repeats the decision.
//!
//! Where a destination counts a part of what it has accepted, the source stops counting that part before and counts it again only
//! when it hears that the destination has closed the lock: an abort alone does not say that.

use std::collections::BTreeMap;

use crate::liquidation::Quanta;

/// Number of a lock of one source; it is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lock(pub u64);

/// What moves under one lock, holding by holding, in an order that both parties know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parcel {
    /// What leaves the source `[n_holdings]`.
    pub leaving: Vec<Quanta>,
    /// What arrives `[n_holdings]`; the rest is the route's.
    pub arriving: Vec<Quanta>,
}

/// What one party tells the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The source has locked this.
    Offer(Lock, Parcel),
    /// The destination will book it.
    Accept(Lock),
    /// The destination will never book it: it refuses the offer, or confirms an abort.
    Refuse(Lock),
    /// The source has paid it out.
    Commit(Lock),
    /// The source keeps it.
    Abort(Lock),
}

/// Whether a destination takes an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Accept,
    /// It does not.
    Refuse,
}

/// How far a lock has come at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Given {
    /// Locked, and nobody told.
    Locked,
    /// Offered, and nothing heard.
    Offered,
    /// To be kept, once the destination confirms that it no longer counts on it.
    Aborting,
    /// Paid out.
    Released,
    /// Kept after all.
    Returned,
}

impl Given {
    /// Whether the parcel is held and not free.
    pub fn is_locked(self) -> bool {
        matches!(self, Self::Locked | Self::Offered | Self::Aborting)
    }
}

/// When an aborted parcel is free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unwinding {
    /// At once: the destination counts nothing before the commit.
    AtOnce,
    /// Once the destination confirms.
    OnConfirmation,
}

/// How far a lock has come at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Taken {
    /// Accepted: it waits for the decision.
    Accepted,
    /// Booked.
    Booked,
    /// Refused or aborted, for good.
    Closed,
}

/// The source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Giver {
    next: u64,
    unwinding: Unwinding,
    held: Vec<Quanta>,
    locks: BTreeMap<Lock, (Parcel, Given)>,
}

/// The destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taker {
    held: Vec<Quanta>,
    locks: BTreeMap<Lock, (Parcel, Taken)>,
}

impl Giver {
    /// A source that holds this and has used no lock from `nonce` on.
    pub fn new(held: Vec<Quanta>, nonce: u64, unwinding: Unwinding) -> Self {
        Self { next: nonce, unwinding, held, locks: BTreeMap::new() }
    }

    /// Locks a parcel; `None` where not all of it is held free, or a holding would change its sign.
    pub fn lock(&mut self, parcel: Parcel) -> Option<Lock> {
        let free = self.free();
        let is_part = |(free, part): (&Quanta, &Quanta)| {
            let (free, part) = (free.0, part.0);
            (0 <= part && part <= free.max(0)) || (free.min(0) <= part && part <= 0)
        };
        let fits = parcel.leaving.len() == free.len() && parcel.arriving.len() == free.len();
        if !fits || !free.iter().zip(&parcel.leaving).all(is_part) {
            return None;
        }
        let lock = Lock(self.next);
        self.next = self.next.checked_add(1)?;
        self.locks.insert(lock, (parcel, Given::Locked));
        Some(lock)
    }

    /// Tells the destination of a lock that nothing is decided about.
    pub fn offer(&mut self, lock: Lock) -> Option<Message> {
        let (parcel, given) = self.locks.get_mut(&lock)?;
        match given {
            Given::Locked | Given::Offered => {
                *given = Given::Offered;
                Some(Message::Offer(lock, parcel.clone()))
            }
            Given::Aborting | Given::Released | Given::Returned => None,
        }
    }

    /// The time is up: what is not decided is kept.
    pub fn expire(&mut self, lock: Lock) -> Option<Message> {
        let unwinding = self.unwinding;
        let (_, given) = self.locks.get_mut(&lock)?;
        *given = match (*given, unwinding) {
            // Nobody was told, so nobody counts on it.
            (Given::Locked, _) | (Given::Offered, Unwinding::AtOnce) => Given::Returned,
            (Given::Offered, Unwinding::OnConfirmation) => Given::Aborting,
            (decided, _) => decided,
        };
        Some(decision(lock, *given))
    }

    /// Hears a message; answers what is decided.
    pub fn receive(&mut self, message: &Message) -> Option<Message> {
        match *message {
            Message::Accept(lock) => {
                let (parcel, given) = self.locks.get_mut(&lock)?;
                if *given == Given::Offered {
                    *given = Given::Released;
                    self.held.iter_mut().zip(&parcel.leaving).for_each(|(held, part)| *held -= *part);
                }
                Some(decision(lock, *given))
            }
            Message::Refuse(lock) => {
                let (_, given) = self.locks.get_mut(&lock)?;
                if given.is_locked() {
                    *given = Given::Returned;
                }
                None
            }
            Message::Offer(..) | Message::Commit(_) | Message::Abort(_) => None,
        }
    }

    /// Everything held, locked or not.
    #[cfg(test)]
    pub fn held(&self) -> &[Quanta] {
        &self.held
    }

    /// What no lock holds.
    pub fn free(&self) -> Vec<Quanta> {
        let mut free = self.held.clone();
        for (parcel, given) in self.locks.values() {
            if given.is_locked() {
                free.iter_mut().zip(&parcel.leaving).for_each(|(free, part)| *free -= *part);
            }
        }
        free
    }

    /// Every lock with how far it has come.
    pub fn locks(&self) -> impl Iterator<Item = (Lock, &Parcel, Given)> {
        self.locks.iter().map(|(lock, (parcel, given))| (*lock, parcel, *given))
    }
}

/// What the source says of a lock that it has decided.
fn decision(lock: Lock, given: Given) -> Message {
    if given == Given::Released { Message::Commit(lock) } else { Message::Abort(lock) }
}

impl Taker {
    /// A destination that holds this.
    pub fn new(held: Vec<Quanta>) -> Self {
        Self { held, locks: BTreeMap::new() }
    }

    /// Hears a message; `judge` is asked about an offer heard for the first time.
    pub fn receive(&mut self, message: &Message, judge: impl FnOnce(&Parcel) -> Verdict) -> Option<Message> {
        match message {
            Message::Offer(lock, parcel) => Some(self.consider(*lock, parcel, judge)),
            Message::Commit(lock) => {
                if let Some((parcel, taken @ Taken::Accepted)) = self.locks.get_mut(lock) {
                    *taken = Taken::Booked;
                    self.held.iter_mut().zip(&parcel.arriving).for_each(|(held, part)| *held += *part);
                }
                None
            }
            Message::Abort(lock) => {
                let nothing = Parcel { leaving: Vec::new(), arriving: Vec::new() };
                // An abort that overtakes its offer closes the lock before it is known.
                let (_, taken) = self.locks.entry(*lock).or_insert((nothing, Taken::Closed));
                if *taken == Taken::Accepted {
                    *taken = Taken::Closed;
                }
                (*taken == Taken::Closed).then_some(Message::Refuse(*lock))
            }
            Message::Accept(_) | Message::Refuse(_) => None,
        }
    }

    fn consider(&mut self, lock: Lock, parcel: &Parcel, judge: impl FnOnce(&Parcel) -> Verdict) -> Message {
        let fits = parcel.arriving.len() == self.held.len();
        let (_, taken) = self.locks.entry(lock).or_insert_with(|| {
            let taken = if fits && judge(parcel) == Verdict::Accept { Taken::Accepted } else { Taken::Closed };
            (parcel.clone(), taken)
        });
        if *taken == Taken::Closed { Message::Refuse(lock) } else { Message::Accept(lock) }
    }

    /// Everything booked.
    pub fn held(&self) -> &[Quanta] {
        &self.held
    }

    /// Every lock with how far it has come.
    pub fn locks(&self) -> impl Iterator<Item = (Lock, &Parcel, Taken)> {
        self.locks.iter().map(|(lock, (parcel, taken))| (*lock, parcel, *taken))
    }
}
