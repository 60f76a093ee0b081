//! Which accounts change state between two arrangements.

use super::split::accounts;
use crate::domain::Book;
use crate::engine::{PoolOutcome, State};

/// The worst state that any pool of each account has at base or in any scenario, in account order; unknown where one is.
pub fn account_states(book: &Book, outcomes: &[PoolOutcome]) -> Vec<State> {
    let worst = |pools: &[PoolOutcome]| pools.iter().map(PoolOutcome::worst_state).min().unwrap_or(State::Unknown);
    accounts(book).map(|pools| worst(&outcomes[pools])).collect()
}

/// Accounts by the state they have in one arrangement (row) and in another (column), in the order of [`State::ALL`].
pub fn state_matrix(from: &[State], to: &[State]) -> [[u64; 5]; 5] {
    let place = |state: &State| State::ALL.iter().position(|candidate| candidate == state).unwrap_or(4);
    let mut matrix = [[0; 5]; 5];
    for (from, to) in from.iter().zip(to) {
        matrix[place(from)][place(to)] += 1;
    }
    matrix
}
