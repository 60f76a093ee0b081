use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::*;
use crate::domain::{Asset, Instrument, Kind as InstrumentKind, Payoff, Right};
use crate::margin::Rulebook;
use crate::margin::component::fixture::{Bench, Holdings, moves, under};
use crate::margin::component::{Component, Kind, Per};
use crate::pricing::{SkewForm, SkewMove, TermScale};
use crate::scenario::{FactorKind, ScenarioSet};

const PMRM: &str = include_str!("../../../../fixtures/grid/pmrm.toml");
const PMRM2: &str = include_str!("../../../../fixtures/grid/pmrm2.toml");

#[derive(Deserialize)]
struct File {
    parameters: BTreeMap<String, Parameters>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Parameters {
    points: Vec<(f64, String, f64)>,
    volatility: Volatility,
    linear_skew: Option<Cap>,
    absolute_skew: Option<Cap>,
    skew: Option<Width>,
    positive: Curve,
    negative: Option<Curve>,
    basis: Basis,
}

#[derive(Deserialize)]
struct Volatility {
    up: f64,
    down: f64,
    short_power: f64,
    long_power: f64,
    floor_days: f64,
    minimum_up: f64,
}

#[derive(Deserialize)]
struct Cap {
    cap_base: f64,
    cap_slope: f64,
}

#[derive(Deserialize)]
struct Width {
    minimum_width: f64,
    width: f64,
    level: f64,
    level_slope: f64,
}

#[derive(Deserialize)]
struct Curve {
    base: f64,
    rate_multiple: f64,
    rate_add: f64,
}

#[derive(Deserialize)]
struct Basis {
    down: f64,
    up: f64,
    add: f64,
    per_year: f64,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    parameters: String,
    /// Whether it holds options in the last half hour, when part of the forward is fixed; such a forward is not expressed.
    #[serde(default)]
    needs_fixed_forward: bool,
    spot: f64,
    stable: Option<f64>,
    perpetual: Perpetual,
    #[serde(default)]
    collaterals: Vec<(String, f64, f64, bool)>,
    expiries: Vec<(f64, f64, f64)>,
    options: Vec<(f64, f64, String, f64, f64)>,
    scenario_pnl: Vec<f64>,
    basis_contingency: Option<f64>,
    loss: Option<f64>,
}

#[derive(Deserialize)]
struct Perpetual {
    size: f64,
    price: f64,
}

impl Parameters {
    fn skew(&self, form: SkewForm) -> Option<SkewMove> {
        let (cap, width) = match form {
            SkewForm::Linear => (self.linear_skew.as_ref()?, self.skew.as_ref()?),
            SkewForm::Absolute => (self.absolute_skew.as_ref()?, self.skew.as_ref()?),
        };
        Some(SkewMove {
            form,
            direction: 1.0,
            cap_slope: cap.cap_slope,
            cap_base: cap.cap_base,
            minimum_width: width.minimum_width,
            width: width.width,
            level: width.level,
            level_slope: width.level_slope,
        })
    }

    fn grid(&self, discount: Option<Discount>) -> Grid {
        let points = self.points.iter().map(|(factor, kind, weight)| {
            let (volatility, skew) = match kind.as_str() {
                "up" => (1.0, None),
                "down" => (-1.0, None),
                "none" => (0.0, None),
                "linear" => (0.0, self.skew(SkewForm::Linear)),
                "absolute" => (0.0, self.skew(SkewForm::Absolute)),
                other => panic!("{other}"),
            };
            GridPoint { price: factor - 1.0, volatility, weight: *weight, skew, days: 0.0 }
        });
        let Volatility { up, down, short_power, long_power, floor_days, minimum_up } = self.volatility;
        let term = TermScale { reference_days: 30.0, floor_days, power_short: short_power, power_long: long_power };
        Grid {
            points: points.collect(),
            price_unit: PriceUnit::Relative,
            volatility: VolatilityRange { up, down, term, minimum_up, ..VolatilityRange::default() },
            cell: Cell::Expiry,
            transforms: vec![Transform::Weight],
            discount,
            ..Grid::default()
        }
    }

