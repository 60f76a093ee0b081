use super::event::{Event, Party};

/// The events of one scenario: a running hash of all of them, and those that nobody has collected yet.
#[derive(Debug, Clone, Default)]
pub struct Log {
    hasher: blake3::Hasher,
    count: u64,
    waiting: Vec<Event>,
}

impl Log {
    /// Appends events.
    pub fn add(&mut self, events: &[Event]) {
        for event in events {
            hash(&mut self.hasher, event);
        }
        self.count += events.len() as u64;
        self.waiting.extend_from_slice(events);
    }

    /// Events so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The events since the last call, and the number of the first of them.
    pub fn collect(&mut self) -> (u64, Vec<Event>) {
        let events = std::mem::take(&mut self.waiting);
        (self.count - events.len() as u64, events)
    }

    /// Hash of every event so far.
    pub fn digest(&self) -> blake3::Hash {
        self.hasher.finalize()
    }
}

/// Everything of an event that must be equal on every machine.
fn hash(hasher: &mut blake3::Hasher, event: &Event) {
    let (party, of) = match event.party {
        Party::Pool(pool) => (0u8, pool),
        Party::Market => (1, 0),
        Party::Exchange => (2, 0),
        Party::Fund(fund) => (3, fund.map_or(0, |fund| fund + 1)),
        Party::Backstop => (4, 0),
        Party::Members => (5, 0),
    };
    hasher.update(&[event.action as u8, event.cause as u8, party]);
    for number in [event.step, event.round, event.pool, of, event.instrument.map_or(u32::MAX, |i| i), event.asset] {
        hasher.update(&number.to_le_bytes());
    }
    for amount in [event.quantity, event.amount, event.quote_amount, event.carry, event.trading_fee, event.fund_fee] {
        hasher.update(&amount.0.to_le_bytes());
    }
    let health = |health: super::event::Health| [health.equity, health.adjusted_equity, health.maintenance_margin];
    let figures = [[event.price, event.cost_quote, 0.0], health(event.before), health(event.after)];
    for figure in figures.into_iter().flatten() {
        // −0 and 0 are one figure.
        hasher.update(&(figure + 0.0).to_le_bytes());
    }
}
