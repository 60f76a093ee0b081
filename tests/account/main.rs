//! Portable margin accounts: round trips, the golden file, everything that is refused, the command line.

mod command;
mod example;
mod malformed;
mod round_trip;
mod signatures;
mod taking_in;