    /// The basis contingency: two points per expiry, weighted by its time.
    fn basis(&self) -> Grid {
        let point = |factor: f64| GridPoint { price: factor - 1.0, ..GridPoint::default() };
        Grid {
            points: vec![point(self.basis.down), point(self.basis.up)],
            price_unit: PriceUnit::Relative,
            time_weight: Some(TimeWeight { add: self.basis.add, per_year: self.basis.per_year }),
            ..Grid::default()
        }
    }
}

impl Case {
    fn holdings(&self, discounts_options: bool) -> Holdings {
        let mut holdings = Holdings::of("COIN", self.spot);
        for (name, amount, price, cancels) in &self.collaterals {
            let mut asset = Asset::new(name, price / self.stable.unwrap_or(1.0));
            if *cancels {
                asset.underlying = "COIN".into();
            }
            holdings.assets.push(asset);
            holdings.balances.push((name.clone(), *amount));
        }
        if self.perpetual.size != 0.0 {
            holdings.hold(holdings.perpetual(self.perpetual.price), self.perpetual.size);
        }
        for (seconds, strike, right, amount, volatility) in &self.options {
            let right = if right == "C" { Right::Call } else { Right::Put };
            let (_, forward, rate) = self.expiries.iter().find(|expiry| expiry.0 == *seconds).expect("its expiry");
            let option = holdings.option(right, *strike, *seconds as i64, (*forward, *volatility));
            let rate = if discounts_options { *rate } else { 0.0 };
            holdings.hold(Instrument { rate, ..option }, *amount);
        }
        holdings
    }

    fn check(&self, file: &File, discounts_options: bool) {
        let parameters = &file.parameters[&self.parameters];
        let curve = |curve: &Curve| DiscountCurve {
            base: curve.base,
            rate_multiple: curve.rate_multiple,
            rate_add: curve.rate_add,
        };
        let mut positive = curve(&parameters.positive);
        if !discounts_options {
            // The options are valued without a rate, so the curve holds it; all expiries of a case share one.
            positive.rate_add += positive.rate_multiple * self.expiries.first().map_or(0.0, |expiry| expiry.2);
        }
        let discount = Discount { positive, negative: parameters.negative.as_ref().map(curve) };
        let cancelling = self.collaterals.iter().filter(|collateral| collateral.3);
        let cover = Cover { collateral: cancelling.map(|c| c.0.clone()).collect(), ..Cover::default() };
        let grid = parameters.grid(Some(discount));
        let component = Component::of(cover, Per::Pool, Kind::Grid(grid.clone()));
        let bench = Bench::of(self.holdings(discounts_options), component);
        let losses = bench.of_parts(|part| losses_of(&grid, part));
        let worst = -self.scenario_pnl.iter().fold(f64::INFINITY, |worst, pnl| worst.min(*pnl));
        if self.scenario_pnl.is_empty() || losses.is_empty() {
            assert!(self.scenario_pnl.iter().all(|pnl| pnl.abs() < 1e-12), "{}: {losses:?}", self.id);
        } else {
            for (k, (loss, pnl)) in losses[0].iter().zip(&self.scenario_pnl).enumerate() {
                assert_near(-loss, *pnl, &format!("{} point {}", self.id, k + 1));
            }
            assert_near(bench.value(Column::Base), worst.max(0.0), &self.id);
        }
        if let Some(loss) = self.loss {
            assert_near(bench.value(Column::Base), loss, &self.id);
        }
        assert_near(bench.lowered(Column::Base).expect("grids are lowered"), bench.value(Column::Base), &self.id);
        if let Some(contingency) = self.basis_contingency {
            let cover = Cover { kinds: BTreeSet::from([InstrumentKind::Option]), ..Cover::default() };
            let component = Component::of(cover, Per::Expiry, Kind::Grid(parameters.basis()));
            let bench = Bench::of(self.holdings(discounts_options), component);
            assert_near(bench.value(Column::Base), -contingency, &format!("{} basis", self.id));
        }
    }
}

fn bench(holdings: Holdings, grid: &Grid, scenarios: &ScenarioSet) -> Bench {
    let cover = Cover { collateral: ["*".to_string()].into(), ..Cover::default() };
    let component = Component::of(cover, Per::Underlying, Kind::Grid(grid.clone()));
    Bench::new(holdings, under(component), scenarios).expect("finite values")
}

/// Losses of a pool of one group in the unshocked market.
fn losses(holdings: Holdings, grid: &Grid) -> Vec<f64> {
    let bench = bench(holdings, grid, &ScenarioSet::default());
    bench.agreed(Column::Base);
    bench.of_parts(|part| losses_of(grid, part)).swap_remove(0)
}

fn at(price: f64, volatility: f64) -> GridPoint {
    GridPoint { price, volatility, ..GridPoint::default() }
}

fn losses_of(grid: &Grid, part: &Part<'_, '_>) -> Vec<f64> {
    cells::losses::<f64>(grid, part, &(part.setting().rows, Column::Base))
}

fn assert_near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-6 + 1e-8 * expected.abs(), "{what}: {found} is not {expected}");
}

