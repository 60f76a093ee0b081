//! Pieces of the page.

use super::format::{count, escaped};

const STYLE: &str = include_str!("report.css");

/// A whole page around a body of HTML. It refers to nothing outside itself, and its policy forbids that it ever does.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{}</title>\n<style>\n{STYLE}</style></head>\n<body>\n{body}</body></html>\n",
        escaped(title),
    )
}

/// A heading and what is under it.
pub(super) fn section(title: &str, body: &str) -> String {
    format!("<section><h2>{}</h2>\n{body}</section>\n", escaped(title))
}

/// A smaller heading within a section, and what is under it.
pub(super) fn subsection(title: &str, body: &str) -> String {
    format!("<h3>{}</h3>\n{body}", escaped(title))
}

/// A chart with its title and how to read it. `drawing` is HTML.
pub(super) fn figure(title: &str, reading: &str, drawing: &str) -> String {
    let (title, reading) = (escaped(title), escaped(reading));
    format!("<figure><figcaption><b>{title}</b><span>{reading}</span></figcaption>{drawing}</figure>\n")
}

/// A row of figures, each with its name.
pub(super) fn cards(cards: &[(String, &str)]) -> String {
    let cards: String = cards
        .iter()
        .map(|(value, name)| format!("<div><b>{}</b><span>{}</span></div>", escaped(value), escaped(name)))
        .collect();
    format!("<div class=\"cards\">{cards}</div>\n")
}

/// How a column of a table is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// A name: to the left.
    Name,
    /// A number: to the right.
    Number,
    /// A text that may wrap.
    Text,
}

impl Column {
    fn class(self) -> &'static str {
        match self {
            Self::Name => "",
            Self::Number => " class=\"n\"",
            Self::Text => " class=\"w\"",
        }
    }
}

/// A table; every cell is text and gets escaped. `nothing` stands instead of a table without rows.
pub(super) fn table(columns: &[(&str, Column)], rows: &[Vec<String>], nothing: &str) -> String {
    if rows.is_empty() {
        return format!("<p class=\"nothing\">{}</p>\n", escaped(nothing));
    }
    let mut html = String::from("<div class=\"scroll\"><table><thead><tr>");
    for (name, column) in columns {
        html.push_str(&format!("<th{} scope=\"col\">{}</th>", column.class(), escaped(name)));
    }
    html.push_str("</tr></thead><tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for ((_, column), cell) in columns.iter().zip(row) {
            html.push_str(&format!("<td{}>{}</td>", column.class(), escaped(cell)));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// Names and values, one pair per row.
pub(super) fn facts<'a>(facts: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows: String = facts
        .map(|(name, value)| format!("<tr><td>{}</td><td>{}</td></tr>\n", escaped(name), escaped(value)))
        .collect();
    format!("<table class=\"facts\"><tbody>\n{rows}</tbody></table>\n")
}

/// A list of sentences, `limit` of them at most; the number of the others is said.
pub(super) fn list(sentences: &[String], limit: usize) -> String {
    let mut items: String =
        sentences.iter().take(limit).map(|sentence| format!("<li>{}</li>\n", escaped(sentence))).collect();
    if sentences.len() > limit {
        items.push_str(&format!("<li>… and {} more</li>\n", count((sentences.len() - limit) as u64)));
    }
    format!("<ul>{items}</ul>\n")
}
