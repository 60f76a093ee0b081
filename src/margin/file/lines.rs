//! On which line of a TOML text a key stands.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key;

/// Lines, counted from 1, by dotted path; an element of a list is `path[0]`.
pub(super) struct Lines {
    of: BTreeMap<String, u64>,
    ends: Vec<usize>,
}

impl Lines {
    /// The lines of a text; of one that is no TOML, only [`Lines::at`] is known.
    pub(super) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(place, _)| place).collect();
        let mut lines = Self { of: BTreeMap::new(), ends };
        if let Ok(root) = DeTable::parse(text) {
            lines.table("", root.get_ref());
        }
        lines
    }

    /// The line of a byte of the text.
    pub(super) fn at(&self, place: usize) -> u64 {
        self.ends.partition_point(|end| *end < place) as u64 + 1
    }

    /// The line of a path or, where that is not in the file, of the table that should hold it; the first line at last.
    pub(super) fn of_path(&self, path: &str) -> u64 {
        let mut path = path;
        loop {
            if let Some(line) = self.of.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return 1,
            }
        }
    }

    fn table(&mut self, at: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = if at.is_empty() { key(name.get_ref()) } else { format!("{at}.{}", key(name.get_ref())) };
            // The same name stands in the header of every table below it; the table's own header is what is meant.
            let place = if value.get_ref().is_table() { value.span().start } else { name.span().start };
            self.value(path, place, value);
        }
    }

    fn value(&mut self, path: String, place: usize, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(&path, table),
            DeValue::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.value(format!("{path}[{index}]"), element.span().start, element);
                }
            }
            _ => {}
        }
        let line = self.at(place);
        self.of.insert(path, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_line_of_its_key_or_of_its_nearest_table() {
        let lines = Lines::new(
            "version = 1\n\n[margin.\"A.B\"]\r\nrate = [\n 0.1,\n 0.2]\nform.x = 1\n[[list]]\n[[list]]\ny = 1\n",
        );
        for (path, line) in [
            ("version", 1),
            ("margin.\"A.B\"", 3),
            ("margin.\"A.B\".rate", 4),
            ("margin.\"A.B\".rate[1]", 6),
            ("margin.\"A.B\".form.x", 7),
            ("margin.\"A.B\".maintenance.rate", 3),
            ("list[1]", 9),
            ("list[1].y", 10),
            ("list[0].missing", 8),
            ("missing", 1),
        ] {
            assert_eq!(lines.of_path(path), line, "{path}");
        }
    }
}
