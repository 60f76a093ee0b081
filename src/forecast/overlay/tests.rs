use super::*;
use crate::forecast::Outlook;
use crate::margin::{MarginSide, Overlay, OverlayCoefficients, Rulebook};
use crate::scenario::philox::Stream;

const BTC: Subject<'static> = Subject { underlying: "BTC", model: Some("5f0c") };

fn outlook(hour: i64, ratio: f64) -> Outlook {
    Outlook { hour, variance: 4e-4 * ratio, long_run_variance: 4e-4, spike_probability: None }
}

/// Outlooks every four hours by their ratio to the long run.
fn outlooks(ratios: &[f64]) -> Vec<Outlook> {
    (0i64..).zip(ratios).map(|(at, ratio)| outlook(480_000 + 4 * at, *ratio)).collect()
}

/// Ratios that jump and calm down, log-uniform over three decades.
fn wild(n: u64, seed: u64) -> Vec<f64> {
    let stream = Stream::new(seed, "ratios");
    let of =
        |at: u64| libm::pow(10.0, 3.0 * stream.uniforms(at / 9, 0)[0] - 1.0) * (0.9 + 0.2 * stream.uniforms(at, 1)[0]);
    (0..n).map(of).collect()
}

#[test]
fn a_rise_takes_a_quarter_a_day_and_maintenance_follows_after_notice() {
    // √(½·7 + ½) = 2.
    let path = follow(&OverlayCoefficients::default(), &outlooks(&[7.0; 26]), BTC);
    let initial: Vec<f64> = path.steps.iter().map(|step| step.initial.to).collect();
    for (from, multiplier) in [(0, 1.25), (6, 1.5625), (12, 1.9531), (18, 2.0), (24, 2.0)] {
        assert_eq!(initial[from..(from + 6).min(26)], [multiplier; 6][..(26 - from).min(6)]);
        let maintenance = path.steps.get(from + 6).map_or(2.0, |step| step.maintenance.to);
        assert_eq!(maintenance, multiplier, "a day later");
    }
    assert_eq!(path.steps[5].maintenance.to, 1.0);
    let log: Vec<(i64, MarginSide, Reason)> =
        path.changes.iter().map(|change| ((change.hour - 480_000) / 4, change.side, change.reason)).collect();
    use MarginSide::{Initial, Maintenance};
    let limited = [(0, Initial, Reason::RateLimit), (6, Initial, Reason::RateLimit), (6, Maintenance, Reason::Notice)];
    assert_eq!(log[..3], limited);
    assert_eq!(
        log[5..],
        [(18, Initial, Reason::Forecast), (18, Maintenance, Reason::Notice), (24, Maintenance, Reason::Notice)]
    );
    assert!(path.changes.iter().all(|change| change.underlying == "BTC" && change.model.as_deref() == Some("5f0c")));
}

#[test]
fn a_fall_leaves_half_behind_in_its_half_life_and_takes_maintenance_along() {
    let free = OverlayCoefficients { rise_per_day: 99.0, notice_hours: 4.0, ..OverlayCoefficients::default() };
    let ratios: Vec<f64> = [7.0; 3].into_iter().chain([1.0; 400]).collect();
    let path = follow(&free, &outlooks(&ratios), BTC);
    assert_eq!((path.steps[2].initial.to, path.steps[2].maintenance.to), (2.0, 2.0));
    // The first step down covers the twelve hours since the last change, 39 more the rest of seven days; each is rounded down by
    // less than a ten-thousandth.
    let after_a_week = path.steps[2 + 40].initial.to;
    assert!((1.5 - 41e-4..=1.5).contains(&after_a_week), "{after_a_week}");
    assert!(path.steps[3..].iter().all(|step| step.maintenance.to == step.initial.to));
    assert_eq!(path.steps[3].maintenance.reason, Reason::Decay);
    assert_eq!(path.steps.last().map(|step| step.initial.to), Some(1.0), "it arrives");
    let last = path.changes.last().expect("changes");
    assert_eq!((last.to, last.reason), (1.0, Reason::Forecast));
}

