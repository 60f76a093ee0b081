use std::cell::OnceCell;

use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;
use crate::domain::{BookBuilder, Instrument, Position, Side, Underlying};
use crate::engine::greeks::{Attribution, Ladder, Loser, Parts, Rung, UnderlyingTotal};
use crate::engine::{Audit, Figures, PoolOutcome, ScenarioOutcome, StageSeconds, State, Totals};
use crate::pricing::Greeks;
use crate::scenario::Factor;

/// A made-up sweep: plausible numbers, not computed ones.
struct Example {
    outcome: Outcome,
    snapshot: Snapshot,
    greeks: GreekSummary,
    scenarios: ScenarioSet,
    facts: Vec<(String, String)>,
    /// Made with the first input.
    pools: OnceCell<PoolSummary>,
}

impl Example {
    fn new(pools: usize, scenarios: usize, worst_move: f64) -> Self {
        let mut generator = ChaCha8Rng::from_seed([7; 32]);
        let mut uniform = move || (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let mut builder = BookBuilder::default();
        let mut outcomes = Vec::new();
        for at in 0..pools {
            let id = builder.pool(&format!("a{at:07}"), "main");
            let entry_price = 100.0;
            let (instrument, quantity, side) = (0, 1.0, Side::Net);
            let (leverage, accrued_funding) = (None, 0.0);
            builder.add_position(id, Position { instrument, quantity, entry_price, leverage, accrued_funding, side });
            outcomes.push(pool_outcome(&mut uniform, scenarios as u32, worst_move));
        }
        let count = |test: fn(&PoolOutcome) -> bool| outcomes.iter().filter(|pool| test(pool)).count() as f64;
        let (liquidatable, bankrupt) =
            (count(|pool| pool.liquidatable_scenarios > 0), count(|pool| pool.bankrupt_scenarios > 0));
        let mut rows = Vec::new();
        let mut shocks = Array2::zeros((scenarios, 2));
        for at in 0..scenarios {
            let size = worst_move * libm::pow(uniform(), 3.0);
            shocks[[at, 0]] = -size;
            shocks[[at, 1]] = -size * uniform();
            let severity = if worst_move > 0.0 { size / worst_move } else { 0.0 };
            rows.push(ScenarioOutcome {
                restricted_pools: (1.4 * liquidatable * severity) as u64,
                liquidatable_pools: (liquidatable * severity) as u64,
                bankrupt_pools: (bankrupt * severity) as u64,
                shortfall: (8e6 * (severity - 0.2).max(0.0)).powi(2) / 8e6,
                liquidatable_notional: 4e8 * severity,
                ..ScenarioOutcome::default()
            });
        }
        let set = ScenarioSet {
            ids: (0..scenarios).map(|at| format!("mc-{at:05}")).collect(),
            weights: vec![1.0; scenarios],
            labels: vec!["monte carlo".into(); scenarios],
            factors: vec![Factor::price("BTC"), Factor::price("ETH")],
            shocks,
        };
        let cells = (pools * scenarios) as u64;
        let audit = Audit {
            pools: 1_024,
            cells,
            verdicts: cells,
            decisions_differ: 0,
            worst_bound_ratio: 0.31,
            ..Audit::default()
        };
        let outcome = Outcome {
            engine: "cpu".into(),
            device_limits: None,
            adapter: String::new(),
            revaluation: Default::default(),
            totals: Totals::Exact,
            pools: outcomes,
            scenarios: rows,
            cells,
            redecided_pools: 5,
            exact_verdicts: 1,
            unknown_pools: 0,
            audit,
            attributions: if scenarios > 0 && worst_move > 0.0 { attributions(pools, scenarios) } else { Vec::new() },
            seconds: StageSeconds { read: 0.25, revalue: 0.01, sweep: 1.5, audit: 0.07, greeks: 0.03, write: 0.2 },
            warnings: vec!["asset LUNA has no haircut class: haircut 0".into()],
        };
        let facts = [("rulebook", "synthetic, blake3 6f2c…"), ("seed", "7")];
        let facts = facts.map(|(name, value)| (name.to_string(), value.to_string())).into();
        let snapshot = Snapshot {
            as_of: None,
            quote: "USD".into(),
            assets: Vec::new(),
            underlyings: vec![Underlying::new("BTC", 100.0)],
            instruments: vec![Instrument::perpetual("BTC-PERP", 0, 0, 100.0)],
            routes: Vec::new(),
            haircut_curves: Vec::new(),
            book: builder.build(),
        };
        Self {
            outcome,
            snapshot,
            greeks: if pools > 0 { greeks() } else { GreekSummary::default() },
            scenarios: set,
            facts,
            pools: OnceCell::new(),
        }
    }

    fn input(&self) -> ReportInput<'_> {
        let Self { outcome, snapshot, greeks, scenarios, facts, pools } = self;
        let pools = pools.get_or_init(|| PoolSummary::of(&snapshot.book, outcome));
        ReportInput { outcome, pools, snapshot, scenarios, greeks, facts, digest: "4be1f0aa" }
    }
}

