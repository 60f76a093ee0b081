//! One test binary: properties of the engines, with the engine as a parameter.

mod books;
#[cfg(all(feature = "cli", feature = "gpu"))]
mod doctor;
mod engines;
#[cfg(feature = "gpu")]
mod shaders;
