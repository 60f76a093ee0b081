//! The page of a liquidation.

use super::chart::{Paired, Ranked};
use super::format::{count, escaped, money, number, percent, ratio, relative_move, shortened};
use super::liquidation_chart::{Course, Fall, Move, Rung, courses, ladder, moves, waterfall};
use super::page::{Column, cards, facts, figure, list, page, section, subsection, table};
use crate::domain::Snapshot;
use crate::liquidation::critical::Critical;
use crate::liquidation::{Ending, Figure, Ladder, Outcome, RoundFigures, Summary};
use crate::policy::Policy;

/// Characters of an id.
const NAME_WIDTH: usize = 40;
/// Scenarios of a table.
const MOST_SCENARIOS: usize = 100;
/// Scenarios followed round by round.
const FOLLOWED: usize = 4;
/// Prices and instruments of a chart or table.
const MOST_MOVES: usize = 12;
/// Most warnings and run facts listed.
const MOST_LISTED: usize = 100;

/// What a liquidation's report is made of. The same input gives the same text.
#[derive(Debug, Clone, Copy)]
pub struct LiquidationInput<'a> {
    /// What was found under the run's policy.
    pub outcome: &'a Outcome,
    /// Market data and book.
    pub snapshot: &'a Snapshot,
    /// The run's policy.
    pub policy: &'a Policy,
    /// What it is called.
    pub policy_name: &'a str,
    /// Which scenarios were sequenced, in a sentence.
    pub selection: &'a str,
    /// The run's policy and those it is compared with, with what each came to.
    pub policies: &'a [(String, &'a Outcome)],
    /// Critical depths that were searched.
    pub critical: &'a [CriticalRow],
    /// Amplification from which a cascade counts as running away.
    pub runaway: f64,
    /// Facts of the run to list (name, value).
    pub facts: &'a [(String, String)],
}

/// The critical depth of one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct CriticalRow {
    /// The scenario, or the path.
    pub scenario: String,
    /// Whose depth was scaled: `exchange`, or an underlying.
    pub scope: String,
    /// What was found.
    pub critical: Critical,
}

impl LiquidationInput<'_> {
    /// Scenarios by what others than the clients pay, then by what was liquidated, the worst first.
    pub(super) fn worst_first(&self) -> Vec<&Summary> {
        let mut scenarios: Vec<&Summary> = self.outcome.scenarios.iter().collect();
        let size = |summary: &Summary| (others_pay(summary), summary.tally.liquidated_notional);
        scenarios.sort_by(|a, b| {
            let (a, b) = (size(a), size(b));
            b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1))
        });
        scenarios
    }

    /// What the critical depth of a row is, in words.
    pub(super) fn critical_text(&self, critical: Critical) -> String {
        let limit = number(self.runaway, 4);
        match critical {
            Critical::Unmoved => "no price moves: nothing to amplify".into(),
            Critical::Never => format!("never reaches {limit}, even at 1/1,024 of the depth"),
            Critical::Always => format!("reaches {limit} even at 1,024 times the depth"),
            Critical::Between { below, above } => {
                format!("reaches {limit} at {} of the depth, not at {}", factor(below), factor(above))
            }
        }
    }
}

/// A factor with four significant digits.
fn factor(value: f64) -> String {
    let places = if value >= 100.0 {
        1
    } else if value >= 1.0 {
        3
    } else {
        5
    };
    format!("{}×", number(value, places))
}

/// What funds, deleveraged pools, members and nobody pay: debts of closed pools, quote units.
pub(super) fn others_pay(summary: &Summary) -> f64 {
    let tally = &summary.tally;
    (tally.fund_draw + tally.haircut + tally.socialised + tally.uncovered).units()
}

