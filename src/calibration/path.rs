//! Dotted paths into a rulebook file.

use toml_edit::Key;

use crate::margin::file;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A name in a table.
    Name(String),
    /// Every name in a table.
    Every,
    /// An element of a list, counted from 0.
    Element(usize),
}

/// Reads a path as TOML writes keys: `margin."BTC-USD".maintenance.rate`; `*` stands for every name of a table, `[k]` for an
/// element of a list.
///
/// # Errors
/// The rule that is broken.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let (step, after) = name(rest)?;
        steps.push(step);
        rest = after;
        while let Some(inner) = rest.strip_prefix('[') {
            let (number, after) = inner.split_once(']').ok_or("an element of a list is written [0]")?;
            let element =
                number.parse().map_err(|_| format!("an element of a list is a whole number, not {number:?}"))?;
            steps.push(Step::Element(element));
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Ok(steps),
            None => {
                return Err(
                    "keys are parted by dots, and quoted where they hold other signs than letters, digits, _ and -"
                        .into(),
                );
            }
        }
    }
}

/// The name at the start of a text, and what follows it.
fn name(text: &str) -> Result<(Step, &str), String> {
    if let Some(rest) = text.strip_prefix('*') {
        return Ok((Step::Every, rest));
    }
    let length = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted_length(text, quote).ok_or("a quote is not closed")?,
        _ => text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(text.len()),
    };
    let (written, rest) = text.split_at(length);
    let keys = Key::parse(written).map_err(|_| "a key stands between the dots".to_string())?;
    match keys.as_slice() {
        [key] => Ok((Step::Name(key.get().into()), rest)),
        _ => Err("a key stands between the dots".into()),
    }
}

/// Bytes of a quoted key, quotes included.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if quote == '"' => is_escaped = true,
            end if end == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A path as it is written.
pub(super) fn written(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |at, step| match step {
        Step::Name(name) => file::path(&at, name),
        Step::Every if at.is_empty() => "*".into(),
        Step::Every => format!("{at}.*"),
        Step::Element(element) => format!("{at}[{element}]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_toml_writes_keys() {
        for text in ["margin.BTC.maintenance.rate", "haircut.*.flat", "a.\"b.c\".d[2][0]", "*.x", "a.\"q\\\"q\".b"] {
            let steps = parse(text).expect("a path");
            assert_eq!(written(&steps), text);
        }
        let name = |text: &str| Step::Name(text.into());
        assert_eq!(parse("a.'b.c'[1]"), Ok(vec![name("a"), name("b.c"), Step::Element(1)]));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".", "a.", "a..b", "a[", "a[x]", "a b", "a.\"b", "a[1]b", "\u{e9}", "a[-1]"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
