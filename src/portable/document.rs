//! A document: the tree as it was read or made, and the account that it holds.

use std::path::Path;

use super::account::MarginAccount;
use super::check::{Unknown, check_account, check_map};
use super::fault::{at, none_of, refusal};
use super::node::{LARGEST_BYTES, Node};
use super::schema::ROOT;
use super::signature::{Role, SecretKey, SignatureEntry, Statement, content_hash};
use super::{cbor, json};
use crate::error::{Error, Result};

/// Fields that the content hash leaves out.
const UNHASHED: [&str; 2] = ["content_hash", "signatures"];

/// A portable account as a file holds it. Whatever it holds beyond version 1.0 is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    root: Node,
    account: MarginAccount,
}

impl Document {
    /// The document of an account: its content hash is computed, whatever the account says.
    ///
    /// # Errors
    /// [`Error::Refused`] where the account breaks a rule of the format.
    pub fn new(account: &MarginAccount) -> Result<Self> {
        let value = serde_json::to_value(account).map_err(|error| Error::Bug(error.to_string()))?;
        let mut root = Node::of_value(value)?;
        let hash = const_hex::encode_prefixed(hash_of(&root)?);
        if let Node::Map(fields) = &mut root {
            fields.insert("content_hash".into(), Node::Text(hash));
        }
        Self::of_root(root)
    }

