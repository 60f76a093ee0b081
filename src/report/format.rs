//! Numbers and names as text.

/// A minus sign as wide as a plus.
const MINUS: char = '−';

/// An integer with thousands separators: `1,024`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount in three significant digits: `1.23 M`, `−45.6 k`, `0.0120`; `–` where it is not a number.
pub(crate) fn money(value: f64) -> String {
    compact(value, |text| text)
}

/// The value of a tick: like an amount, trailing zeros dropped.
pub(super) fn tick(value: f64) -> String {
    compact(value, trimmed)
}

fn compact(value: f64, finish: fn(String) -> String) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let sign = if value < 0.0 { String::from(MINUS) } else { String::new() };
    let size = value.abs();
    // From half a unit in the last place below each step, rounding would show 1000 of the smaller unit.
    let steps = [(1e12, " T"), (1e9, " B"), (1e6, " M"), (1e3, " k"), (1.0, "")];
    for (step, suffix) in steps {
        if size >= 0.9995 * step {
            return format!("{sign}{}{suffix}", finish(three_digits(size / step)));
        }
    }
    if size >= 1e-4 { format!("{sign}{}", finish(three_digits(size))) } else { format!("{sign}{size:.1e}") }
}

/// Three significant digits of a number ≥ 1e-4, integers without a point.
fn three_digits(value: f64) -> String {
    let places = match value {
        value if value >= 99.95 => 0,
        value if value >= 9.995 => 1,
        value if value >= 0.9995 => 2,
        value if value >= 0.0995 => 3,
        value if value >= 0.00995 => 4,
        _ => 6,
    };
    format!("{value:.places$}")
}

fn trimmed(text: String) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// A plain number with up to `places` decimals, trailing zeros dropped; `–` where it is not a number.
pub(super) fn number(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let text = trimmed(format!("{:.places$}", value.abs()));
    if value < 0.0 && text != "0" { format!("{MINUS}{text}") } else { text }
}

/// A share as a percentage: `1.2 %`, `0.003 %`.
pub(crate) fn percent(share: f64) -> String {
    let size = (share * 100.0).abs();
    let places = if size >= 10.0 {
        1
    } else if size >= 0.1 || size == 0.0 {
        2
    } else {
        4
    };
    format!("{} %", number(share * 100.0, places))
}

/// A relative move with its sign: `+5 %`, `−20 %`.
pub(super) fn relative_move(shock: f64) -> String {
    let sign = if shock > 0.0 { "+" } else { "" };
    format!("{sign}{} %", number(shock * 100.0, 1))
}

/// An optional ratio with two decimals; `–` where there is none.
pub(super) fn ratio(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| "–".into(), |value| format!("{value:.2}").replace('-', "−"))
}

/// Seconds with a fitting unit.
pub(super) fn seconds(value: f64) -> String {
    match value {
        value if !value.is_finite() => "–".into(),
        value if value >= 100.0 => format!("{value:.0} s"),
        value if value >= 1.0 => format!("{value:.2} s"),
        value => format!("{:.1} ms", value * 1e3),
    }
}

/// Text without control characters, so that an id can neither move a cursor nor reorder a line: those are shown as `\u{..}`.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for symbol in text.chars() {
        // Bidirectional controls are format characters, not control characters.
        let reorders = matches!(symbol, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if symbol.is_control() || reorders {
            plain.extend(symbol.escape_unicode());
        } else {
            plain.push(symbol);
        }
    }
    plain
}

/// Text safe inside HTML elements, SVG and quoted attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for symbol in plain(text).chars() {
        match symbol {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            symbol => escaped.push(symbol),
        }
    }
    escaped
}

/// At most `limit` characters, the last one an ellipsis where something is left out.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    match text.chars().count() > limit {
        true => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compact() {
        let cases = [
            (0.0, "0"),
            (1.0, "1.00"),
            (999.4, "999"),
            (999.9, "1.00 k"),
            (1_234_567.0, "1.23 M"),
            (-45_600.0, "−45.6 k"),
            (0.0123, "0.0123"),
            (2.5e-7, "2.5e-7"),
            (3.2e15, "3200 T"),
            (f64::NAN, "–"),
        ];
        for (value, text) in cases {
            assert_eq!(money(value), text);
        }
        assert_eq!([0.0, 0.05, 20.0, 1_500.0, 3e6].map(tick), ["0", "0.05", "20", "1.5 k", "3 M"]);
    }

    #[test]
    fn counts_have_separators() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn ids_cannot_break_out() {
        assert_eq!(escaped("<b a='1'>&\"\u{1b}[2J"), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;\\u{1b}[2J");
        assert_eq!(plain("a\u{202e}b\n"), "a\\u{202e}b\\u{a}");
        assert_eq!(shortened("abcdef", 4), "abc…");
    }
}
