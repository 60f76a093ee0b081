use std::collections::BTreeSet;

use crate::domain::Underlying;

/// Names of the `price:` factors that move the underlyings, sorted by bytes, each once.
pub fn price_factors(underlyings: &[Underlying]) -> Vec<String> {
    let names: BTreeSet<&str> = underlyings.iter().map(|underlying| underlying.factor.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The candidate most like a mistyped `name` (Jaro–Winkler, case ignored), if any is near; ties: the first.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.75;
    let name = name.to_lowercase();
    let mut best = None;
    for candidate in candidates {
        let likeness = strsim::jaro_winkler(&name, &candidate.to_lowercase());
        if likeness >= NEAR && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// "did you mean X?", or a plain remedy where nothing is near.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, candidates) {
        Some(candidate) => format!("did you mean {candidate}?"),
        None => "nothing like it is known".into(),
    }
}
