//! A rulebook file whose numbers can be changed; comments and order stay.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item, Value};

use super::path::{Step, written};
use crate::error::{Error, Fault, Result, one_line};
use crate::margin::{MoveSet, Rulebook};
use crate::suggest;

/// A rulebook as it is written.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    tree: DocumentMut,
    /// Sets of moves that were read beside the file.
    sets: BTreeMap<String, MoveSet>,
}

/// Where one number stands: names and elements, no star.
pub(super) type Place = Vec<Step>;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// What the stars of the path stand for, parted by dots; empty without a star.
    pub(super) stands_for: String,
    /// Where numbers stand, and which.
    pub(super) numbers: Vec<(Place, f64)>,
}

/// Which numbers a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The one number at its end.
    Number,
    /// That number, or every number of the list at its end.
    Numbers,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) rule: String,
    pub(super) remedy: String,
}

impl Document {
    /// The file of a rulebook that has been read from it, sets of moves included. `name` is the file's name in faults.
    ///
    /// # Errors
    /// [`Error::Configuration`] where the text is no TOML.
    pub fn new(name: &str, text: &str, rulebook: &Rulebook) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let tree = text.parse::<DocumentMut>().map_err(|error| {
            let rule = format!("not a readable TOML file: {}", one_line(error.message()));
            Error::Configuration(vec![Fault::of_table(name, rule, "correct the file")])
        })?;
        Ok(Self { name: name.into(), tree, sets: rulebook.sets.clone() })
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        self.tree.to_string()
    }

    /// The rulebook that is written.
    ///
    /// # Errors
    /// [`Error::Configuration`] with every fault, as [`Rulebook::parse`].
    pub fn rulebook(&self) -> Result<Rulebook> {
        let mut rulebook = Rulebook::parse(&self.text(), &self.name)?;
        for (key, set) in &mut rulebook.sets {
            // Numbers alone change: the files that sets name are those that were read.
            if let Some(read) = self.sets.get(key).filter(|read| read.file == set.file) {
                set.moves.clone_from(&read.moves);
            }
        }
        Ok(rulebook)
    }

    /// The same file with other numbers at these places, which [`Document::find`] has answered.
    pub(super) fn with<'p>(&self, edits: impl Iterator<Item = (&'p Place, f64)>) -> Self {
        let mut edited = self.clone();
        for (place, number) in edits {
            if let Some(Item::Value(value)) = item_mut(edited.tree.as_item_mut(), place) {
                let decor = value.decor().clone();
                *value = Value::from(number);
                *value.decor_mut() = decor;
            }
        }
        edited
    }

    /// The number at a place.
    pub(super) fn number(&self, place: &Place) -> Option<f64> {
        number(place.iter().try_fold(self.tree.as_item(), child)?)
    }

    /// What a path leads to, one for each name that its stars stand for, in the order of the file. Names below a star that do
    /// not have the rest of the path are left out.
    pub(super) fn find(&self, path: &[Step], reach: Reach) -> Result<Vec<Found>, Flaw> {
        let mut found = Vec::new();
        let mut flaw = None;
        let mut is_wrong = false;
        let mut walk = Walk { path, reach, found: &mut found, flaw: &mut flaw, is_wrong: &mut is_wrong };
        walk.from(self.tree.as_item(), &mut Vec::new(), &mut Vec::new());
        match flaw {
            Some(flaw) if found.is_empty() || is_wrong => Err(flaw),
            _ => Ok(found),
        }
    }
}

/// A search along a path.
struct Walk<'a> {
    path: &'a [Step],
    reach: Reach,
    found: &'a mut Vec<Found>,
    /// Why the first way ended.
    flaw: &'a mut Option<Flaw>,
    /// Whether something stands at the end of the path that is no such number.
    is_wrong: &'a mut bool,
}

impl Walk<'_> {
    fn from(&mut self, item: &Item, place: &mut Place, stars: &mut Vec<String>) {
        match self.path.get(place.len()) {
            None => self.end(item, place, stars),
            Some(Step::Every) => {
                let names: Vec<String> = names(item).collect();
                if names.is_empty() {
                    self.stop("a star stands for the names of a table".into(), "correct the path".into());
                }
                for name in names {
                    let step = Step::Name(name.clone());
                    let Some(child) = child(item, &step) else { continue };
                    stars.push(name);
                    place.push(step);
                    self.from(child, place, stars);
                    place.pop();
                    stars.pop();
                }
            }
            Some(step) => match child(item, step) {
                Some(child) => {
                    place.push(step.clone());
                    self.from(child, place, stars);
                    place.pop();
                }
                None => self.missing(item, place, step),
            },
        }
    }

    fn end(&mut self, item: &Item, place: &Place, stars: &[String]) {
        let mut numbers = Vec::new();
        let is_whole = collect(item, place, self.reach, &mut numbers);
        if is_whole && !numbers.is_empty() {
            self.found.push(Found { stands_for: stars.join("."), numbers });
            return;
        }
        let what = match self.reach {
            Reach::Number => "a number",
            Reach::Numbers => "a number or a list of numbers",
        };
        let remedy = match (self.reach, item.is_array()) {
            (Reach::Number, true) => "name one element, [0], or write how = \"scale\" or \"at_least\"".into(),
            _ => suggest_names(item, "", "name a key that holds a number"),
        };
        if !*self.is_wrong {
            *self.is_wrong = true;
            *self.flaw = Some(Flaw { rule: format!("{what} stands at {}", written(place)), remedy });
        }
    }

    fn missing(&mut self, item: &Item, place: &[Step], step: &Step) {
        let mut whole = place.to_vec();
        whole.push(step.clone());
        let rule = format!("{} stands in the rulebook file", written(&whole));
        let remedy = match step {
            Step::Name(name) => suggest_names(item, name, "write the key into the file, or correct the path"),
            Step::Every | Step::Element(_) => "correct the path".into(),
        };
        self.stop(rule, remedy);
    }

    fn stop(&mut self, rule: String, remedy: String) {
        self.flaw.get_or_insert(Flaw { rule, remedy });
    }
}

