//! The policies of a run.

use std::path::Path;

use super::Args;
use crate::cli::inputs::Inputs;
use crate::error::Result;
use crate::io::read_policy;
use crate::policy::Policy;

/// A policy and what it is called in tables.
#[derive(Debug, Clone)]
pub(super) struct NamedPolicy {
    pub(super) name: String,
    pub(super) policy: Policy,
}

/// The run's policy, then those it is compared with, with the depth of every book scaled as asked for. That nobody gave a policy
/// is a warning.
pub(super) fn read(args: &Args, inputs: &mut Inputs) -> Result<Vec<NamedPolicy>> {
    let own = match (&args.policy, &inputs.rulebook.liquidation) {
        (Some(file), _) => NamedPolicy { name: stem(file), policy: read_policy(file)? },
        (None, Some(policy)) => NamedPolicy { name: "rulebook".into(), policy: policy.clone() },
        (None, None) => {
            let warning = "no --policy is given and the rulebook has no [liquidation]: Plimsoll's own policy stands";
            inputs.warnings.push(warning.into());
            NamedPolicy { name: "default".into(), policy: Policy::default() }
        }
    };
    let mut policies = vec![own];
    for file in &args.against {
        let name = stem(file);
        let is_taken = policies.iter().any(|other| other.name == name);
        let name = if is_taken { file.display().to_string() } else { name };
        policies.push(NamedPolicy { name, policy: read_policy(file)? });
    }
    if let Some(factor) = args.deeper {
        policies.iter_mut().for_each(|named| named.policy.impact.depth_scale *= factor);
    }
    Ok(policies)
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| file.display().to_string(), |stem| stem.to_string_lossy().into_owned())
}
