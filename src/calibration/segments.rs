//! Who pays more: requirements before and after, by kind of account.

use std::collections::BTreeMap;

/// Net below this share of gross counts as hedged.
const HEDGED_SHARE: f64 = 0.2;
/// Groups that pools are ranked into by size.
const SIZE_GROUPS: usize = 10;

/// One pool before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolChange {
    /// Account and pool, as shown.
    pub name: String,
    /// How its requirement is formed, as in tables: `cross`, `isolated`, `portfolio`.
    pub mode: String,
    /// Margin class of its largest position; empty without one.
    pub class: String,
    /// Σ of absolute notionals, quote units, ≥ 0.
    pub gross: f64,
    /// Σ of signed notionals, quote units.
    pub net: f64,
    /// Requirement under the old rulebook, quote units, ≥ 0.
    pub old: f64,
    /// Requirement under the new one.
    pub new: f64,
}

/// What pools are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Division {
    /// Tenths of the pools that hold something, by gross notional: `size 1` the smallest.
    Size,
    /// How the requirement is formed.
    Mode,
    /// `hedged` where |net| is below a fifth of gross, else `long` or `short`; `flat` without positions.
    Side,
    /// Margin class of the largest position.
    Class,
}

impl Division {
    /// The word used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Mode => "mode",
            Self::Side => "side",
            Self::Class => "class",
        }
    }
}

/// Pools of one kind before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// What they have in common.
    pub division: Division,
    /// Which of them: a size group, a mode, a side, a class.
    pub name: String,
    /// Pools.
    pub pools: u64,
    /// Σ of old requirements, quote units.
    pub old: f64,
    /// Σ of new ones.
    pub new: f64,
    /// Pools whose requirement rises.
    pub paying_more: u64,
    /// Largest relative rise (new / old − 1) of a pool that had a requirement, and the pool's place; `None` where none rises.
    pub largest_rise: Option<(f64, usize)>,
}

impl Segment {
    /// Relative change of the requirement; `None` where there was none.
    pub fn change(&self) -> Option<f64> {
        (self.old > 0.0).then(|| self.new / self.old - 1.0)
    }

    /// Share of the pools that pay more.
    pub fn share_paying_more(&self) -> f64 {
        self.paying_more as f64 / self.pools.max(1) as f64
    }

    fn add(&mut self, place: usize, pool: &PoolChange) {
        self.pools += 1;
        self.old += pool.old;
        self.new += pool.new;
        self.paying_more += u64::from(pool.new > pool.old);
        let rise = pool.new / pool.old - 1.0;
        let is_largest = self.largest_rise.is_none_or(|(largest, _)| rise > largest);
        if pool.old > 0.0 && rise > 0.0 && is_largest {
            self.largest_rise = Some((rise, place));
        }
    }
}

/// Every segment of a book, by division and name (sizes ascending). Each pool is in one segment of each division; a pool without
/// positions is in none by size.
pub fn segments(pools: &[PoolChange]) -> Vec<Segment> {
    let mut segments: BTreeMap<(Division, String), Segment> = BTreeMap::new();
    let sizes = size_groups(pools);
    for (place, pool) in pools.iter().enumerate() {
        let size = sizes[place].map(|group| (Division::Size, format!("{group:>2}")));
        let others = [
            (Division::Mode, pool.mode.clone()),
            (Division::Side, side(pool).into()),
            (Division::Class, pool.class.clone()),
        ];
        for (division, name) in size.into_iter().chain(others) {
            let segment = segments.entry((division, name)).or_insert_with_key(|(division, name)| Segment {
                division: *division,
                name: name.trim().into(),
                pools: 0,
                old: 0.0,
                new: 0.0,
                paying_more: 0,
                largest_rise: None,
            });
            segment.add(place, pool);
        }
    }
    segments.into_values().collect()
}

fn side(pool: &PoolChange) -> &'static str {
    match pool.gross {
        gross if gross <= 0.0 => "flat",
        gross if pool.net.abs() < HEDGED_SHARE * gross => "hedged",
        _ if pool.net > 0.0 => "long",
        _ => "short",
    }
}

/// The size group (1 the smallest) of each pool that holds something; ties in the order of the book.
fn size_groups(pools: &[PoolChange]) -> Vec<Option<usize>> {
    let mut ranked: Vec<usize> = (0..pools.len()).filter(|place| pools[*place].gross > 0.0).collect();
    ranked.sort_by(|a, b| pools[*a].gross.total_cmp(&pools[*b].gross));
    let mut groups = vec![None; pools.len()];
    for (rank, place) in ranked.iter().enumerate() {
        groups[*place] = Some(rank * SIZE_GROUPS / ranked.len() + 1);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(gross: f64, net: f64, old: f64, new: f64) -> PoolChange {
        PoolChange { name: format!("p{gross}"), mode: "cross".into(), class: "BTC".into(), gross, net, old, new }
    }

    fn find<'s>(segments: &'s [Segment], division: Division, name: &str) -> &'s Segment {
        segments.iter().find(|segment| segment.division == division && segment.name == name).unwrap()
    }

    #[test]
    fn pools_are_counted_once_in_each_division() {
        let mut pools: Vec<PoolChange> =
            (1..=20).map(|size| pool(f64::from(size), f64::from(size), 10.0, 11.0)).collect();
        pools[0].net = 0.19;
        pools[1].net = -2.0;
        pools[19].new = 5.0;
        pools[18].new = 40.0;
        pools.push(pool(0.0, 0.0, 0.0, 1.0));
        pools[20].mode = "isolated".into();
        let segments = segments(&pools);
        let sizes: Vec<&Segment> = segments.iter().filter(|segment| segment.division == Division::Size).collect();
        assert_eq!(sizes.iter().map(|segment| segment.pools).collect::<Vec<_>>(), [2; 10]);
        assert_eq!(sizes.iter().map(|segment| segment.name.as_str()).collect::<Vec<_>>()[8..], ["9", "10"]);
        let largest = sizes[9];
        assert_eq!((largest.old, largest.new, largest.paying_more), (20.0, 45.0, 1));
        assert_eq!((largest.largest_rise, largest.change()), (Some((3.0, 18)), Some(1.25)));
        let sides = ["hedged", "short", "long", "flat"].map(|name| find(&segments, Division::Side, name).pools);
        assert_eq!(sides, [1, 1, 18, 1]);
        let isolated = find(&segments, Division::Mode, "isolated");
        assert_eq!((isolated.change(), isolated.largest_rise, isolated.share_paying_more()), (None, None, 1.0));
        assert_eq!(find(&segments, Division::Class, "BTC").pools, 21);
    }

    #[test]
    fn few_pools_and_none_are_borne() {
        assert!(segments(&[]).is_empty());
        let three = [pool(3.0, 3.0, 1.0, 1.0), pool(1.0, 1.0, 1.0, 0.5), pool(2.0, 2.0, 1.0, 1.0)];
        let segments = segments(&three);
        let names: Vec<&str> =
            segments.iter().filter(|s| s.division == Division::Size).map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["1", "4", "7"]);
        assert!(segments.iter().all(|segment| segment.paying_more == 0 && segment.largest_rise.is_none()));
    }
}
