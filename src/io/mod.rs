//! Tables on disk.

pub mod panel;
pub mod scenario_file;
