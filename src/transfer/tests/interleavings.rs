//! Every interleaving of a small model: two locks, messages lost, late, doubled, out of order, refused, timed out.

use std::collections::{BTreeMap, BTreeSet};

use crate::liquidation::Quanta;
use crate::transfer::course::{counted_by_giver, counted_by_taker};
use crate::transfer::credit::Credit;
use crate::transfer::plan::Route;
use crate::transfer::protocol::{Given, Giver, Lock, Message, Parcel, Taken, Taker, Unwinding, Verdict};

const HELD: i128 = 8;
const PARCELS: [(i128, i128); 2] = [(5, 4), (3, 3)];

/// Both parties, and every message ever sent: any of them may arrive at any time, any number of times, or never.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    giver: Giver,
    taker: Taker,
    sent: BTreeSet<Message>,
}

impl World {
    fn new(unwinding: Unwinding) -> Self {
        let giver = Giver::new(vec![Quanta(HELD)], 7, unwinding);
        Self { giver, taker: Taker::new(vec![Quanta(1)]), sent: BTreeSet::new() }
    }

    fn locks(&self) -> BTreeMap<Lock, (Parcel, Given)> {
        self.giver.locks().map(|(lock, parcel, given)| (lock, (parcel.clone(), given))).collect()
    }

    fn taken(&self) -> BTreeMap<Lock, Taken> {
        self.taker.locks().map(|(lock, _, taken)| (lock, taken)).collect()
    }

    fn then(&self, change: impl FnOnce(&mut Self) -> Option<Message>) -> Self {
        let mut next = self.clone();
        let said = change(&mut next);
        next.sent.extend(said);
        next
    }

    /// Every world that one step leads to.
    fn successors(&self) -> Vec<Self> {
        let mut next = Vec::new();
        let made = self.locks().len();
        if let Some(&(leaving, arriving)) = PARCELS.get(made) {
            next.push(self.then(|world| {
                let parcel = Parcel { leaving: vec![Quanta(leaving)], arriving: vec![Quanta(arriving)] };
                world.giver.lock(parcel);
                None
            }));
        }
        for lock in self.locks().into_keys() {
            next.push(self.then(|world| world.giver.offer(lock)));
            next.push(self.then(|world| world.giver.expire(lock)));
        }
        for message in &self.sent {
            next.push(self.then(|world| world.giver.receive(message)));
            for verdict in [Verdict::Accept, Verdict::Refuse] {
                next.push(self.then(|world| world.taker.receive(message, |_| verdict)));
            }
        }
        next
    }

    /// What is paid out and not booked, and what the route has taken.
    fn under_way(&self) -> Quanta {
        let taken = self.taken();
        let released = self.locks().into_iter().filter(|(_, (_, given))| *given == Given::Released);
        released
            .map(|(lock, (parcel, _))| match taken.get(&lock) {
                Some(Taken::Booked) => parcel.leaving[0] - parcel.arriving[0],
                _ => parcel.leaving[0],
            })
            .sum()
    }

    fn assert_safe(&self, credits: &[(f64, f64)]) {
        let total = Quanta(HELD + 1);
        assert_eq!(self.giver.held()[0] + self.taker.held()[0] + self.under_way(), total, "a quantum is made or lost");
        assert!(self.giver.free()[0] >= Quanta::ZERO, "locked twice");
        for &(transit_haircut, transit_credit) in credits {
            let route = Route { transit_haircut, transit_credit, ..Route::default() };
            let credit = Credit::of(&route);
            let counted = counted_by_giver(&self.giver, credit)[0] + counted_by_taker(&self.taker, credit)[0];
            assert!(counted <= total, "{counted} of {total} are counted");
        }
        for (lock, (_, given)) in self.locks() {
            if self.taken().get(&lock) == Some(&Taken::Booked) {
                assert_eq!(given, Given::Released, "booked without a commit");
            }
        }
    }

    /// Everything sent arrives, again and again.
    fn settle(mut self) -> Self {
        loop {
            let before = self.clone();
            for message in before.sent.clone() {
                let answers = [self.giver.receive(&message), self.taker.receive(&message, |_| Verdict::Accept)];
                self.sent.extend(answers.into_iter().flatten());
            }
            if self == before {
                return self;
            }
        }
    }
}

/// Visits every world that can be reached, asserts what must hold in each, and answers how many there are.
fn explore(unwinding: Unwinding, credits: &[(f64, f64)]) -> usize {
    let mut seen = BTreeSet::new();
    let mut open = vec![World::new(unwinding)];
    let mut booked = BTreeSet::new();
    while let Some(world) = open.pop() {
        if !seen.insert(world.clone()) {
            continue;
        }
        world.assert_safe(credits);
        let settled = world.clone().settle();
        settled.assert_safe(credits);
        let taken = settled.taken();
        for (lock, (_, given)) in settled.locks() {
            match given {
                Given::Released => assert_eq!(taken.get(&lock), Some(&Taken::Booked), "a commit arrives"),
                Given::Returned => assert_ne!(taken.get(&lock), Some(&Taken::Booked), "an abort is final"),
                Given::Locked => {}
                Given::Offered | Given::Aborting => panic!("an offer or an abort is never answered"),
            }
        }
        booked.insert(world.taker.held()[0]);
        open.extend(world.successors());
    }
    assert_eq!(booked, [1, 4, 5, 8].map(Quanta).into(), "each lot alone, both, none");
    seen.len()
}

#[test]
fn no_interleaving_credits_a_lot_twice_or_loses_it() {
    let worlds = explore(Unwinding::AtOnce, &[(0.0, 0.0), (0.5, 0.0), (1.0, 0.0)]);
    assert!(worlds > 150, "{worlds} worlds");
}

#[test]
fn a_credit_in_transit_ends_before_the_source_counts_the_lot_again() {
    let worlds = explore(Unwinding::OnConfirmation, &[(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)]);
    assert!(worlds > 150, "{worlds} worlds");
}

#[test]
#[should_panic(expected = "are counted")]
fn without_a_confirmation_a_credit_in_transit_would_count_twice() {
    explore(Unwinding::AtOnce, &[(1.0, 1.0)]);
}

#[test]
fn what_nobody_locked_or_offered_changes_nothing() {
    let (mut giver, mut taker) = (Giver::new(vec![Quanta(8)], 1, Unwinding::AtOnce), Taker::new(vec![Quanta(0)]));
    let foreign = Lock(99);
    assert_eq!(giver.receive(&Message::Accept(foreign)), None);
    assert_eq!(giver.expire(foreign), None);
    assert_eq!(taker.receive(&Message::Commit(foreign), |_| Verdict::Accept), None);
    assert_eq!((giver.held(), taker.held()), (&[Quanta(8)][..], &[Quanta(0)][..]));
    for leaving in [9, -1] {
        let parcel = Parcel { leaving: vec![Quanta(leaving)], arriving: vec![Quanta(leaving)] };
        assert_eq!(giver.lock(parcel), None, "{leaving} of 8");
    }
}