/// The report as one HTML file: no script, no network. Every name is escaped; wall-clock times are left out.
pub fn liquidation_html(input: &LiquidationInput<'_>) -> String {
    let worst = input.worst_first();
    let mut body = vec![header(input)];
    if let Some(first) = worst.first() {
        let charts =
            [who_pays(first), rounds(&worst), prices(input, first), fund(input), cascade(input), health(first)];
        body.push(section("The cascade", &format!("<div class=\"charts\">\n{}</div>\n", charts.concat())));
    }
    body.push(section("Scenarios", &scenario_tables(input)));
    if let Some(first) = worst.first() {
        body.push(section("Instruments", &instruments(input, first)));
    }
    if input.policies.len() > 1 {
        body.push(section("Policies", &policies(input)));
    }
    if !input.critical.is_empty() {
        body.push(section("Critical depth", &critical(input)));
    }
    body.push(section("How to read this", &list(&definitions(), MOST_LISTED)));
    body.push(section("Warnings", &list(&input.outcome.warnings, MOST_LISTED)));
    body.push(section("Run", &run_facts(input)));
    page("Plimsoll liquidation report", &body.concat())
}

fn header(input: &LiquidationInput<'_>) -> String {
    let scenarios = &input.outcome.scenarios;
    let largest = |figure: fn(&Summary) -> f64| scenarios.iter().map(figure).fold(0.0, f64::max);
    let most = |figure: fn(&Summary) -> u64| scenarios.iter().map(figure).max().unwrap_or(0);
    let amplification = scenarios.iter().filter_map(|summary| summary.amplification).reduce(f64::max);
    let cut_off = scenarios.iter().filter(|summary| summary.ending == Ending::CutOff).count();
    let error: u128 = scenarios.iter().map(|summary| summary.tally.conservation_error).sum();
    let cards = cards(&[
        (count(scenarios.len() as u64), "scenarios sequenced"),
        (count(most(|of| of.breached_pools)), "most pools liquidatable at the first prices"),
        (count(most(|of| of.liquidated_pools)), "most pools liquidated in one scenario"),
        (money(largest(|of| of.tally.liquidated_notional)), "largest notional cut in one scenario, quote units"),
        (money(largest(|of| of.tally.cost)), "largest cost to those liquidated, quote units"),
        (money(largest(|of| of.tally.fund_draw.units())), "largest draw on insurance funds, quote units"),
        (money(largest(|of| of.tally.haircut.units())), "largest sum given up by others (ADL), quote units"),
        (ratio(amplification), "largest amplification of the price move"),
    ]);
    let unfinished = match cut_off {
        0 => String::new(),
        n => format!("<p class=\"bad\">{n} scenarios were cut off by the limit of rounds: their cascades go on.</p>\n"),
    };
    let unknown = match input.outcome.unknown_pools {
        0 => String::new(),
        pools => format!("<p class=\"bad\">{} pools are unknown and never liquidated.</p>\n", count(pools)),
    };
    format!(
        "<header><h1>Plimsoll liquidation report</h1>\n<p class=\"soft\">{}. Policy: {}.</p>\n{cards}\
         <p>Quanta of 1e-8 made or lost over all accounts, funds and the market: {error}.</p>\n{unfinished}{unknown}</header>\n",
        escaped(input.selection),
        escaped(input.policy_name),
    )
}

fn who_pays(worst: &Summary) -> String {
    let tally = &worst.tally;
    let fall = |label: &str, from: f64, amount: f64, class| Fall { label: label.into(), from, amount, class };
    let fees = (tally.trading_fees + tally.fund_fees).units();
    let mut falls = vec![
        fall("those liquidated: spread and price impact", 0.0, (tally.cost - fees).max(0.0), "p1"),
        fall("those liquidated: trading fees", (tally.cost - fees).max(0.0), tally.trading_fees.units(), "p1"),
        fall(
            "those liquidated: liquidation fees",
            (tally.cost - tally.fund_fees.units()).max(0.0),
            tally.fund_fees.units(),
            "p1",
        ),
    ];
    let mut from = 0.0;
    for (label, amount, class) in [
        ("debts of closed pools: insurance funds", tally.fund_draw, "p2"),
        ("debts: others' profits and positions (ADL)", tally.haircut, "p4"),
        ("debts: socialised", tally.socialised, "p3"),
        ("debts: paid by nobody", tally.uncovered, "p5"),
    ] {
        falls.push(fall(label, from, amount.units(), class));
        from += amount.units();
    }
    let reading = format!(
        "{}, the scenario that costs others most. What forced trades cost those liquidated, then who pays what they could not.",
        shortened(&worst.scenario, NAME_WIDTH)
    );
    figure("Who pays", &reading, &waterfall("Who pays", &falls, "Nothing was liquidated."))
}

