//! Findings as JSON and as text.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{Covered, Findings};
use crate::backtest::{Coverage, Statistics};
use crate::collateral::haircut::{AssetHaircut, ClassChange, Estimate, Evidence, MarketFall, Steps, Tail, Volume};

/// Wrong-way pairs shown on a terminal; JSON has them all.
const SHOWN: usize = 20;

/// A share as a percentage with two decimals.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

/// What the largest loss was multiplied by; `None` where the quantile was in the sample.
pub(super) fn factor(estimate: Estimate) -> Option<f64> {
    match estimate.evidence {
        Evidence::Quantile => None,
        Evidence::Extrapolated(factor) => Some(factor),
    }
}

/// The 95 % interval of a quantile.
pub(super) fn interval(tail: &Tail) -> String {
    format!("{}–{}", percent(tail.low), tail.high.map_or_else(|| "?".into(), percent))
}

impl Findings<'_> {
    /// One JSON object: what scripts rely on.
    pub(super) fn json(&self) -> Value {
        json!({
            "out": self.out.display().to_string(),
            "horizon_hours": self.args.horizon_hours,
            "span_hours": self.span_hours,
            "step_hours": self.step_hours,
            "quantile": self.args.quantile,
            "look_back_days": self.args.look_back_days,
            "floor": self.args.floor_name(),
            "assets": self.assets.iter().map(|asset| self.asset_json(asset)).collect::<Vec<_>>(),
            "classes": self.classes.iter().map(class_json).collect::<Vec<_>>(),
            "wrong_way": self.pairs.iter().map(|pair| json!({
                "collateral": pair.collateral, "underlying": pair.underlying,
                "correlation": pair.correlation, "rate": pair.rate,
            })).collect::<Vec<_>>(),
            "coverage": self.coverage.iter().map(Covered::json).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }

    fn name(&self, haircut: &AssetHaircut) -> &str {
        &self.snapshot.assets[haircut.asset as usize].name
    }

    fn asset_json(&self, haircut: &AssetHaircut) -> Value {
        let volume = haircut.liquidity.map(|liquidity| match liquidity.volume {
            Volume::Daily(volume) => json!({"daily": volume}),
            Volume::Depth(depth) => json!({"depth": depth}),
            Volume::Nothing => json!({"daily": 0.0}),
        });
        let tiers = haircut
            .tiers
            .iter()
            .map(|tier| json!({"upper": tier.upper, "liquidity": tier.liquidity, "haircut": tier.haircut}));
        json!({
            "asset": self.name(haircut),
            "market": haircut.market.as_ref().map(fall_json),
            "too_short": haircut.too_short.map(|short| json!({
                "windows": short.windows, "independent": short.independent,
            })),
            "peg": haircut.peg.as_ref().map(|peg| json!({
                "reference": peg.reference, "fall": peg.fall.as_ref().map(fall_json), "haircut": peg.haircut,
            })),
            "bridge": haircut.bridge,
            "volume": volume,
            "total_cap": haircut.total_cap.map(|total| json!({"deposits": total.deposits, "cap": total.cap})),
            "tiers": tiers.collect::<Vec<_>>(),
            "binding": haircut.binding(),
            "notes": haircut.notes,
        })
    }

    /// The findings for reading.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!(
            "{}: falls within {} h at {} %, {}; floor {}",
            self.out.display(),
            self.span_hours,
            100.0 * self.args.quantile,
            self.args.look_back_days.map_or_else(|| "whole history".into(), |days| format!("{days} days back")),
            self.args.floor_name(),
        )];
        lines.push(format!("\n{}", self.class_table()));
        for change in &self.classes {
            lines.extend(change.notes.iter().map(|note| format!("{}: {note}", change.class)));
        }
        lines.push(format!("\nevery held asset, percent of its value:\n{}", self.asset_table()));
        lines.push(
            "? = the history bounds the quantile by nothing; ! = too short for it, the largest fall continued".into(),
        );
        if !self.coverage.is_empty() {
            lines.push(format!(
                "\nmarket haircuts by this rule, formed before each window, against what came:\n{}",
                self.coverage_table()
            ));
        }
        if !self.pairs.is_empty() {
            lines.push(format!("\nwrong-way pairs, strongest first:\n{}", self.pair_table()));
            if self.pairs.len() > SHOWN {
                lines.push(format!("… and {} more", self.pairs.len() - SHOWN));
            }
        }
        lines.extend(self.notes.iter().cloned());
        lines.join("\n")
    }

    fn class_table(&self) -> Table {
        let mut table =
            aligned(&["class", "assets", "old %", "new %", "nothing counts above", "worst asset", "why"], 2..5);
        for change in &self.classes {
            table.add_row(vec![
                change.class.clone(),
                shortened(&change.assets),
                change.old.as_ref().map_or_else(|| "–".into(), range),
                range(&change.new),
                cap(&change.new),
                change.worst.clone(),
                change.binding.unwrap_or("–").into(),
            ]);
        }
        table
    }

    fn asset_table(&self) -> Table {
        let header = [
            "asset",
            "follows",
            "independent",
            "quantile",
            "95 % interval",
            "haircut",
            "Gaussian",
            "ratio",
            "ES",
            "max",
            "peg",
            "bridge",
            "slippage",
            "binds",
        ];
        let mut table = aligned(&header, 2..13);
        for haircut in &self.assets {
            let market = haircut.market.as_ref();
            let of = |figure: &dyn Fn(&MarketFall) -> String| market.map_or_else(|| "–".into(), figure);
            let slippage =
                Steps { bounds: Vec::new(), haircuts: haircut.tiers.iter().map(|tier| tier.liquidity).collect() };
            table.add_row(vec![
                self.name(haircut).to_string(),
                of(&|market| market.source.clone()),
                independent(haircut),
                of(&|market| {
                    let mark = if factor(market.estimate).is_some() { "!" } else { "" };
                    format!("{}{mark}", percent(market.estimate.loss))
                }),
                of(&|market| interval(&market.recent)),
                of(&|market| percent(market.haircut)),
                of(&|market| percent(market.gaussian)),
                of(&|market| market.ratio_to_gaussian().map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}"))),
                of(&|market| percent(market.recent.expected_shortfall)),
                of(&|market| percent(market.full.largest)),
                haircut.peg.as_ref().map_or_else(|| "–".into(), |peg| percent(peg.haircut)),
                percent(haircut.bridge),
                if haircut.liquidity.is_some() { range(&slippage) } else { "–".into() },
                haircut.binding().unwrap_or("–").into(),
            ]);
        }
        table
    }

    fn coverage_table(&self) -> Table {
        let header =
            ["price", "windows", "exceeded", "share %", "Kupiec p", "Gaussian exceeded", "share %", "Kupiec p"];
        let mut table = aligned(&header, 1..8);
        for covered in &self.coverage {
            let of = |coverage: &Coverage, statistics: &Statistics| {
                let share = coverage.share().map_or_else(|| "–".into(), |share| percent(1.0 - share));
                let test = statistics.proportion.map_or_else(|| "–".into(), |test| format!("{:.4}", test.p_value));
                [coverage.exceedances.to_string(), share, test]
            };
            let mut row = vec![covered.source.clone(), covered.walk.empirical.observations.to_string()];
            row.extend(of(&covered.walk.empirical, &covered.empirical));
            row.extend(of(&covered.walk.gaussian, &covered.gaussian));
            table.add_row(row);
        }
        table
    }

    fn pair_table(&self) -> Table {
        let mut table = aligned(&["collateral", "underlying", "correlation", "rate %"], 2..4);
        for pair in self.pairs.iter().take(SHOWN) {
            let figures = [format!("{:.3}", pair.correlation), percent(pair.rate)];
            table.add_row([pair.collateral.clone(), pair.underlying.clone()].into_iter().chain(figures));
        }
        table
    }
}

