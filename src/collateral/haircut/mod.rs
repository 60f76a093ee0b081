//! Haircuts from history: how far a collateral fell while it would have been sold, what selling it costs, whether its peg
//! held, and what all of that makes of the classes of a rulebook.

mod class;
mod combined;
mod falls;
mod history;
mod liquidity;
mod market;
mod past;
mod peg;
mod procyclical;
mod propose;
mod replay;
mod sample;
mod steps;
mod tail;
#[cfg(test)]
mod tests;
mod walk;
mod wrong_way;

pub use class::{ClassChange, classes};
pub use combined::{combined, under_total_cap};
pub use falls::{Fall, worst_falls};
pub use history::{Course, History};
pub use liquidity::{Liquidity, Volume};
pub use market::{MarketFall, TooShort};
pub use peg::{PegBreak, Pegs};
pub use procyclical::{Floor, StepLimit};
pub use propose::{AssetHaircut, Settings, Tier, TotalCap, propose};
pub use replay::{Held, Replay, ReplayDay, ReplayRule, ReplaySettings, replay, total_losses};
pub use sample::Sample;
pub use steps::Steps;
pub use tail::{Estimate, Evidence, Tail};
pub use walk::{WalkForward, walk_forward};
pub use wrong_way::{WrongWayPair, wrong_way_component, wrong_way_pairs};
