//! Margin rules: one file per rule, with its data, its direct formula and its lowering to the margin program.

mod book_check;
mod bracket;
mod explain;
mod file;
mod haircut;
mod order;
mod pool;
mod rulebook;
mod rules;

pub use pool::{Equity, Market, Requirement, Setting};
pub use rules::Rules;

pub use book_check::check_book;
pub use bracket::{Form, Schedule};
pub use explain::{Basis, Bracket, Component, Term, TermSums};
pub use haircut::{HaircutBase, HaircutSchedule, SizeUnit};
pub use order::OrderReserve;
pub use rulebook::{MarginClass, Rulebook};
