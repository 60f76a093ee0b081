use std::collections::BTreeSet;

use crate::domain::Underlying;

/// Names of the `price:` factors that move the underlyings, sorted by bytes, each once.
pub fn price_factors(underlyings: &[Underlying]) -> Vec<String> {
    let names: BTreeSet<&str> = underlyings.iter().map(|underlying| underlying.factor.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}