#[test]
fn cap_floor_and_long_run_are_named() {
    let free = OverlayCoefficients { rise_per_day: 99.0, half_life_days: 1e-9, ..OverlayCoefficients::default() };
    let mut series = outlooks(&[1.0, 100.0, 0.01, 2.0]);
    series.push(Outlook { hour: series[3].hour + 4, long_run_variance: 2e-4, ..series[3] });
    let path = follow(&free, &series, BTC);
    let moved: Vec<(f64, Reason)> = path.steps[1..].iter().map(|step| (step.initial.to, step.initial.reason)).collect();
    let root = |x: f64| (x.sqrt() * 1e4).floor() / 1e4;
    let expected =
        [(3.0, Reason::Cap), (1.0, Reason::Floor), (root(1.5), Reason::Forecast), (root(2.5), Reason::LongRun)];
    assert_eq!(moved, expected);
}

#[test]
fn whatever_comes_rises_stay_limited_and_maintenance_is_announced() {
    for (seed, coefficients) in [
        (1, OverlayCoefficients::default()),
        (
            2,
            OverlayCoefficients { notice_hours: 48.0, rise_per_day: 0.1, floor: 0.8, ..OverlayCoefficients::default() },
        ),
        (
            3,
            OverlayCoefficients {
                notice_hours: 0.0,
                half_life_days: 0.3,
                blend: 1.0,
                ..OverlayCoefficients::default()
            },
        ),
    ] {
        let path = follow(&coefficients, &outlooks(&wild(2_000, seed)), BTC);
        let initial: Vec<f64> = path.steps.iter().map(|step| step.initial.to).collect();
        let notice = (coefficients.notice_hours / 4.0) as usize;
        let lowest = |all: &[f64]| all.iter().copied().fold(f64::INFINITY, f64::min);
        for (at, step) in path.steps.iter().enumerate().skip(12) {
            let limit = (1.0 + coefficients.rise_per_day) * lowest(&initial[at - 6..=at]);
            assert!(initial[at] <= limit + 1e-9, "step {at}: {} above {limit}", initial[at]);
            assert_eq!(step.maintenance.to, lowest(&initial[at - notice..=at]));
            assert!((coefficients.floor..=coefficients.cap).contains(&initial[at]));
        }
        assert!(path.changes.len() > 500, "{} changes", path.changes.len());
        let rise = figures(&coefficients, MarginSide::Initial, &outlooks(&wild(2_000, seed)), &[1.0; 2_000], 6)
            .largest_rise[0];
        assert!(rise.is_some_and(|rise| rise <= coefficients.rise_per_day + 1e-12), "{rise:?}");
    }
}

/// What a rulebook holds is the whole state: applied one by one, through its file, outlooks do what they do in a row.
#[test]
fn a_rulebook_that_is_written_and_read_at_every_step_goes_the_same_path() {
    let coefficients = OverlayCoefficients { notice_hours: 36.0, ..OverlayCoefficients::default() };
    let series = outlooks(&wild(300, 4));
    let path = follow(&coefficients, &series, BTC);
    let overlay = Overlay { coefficients, ..Overlay::default() };
    let mut rulebook = Rulebook { overlay: Some(overlay), ..Rulebook::default() };
    let mut changes = Vec::new();
    for outlook in &series {
        changes.extend(apply(rulebook.overlay.as_mut().expect("an overlay"), outlook, BTC).expect("a step"));
        rulebook = Rulebook::parse(&rulebook.to_toml(), "rulebook.toml").expect("its own output");
    }
    // One outlook does not say which of its variances moved.
    let mut expected = path.changes;
    expected.iter_mut().filter(|change| change.reason == Reason::LongRun).for_each(|c| c.reason = Reason::Forecast);
    assert!(changes == expected, "{} changes, {} expected", changes.len(), expected.len());
    let in_force = &rulebook.overlay.expect("an overlay").in_force["BTC"];
    let last = path.steps.last().expect("steps");
    assert_eq!((in_force.initial, in_force.maintenance), (last.initial.to, last.maintenance.to));
    assert_eq!(in_force.model.as_deref(), Some("5f0c"));
}

