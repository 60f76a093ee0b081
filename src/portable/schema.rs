//! Every field of version 1: the one table from which the checks and the JSON Schema follow.

use serde_json::{Map, Value, json};

use super::account::{NAME, VERSION};
use crate::io::table::NumberRule;
use crate::pricing::Greeks;

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A name: not empty, without control characters and without a space at either end.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A decimal number within limits.
    Number(NumberRule),
    /// Any decimal number.
    Figure,
    /// A whole number ≥ 0, below 2⁶⁴.
    Count,
    /// RFC 3339 in UTC, in its shortest spelling.
    Moment,
    /// `0x` and 64 hexadecimal digits.
    Hash,
    /// 64 hexadecimal digits.
    Blake3,
    /// `0x` and bytes as lower-case hexadecimal digits.
    Bytes,
    /// True or false.
    Flag,
    /// CAIP-2.
    Network,
    /// CAIP-19 or private.
    Asset,
    /// `1.minor`.
    Version,
    /// A map with these fields.
    Map(&'static [Field]),
    /// A list of these.
    List(&'static Shape),
    /// A map of anything.
    Open,
}

/// Whether a field must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// A field of a map.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub shape: Shape,
    pub presence: Presence,
    pub help: &'static str,
}

const fn needs(name: &'static str, shape: Shape, help: &'static str) -> Field {
    Field { name, shape, presence: Presence::Required, help }
}

const fn may(name: &'static str, shape: Shape, help: &'static str) -> Field {
    Field { name, shape, presence: Presence::Optional, help }
}

use Shape::{
    Asset, Blake3, Bytes, Count, Figure, Flag, Hash, List, Moment, Network, Number, Open, Text, Version, Word,
};

/// The fields of a document.
pub(super) static ROOT: &[Field] = &[
    needs("schema", Shape::Map(SCHEMA), "what kind of document this is"),
    needs("account", Shape::Map(ACCOUNT), "whose pool it is, where, and when"),
    needs("collateral", List(&Shape::Map(LOT)), "lots that back the pool"),
    needs("liabilities", List(&Shape::Map(LOT)), "what the pool owes, as positive quantities"),
    needs("positions", List(&Shape::Map(POSITION)), "contracts held; one for each instrument and side"),
    needs("orders", Shape::Map(ORDERS), "open orders, and margin reserved for them"),
    needs("risk", Shape::Map(RISK), "what the issuer's engine says of the pool, quote units"),
    may("claims", Shape::Map(CLAIMS), "claims of others"),
    needs("validity", Shape::Map(VALIDITY), "when the document may be used"),
    needs("content_hash", Hash, "Keccak-256 of the canonical CBOR without content_hash and signatures"),
    needs("signatures", List(&Shape::Map(SIGNATURE)), "who vouches for it; one for each role and key"),
    may("extensions", Open, "anything else; kept and covered by the hash"),
];

