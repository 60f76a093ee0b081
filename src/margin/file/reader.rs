use toml::{Table, Value};

use super::{HAIRCUT_BASES, RESERVES, UNITS, VERSION, key};
use crate::error::Fault;
use crate::margin::{Form, HaircutSchedule, MarginClass, Rulebook, Schedule, SizeUnit};

/// Walks the parsed file and records every fault. `at` is the dotted path of what is being read.
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
    pub(super) faults: Vec<Fault>,
}

impl Reader<'_> {
    pub(super) fn fault(
        &mut self,
        at: &str,
        value: impl Into<String>,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let fault = Fault::of_table(self.source, rule, remedy);
        self.faults.push(Fault { column: at.into(), value: value.into(), ..fault });
    }

    /// Reads the whole file; what is at fault is left out.
    pub(super) fn rulebook(&mut self, root: &Table) -> Rulebook {
        self.known_keys(
            "",
            root,
            &["version", "name", "haircut_base", "orders", "margin", "option", "option_spread", "haircut"],
        );
        match root.get("version") {
            Some(Value::Integer(VERSION)) => {}
            Some(other) => self.fault("version", other.to_string(), "this program reads version 1", "use version = 1"),
            None => self.fault("version", "", "a required key is missing", "add version = 1"),
        }
        let name = match root.get("name") {
            None => String::new(),
            Some(Value::String(name)) => name.clone(),
            Some(other) => {
                self.fault("name", other.to_string(), "a string", "write it in double quotes");
                String::new()
            }
        };
        let mut rulebook = Rulebook {
            name,
            haircut_base: self.word(root, "", "haircut_base", &HAIRCUT_BASES).unwrap_or_default(),
            orders: self.word(root, "", "orders", &RESERVES).unwrap_or_default(),
            ..Rulebook::default()
        };
        for (name, table) in self.classes(root, "margin") {
            if let Some(class) = self.margin_class(&format!("margin.{}", key(name)), table) {
                rulebook.margin.insert(name.clone(), class);
            }
        }
        for (name, table) in self.classes(root, "haircut") {
            if let Some(class) = self.haircut_class(&format!("haircut.{}", key(name)), table) {
                rulebook.haircut.insert(name.clone(), class);
            }
        }
        self.options(root, &mut rulebook);
        rulebook
    }

    pub(super) fn classes<'t>(&mut self, root: &'t Table, group: &str) -> Vec<(&'t String, &'t Table)> {
        match root.get(group) {
            None => Vec::new(),
            Some(Value::Table(classes)) => {
                let mut found = Vec::new();
                for (name, value) in classes {
                    match value {
                        Value::Table(table) => found.push((name, table)),
                        other => self.fault(
                            &format!("{group}.{}", key(name)),
                            other.to_string(),
                            "a table",
                            "write it as one",
                        ),
                    }
                }
                found
            }
            Some(other) => {
                self.fault(group, other.to_string(), "a table of classes", format!("write [{group}.NAME]"));
                Vec::new()
            }
        }
    }

    fn margin_class(&mut self, at: &str, table: &Table) -> Option<MarginClass> {
        self.known_keys(at, table, &["max_notional", "maintenance", "initial"]);
        let max_notional = table.get("max_notional").and_then(|value| {
            let at = format!("{at}.max_notional");
            let number = self.number(&at, value)?;
            if number > 0.0 {
                return Some(number);
            }
            self.fault(&at, number.to_string(), "a notional is positive", "correct it or remove the key");
            None
        });
        let maintenance = match table.get("maintenance") {
            Some(value) => self.schedule(&format!("{at}.maintenance"), value),
            None => {
                let remedy = "add maintenance = { form = \"flat\", rate = 0.05 }";
                self.fault(&format!("{at}.maintenance"), "", "a required key is missing", remedy);
                None
            }
        };
        let initial = match table.get("initial") {
            Some(value) => self.schedule(&format!("{at}.initial"), value),
            None => maintenance.clone(),
        };
        Some(MarginClass { maintenance: maintenance?, initial: initial?, max_notional })
    }

    fn schedule(&mut self, at: &str, value: &Value) -> Option<Schedule> {
        let Value::Table(table) = value else {
            self.fault(at, value.to_string(), "a schedule is a table", "write { form = \"flat\", rate = 0.05 }");
            return None;
        };
        const FORMS: [(&str, Option<Form>); 3] =
            [("flat", None), ("marginal", Some(Form::Marginal)), ("whole", Some(Form::Whole))];
        if !table.contains_key("form") {
            self.fault(&format!("{at}.form"), "", "a required key is missing", "one of flat, marginal, whole");
        }
        let Some(form) = self.word(table, at, "form", &FORMS)? else {
            self.known_keys(at, table, &["form", "rate"]);
            let rate = self.required(at, table, "rate")?;
            let at = format!("{at}.rate");
            let rate = self.number(&at, rate)?;
            return self.share(&at, rate).then(|| Schedule::flat(rate));
        };
        self.known_keys(at, table, &["form", "from", "rate", "max_leverage", "deduction"]);
        let bounds = self.bounds(at, table);
        let rates = self.rates(at, table);
        let (bounds, rates) = (bounds?, rates?);
        self.same_length(at, "rate or max_leverage", bounds.len() + 1, rates.len())?;
        let schedule = Schedule { form, bounds, rates };
        if let Some(value) = table.get("deduction") {
            self.check_deductions(&format!("{at}.deduction"), &schedule, value);
        }
        Some(schedule)
    }

    /// Reads `from`: 0, then the bounds. Answers the bounds.
    fn bounds(&mut self, at: &str, table: &Table) -> Option<Vec<f64>> {
        let value = self.required(at, table, "from")?;
        let at = format!("{at}.from");
        let from = self.numbers(&at, value)?;
        if from[0] != 0.0 {
            self.fault(&at, from[0].to_string(), "the first bracket starts at 0", "add the bracket from 0");
            return None;
        }
        for pair in from.windows(2) {
            if pair[1] <= pair[0] {
                let value = format!("{}, {}", pair[0], pair[1]);
                self.fault(&at, value, "bounds increase strictly", "sort the brackets and remove repeated ones");
                return None;
            }
        }
        Some(from[1..].to_vec())
    }

    fn rates(&mut self, at: &str, table: &Table) -> Option<Vec<f64>> {
        match (table.get("rate"), table.get("max_leverage")) {
            (Some(value), None) => {
                let at = format!("{at}.rate");
                let rates = self.numbers(&at, value)?;
                let faults_before = self.faults.len();
                for rate in &rates {
                    self.share(&at, *rate);
                }
                (self.faults.len() == faults_before).then_some(rates)
            }
            (None, Some(value)) => {
                let at = format!("{at}.max_leverage");
                let leverages = self.numbers(&at, value)?;
                if let Some(low) = leverages.iter().find(|leverage| **leverage < 1.0) {
                    self.fault(&at, low.to_string(), "leverage is at least 1", "correct it");
                    return None;
                }
                Some(leverages.iter().map(|leverage| 1.0 / leverage).collect())
            }
            (Some(_), Some(_)) => {
                self.fault(at, "", "either rate or max_leverage, not both", "remove one of them");
                None
            }
            (None, None) => {
                self.fault(&format!("{at}.rate"), "", "a required key is missing", "add rate or max_leverage");
                None
            }
        }
    }

    /// Published deductions are redundant: those that differ from the derived ones show an error of the table.
    fn check_deductions(&mut self, at: &str, schedule: &Schedule, value: &Value) {
        let Some(given) = self.numbers(at, value) else { return };
        if schedule.form == Form::Whole {
            self.fault(at, "", "only a marginal schedule has deductions", "remove the key");
            return;
        }
        let derived = schedule.deductions();
        if self.same_length(at, "deduction", derived.len(), given.len()).is_none() {
            return;
        }
        for (bracket, (given, derived)) in given.iter().zip(&derived).enumerate() {
            let tolerance = (1e-6 * derived.abs()).max(1e-6);
            if (given - derived).abs() > tolerance {
                let rule = format!("bracket {} continues the one before with a deduction of {derived}", bracket + 1);
                self.fault(at, given.to_string(), rule, "correct the bounds, the rates or the deduction");
            }
        }
    }

    fn haircut_class(&mut self, at: &str, table: &Table) -> Option<HaircutSchedule> {
        if let Some(flat) = table.get("flat") {
            self.known_keys(at, table, &["flat"]);
            let at = format!("{at}.flat");
            let haircut = self.number(&at, flat)?;
            let class = HaircutSchedule { unit: SizeUnit::Asset, bounds: Vec::new(), haircuts: vec![haircut] };
            return self.share(&at, haircut).then_some(class);
        }
        self.known_keys(at, table, &["flat", "unit", "from", "haircut"]);
        let unit = self.word(table, at, "unit", &UNITS).unwrap_or(SizeUnit::Asset);
        let bounds = self.bounds(at, table);
        let haircuts = self.required(at, table, "haircut");
        let at_haircut = format!("{at}.haircut");
        let haircuts = haircuts.and_then(|value| self.numbers(&at_haircut, value));
        let (bounds, haircuts) = (bounds?, haircuts?);
        self.same_length(at, "haircut", bounds.len() + 1, haircuts.len())?;
        for haircut in &haircuts {
            self.share(&at_haircut, *haircut);
        }
        if let Some(pair) = haircuts.windows(2).find(|pair| pair[1] < pair[0]) {
            let value = format!("{}, {}", pair[0], pair[1]);
            self.fault(&at_haircut, value, "haircuts never decrease with size", "sort the tiers");
        }
        Some(HaircutSchedule { unit, bounds, haircuts })
    }

    pub(super) fn known_keys(&mut self, at: &str, table: &Table, known: &[&str]) {
        for name in table.keys().filter(|name| !known.contains(&name.as_str())) {
            let path = if at.is_empty() { key(name) } else { format!("{at}.{}", key(name)) };
            let remedy = crate::suggest::remedy(name, known.iter().copied(), "remove the key");
            self.fault(&path, "", format!("no such key here; known: {}", known.join(", ")), remedy);
        }
    }

    pub(super) fn required<'t>(&mut self, at: &str, table: &'t Table, name: &str) -> Option<&'t Value> {
        let value = table.get(name);
        if value.is_none() {
            self.fault(&format!("{at}.{name}"), "", "a required key is missing", "add the key");
        }
        value
    }

    /// A word of a closed list; `None` where the key is absent or, with a fault, where the word is not on the list.
    pub(super) fn word<T: Copy>(&mut self, table: &Table, at: &str, name: &str, words: &[(&str, T)]) -> Option<T> {
        let value = table.get(name)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let path = if at.is_empty() { name.into() } else { format!("{at}.{name}") };
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let remedy = crate::suggest::remedy(&text, list.iter().copied(), "use one of them");
            self.fault(&path, text, format!("one of {}", list.join(", ")), remedy);
        }
        found
    }

    pub(super) fn number(&mut self, at: &str, value: &Value) -> Option<f64> {
        let number = match value {
            Value::Float(number) => *number,
            Value::Integer(number) => *number as f64,
            other => {
                self.fault(at, other.to_string(), "a number", "write it without quotes");
                return None;
            }
        };
        // The bound keeps products of notionals and rates far from overflow.
        if number.abs() <= 1e30 {
            return Some(number + 0.0);
        }
        self.fault(at, number.to_string(), "a number is finite and at most 1e30", "correct it");
        None
    }

    /// A list of at least one number.
    fn numbers(&mut self, at: &str, value: &Value) -> Option<Vec<f64>> {
        let Value::Array(values) = value else {
            self.fault(at, value.to_string(), "a list of numbers", "write [0, 50000]");
            return None;
        };
        if values.is_empty() {
            self.fault(at, "[]", "at least one bracket", "add the bracket from 0");
            return None;
        }
        let numbers: Vec<Option<f64>> = values.iter().map(|value| self.number(at, value)).collect();
        numbers.into_iter().collect()
    }

    /// Whether a rate or haircut lies in [0, 1].
    pub(super) fn share(&mut self, at: &str, number: f64) -> bool {
        let inside = (0.0..=1.0).contains(&number);
        if !inside {
            self.fault(at, number.to_string(), "between 0 and 1 (0.05 = 5 %)", "write it as a fraction");
        }
        inside
    }

    fn same_length(&mut self, at: &str, name: &str, expected: usize, found: usize) -> Option<()> {
        if expected == found {
            return Some(());
        }
        let rule = format!("one {name} for each bracket: {expected}, not {found}");
        self.fault(at, "", rule, "add or remove entries");
        None
    }
}
