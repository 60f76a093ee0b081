use super::desk::Desk;
use crate::restore::{Landscape, Leg, Plane};

/// Smallest share of a leg's range that differences are taken over, this near its holding.
const NEARBY: f64 = 1e-6;
/// Largest share: legs much smaller than the largest take wider steps, since what they change must stand out of the rounding
/// of the whole.
const WIDEST: f64 = 0.01;
/// The step of a difference, as a share of how far it is taken from the holding.
const STEP: f64 = 1.0 / 16.0;

/// A pool's formulas as a landscape: their values, and gradients by differences.
///
/// A best answer lies where scenarios or brackets tie, and there a difference would mix the slopes of both sides, which no
/// plane has. So differences are taken beside the holdings, towards the inside of what each leg may be, by a distance of
/// its own in each leg; the step is small against it.
#[derive(Debug)]
pub struct Slopes<'d, 'a> {
    desk: &'d Desk<'a>,
    legs: &'d [Leg],
    /// How far from its holding each leg is differenced, contracts; > 0.
    distances: Vec<f64>,
}

impl<'d, 'a> Slopes<'d, 'a> {
    /// The landscape of these legs, one per position of the desk.
    pub fn new(desk: &'d Desk<'a>, legs: &'d [Leg]) -> Self {
        let widths: Vec<f64> = legs.iter().map(width).collect();
        let notionals: Vec<f64> = widths.iter().enumerate().map(|(at, width)| width * desk.notional(at)).collect();
        let largest = notionals.iter().copied().fold(0.0, f64::max);
        let distance = |(at, (width, notional)): (usize, (&f64, &f64))| {
            // Multiples of the golden ratio never agree on a tie.
            let spread = 0.5 + 0.5 * (at as f64 * 0.618_033_988_749_895).fract();
            width * spread * (NEARBY * largest / notional).clamp(NEARBY, WIDEST)
        };
        let distances = widths.iter().zip(&notionals).enumerate().map(distance).collect();
        Self { desk, legs, distances }
    }

    fn level(&self, holdings: &[f64]) -> (f64, f64) {
        self.desk.level(&self.desk.held(holdings, &[]))
    }
}

/// Contracts that a leg ranges over; of one that stays, what it holds; 1 where that is nothing.
fn width(leg: &Leg) -> f64 {
    match (leg.highest - leg.lowest, leg.held.abs()) {
        (range, _) if range > 0.0 => range,
        (_, held) if held > 0.0 => held,
        _ => 1.0,
    }
}

impl Landscape for Slopes<'_, '_> {
    fn plane(&mut self, holdings: &[f64]) -> Plane {
        let (equity, requirement) = self.level(holdings);
        let inwards = |leg: &Leg, holding: f64| if holding < 0.5 * (leg.lowest + leg.highest) { 1.0 } else { -1.0 };
        let moves = self.legs.iter().zip(holdings).zip(&self.distances);
        let moves: Vec<f64> = moves.map(|((leg, &holding), distance)| distance * inwards(leg, holding)).collect();
        let mut beside: Vec<f64> = holdings.iter().zip(&moves).map(|(holding, step)| holding + step).collect();
        let from = self.level(&beside);
        let (mut equity_gradient, mut requirement_gradient) = (Vec::new(), Vec::new());
        for (at, step) in moves.iter().enumerate() {
            let here = beside[at];
            beside[at] = here + STEP * step;
            let (stepped, to) = (beside[at] - here, self.level(&beside));
            beside[at] = here;
            equity_gradient.push((to.0 - from.0) / stepped);
            requirement_gradient.push((to.1 - from.1) / stepped);
        }
        Plane { equity, requirement, equity_gradient, requirement_gradient }
    }
}