/// A closed book of options on one coin: all net figures are zero but the delta, which is rounding.
fn greeks() -> GreekSummary {
    let gross = Greeks { delta: 1e6, gamma: 2e5, vega: 3e8, theta: 4e8, ..Greeks::default() };
    let net = Greeks { delta: 1e-8, ..Greeks::default() };
    let rungs = [-0.5, -0.1, 0.0, 0.1, 0.5].map(|index_move: f64| {
        let at = libm::exp(-4.0 * index_move * index_move);
        let mut rung = Rung { index_move, net, ..Rung::default() };
        rung.gross.add_scaled(at, gross);
        rung.net.gamma = -1e3 * index_move;
        rung
    });
    GreekSummary {
        underlyings: vec![UnderlyingTotal { underlying: 0, pools: 1_234, net, gross }],
        ladders: vec![Ladder { underlying: 0, index_price: 100.0, rungs: rungs.to_vec() }],
    }
}

/// Two scenarios taken apart, and a pool that loses in both.
fn attributions(pools: usize, scenarios: usize) -> Vec<Attribution> {
    let parts = Parts { actual: -7e6, delta: -5e6, gamma: -3e6, vega: 2e6, theta: 1e5 };
    let less = Parts { actual: -6e6, ..parts };
    let losers = |parts| if pools > 0 { vec![Loser { pool: 0, parts }] } else { Vec::new() };
    vec![
        Attribution { scenario: 0, pools: 12, total: parts, losers: losers(less) },
        Attribution { scenario: scenarios as u32 - 1, pools: 3, total: less, losers: losers(parts) },
    ]
}

fn pool_outcome(uniform: &mut impl FnMut() -> f64, scenarios: u32, worst_move: f64) -> PoolOutcome {
    let margin = libm::exp(2.0 + 6.0 * uniform());
    let health = 0.97 + libm::exp(0.2 + 3.0 * uniform()) - 1.2;
    let adjusted_equity = health * margin;
    let equity = 1.03 * adjusted_equity;
    let loss = worst_move * 30.0 * margin * uniform() * uniform();
    let (worst_excess, worst_equity) = (adjusted_equity - margin - loss, equity - loss);
    let share =
        |below: bool| if below { 1 + (uniform_share(loss, margin) * f64::from(scenarios) / 4.0) as u32 } else { 0 };
    PoolOutcome {
        base: Figures {
            equity,
            adjusted_equity,
            initial_margin: 1.5 * margin,
            maintenance_margin: margin,
            adjusted_collateral: adjusted_equity,
            gross_notional: 60.0 * margin,
        },
        state: if adjusted_equity < margin {
            State::Liquidatable
        } else if adjusted_equity < 1.5 * margin {
            State::Restricted
        } else {
            State::Healthy
        },
        worst_scenario: (loss as u32) % scenarios.max(1),
        worst_excess,
        worst_equity,
        restricted_scenarios: share(worst_excess < 0.5 * margin),
        liquidatable_scenarios: share(worst_excess < 0.0),
        bankrupt_scenarios: share(worst_equity < 0.0),
        expected_shortfall: (-worst_equity).max(0.0) / 50.0,
    }
}

fn uniform_share(loss: f64, margin: f64) -> f64 {
    (loss / (40.0 * margin)).clamp(0.0, 1.0)
}

/// No value that is not a number reached a coordinate or a label.
fn assert_finite(html: &str) {
    let body = html.split("</style>").nth(1).unwrap_or_default();
    for word in ["NaN", ">nan", "\"nan", ">inf", "\"inf", "-inf", "Infinity"] {
        assert!(!body.contains(word), "{word} in the page");
    }
}

#[test]
fn a_report_is_small_self_contained_and_repeatable() {
    let example = Example::new(20_000, 4_096, 0.6);
    let text = html(&example.input());
    assert_eq!(text, html(&example.input()));
    assert!(text.len() < 200_000, "{} bytes", text.len());
    assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("<script"));
    assert!(
        text.contains("Audited 1,024 pools × 4,096 scenarios: 0 decisions differ, largest error 0.31 of its bound")
    );
    assert_eq!(text.matches("<svg").count(), 7);
    assert_balanced(&text);
    assert_finite(&text);
    if let Some(path) = std::env::var_os("PLIMSOLL_REPORT") {
        std::fs::write(path, &text).expect("the report is written");
    }
}

