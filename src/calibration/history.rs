//! What a rulebook's overlay would have done over the history of one underlying.

use std::cell::RefCell;
use std::collections::HashMap;

use super::job::fault;
use super::population::Population;
use crate::domain::Snapshot;
use crate::error::{Error, Fault, Result};
use crate::forecast::overlay::{Direction, Figures, Prices, figures};
use crate::forecast::{BarHistory, HORIZON, ModelKind, Outlook, STEP_HOURS, Samples, walk_forward};
use crate::margin::{MarginSide, OverlayCoefficients};
use crate::suggest;

/// Steps of a day.
const STEPS_PER_DAY: usize = 24 / STEP_HOURS as usize;
/// Days over which the slowest rise is looked for.
const LEAST_DAYS: usize = 30;

/// Which history an overlay is replayed over, and by whose forecasts.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRequest {
    /// The asset; `None` = the first of the history.
    pub asset: Option<String>,
    /// Assets whose bars help; `None` = all others.
    pub with: Option<Vec<String>>,
    /// The model that the overlay follows.
    pub model: ModelKind,
    /// First moment, hours since 1970-01-01 00:00 UTC; `None` = the first that can be forecast.
    pub from: Option<i64>,
    /// The underlying whose requirement the overlay multiplies; `None` = that of the asset's name.
    pub underlying: Option<String>,
}

impl HistoryRequest {
    /// The models that an overlay may follow: they speak at every step, and need no recalibration.
    pub const MODELS: [(&'static str, ModelKind); 3] =
        [("har_x", ModelKind::HarX), ("log_har", ModelKind::LogHar), ("ewma", ModelKind::Ewma)];
}

/// Outlooks of one underlying, and what the day after each took at worst.
#[derive(Debug, Clone, PartialEq)]
pub struct OverlayHistory {
    /// The underlying.
    pub underlying: String,
    /// A model's outlooks in order of time, every [`STEP_HOURS`].
    pub outlooks: Vec<Outlook>,
    /// Of a long position, then of a short one, the worst loss of the day after each outlook, a fraction ≥ 0 of the price.
    pub losses: [Vec<f64>; 2],
}

impl OverlayHistory {
    /// Walks forward through a history, once: outlooks as they would have been made. Moments whose day the history does not hold
    /// are left out.
    ///
    /// # Errors
    /// As [`Samples::new`] and [`walk_forward`]; [`Error::Usage`] where the model could not be fitted, or less than 31 days
    /// are left.
    pub fn of(history: &BarHistory, request: &HistoryRequest) -> Result<Self> {
        let names = || history.assets().iter().map(|bars| bars.name.clone());
        let asset = request.asset.clone().or_else(|| names().next()).unwrap_or_default();
        let others = || names().filter(|name| !name.eq_ignore_ascii_case(&asset)).collect();
        let samples = Samples::new(history, &asset, &request.with.clone().unwrap_or_else(others))?;
        let walk = walk_forward(&samples, request.from)?;
        let course = walk.course(request.model).map_or(&[][..], |course| &course.outlooks);
        let underlying = request.underlying.clone().unwrap_or_else(|| walk.asset.clone());
        let mut followed = Self { underlying, outlooks: Vec::new(), losses: Default::default() };
        for outlook in course.iter().filter(|outlook| outlook.is_usable()) {
            let loss = |direction| Prices::of(history, &asset)?.worst_excursion(direction, outlook.hour, HORIZON);
            let [Some(long), Some(short)] = Direction::ALL.map(loss) else { continue };
            followed.outlooks.push(*outlook);
            followed.losses[0].push(long);
            followed.losses[1].push(short);
        }
        followed.checked()
    }

    /// The history where it is long enough for every figure.
    fn checked(self) -> Result<Self> {
        let days = self.outlooks.len() / STEPS_PER_DAY;
        if days > LEAST_DAYS {
            return Ok(self);
        }
        Err(Error::Usage(format!(
            "an overlay is replayed over more than {LEAST_DAYS} days; the history leaves {days} of {}: supply a longer one, or an \
             earlier from",
            self.underlying
        )))
    }
}

/// Replays of a history, one for each coefficients and rates.
#[derive(Debug)]
pub(super) struct Replays {
    history: OverlayHistory,
    side: MarginSide,
    /// Of long, then of short, places of the outright portfolios of the underlying.
    outrights: [Vec<usize>; 2],
    known: RefCell<HashMap<[u64; 8], Figures>>,
}

impl Replays {
    /// Looks the underlying up.
    ///
    /// # Errors
    /// [`Error::Configuration`] where nobody holds anything on it but options.
    pub(super) fn new(
        history: OverlayHistory,
        side: MarginSide,
        (snapshot, population): (&Snapshot, &Population),
    ) -> Result<Self> {
        let of = |direction| {
            let places = population.outrights.iter().enumerate();
            let of_underlying = places.filter(|(_, outright)| {
                outright.direction() == direction && outright.underlying(snapshot) == history.underlying
            });
            of_underlying.map(|(place, _)| place).collect()
        };
        let outrights: [Vec<usize>; 2] = Direction::ALL.map(of);
        if outrights.iter().any(Vec::is_empty) {
            return Err(Error::Configuration(vec![unheld(&history.underlying, (snapshot, population))]));
        }
        Ok(Self { history, side, outrights, known: RefCell::default() })
    }

    /// The figures of an overlay where outright portfolios of this notional have these requirements, quote units, at the base. Of
    /// several instruments of the underlying the lowest requirement counts; coverage is the lower one of both sides.
    pub(super) fn figures(&self, coefficients: &OverlayCoefficients, requirements: &[f64], notional: f64) -> Figures {
        let rate = |places: &Vec<usize>| {
            places.iter().filter_map(|place| requirements.get(*place)).copied().fold(f64::INFINITY, f64::min) / notional
        };
        let rates = [rate(&self.outrights[0]), rate(&self.outrights[1])];
        let OverlayCoefficients { blend, floor, cap, rise_per_day, half_life_days, notice_hours } = *coefficients;
        let key = [blend, floor, cap, rise_per_day, half_life_days, notice_hours, rates[0], rates[1]].map(f64::to_bits);
        *self.known.borrow_mut().entry(key).or_insert_with(|| self.replayed(coefficients, rates))
    }

    fn replayed(&self, coefficients: &OverlayCoefficients, rates: [f64; 2]) -> Figures {
        let of = |side: usize| {
            let losses: Vec<f64> = self.history.losses[side].iter().map(|loss| loss / rates[side]).collect();
            figures(coefficients, self.side, &self.history.outlooks, &losses, STEPS_PER_DAY)
        };
        let (long, short) = (of(0), of(1));
        let lower = long.coverage.zip(short.coverage).map(|(long, short)| long.min(short));
        Figures { coverage: lower, ..long }
    }
}

/// The fault of an underlying without outright portfolios.
fn unheld(underlying: &str, (snapshot, population): (&Snapshot, &Population)) -> Fault {
    let held = || population.outrights.iter().map(|outright| outright.underlying(snapshot));
    let remedy = suggest::remedy(underlying, held(), "name an underlying of the snapshot that somebody holds");
    let rule = "somebody holds an instrument of the underlying that is no option: its requirement is what multiplies";
    fault("history.underlying", underlying, rule, remedy)
}
