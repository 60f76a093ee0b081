//! Collateral that is held on other networks and credited here over routes.
//!
//! A lot on a route is an asset of its own ([`crate::domain::Custody`]), so engines know nothing of routes. What it counts for
//! is a haircut class of its own ([`haircut`], [`credit_routes`]); what happens to a route is factors of its assets
//! ([`resolve`]).

pub mod haircut;
mod resolve;
mod terms;

pub use resolve::resolve;
pub use terms::{Credit, FundLimit, RouteClass, RouteTotals, credit_routes};

#[cfg(test)]
mod tests;