impl Covered {
    fn json(&self) -> Value {
        let of = |coverage: &Coverage, statistics: &Statistics| {
            json!({
                "observations": coverage.observations,
                "exceedances": coverage.exceedances,
                "mean_shortfall": coverage.mean_shortfall(),
                "max_shortfall": coverage.max_shortfall(),
                "kupiec": statistics.proportion.map(|test| test.statistic),
                "kupiec_p": statistics.proportion.map(|test| test.p_value),
            })
        };
        json!({
            "price": self.source,
            "first_hour": self.walk.first_hour,
            "empirical": of(&self.walk.empirical, &self.empirical),
            "gaussian": of(&self.walk.gaussian, &self.gaussian),
        })
    }
}

/// Independent windows that the market haircut was read from, or that were too few.
fn independent(haircut: &AssetHaircut) -> String {
    let read = haircut.market.as_ref().map(|market| market.recent.independent);
    let windows = read.or(haircut.too_short.map(|short| short.independent));
    windows.map_or_else(|| "–".into(), |windows| format!("{windows:.0}"))
}

fn tail_json(tail: &Tail) -> Value {
    json!({
        "windows": tail.windows, "independent": tail.independent, "quantile": tail.quantile, "low": tail.low,
        "high": tail.high, "expected_shortfall": tail.expected_shortfall, "largest": tail.largest,
    })
}

fn fall_json(fall: &MarketFall) -> Value {
    json!({
        "source": fall.source,
        "recent": tail_json(&fall.recent),
        "full": tail_json(&fall.full),
        "estimate": fall.estimate.loss,
        "extrapolated": factor(fall.estimate),
        "gaussian": fall.gaussian,
        "ratio": fall.ratio_to_gaussian(),
        "daily_volatility": fall.daily_volatility,
        "haircut": fall.haircut,
    })
}

fn class_json(change: &ClassChange) -> Value {
    let steps = |steps: &Steps| json!({"from": std::iter::once(&0.0).chain(&steps.bounds).collect::<Vec<_>>(), "haircut": steps.haircuts});
    json!({
        "class": change.class,
        "assets": change.assets,
        "worst": change.worst,
        "binding": change.binding,
        "old": change.old.as_ref().map(steps),
        "wanted": steps(&change.wanted),
        "new": steps(&change.new),
        "notes": change.notes,
    })
}

/// The haircut of the first tier, and that of the last one that counts for something.
fn range(steps: &Steps) -> String {
    let first = steps.haircuts.first().copied().unwrap_or(0.0);
    let last = steps.haircuts.iter().copied().rfind(|haircut| *haircut < 1.0).unwrap_or(first);
    if first == last { percent(first) } else { format!("{}–{}", percent(first), percent(last)) }
}

/// The size beyond which nothing counts.
fn cap(steps: &Steps) -> String {
    let at = steps.haircuts.iter().position(|haircut| *haircut >= 1.0);
    let bound = at.and_then(|tier| steps.bounds.get(tier.checked_sub(1)?));
    bound.map_or_else(|| "–".into(), |bound| format!("{bound:.0}"))
}

fn shortened(names: &[String]) -> String {
    const MOST: usize = 4;
    let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(" ");
    if names.len() > MOST { format!("{shown} +{}", names.len() - MOST) } else { shown }
}

fn aligned(header: &[&str], numbers: std::ops::Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.iter().copied());
    let columns = table.column_iter_mut().enumerate().filter(|(at, _)| numbers.contains(at));
    columns.for_each(|(_, column)| column.set_cell_alignment(CellAlignment::Right));
    table
}
