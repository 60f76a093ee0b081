//! Which markets are sequenced.

use super::Args;
use crate::cli::Context;
use crate::cli::inputs::{Inputs, place_of, resolved};
use crate::cli::progress::Meter;
use crate::engine::{SweepOptions, sweep, worst_scenarios};
use crate::error::{Error, Result};
use crate::io::read_path;
use crate::liquidation::Path;
use crate::policy::Policy;
use crate::report::count;
use crate::scenario::ScenarioSet;

/// Which markets are sequenced, and how they were chosen.
pub(super) enum Choice {
    /// Scenarios of a set by their places, in order.
    Named { set: ScenarioSet, places: Vec<usize> },
    /// The worst of a set by shortfall, the worst first.
    Worst { set: ScenarioSet, places: Vec<usize> },
    /// A market that moves in steps.
    Path(Box<Path>),
}

impl Choice {
    /// Looks the scenarios up, or sweeps the set to rank them, or reads the path.
    pub(super) fn make(args: &Args, inputs: &Inputs, options: &SweepOptions, context: Context) -> Result<Self> {
        let set = &inputs.scenarios;
        if let Some(file) = &args.path {
            let mut path = read_path(file)?;
            if path.name.is_empty() {
                path.name = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            }
            let (snapshot, rulebook) = ((args.snapshot.as_path(), &inputs.snapshot), &inputs.rulebook);
            let (markets, _) = resolved(path.scenarios(), snapshot, rulebook)?;
            let path = path.with_markets(&markets);
            return Ok(Self::Path(Box::new(path)));
        }
        let set = set.clone();
        if let Some(limit) = args.worst {
            let meter = Meter::new(context.progress);
            let swept = sweep(&inputs.snapshot, &inputs.rulebook, &set, options, &meter);
            meter.finish();
            let swept = swept?;
            let places: Vec<usize> =
                worst_scenarios(&swept.scenarios, limit as usize).into_iter().map(|(place, _)| place).collect();
            return match places.is_empty() {
                true => Err(Error::Usage("the scenario set is empty: there is nothing to sequence".into())),
                false => Ok(Self::Worst { set, places }),
            };
        }
        let mut places = Vec::with_capacity(args.scenario.len());
        for id in &args.scenario {
            let place = place_of(&set, id)?;
            if !places.contains(&place) {
                places.push(place);
            }
        }
        Ok(Self::Named { set, places })
    }

    /// Ids of the scenarios, or the path's name.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Named { set, places } | Self::Worst { set, places } => {
                places.iter().map(|&place| set.ids[place].clone()).collect()
            }
            Self::Path(path) => vec![path.name.clone()],
        }
    }

    /// The markets, with a policy's limit of rounds.
    pub(super) fn paths(&self, policy: &Policy) -> Vec<Path> {
        match self {
            Self::Named { set, places } | Self::Worst { set, places } => {
                places.iter().map(|&place| Path::of_scenario(set, place, policy.rounds_max)).collect()
            }
            Self::Path(path) => vec![(**path).clone()],
        }
    }

    /// Scenarios of the set; none of a path.
    pub(super) fn set_size(&self) -> Option<usize> {
        match self {
            Self::Named { set, .. } | Self::Worst { set, .. } => Some(set.len()),
            Self::Path(_) => None,
        }
    }

    /// How the markets were chosen, in a sentence.
    pub(super) fn sentence(&self) -> String {
        let of_set = |set: &ScenarioSet, places: &[usize], how: &str| {
            let others = if places.len() < set.len() { "; the others are not" } else { "" };
            let (sequenced, all) = (count(places.len() as u64), count(set.len() as u64));
            format!("{sequenced} of {all} scenarios sequenced, {how}{others}")
        };
        match self {
            Self::Named { set, places } => of_set(set, places, "by id"),
            Self::Worst { set, places } => of_set(set, places, "those with the largest shortfall"),
            Self::Path(path) => {
                format!(
                    "the path {:?} sequenced: {} steps of {} rounds",
                    path.name,
                    path.steps.len(),
                    path.rounds_per_step
                )
            }
        }
    }
}
