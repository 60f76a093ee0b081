use std::path::Path;

use ndarray::Array2;

use super::{Encoding, TABLE, binary, text};
use crate::error::{Error, Fault, Result};
use crate::scenario::{Factor, FactorKind, ScenarioSet};
use crate::suggest::closest;

/// Most faults kept: a wrong file of millions of cells must not fill the memory.
const MOST_FAULTS: usize = 10_000;

/// Reads a scenario set and checks it.
///
/// Columns: `scenario` (text, or integers read as decimal text), `weight` (default 1, also for an empty cell), `label`
/// (default empty), and one per factor, in any order. An empty or NULL shock is NaN in the set: not quoted.
///
/// # Errors
/// [`Error::Usage`] for an unknown extension; [`Error::Io`] where the file cannot be opened; [`Error::Refused`] with every
/// fault, by row, column and value: no `scenario` column, an unknown or repeated column, a cell that is not a finite number
/// in range, a repeated id, a row of another width, text that is not UTF-8, a broken or empty file.
pub fn read(path: &Path) -> Result<ScenarioSet> {
    let encoding = Encoding::of(path)?;
    let file = std::fs::File::open(path).map_err(|source| Error::io(path, source))?;
    let mut draft = match encoding {
        Encoding::Csv => text::read(file),
        Encoding::Parquet => binary::read_parquet(file),
        Encoding::Arrow => binary::read_arrow(file),
    };
    draft.finish()
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Scenario,
    Weight,
    Label,
    /// Position among the factors.
    Factor(usize),
    /// A refused column, whose cells are skipped.
    Refused,
}

/// A scenario set being read, with the faults found so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub roles: Vec<Role>,
    names: Vec<String>,
    factors: Vec<Factor>,
    pub ids: Vec<String>,
    pub weights: Vec<f64>,
    pub labels: Vec<String>,
    /// Row-major, as many rows as ids.
    pub shocks: Vec<f64>,
    faults: Vec<Fault>,
    untold: usize,
}

impl Draft {
    /// Reads the header: every column gets its role, wrong ones a fault.
    pub fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut draft = Self::default();
        for name in header {
            let role = draft.role(name);
            if role != Role::Refused && draft.names.iter().any(|earlier| earlier == name) {
                draft.fault(Fault::of_table(TABLE, format!("column {name} stands once"), "remove the second one"));
                draft.roles.push(Role::Refused);
            } else {
                if let Role::Factor(_) = role {
                    draft.factors.extend(Factor::parse(name));
                }
                draft.roles.push(role);
            }
            draft.names.push(name.into());
        }
        if !draft.roles.contains(&Role::Scenario) {
            let rule = "a scenario set has a column named scenario";
            draft.fault(Fault::of_table(TABLE, rule, "add a column of unique ids"));
        }
        draft
    }

    fn role(&mut self, name: &str) -> Role {
        match name {
            "scenario" => Role::Scenario,
            "weight" => Role::Weight,
            "label" => Role::Label,
            _ if Factor::parse(name).is_some() => Role::Factor(self.factors.len()),
            _ => {
                self.fault(unknown_column(name));
                Role::Refused
            }
        }
    }

    /// Factors accepted so far.
    pub fn width(&self) -> usize {
        self.factors.len()
    }

    /// Notes a fault; after 10,000 only counts them.
    pub fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        } else {
            self.untold += 1;
        }
    }

    /// Notes a fault of one cell. `row` counts data rows from 0.
    pub fn cell_fault(&mut self, row: usize, column: usize, value: &str, rule: &str, remedy: &str) {
        let name = self.names[column].clone();
        self.fault(Fault::of_cell((TABLE, row as u64 + 1, &name), value, rule, remedy));
    }

    /// A number from text; `None` for an empty cell. What is not a finite number becomes a fault and then `None`.
    pub fn number(&mut self, row: usize, column: usize, text: &str) -> Option<f64> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return None;
        }
        match trimmed.parse::<f64>() {
            Ok(value) if value.is_finite() => Some(value),
            Ok(_) => {
                self.not_finite(row, column, text);
                None
            }
            Err(_) => {
                self.cell_fault(row, column, text, "a shock or weight is a number", "correct it, or leave it empty");
                None
            }
        }
    }

    /// Notes NaN, an infinity, or a number beyond the range of f64.
    pub fn not_finite(&mut self, row: usize, column: usize, value: &str) {
        self.cell_fault(row, column, value, "a number is finite", "leave the cell empty for not quoted");
    }

    /// Checks the whole and gives the set.
    pub fn finish(&mut self) -> Result<ScenarioSet> {
        let shape = (self.ids.len(), self.factors.len());
        let shocks = Array2::from_shape_vec(shape, std::mem::take(&mut self.shocks))
            .map_err(|error| Error::Bug(error.to_string()))?;
        let set = ScenarioSet {
            ids: std::mem::take(&mut self.ids),
            weights: std::mem::take(&mut self.weights),
            labels: std::mem::take(&mut self.labels),
            factors: std::mem::take(&mut self.factors),
            shocks,
        };
        // Without ids every row would be refused once more for its empty name.
        if self.roles.contains(&Role::Scenario) {
            set.faults().into_iter().for_each(|fault| self.fault(fault));
        }
        if self.untold > 0 {
            let rule = format!("{} more faults are not listed", self.untold);
            self.faults.push(Fault::of_table(TABLE, rule, "correct these first"));
        }
        if self.faults.is_empty() { Ok(set) } else { Err(Error::Refused(std::mem::take(&mut self.faults))) }
    }
}

fn unknown_column(name: &str) -> Fault {
    let prefixes = FactorKind::ALL.map(FactorKind::prefix);
    let known = prefixes.map(|prefix| if prefix == "time" { "time".into() } else { format!("{prefix}:NAME") });
    let rule = format!("a column is scenario, weight, label or one of {}", known.join(", "));
    let remedy = match name.split_once(':') {
        Some((prefix, "")) => format!("name what {prefix}: shocks"),
        Some((prefix, rest)) => match closest(prefix, prefixes) {
            Some(prefix) => format!("did you mean {prefix}:{rest}?"),
            None => "the list of factors is closed".into(),
        },
        None => match closest(name, ["scenario", "weight", "label", "time"]) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("did you mean price:{name}?"),
        },
    };
    Fault { column: name.into(), ..Fault::of_table(TABLE, rule, remedy) }
}