#[test]
fn published_portfolios_of_31_points_are_reproduced() {
    let file: File = toml::from_str(PMRM2).expect("a readable fixture");
    file.case.iter().filter(|case| !case.needs_fixed_forward).for_each(|case| case.check(&file, true));
}

#[test]
fn published_portfolios_of_21_points_are_reproduced() {
    let file: File = toml::from_str(PMRM).expect("a readable fixture");
    file.case.iter().for_each(|case| case.check(&file, false));
}

/// aevo-pm-spots: 15 points, edges of 1,400 ± 20 % at 1,680 and 1,120.
#[test]
fn fifteen_points_reach_the_published_spots() {
    let prices = [-0.2, -0.1, 0.0, 0.1, 0.2];
    let grid = Grid {
        points: prices.iter().flat_map(|price| [1.0, 0.0, -1.0].map(|volatility| at(*price, volatility))).collect(),
        price_unit: PriceUnit::Relative,
        volatility: VolatilityRange {
            up_points: vec![(0.0, 0.5)],
            down_points: vec![(0.0, 0.25)],
            ..VolatilityRange::default()
        },
        ..Grid::default()
    };
    let mut holdings = Holdings::of("ETH", 1400.0);
    holdings.hold(holdings.perpetual(1400.0), 1.0);
    let losses = losses(holdings, &grid);
    assert_eq!(losses.len(), 15);
    assert_near(1400.0 - losses[14], 1680.0, "up");
    assert_near(1400.0 - losses[0], 1120.0, "down");
}

/// dederi-futures-pm: ten long futures at F = 2243.3·e^{0.08·20/365}; published to the unit.
#[test]
fn a_row_of_futures_is_as_published() {
    let forward = 2243.3 * f64::exp(0.08 * 20.0 / 365.0);
    assert!((forward - 2253.2).abs() < 0.05);
    let moves: Vec<f64> = (-5..=5).map(|step| f64::from(step) * 0.03).collect();
    let points = moves.iter().map(|price| at(*price, 0.0)).collect();
    let grid = Grid { points, price_unit: PriceUnit::Relative, ..Grid::default() };
    let mut holdings = Holdings::of("ETH", 2243.3);
    holdings.hold(holdings.future(forward, 20 * 86_400), 10.0);
    let published = [-3380.0, -2704.0, -2028.0, -1352.0, -676.0, 0.0, 676.0, 1352.0, 2028.0, 2704.0, 3380.0];
    for (loss, pnl) in losses(holdings, &grid).iter().zip(published) {
        assert!((-loss - pnl).abs() < 0.6, "{loss} is not {pnl}");
    }
}

fn edges_and_extremes(settle_at: SettleAt) -> Grid {
    Grid {
        points: vec![at(-1.0, 0.0), at(1.0, 0.0)],
        extremes: Some(Extreme { moves: vec![-0.66, -0.33, 0.5, 1.0, 2.0, 5.0], volatility: 1.0, factor: 1.0 }),
        range: ByName { default: 0.16, ..ByName::default() },
        transforms: vec![Transform::Weight],
        settle_at,
        ..Grid::default()
    }
}

fn inverse(holdings: &Holdings, mark: f64) -> Instrument {
    Instrument { payoff: Payoff::Inverse, settlement_asset: 0, contract_size: 10.0, ..holdings.perpetual(mark) }
}

/// A contract without optionality loses at an extreme what it loses at the edge of the range, in coins and in dollars.
#[test]
fn extremes_of_a_contract_without_optionality_are_the_edge() {
    for is_inverse in [true, false] {
        let grid = edges_and_extremes(if is_inverse { SettleAt::Current } else { SettleAt::Moved });
        let mut holdings = Holdings::of("BTC", 50_000.0);
        let contract = if is_inverse { inverse(&holdings, 50_100.0) } else { holdings.perpetual(50_100.0) };
        holdings.hold(contract, 300.0);
        let losses = losses(holdings, &grid);
        let edge = |price: f64| if price < 0.0 { losses[0] } else { losses[1] };
        for (k, price) in [-0.66, -0.33, 0.5, 1.0, 2.0, 5.0].into_iter().enumerate() {
            assert_near(losses[2 + k], edge(price), &format!("{price} inverse {is_inverse}"));
        }
    }
}