fn rounds(worst: &[&Summary]) -> String {
    let of = |value: fn(&RoundFigures) -> f64| -> Vec<Course<'_>> {
        let course = |summary: &&'_ Summary| summary.rounds.iter().map(value).collect();
        worst.iter().take(FOLLOWED).map(|s| Course { label: &s.scenario, values: course(s) }).collect()
    };
    let notional = courses(
        "Notional by round",
        "notional cut, quote units",
        &of(|round| round.liquidated_notional),
        "Nothing was cut.",
    );
    let pools = courses(
        "Pools by round",
        "pools liquidated for the first time",
        &of(|round| round.pools as f64),
        "No pool was.",
    );
    let reading =
        "The scenarios that cost others most. Prices are frozen within a round and follow the forced flow between two.";
    figure("Rounds: notional", reading, &notional) + &figure("Rounds: pools", reading, &pools)
}

fn prices(input: &LiquidationInput<'_>, worst: &Summary) -> String {
    let mut books: Vec<_> = worst.books.iter().collect();
    books.sort_by(|a, b| b.impact.abs().total_cmp(&a.impact.abs()).then(a.underlying.cmp(&b.underlying)));
    let of_book = |book: &&crate::liquidation::BookFigures| Move {
        label: input.snapshot.underlyings[book.underlying as usize].name.clone(),
        parts: [book.shock, book.impact],
    };
    let rows: Vec<Move> = books.iter().take(MOST_MOVES).map(of_book).collect();
    let reading = format!(
        "{}: the {} prices that forced trades move most, of {}. The impact comes on top of the shock.",
        shortened(&worst.scenario, NAME_WIDTH),
        rows.len(),
        books.len()
    );
    figure("Prices", &reading, &moves("Prices", ["by the scenario", "by forced trades"], &rows, "No price moves."))
}

fn fund(input: &LiquidationInput<'_>) -> String {
    let scenarios = &input.outcome.scenarios;
    let chart = Ranked {
        name: "Draw on insurance funds by scenario",
        axis: "paid by insurance funds, quote units",
        nothing: "No insurance fund paid anything.",
        values: scenarios.iter().map(|s| (s.tally.fund_draw.units(), s.scenario.as_str())).collect(),
    };
    let reading = "One bar for each sequenced scenario. Liquidation fees paid in are not taken off.";
    figure("Insurance fund", reading, &chart.draw())
}

fn cascade(input: &LiquidationInput<'_>) -> String {
    let rung = |summary: &'_ Summary| (summary.shock, summary.tally.liquidated_notional);
    let rungs = input.outcome.scenarios.iter().map(|summary| {
        let (shock, amount) = rung(summary);
        Rung { label: &summary.scenario, shock, amount }
    });
    let drawing =
        ladder("Cascade ladder", "notional cut, quote units", rungs.collect(), "Nothing was cut, or no price moves.");
    let reading = "One dot for each sequenced scenario: what is cut until its end, against the mean move of prices that started \
                   it, weighted by the notional held.";
    figure("Cascade ladder", reading, &drawing)
}

fn health(worst: &Summary) -> String {
    let labels = Ladder::NAMES.map(|name| name.replace('_', " "));
    let chart = Paired {
        name: "Pools before and after",
        labels: labels.iter().map(String::as_str).collect(),
        series: ["at the first prices", "at the last"],
        counts: worst.before.counts().into_iter().zip(worst.after.counts()).map(|(a, b)| [a, b]).collect(),
        divider: None,
        label_width: 112.0,
    };
    let reading = format!(
        "{}: each pool once, before anybody is liquidated and when the cascade has ended.",
        shortened(&worst.scenario, NAME_WIDTH)
    );
    figure("Health ladder", &reading, &chart.draw())
}

