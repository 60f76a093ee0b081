//! From "breached" to what the exchange loses: who is liquidated in which order and by how much, what that does to prices and to
//! everybody else, who pays.

pub mod path;
