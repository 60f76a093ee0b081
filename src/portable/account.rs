//! A portable margin account: version 1 of the schema as types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::signature::SignatureEntry;

/// Name of the schema.
pub(super) const NAME: &str = "plimsoll.margin-account";
/// Version that is written.
pub(super) const VERSION: &str = "1.0";

/// A pool and everything a venue needs to know to take it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarginAccount {
    /// What kind of document this is.
    pub schema: SchemaName,
    /// Whose pool it is, where, and when.
    pub account: Identity,
    /// What backs the pool.
    pub collateral: Vec<Lot>,
    /// What the pool owes, as positive quantities.
    pub liabilities: Vec<Lot>,
    /// Contracts held.
    pub positions: Vec<Position>,
    /// Open orders, and margin reserved for them.
    pub orders: OrderBook,
    /// What the issuer's engine says of the pool's risk.
    pub risk: Risk,
    /// Claims of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// When the document may be used.
    pub validity: Validity,
    /// Keccak-256 of the canonical CBOR without this field and `signatures`; empty until a document is made of it.
    #[serde(default)]
    pub content_hash: String,
    /// Who vouches for it.
    #[serde(default)]
    pub signatures: Vec<SignatureEntry>,
}

/// Name and version of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaName {
    /// `plimsoll.margin-account`.
    pub name: String,
    /// `major.minor`.
    pub version: String,
}

/// Whose pool a document describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The venue that issues the document.
    pub venue: String,
    /// CAIP-2 network of the account, where it lives on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Owner.
    pub account: String,
    /// Pool of the account.
    pub pool: String,
    /// `cross`, `isolated` or `portfolio`.
    pub mode: String,
    /// Rises with every document of this venue, account and pool.
    pub nonce: String,
    /// Currency of `orders.reserved` and `risk`.
    pub quote: String,
    /// Factor on the initial margin.
    pub initial_multiplier: Decimal,
    /// Factor on the maintenance margin.
    pub maintenance_multiplier: Decimal,
    /// When it was so.
    pub as_of: AsOf,
}

/// The moment that a document describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsOf {
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Height of the block that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
    /// How sure it is not to be undone.
    pub finality: Finality,
}

/// How sure a state is not to be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finality {
    /// The ledger of a venue.
    Venue,
    /// A block that may be undone.
    Latest,
    /// A block that the network takes for safe.
    Safe,
    /// A final block.
    Finalized,
}

/// An amount of one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// CAIP-19, or `plimsoll:asset/NAME`.
    pub asset: String,
    /// Units of the asset, ≥ 0.
    pub quantity: Decimal,
    /// Accrued and not yet in the quantity, units; negative = owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accrued_interest: Option<Decimal>,
    /// Where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custody: Option<Custody>,
    /// Whether it has arrived.
    pub status: Status,
    /// Identifier of a lock that holds it for a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Share of its value that the issuer does not count, in [0, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub haircut: Option<Decimal>,
}

/// Where a lot is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// Network, by CAIP-2 or as the issuer calls it.
    pub network: String,
    /// The bridge or channel it came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

/// Whether a lot has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Held by the issuer.
    Settled,
    /// Under way.
    InTransit,
    /// Held elsewhere, vouched for by an attestor.
    Attested,
}

/// Contracts of one instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The contract, in full.
    pub instrument: Terms,
    /// `net`, `long` or `short`.
    pub side: String,
    /// Contracts; negative = short.
    pub quantity: Decimal,
    /// Average entry price, price asset.
    pub entry_price: Decimal,
    /// Leverage chosen by the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leverage: Option<Decimal>,
    /// Funding accrued and not yet in a balance, settlement asset.
    pub accrued_funding: Decimal,
    /// Mark price at the issuer, price asset.
    pub mark: Decimal,
}

/// The terms of a contract: what must be equal at both venues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Name at the issuer.
    pub name: String,
    /// `spot`, `perpetual`, `future` or `option`.
    pub kind: String,
    /// `linear`, `inverse` or `quanto`.
    pub payoff: String,
    /// What it refers to.
    pub underlying: String,
    /// Asset it pays in.
    pub settlement_asset: String,
    /// Asset in which mark, entry and strike are quoted.
    pub price_asset: String,
    /// Units of the underlying per contract (inverse: quote units).
    pub contract_size: Decimal,
    /// Settlement units per price unit of a quanto.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_rate: Option<Decimal>,
    /// Strike of an option, price asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strike: Option<Decimal>,
    /// Expiry, RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<String>,
    /// `call` or `put`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// `paid` or `margined`; of options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub premium: Option<String>,
}

/// Open orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBook {
    /// Margin reserved for orders, quote units.
    pub reserved: Decimal,
    /// The orders.
    pub open: Vec<OpenOrder>,
}

/// One open order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// The contract, in full.
    pub instrument: Terms,
    /// Contracts; positive = buy.
    pub quantity: Decimal,
    /// Limit price, price asset.
    pub price: Decimal,
    /// It can only shrink a position.
    pub reduces_only: bool,
}

/// What the issuer's engine says, quote units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// The files of the margin rules.
    pub rulebook: Vec<FileDigest>,
    /// The scenario set, where one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<FileDigest>,
    /// State in the unshocked market.
    pub state: String,
    /// Raw equity.
    pub equity: Decimal,
    /// Equity after haircuts.
    pub adjusted_equity: Decimal,
    /// Initial margin.
    pub initial_margin: Decimal,
    /// Maintenance margin.
    pub maintenance_margin: Decimal,
    /// The scenario with the least adjusted equity − maintenance margin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<Worst>,
    /// Greeks in the unshocked market, by underlying.
    pub greeks: Vec<Greeks>,
}

/// Name and BLAKE3 of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// File name without its directory.
    pub file: String,
    /// 64 hexadecimal digits.
    pub blake3: String,
}

/// Figures in the worst scenario, quote units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worst {
    /// Its id.
    pub scenario: String,
    /// State there.
    pub state: String,
    /// Raw equity.
    pub equity: Decimal,
    /// Equity after haircuts.
    pub adjusted_equity: Decimal,
    /// Initial margin.
    pub initial_margin: Decimal,
    /// Maintenance margin.
    pub maintenance_margin: Decimal,
}

/// Greeks of the positions on one underlying, quote units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeks {
    /// The underlying.
    pub underlying: String,
    /// The Greeks by name.
    #[serde(flatten)]
    pub values: BTreeMap<String, Decimal>,
}

/// Claims of others on the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Liens that come before this document.
    pub prior_liens: Vec<Lien>,
    /// Who may liquidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liquidation_agent: Option<String>,
}

/// A lien.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lien {
    /// Whose it is.
    pub holder: String,
    /// The asset.
    pub asset: String,
    /// Units.
    pub quantity: Decimal,
}

/// When a document may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// From this moment on.
    pub not_before: String,
    /// Before this moment.
    pub expires: String,
}
