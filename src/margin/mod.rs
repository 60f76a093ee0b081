//! Margin rules: one file per rule, with its data, its direct formula and its lowering to the margin program.

mod rulebook;

pub use rulebook::{Form, HaircutBase, HaircutSchedule, MarginClass, OrderReserve, Rulebook, Schedule, SizeUnit};
