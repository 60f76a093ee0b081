//! Charts of signed values: a ladder of Greeks, and bars of parts that add up.

use super::chart::nothing;
use super::format::{money, relative_move, shortened, tick};
use super::scale::Signed;
use super::svg::{Anchor, Svg, WIDTH};

/// One panel of a ladder: a Greek, net and gross, at each move.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    /// What is drawn, with its unit.
    pub(super) title: &'a str,
    /// Net figures.
    pub(super) net: Vec<f64>,
    /// Gross figures.
    pub(super) gross: Vec<f64>,
}

/// Draws four panels over the same moves, two by two: net in one colour, gross in the other.
pub(super) fn ladder(name: &str, moves: &[f64], panels: &[Panel<'_>; 4]) -> String {
    const HEIGHT: f64 = 118.0;
    const TOP: f64 = 22.0;
    let mut svg = Svg::new(TOP + 2.0 * HEIGHT);
    for (at, (text, class)) in [("net", "b"), ("gross: Σ of the pools' absolute values", "b2")].into_iter().enumerate()
    {
        let x = 4.0 + 56.0 * at as f64;
        svg.rect([x, 4.0, 10.0, 10.0], class, "");
        svg.text((x + 14.0, 13.0), Anchor::Start, "t", text);
    }
    for (at, panel) in panels.iter().enumerate() {
        let corner = (184.0 * (at % 2) as f64, TOP + HEIGHT * (at / 2) as f64);
        draw_panel(&mut svg, corner, moves, panel);
    }
    svg.finish(name, "four panels: delta, gamma, vega and theta against the move of the index")
}

fn draw_panel(svg: &mut Svg, (left, top): (f64, f64), moves: &[f64], panel: &Panel<'_>) {
    const PLOT: [f64; 4] = [46.0, 22.0, 126.0, 66.0];
    svg.text((left, top + 12.0), Anchor::Start, "a", panel.title);
    let (x0, y0, width, height) = (left + PLOT[0], top + PLOT[1], PLOT[2], PLOT[3]);
    let Some(axis) = Signed::over(panel.net.iter().chain(&panel.gross).copied()) else {
        svg.text((x0 + width / 2.0, y0 + height / 2.0), Anchor::Middle, "a", "all zero");
        return;
    };
    let (first, last) = (moves.first().copied().unwrap_or(-1.0), moves.last().copied().unwrap_or(1.0));
    let x = |index_move: f64| x0 + width * (index_move - first) / (last - first);
    let y = |value: f64| y0 + height * (1.0 - axis.place(value));
    // The ends and 0, unless that is an end or its label would overlap one.
    for value in [axis.low, axis.high, 0.0] {
        let is_end = value != 0.0 || axis.low == 0.0 || axis.high == 0.0;
        let apart = (y(value) - y0).min(y0 + height - y(value)) > 12.0;
        svg.line((x0, y(value)), (x0 + width, y(value)), if value == 0.0 { "x" } else { "g" });
        if is_end || apart {
            svg.text((x0 - 4.0, y(value) + 4.0), Anchor::End, "t", &money(value));
        }
    }
    for index_move in [first, 0.0, last] {
        svg.text((x(index_move), y0 + height + 14.0), Anchor::Middle, "t", &relative_move(index_move));
    }
    for (values, class) in [(&panel.gross, "c"), (&panel.net, "c1")] {
        let points: Vec<(f64, f64)> = moves
            .iter()
            .zip(values)
            .filter(|(_, value)| value.is_finite())
            .map(|(&index_move, &value)| (x(index_move), y(value)))
            .collect();
        svg.polyline(&points, class);
    }
}

/// A bar of parts: gains to the right of zero, losses to the left.
#[derive(Debug)]
pub(super) struct Bar {
    /// Label over the bar.
    pub(super) label: String,
    /// Its parts, in the order of the chart's names.
    pub(super) parts: [f64; 5],
    /// What they add up to.
    pub(super) sum: f64,
}

/// Draws the bars, each with a dot at its sum.
pub(super) fn stacked(name: &str, names: [&str; 5], bars: &[Bar], empty: &str) -> String {
    const ROW: f64 = 36.0;
    const TOP: f64 = 24.0;
    const CLASSES: [&str; 5] = ["p1", "p2", "p3", "p4", "p5"];
    let side = |bar: &Bar, sign: f64| bar.parts.iter().filter(|part| **part * sign > 0.0).sum::<f64>();
    let ends = bars.iter().flat_map(|bar| [side(bar, -1.0), side(bar, 1.0), bar.sum]);
    let Some(axis) = Signed::over(ends) else { return nothing(empty) };
    let bottom = TOP + ROW * bars.len() as f64;
    let mut svg = Svg::new(bottom + 40.0);
    let mut x = 4.0;
    for (name, class) in names.into_iter().zip(CLASSES) {
        svg.rect([x, 4.0, 10.0, 10.0], class, "");
        svg.text((x + 14.0, 13.0), Anchor::Start, "t", name);
        // About seven units per character at this size.
        x += 32.0 + 7.0 * name.chars().count() as f64;
    }
    let place = |value: f64| 16.0 + (WIDTH - 32.0) * axis.place(value);
    for value in axis.ticks() {
        svg.line((place(value), TOP), (place(value), bottom), if value == 0.0 { "x" } else { "g" });
        svg.text((place(value), bottom + 16.0), Anchor::Middle, "t", &tick(value));
    }
    for (at, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * at as f64;
        svg.text((4.0, y + 13.0), Anchor::Start, "t", &shortened(&bar.label, 54));
        // Where the next gain and the next loss begin.
        let (mut gains, mut losses) = (0.0, 0.0);
        for ((part, name), class) in bar.parts.into_iter().zip(names).zip(CLASSES) {
            let end = if part < 0.0 { &mut losses } else { &mut gains };
            let (from, to) = (*end, *end + part);
            if part != 0.0 && to.is_finite() {
                *end = to;
                let (left, right) = (place(from.min(to)), place(from.max(to)));
                svg.rect(
                    [left, y + 18.0, right - left, 13.0],
                    class,
                    &format!("{}, {name}: {}", bar.label, money(part)),
                );
            }
        }
        svg.dot((place(bar.sum), y + 24.5), "d1", &format!("{}, actual: {}", bar.label, money(bar.sum)));
    }
    svg.text((WIDTH / 2.0, bottom + 34.0), Anchor::Middle, "a", "change of value, quote units");
    svg.finish(name, &format!("{} scenarios; the first adds up to {}", bars.len(), money(bars[0].sum)))
}
