//! Charts of a calibration: capital against loss, and what small changes cost.

use super::chart::{BOTTOM, LEFT, PLOT_HEIGHT, RIGHT, TOP, horizontal_axis, nothing, vertical_axis};
use super::format::{money, number, relative_move, shortened, tick};
use super::scale::{Scale, Signed};
use super::svg::{Anchor, Svg, WIDTH};
use crate::calibration::{FrontPoint, Sensitivity};

/// Axes drawn: those that move most.
const MOST_AXES: usize = 16;

/// Expected shortfall over margin (relative to that of the answer) of the points that are met, with a line through them.
pub(super) fn front(points: &[FrontPoint]) -> String {
    let answer = points.iter().find(|point| point.relaxed == 1.0 && point.margin > 0.0);
    let Some(answer) = answer else { return nothing("There is no requirement to compare with.") };
    let met: Vec<&FrontPoint> = points.iter().filter(|point| point.is_met).collect();
    let relative = |point: &FrontPoint| point.margin / answer.margin - 1.0;
    let Some(across) = Signed::over(met.iter().map(|point| relative(point))) else {
        return nothing("No other tolerance gives another requirement.");
    };
    let largest = met.iter().map(|point| point.expected_shortfall).fold(0.0, f64::max);
    let up = Scale::linear(largest);
    let x = |point: &FrontPoint| LEFT + (WIDTH - LEFT - RIGHT) * across.place(relative(point));
    let y = |point: &FrontPoint| TOP + PLOT_HEIGHT * (1.0 - up.place(point.expected_shortfall));
    let mut svg = Svg::new(TOP + PLOT_HEIGHT + BOTTOM);
    vertical_axis(&mut svg, up, "expected shortfall at 99 %, quote units", &tick);
    let line: Vec<(f64, f64)> = met.iter().map(|point| (x(point), y(point))).collect();
    svg.polyline(&line, "c1");
    for point in &met {
        let text = format!(
            "{} of the tolerance: margin {}, expected shortfall {}",
            number(point.relaxed, 4),
            money(point.margin),
            money(point.expected_shortfall)
        );
        svg.dot((x(point), y(point)), if point.relaxed == 1.0 { "d1" } else { "p1" }, &text);
        // The leftmost label would stand on those of the vertical axis.
        let anchor = if x(point) > WIDTH - 60.0 { Anchor::End } else { Anchor::Start };
        svg.text((x(point), y(point) - 7.0), anchor, "t", &format!("× {}", number(point.relaxed, 4)));
    }
    let place = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * across.place(value);
    let ticks = across.ticks().into_iter().map(|value| (place(value), relative_move(value))).collect();
    horizontal_axis(&mut svg, ticks, "margin against that of the answer");
    let description = format!("{} tolerances; the answer requires {}", met.len(), money(answer.margin));
    svg.finish("Capital against loss", &description)
}

/// Change of margin as each axis moves by a tenth down and up, the axes that change most first.
pub(super) fn sensitivities(names: &[&str], all: &[Sensitivity]) -> String {
    const ROW: f64 = 34.0;
    const SIDE: f64 = 16.0;
    let change = |axis: usize, up: bool| {
        let same_side = all.iter().filter(|moved| moved.axis == axis && (moved.moved > 0.0) == up);
        same_side.max_by(|a, b| a.moved.abs().total_cmp(&b.moved.abs())).map_or(0.0, |moved| moved.margin_change)
    };
    let mut rows: Vec<(&str, [f64; 2])> =
        names.iter().enumerate().map(|(axis, name)| (*name, [change(axis, false), change(axis, true)])).collect();
    let size = |changes: &[f64; 2]| changes[0].abs().max(changes[1].abs());
    rows.sort_by(|a, b| size(&b.1).total_cmp(&size(&a.1)));
    rows.truncate(MOST_AXES);
    let Some(across) = Signed::over(rows.iter().flat_map(|(_, changes)| *changes)) else {
        return nothing("No move changes the margin.");
    };
    let bottom = TOP + ROW * rows.len() as f64;
    let mut svg = Svg::new(bottom + BOTTOM);
    for (at, (text, class)) in [("10 % less", "b2"), ("10 % more", "b")].into_iter().enumerate() {
        let x = 4.0 + 90.0 * at as f64;
        svg.rect([x, 4.0, 10.0, 10.0], class, "");
        svg.text((x + 14.0, 13.0), Anchor::Start, "t", text);
    }
    let place = |value: f64| SIDE + (WIDTH - 2.0 * SIDE) * across.place(value);
    for value in across.ticks() {
        svg.line((place(value), TOP), (place(value), bottom), if value == 0.0 { "x" } else { "g" });
        svg.text((place(value), bottom + 16.0), Anchor::Middle, "t", &tick(value));
    }
    for (at, (name, changes)) in rows.iter().enumerate() {
        let y = TOP + ROW * at as f64;
        svg.text((4.0, y + 12.0), Anchor::Start, "t", &shortened(name, 54));
        for (value, class) in changes.iter().zip(["b2", "b"]) {
            let (left, right) = (place(value.min(0.0)), place(value.max(0.0)));
            svg.rect([left, y + 16.0, right - left, 12.0], class, &format!("{name}: {}", money(*value)));
        }
    }
    svg.text((WIDTH / 2.0, bottom + 34.0), Anchor::Middle, "a", "change of margin, quote units");
    svg.finish("Sensitivity of the margin", &format!("{} parameters, each moved by a tenth", rows.len()))
}
