//! "Did you mean": the known word nearest to a misspelled one.

/// The candidate with the fewest slips of the keyboard (a wrong, missing, added or swapped letter, case ignored) for its
/// length, if one is near enough to be worth proposing. Of equals it is one as long as `word`, then the first in the
/// alphabet, whatever order the candidates come in.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR_ENOUGH: f64 = 0.6;
    let word = word.trim().to_lowercase();
    let length = word.chars().count();
    let mut best: Option<(f64, bool, &str)> = None;
    for candidate in candidates {
        let slips = strsim::osa_distance(&word, &candidate.to_lowercase());
        let candidate_length = candidate.chars().count();
        let likeness = 1.0 - slips as f64 / length.max(candidate_length).max(1) as f64;
        let same_length = candidate_length == length;
        let better = |(most, as_long, chosen): (f64, bool, &str)| {
            (likeness, same_length) > (most, as_long)
                || ((likeness, same_length) == (most, as_long) && candidate < chosen)
        };
        if likeness >= NEAR_ENOUGH && best.is_none_or(better) {
            best = Some((likeness, same_length, candidate));
        }
    }
    best.map(|(_, _, candidate)| candidate)
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
        assert_eq!(closest("USTD", ["USD", "USDT"]), Some("USDT"));
        assert_eq!(closest("ab1", ["ab3", "ab2"]), Some("ab2"));
        assert_eq!(closest("zzz", ["account", "quantity"]), None);
    }
}
