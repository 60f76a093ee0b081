//! Who vouches for an account: Ed25519 (RFC 8032, strict) and EIP-712 over secp256k1.

use std::fmt;
use std::path::Path;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use k256::ecdsa::RecoveryId;
use serde::{Deserialize, Serialize};

use super::eip712::{self, Member, digest, hash_struct, keccak};
use crate::error::{Error, Result};

/// First bytes of every Ed25519 message; the role, a zero byte and the content hash follow.
const ED25519_DOMAIN: &[u8] = b"plimsoll.margin-account/1\0";
/// Name of the EIP-712 domain, before `/` and the role.
const EIP712_NAME: &str = "plimsoll.margin-account";
const EIP712_STRUCT: &str = "MarginAccount(bytes32 content,string account,uint256 nonce,uint256 expires)";

/// In which capacity a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whose account it is.
    Owner,
    /// The venue that it leaves.
    SourceVenue,
    /// The venue that it goes to.
    DestinationVenue,
    /// A third party that has seen the holdings.
    Attestor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Owner, Self::SourceVenue, Self::DestinationVenue, Self::Attestor];

    /// The word used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::SourceVenue => "source_venue",
            Self::DestinationVenue => "destination_venue",
            Self::Attestor => "attestor",
        }
    }
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Ed25519; the key is the public key.
    Ed25519,
    /// EIP-712 typed data, ECDSA over secp256k1; the key is the address.
    Eip712,
}

/// One signature of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureEntry {
    /// In which capacity.
    pub role: Role,
    /// How.
    pub algorithm: Algorithm,
    /// Public key (32 bytes) or address (20 bytes), `0x` and lower-case hexadecimal.
    pub key: String,
    /// 64 bytes, or r, s and v (27 or 28) in 65.
    pub signature: String,
}

/// What a signature speaks of.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// Content hash.
    pub content: [u8; 32],
    /// Venue, account and pool, joined by `/`.
    pub account: String,
    /// The account's nonce.
    pub nonce: u64,
    /// Expiry, seconds since 1970.
    pub expires: u64,
    /// Chain of an `eip155` network.
    pub chain: Option<u128>,
}

impl Statement {
    fn ed25519_message(&self, role: Role) -> Vec<u8> {
        [ED25519_DOMAIN, role.name().as_bytes(), &[0], &self.content].concat()
    }

    fn eip712_digest(&self, role: Role) -> [u8; 32] {
        let name = format!("{EIP712_NAME}/{}", role.name());
        let (name, version) = (Member::Text(&name), Member::Text("1"));
        let domain = match self.chain {
            Some(chain) => hash_struct(
                "EIP712Domain(string name,string version,uint256 chainId)",
                &[name, version, Member::Integer(chain)],
            ),
            None => hash_struct("EIP712Domain(string name,string version)", &[name, version]),
        };
        let members = [
            Member::Bytes32(self.content),
            Member::Text(&self.account),
            Member::Integer(self.nonce.into()),
            Member::Integer(self.expires.into()),
        ];
        digest(domain, hash_struct(EIP712_STRUCT, &members))
    }
}

/// A private key. It is never shown.
pub struct SecretKey {
    algorithm: Algorithm,
    bytes: [u8; 32],
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl SecretKey {
    /// Reads a file of 64 hexadecimal digits, with or without `0x`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Usage`] where it holds anything else, or no key of the algorithm.
    pub fn read(path: &Path, algorithm: Algorithm) -> Result<Self> {
        let text = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let bytes = const_hex::decode_to_array(text.trim_ascii());
        let rule = || Error::Usage(format!("{}: a key file holds 32 bytes as hexadecimal digits", path.display()));
        Self::new(bytes.map_err(|_| rule())?, algorithm)
    }

    /// A key from its bytes.
    ///
    /// # Errors
    /// [`Error::Usage`] where they are no key of the algorithm: 0, or past the order of secp256k1.
    pub fn new(bytes: [u8; 32], algorithm: Algorithm) -> Result<Self> {
        let key = Self { algorithm, bytes };
        key.public().map(|_| key)
    }

    /// The public key or address, `0x` and lower-case hexadecimal.
    ///
    /// # Errors
    /// As [`SecretKey::new`].
    pub fn public(&self) -> Result<String> {
        Ok(match self.algorithm {
            Algorithm::Ed25519 => {
                const_hex::encode_prefixed(SigningKey::from_bytes(&self.bytes).verifying_key().as_bytes())
            }
            Algorithm::Eip712 => const_hex::encode_prefixed(address(secp256k1(&self.bytes)?.verifying_key())),
        })
    }

    /// Signs a statement.
    pub(super) fn sign(&self, role: Role, statement: &Statement) -> Result<SignatureEntry> {
        let signature = match self.algorithm {
            Algorithm::Ed25519 => {
                let key = SigningKey::from_bytes(&self.bytes);
                const_hex::encode_prefixed(key.sign(&statement.ed25519_message(role)).to_bytes())
            }
            Algorithm::Eip712 => const_hex::encode_prefixed(sign_digest(&self.bytes, &statement.eip712_digest(role))?),
        };
        Ok(SignatureEntry { role, algorithm: self.algorithm, key: self.public()?, signature })
    }
}

impl SignatureEntry {
    /// Why this is no signature of `statement` by its key; none where it is one.
    pub(super) fn fault(&self, statement: &Statement) -> Option<&'static str> {
        let verified = match self.algorithm {
            Algorithm::Ed25519 => self.verify_ed25519(statement),
            Algorithm::Eip712 => self.verify_eip712(statement),
        };
        verified.err()
    }