fn scenario_tables(input: &LiquidationInput<'_>) -> String {
    use Column::{Name, Number};
    let shown: Vec<&Summary> = input.outcome.scenarios.iter().take(MOST_SCENARIOS).collect();
    let name = |summary: &Summary| shortened(&summary.scenario, NAME_WIDTH);
    let course = shown.iter().map(|of| {
        let tally = &of.tally;
        vec![
            name(of),
            relative_move(of.shock),
            ratio(of.amplification),
            count(of.rounds.len() as u64),
            of.ending.name().replace('_', " "),
            count(of.breached_pools),
            count(of.liquidated_pools),
            count(of.taken_over_pools),
            money(tally.liquidated_notional),
            money(tally.taken_over_notional),
            money(tally.cost),
        ]
    });
    let columns = [
        ("scenario", Name),
        ("mean move", Number),
        ("amplification", Number),
        ("rounds", Number),
        ("ending", Name),
        ("breached", Number),
        ("liquidated", Number),
        ("taken over", Number),
        ("notional cut", Number),
        ("notional taken over", Number),
        ("cost", Number),
    ];
    let course = table(&columns, &course.collect::<Vec<_>>(), "There are no scenarios.");
    let payers = shown.iter().map(|of| {
        let tally = &of.tally;
        vec![
            name(of),
            money(tally.trading_fees.units()),
            money(tally.fund_fees.units()),
            money(tally.fund_draw.units()),
            of.fund_left.map_or_else(|| "unlimited".into(), money),
            count(of.deleveraged_pools),
            money(tally.deleveraged_notional),
            money(tally.haircut.units()),
            money(tally.socialised.units()),
            money(tally.uncovered.units()),
            of.socialised_share().map_or_else(|| "–".into(), percent),
        ]
    });
    let columns = [
        ("scenario", Name),
        ("trading fees", Number),
        ("liquidation fees", Number),
        ("fund draw", Number),
        ("fund left", Number),
        ("ADL pools", Number),
        ("ADL notional", Number),
        ("ADL haircut", Number),
        ("socialised", Number),
        ("uncovered", Number),
        ("socialised, of equity", Number),
    ];
    let payers = table(&columns, &payers.collect::<Vec<_>>(), "There are no scenarios.");
    let more = match input.outcome.scenarios.len() - shown.len() {
        0 => String::new(),
        n => format!("<p class=\"soft\">{} more are in the table liquidations.</p>\n", count(n as u64)),
    };
    subsection("Course", &course) + &subsection("Who pays", &payers) + &more
}

fn instruments(input: &LiquidationInput<'_>, worst: &Summary) -> String {
    let mut traded: Vec<(&str, f64, f64)> = Vec::new();
    for (index, (bought, sold)) in &worst.tally.traded {
        traded.push((&input.snapshot.instruments[*index as usize].name, *bought, *sold));
    }
    traded.sort_by(|a, b| (b.1 + b.2).total_cmp(&(a.1 + a.2)).then(a.0.cmp(b.0)));
    let rows = traded.iter().take(MOST_MOVES).map(|(instrument, bought, sold)| {
        vec![shortened(instrument, NAME_WIDTH), money(*bought), money(*sold), money(bought - sold)]
    });
    let columns =
        [("instrument", Column::Name), ("bought", Column::Number), ("sold", Column::Number), ("net", Column::Number)];
    let reading = format!(
        "<p class=\"soft\">{}: notional of forced trades in the market, the largest of {}; quote units.</p>\n",
        escaped(&shortened(&worst.scenario, NAME_WIDTH)),
        count(traded.len() as u64)
    );
    reading + &table(&columns, &rows.collect::<Vec<_>>(), "Nothing was cut in the market.")
}

/// Names of the figures of [`crate::liquidation::Totals`] for people.
const TOTALS: [(&str, &str); 15] = [
    ("scenarios", "scenarios"),
    ("cut_off", "cut off"),
    ("liquidated_pools", "liquidated pools"),
    ("extra_pools", "beyond breached"),
    ("adl_pools", "ADL pools"),
    ("liquidated_notional", "notional cut"),
    ("adl_notional", "ADL notional"),
    ("cost", "cost"),
    ("trading_fees", "trading fees"),
    ("fund_fees", "liquidation fees"),
    ("fund_draw", "fund draw"),
    ("adl_haircut", "ADL haircut"),
    ("socialised_loss", "socialised"),
    ("uncovered", "uncovered"),
    ("mean_amplification", "mean amplification"),
];

