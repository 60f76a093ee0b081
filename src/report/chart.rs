//! The charts of the page: data in, one drawing out. None draws an axis over nothing: empty data gives a sentence.

use super::format::{count, money, percent, tick};
use super::scale::Scale;
use super::svg::{Anchor, Svg, WIDTH};

pub(super) const LEFT: f64 = 56.0;
pub(super) const RIGHT: f64 = 12.0;
pub(super) const TOP: f64 = 26.0;
pub(super) const PLOT_HEIGHT: f64 = 170.0;
pub(super) const BOTTOM: f64 = 44.0;
/// Most bars of one chart; more values are drawn as the largest of neighbours.
const MOST_BARS: usize = 200;
/// Most corners of one curve.
const MOST_POINTS: usize = 400;

/// Values of scenarios, largest first, one bar each.
#[derive(Debug)]
pub(super) struct Ranked<'a> {
    /// What the chart shows, for those who cannot see it.
    pub(super) name: &'a str,
    /// Title of the vertical axis, with its unit.
    pub(super) axis: &'a str,
    /// Said instead of a chart where no value is positive.
    pub(super) nothing: &'a str,
    /// (value, id of the scenario), in any order.
    pub(super) values: Vec<(f64, &'a str)>,
}

impl Ranked<'_> {
    /// Draws the bars. Above 200 values, each bar stands for neighbours in rank and shows the largest of them.
    pub(super) fn draw(mut self) -> String {
        self.values.retain(|(value, _)| value.is_finite());
        self.values.sort_by(|a, b| b.0.total_cmp(&a.0));
        let largest = self.values.first().map_or(0.0, |(value, _)| *value);
        if largest <= 0.0 {
            return nothing(self.nothing);
        }
        let group = self.values.len().div_ceil(MOST_BARS);
        let scale = Scale::linear(largest);
        let mut svg = Svg::new(TOP + PLOT_HEIGHT + BOTTOM);
        vertical_axis(&mut svg, scale, self.axis, &tick);
        let slots = self.values.len().div_ceil(group);
        let slot = (WIDTH - LEFT - RIGHT) / slots as f64;
        let width = if slot > 3.0 { (slot - 1.0).min(48.0) } else { slot };
        for (at, values) in self.values.chunks(group).enumerate() {
            let (value, id) = values[0];
            let height = PLOT_HEIGHT * scale.place(value);
            if height <= 0.0 {
                continue;
            }
            let rank = at * group + 1;
            let others = if values.len() > 1 { format!(", the largest of {}", values.len()) } else { String::new() };
            let tip = format!("{id}: {} (rank {}{others})", money(value), count(rank as u64));
            svg.rect([LEFT + slot * at as f64, TOP + PLOT_HEIGHT - height, width, height], "b", &tip);
        }
        let last = self.values.len();
        let place = |rank: f64| LEFT + slot * ((rank - 1.0) / group as f64).floor() + width / 2.0;
        let ranks = rank_ticks(last).into_iter().map(|rank| (place(rank as f64), count(rank as u64)));
        horizontal_axis(&mut svg, ranks.collect(), "scenarios, ranked from the largest value");
        svg.finish(self.name, &format!("{} scenarios; the largest value is {}", count(last as u64), money(largest)))
    }
}

/// Ranks to label: the first, and up to four round ones.
fn rank_ticks(last: usize) -> Vec<usize> {
    let mut ticks: Vec<usize> = Scale::linear(last as f64).ticks().into_iter().map(|tick| tick as usize).collect();
    ticks.retain(|tick| (1..=last).contains(tick));
    // A label right after the first one would overlap it.
    ticks.retain(|tick| (tick - 1) * 8 >= last);
    ticks.insert(0, 1);
    ticks.dedup();
    ticks
}

/// The share of the weight with a loss at least as large, over losses; `steps` as in the figures, largest loss first.
pub(super) fn exceedance(name: &str, steps: &[(f64, f64)]) -> String {
    let (Some(&(largest, least_share)), Some(&(smallest, _))) = (steps.first(), steps.last()) else {
        return nothing("No scenario has a shortfall.");
    };
    // Losses below a hundred-thousandth of the largest would take most of the axis: they stand at its left end.
    let horizontal = Scale::fitting(smallest.max(1e-5 * largest), largest);
    let vertical = Scale::log(least_share.min(0.5), 1.0);
    let mut svg = Svg::new(TOP + PLOT_HEIGHT + BOTTOM);
    vertical_axis(&mut svg, vertical, "share of weight with at least this shortfall", &percent);
    let x = |loss: f64| LEFT + (WIDTH - LEFT - RIGHT) * horizontal.place(loss);
    let y = |share: f64| TOP + PLOT_HEIGHT * (1.0 - vertical.place(share));
    let stride = steps.len().div_ceil(MOST_POINTS / 2);
    let mut points = Vec::new();
    // The curve falls at each loss: it is drawn as the step function it is. The ends are always kept.
    let mut last_share = 0.0;
    for (at, &(loss, share)) in steps.iter().enumerate() {
        if at % stride == 0 || at + 1 == steps.len() {
            points.push((x(loss), y(last_share)));
            points.push((x(loss), y(share)));
            last_share = share;
        }
    }
    let left_end = if matches!(horizontal, Scale::Linear(_)) { LEFT } else { x(smallest) };
    points.push((left_end, y(last_share)));
    svg.polyline(&points, "c");
    svg.dot((x(largest), y(least_share)), "b2", &format!("{}: {} of the weight", money(largest), percent(least_share)));
    if steps.len() > 1 {
        let (loss, share) = steps[steps.len() - 1];
        let tip = format!("smallest shortfall {}: {} of the weight", money(loss), percent(share));
        svg.dot((x(loss), y(share)), "b2", &tip);
    }
    let ticks = horizontal.ticks().into_iter().map(|at| (x(at), tick(at))).collect();
    let title = match horizontal {
        Scale::Linear(_) => "shortfall, quote units",
        Scale::Log(..) => "shortfall, quote units (log scale)",
    };
    horizontal_axis(&mut svg, ticks, title);
    let description = format!("the largest shortfall, {}, has {} of the weight", money(largest), percent(least_share));
    svg.finish(name, &description)
}

