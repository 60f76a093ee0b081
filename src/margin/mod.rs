//! Margin rules: one file per rule, with its data, its direct formula and its lowering to the margin program.

mod book_check;
mod bracket;
pub mod component;
mod explain;
mod explain_option;
mod explain_requirement;
pub mod expression;
pub mod file;
mod formula;
mod haircut;
mod holding;
mod open_interest;
mod option;
mod option_groups;
mod option_rows;
mod option_spread;
mod order;
mod pool;
mod requirement;
mod row_sheet;
mod rulebook;
mod rules;
mod scalar;
mod size;
mod size_rows;

pub use pool::{Equity, MarginSide, Market, Requirement, Setting};
pub use rules::Rules;

pub use book_check::check_book;
pub use bracket::{Form, Schedule};
pub use component::Component;
pub use explain::{Basis, Bracket, Term, TermKind, TermSums};
pub use explain_option::{OptionBasis, SpreadBasis};
pub use explain_requirement::ComponentStatement;
pub use expression::Expression;
pub use file::ByName;
pub use haircut::{HaircutBase, HaircutSchedule, SizeUnit};
pub use option::{Branch, MarkIn, OptionClass, OptionReference, OptionRequirement, ShortMarket, ShortRequirement};
pub use option_rows::{GroupRows, MarginRows, OptionRows, revalue};
pub use option_spread::OptionSpread;
pub use order::OrderReserve;
pub use rulebook::{MarginClass, MoveSet, RequirementRule, Rulebook};
pub use scalar::Scalar;
pub use size::{Growth, OpenInterestRate, SizeCurve, SizeFunction};
pub use size_rows::ClassRows;
