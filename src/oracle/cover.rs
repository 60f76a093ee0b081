//! Cheapest sets of sources that hold enough votes, and the least weight that does; with a limit to the work.

/// Partial sets that one search keeps; beyond, it answers the best set found.
const SETS_MOST: usize = 1 << 20;
/// Sums that each half of the sources may have in [`least_sum`].
const SUMS_MOST: usize = 1 << 20;
/// Costs are sums of f64: of two that are closer than this, relative, either is the cheaper.
const ROUNDING: f64 = 1e-12;

/// A source for sale: the votes that capturing it adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Place of its quote.
    pub(super) place: usize,
    /// Votes, in parts.
    pub(super) gain: u128,
    /// Quote units, finite, ≥ 0.
    pub(super) cost: f64,
    /// Whether the price needs one such source that is not captured ([`cheapest_exact`]).
    pub(super) is_support: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found<T> {
    /// The best there is, or where the work reached its limit the best that was seen.
    pub(super) best: T,
    /// Whether nothing better exists.
    pub(super) is_exact: bool,
}

/// A set of items: the last one taken and the set without it.
#[derive(Debug, Clone, Copy)]
struct Set {
    gain: u128,
    cost: f64,
    last: Option<(usize, usize)>,
    has_support: bool,
}

impl Set {
    fn with(&self, (item, place): (&Item, usize), before: usize) -> Self {
        Self { gain: self.gain + item.gain, cost: self.cost + item.cost, last: Some((place, before)), ..*self }
    }
}

/// Places of the items of a set.
fn places(sets: &[Set], mut set: usize, items: &[Item]) -> Vec<usize> {
    let mut places = Vec::new();
    while let Some((item, before)) = sets[set].last {
        places.push(items[item].place);
        set = before;
    }
    places
}

/// Places of the cheapest items whose gains reach `needed`, in no order. `None` where all together do not.
///
/// Sets grow item by item, best value first. One goes where another has no less gain at no more cost, and where even with a part
/// of the next item (the fractional bound) it costs no less than the best set known.
pub(super) fn cheapest_cover(items: &[Item], needed: u128) -> Option<Found<Vec<usize>>> {
    let mut items: Vec<Item> = items.iter().copied().filter(|item| item.gain > 0).collect();
    items.sort_by(|a, b| (a.cost / a.gain as f64).total_cmp(&(b.cost / b.gain as f64)));
    let fill = Fill::new(&items, needed);
    let mut sets = vec![Set { gain: 0, cost: 0.0, last: None, has_support: false }];
    let (mut upper, _, end) = fill.bounds(&sets[0], 0)?;
    let mut best = (0, 0, end);
    let mut front = vec![0];
    for (index, item) in items.iter().enumerate() {
        for &set in &front {
            if let Some((cost, _, end)) = fill.bounds(&sets[set], index).filter(|(cost, ..)| *cost < upper) {
                (upper, best) = (cost, (set, index, end));
            }
        }
        let may_be_better =
            |set: &Set, from| fill.bounds(set, from).is_some_and(|(_, lower, _)| lower * (1.0 + ROUNDING) < upper);
        let mut grown: Vec<usize> = front.iter().copied().filter(|&set| may_be_better(&sets[set], index + 1)).collect();
        for &set in &front {
            let with = sets[set].with((item, index), set);
            if may_be_better(&with, index + 1) {
                grown.push(sets.len());
                sets.push(with);
            }
        }
        if sets.len() > SETS_MOST {
            return Some(Found { best: completed(&sets, best, &items), is_exact: false });
        }
        grown.sort_by(|&a, &b| {
            sets[a].cost.total_cmp(&sets[b].cost).then(sets[b].gain.cmp(&sets[a].gain)).then(a.cmp(&b))
        });
        let mut most = None;
        grown.retain(|&set| {
            let is_more = most.is_none_or(|most| sets[set].gain > most);
            most = most.max(Some(sets[set].gain));
            is_more
        });
        front = grown;
    }
    Some(Found { best: completed(&sets, best, &items), is_exact: true })
}

/// Places of a set and of the items from one to before another.
fn completed(sets: &[Set], (set, from, to): (usize, usize, usize), items: &[Item]) -> Vec<usize> {
    places(sets, set, items).into_iter().chain(items[from..to].iter().map(|item| item.place)).collect()
}

/// What it costs to fill a set up with items in order.
struct Fill<'i> {
    items: &'i [Item],
    needed: u128,
    /// Gain and cost of all items before each.
    before: Vec<(u128, f64)>,
}

impl<'i> Fill<'i> {
    fn new(items: &'i [Item], needed: u128) -> Self {
        let sums = items.iter().scan((0, 0.0), |sum, item| {
            *sum = (sum.0 + item.gain, sum.1 + item.cost);
            Some(*sum)
        });
        Self { items, needed, before: std::iter::once((0, 0.0)).chain(sums).collect() }
    }

    /// Cost of a set with the items from `from` on until it suffices, the least that could suffice, and the end of those items;
    /// `None` where all of them are too few.
    fn bounds(&self, set: &Set, from: usize) -> Option<(f64, f64, usize)> {
        let Some(missing) = self.needed.checked_sub(set.gain).filter(|missing| *missing > 0) else {
            return Some((set.cost, set.cost, from));
        };
        let (gain, cost) = self.before[from];
        let end = from + self.before[from..].partition_point(|(sum, _)| sum - gain < missing);
        let upper = set.cost + (self.before.get(end)?.1 - cost);
        let last = self.items[end - 1];
        let (until, spent) = self.before[end - 1];
        let part = (missing - (until - gain)) as f64 / last.gain as f64;
        Some((upper, set.cost + (spent - cost) + part * last.cost, end))
    }
}

