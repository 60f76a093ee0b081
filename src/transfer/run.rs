use super::account;
use super::cargo::{Load, Place};
use super::course::{Commit, Course, State, Step};
use super::holdings::Holdings;
use super::largest::{Search, largest};
use super::outcome::{Breach, ItemKind, Outcome, SideName, SideOutcome, StepOutcome, Test};
use super::plan::{Cargo, LotAmount, LotRequest, Plan, Standing};
use super::side::Side;
use super::venue::{Relation, Venues};
use crate::engine::{Outcome as Sweep, Progress, SweepOptions, digest};
use crate::error::{Error, Result};
use crate::liquidation::Quanta;
use crate::pricing::Unshocked;

/// Plans a transfer: every state that it passes is swept under every scenario of each side, and the target decided exactly.
/// Nothing is changed; what both pools hold after the commit is in the answer.
///
/// # Errors
/// [`crate::Error::Configuration`] where the plan is at fault or does not fit the venues, [`crate::Error::Refused`] where holdings,
/// rulebooks and scenarios do not fit together, and those of [`crate::engine::sweep`]. A missed target is no error but
/// [`Outcome::breach`].
pub fn transfer(venues: &Venues<'_>, plan: &Plan, options: &SweepOptions, progress: &dyn Progress) -> Result<Outcome> {
    plan.check()?;
    let (source, destination) = venues.holdings()?;
    let before = (&source, &destination);
    let Resolved { load, reopening_cost, searched } = resolve(venues, plan, before, options)?;
    let states = States::of(venues, plan, before, &load)?;
    let [from, to] = states.sides(venues, plan, options.unshocked)?;
    let sweeps = [from.sweep(options, progress)?, to.sweep(options, progress)?];
    let steps = states.outcomes(plan, (&from, &to), &sweeps);
    let breach = first_breach(&steps);
    let next_breach = match (&breach, searched) {
        (None, Some((lot, at))) => {
            if let Some(fault) = load.pieces[at].fault_of_arrival((lot, at), &plan.route) {
                return Err(Error::Configuration(vec![fault]));
            }
            next_breach(venues, plan, before, &load, (lot, at), options)?
        }
        _ => None,
    };
    let [source_after, destination_after] = states.held(State::Committed).map(Clone::clone);
    let mut warnings = rounding(&load, before);
    for warning in sweeps.iter().flat_map(|sweep| &sweep.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    Ok(Outcome {
        conservation_error: conservation_error(&load, &source_after, &destination_after),
        items: load.pieces.into_iter().map(|piece| piece.item).collect(),
        steps,
        breach,
        next_breach,
        source_after,
        destination_after,
        reopening_cost,
        engine: (sweeps[0].engine.clone(), sweeps[0].adapter.clone()),
        audits: [sweeps[0].audit, sweeps[1].audit],
        warnings,
    })
}

/// What a plan moves.
struct Resolved<'p> {
    load: Load,
    /// Cost of closing and of opening positions, quote units.
    reopening_cost: (f64, f64),
    /// The lot that is as large as it may be, and its place.
    searched: Option<(&'p LotRequest, usize)>,
}

fn resolve<'p>(
    venues: &Venues<'_>,
    plan: &'p Plan,
    before: (&Holdings, &Holdings),
    options: &SweepOptions,
) -> Result<Resolved<'p>> {
    let unshocked = options.unshocked;
    match &plan.cargo {
        Cargo::Whole(positions) => {
            let account = account::resolve(*positions, plan, venues, before, unshocked)?;
            Ok(Resolved { load: account.load, reopening_cost: account.reopening_cost, searched: None })
        }
        Cargo::Lots(lots) => {
            let load = Load::of_lots(lots, venues, before, &plan.route)?;
            let at = lots.iter().position(|lot| lot.amount == LotAmount::Largest);
            let searched = at.map(|at| (&lots[at], at));
            let load = match searched {
                None => load,
                Some(lot) => largest(&Search::new(venues, plan, before, lot, unshocked), load)?,
            };
            Ok(Resolved { load, reopening_cost: (0.0, 0.0), searched })
        }
    }
}