/// Worked by hand: 1,000 contracts of 10 USD at 50,000 lose 0.2·(1/0.84 − 1) coins at −16 %: 0.038095 coins, 1,904.76 USD at
/// the price before, and 1,600 USD at the price after.
#[test]
fn coins_count_at_the_price_before_or_after_the_move() {
    for (settle_at, loss) in [(SettleAt::Current, 10_000.0 * (1.0 / 0.84 - 1.0)), (SettleAt::Moved, 1_600.0)] {
        let mut holdings = Holdings::of("BTC", 50_000.0);
        holdings.hold(inverse(&holdings, 50_000.0), 1_000.0);
        let losses = losses(holdings, &edges_and_extremes(settle_at));
        assert_near(losses[0], loss, "edge");
    }
}

/// Worked by hand: a long perpetual at 1,000, R 10 %, loses 100 at the edge and at the weighted extremes of ±50 %; the dampener of 8
/// per multiple takes 4·8 = 32 off, never past 0. Gains of one cell count by 60 %, at most 50.
#[test]
fn dampener_gain_share_and_cap_are_applied_in_order() {
    let grid = |transforms: Vec<Transform>| Grid {
        points: vec![at(-1.0, 0.0), at(1.0, 0.0)],
        extremes: Some(Extreme { moves: vec![-0.5, 0.5], volatility: 0.0, factor: 1.0 }),
        range: ByName { default: 0.1, ..ByName::default() },
        transforms,
        ..Grid::default()
    };
    let of = |transforms: Vec<Transform>| {
        let mut holdings = Holdings::of("U", 1_000.0);
        holdings.hold(holdings.perpetual(1_000.0), 1.0);
        losses(holdings, &grid(transforms))
    };
    let (dampen, gain) = (Transform::Dampen { amount: 8.0 }, Transform::Gain { share: 0.6, cap: Some(50.0) });
    for (losses, expected) in [
        (of(vec![Transform::Weight, dampen, gain]), [100.0, -50.0, 68.0, -40.8]),
        (of(vec![Transform::Weight, Transform::Dampen { amount: 1e6 }]), [100.0, -100.0, 0.0, 0.0]),
        // Before the weight of 1/5 the extremes move 500 and shrink by 32.
        (of(vec![dampen, Transform::Weight]), [100.0, -100.0, 93.6, -93.6]),
    ] {
        losses.iter().zip(expected).for_each(|(loss, expected)| assert_near(*loss, expected, "a point"));
    }
}

#[test]
fn every_feature_means_the_same_in_every_number_and_lowered() {
    let skew = SkewMove {
        form: SkewForm::Linear,
        direction: -1.0,
        cap_slope: -0.05,
        cap_base: 0.2,
        minimum_width: 0.01,
        width: 4.0,
        level: 0.6,
        level_slope: -0.1,
    };
    let mut full = edges_and_extremes(SettleAt::Moved);
    full.points.extend([
        GridPoint { skew: Some(skew), weight: 2.0, ..at(0.0, 0.0) },
        GridPoint { days: 3.0, ..at(0.5, -1.0) },
    ]);
    full.volatility = VolatilityRange { up: 0.5, down: 0.3, ..VolatilityRange::default() };
    full.transforms =
        vec![Transform::Weight, Transform::Dampen { amount: 200.0 }, Transform::Gain { share: 0.6, cap: Some(900.0) }];
    full.time_weight = Some(TimeWeight { add: 0.5, per_year: 2.0 });
    let curve = DiscountCurve { base: 0.95, rate_multiple: 1.0, rate_add: 0.08 };
    let discount = Discount { positive: curve, negative: Some(DiscountCurve { base: 1.04, ..curve }) };
    let by_expiry = Grid { cell: Cell::Expiry, discount: Some(discount), ..full.clone() };
    let factors = [(FactorKind::Price, "BTC"), (FactorKind::Volatility, "BTC"), (FactorKind::Time, "")];
    let scenarios = moves(&factors, &[&[-0.3, 0.4, 0.0], &[0.2, -0.2, 0.02], &[0.0, 0.0, 0.2]]);
    for grid in [full, by_expiry] {
        let mut holdings = Holdings::of("BTC", 50_000.0);
        holdings.balances.push(("BTC".into(), 0.4));
        holdings.hold(holdings.perpetual(50_100.0), -0.7);
        holdings.hold(inverse(&holdings, 50_050.0), -900.0);
        holdings.hold(holdings.option(Right::Call, 55_000.0, 20 * 86_400, (50_200.0, 0.6)), -3.0);
        holdings.hold(holdings.option(Right::Put, 45_000.0, 60 * 86_400, (50_500.0, 0.7)), 2.0);
        let bench = bench(holdings, &grid, &scenarios);
        for column in [Column::Base, Column::Scenario(0), Column::Scenario(1), Column::Scenario(2)] {
            assert!(bench.agreed(column) > 0.0, "nothing is at risk in {column:?}");
        }
    }
}