/// Places of the cheapest items whose gains are `needed` exactly, cheaper than `bound`, and of which one with `is_support` is
/// left out unless `has_support` says that another one is; in no order. `budget` is how many partial sets may be kept; `None`
/// inside where there is none, or none was found before it was spent.
pub(super) fn cheapest_exact(
    items: &[Item],
    needed: u128,
    has_support: bool,
    bound: f64,
    budget: &mut usize,
) -> Found<Option<Vec<usize>>> {
    let mut left: u128 = items.iter().map(|item| item.gain).sum();
    let mut sets = vec![Set { gain: 0, cost: 0.0, last: None, has_support }];
    let mut front = vec![0];
    for (index, item) in items.iter().enumerate() {
        left -= item.gain;
        let mut grown = Vec::with_capacity(2 * front.len());
        for &before in &front {
            let set = sets[before];
            let without = Set { has_support: set.has_support || item.is_support, ..set };
            let with = (item.gain > 0).then(|| set.with((item, index), before));
            let fits = |set: &Set| set.gain <= needed && set.gain + left >= needed && set.cost < bound;
            for next in [Some(without), with].into_iter().flatten().filter(fits) {
                grown.push(sets.len());
                sets.push(next);
            }
        }
        if sets.len() > *budget {
            *budget = 0;
            return Found { best: None, is_exact: false };
        }
        // The cheapest of every gain, and the cheapest with support where that is another one.
        grown.sort_by(|&a, &b| {
            let (a, b) = (&sets[a], &sets[b]);
            (a.gain.cmp(&b.gain)).then(a.cost.total_cmp(&b.cost)).then(b.has_support.cmp(&a.has_support))
        });
        let mut kept: Option<(u128, bool)> = None;
        grown.retain(|&set| {
            let Set { gain, has_support, .. } = sets[set];
            let is_kept = kept.is_none_or(|(known, supported)| known != gain || (has_support && !supported));
            if is_kept {
                kept = Some((gain, has_support));
            }
            is_kept
        });
        front = grown;
    }
    *budget -= sets.len();
    let suffices = |set: &Set| set.gain == needed && set.has_support;
    let best = front.into_iter().filter(|&set| suffices(&sets[set]));
    let best = best.min_by(|&a, &b| sets[a].cost.total_cmp(&sets[b].cost));
    Found { best: best.map(|set| places(&sets, set, items)), is_exact: true }
}

/// The least sum of some of the weights that is at least `needed`; `None` where all of them are less.
///
/// The sums of two halves are listed and met. Where the lists grow too long, the largest weights are divided evenly beforehand:
/// a sum that is `needed` itself is still the least.
pub(super) fn least_sum(mut weights: Vec<u128>, needed: u128) -> Option<Found<u128>> {
    if weights.iter().sum::<u128>() < needed {
        return None;
    }
    weights.sort_unstable();
    // Sums are multiples of what divides every weight: the first one that could suffice.
    let needed = match weights.iter().copied().fold(0, divisor) {
        0 => needed,
        step => needed.div_ceil(step) * step,
    };
    let mut halves = [vec![0], vec![0]];
    let mut listed = 0;
    for &weight in &weights {
        let half = usize::from(halves[1].len() < halves[0].len());
        let grown = with_weight(&halves[half], weight);
        if grown.len() > SUMS_MOST {
            break;
        }
        halves[half] = grown;
        listed += 1;
    }
    let (mut taken, mut passed_over) = (0, Vec::new());
    let mut passed = 0;
    for &weight in weights[listed..].iter().rev() {
        if taken <= passed {
            taken += weight;
        } else {
            passed += weight;
            passed_over.push(weight);
        }
    }
    let reach: u128 = weights[..listed].iter().sum();
    while taken + reach < needed {
        taken += passed_over.pop()?;
    }
    let best = taken + least_meeting(&halves, needed.saturating_sub(taken))?;
    Some(Found { best, is_exact: listed == weights.len() || best == needed })
}

/// The greatest common divisor; that of 0 and a number is the number.
fn divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// Ascending sums with and without one more weight.
fn with_weight(sums: &[u128], weight: u128) -> Vec<u128> {
    let mut grown = Vec::with_capacity(2 * sums.len());
    let (mut without, mut with) = (sums.iter().copied().peekable(), sums.iter().map(|sum| sum + weight).peekable());
    loop {
        let next = match (without.peek(), with.peek()) {
            (Some(a), Some(b)) if a <= b => without.next(),
            (_, Some(_)) => with.next(),
            (_, None) => without.next(),
        };
        match next {
            Some(sum) if grown.last() != Some(&sum) => grown.push(sum),
            Some(_) => {}
            None => return grown,
        }
    }
}

/// The least sum of one from each ascending list that is at least `needed`.
fn least_meeting([low, high]: &[Vec<u128>; 2], needed: u128) -> Option<u128> {
    let mut end = high.len();
    let mut best = None;
    for &sum in low {
        while end > 0 && sum + high[end - 1] >= needed {
            end -= 1;
        }
        if let Some(other) = high.get(end) {
            best = Some(best.map_or(sum + other, |best: u128| best.min(sum + other)));
        }
    }
    best
}
