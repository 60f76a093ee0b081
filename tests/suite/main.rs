//! One test binary: properties of the engines, with the engine as a parameter.

#![expect(clippy::print_stdout, reason = "what was tested, and on which adapter, is said with --nocapture")]

mod books;
mod bound;
#[cfg(feature = "cli")]
mod compare_command;
mod component_books;
mod component_properties;
mod component_rules;
mod components;
#[cfg(all(feature = "cli", feature = "gpu"))]
mod doctor;
mod engines;
mod exactness;
mod greeks;
mod liquidation;
mod option_books;
#[cfg(all(feature = "cli", feature = "gpu"))]
mod option_commands;
mod options;
mod overlay;
mod properties;
mod revalue;
#[cfg(feature = "gpu")]
mod shaders;
mod views;