/// A remedy that names what is near, or what there is.
fn suggest_names(item: &Item, name: &str, otherwise: &str) -> String {
    const SHOWN: usize = 12;
    let known: Vec<String> = names(item).collect();
    let shown: Vec<&str> = known.iter().map(String::as_str).take(SHOWN).collect();
    let otherwise = match shown.is_empty() {
        true => otherwise.to_string(),
        false => format!("{otherwise}; there: {}{}", shown.join(", "), if known.len() > SHOWN { ", …" } else { "" }),
    };
    suggest::remedy(name, known.iter().map(String::as_str), &otherwise)
}

/// Appends the numbers of an item; answers whether there was nothing else.
fn collect(item: &Item, place: &Place, reach: Reach, numbers: &mut Vec<(Place, f64)>) -> bool {
    if let Some(number) = number(item) {
        numbers.push((place.clone(), number));
        return true;
    }
    let Some(list) = item.as_array().filter(|_| reach == Reach::Numbers) else { return false };
    (0..list.len()).all(|element| {
        let mut below = place.clone();
        below.push(Step::Element(element));
        item.get(element).is_some_and(|item| collect(item, &below, reach, numbers))
    })
}

fn number(item: &Item) -> Option<f64> {
    item.as_float().or_else(|| item.as_integer().map(|integer| integer as f64))
}

fn names(item: &Item) -> impl Iterator<Item = String> {
    item.as_table_like().into_iter().flat_map(|table| table.iter().map(|(name, _)| name.to_string()))
}

fn child<'i>(item: &'i Item, step: &Step) -> Option<&'i Item> {
    match step {
        Step::Name(name) => item.get(name.as_str()),
        Step::Element(element) => item.get(*element),
        Step::Every => None,
    }
}

fn item_mut<'i>(root: &'i mut Item, place: &Place) -> Option<&'i mut Item> {
    place.iter().try_fold(root, |item, step| match step {
        Step::Name(name) => item.get_mut(name.as_str()),
        Step::Element(element) => item.get_mut(*element),
        Step::Every => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::path::parse;
    use super::*;

    const TEXT: &str = "\
version = 1 # the format
[margin.A.maintenance]
form = \"flat\"
rate = 0.05 # half of initial
[margin.\"B.C\"]
maintenance = { form = \"marginal\", from = [0, 100], rate = [0.01, 0.02] }
";

    fn document() -> Document {
        Document::new("rulebook.toml", TEXT, &Rulebook::default()).expect("TOML")
    }

    fn find(path: &str, reach: Reach) -> Result<Vec<Found>, Flaw> {
        document().find(&parse(path).expect("a path"), reach)
    }

    #[test]
    fn numbers_change_and_nothing_else_does() {
        let document = document();
        let rates = find("margin.*.maintenance.rate", Reach::Numbers).expect("two rates");
        let names: Vec<(&str, usize)> = rates.iter().map(|f| (f.stands_for.as_str(), f.numbers.len())).collect();
        assert_eq!(names, [("A", 1), ("B.C", 2)]);
        let places = rates.iter().flat_map(|found| &found.numbers);
        let edited = document.with(places.map(|(place, old)| (place, old * 2.0)));
        let expected = TEXT.replace("0.05", "0.1").replace("[0.01, 0.02]", "[0.02, 0.04]");
        assert_eq!(edited.text(), expected);
        assert_eq!(document.text(), TEXT);
        assert_eq!(edited.number(&rates[1].numbers[1].0), Some(0.04));
        assert!(edited.rulebook().is_ok(), "what is edited is still a rulebook");
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is_near() {
        let flaw = find("margin.A.maintenanse.rate", Reach::Number).expect_err("no such key");
        assert!(flaw.rule.contains("margin.A.maintenanse") && flaw.remedy.contains("\"maintenance\""), "{flaw:?}");
        let flaw = find("margin.\"B.C\".maintenance.rate", Reach::Number).expect_err("a list");
        assert!(flaw.remedy.contains("scale"), "{flaw:?}");
        let flaw = find("margin.A.maintenance.form", Reach::Numbers).expect_err("a word");
        assert!(flaw.rule.contains("number"), "{flaw:?}");
        assert!(find("version.*", Reach::Number).is_err());
        assert!(find("margin.\"B.C\".maintenance.rate[2]", Reach::Number).is_err());
        assert_eq!(find("margin.\"B.C\".maintenance.rate[1]", Reach::Number).expect("one")[0].numbers[0].1, 0.02);
        assert_eq!(find("margin.*.maintenance.from", Reach::Numbers).expect("of one class").len(), 1);
    }
}