    /// Reads a file of either form.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read; as [`Document::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        use std::io::Read;
        let file = std::fs::File::open(path).map_err(|source| Error::io(path, source))?;
        let mut bytes = Vec::new();
        file.take(LARGEST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|source| Error::io(path, source))?;
        Self::parse(&bytes)
    }

    /// Reads canonical CBOR, or JSON with free white space and order, and checks everything that needs no key, no clock and
    /// no book: form, shape, meaning, content hash. Signatures are checked by [`Document::check_signatures`].
    ///
    /// # Errors
    /// [`Error::Refused`] with every broken rule.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > LARGEST_BYTES {
            return Err(refusal(format!("a file has at most {LARGEST_BYTES} bytes"), "split the pool"));
        }
        // A byte order mark, or a list, is JSON gone wrong and not CBOR.
        let is_json = matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..] | [0xef, 0xbb, 0xbf, ..]);
        let root = if is_json {
            let text = std::str::from_utf8(bytes);
            let text = text.map_err(|error| refusal(format!("JSON: {error}"), "write it as UTF-8"))?;
            json::read(text)?
        } else {
            cbor::read(bytes)?
        };
        Self::of_root(root)
    }

    fn of_root(root: Node) -> Result<Self> {
        let unknown = version(&root)?;
        let mut faults = Vec::new();
        check_map(&root, ROOT, "", unknown, &mut faults);
        none_of(faults)?;
        let account: MarginAccount =
            serde_json::from_value(root.to_value()).map_err(|error| Error::Bug(error.to_string()))?;
        let mut faults = Vec::new();
        check_account(&account, &mut faults);
        let hash = const_hex::encode_prefixed(hash_of(&root)?);
        if account.content_hash != hash {
            let rule = format!("the content has another hash, {hash}: something was changed");
            faults.push(at("content_hash", &account.content_hash, rule, "have its issuer export it again"));
        }
        none_of(faults)?;
        Ok(Self { root, account })
    }

    /// What version 1.0 says of it.
    pub fn account(&self) -> &MarginAccount {
        &self.account
    }

    /// The whole tree.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The canonical CBOR.
    ///
    /// # Errors
    /// [`Error::Bug`]: a document can always be written.
    pub fn to_cbor(&self) -> Result<Vec<u8>> {
        cbor::write(&self.root)
    }

    /// The canonical JSON.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        json::write(&self.root, &mut text);
        text
    }

    /// The form that a file name asks for: CBOR for `.cbor`, JSON for `.json`.
    ///
    /// # Errors
    /// [`Error::Usage`] for any other name.
    pub fn to_bytes_for(&self, path: &Path) -> Result<Vec<u8>> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("cbor") => self.to_cbor(),
            Some("json") => Ok(self.to_json().into_bytes()),
            _ => Err(Error::Usage(format!("{}: a portable account is a .json or a .cbor file", path.display()))),
        }
    }

    /// The document with one signature more; one of the same role and key is replaced. The content hash stays.
    ///
    /// # Errors
    /// [`Error::Usage`] where the key is none.
    pub fn signed(&self, role: Role, key: &SecretKey) -> Result<Self> {
        let entry = key.sign(role, &self.statement()?)?;
        let value = serde_json::to_value(&entry).map_err(|error| Error::Bug(error.to_string()))?;
        let is_other = |other: &Node| {
            other.get("role").and_then(Node::text) != Some(role.name())
                || other.get("key").and_then(Node::text) != Some(&entry.key)
        };
        let (mut root, mut account) = (self.root.clone(), self.account.clone());
        // The tree is changed, not written anew from the account: entries may hold fields of a later version.
        if let Node::Map(fields) = &mut root
            && let Some(Node::List(entries)) = fields.get_mut("signatures")
        {
            entries.retain(is_other);
            entries.push(Node::of_value(value)?);
        }
        account.signatures.retain(|other| (other.role, &other.key) != (entry.role, &entry.key));
        account.signatures.push(entry);
        Ok(Self { root, account })
    }

    /// Checks every signature; answers them.
    ///
    /// # Errors
    /// [`Error::Refused`] with each that does not hold.
    pub fn check_signatures(&self) -> Result<&[SignatureEntry]> {
        let statement = self.statement()?;
        let mut faults = Vec::new();
        for (place, entry) in self.account.signatures.iter().enumerate() {
            if let Some(rule) = entry.fault(&statement) {
                faults.push(at(&format!("signatures[{place}]"), &entry.key, rule, "have it signed again"));
            }
        }
        none_of(faults)?;
        Ok(&self.account.signatures)
    }

    /// Checks that the document may be used at `moment`.
    ///
    /// # Errors
    /// [`Error::Refused`] where it is too early or too late.
    pub fn check_validity(&self, moment: jiff::Timestamp) -> Result<()> {
        let validity = &self.account.validity;
        let is_at_or_before = |text: &str| text.parse::<jiff::Timestamp>().is_ok_and(|bound| bound <= moment);
        let mut faults = Vec::new();
        if !is_at_or_before(&validity.not_before) {
            let rule = format!("not yet valid at {moment}");
            faults.push(at("validity.not_before", &validity.not_before, rule, "wait"));
        }
        if is_at_or_before(&validity.expires) {
            let rule = format!("expired at {moment}");
            faults.push(at("validity.expires", &validity.expires, rule, "have its issuer export it again"));
        }
        none_of(faults)
    }

    /// What signatures speak of.
    fn statement(&self) -> Result<Statement> {
        let identity = &self.account.account;
        let bug = |what: &str| Error::Bug(format!("{what} of a checked account"));
        let expires: jiff::Timestamp = self.account.validity.expires.parse().map_err(|_| bug("expiry"))?;
        let chain = identity.network.as_deref().and_then(|network| network.strip_prefix("eip155:"));
        Ok(Statement {
            content: hash_of(&self.root)?,
            account: [&*identity.venue, &*identity.account, &*identity.pool].join("/"),
            nonce: identity.nonce.parse().map_err(|_| bug("nonce"))?,
            expires: u64::try_from(expires.as_second()).map_err(|_| bug("expiry"))?,
            chain: chain.and_then(|chain| chain.parse().ok()),
        })
    }
}

/// Keccak-256 of the canonical CBOR without what does not count.
fn hash_of(root: &Node) -> Result<[u8; 32]> {
    let mut content = root.clone();
    if let Node::Map(fields) = &mut content {
        fields.retain(|name, _| !UNHASHED.contains(&name.as_str()));
    }
    Ok(content_hash(&cbor::write(&content)?))
}

/// What the version says of unknown fields.
fn version(root: &Node) -> Result<Unknown> {
    let text = root.get("schema").and_then(|schema| schema.get("version")).and_then(Node::text).unwrap_or_default();
    let refuse = |rule: String| {
        let remedy = "have its issuer export version 1.0";
        Err(Error::Refused(vec![at("schema.version", text, rule, remedy)]))
    };
    let number = |part: &str| part.parse::<u32>().ok().filter(|number| number.to_string() == part);
    match text.split_once('.').map(|(major, minor)| (number(major), number(minor))) {
        Some((Some(1), Some(0))) => Ok(Unknown::Refuse),
        Some((Some(1), Some(_))) => Ok(Unknown::Keep),
        Some((Some(major), Some(_))) => refuse(format!("major version {major} is not known, only 1")),
        _ => refuse("a version is major.minor".into()),
    }
}
