//! Synthetic exchanges, of any size, from a seed.
