//! Margin that follows forecasts: multipliers by step, and what they would have done over a history.

mod accounts;
mod apply;
mod excursion;
mod figures;
mod measure;
mod path;
mod reason;
mod replay;
mod scale;
#[cfg(test)]
mod tests;

pub use accounts::{AccountFigures, Against, Population};
pub use apply::apply;
pub use excursion::{Direction, Prices};
pub use figures::{Figures, figures};
pub use measure::{DayTests, Measured};
pub use path::{Follower, Move, Path, Step, Subject, follow};
pub use reason::{Change, Reason};
pub use replay::{Replay, Series, Terms, replay};
