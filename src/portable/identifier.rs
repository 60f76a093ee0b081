//! Names that mean the same everywhere: networks (CAIP-2), assets (CAIP-19), and what a snapshot calls them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Fault, Result};

/// Namespace of assets that no table maps: `plimsoll:asset/NAME`, the name's bytes outside `[-.A-Za-z0-9]` as `%XX`. It
/// says what the issuer calls the asset and nothing of where the asset lives.
const PRIVATE: &str = "plimsoll:asset/";

/// Why a text is no CAIP-2 network; none where it is one.
pub(super) fn network_rule(text: &str) -> Option<&'static str> {
    const RULE: &str = "a network is CAIP-2: namespace:reference, for example eip155:1";
    let is_good = text.split_once(':').is_some_and(|(namespace, reference)| {
        matches!(namespace.len(), 3..=8)
            && namespace.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && matches!(reference.len(), 1..=32)
            && reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    });
    (!is_good).then_some(RULE)
}

/// Why a text names no asset; none where it does.
pub(super) fn asset_rule(text: &str) -> Option<&'static str> {
    const RULE: &str = "an asset is CAIP-19 (network/namespace:reference) or plimsoll:asset/NAME";
    if text.starts_with(PRIVATE) {
        return private_name(text).is_none().then_some(RULE);
    }
    let is_good = text.split_once('/').is_some_and(|(network, asset)| {
        network_rule(network).is_none()
            && asset.split_once(':').is_some_and(|(namespace, reference)| {
                matches!(namespace.len(), 3..=8)
                    && namespace.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                    && is_reference(reference)
            })
    });
    (!is_good).then_some(RULE)
}

/// The reference of an asset, and of a token of it after a `/`.
fn is_reference(text: &str) -> bool {
    let part = |part: &str, longest| {
        (1..=longest).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'%'))
    };
    match text.split_once('/') {
        Some((reference, token)) => part(reference, 128) && part(token, 78),
        None => part(text, 128),
    }
}

/// The name in a private identifier that is spelled canonically.
fn private_name(id: &str) -> Option<String> {
    let mut rest = id.strip_prefix(PRIVATE)?.bytes();
    let mut name = Vec::new();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            name.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            name.push(byte);
        }
    }
    String::from_utf8(name).ok().filter(|name| !name.is_empty() && private_id(name) == id)
}

fn private_id(name: &str) -> String {
    let mut id = PRIVATE.to_string();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.') {
            id.push(char::from(byte));
        } else {
            id.push_str(&format!("%{byte:02X}"));
        }
    }
    id
}

/// Which identifier stands for which asset of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetMap {
    by_name: BTreeMap<String, String>,
}

/// The file of a map.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    assets: BTreeMap<String, String>,
}

impl AssetMap {
    /// Reads a TOML file with one table `[assets]` of `NAME = "CAIP-19"`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Usage`] where it is no such file, [`Error::Configuration`] where an
    /// identifier is malformed or stands twice.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
        let file: MapFile = toml::from_str(&text)
            .map_err(|error| Error::Usage(format!("{}: {}", path.display(), crate::error::one_line(error))))?;
        Self::new(file.assets)
    }

    /// A map from names to CAIP-19 identifiers.
    ///
    /// # Errors
    /// [`Error::Configuration`] where an identifier is malformed or private, or stands for two names.
    pub fn new(by_name: BTreeMap<String, String>) -> Result<Self> {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        let mut faults = Vec::new();
        let mut fault = |name: &str, id: &str, rule: String| {
            let fault = Fault::of_table("asset map", rule, "correct the table [assets]");
            faults.push(Fault { column: format!("assets.{name}"), value: id.into(), ..fault });
        };
        for (name, id) in &by_name {
            if let Some(rule) = asset_rule(id) {
                fault(name, id, rule.into());
            } else if id.starts_with(PRIVATE) {
                fault(name, id, "plimsoll:asset is what unmapped assets are called".into());
            }
            if let Some(first) = seen.insert(id, name) {
                fault(name, id, format!("an identifier stands for one asset; {first} has the same"));
            }
        }
        if faults.is_empty() { Ok(Self { by_name }) } else { Err(Error::Configuration(faults)) }
    }

    /// The identifier of an asset: the mapped one, else its private one.
    pub fn id_of(&self, name: &str) -> String {
        self.by_name.get(name).cloned().unwrap_or_else(|| private_id(name))
    }

    /// The asset that an identifier stands for. A private identifier stands for the asset of its name only where that is
    /// not mapped to something better.
    pub fn name_of(&self, id: &str) -> Option<String> {
        match private_name(id) {
            Some(name) => (!self.by_name.contains_key(&name)).then_some(name),
            None => self.by_name.iter().find(|(_, mapped)| *mapped == id).map(|(name, _)| name.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_those_of_caip() {
        for good in ["eip155:1", "bip122:000000000019d6689c085ae165831e93", "cosmos:cosmoshub-3", "starknet:SN_GOERLI"]
        {
            assert_eq!(network_rule(good), None, "{good}");
        }
        for bad in ["", "eip155", "EIP155:1", "ei:1", "eip155:", "eip155:1:2", "chainstdx9:1"] {
            assert!(network_rule(bad).is_some(), "{bad}");
        }
        let good = [
            "eip155:1/slip44:60",
            "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f",
            "eip155:1/erc721:0x06012c8cf97BEaD5deAe237070F9587f8E7A266d/771769",
            "plimsoll:asset/US%20D",
        ];
        for good in good {
            assert_eq!(asset_rule(good), None, "{good}");
        }
        for bad in
            ["BTC", "eip155:1/", "eip155:1/slip44", "plimsoll:asset/", "plimsoll:asset/A%4", "plimsoll:asset/%41"]
        {
            assert!(asset_rule(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_map_goes_both_ways_and_a_private_name_never_stands_for_a_mapped_asset() {
        let eth = "eip155:1/slip44:60".to_string();
        let map = AssetMap::new([("ETH".to_string(), eth.clone())].into()).expect("a map");
        assert_eq!(map.id_of("ETH"), eth);
        assert_eq!(map.name_of(&eth).as_deref(), Some("ETH"));
        assert_eq!(map.name_of(&map.id_of("€ x")).as_deref(), Some("€ x"));
        assert_eq!(map.name_of("plimsoll:asset/ETH"), None);
        assert!(AssetMap::new([("A".to_string(), eth.clone()), ("B".to_string(), eth)].into()).is_err());
    }
}