/// Every state of a load, with what both sides hold in it.
#[derive(Debug)]
pub struct States {
    steps: Vec<Step>,
    source: Vec<Holdings>,
    destination: Vec<Holdings>,
    opening: [Vec<Quanta>; 2],
}

impl States {
    /// Those of a load.
    ///
    /// # Errors
    /// Those of [`Course::steps`].
    pub fn of(
        venues: &Venues<'_>,
        plan: &Plan,
        (source, destination): (&Holdings, &Holdings),
        load: &Load,
    ) -> Result<Self> {
        let opening = [load.of_each(|item| item.source_before), load.of_each(|item| item.destination_before)];
        let commit = match plan.cargo {
            Cargo::Whole(_) => Commit::AtOnce,
            Cargo::Lots(_) if venues.relation == Relation::OneVenue => Commit::AtOnce,
            Cargo::Lots(_) => Commit::ByMessage,
        };
        let parcel = load.parcel();
        let course = Course {
            source: &opening[0],
            destination: &opening[1],
            parcel: &parcel,
            route: &plan.route,
            commit,
            nonce: plan.nonce,
        };
        let steps = course.steps()?;
        Ok(Self {
            source: steps.iter().map(|step| load.source(source, &step.source)).collect(),
            destination: steps.iter().map(|step| load.destination(destination, &step.destination)).collect(),
            steps,
            opening,
        })
    }

    /// Both sides over these possibilities.
    ///
    /// # Errors
    /// Those of [`Side::new`].
    pub fn sides<'a>(&self, venues: &Venues<'a>, plan: &Plan, unshocked: Unshocked) -> Result<[Side<'a>; 2]> {
        let target = plan.target;
        Ok([
            Side::new(&venues.source, &self.source, (target.source, target.on), unshocked)?,
            Side::new(&venues.destination, &self.destination, (target.destination, target.on), unshocked)?,
        ])
    }

    /// Whether a side keeps its target in every state that stops the plan: exactly.
    pub fn keeps(&self, plan: &Plan, name: SideName, side: &Side<'_>) -> bool {
        let held = match name {
            SideName::Source => &self.source,
            SideName::Destination => &self.destination,
        };
        let mut passed: Option<&Holdings> = None;
        self.steps.iter().zip(held).all(|(step, held)| {
            // Neighbouring states often hold the same.
            if self.test(plan, name, step) == Test::Reports || passed == Some(held) {
                return true;
            }
            passed = Some(held);
            side.keeps(held)
        })
    }

    fn test(&self, plan: &Plan, name: SideName, step: &Step) -> Test {
        let changes = match name {
            SideName::Source => step.source != self.opening[0],
            SideName::Destination => step.state == State::Committed,
        };
        if plan.target.standing == Standing::Check || changes { Test::Stops } else { Test::Reports }
    }

    fn outcomes(&self, plan: &Plan, (from, to): (&Side<'_>, &Side<'_>), sweeps: &[Sweep; 2]) -> Vec<StepOutcome> {
        let side = |at: usize, name, side: &Side<'_>, sweep: &Sweep, held: &Holdings, counts: &[Quanta]| SideOutcome {
            counts: counts.to_vec(),
            pool: sweep.pools[at],
            requirement: side.requirement(held),
            check: side.check(held),
            test: self.test(plan, name, &self.steps[at]),
            digest: digest(&sweep.pools[at..=at], &[]),
        };
        let promised = to.requirement(self.held(State::Committed)[1]);
        let of_step = |(at, step): (usize, &Step)| {
            let source = side(at, SideName::Source, from, &sweeps[0], &self.source[at], &step.source);
            let destination = side(at, SideName::Destination, to, &sweeps[1], &self.destination[at], &step.destination);
            let joint = source.requirement + destination.requirement;
            let is_promised = matches!(step.state, State::Accepted | State::Released);
            StepOutcome {
                state: step.state,
                at_hours: step.at_hours,
                joint_requirement: if is_promised { joint.max(promised) } else { joint },
                source,
                destination,
            }
        };
        self.steps.iter().enumerate().map(of_step).collect()
    }

    /// What both sides hold in a state that every course has.
    pub fn held(&self, state: State) -> [&Holdings; 2] {
        let at = self.steps.iter().position(|step| step.state == state).unwrap_or_default();
        [&self.source[at], &self.destination[at]]
    }
}

