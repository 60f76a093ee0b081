//! Rows: what one unit of an instrument or asset is worth in each scenario.