/// Every element that is opened is closed, in order.
fn assert_balanced(html: &str) {
    let body = html.split("</style>").nth(1).unwrap_or_default();
    let mut open = Vec::new();
    for tag in body.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        match tag.strip_prefix('/') {
            Some(name) => assert!(open.pop() == Some(name) || ["head", "html"].contains(&name), "</{name}>"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn greeks_are_shown_net_and_gross_and_losses_by_their_parts() {
    let text = html(&Example::new(200, 64, 0.6).input());
    // Delta · index; a net that is rounding beside the gross is none. Gamma per 1 %: 2e5 · 100² / 100.
    assert!(text.contains("<td>BTC</td><td class=\"n\">1,234</td><td class=\"n\">0</td><td class=\"n\">100 M</td>"));
    assert!(
        text.contains("<td class=\"n\">20.0 M</td><td class=\"n\">0</td><td class=\"n\">3.00 M</td>"),
        "vega per point"
    );
    assert!(text.contains("BTC: ladder") && text.contains("<td class=\"n\">−50 %</td><td class=\"n\">50.0</td>"));
    // −7 M is −5 M, −3 M, 2 M, 100 k and what is left.
    let rest = "<td class=\"n\">−7.00 M</td><td class=\"n\">−5.00 M</td><td class=\"n\">−3.00 M</td><td class=\"n\">2.00 M</td>\
                <td class=\"n\">100 k</td><td class=\"n\">−1.10 M</td>";
    assert_eq!(text.matches(rest).count(), 2, "the scenario, and the pool where it loses most");
    assert_eq!(text.matches(r#"class="d1""#).count(), 2, "a dot for each scenario");

    let mut linear = Example::new(200, 64, 0.6);
    linear.greeks.ladders.clear();
    linear.greeks.underlyings[0].gross = Greeks { delta: 1e6, ..Greeks::default() };
    let text = html(&linear.input());
    assert!(text.contains("gross delta") && !text.contains("gross gamma") && !text.contains(": ladder"));
}

#[test]
fn degenerate_sweeps_still_make_a_page() {
    for (pools, scenarios, worst_move) in
        [(0, 0, 0.0), (0, 3, 0.5), (1, 1, 0.0), (1, 1, 0.9), (50, 1, 0.5), (3, 0, 0.1)]
    {
        let example = Example::new(pools, scenarios, worst_move);
        let text = html(&example.input());
        assert_finite(&text);
        assert!(text.ends_with("</html>\n"));
    }
    let mut strange = Example::new(40, 6, 0.5);
    strange.outcome.scenarios[0].shortfall = f64::INFINITY;
    strange.outcome.scenarios[1].shortfall = f64::NAN;
    strange.outcome.scenarios[2].shortfall = 1e300;
    strange.outcome.scenarios[3].shortfall = 1e-300;
    strange.outcome.pools[0].state = State::Unknown;
    strange.outcome.pools[0].worst_excess = f64::NAN;
    strange.outcome.pools[1].base = Figures::default();
    strange.scenarios.weights[4] = 0.0;
    strange.greeks.underlyings[0].gross.vega = f64::NAN;
    strange.greeks.ladders[0].rungs[1].gross = Greeks::from_array([f64::NAN; 8]);
    strange.greeks.ladders[0].rungs[2].net.theta = f64::INFINITY;
    strange.outcome.attributions[0].total.gamma = f64::NAN;
    assert_finite(&html(&strange.input()));
}

#[test]
fn ids_and_labels_are_text() {
    let mut example = Example::new(2, 2, 0.9);
    let hostile = "<img src=x onerror=\"alert('1')\">&\u{1b}[31m";
    let mut builder = BookBuilder::default();
    builder.pool(hostile, hostile);
    builder.pool("z", hostile);
    example.snapshot.book = builder.build();
    example.snapshot.underlyings[0].name = hostile.into();
    example.scenarios.ids = vec![hostile.into(), "b".into()];
    example.scenarios.labels = vec![hostile.into(), hostile.into()];
    example.scenarios.factors[0] = Factor::price(hostile);
    example.outcome.adapter = hostile.into();
    example.outcome.warnings = vec![hostile.into()];
    example.facts = vec![(hostile.into(), hostile.into())];
    example.outcome.pools[0].worst_excess = -1.0;
    let text = html(&example.input());
    assert!(!text.contains("<img") && !text.contains('\u{1b}'));
    assert!(text.contains("&lt;img src=x onerror="));
}

#[test]
fn exceedance_respects_weights() {
    let mut example = Example::new(1, 4, 0.5);
    for (scenario, loss) in example.outcome.scenarios.iter_mut().zip([10.0, 0.0, 30.0, 10.0]) {
        scenario.shortfall = loss;
    }
    example.scenarios.weights = vec![1.0, 4.0, 2.0, 1.0];
    let losses = figures::losses(&example.input());
    assert_eq!(losses.exceedance, [(30.0, 0.25), (10.0, 0.5)]);
    assert_eq!((losses.mean, losses.var_99, losses.es_99), (10.0, 30.0, 30.0));
}

#[test]
fn health_at_the_worst_scenario_is_below_one_exactly_where_it_is_liquidatable() {
    let mut example = Example::new(2, 1, 0.5);
    for (pool, excess) in example.outcome.pools.iter_mut().zip([-1e-300, 0.0]) {
        pool.base.maintenance_margin = 1e6;
        pool.worst_excess = excess;
    }
    let classes = figures::health_classes(example.input().pools);
    let just_below = classes.labels.iter().position(|label| label == "0.9 – 1").expect("a class");
    assert_eq!(classes.worst[just_below..just_below + 2], [1, 1]);
}

#[cfg(feature = "cli")]
#[test]
fn a_summary_for_the_terminal() {
    let mut example = Example::new(1_000, 64, 0.3);
    example.outcome.warnings.push("device \u{1b}[31mlost".into());
    insta::assert_snapshot!(summary(&example.input()), @r##"
    1,000 pools, 1,000 positions × 64 scenarios on the cpu engine

    ────────────────────────────────────────────────────────────
     state          pools at base   worst state in any scenario
    ════════════════════════════════════════════════════════════
     healthy                  892                           651
     restricted               104                            49
     liquidatable               4                            96
     bankrupt                   0                           204
     unknown                    0                             0
    ────────────────────────────────────────────────────────────

    ────────────────────────────────────────────────────────────────────────────────────
     worst scenario   label         liquidatable   bankrupt   shortfall   liq. notional
    ════════════════════════════════════════════════════════════════════════════════════
     mc-00063         monte carlo            299        203      5.12 M           400 M
     mc-00016         monte carlo            285        193      4.50 M           380 M
     mc-00049         monte carlo            242        164      2.95 M           323 M
     mc-00003         monte carlo            237        161      2.79 M           316 M
     mc-00013         monte carlo            227        154      2.49 M           303 M
     mc-00050         monte carlo            205        139      1.88 M           274 M
     mc-00031         monte carlo            201        136      1.77 M           268 M
     mc-00000         monte carlo            196        133      1.66 M           262 M
    ────────────────────────────────────────────────────────────────────────────────────

    ──────────────────────────────────────────────────────────────────────────────────────
     account    pool   at base      health   worst scenario   excess there   equity there
    ══════════════════════════════════════════════════════════════════════════════════════
     a0000283   main   healthy        3.29         mc-00025        −8.76 k        −6.56 k
     a0000276   main   healthy        1.57         mc-00004        −7.21 k        −4.45 k
     a0000572   main   healthy        1.80         mc-00004        −7.21 k        −4.98 k
     a0000953   main   restricted     1.32         mc-00010        −7.02 k        −6.10 k
     a0000159   main   healthy        3.13         mc-00056        −6.89 k        −4.61 k
     a0000956   main   healthy        1.62         mc-00030        −6.29 k        −5.29 k
     a0000873   main   healthy        2.53         mc-00046        −6.16 k        −4.79 k
     a0000823   main   healthy        3.63         mc-00056        −5.73 k        −4.18 k
    ──────────────────────────────────────────────────────────────────────────────────────

    at base: equity 3.92 M, maintenance margin 511 k, gross notional 30.6 M (quote units)
    shortfall: mean 543 k, 99 % quantile 5.12 M, mean of the worst 1 % 5.12 M (totals exact)
    delta · index at base, net (gross): BTC 0 (100 M)
    vega per point of volatility at base, net (gross): BTC 0 (3.00 M)

    audited 1,024 pools × 64 scenarios: 0 decisions differ, largest error 0.31 of its bound; 5 pools in 1,000 were re-decided
    64,000 cells, 42.4 k cells/s; read 250.0 ms, revalue 10.0 ms, sweep 1.50 s, audit 70.0 ms, greeks 30.0 ms, write 200.0 ms
    digest 4be1f0aa
    warning: asset LUNA has no haircut class: haircut 0
    warning: device \u{1b}[31mlost
    "##);
    assert!(!summary(&Example::new(0, 0, 0.0).input()).is_empty());
}
