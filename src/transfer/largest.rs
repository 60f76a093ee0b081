use super::cargo::Load;
use super::holdings::Holdings;
use super::outcome::SideName;
use super::plan::{LotRequest, Plan};
use super::run::States;
use super::side::Side;
use super::venue::Venues;
use crate::error::Result;
use crate::liquidation::Quanta;
use crate::pricing::Unshocked;

/// What the largest lot is searched with.
#[derive(Debug)]
pub struct Search<'a> {
    venues: &'a Venues<'a>,
    plan: &'a Plan,
    before: (&'a Holdings, &'a Holdings),
    request: &'a LotRequest,
    /// Place of the lot in the load.
    at: usize,
    unshocked: Unshocked,
}

/// The sides that trials are decided on: the rows of what may move do not depend on how much of it does.
struct Sides<'a> {
    source: Side<'a>,
    destination: Side<'a>,
}

impl<'a> Search<'a> {
    /// A search for the lot at `at` of a plan.
    pub fn new(
        venues: &'a Venues<'a>,
        plan: &'a Plan,
        before: (&'a Holdings, &'a Holdings),
        (request, at): (&'a LotRequest, usize),
        unshocked: Unshocked,
    ) -> Self {
        Self { venues, plan, before, request, at, unshocked }
    }

    fn sides(&self, load: &Load) -> Result<Sides<'a>> {
        let states = States::of(self.venues, self.plan, self.before, load)?;
        let [source, destination] = states.sides(self.venues, self.plan, self.unshocked)?;
        Ok(Sides { source, destination })
    }

    /// The load with this lot.
    fn with(&self, load: &Load, leaving: Quanta) -> Load {
        let mut load = load.clone();
        load.pieces[self.at].set_lot(leaving, self.request, &self.plan.route);
        load
    }

    fn keeps(&self, load: &Load, leaving: Quanta, sides: &[(SideName, &Side<'_>)]) -> Result<bool> {
        let states = States::of(self.venues, self.plan, self.before, &self.with(load, leaving))?;
        Ok(sides.iter().all(|(name, side)| states.keeps(self.plan, *name, side)))
    }

    /// The steps of a lot between `low`, at which the sides keep their targets, and `high`, at which they do not: the last that
    /// keeps them before one that does not.
    fn bisect(&self, load: &Load, (mut low, mut high): (i128, i128), sides: &[(SideName, &Side<'_>)]) -> Result<i128> {
        let step = load.pieces[self.at].grid.step().0;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.keeps(load, Quanta(middle * step), sides)? {
                true => low = middle,
                false => high = middle,
            }
        }
        Ok(low)
    }
}

/// The load with the largest lot that keeps every target, at least one step of it: where even that misses one, the lot is the
/// one whose breach tells most.
///
/// Adjusted equity is concave in an amount and requirements rarely know of it, so the amounts that the source can spare are
/// those up to a largest one, and the destination gains by each of them. Whatever the rules, the answer is decided exactly, and
/// so is the step after it.
///
/// # Errors
/// [`crate::Error::Refused`] where holdings, rulebooks and scenarios do not fit together.
pub fn largest(search: &Search<'_>, load: Load) -> Result<Load> {
    let piece = &load.pieces[search.at];
    let step = piece.grid.step().0;
    let all = piece.item.source_before.0 / step;
    let sides = search.sides(&load)?;
    let source = (SideName::Source, &sides.source);
    let both = [source, (SideName::Destination, &sides.destination)];
    let keeps = |steps: i128, sides: &[(SideName, &Side<'_>)]| search.keeps(&load, Quanta(steps * step), sides);
    let steps = if keeps(all, &both)? {
        all
    } else if keeps(0, &both)? {
        search.bisect(&load, (0, all), &both)?
    } else if keeps(all, &[source])? {
        all
    } else if keeps(0, &[source])? {
        // The destination lacks something: it is offered the most that the source can spare.
        search.bisect(&load, (0, all), &[source])?
    } else {
        0
    };
    Ok(search.with(&load, Quanta(steps.max(1) * step)))
}
