//! Reading tables by their keys; every fault is recorded, none ends the reading.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::keys::{Key, KeyKind, LARGEST, Presence, Shape};
use super::lines::Lines;
use super::section::{Field, Section, names, path};
use crate::error::Fault;

/// Records the faults of one file.
#[derive(Debug)]
pub struct Reader<'a> {
    source: &'a str,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    /// A reader of the file of that name.
    pub fn new(source: &'a str) -> Self {
        Self { source, faults: Vec::new() }
    }

    /// Records a fault. `at` is a dotted path, `value` what stands there.
    pub fn fault(&mut self, at: &str, value: impl Into<String>, rule: impl Into<String>, remedy: impl Into<String>) {
        let fault = Fault::of_table(self.source, rule, remedy);
        self.faults.push(Fault { column: at.into(), value: value.into(), ..fault });
    }

    /// Whether no fault has been recorded.
    pub fn is_faultless(&self) -> bool {
        self.faults.is_empty()
    }

    /// The faults in the order of their lines in `text`, the file's content.
    pub(super) fn into_faults(self, text: &str) -> Vec<Fault> {
        let mut faults = self.faults;
        if faults.is_empty() {
            return faults;
        }
        let lines = Lines::new(text);
        faults.iter_mut().for_each(|fault| fault.line = Some(lines.of_path(&fault.column)));
        faults.sort_by_key(|fault| fault.line);
        faults
    }

    /// Reads a table that has these keys. `at` is its dotted path.
    pub fn section(&mut self, at: &str, table: &Table, keys: &'static [Key]) -> Section {
        let shape = Shape::Keys(keys);
        let fields = self.fields(at, table, keys, &names(shape, None));
        Section { at: at.into(), keys, kind: None, fields }
    }

    fn shaped(&mut self, at: &str, table: &Table, shape: Shape) -> Option<Section> {
        let (by, kinds) = match shape {
            Shape::Keys(keys) => return Some(self.section(at, table, keys)),
            Shape::Kinds { by, of } => (by, of),
        };
        let known: Vec<&'static str> = kinds.iter().map(|kind| kind.name).collect();
        let Some(value) = table.get(by) else {
            let remedy = format!("one of {}", known.join(", "));
            self.fault(&path(at, by), "", "a required key is missing", remedy);
            return None;
        };
        let name = self.word(&path(at, by), value, &known)?;
        let keys = shape.kind(name).map_or(&[][..], |kind| kind.keys);
        let fields = self.fields(at, table, keys, &names(shape, Some(name)));
        Some(Section { at: at.into(), keys, kind: Some((by, name)), fields })
    }

    fn fields(
        &mut self,
        at: &str,
        table: &Table,
        keys: &'static [Key],
        known: &[&'static str],
    ) -> BTreeMap<&'static str, Option<Field>> {
        for name in table.keys().filter(|name| !known.contains(&name.as_str())) {
            let remedy = crate::suggest::remedy(name, known.iter().copied(), "remove the key");
            self.fault(&path(at, name), "", format!("no such key here; known: {}", known.join(", ")), remedy);
        }
        let mut fields = BTreeMap::new();
        for key in keys {
            let at = path(at, key.name);
            match table.get(key.name) {
                Some(value) => {
                    fields.insert(key.name, self.field(&at, value, &key.kind));
                }
                None if key.presence == Presence::Required => {
                    self.fault(&at, "", "a required key is missing", format!("add {}: {}", key.name, key.help));
                }
                None => {}
            }
        }
        fields
    }

    fn field(&mut self, at: &str, value: &Value, kind: &'static KeyKind) -> Option<Field> {
        match *kind {
            KeyKind::Number { min, max } => self.number(at, value, (min, max)).map(Field::Number),
            KeyKind::Integer { min, max } => self.integer(at, value, (min, max)).map(Field::Integer),
            KeyKind::Word(words) => self.word(at, value, words).map(Field::Word),
            KeyKind::Text => self.string(at, value).map(|text| Field::Text(text.into())),
            KeyKind::Flag => self.flag(at, value).map(Field::Flag),
            KeyKind::Timestamp => self.timestamp(at, value).map(Field::Timestamp),
            KeyKind::Expression => self.expression(at, value).map(Field::Expression),
            KeyKind::Numbers { min, max } => self.numbers(at, value, (min, max)).map(Field::Numbers),
            KeyKind::Texts => self.texts(at, value).map(Field::Texts),
            KeyKind::Words(words) => self.words(at, value, words).map(Field::Words),
            KeyKind::Values(kind) => self.values(at, value, kind).map(Field::Values),
            KeyKind::ByName { min, max } => self.by_name(at, value, (min, max)).map(Field::ByName),
            KeyKind::Table(shape) => self.table(at, value, shape).map(Field::Table),
            KeyKind::Tables(shape) => self.tables(at, value, shape).map(Field::Tables),
            KeyKind::Named(shape) => self.named(at, value, shape).map(Field::Named),
            KeyKind::Either([first, second]) => {
                let kind = if second.is_written_as(value) { second } else { first };
                match (first, kind, value.as_str()) {
                    (KeyKind::Number { .. }, KeyKind::Word(words), Some(text)) if !words.contains(&text) => {
                        let otherwise = "write a number without quotes, or the word";
                        let remedy = crate::suggest::remedy(text, words.iter().copied(), otherwise);
                        self.fault(at, text, format!("a number, or {}", words.join(", ")), remedy);
                        None
                    }
                    _ => self.field(at, value, kind),
                }
            }
        }
    }

    fn table(&mut self, at: &str, value: &Value, shape: Shape) -> Option<Section> {
        match value {
            Value::Table(table) => self.shaped(at, table, shape),
            other => {
                self.fault(at, other.to_string(), "a table", format!("write {}", example(shape)));
                None
            }
        }
    }

    fn tables(&mut self, at: &str, value: &Value, shape: Shape) -> Option<Vec<Section>> {
        let Value::Array(elements) = value else {
            self.fault(at, value.to_string(), "a list of tables", format!("write [{}]", example(shape)));
            return None;
        };
        let read = |(index, element)| self.table(&format!("{at}[{index}]"), element, shape);
        let sections: Vec<_> = elements.iter().enumerate().map(read).collect();
        sections.into_iter().collect()
    }

    /// Values under free names; one at fault is left out.
    fn values(&mut self, at: &str, value: &Value, kind: &'static KeyKind) -> Option<BTreeMap<String, Field>> {
        let Value::Table(values) = value else {
            self.fault(at, value.to_string(), "a table of values by name", "write { NAME = … }");
            return None;
        };
        let read = |(name, value): (&String, _)| Some((name.clone(), self.field(&path(at, name), value, kind)?));
        Some(values.iter().filter_map(read).collect())
    }

    /// Tables under free names; one at fault is left out.
    fn named(&mut self, at: &str, value: &Value, shape: Shape) -> Option<BTreeMap<String, Section>> {
        let Value::Table(tables) = value else {
            self.fault(at, value.to_string(), "a table of named tables", format!("write [{at}.NAME]"));
            return None;
        };
        let read = |(name, value): (&String, _)| Some((name.clone(), self.table(&path(at, name), value, shape)?));
        Some(tables.iter().filter_map(read).collect())
    }
}