/// The first state that stops the plan, the source before the destination.
fn first_breach(steps: &[StepOutcome]) -> Option<Breach> {
    let sides = steps.iter().flat_map(|step| step.sides().map(|(name, side)| (step.state, name, side)));
    let mut breaches = sides.filter(|(.., side)| side.test == Test::Stops && side.check.breached > 0);
    breaches.next().map(|(state, name, side)| Breach {
        state,
        side: name,
        scenario: side.check.scenario.clone(),
        excess: side.check.excess,
        breached: side.check.breached,
    })
}

/// What one step more of a lot would breach; `None` where there is no more of it.
fn next_breach(
    venues: &Venues<'_>,
    plan: &Plan,
    before: (&Holdings, &Holdings),
    load: &Load,
    (request, at): (&LotRequest, usize),
    options: &SweepOptions,
) -> Result<Option<Breach>> {
    let mut more = load.clone();
    let piece = &mut more.pieces[at];
    let leaving = piece.item.leaving + piece.grid.step();
    if leaving > piece.item.source_before {
        return Ok(None);
    }
    piece.set_lot(leaving, request, &plan.route);
    let states = States::of(venues, plan, before, &more)?;
    let [from, to] = states.sides(venues, plan, options.unshocked)?;
    let sweeps = [from.sweep(options, &())?, to.sweep(options, &())?];
    Ok(first_breach(&states.outcomes(plan, (&from, &to), &sweeps)))
}

/// Balances that are no whole number of steps of their grid: they are rounded to one when they move.
fn rounding(load: &Load, (source, destination): (&Holdings, &Holdings)) -> Vec<String> {
    let mut warnings = Vec::new();
    for piece in &load.pieces {
        let (from, to) = match piece.place {
            Place::Amount(from, to) => (source.amount(from), destination.amount(to)),
            Place::Account(from, to) => (source.amount(from) + source.accrued(from), destination.amount(to)),
            Place::Position { .. } => continue,
        };
        for (side, units) in [("source", from), ("destination", to)] {
            let rounded = piece.grid.nearest(units).units();
            if rounded != units {
                let name = &piece.item.name;
                warnings
                    .push(format!("{name} at the {side}: {units} is booked as {rounded}, the nearest whole quantum"));
            }
        }
    }
    warnings
}

/// Quanta made or lost between the amounts before and those that the books say afterwards.
fn conservation_error(load: &Load, source: &Holdings, destination: &Holdings) -> Quanta {
    let of_piece = |piece: &super::cargo::Piece| {
        let item = &piece.item;
        let contracts =
            |held: &Holdings, key| held.position(key).map_or(Quanta::ZERO, |p| piece.grid.contracts(p.quantity));
        let after = match &piece.place {
            Place::Amount(from, to) | Place::Account(from, to) => {
                piece.grid.nearest(source.amount(*from)) + piece.grid.nearest(destination.amount(*to))
            }
            Place::Position { leaving, arriving, .. } => contracts(source, leaving) + contracts(destination, arriving),
        };
        debug_assert!(item.kind == ItemKind::Balance || item.fee == Quanta::ZERO);
        (after + item.fee + item.cost - item.realised - item.source_before - item.destination_before).magnitude()
    };
    load.pieces.iter().map(of_piece).sum()
}
