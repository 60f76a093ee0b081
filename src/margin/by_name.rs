use std::collections::BTreeMap;

/// One number for all, some by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ByName {
    /// For names that are not listed.
    pub default: f64,
    /// For these.
    pub of: BTreeMap<String, f64>,
}

impl ByName {
    /// The same number for every name.
    pub fn all(value: f64) -> Self {
        Self { default: value, of: BTreeMap::new() }
    }

    /// The number of a name.
    pub fn get(&self, name: &str) -> f64 {
        self.of.get(name).copied().unwrap_or(self.default)
    }
}