/// Two counts per class, side by side.
#[derive(Debug)]
pub(super) struct Paired<'a> {
    /// What the chart shows, for those who cannot see it.
    pub(super) name: &'a str,
    /// Label of each class, from the top.
    pub(super) labels: Vec<&'a str>,
    /// Names of the two series.
    pub(super) series: [&'a str; 2],
    /// Counts of each class in both series.
    pub(super) counts: Vec<[u64; 2]>,
    /// Class under which a line is drawn, and what it says.
    pub(super) divider: Option<(usize, &'a str)>,
    /// Room for the class labels.
    pub(super) label_width: f64,
}

impl Paired<'_> {
    /// Draws two horizontal bars per class, each with its count; lengths are shares of all pools.
    pub(super) fn draw(self) -> String {
        const ROW: f64 = 30.0;
        let total = self.counts.iter().map(|pair| pair[0]).sum::<u64>();
        if total == 0 {
            return nothing("There are no pools.");
        }
        let largest = self.counts.iter().flatten().copied().max().unwrap_or(0);
        let scale = Scale::linear(largest as f64 / total as f64);
        let left = self.label_width;
        let length = WIDTH - left - 58.0;
        let bottom = TOP + ROW * self.counts.len() as f64;
        let mut svg = Svg::new(bottom + BOTTOM);
        self.legend(&mut svg, left);
        for tick in scale.ticks() {
            let x = left + length * scale.place(tick);
            svg.line((x, TOP), (x, bottom), "g");
        }
        for (row, pair) in self.counts.iter().enumerate() {
            let y = TOP + ROW * row as f64;
            svg.text((left - 6.0, y + 19.0), Anchor::End, "t", self.labels[row]);
            for (series, &value) in pair.iter().enumerate() {
                let share = value as f64 / total as f64;
                let y = y + 2.0 + 13.0 * series as f64;
                let width = length * scale.place(share);
                let tip = format!(
                    "{}, {}: {} pools, {}",
                    self.labels[row],
                    self.series[series],
                    count(value),
                    percent(share)
                );
                // A class with one pool in a million still shows.
                let width = if value > 0 { width.max(1.0) } else { 0.0 };
                svg.rect([left, y, width, 12.0], ["b", "b2"][series], &tip);
                if value > 0 {
                    svg.text((left + width + 4.0, y + 10.0), Anchor::Start, "t", &count(value));
                }
            }
        }
        if let Some((row, text)) = self.divider {
            let y = TOP + ROW * (row + 1) as f64;
            svg.line((0.0, y), (WIDTH, y), "d");
            svg.text((WIDTH, y - 4.0), Anchor::End, "td", text);
        }
        let stride = scale.ticks().len().div_ceil(5);
        for tick in scale.ticks().into_iter().step_by(stride) {
            svg.text((left + length * scale.place(tick), bottom + 16.0), Anchor::Middle, "t", &percent(tick));
        }
        svg.text((left + length / 2.0, bottom + 36.0), Anchor::Middle, "a", "share of pools (bars), pools (numbers)");
        svg.finish(self.name, &format!("{} pools in {} classes", count(total), self.counts.len()))
    }

    fn legend(&self, svg: &mut Svg, left: f64) {
        let mut x = if left > 100.0 { 4.0 } else { left };
        for (series, name) in self.series.iter().enumerate() {
            svg.rect([x, 4.0, 10.0, 10.0], ["b", "b2"][series], "");
            svg.text((x + 14.0, 13.0), Anchor::Start, "t", name);
            // About six units per character at this size.
            x += 32.0 + 6.2 * name.chars().count() as f64;
        }
    }
}

pub(super) fn vertical_axis(svg: &mut Svg, scale: Scale, title: &str, label: &dyn Fn(f64) -> String) {
    svg.text((0.0, 12.0), Anchor::Start, "a", title);
    for tick in scale.ticks() {
        let y = TOP + PLOT_HEIGHT * (1.0 - scale.place(tick));
        svg.line((LEFT, y), (WIDTH - RIGHT, y), "g");
        svg.text((LEFT - 6.0, y + 4.0), Anchor::End, "t", &label(tick));
    }
}

pub(super) fn horizontal_axis(svg: &mut Svg, ticks: Vec<(f64, String)>, title: &str) {
    let y = TOP + PLOT_HEIGHT;
    svg.line((LEFT, y), (WIDTH - RIGHT, y), "x");
    for (x, label) in ticks {
        svg.line((x, y), (x, y + 4.0), "x");
        // Labels near an edge turn inwards, where they are not cut off.
        let room = 3.4 * label.chars().count() as f64;
        let anchored = if x + room > WIDTH { (WIDTH, Anchor::End) } else { (x, Anchor::Middle) };
        svg.text((anchored.0, y + 17.0), anchored.1, "t", &label);
    }
    svg.text(((LEFT + WIDTH - RIGHT) / 2.0, y + 36.0), Anchor::Middle, "a", title);
}

/// What stands in place of a chart.
pub(super) fn nothing(text: &str) -> String {
    format!(r#"<p class="nothing">{text}</p>"#)
}