#[test]
fn moves_by_deviations_need_a_volatility_index() {
    let points = vec![GridPoint { days: 1.0, ..at(3.0, 0.0) }];
    let grid = Grid { points, price_unit: PriceUnit::Deviations, ..Grid::default() };
    let mut holdings = Holdings::of("U", 100.0);
    holdings.hold(holdings.perpetual(100.0), -1.0);
    let component = Component::of(Cover::default(), Per::Underlying, Kind::Grid(grid.clone()));
    let faults = Bench::new(holdings, under(component.clone()), &ScenarioSet::default()).err().expect("a fault");
    assert!(faults[0].to_string().contains("volatility_index"), "{faults:?}");
    let mut holdings = Holdings::of("U", 100.0);
    holdings.underlyings[0].volatility_index = Some(0.5);
    holdings.hold(holdings.perpetual(100.0), -1.0);
    assert_near(
        Bench::of(holdings, component).value(Column::Base),
        150.0 * (1.0_f64 / 365.0).sqrt(),
        "three deviations",
    );
}

#[test]
fn a_file_says_all_of_it() {
    let text = r#"
version = 1
[component.matrix]
kind = "grid"
per = "settlement"
prices = [-1, 0, 1]
volatilities = [1, -1]
points = [{ price = 0.5, weight = 2, skew = { form = "absolute", cap_base = 0.15, minimum_width = 0.01, width = 4, level = 0.6 } }]
extremes = { prices = [-0.66, 5], factor = 0.5 }
range = { default = 0.18, BTC = 0.16 }
volatility = { up = 0.5, down = 0.25, short_power = 0.3, long_power = 0.13, minimum_up = 0.5, point_days = [0, 30], up_points = [0.3, 0.15] }
dampener = 100000
gain_share = 0.6
order = ["dampen", "weight", "gain"]
discount = { positive = { base = 0.95, rate_multiple = 4, rate_add = 0.05 } }
settle_at = "current"
time_weight = { add = 0.5, per_year = 2 }
"#;
    let rulebook = Rulebook::parse(text, "rulebook.toml").expect("a valid rulebook");
    let Kind::Grid(grid) = &rulebook.component["matrix"].kind else { panic!("a grid") };
    assert_eq!(grid.points.len(), 7);
    assert_eq!((grid.points[1].price, grid.points[1].volatility), (-1.0, -1.0));
    assert_eq!(grid.points[6].skew.map(|skew| skew.form), Some(SkewForm::Absolute));
    assert_eq!(grid.extremes, Some(Extreme { moves: vec![-0.66, 5.0], volatility: 1.0, factor: 0.5 }));
    assert_eq!((grid.range.get("BTC"), grid.range.get("ETH")), (0.16, 0.18));
    assert_eq!(grid.volatility.up_points, [(0.0, 0.3), (30.0, 0.15)]);
    let gain = Transform::Gain { share: 0.6, cap: None };
    assert_eq!(grid.transforms, [Transform::Dampen { amount: 1e5 }, Transform::Weight, gain]);
    assert_eq!((grid.cell, grid.settle_at), (Cell::Expiry, SettleAt::Current));
    assert_eq!(Rulebook::parse(&rulebook.to_toml(), "again").expect("its own output"), rulebook);
    for (from, to, rule) in [
        ("range = { default = 0.18, BTC = 0.16 }", "", "has a range"),
        ("[\"dampen\", \"weight\", \"gain\"]", "[\"dampen\", \"gain\"]", "each of weight, dampen and gain once"),
        ("[-0.66, 5]", "[-1, 5]", "a relative move above -1"),
        ("point_days = [0, 30]", "point_days = [30, 0]", "days ascend"),
        ("up_points = [0.3, 0.15]", "up_points = [0.3]", "as many points as point_days"),
        ("settle_at = \"current\"", "settle_at = \"now\"", "one of moved, current"),
        ("gain_share = 0.6", "gain_share = 1.6", "between 0 and 1"),
    ] {
        let fault = format!("{:?}", Rulebook::parse(&text.replace(from, to), "rulebook.toml"));
        assert!(fault.contains(rule), "{rule}: {fault}");
    }
}