#[test]
fn outlooks_that_say_nothing_change_nothing() {
    let mut follower = Follower::at_rest(OverlayCoefficients::default());
    assert!(follower.step(&outlook(100, 9.0)).is_some());
    let before = follower.clone();
    let unusable = [f64::NAN, f64::INFINITY, 0.0, -1.0].map(|ratio| outlook(104, ratio));
    let dead = Outlook { long_run_variance: 0.0, ..outlook(104, 1.0) };
    for outlook in unusable.into_iter().chain([dead, outlook(100, 1.0), outlook(96, 1.0)]) {
        assert_eq!(follower.step(&outlook), None, "{outlook:?}");
    }
    assert_eq!(follower, before);
    let mut overlay = Overlay::default();
    assert!(apply(&mut overlay, &outlook(i64::MAX, 9.0), BTC).is_err(), "no moment of the calendar");
    assert_eq!(overlay, Overlay::default());
    let extreme = Outlook { variance: f64::MAX, long_run_variance: f64::MIN_POSITIVE, ..outlook(104, 1.0) };
    assert!(follower.step(&extreme).is_some_and(|step| step.target == 3.0));
}

#[test]
fn figures_count_losses_in_multiples_of_the_base() {
    let free = OverlayCoefficients { rise_per_day: 99.0, half_life_days: 1e-9, ..OverlayCoefficients::default() };
    let of = |side, losses: &[f64]| figures(&free, side, &outlooks(&[1.0, 7.0, 7.0, 1.0]), losses, 6);
    let figures = of(MarginSide::Initial, &[0.5, 2.0, 2.1, 1.5]);
    assert_eq!((figures.mean_multiplier, figures.coverage), (1.5, Some(0.5)));
    assert_eq!((figures.peak_to_trough, figures.largest_rise), (Some(2.0), [None; 3]));
    // Maintenance rises after a day's notice: three steps of four hours are none.
    let slower = of(MarginSide::Maintenance, &[0.5, 2.0, 2.1, 1.5]);
    assert_eq!((slower.mean_multiplier, slower.coverage, slower.peak_to_trough), (1.0, Some(0.25), Some(1.0)));
    let none = super::figures(&free, MarginSide::Initial, &[], &[], 6);
    assert_eq!((none.mean_multiplier, none.coverage, none.peak_to_trough), (0.0, None, None));
}

/// Hourly prices whose volatility changes every week between calm and wild, and the variance of the next day as a forecast that
/// knows it.
struct Market {
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    known: Vec<Outlook>,
}

const FIRST_HOUR: i64 = 450_000;

fn market(days: u64) -> Market {
    let stream = Stream::new(7, "prices");
    let deviation = |hour: u64| [0.002, 0.01][(stream.uniforms(hour / 168, 9)[0] < 0.3) as usize];
    let mut price = 100.0;
    let (mut high, mut low, mut close) = (Vec::new(), Vec::new(), Vec::new());
    for hour in 0..24 * days {
        let [u, w] = stream.uniforms(hour, 0);
        let normal = libm::sqrt(-2.0 * libm::log(u)) * libm::cos(std::f64::consts::TAU * w);
        let next = price * libm::exp(deviation(hour) * normal);
        high.push(f64::max(price, next));
        low.push(f64::min(price, next));
        close.push(next);
        price = next;
    }
    let variance = |hour: u64| (hour..hour + 24).map(|hour| deviation(hour) * deviation(hour)).sum::<f64>();
    let long_run_variance = 24.0 * (0.7 * 4e-6 + 0.3 * 1e-4);
    let at = |hour: u64| Outlook {
        hour: FIRST_HOUR + hour as i64,
        variance: variance(hour),
        long_run_variance,
        spike_probability: None,
    };
    Market { high, low, close, known: (6..24 * days).step_by(4).map(at).collect() }
}

impl Market {
    fn prices(&self) -> Prices<'_> {
        Prices { first_hour: FIRST_HOUR, high: &self.high, low: &self.low, close: &self.close }
    }

    fn series(&self) -> Vec<Series> {
        let flat = self.known.iter().map(|outlook| Outlook { variance: outlook.long_run_variance, ..*outlook });
        let of = |name: &str, outlooks| Series { name: name.into(), outlooks };
        vec![of("flat", flat.collect()), of("known", self.known.clone())]
    }
}