impl KeyKind {
    /// Whether a TOML value is of the type in which this kind is written.
    fn is_written_as(&self, value: &Value) -> bool {
        match self {
            Self::Number { .. } => value.is_float() || value.is_integer(),
            Self::Integer { .. } => value.is_integer(),
            Self::Word(_) | Self::Text => value.is_str(),
            Self::Flag => value.is_bool(),
            Self::Timestamp => value.is_str() || value.is_datetime(),
            Self::Expression => value.is_str() || value.is_float() || value.is_integer(),
            Self::Numbers { .. } | Self::Texts | Self::Words(_) | Self::Tables(_) => value.is_array(),
            Self::ByName { .. } => value.is_table() || value.is_float() || value.is_integer(),
            Self::Table(_) | Self::Named(_) | Self::Values(_) => value.is_table(),
            Self::Either(kinds) => kinds.iter().any(|kind| kind.is_written_as(value)),
        }
    }
}

/// How a table of this shape begins.
fn example(shape: Shape) -> String {
    let kind = match shape {
        Shape::Keys(_) => None,
        Shape::Kinds { of, .. } => of.first().map(|kind| kind.name),
    };
    match (names(shape, None).first(), kind) {
        (Some(name), Some(kind)) => format!("{{ {name} = \"{kind}\", … }}"),
        (Some(name), None) => format!("{{ {name} = …, … }}"),
        (None, _) => "{ }".into(),
    }
}

/// Whether a number may stand in a rulebook at all: finite, far from overflow.
pub(super) fn is_moderate(number: f64) -> bool {
    number.abs() <= LARGEST
}
