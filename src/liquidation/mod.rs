//! From "breached" to what the exchange loses: who is liquidated in which order and by how much, what that does to prices and to
//! everybody else, who pays.
//! Liquidation: what happens to pools below their maintenance margin.

pub mod cut;
pub mod price;

pub mod path;
