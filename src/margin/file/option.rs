//! Option classes and spread recognition in a rulebook file.

use toml::{Table, Value};

use super::reader::Reader;
use super::{key, quoted, word_of};
use crate::margin::option::{MarkIn, OptionClass, OptionReference, OptionRequirement, RATIO_RANGE};
use crate::margin::{OptionSpread, Rulebook};

const REFERENCES: [(&str, OptionReference); 3] =
    [("index", OptionReference::Index), ("forward", OptionReference::Forward), ("strike", OptionReference::Strike)];
const MARKS: [(&str, MarkIn); 2] = [("equity", MarkIn::Equity), ("requirement", MarkIn::Requirement)];

const CLASS_KEYS: [&str; 6] =
    ["reference", "mark", "maintenance", "initial", "initial_over_maintenance", "long_credit"];
const REQUIREMENT_KEYS: [&str; 5] = ["rate", "floor", "put_cap_of_strike", "put_floor_of_mark", "long_of_mark"];
const SPREAD_KEYS: [&str; 3] = ["classes", "unpaired_initial", "unpaired_maintenance"];

impl Reader<'_> {
    /// Reads `[option.*]` and `[option_spread]` into a rulebook.
    pub(super) fn options(&mut self, root: &Table, rulebook: &mut Rulebook) {
        let mut is_whole = true;
        for (name, table) in self.classes(root, "option") {
            let at = format!("option.{}", key(name));
            if root.get("margin").and_then(Value::as_table).is_some_and(|margin| margin.contains_key(name)) {
                let rule = "a class is either a margin class or an option class";
                self.fault(&at, "", rule, format!("rename it or remove margin.{}", key(name)));
            }
            match self.option_class(&at, table) {
                Some(class) => {
                    rulebook.option.insert(name.clone(), class);
                }
                None => is_whole = false,
            }
        }
        rulebook.option_spread = match root.get("option_spread") {
            None => None,
            Some(Value::Table(table)) => self.option_spread(table),
            Some(other) => {
                self.fault("option_spread", other.to_string(), "a table", "write [option_spread]");
                None
            }
        };
        // A class that could not be read would be called missing a second time.
        if let Some(spread) = rulebook.option_spread.as_ref().filter(|_| is_whole) {
            for (class, rule) in spread.faults(rulebook) {
                let known = rulebook.option.keys().map(String::as_str);
                let remedy = crate::suggest::remedy(&class, known.filter(|key| *key != class), "correct the class");
                self.fault("option_spread.classes", class, rule, remedy);
            }
        }
    }

    fn option_class(&mut self, at: &str, table: &Table) -> Option<OptionClass> {
        self.known_keys(at, table, &CLASS_KEYS);
        let reference = self.word(table, at, "reference", &REFERENCES);
        let mark = self.word(table, at, "mark", &MARKS);
        let maintenance = match self.required(at, table, "maintenance") {
            Some(value) => self.option_requirement(&format!("{at}.maintenance"), value),
            None => None,
        };
        let initial = match table.get("initial") {
            Some(value) => self.option_requirement(&format!("{at}.initial"), value),
            None => maintenance,
        };
        let ratios = match table.get("initial_over_maintenance") {
            None => Some((0.0, 0.0)),
            Some(value) => self.ratios(&format!("{at}.initial_over_maintenance"), value),
        };
        let long_credit = match table.get("long_credit") {
            None => Some(1.0),
            Some(value) => self.share_of(&format!("{at}.long_credit"), value),
        };
        let (call_initial_over_maintenance, put_initial_over_maintenance) = ratios?;
        Some(OptionClass {
            reference: reference.unwrap_or_default(),
            mark: mark.unwrap_or_default(),
            maintenance: maintenance?,
            initial: initial?,
            call_initial_over_maintenance,
            put_initial_over_maintenance,
            long_credit: long_credit?,
        })
    }

    fn option_requirement(&mut self, at: &str, value: &Value) -> Option<OptionRequirement> {
        let Value::Table(table) = value else {
            let remedy = "write { rate = 0.15, floor = 0.1 }";
            self.fault(at, value.to_string(), "an option requirement is a table", remedy);
            return None;
        };
        self.known_keys(at, table, &REQUIREMENT_KEYS);
        self.required(at, table, "floor");
        let share = |name: &str| match table.get(name) {
            None => Some(None),
            Some(value) => self.share_of(&format!("{at}.{name}"), value).map(Some),
        };
        // Every key is read before the first fault leaves.
        let [rate, floor, cap, of_mark, long] = REQUIREMENT_KEYS.map(share);
        Some(OptionRequirement {
            rate: rate?.unwrap_or_default(),
            floor: floor??,
            put_cap_of_strike: cap?,
            put_floor_of_mark: of_mark?.unwrap_or_default(),
            long_of_mark: long?.unwrap_or_default(),
        })
    }

    /// γ of calls and of puts: one number for both, or a table.
    fn ratios(&mut self, at: &str, value: &Value) -> Option<(f64, f64)> {
        let Value::Table(table) = value else {
            let ratio = self.ratio(at, value)?;
            return Some((ratio, ratio));
        };
        self.known_keys(at, table, &["call", "put"]);
        let mut of = |name: &str| match table.get(name) {
            None => Some(0.0),
            Some(value) => self.ratio(&format!("{at}.{name}"), value),
        };
        let (call, put) = (of("call"), of("put"));
        Some((call?, put?))
    }

    fn ratio(&mut self, at: &str, value: &Value) -> Option<f64> {
        let ratio = self.number(at, value)?;
        if ratio == 0.0 || RATIO_RANGE.contains(&ratio) {
            return Some(ratio);
        }
        self.fault(at, ratio.to_string(), "0 (none) or between 1 and 10", "correct it");
        None
    }

    fn share_of(&mut self, at: &str, value: &Value) -> Option<f64> {
        let number = self.number(at, value)?;
        self.share(at, number).then_some(number)
    }

    fn option_spread(&mut self, table: &Table) -> Option<OptionSpread> {
        self.known_keys("option_spread", table, &SPREAD_KEYS);
        let classes = match self.required("option_spread", table, "classes") {
            Some(Value::Array(names)) if names.iter().all(Value::is_str) => {
                Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            Some(other) => {
                let remedy = "write classes = [\"NAME\"]";
                self.fault("option_spread.classes", other.to_string(), "a list of option classes", remedy);
                None
            }
            None => None,
        };
        let mut unpaired = |name: &str| {
            let at = format!("option_spread.{name}");
            let value = self.required("option_spread", table, name)?;
            let number = self.number(&at, value)?;
            let inside = (0.0..=OptionSpread::UNPAIRED_MAX).contains(&number);
            if !inside {
                self.fault(&at, number.to_string(), "between 0 and 100 (1.2 = 120 % of the forward)", "correct it");
            }
            inside.then_some(number)
        };
        let (initial, maintenance) = (unpaired("unpaired_initial"), unpaired("unpaired_maintenance"));
        Some(OptionSpread { classes: classes?, unpaired_initial: initial?, unpaired_maintenance: maintenance? })
    }
}

