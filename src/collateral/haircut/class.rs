use std::collections::BTreeMap;

use super::procyclical::StepLimit;
use super::propose::AssetHaircut;
use super::steps::Steps;
use crate::domain::Snapshot;
use crate::margin::{HaircutSchedule, Rulebook};

/// What becomes of one haircut class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassChange {
    /// Its key in the rulebook.
    pub class: String,
    /// Names of the held assets that use it.
    pub assets: Vec<String>,
    /// The asset whose haircut is the largest in the first tier.
    pub worst: String,
    /// What binds there; `None` where nothing is taken, or nothing is known.
    pub binding: Option<&'static str>,
    /// In force, quote units, the largest of its assets'; `None` where the rulebook lacks the class.
    pub old: Option<Steps>,
    /// The worst of its assets, before the step limit.
    pub wanted: Steps,
    /// After it.
    pub new: Steps,
    /// As the rulebook holds it.
    pub schedule: HaircutSchedule,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Every class that a held asset uses, in the order of their keys. The tiers of an asset of which nothing is known are those in
/// force; without any, nothing of it counts. Assets without a class have no haircut whatever is proposed: they are named.
pub fn classes(
    snapshot: &Snapshot,
    rulebook: &Rulebook,
    proposed: &[AssetHaircut],
    step: Option<StepLimit>,
) -> (Vec<ClassChange>, Vec<String>) {
    let mut members: BTreeMap<&str, Vec<&AssetHaircut>> = BTreeMap::new();
    let mut without = Vec::new();
    for haircut in proposed {
        let asset = &snapshot.assets[haircut.asset as usize];
        match &asset.haircut_class {
            Some(class) => members.entry(class).or_default().push(haircut),
            None => without.push(asset.name.clone()),
        }
    }
    let change = |(class, members): (&str, Vec<&AssetHaircut>)| {
        Members { snapshot, schedule: rulebook.haircut.get(class), members }.change(class, step)
    };
    (members.into_iter().map(change).collect(), without)
}

struct Members<'a> {
    snapshot: &'a Snapshot,
    /// The class in force.
    schedule: Option<&'a HaircutSchedule>,
    members: Vec<&'a AssetHaircut>,
}

impl Members<'_> {
    fn price(&self, member: &AssetHaircut) -> f64 {
        self.snapshot.assets[member.asset as usize].price
    }

    fn name(&self, member: &AssetHaircut) -> &str {
        &self.snapshot.assets[member.asset as usize].name
    }

    /// What `of` makes of the class in force at each member's price; empty where it makes nothing.
    fn in_force(&self, of: impl Fn(&HaircutSchedule, f64) -> Option<Steps>) -> Vec<Steps> {
        let Some(schedule) = self.schedule else { return Vec::new() };
        self.members.iter().filter_map(|member| of(schedule, self.price(member))).collect()
    }

    fn change(&self, class: &str, step: Option<StepLimit>) -> ClassChange {
        let mut notes: Vec<String> = Vec::new();
        for note in self.members.iter().flat_map(|member| &member.notes) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        let in_force = self.in_force(|schedule, price| Some(Steps::of_schedule(schedule, price)));
        let steps_of = |member: &&AssetHaircut| {
            let kept = || self.schedule.map(|schedule| Steps::of_schedule(schedule, self.price(member)));
            member.steps().or_else(kept).unwrap_or_else(|| Steps::flat(1.0))
        };
        let all: Vec<Steps> = self.members.iter().map(steps_of).collect();
        let wanted = Steps::worst(&all);
        let at_start = all.iter().map(|steps| steps.at(0.0));
        let worst = at_start.enumerate().fold((0, f64::NEG_INFINITY), |worst, (member, haircut)| {
            if haircut > worst.1 { (member, haircut) } else { worst }
        });
        let worst = self.members[worst.0];
        if self.members.len() > 1 {
            notes.push(format!(
                "{} assets share the class: the worst counts, {}",
                self.members.len(),
                self.name(worst)
            ));
        }
        let new = match step {
            Some(step) => self.limited(&wanted, &in_force, step, &mut notes),
            None => wanted.clone(),
        };
        let initial = worst_of(&self.in_force(Steps::of_initial));
        ClassChange {
            class: class.into(),
            assets: self.members.iter().map(|member| self.name(member).to_string()).collect(),
            worst: self.name(worst).into(),
            binding: worst.binding(),
            schedule: new.to_schedule(initial.as_ref()),
            old: worst_of(&in_force),
            wanted,
            new,
            notes,
        }
    }

    /// The steps after the limit, each member's own in force held against it, tier by tier; says what it did.
    fn limited(&self, wanted: &Steps, in_force: &[Steps], step: StepLimit, notes: &mut Vec<String>) -> Steps {
        let all = || std::iter::once(wanted).chain(in_force);
        let new = Steps::over(all(), |size| step.apply(wanted.at(size), in_force.iter().map(|steps| steps.at(size))));
        let (asked, given) = (wanted.at(0.0), new.at(0.0));
        if asked != given {
            notes.push(format!(
                "the step limit holds the first tier at {:.2} %, not {:.2} %",
                100.0 * given,
                100.0 * asked
            ));
        }
        let sizes: Vec<f64> =
            std::iter::once(0.0).chain(all().flat_map(|steps| steps.bounds.iter().copied())).collect();
        for (member, old) in self.members.iter().zip(in_force) {
            // What is lost in rounding the room is no move beyond it.
            let beyond = |size: &f64| old.at(*size) - new.at(*size) - step.room(old.at(*size)) > 1e-12;
            if let Some(size) = sizes.iter().copied().filter(beyond).min_by(f64::total_cmp) {
                notes.push(format!(
                    "{} falls from {:.2} to {:.2} % at {size:.0}, beyond the step limit: another asset of the class has less in force \
                     there; classes of their own would keep the limit",
                    self.name(member),
                    100.0 * old.at(size),
                    100.0 * new.at(size)
                ));
            }
        }
        new
    }
}

/// The largest at every size; `None` of none.
fn worst_of(all: &[Steps]) -> Option<Steps> {
    (!all.is_empty()).then(|| Steps::worst(all))
}
