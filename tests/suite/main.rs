//! One test binary: properties of the engines, with the engine as a parameter.

mod books;
mod bound;
#[cfg(all(feature = "cli", feature = "gpu"))]
mod doctor;
mod engines;
mod exactness;
mod properties;
#[cfg(feature = "gpu")]
mod shaders;
