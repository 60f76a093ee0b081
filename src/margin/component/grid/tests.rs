use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::*;
use crate::domain::{Asset, Instrument, Kind as InstrumentKind, Right};
use crate::margin::component::fixture::{Bench, Holdings};
use crate::margin::component::{Component, Kind, Per};
use crate::pricing::{SkewForm, SkewMove, TermScale};

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

fn losses_of(grid: &Grid, part: &Part<'_, '_>) -> Vec<f64> {
    cells::losses::<f64>(grid, part, &(part.setting().rows, Column::Base))
}

fn assert_near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-6 + 1e-8 * expected.abs(), "{what}: {found} is not {expected}");
}

#[test]
fn published_portfolios_of_31_points_are_reproduced() {
    let file: File = toml::from_str(PMRM2).expect("a readable fixture");
    file.case.iter().for_each(|case| case.check(&file, true));
}

#[test]
fn published_portfolios_of_21_points_are_reproduced() {
    let file: File = toml::from_str(PMRM).expect("a readable fixture");
    file.case.iter().for_each(|case| case.check(&file, false));
}
