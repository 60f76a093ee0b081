//! The nouns of an exchange's book. No mathematics: values, requirements and shocks live on the floors above.

mod asset;
mod book;
mod custody;
mod haircut_curve;
mod holding;
mod instrument;
mod lot;
mod mode;
mod route;
mod snapshot;
mod underlying;
mod volatility;

pub use asset::Asset;
pub use book::{Book, BookBuilder, Pool, PoolSettings, SortedBook};
pub use custody::{Custody, CustodyStatus, renumber_assets, sort_in};
pub use haircut_curve::HaircutCurve;
pub use holding::{Balance, Position, Side};
pub use instrument::{Instrument, Kind, Payoff, Premium, Right};
pub use lot::{LotIndex, LotTerms, Lots};
pub use mode::Mode;
pub use route::{Latency, Route};
pub use snapshot::{Order, Snapshot};
pub use underlying::Underlying;
pub use volatility::VolatilityShock;

/// Index of an asset in [`Snapshot::assets`].
pub type AssetIndex = u32;
/// Index of an underlying in [`Snapshot::underlyings`].
pub type UnderlyingIndex = u32;
/// Index of an instrument in [`Snapshot::instruments`].
pub type InstrumentIndex = u32;
