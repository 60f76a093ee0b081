//! "Did you mean": the known word nearest to a misspelled one.

/// The candidate most like `word`, ignoring case, if one is near enough to be worth proposing; ties go to the first.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR_ENOUGH: f64 = 0.8;
    let word = word.trim().to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let likeness = strsim::jaro_winkler(&word, &candidate.to_lowercase());
        if likeness >= NEAR_ENOUGH && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A remedy: `did you mean "…"?` where a candidate is near, `otherwise` where none is.
pub(crate) fn remedy<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    match closest(word, candidates) {
        Some(candidate) => format!("did you mean {candidate:?}?"),
        None => otherwise.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposes_only_what_is_near() {
        assert_eq!(closest("quanttiy", ["account", "quantity"]), Some("quantity"));
        assert_eq!(closest("btcusdt", ["BTCUSDT", "ETHUSDT"]), Some("BTCUSDT"));
        assert_eq!(closest("zzz", ["account", "quantity"]), None);
    }
}