/// An option class as TOML.
pub(super) fn class_text(name: &str, class: &OptionClass) -> String {
    format!(
        "\n[option.{}]\nreference = \"{}\"\nmark = \"{}\"\nmaintenance = {}\ninitial = {}\n\
         initial_over_maintenance = {{ call = {:?}, put = {:?} }}\nlong_credit = {:?}\n",
        key(name),
        word_of(&REFERENCES, class.reference),
        word_of(&MARKS, class.mark),
        requirement_text(&class.maintenance),
        requirement_text(&class.initial),
        class.call_initial_over_maintenance,
        class.put_initial_over_maintenance,
        class.long_credit,
    )
}

fn requirement_text(requirement: &OptionRequirement) -> String {
    let OptionRequirement { rate, floor, put_cap_of_strike, put_floor_of_mark, long_of_mark } = *requirement;
    let cap = put_cap_of_strike.map_or_else(String::new, |cap| format!("put_cap_of_strike = {cap:?}, "));
    format!(
        "{{ rate = {rate:?}, floor = {floor:?}, {cap}put_floor_of_mark = {put_floor_of_mark:?}, \
         long_of_mark = {long_of_mark:?} }}"
    )
}

/// Spread recognition as TOML.
pub(super) fn spread_text(spread: &OptionSpread) -> String {
    let classes: Vec<String> = spread.classes.iter().map(|name| quoted(name)).collect();
    format!(
        "\n[option_spread]\nclasses = [{}]\nunpaired_initial = {:?}\nunpaired_maintenance = {:?}\n",
        classes.join(", "),
        spread.unpaired_initial,
        spread.unpaired_maintenance,
    )
}
