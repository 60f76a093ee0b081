//! Amounts of several arrangements side by side.

use super::chart::nothing;
use super::format::{money, shortened, tick};
use super::scale::Scale;
use super::svg::{Anchor, Svg, WIDTH};

/// Two amounts ≥ 0 per row, as horizontal bars under the row's label.
#[derive(Debug)]
pub(super) struct Amounts<'a> {
    /// What the chart shows, for those who cannot see it.
    pub(super) name: &'a str,
    /// Title of the axis, with its unit.
    pub(super) axis: &'a str,
    /// Names of the two series.
    pub(super) series: [&'a str; 2],
    /// Label and amounts of each row, from the top.
    pub(super) rows: Vec<(String, [f64; 2])>,
}

impl Amounts<'_> {
    /// Draws the bars, each with its amount.
    pub(super) fn draw(self) -> String {
        const ROW: f64 = 48.0;
        const TOP: f64 = 26.0;
        const LEFT: f64 = 4.0;
        const ROOM: f64 = 66.0;
        const CLASSES: [&str; 2] = ["b", "b2"];
        let largest = self.rows.iter().flat_map(|(_, amounts)| amounts).copied().fold(0.0, f64::max);
        if largest <= 0.0 {
            return nothing("Nothing is required.");
        }
        let scale = Scale::linear(largest);
        let length = WIDTH - LEFT - ROOM;
        let bottom = TOP + ROW * self.rows.len() as f64;
        let mut svg = Svg::new(bottom + 40.0);
        let mut x = LEFT;
        for (name, class) in self.series.into_iter().zip(CLASSES) {
            svg.rect([x, 4.0, 10.0, 10.0], class, "");
            svg.text((x + 14.0, 13.0), Anchor::Start, "t", name);
            // About six units per character at this size.
            x += 32.0 + 6.2 * name.chars().count() as f64;
        }
        for value in scale.ticks() {
            let x = LEFT + length * scale.place(value);
            svg.line((x, TOP), (x, bottom), "g");
            svg.text((x, bottom + 16.0), Anchor::Middle, "t", &tick(value));
        }
        for (row, (label, amounts)) in self.rows.iter().enumerate() {
            let y = TOP + ROW * row as f64;
            svg.text((LEFT, y + 13.0), Anchor::Start, "t", &shortened(label, 54));
            for (series, amount) in amounts.iter().enumerate() {
                let y = y + 18.0 + 13.0 * series as f64;
                let width = length * scale.place(*amount);
                let tip = format!("{label}, {}: {}", self.series[series], money(*amount));
                svg.rect([LEFT, y, width, 12.0], CLASSES[series], &tip);
                svg.text((LEFT + width + 4.0, y + 10.0), Anchor::Start, "t", &money(*amount));
            }
        }
        svg.text((WIDTH / 2.0, bottom + 34.0), Anchor::Middle, "a", self.axis);
        svg.finish(self.name, &format!("{} rows; the largest amount is {}", self.rows.len(), money(largest)))
    }
}
