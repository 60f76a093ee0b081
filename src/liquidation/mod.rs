//! What follows a breach: who is cut, at which price, and who bears the rest.

pub mod deleverage;
pub mod fixed_point;
pub mod impact;
