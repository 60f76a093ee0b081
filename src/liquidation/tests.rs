//! Small exchanges taken to their end.

mod cascade;
mod fixture;
mod oracle;
mod waterfall;
