//! Margin rules: one file per rule, with its data, its direct formula and its lowering to the margin program.

mod book_check;
mod bracket;
mod by_name;
pub mod component;
mod explain;
mod explain_option;
mod file;
mod haircut;
mod option;
mod option_groups;
mod option_rows;
mod option_spread;
mod order;
mod pool;
mod row_sheet;
mod rulebook;
mod rules;

pub use pool::{Equity, Margin, Market, Requirement, Setting};
pub use rules::Rules;

pub use book_check::check_book;
pub use bracket::{Form, Schedule};
pub use by_name::ByName;
pub use component::Component;
pub use explain::{Basis, Bracket, Term, TermKind, TermSums};
pub use explain_option::{OptionBasis, SpreadBasis};
pub use haircut::{HaircutBase, HaircutSchedule, SizeUnit};
pub use option::{Branch, MarkIn, OptionClass, OptionReference, OptionRequirement, ShortMarket, ShortRequirement};
pub use option_rows::{GroupRows, MarginRows, OptionRows, revalue};
pub use option_spread::OptionSpread;
pub use order::OrderReserve;
pub use rulebook::{MarginClass, Rulebook};
