//! Components of portfolio margin: `[component.NAME]` in a rulebook, one kind per file.

pub use super::file::Kind;

/// Every kind of component that a rulebook may name.
pub const KINDS: &[Kind] = &[];
