//! Numbers the direct formulas are evaluated in.
