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
    /// In force, quote units; `None` where the rulebook lacks the class.
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

    /// The largest of what `of` makes of the class in force at each member's price.
    fn in_force(&self, of: impl Fn(&HaircutSchedule, f64) -> Option<Steps>) -> Option<Steps> {
        let schedule = self.schedule?;
        let all: Vec<Steps> = self.members.iter().filter_map(|member| of(schedule, self.price(member))).collect();
        (!all.is_empty()).then(|| Steps::worst(&all))
    }

    fn change(&self, class: &str, step: Option<StepLimit>) -> ClassChange {
        let mut notes: Vec<String> = self.members.iter().flat_map(|member| member.notes.iter().cloned()).collect();
        let old = self.in_force(|schedule, price| Some(Steps::of_schedule(schedule, price)));
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
        let new = limited(&wanted, old.as_ref(), step, &mut notes);
        let initial = self.in_force(Steps::of_initial);
        ClassChange {
            class: class.into(),
            assets: self.members.iter().map(|member| self.name(member).to_string()).collect(),
            worst: self.name(worst).into(),
            binding: worst.binding(),
            schedule: new.to_schedule(initial.as_ref()),
            old,
            wanted,
            new,
            notes,
        }
    }
}

/// The steps after the limit, tier by tier; says what it did.
fn limited(wanted: &Steps, old: Option<&Steps>, step: Option<StepLimit>, notes: &mut Vec<String>) -> Steps {
    let Some((old, step)) = old.zip(step) else { return wanted.clone() };
    let new = Steps::over([wanted, old], |size| step.apply(wanted.at(size), old.at(size)));
    let (asked, given) = (wanted.at(0.0), new.at(0.0));
    if asked != given {
        notes.push(format!(
            "the step limit holds the first tier at {:.2} %, not {:.2} %",
            100.0 * given,
            100.0 * asked
        ));
    }
    new
}
