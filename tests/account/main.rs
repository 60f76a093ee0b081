//! Portable margin accounts: round trips, the golden file, everything that is refused, lots on routes, the command line.

mod command;
mod example;
mod malformed;
mod on_routes;
mod round_trip;
mod signatures;
mod taking_in;
