//! The charts of a liquidation: who pays, how a cascade goes on, what it does to prices.

use super::chart::nothing;
use super::format::{count, money, percent, relative_move, shortened, tick};
use super::scale::{Scale, Signed};
use super::svg::{Anchor, Svg, WIDTH};

/// Characters of a label over a bar.
const LABEL: usize = 54;

/// A bar of a waterfall: it begins where others have brought the sum.
#[derive(Debug)]
pub(super) struct Fall {
    /// Label over the bar.
    pub(super) label: String,
    /// Where the bar begins, ≥ 0.
    pub(super) from: f64,
    /// Its length, ≥ 0.
    pub(super) amount: f64,
    /// Colour.
    pub(super) class: &'static str,
}

/// Draws the bars one under another, each with its amount; `empty` where all are 0.
pub(super) fn waterfall(name: &str, falls: &[Fall], empty: &str) -> String {
    const ROW: f64 = 34.0;
    const LEFT: f64 = 4.0;
    const ROOM: f64 = 62.0;
    let largest = falls.iter().map(|fall| fall.from + fall.amount).fold(0.0, f64::max);
    if largest <= 0.0 {
        return nothing(empty);
    }
    let scale = Scale::linear(largest);
    let length = WIDTH - LEFT - ROOM;
    let bottom = 6.0 + ROW * falls.len() as f64;
    let mut svg = Svg::new(bottom + 40.0);
    for value in scale.ticks() {
        let x = LEFT + length * scale.place(value);
        svg.line((x, 4.0), (x, bottom), "g");
        svg.text((x, bottom + 16.0), Anchor::Middle, "t", &tick(value));
    }
    for (row, fall) in falls.iter().enumerate() {
        let y = 6.0 + ROW * row as f64;
        let (from, to) = (LEFT + length * scale.place(fall.from), LEFT + length * scale.place(fall.from + fall.amount));
        svg.text((LEFT, y + 11.0), Anchor::Start, "t", &shortened(&fall.label, LABEL));
        svg.rect([from, y + 15.0, to - from, 13.0], fall.class, &format!("{}: {}", fall.label, money(fall.amount)));
        svg.text((to + 4.0, y + 25.5), Anchor::Start, "t", &money(fall.amount));
    }
    svg.text((WIDTH / 2.0, bottom + 34.0), Anchor::Middle, "a", "quote units");
    svg.finish(name, &format!("{} bars; the largest ends at {}", falls.len(), money(largest)))
}

/// One figure of several scenarios, round by round.
#[derive(Debug)]
pub(super) struct Course<'a> {
    /// The scenario.
    pub(super) label: &'a str,
    /// The figure in each round, ≥ 0.
    pub(super) values: Vec<f64>,
}

