use jiff::Timestamp;

/// Hours that the delayed price lags.
const HOURS: usize = 24;
const HOUR_SECONDS: i64 = 3_600;
/// Updates closer together than this change nothing, so that calling often gains nothing.
const SHORTEST_SECONDS: f64 = 10.0;
/// Time that one update stands for at most, so that a stalled feed cannot jump when it returns.
const LONGEST_SECONDS: f64 = 600.0;

/// How fast a stable price follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StablePolicy {
    /// Largest relative change per second while stable and delayed price agree.
    pub growth_per_second: f64,
    /// Largest relative change of the delayed price from one hour to the next.
    pub delay_growth_per_hour: f64,
}

impl Default for StablePolicy {
    /// 0.03 % per second, 6 % per hour (Mango v4).
    fn default() -> Self {
        Self { growth_per_second: 0.0003, delay_growth_per_hour: 0.06 }
    }
}

/// A price that follows at a limited rate, the slower the farther it is from the price of a day ago, which is limited itself: a
/// price pumped for minutes hardly moves it (Mango v4's stable price, introduced after the MNGO manipulation of October 2022).
///
/// In one update of t seconds (10 ≤ t; beyond 600 they count as 600) the stable price moves towards the price by at most
/// growth · (min/max of stable and delayed price)² · t of itself. The delayed price is the mean of an hour 24 hours ago, each
/// hour's within the hourly limit of the hour before. Hours are those of UTC.
///
/// **Stalled feeds.** Mango sums price · min(t, 600 s) over an hour but divides by the sum of t, so that a feed silent for longer
/// drags the hour's mean, and a day later the stable price, towards 0. Here both sums take the limited time: silence has no
/// weight, and a constant price stays constant whatever the gaps. With updates at most 600 s apart the two are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct StablePrice {
    policy: StablePolicy,
    price: f64,
    updated_at: Timestamp,
    /// Means by hour of the day, each replaced 24 hours later.
    hours: [f64; HOURS],
    /// Hour since 1970 that the sums belong to.
    hour: i64,
    weighted_sum: f64,
    seconds: f64,
}

impl StablePrice {
    /// A stable price that starts at a price, > 0 and finite; `None` at any other.
    pub fn new(policy: StablePolicy, now: Timestamp, price: f64) -> Option<Self> {
        (price > 0.0 && price.is_finite()).then(|| Self {
            policy,
            price,
            updated_at: now,
            hours: [price; HOURS],
            hour: hour(now),
            weighted_sum: 0.0,
            seconds: 0.0,
        })
    }

    /// The stable price, > 0.
    pub fn price(&self) -> f64 {
        self.price
    }

    /// The delayed price that holds, > 0.
    pub fn delayed(&self) -> f64 {
        self.hours[slot(self.hour)]
    }

    /// Follows a price. A moment less than 10 s after the last update, or before it, changes nothing; so does a price that is
    /// not positive and finite.
    pub fn update(&mut self, now: Timestamp, price: f64) {
        let elapsed = (now.as_nanosecond() - self.updated_at.as_nanosecond()) as f64 / 1e9;
        if elapsed < SHORTEST_SECONDS || !(price > 0.0 && price.is_finite()) {
            return;
        }
        let seconds = elapsed.min(LONGEST_SECONDS);
        self.updated_at = now;
        self.weighted_sum += price * seconds;
        self.seconds += seconds;
        self.close_hours(hour(now));
        let delayed = self.delayed();
        let agreement = self.price.min(delayed) / self.price.max(delayed);
        self.price = limited(price, self.price, self.policy.growth_per_second * agreement * agreement * seconds);
    }

    /// Where an hour has ended, sets the mean of every hour that has.
    fn close_hours(&mut self, now: i64) {
        if now == self.hour {
            return;
        }
        let before = self.hours[slot(self.hour - 1)];
        let mean = limited(self.weighted_sum / self.seconds, before, self.policy.delay_growth_per_hour);
        let ended = (now - self.hour).min(HOURS as i64);
        (0..ended).for_each(|k| self.hours[slot(self.hour + k)] = mean);
        (self.hour, self.weighted_sum, self.seconds) = (now, 0.0, 0.0);
    }
}

fn hour(moment: Timestamp) -> i64 {
    moment.as_second().div_euclid(HOUR_SECONDS)
}

fn slot(hour: i64) -> usize {
    hour.rem_euclid(HOURS as i64) as usize
}

/// The target, within a relative change of what was.
fn limited(target: f64, from: f64, change: f64) -> f64 {
    // A change of 100 % downwards would leave 0, from which no rate leads back.
    let lowest = from * (1.0 - change.min(0.99));
    target.max(lowest).min(from * (1.0 + change))
}
