//! Market values in f64: what one contract is worth at a mark, options by Black's formula with their Greeks, and the rows
//! of values under every scenario.

mod black;
mod contract;
mod european;
mod greeks;
mod implied;
mod moved;
mod option_row;
mod payoff;
mod revalue;
mod rows;
mod shocked;
mod sight;
pub mod single;
mod volatility;
mod volatility_move;

pub use contract::ContractValue;
pub use european::{European, Numeraire, OptionMarket, Priced};
pub use greeks::Greeks;
pub use implied::ImpliedError;
pub use moved::{Move, MovedValues, VolatilityChange};
pub use option_row::OptionRow;
pub use payoff::{entry_value, option_unit_value, unit_value};
pub use revalue::{BLOCK, OptionMarkets, price_block};
pub use rows::{Column, Rows, Unshocked, revalue};
pub use shocked::{ShockedMarket, YEAR_SECONDS, european};
pub use volatility::LevelScale;
pub use volatility_move::{SkewForm, SkewMove, TermScale, VolatilityMove};

#[cfg(test)]
mod tests;
