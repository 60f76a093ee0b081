//! Prices from several sources: which quotes count, what they amount to, and what the result may be used for.
//!
//! [`form()`] makes one price of the quotes of a subject; [`mark()`] sets it beside the order book, [`StablePrice`] follows it
//! slowly, [`conservative()`] bounds it by side, [`Validity`] says which [`Action`] may rely on it, and [`capture`] what moving it
//! costs. [`assess()`] does all of it.

pub mod capture;

mod assess;
mod conservative;
mod cover;
mod form;
mod mark;
mod policy;
mod quote;
mod resolve;
mod stable;
mod validity;
mod vote;

pub use assess::{Assessment, Evidence, assess};
pub use conservative::{BySide, conservative};
pub use form::{Dropped, Formed, Reason, Verdict, form};
pub use mark::{MarkInputs, diverges, mark};
pub use policy::{Aggregation, NonPositive, OraclePolicies, OraclePolicy, Ties};
pub use quote::{Quote, SourceStatus};
pub use resolve::{Resolved, has_sources, is_of_sources, resolve};
pub use stable::{StablePolicy, StablePrice};
pub use validity::{Action, Tolerance, Validity, classify};

#[cfg(test)]
mod tests;
