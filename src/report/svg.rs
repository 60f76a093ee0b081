use std::fmt::Write;

use super::format::escaped;

/// Width of every drawing, in its own units: one unit is one pixel on a narrow phone.
pub(super) const WIDTH: f64 = 360.0;

/// Where a text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// It starts at the point.
    Start,
    /// It is centred on the point.
    Middle,
    /// It ends at the point.
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A drawing of fixed width that scales with the page. Colours and fonts come from the page's style sheet, by class.
#[derive(Debug)]
pub(super) struct Svg {
    body: String,
    height: f64,
}

impl Svg {
    /// An empty drawing of this height.
    pub(super) fn new(height: f64) -> Self {
        Self { body: String::new(), height }
    }

    /// A filled rectangle; a tooltip shows `tip` where that is not empty.
    pub(super) fn rect(&mut self, [x, y, width, height]: [f64; 4], class: &str, tip: &str) {
        let (x, y, width, height) = (unit(x), unit(y), unit(width.max(0.0)), unit(height.max(0.0)));
        let _ = write!(self.body, r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}""#);
        self.close("rect", tip);
    }

    /// A dot.
    pub(super) fn dot(&mut self, (x, y): (f64, f64), class: &str, tip: &str) {
        let _ = write!(self.body, r#"<circle class="{class}" cx="{}" cy="{}" r="3.5""#, unit(x), unit(y));
        self.close("circle", tip);
    }

    /// A straight line.
    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        let (x1, y1, x2, y2) = (unit(x1), unit(y1), unit(x2), unit(y2));
        let _ = write!(self.body, r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#);
    }

    /// A line through points.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], class: &str) {
        let _ = write!(self.body, r#"<polyline class="{class}" points=""#);
        for (at, (x, y)) in points.iter().enumerate() {
            let _ = write!(self.body, "{}{},{}", if at == 0 { "" } else { " " }, unit(*x), unit(*y));
        }
        self.body.push_str("\"/>");
    }

    /// A text.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let (x, y, anchor, text) = (unit(x), unit(y), anchor.name(), escaped(text));
        let _ = write!(self.body, r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>"#);
    }

    /// The drawing as an element, with a name and a description for those who cannot see it.
    pub(super) fn finish(self, name: &str, description: &str) -> String {
        format!(
            r#"<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><desc>{}</desc>{}</svg>"#,
            unit(WIDTH),
            unit(self.height),
            escaped(name),
            escaped(description),
            self.body,
        )
    }

    fn close(&mut self, element: &str, tip: &str) {
        let _ = match tip.is_empty() {
            true => write!(self.body, "/>"),
            false => write!(self.body, "><title>{}</title></{element}>", escaped(tip)),
        };
    }
}

/// A coordinate with at most two decimals; a value that is no number stands at the origin.
fn unit(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}
