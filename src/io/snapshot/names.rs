use std::collections::HashMap;

use crate::io::table::Row;

/// Names of one table and where each stands in the sorted snapshot; `None` for a name whose own row was refused.
#[derive(Debug, Default)]
pub(super) struct Names {
    index: HashMap<String, Option<u32>>,
}

impl Names {
    /// The index of a name that is there and was not refused.
    pub(super) fn get(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied().flatten()
    }

    /// Whether the table has a row of this name, refused or not.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// Resolves a name that a row refers to, or refuses the row: `table` is where the name should stand.
    pub(super) fn resolve(&self, row: &mut Row<'_>, column: usize, name: &str, table: &str) -> Option<u32> {
        match self.index.get(name) {
            Some(Some(index)) => Some(*index),
            Some(None) => {
                let rule = format!("it refers to a row of {table} that was refused");
                row.refuse(column, name, rule, "correct that row first");
                None
            }
            None => {
                let known = self.index.keys().map(String::as_str);
                let remedy = row.suggest(name, known, &format!("add it to {table}"));
                row.refuse(column, name, format!("no such name in {table}"), remedy);
                None
            }
        }
    }
}

/// Collects the rows of a table whose first column is a unique name.
#[derive(Debug)]
pub(super) struct Keyed<T> {
    seen: HashMap<String, Option<usize>>,
    rows: HashMap<String, u64>,
    items: Vec<T>,
}

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self { seen: HashMap::new(), rows: HashMap::new(), items: Vec::new() }
    }
}

impl<T> Keyed<T> {
    /// Refuses the row if its name was seen before.
    pub(super) fn claim(&mut self, row: &mut Row<'_>, column: usize, name: &str) {
        if let Some(first) = self.rows.get(name) {
            let rule = format!("names are unique; row {first} has the same");
            row.refuse(column, name, rule, "remove or rename one of them");
        }
    }

    /// Keeps `item` under its name, or only remembers the name where the row was refused (`item` is `None`).
    pub(super) fn add(&mut self, row: &Row<'_>, name: &str, item: Option<T>) {
        if self.rows.contains_key(name) {
            return;
        }
        self.rows.insert(name.into(), row.number());
        let place = item.map(|item| {
            self.items.push(item);
            self.items.len() - 1
        });
        self.seen.insert(name.into(), place);
    }

    /// Whether a row of this name was used.
    pub(super) fn has(&self, name: &str) -> bool {
        self.seen.get(name).copied().flatten().is_some()
    }

    /// Adds an item that no row stands for; a refused row of the same name stays refused.
    pub(super) fn add_default(&mut self, name: &str, item: T) {
        self.items.push(item);
        self.seen.entry(name.into()).or_insert(Some(self.items.len() - 1));
    }

    /// The items sorted by name, and the index of each name.
    pub(super) fn finish(self, name_of: impl Fn(&T) -> &str) -> (Vec<T>, Names) {
        let Self { seen, mut items, .. } = self;
        items.sort_by(|a, b| name_of(a).as_bytes().cmp(name_of(b).as_bytes()));
        let place: HashMap<&str, u32> = items.iter().enumerate().map(|(i, item)| (name_of(item), i as u32)).collect();
        let index = seen
            .iter()
            .map(|(name, used)| (name.clone(), used.and_then(|_| place.get(name.as_str()).copied())))
            .collect();
        drop(place);
        (items, Names { index })
    }
}
