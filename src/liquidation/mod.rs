//! From "breached" to what the exchange loses: who is liquidated in which order and by how much, what that does to prices and to
//! everybody else, who pays.
//!
//! [`liquidate`] takes scenarios or paths to their end, in rounds on frozen marks. `sequence` is one round of one scenario; each of
//! its steps stands in a file of its own. Money and contracts are whole quanta, and after every round the ledger proves that what
//! left one account arrived in another.

mod auto_deleverage;
mod books;
mod cascade;
mod close_out;
pub mod critical;
pub mod cut;
pub mod deleverage;
pub mod event;
mod figures;
mod fit;
pub mod fixed_point;
mod funds;
pub mod impact;
mod ledger;
mod log;
mod marks;
mod money;
pub mod path;
mod plan;
pub mod price;
mod program_rule;
mod run;
mod screen;
mod sequence;
mod settle;
mod socialise;
mod state;
mod step_down;
mod summary;
mod take_over;
mod tally;

#[cfg(test)]
mod tests;

pub use cascade::{Options, Recorder, liquidate};
pub use event::{Action, Cause, Event, Health, Party};
pub use figures::{Figure, Totals};
pub use fit::check;
pub use money::Quanta;
pub use path::Path;
pub use state::Stage;
pub use summary::{BookFigures, Ending, Ladder, Outcome, RoundFigures, Seconds, Summary};
pub use tally::Tally;
