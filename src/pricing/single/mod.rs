//! Options in f32, as a device prices them: the formula of `shaders/revalue.wgsl` in any arithmetic, its inputs, and a bound
//! on what the device may get wrong (`NUMERICS.md` §12). Needs no device.

mod arithmetic;
mod bounded;
mod chain;
pub mod formula;
mod row_bound;

pub use arithmetic::Arithmetic;
pub use bounded::{BOUNDED_LANES, Bounded};
pub use chain::{Chain, ContractTerms, MARKET_FIELDS, RATE_FIELDS, market_of, rates_of, terms_of};
pub use row_bound::{output_bounds, row_bound};
