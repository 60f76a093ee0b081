//! Margin rules: one file per rule, with its data, its direct formula and its lowering to the margin program.

mod bracket;
mod haircut;
mod pool;
mod rulebook;
mod rules;

pub use pool::{Equity, Market, Requirement, Setting};
pub use rules::Rules;

pub use rulebook::{Form, HaircutBase, HaircutSchedule, MarginClass, OrderReserve, Rulebook, Schedule, SizeUnit};