fn terms() -> Terms {
    let coefficients = OverlayCoefficients { floor: 0.5, ..OverlayCoefficients::default() };
    Terms { population: Population { accounts: 2_000, seed: 3 }, ..Terms::of("BTC", coefficients, "known", "flat") }
}

#[test]
fn at_equal_coverage_a_forecast_that_knows_costs_less_margin() {
    let market = market(900);
    let replay = replay(market.prices(), &market.series(), &terms()).expect("a replay");
    assert_eq!(replay.steps, market.known.len() - 6, "the last day has no horizon");
    let of = |all: &[Measured], rule: &str, direction| {
        let found = all.iter().find(|measured| measured.rule == rule && measured.direction == direction);
        found.unwrap_or_else(|| panic!("no {rule}")).clone()
    };
    for measured in &replay.in_sample {
        assert_eq!(measured.overlapping.exceedances, (replay.steps as f64 * 0.01) as u64, "{}", measured.rule);
    }
    for direction in Direction::ALL {
        let constant = of(&replay.in_sample, "constant", direction);
        assert_eq!(constant.procyclicality.peak_to_trough, Some(1.0));
        assert_eq!(of(&replay.in_sample, "flat", direction).mean_margin, constant.mean_margin);
        for all in [&replay.in_sample, &replay.walk_forward] {
            let (constant, known) = (of(all, "constant", direction), of(all, "known", direction));
            assert!(known.mean_margin < 0.7 * constant.mean_margin, "{known:?} {constant:?}");
            let share = known.overlapping.share().expect("losses");
            assert!((share - 0.99).abs() < 0.01, "{share}");
        }
        let overlay = of(&replay.in_sample, "overlay of known", direction);
        assert!(overlay.procyclicality.largest_rise[0].is_some_and(|rise| rise <= 0.25 + 1e-9));
        assert!(constant.days.coverage.observations as usize >= replay.steps / 6);
        assert!(constant.days.conditional.is_some());
    }
    assert!(!replay.changes.is_empty());
}

#[test]
fn notice_never_adds_a_liquidation_and_nothing_depends_on_who_asks() {
    let market = market(900);
    let replay = replay(market.prices(), &market.series(), &terms()).expect("a replay");
    let of = |rule: &str| replay.accounts.iter().find(|figures| figures.rule == rule).expect("the rule");
    let (constant, flat) = (of("constant"), of("flat"));
    assert!(constant.liquidations > 100, "the accounts must breach: {constant:?}");
    assert_eq!((constant.liquidations, constant.bankruptcies), (flat.liquidations, flat.bankruptcies));
    assert_eq!((flat.against[0].avoided, flat.against[0].caused), (0, 0));
    let (announced, at_once) = (of("overlay of known"), of("overlay of known without notice"));
    assert!(announced.liquidations < at_once.liquidations, "{announced:?} {at_once:?}");
    let against = &announced.against[0];
    let (there, here) = (constant.liquidations - against.avoided, announced.liquidations - against.caused);
    assert_eq!(there, here, "both count the accounts that both liquidate");
}

#[test]
fn terms_that_cannot_be_met_are_refused() {
    let market = market(30);
    let ask = |terms: Terms| replay(market.prices(), &market.series(), &terms);
    for wrong in [
        Terms { confidence: f64::NAN, ..terms() },
        Terms { confidence: 1.0, ..terms() },
        Terms { maintenance_share: 0.0, ..terms() },
        Terms { horizon_hours: 0, ..terms() },
        Terms { horizon_hours: usize::MAX, ..terms() },
        Terms { chosen: "unknown".into(), ..terms() },
    ] {
        assert!(matches!(ask(wrong), Err(crate::Error::Usage(_))));
    }
    let short = ask(terms()).expect("a month is enough in sample");
    assert!(short.walk_forward.is_empty(), "no scale can be learnt");
    assert!(replay(Prices { first_hour: i64::MAX, ..market.prices() }, &market.series(), &terms()).is_err());
}