fn policies(input: &LiquidationInput<'_>) -> String {
    let mut columns = vec![("summed over the scenarios", Column::Name)];
    columns.extend(input.policies.iter().map(|(name, _)| (name.as_str(), Column::Number)));
    let totals: Vec<_> = input.policies.iter().map(|(_, outcome)| outcome.totals().figures()).collect();
    let rows = TOTALS.iter().map(|(key, label)| {
        let cell = |figures: &Vec<(&str, Figure)>| {
            let found = figures.iter().find(|(name, _)| name == key);
            found.map_or_else(String::new, |(_, figure)| figure_text(*figure))
        };
        std::iter::once(label.to_string()).chain(totals.iter().map(cell)).collect()
    });
    let reading = "<p class=\"soft\">The same scenarios under each policy; money in quote units. The figures above are those of the \
                   first.</p>\n";
    reading.to_string() + &table(&columns, &rows.collect::<Vec<Vec<String>>>(), "")
}

/// A figure for people.
pub(super) fn figure_text(figure: Figure) -> String {
    match figure {
        Figure::Count(value) => count(value),
        Figure::Difference(value) if value < 0 => format!("−{}", count(value.unsigned_abs())),
        Figure::Difference(value) => count(value.unsigned_abs()),
        Figure::Number(value) => value.map_or_else(|| "–".into(), money),
    }
}

fn critical(input: &LiquidationInput<'_>) -> String {
    let rows = input.critical.iter().take(MOST_SCENARIOS).map(|row| {
        vec![shortened(&row.scenario, NAME_WIDTH), shortened(&row.scope, NAME_WIDTH), input.critical_text(row.critical)]
    });
    let reading = "<p class=\"soft\">The least factor on depth at which the amplification stays below the limit, searched between \
                   1/1,024 and 1,024 by halving its logarithm.</p>\n";
    let columns = [("scenario", Column::Name), ("depth of", Column::Name), ("amplification", Column::Text)];
    reading.to_string() + &table(&columns, &rows.collect::<Vec<_>>(), "")
}

fn definitions() -> Vec<String> {
    [
        "Breached: pools with adjusted equity below maintenance margin at the first prices, bankrupt ones among them. Liquidated: \
         pools that were cut, converted, taken over or closed against others by the end, those that forced trades pulled in \
         included.",
        "Cost: what forced trades cost those liquidated against the marks of their round: half spread, price impact, trading and \
         liquidation fees.",
        "Fund draw, ADL haircut, socialised, uncovered: who pays the debts of closed pools, in this order. The ADL haircut is what \
         others give up against the marks.",
        "Amplification: mean |move| of prices at the end over mean |move| by the scenario alone, weighted by the notional held.",
        "Who is liquidated is decided exactly; amounts are whole multiples of 1e-8 of a unit, and after every round what left one \
         account is found in another. Every event, with the numbers that caused it, is in the table events; `plimsoll explain \
         SNAPSHOT ACCOUNT --event N --events DIR` spells one out.",
        "Nobody tops up, trades or withdraws by choice, and prices move by nothing but the scenario and forced trades.",
    ]
    .map(String::from)
    .to_vec()
}

fn run_facts(input: &LiquidationInput<'_>) -> String {
    let outcome = input.outcome;
    let adapter = if outcome.adapter.is_empty() { "none" } else { &outcome.adapter };
    let policy = input.policy;
    let (sweeps, cells, audited) = (count(outcome.sweeps), count(outcome.cells), count(outcome.audited_verdicts));
    let scale = number(policy.impact.depth_scale, 6);
    let own = [
        ("digest of the events", outcome.digest.as_str()),
        ("engine", outcome.engine.as_str()),
        ("adapter", adapter),
        ("screening sweeps", &sweeps),
        ("cells (positions × scenarios) of them", &cells),
        ("verdicts that audits recomputed; all agree", &audited),
        ("law of price impact", policy.impact.law.name()),
        ("factor on depth", &scale),
    ];
    let given = input.facts.iter().take(MOST_LISTED).map(|(name, value)| (name.as_str(), value.as_str()));
    facts(own.into_iter().chain(given))
}
