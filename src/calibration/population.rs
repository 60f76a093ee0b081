//! Whose losses are counted: the pools of the book, and outright portfolios.

use std::collections::BTreeMap;

use crate::domain::{InstrumentIndex, Kind, Pool, PoolSettings, Position, Snapshot};
use crate::forecast::overlay::Direction;
use crate::margin::Setting;
use crate::pricing::Column;

/// A portfolio of one position, entered at its mark: it owns nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outright {
    /// Margin class, instrument and side.
    pub(super) name: String,
    position: Position,
}

impl Outright {
    /// Name of its instrument's underlying.
    pub(super) fn underlying<'s>(&self, snapshot: &'s Snapshot) -> &'s str {
        let instrument = &snapshot.instruments[self.position.instrument as usize];
        &snapshot.underlyings[instrument.underlying as usize].name
    }

    /// Its side.
    pub(super) fn direction(&self) -> Direction {
        if self.position.quantity > 0.0 { Direction::Long } else { Direction::Short }
    }
}

/// The pools of the book by margin class and account, and the outright portfolios.
#[derive(Debug, Clone)]
pub(super) struct Population {
    /// Margin classes that positions are held in, by name.
    pub(super) classes: Vec<String>,
    /// Of each pool the class in which its gross notional is largest, of equals the first by name; `None` without positions.
    pub(super) class_of_pool: Vec<Option<u32>>,
    /// First pool of each account, and the number of pools: pools of an account stand side by side.
    pub(super) account_starts: Vec<usize>,
    /// Long and short of every instrument that is held and no option, by class, then instrument.
    pub(super) outrights: Vec<Outright>,
    settings: PoolSettings,
}

impl Population {
    /// The population of a book; outright portfolios have this gross notional in the unshocked market, quote units.
    pub(super) fn of(setting: &Setting<'_>, outright_notional: f64) -> Self {
        let snapshot = setting.snapshot;
        let mut classes = BTreeMap::new();
        for position in snapshot.book.positions() {
            classes.insert(snapshot.instruments[position.instrument as usize].margin_class.as_str(), 0);
        }
        (0u32..).zip(classes.values_mut()).for_each(|(at, place)| *place = at);
        let class_of = |instrument: InstrumentIndex| {
            classes.get(snapshot.instruments[instrument as usize].margin_class.as_str()).copied().unwrap_or_default()
        };
        let mut population = Self {
            classes: classes.keys().map(ToString::to_string).collect(),
            class_of_pool: snapshot.book.pools().map(|pool| largest_class(setting, &pool, &class_of)).collect(),
            account_starts: account_starts(snapshot),
            outrights: Vec::new(),
            settings: PoolSettings::default(),
        };
        population.outrights = population.make_outrights(setting, outright_notional);
        population
    }

    /// An outright portfolio as a pool.
    pub(super) fn pool<'a>(&'a self, outright: &'a Outright) -> Pool<'a> {
        Pool {
            account: &outright.name,
            pool: "",
            balances: &[],
            positions: std::slice::from_ref(&outright.position),
            settings: &self.settings,
            unknown: false,
        }
    }

    fn make_outrights(&self, setting: &Setting<'_>, notional: f64) -> Vec<Outright> {
        let snapshot = setting.snapshot;
        let mut held: Vec<InstrumentIndex> = snapshot.book.positions().iter().map(|p| p.instrument).collect();
        held.sort_unstable();
        held.dedup();
        let mut outrights = Vec::new();
        for index in held {
            let instrument = &snapshot.instruments[index as usize];
            let one = Outright { name: String::new(), position: Position::new(index, 1.0, instrument.mark_price) };
            let unit = setting.gross_notional::<f64>(&self.pool(&one), &(setting.rows, Column::Base));
            let contracts = notional / unit;
            if instrument.kind == Kind::Option || !contracts.is_finite() {
                continue;
            }
            for (side, sign) in [("long", 1.0), ("short", -1.0)] {
                let name = format!("{} {} {side}", instrument.margin_class, instrument.name);
                let position = Position::new(index, sign * contracts, instrument.mark_price);
                outrights.push(Outright { name, position });
            }
        }
        outrights.sort_by(|a, b| a.name.cmp(&b.name));
        outrights
    }
}

/// The class in which a pool's gross notional is largest.
fn largest_class(setting: &Setting<'_>, pool: &Pool<'_>, class_of: &impl Fn(InstrumentIndex) -> u32) -> Option<u32> {
    let mut notionals: BTreeMap<u32, f64> = BTreeMap::new();
    for position in pool.positions {
        let alone = Pool { balances: &[], positions: std::slice::from_ref(position), ..*pool };
        let notional = setting.gross_notional::<f64>(&alone, &(setting.rows, Column::Base));
        *notionals.entry(class_of(position.instrument)).or_default() += notional;
    }
    let first_of_largest = notionals.into_iter().reduce(|best, other| if other.1 > best.1 { other } else { best });
    first_of_largest.map(|(class, _)| class)
}

fn account_starts(snapshot: &Snapshot) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut before = None;
    for (index, pool) in snapshot.book.pools().enumerate() {
        if before != Some(pool.account) {
            starts.push(index);
            before = Some(pool.account);
        }
    }
    starts.push(snapshot.book.len());
    starts
}
