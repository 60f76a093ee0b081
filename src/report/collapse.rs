//! The page of a collapse: what haircut rules would have taken each day, against what was lost.

use super::chart::nothing;
use super::format::{escaped, percent};
use super::page::{Column, figure, page, section, table};
use super::scale::Scale;
use super::svg::{Anchor, Svg, WIDTH};
use crate::collateral::haircut::{Replay, ReplayRule};
use crate::scenario::panel::moment;

/// The rules that are drawn, with the class of line and of legend.
const DRAWN: [(ReplayRule, &str, &str); 4] = [
    (ReplayRule::Flat, "c1", "p1"),
    (ReplayRule::Gaussian, "c", "p2"),
    (ReplayRule::Full, "c3", "p3"),
    (ReplayRule::Tiered, "c4", "p4"),
];

/// Replays as one HTML file: no script, no network. The same replays give the same text.
pub fn collapse_html(replays: &[Replay]) -> String {
    let sections: String = replays.iter().map(of_replay).collect();
    let header = "<header><h1>Which haircut would have held</h1>\n<p class=\"soft\">Every haircut is formed from what had \
                  happened by its day; bars are the worst fall that followed.</p></header>\n";
    page("Plimsoll haircuts in a collapse", &format!("{header}{sections}"))
}

fn of_replay(replay: &Replay) -> String {
    let name = format!("{}: haircuts and losses by day", replay.asset);
    let reading = format!("bars: worst fall within {} h of the day; lines: haircuts", replay.span_hours);
    let chart = figure("Haircut and loss", &reading, &draw(&name, replay));
    let chart = format!("<div class=\"charts\">\n{chart}</div>\n");
    let columns = [
        ("rule", Column::Name),
        ("days", Column::Number),
        ("covered", Column::Number),
        ("first day not covered", Column::Name),
        ("largest shortfall", Column::Number),
        ("mean haircut", Column::Number),
    ];
    let row = |held: &crate::collateral::haircut::Held| {
        vec![
            held.rule.name().to_string(),
            held.days.to_string(),
            held.covered.to_string(),
            held.first_breach.map_or_else(|| "–".into(), day),
            percent(held.largest_shortfall),
            percent(held.mean),
        ]
    };
    let rows: Vec<Vec<String>> = replay.held.iter().map(row).collect();
    let lost = format!("{} lost {} from {}", replay.asset, percent(replay.collapse.1), day(replay.collapse.0));
    section(&replay.asset, &format!("<p>{}</p>\n{chart}{}", escaped(&lost), table(&columns, &rows, "no rules")))
}

fn day(hour: i64) -> String {
    let text = moment(hour).map_or_else(|| hour.to_string(), |moment| moment.to_string());
    text.chars().take(10).collect()
}

/// Bars of losses and lines of haircuts over the days.
fn draw(name: &str, replay: &Replay) -> String {
    const LEFT: f64 = 52.0;
    const HEIGHT: f64 = 170.0;
    const TOP: f64 = 90.0;
    let days = &replay.days;
    if days.is_empty() {
        return nothing("There is no day to show.");
    }
    let (vertical, bottom) = (Scale::linear(1.0), TOP + HEIGHT);
    let mut svg = Svg::new(bottom + 42.0);
    let slot = (WIDTH - LEFT - 12.0) / days.len() as f64;
    let x = |at: usize| LEFT + slot * (at as f64 + 0.5);
    let y = |value: f64| bottom - HEIGHT * vertical.place(value);
    for value in vertical.ticks() {
        svg.line((LEFT, y(value)), (WIDTH - 12.0, y(value)), "g");
        svg.text((LEFT - 6.0, y(value) + 4.0), Anchor::End, "t", &percent(value));
    }
    svg.rect([4.0, 4.0, 10.0, 10.0], "p5", "");
    svg.text((18.0, 13.0), Anchor::Start, "t", "loss that followed");
    for (at, row) in days.iter().enumerate() {
        let tip = format!("{}: lost {}", day(row.hour), percent(row.loss));
        svg.rect([x(at) - 0.4 * slot, y(row.loss), 0.8 * slot, bottom - y(row.loss)], "p5", &tip);
    }
    for (line, (rule, class, dot)) in DRAWN.into_iter().enumerate() {
        let top = 20.0 + 16.0 * line as f64;
        svg.rect([4.0, top, 10.0, 10.0], dot, "");
        svg.text((18.0, top + 9.0), Anchor::Start, "t", rule.name());
        let place = ReplayRule::ALL.iter().position(|other| *other == rule);
        let known = days.iter().enumerate().filter_map(|(at, row)| Some((x(at), y(row.haircuts[place?]?))));
        svg.polyline(&known.collect::<Vec<_>>(), class);
    }
    for at in [0, days.len() / 2, days.len() - 1] {
        let anchor = if at == 0 {
            Anchor::Start
        } else if at + 1 == days.len() {
            Anchor::End
        } else {
            Anchor::Middle
        };
        svg.text((x(at), bottom + 17.0), anchor, "t", &day(days[at].hour));
    }
    svg.text(((LEFT + WIDTH) / 2.0, bottom + 36.0), Anchor::Middle, "a", "day");
    svg.finish(name, &format!("{} days; the largest loss is {}", days.len(), percent(replay.collapse.1)))
}
