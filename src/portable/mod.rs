//! Portable margin accounts: one pool of a book as a document that another venue can check, sign and take in.
//!
//! A [`Document`] is a tree of texts, flags, lists and maps ([`Node`]); numbers are decimal texts, so that no reader rounds
//! them. It has one canonical CBOR and one canonical JSON form. Keccak-256 of the CBOR is what Ed25519 and EIP-712
//! signatures speak of. `docs/portable-account.md` is the page of the format.

mod account;
mod cbor;
mod check;
mod decimal;
mod document;
mod eip712;
mod export;
mod fault;
mod identifier;
mod import;
mod json;
mod lots;
mod node;
mod register;
mod risk;
mod schema;
mod signature;

pub use account::{
    AsOf, Claims, Custody, FileDigest, Finality, Greeks, Identity, Lien, Lot, MarginAccount, OpenOrder, OrderBook,
    Position, Risk, SchemaName, Status, Terms, Validity, Worst,
};
pub use decimal::Decimal;
pub use document::Document;
pub use export::{Issue, export};
pub use identifier::AssetMap;
pub use import::import;
pub use node::Node;
pub use register::{Admission, Register};
pub use risk::{Assessment, Sources, summarise};
pub use schema::json_schema;
pub use signature::{Algorithm, Role, SecretKey, SignatureEntry};