    fn verify_ed25519(&self, statement: &Statement) -> Result<(), &'static str> {
        let key = bytes::<32>(&self.key).ok_or("an Ed25519 key is 0x and 64 lower-case hexadecimal digits")?;
        let signature =
            bytes::<64>(&self.signature).ok_or("an Ed25519 signature is 0x and 128 lower-case hexadecimal digits")?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| "the key is no point of the curve")?;
        let message = statement.ed25519_message(self.role);
        key.verify_strict(&message, &signature.into()).map_err(|_| "the key did not sign this content in this role")
    }

    fn verify_eip712(&self, statement: &Statement) -> Result<(), &'static str> {
        let key = bytes::<20>(&self.key).ok_or("an address is 0x and 40 lower-case hexadecimal digits")?;
        let signature =
            bytes::<65>(&self.signature).ok_or("an EIP-712 signature is 0x and 130 lower-case hexadecimal digits")?;
        let signer = recover(&statement.eip712_digest(self.role), &signature)?;
        if signer == key { Ok(()) } else { Err("another key signed, or other content, or in another role") }
    }
}

/// Bytes in their one spelling: `0x`, lower case, this many.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let array = const_hex::decode_to_array(text).ok()?;
    (const_hex::encode_prefixed(array) == text).then_some(array)
}

fn secp256k1(bytes: &[u8; 32]) -> Result<k256::ecdsa::SigningKey> {
    k256::ecdsa::SigningKey::from_slice(bytes).map_err(|_| Error::Usage("the key is none of secp256k1".into()))
}

/// The last 20 bytes of Keccak-256 of the public key's coordinates.
fn address(key: &k256::ecdsa::VerifyingKey) -> [u8; 20] {
    let hash = keccak(&key.to_sec1_point(false).as_bytes()[1..]);
    std::array::from_fn(|place| hash[12 + place])
}

/// Signs a digest deterministically (RFC 6979): r, s in its lower half, v.
pub(super) fn sign_digest(key: &[u8; 32], digest: &[u8; 32]) -> Result<[u8; 65]> {
    let (signature, id) = secp256k1(key)?.sign_prehash_recoverable(digest);
    let mut bytes = [0; 65];
    bytes[..64].copy_from_slice(&signature.to_bytes());
    bytes[64] = 27 + id.to_byte();
    Ok(bytes)
}

/// The address whose key signed a digest.
pub(super) fn recover(digest: &[u8; 32], signature: &[u8; 65]) -> Result<[u8; 20], &'static str> {
    let parity = signature[64].wrapping_sub(27);
    let id = RecoveryId::from_byte(parity).filter(|_| parity < 2).ok_or("v is 27 or 28")?;
    let signature = k256::ecdsa::Signature::from_slice(&signature[..64])
        .map_err(|_| "r and s lie within the order of the curve")?;
    if signature.normalize_s() != signature {
        return Err("s lies in the lower half of the order: its mirror image would pass as another signature");
    }
    let key = k256::ecdsa::VerifyingKey::recover_from_prehash(digest, &signature, id);
    key.map(|key| address(&key)).map_err(|_| "no key makes this signature")
}

/// Content hash of canonical bytes.
pub(super) fn content_hash(bytes: &[u8]) -> [u8; 32] {
    eip712::keccak(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests 1 to 3 of RFC 8032 §7.1: secret key, public key, message, signature.
    const RFC_8032: [[&str; 4]; 3] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
    ];

    #[test]
    fn ed25519_is_that_of_rfc_8032() {
        for [secret, public, message, signature] in RFC_8032 {
            let key = SecretKey::new(const_hex::decode_to_array(secret).expect("32 bytes"), Algorithm::Ed25519);
            let key = key.expect("a key");
            assert_eq!(key.public().expect("a key"), format!("0x{public}"));
            let signed = SigningKey::from_bytes(&key.bytes).sign(&const_hex::decode(message).expect("bytes"));
            assert_eq!(const_hex::encode(signed.to_bytes()), signature);
            assert!(!format!("{key:?}").contains(secret));
        }
    }

    #[test]
    fn a_signature_holds_for_its_statement_and_role_alone() {
        let statement = Statement { content: [7; 32], account: "a/b/c".into(), nonce: 3, expires: 9, chain: None };
        for algorithm in [Algorithm::Ed25519, Algorithm::Eip712] {
            let key = SecretKey::new([9; 32], algorithm).expect("a key");
            let entry = key.sign(Role::Owner, &statement).expect("a signature");
            assert_eq!(entry.fault(&statement), None);
            assert!(entry.fault(&Statement { content: [8; 32], ..statement.clone() }).is_some());
            assert!(SignatureEntry { role: Role::Attestor, ..entry.clone() }.fault(&statement).is_some());
            let on_chain = Statement { chain: Some(1), ..statement.clone() };
            assert_eq!(entry.fault(&on_chain).is_some(), algorithm == Algorithm::Eip712);
        }
        assert!(SecretKey::new([0; 32], Algorithm::Eip712).is_err(), "0 is no key of secp256k1");
    }
}
