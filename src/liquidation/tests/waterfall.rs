//! Who pays.
