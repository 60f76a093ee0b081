//! Synthetic exchanges, of any size, from a seed.
//!
//! Everything is a pure function of the seed: account `k` is the same in a book of ten and in a book of ten million, on
//! every machine, because each account draws from its own ChaCha8 stream and every transcendental function is `libm`'s.
//!
//! A [`Market`] comes from the built-in list of names or from the margin classes of a rulebook; [`rulebook`] makes
//! bracket tables and haircuts for it; [`Accounts`] generates pools, batch by batch; [`snapshot`] puts a small exchange
//! together in memory.

mod accounts;
mod collateral;
mod estimate;
mod listing;
mod market;
mod names;
mod networks;
mod premium;
mod quotes;
mod random;
mod rulebook;
mod strategy;
mod symbol;

pub use accounts::{Accounts, Options, SynthPool};
pub use estimate::{Estimate, Estimator};
pub use market::{Market, MarketOptions, OptionListing};
pub use networks::add_route_classes;
pub use quotes::{SynthQuote, quotes};
pub use rulebook::{add_haircuts, option_class, rulebook};

use crate::domain::{BookBuilder, Snapshot};
use crate::error::Result;
use crate::margin::Rulebook;

/// The whole synthetic exchange in memory: the market and the pools of accounts `0..options.accounts`.
///
/// # Errors
/// As [`Accounts::new`].
pub fn snapshot(market: &Market, rulebook: &Rulebook, options: Options) -> Result<Snapshot> {
    let accounts = Accounts::new(market, rulebook, options)?;
    let mut builder = BookBuilder::default();
    for pool in accounts.pool_batch(0..options.accounts) {
        let id = builder.pool(&pool.account, &pool.pool);
        pool.balances.into_iter().for_each(|balance| builder.add_balance(id, balance));
        pool.positions.into_iter().for_each(|position| builder.add_position(id, position));
    }
    Ok(market.snapshot(builder.build()))
}

#[cfg(test)]
mod tests;
