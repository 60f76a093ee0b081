//! The margin program.
