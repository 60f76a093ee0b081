//! Margin rules: one file per rule, with its data, its direct formula and its lowering to the margin program.

mod book_check;
mod file;
mod rulebook;

pub use book_check::check_book;
pub use rulebook::{Form, HaircutBase, HaircutSchedule, MarginClass, OrderReserve, Rulebook, Schedule, SizeUnit};