static SCHEMA: &[Field] = &[
    needs("name", Word(&[NAME]), "name of the schema"),
    needs("version", Version, "major.minor; another major is refused, unknown fields of a later minor are kept"),
];
static ACCOUNT: &[Field] = &[
    needs("venue", Text, "the venue that issues the document"),
    may("network", Network, "CAIP-2 network of the account; eip155 sets the chainId of EIP-712 signatures"),
    needs("account", Text, "owner"),
    needs("pool", Text, "pool of the account: the unit of margin"),
    needs("mode", Word(&["cross", "isolated", "portfolio"]), "how the requirement is formed"),
    needs("nonce", Count, "rises with every document of this venue, account and pool"),
    needs("quote", Asset, "currency of orders.reserved and risk"),
    needs("initial_multiplier", Number(NumberRule::Positive), "factor on the initial margin"),
    needs("maintenance_multiplier", Number(NumberRule::Positive), "factor on the maintenance margin"),
    needs("as_of", Shape::Map(AS_OF), "when it was so"),
];
static AS_OF: &[Field] = &[
    may("time", Moment, "moment"),
    may("block", Count, "height of the block that was read"),
    needs("finality", Word(&["venue", "latest", "safe", "finalized"]), "how sure it is not to be undone"),
];
static LOT: &[Field] = &[
    needs("asset", Asset, "what it is"),
    needs("quantity", Number(NumberRule::NonNegative), "units of the asset"),
    may("accrued_interest", Number(NumberRule::Amount), "units not yet in quantity; negative = owed"),
    may("custody", Shape::Map(CUSTODY), "where it is held"),
    needs("status", Word(&["settled", "in_transit", "attested"]), "whether it has arrived"),
    may("lock", Text, "lock that holds it for a transfer; stands once in a document"),
    may("haircut", Number(NumberRule::Share), "share of its value that the issuer does not count"),
];
static CUSTODY: &[Field] = &[
    needs("network", Text, "network, by CAIP-2 or as the issuer calls it"),
    may("route", Text, "bridge or channel it came through"),
];
static POSITION: &[Field] = &[
    needs("instrument", Shape::Map(TERMS), "the contract, in full"),
    needs("side", Word(&["net", "long", "short"]), "leg, in hedge mode"),
    needs("quantity", Number(NumberRule::Amount), "contracts; negative = short"),
    needs("entry_price", Number(NumberRule::ZeroOrPositive), "average entry price, price asset"),
    may("leverage", Number(NumberRule::Leverage), "leverage chosen by the account"),
    needs("accrued_funding", Number(NumberRule::Amount), "settlement asset; negative = owed"),
    needs("mark", Number(NumberRule::ZeroOrPositive), "mark price at the issuer, price asset"),
];
static TERMS: &[Field] = &[
    needs("name", Text, "name at the issuer"),
    needs("kind", Word(&["spot", "perpetual", "future", "option"]), "what it is; options are European"),
    needs("payoff", Word(&["linear", "inverse", "quanto"]), "how its price turns into money"),
    needs("underlying", Text, "what it refers to"),
    needs("settlement_asset", Asset, "asset it pays in"),
    needs("price_asset", Asset, "asset in which mark, entry and strike are quoted"),
    needs("contract_size", Number(NumberRule::Positive), "units of the underlying per contract; inverse: quote units"),
    may("fixed_rate", Number(NumberRule::Positive), "of a quanto: settlement units per price unit"),
    may("strike", Number(NumberRule::Positive), "of an option"),
    may("expiry", Moment, "of a future or an option"),
    may("right", Word(&["call", "put"]), "of an option"),
    may("premium", Word(&["paid", "margined"]), "of an option"),
];
static ORDERS: &[Field] = &[
    needs("reserved", Number(NumberRule::NonNegative), "margin reserved for orders, quote units"),
    needs("open", List(&Shape::Map(ORDER)), "open orders"),
];
static ORDER: &[Field] = &[
    needs("instrument", Shape::Map(TERMS), "the contract, in full"),
    needs("quantity", Number(NumberRule::Amount), "contracts; positive = buy"),
    needs("price", Number(NumberRule::Positive), "limit price, price asset"),
    needs("reduces_only", Flag, "whether it can only shrink a position"),
];
static RISK: &[Field] = &[
    needs("rulebook", List(&Shape::Map(FILE)), "files of the margin rules"),
    may("scenarios", Shape::Map(FILE), "the scenario set"),
    needs("state", STATE, "state in the unshocked market"),
    needs("equity", Figure, "raw equity"),
    needs("adjusted_equity", Figure, "equity after haircuts"),
    needs("initial_margin", Figure, "initial margin"),
    needs("maintenance_margin", Figure, "maintenance margin"),
    may("worst", Shape::Map(WORST), "figures in the scenario with the least adjusted equity − maintenance margin"),
    needs("greeks", List(&Shape::Map(GREEKS)), "Greeks in the unshocked market"),
];
const STATE: Shape = Word(&["healthy", "restricted", "liquidatable", "bankrupt"]);
static FILE: &[Field] = &[needs("file", Text, "name"), needs("blake3", Blake3, "BLAKE3 of its content")];
static WORST: &[Field] = &[
    needs("scenario", Text, "id"),
    needs("state", STATE, "state there"),
    needs("equity", Figure, "raw equity"),
    needs("adjusted_equity", Figure, "equity after haircuts"),
    needs("initial_margin", Figure, "initial margin"),
    needs("maintenance_margin", Figure, "maintenance margin"),
];
static GREEKS: &[Field] = &[
    needs("underlying", Text, "underlying"),
    needs(Greeks::NAMES[0], Figure, "quote units per unit of the price"),
    needs(Greeks::NAMES[1], Figure, "delta per unit of the price"),
    needs(Greeks::NAMES[2], Figure, "per unit of volatility"),
    needs(Greeks::NAMES[3], Figure, "per year"),
    needs(Greeks::NAMES[4], Figure, "per unit of the rate"),
    needs(Greeks::NAMES[5], Figure, "delta per unit of volatility"),
    needs(Greeks::NAMES[6], Figure, "vega per unit of volatility"),
    needs(Greeks::NAMES[7], Figure, "delta per year"),
];
static CLAIMS: &[Field] = &[
    needs("prior_liens", List(&Shape::Map(LIEN)), "liens that come before this document"),
    may("liquidation_agent", Text, "who may liquidate"),
];
static LIEN: &[Field] = &[
    needs("holder", Text, "whose it is"),
    needs("asset", Asset, "asset"),
    needs("quantity", Number(NumberRule::NonNegative), "units"),
];
static VALIDITY: &[Field] =
    &[needs("not_before", Moment, "usable from this moment on"), needs("expires", Moment, "usable before this moment")];
