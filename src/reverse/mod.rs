//! Reverse stress: the most plausible scenario that brings a target about.
//!
//! `ellipsoid` says how plausible a joint move is, by its Mahalanobis radius; `linear` is the closed form for a linear book.
//! Any other book is asked: `ray` follows directions outwards on the engine until the target is first reached, `refine`
//! shortens the nearest finds, `search` puts them together and checks the answers by a last sweep, `buffer` moves one factor
//! at a time, `evidence` looks for the like in a history.

mod buffer;
mod ellipsoid;
mod evidence;
mod linear;
mod probe;
mod ray;
mod refine;
mod search;
mod target;

pub use buffer::{Buffer, Crossing};
pub use ellipsoid::{Ellipsoid, Moves, Spread};
pub use evidence::{Evidence, History, Replay};
pub use linear::{LinearAnswer, most_plausible};
pub use probe::Question;
pub use search::{Answer, Findings, Furthest, SearchOptions, SingleFactors, reverse};
pub use target::Target;