/// Draws a line for each of at most four courses over the rounds, counted from 1.
pub(super) fn courses(name: &str, axis: &str, courses: &[Course<'_>], empty: &str) -> String {
    const LINES: [(&str, &str); 4] = [("c1", "p1"), ("c", "p2"), ("c3", "p3"), ("c4", "p4")];
    const LEFT: f64 = 52.0;
    const HEIGHT: f64 = 150.0;
    let top = 24.0 + 16.0 * courses.len() as f64;
    let largest = courses.iter().flat_map(|course| &course.values).copied().fold(0.0, f64::max);
    let rounds = courses.iter().map(|course| course.values.len()).max().unwrap_or(0);
    if largest <= 0.0 {
        return nothing(empty);
    }
    let (vertical, bottom) = (Scale::linear(largest), top + HEIGHT);
    let mut svg = Svg::new(bottom + 42.0);
    let x = |round: usize| LEFT + (WIDTH - LEFT - 12.0) * (round as f64 + 0.5) / rounds as f64;
    let y = |value: f64| bottom - HEIGHT * vertical.place(value);
    for value in vertical.ticks() {
        svg.line((LEFT, y(value)), (WIDTH - 12.0, y(value)), "g");
        svg.text((LEFT - 6.0, y(value) + 4.0), Anchor::End, "t", &tick(value));
    }
    let stride = rounds.div_ceil(8);
    for round in (0..rounds).step_by(stride) {
        svg.text((x(round), bottom + 17.0), Anchor::Middle, "t", &count(round as u64 + 1));
    }
    for (at, (course, (line, dot))) in courses.iter().zip(LINES).enumerate() {
        let legend = 4.0 + 16.0 * at as f64;
        svg.rect([4.0, legend, 10.0, 10.0], dot, "");
        svg.text((18.0, legend + 9.0), Anchor::Start, "t", &shortened(course.label, LABEL));
        let points: Vec<(f64, f64)> =
            course.values.iter().enumerate().map(|(round, value)| (x(round), y(*value))).collect();
        svg.polyline(&points, line);
        for (round, (point, value)) in points.into_iter().zip(&course.values).enumerate() {
            svg.dot(point, dot, &format!("{}, round {}: {}", course.label, round + 1, money(*value)));
        }
    }
    svg.text((0.0, top - 10.0), Anchor::Start, "a", axis);
    svg.text(((LEFT + WIDTH) / 2.0, bottom + 36.0), Anchor::Middle, "a", "round");
    svg.finish(name, &format!("{} scenarios over {rounds} rounds; the largest is {}", courses.len(), money(largest)))
}

/// A relative move of a price: by the scenario, and by forced trades on top.
#[derive(Debug)]
pub(super) struct Move {
    /// What moves.
    pub(super) label: String,
    /// By the scenario and by forced trades.
    pub(super) parts: [f64; 2],
}

/// Draws two signed bars for each move, one under the other.
pub(super) fn moves(name: &str, series: [&str; 2], moves: &[Move], empty: &str) -> String {
    const ROW: f64 = 46.0;
    const TOP: f64 = 24.0;
    const CLASSES: [&str; 2] = ["b", "b2"];
    let Some(axis) = Signed::over(moves.iter().flat_map(|of| of.parts)) else { return nothing(empty) };
    let bottom = TOP + ROW * moves.len() as f64;
    let mut svg = Svg::new(bottom + 24.0);
    let mut x = 4.0;
    for (name, class) in series.into_iter().zip(CLASSES) {
        svg.rect([x, 4.0, 10.0, 10.0], class, "");
        svg.text((x + 14.0, 13.0), Anchor::Start, "t", name);
        // About six units per character at this size.
        x += 32.0 + 6.2 * name.chars().count() as f64;
    }
    // Room for a figure beside the longest bar on either side.
    let place = |value: f64| 58.0 + (WIDTH - 116.0) * axis.place(value);
    for value in axis.ticks() {
        svg.line((place(value), TOP), (place(value), bottom), if value == 0.0 { "x" } else { "g" });
        svg.text((place(value), bottom + 16.0), Anchor::Middle, "t", &relative_move(value));
    }
    for (row, of) in moves.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        svg.text((4.0, y + 13.0), Anchor::Start, "t", &shortened(&of.label, LABEL));
        for (at, part) in of.parts.into_iter().enumerate().filter(|(_, part)| part.is_finite()) {
            let y = y + 17.0 + 13.0 * at as f64;
            let (left, right) = (place(part.min(0.0)), place(part.max(0.0)));
            let text = percent(part);
            svg.rect([left, y, right - left, 12.0], CLASSES[at], &format!("{}, {}: {text}", of.label, series[at]));
            let (at, anchor) = if part < 0.0 { (left - 4.0, Anchor::End) } else { (right + 4.0, Anchor::Start) };
            svg.text((at, y + 10.0), anchor, "t", &text);
        }
    }
    svg.finish(name, &format!("{} prices", moves.len()))
}

/// A scenario on the ladder of a cascade.
#[derive(Debug)]
pub(super) struct Rung<'a> {
    /// The scenario.
    pub(super) label: &'a str,
    /// Mean relative move of prices.
    pub(super) shock: f64,
    /// What is liquidated there, ≥ 0.
    pub(super) amount: f64,
}

/// Draws amounts against moves, joined from the lowest move to the highest.
pub(super) fn ladder(name: &str, axis: &str, mut rungs: Vec<Rung<'_>>, empty: &str) -> String {
    const LEFT: f64 = 56.0;
    const TOP: f64 = 26.0;
    const HEIGHT: f64 = 170.0;
    rungs.retain(|rung| rung.shock.is_finite() && rung.amount.is_finite());
    rungs.sort_by(|a, b| a.shock.total_cmp(&b.shock).then(a.amount.total_cmp(&b.amount)));
    let largest = rungs.iter().map(|rung| rung.amount).fold(0.0, f64::max);
    let Some(horizontal) = Signed::over(rungs.iter().map(|rung| rung.shock)).filter(|_| largest > 0.0) else {
        return nothing(empty);
    };
    let (vertical, bottom) = (Scale::linear(largest), TOP + HEIGHT);
    let mut svg = Svg::new(bottom + 44.0);
    let x = |shock: f64| LEFT + (WIDTH - LEFT - 16.0) * horizontal.place(shock);
    let y = |amount: f64| bottom - HEIGHT * vertical.place(amount);
    svg.text((0.0, 12.0), Anchor::Start, "a", axis);
    for value in vertical.ticks() {
        svg.line((LEFT, y(value)), (WIDTH - 16.0, y(value)), "g");
        svg.text((LEFT - 6.0, y(value) + 4.0), Anchor::End, "t", &tick(value));
    }
    for value in horizontal.ticks() {
        svg.line((x(value), bottom), (x(value), bottom + 4.0), "x");
        svg.text((x(value), bottom + 17.0), Anchor::Middle, "t", &relative_move(value));
    }
    let points: Vec<(f64, f64)> = rungs.iter().map(|rung| (x(rung.shock), y(rung.amount))).collect();
    svg.polyline(&points, "c1");
    for (rung, point) in rungs.iter().zip(points) {
        let tip = format!("{}: {} at {}", rung.label, money(rung.amount), percent(rung.shock));
        svg.dot(point, "p1", &tip);
    }
    let title = "mean move of prices by the scenario";
    svg.text(((LEFT + WIDTH) / 2.0, bottom + 36.0), Anchor::Middle, "a", title);
    svg.finish(name, &format!("{} scenarios; the largest amount is {}", rungs.len(), money(largest)))
}