static SIGNATURE: &[Field] = &[
    needs("role", Word(&["owner", "source_venue", "destination_venue", "attestor"]), "in which capacity"),
    needs("algorithm", Word(&["ed25519", "eip712"]), "how"),
    needs("key", Bytes, "Ed25519 public key (32 bytes) or address (20 bytes)"),
    needs("signature", Bytes, "64 bytes; EIP-712: r, s, v (27 or 28) in 65"),
];

/// The JSON Schema (draft 2020-12) of version 1.0. What only the reader checks (limits of numbers, that hashes and
/// signatures hold, locks that stand twice) is on the page of the format.
pub fn json_schema() -> Value {
    let mut schema = of_map(ROOT);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = format!("{NAME} {VERSION}").into();
    schema["description"] = "A portable margin account of Plimsoll".into();
    schema
}

fn of_map(fields: &[Field]) -> Value {
    let of_field = |field: &Field| {
        let mut schema = of_shape(&field.shape);
        schema["description"] = field.help.into();
        (field.name.to_string(), schema)
    };
    let properties: Map<String, Value> = fields.iter().map(of_field).collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.presence == Presence::Required).map(|field| field.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn of_shape(shape: &Shape) -> Value {
    let pattern = |pattern: &str| json!({"type": "string", "pattern": pattern});
    match shape {
        Shape::Text => pattern("^(?! )[^\\u0000-\\u001f\\u007f-\\u009f]*[^ \\u0000-\\u001f\\u007f-\\u009f]$"),
        Shape::Word(words) => json!({"type": "string", "enum": words}),
        Shape::Number(_) | Shape::Figure => pattern("^(?!-0$)-?(0|[1-9][0-9]*)(\\.[0-9]*[1-9])?$"),
        Shape::Count => pattern("^(0|[1-9][0-9]{0,19})$"),
        Shape::Moment => json!({"type": "string", "format": "date-time"}),
        Shape::Hash => pattern("^0x[0-9a-f]{64}$"),
        Shape::Blake3 => pattern("^[0-9a-f]{64}$"),
        Shape::Bytes => pattern("^0x([0-9a-f]{2})+$"),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Network => pattern("^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$"),
        Shape::Asset => pattern(
            "^(plimsoll:asset/[-.%a-zA-Z0-9]+|[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}(/[-.%a-zA-Z0-9]{1,78})?)$",
        ),
        Shape::Version => json!({"const": VERSION}),
        Shape::Map(fields) => of_map(fields),
        Shape::List(item) => json!({"type": "array", "items": of_shape(item)}),
        Shape::Open => json!({"type": "object"}),
    }
}
