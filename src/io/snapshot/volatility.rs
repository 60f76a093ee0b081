use std::collections::BTreeMap;

use toml::{Table, Value};

use super::toml::fault;
use crate::domain::{Underlying, VolatilityShock};
use crate::io::table::FaultLog;

/// Key of the section in `snapshot.toml`.
pub(super) const SECTION: &str = "volatility_shock";

type Field = fn(&mut VolatilityShock) -> &mut f64;
/// Every setting: its key, its range in words and numbers, its place.
const SETTINGS: [(&str, &str, (f64, f64), Field); 6] = [
    ("reference_days", "between 0.001 and 100000 days", (1e-3, 1e5), |shock| &mut shock.reference_days),
    ("floor_days", "between 0.001 and 100000 days", (1e-3, 1e5), |shock| &mut shock.floor_days),
    ("power_up", "between 0 and 5", (0.0, 5.0), |shock| &mut shock.power_up),
    ("power_down", "between 0 and 5", (0.0, 5.0), |shock| &mut shock.power_down),
    ("minimum", "between 0 and 100 (1 = 100 %)", (0.0, 100.0), |shock| &mut shock.minimum),
    ("maximum", "between 0 and 100 (1 = 100 %)", (0.0, 100.0), |shock| &mut shock.maximum),
];

/// What a snapshot says about volatility shocks: for all underlyings, and for some by name.
#[derive(Debug, Default)]
pub(super) struct VolatilityShocks {
    all: VolatilityShock,
    by_underlying: BTreeMap<String, VolatilityShock>,
}

impl VolatilityShocks {
    /// Reads `[volatility_shock]` and `[volatility_shock.NAME]`; what a named section leaves out, the general one says.
    pub(super) fn read(section: &Value, log: &mut FaultLog) -> Self {
        let Value::Table(table) = section else {
            log.push(fault(SECTION, &section.to_string(), "a table", "write [volatility_shock]"));
            return Self::default();
        };
        let (named, general): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| value.is_table());
        let mut shocks = Self { all: settings(SECTION, VolatilityShock::default(), general, log), ..Self::default() };
        for (name, value) in named {
            let at = format!("{SECTION}.{name}");
            let empty = Table::new();
            let own = settings(&at, shocks.all, value.as_table().unwrap_or(&empty).iter().collect(), log);
            shocks.by_underlying.insert(name.clone(), own);
        }
        shocks
    }

    /// Hands every underlying its own.
    pub(super) fn apply(mut self, underlyings: &mut [Underlying], log: &mut FaultLog) {
        for underlying in underlyings.iter_mut() {
            underlying.volatility_shock = self.by_underlying.remove(&underlying.name).unwrap_or(self.all);
        }
        for name in self.by_underlying.keys() {
            let known = underlyings.iter().map(|underlying| underlying.name.as_str());
            let remedy = crate::suggest::remedy(name, known, "add the underlying, or remove the section");
            log.push(fault(&format!("{SECTION}.{name}"), name, "no such name in underlyings", remedy));
        }
    }
}

fn settings(at: &str, start: VolatilityShock, given: Vec<(&String, &Value)>, log: &mut FaultLog) -> VolatilityShock {
    let mut shock = start;
    for (key, value) in given {
        let Some((_, rule, (low, high), field)) = SETTINGS.iter().find(|(name, ..)| name == key) else {
            let remedy = crate::suggest::remedy(key, SETTINGS.map(|(name, ..)| name), "remove the key");
            log.push(fault(&format!("{at}.{key}"), &value.to_string(), "the section has no such key", remedy));
            continue;
        };
        match value.as_float().or_else(|| value.as_integer().map(|number| number as f64)) {
            Some(number) if (*low..=*high).contains(&number) => *field(&mut shock) = number,
            _ => log.push(fault(&format!("{at}.{key}"), &value.to_string(), &format!("a number {rule}"), "correct it")),
        }
    }
    if shock.minimum > shock.maximum {
        let value = format!("{} and {}", shock.minimum, shock.maximum);
        log.push(fault(at, &value, "minimum is not above maximum", "correct one of them"));
    }
    shock
}

/// The sections that read back as these settings; empty where all are the default.
pub(in crate::io) fn to_toml(underlyings: &[Underlying]) -> String {
    let default = VolatilityShock::default();
    let mut text = String::new();
    for underlying in underlyings.iter().filter(|underlying| underlying.volatility_shock != default) {
        let mut shock = underlying.volatility_shock;
        let name = Value::String(underlying.name.clone()).to_string();
        text.push_str(&format!("\n[{SECTION}.{name}]\n"));
        for (key, _, _, field) in SETTINGS {
            text.push_str(&format!("{key} = {:?}\n", *field(&mut shock)));
        }
    }
    text
}
