//! One test binary: properties of the engines, with the engine as a parameter.

mod books;
mod bound;
mod engines;
mod properties;
