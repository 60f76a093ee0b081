//! One test binary: properties of the engines, with the engine as a parameter.

mod books;
mod engines;
#[cfg(feature = "gpu")]
mod shaders;
