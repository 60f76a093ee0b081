//! Collateral, or a whole account, from one pool to another without closing a position: two pools of one venue, or two
//! venues with rules of their own.
//!
//! `protocol` is the two-phase exchange of messages, over whole quanta: a lot is credited at most once, whatever is lost, late,
//! doubled or out of order. `course` drives it through its states, `credit` says what each side may count in them, `cargo` and
//! `account` what moves, `side` decides every state under every scenario exactly and sweeps it on the engine, `largest` finds the
//! most that may move. [`transfer`] plans all of it before anything is touched.

mod account;
mod cargo;
mod course;
mod credit;
mod grid;
mod holdings;
mod largest;
mod outcome;
mod plan;
mod protocol;
mod run;
mod side;
mod venue;

#[cfg(test)]
mod tests;

pub use course::State;
pub use holdings::Holdings;
pub use outcome::{Breach, Check, Item, ItemKind, Outcome, SideName, SideOutcome, StepOutcome, Test};
pub use plan::{Absent, Cargo, LotAmount, LotRequest, Plan, Positions, Reopening, Route, Standing, Target};
pub use run::transfer;
pub use venue::{Relation, Venue, Venues};
