//! What a document must hold before anything is made of it: shapes field by field, then what fields say together.

use std::collections::BTreeMap;

use super::account::{Lot, MarginAccount, Status, Terms, Validity};
use super::decimal::rule_of;
use super::fault::at;
use super::identifier::{asset_rule, network_rule};
use super::node::Node;
use super::schema::{Field, Presence, Shape};
use crate::error::Fault;
use crate::io::table::NumberRule;

/// What to do about fields that version 1.0 does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// Version 1.0 itself: a slip.
    Refuse,
    /// A later minor version: kept, unread.
    Keep,
}

const CORRECT: &str = "have its issuer correct it";

/// Checks a map against its fields; every fault is added.
pub(super) fn check_map(node: &Node, fields: &[Field], path: &str, unknown: Unknown, faults: &mut Vec<Fault>) {
    let Node::Map(given) = node else {
        faults.push(at(path, "", format!("{} where a map belongs", node.noun()), CORRECT));
        return;
    };
    let below = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    for field in fields {
        match given.get(field.name) {
            Some(node) => check(node, &field.shape, &below(field.name), unknown, faults),
            None if field.presence == Presence::Required => {
                faults.push(at(&below(field.name), "", "a required field is missing", CORRECT));
            }
            None => {}
        }
    }
    if unknown == Unknown::Keep {
        return;
    }
    for name in given.keys().filter(|name| fields.iter().all(|field| field.name != *name)) {
        let known = fields.iter().map(|field| field.name);
        let remedy = crate::suggest::remedy(name, known, "put it under extensions");
        faults.push(at(&below(name), "", "version 1.0 has no such field", remedy));
    }
}

fn check(node: &Node, shape: &Shape, path: &str, unknown: Unknown, faults: &mut Vec<Fault>) {
    match (shape, node) {
        (Shape::Map(fields), _) => check_map(node, fields, path, unknown, faults),
        (Shape::List(item), Node::List(items)) => {
            for (place, node) in items.iter().enumerate() {
                check(node, item, &format!("{path}[{place}]"), unknown, faults);
            }
        }
        (Shape::Open, Node::Map(_)) | (Shape::Flag, Node::Flag(_)) => {}
        (Shape::List(_) | Shape::Open | Shape::Flag, _) | (_, Node::Flag(_) | Node::List(_) | Node::Map(_)) => {
            let noun = match shape {
                Shape::List(_) => "a list",
                Shape::Open => "a map",
                Shape::Flag => "a flag",
                _ => "a text",
            };
            faults.push(at(path, "", format!("{} where {noun} belongs", node.noun()), CORRECT));
        }
        (_, Node::Text(text)) => {
            if let Some(rule) = text_rule(shape, text) {
                faults.push(at(path, text, rule, CORRECT));
            }
        }
    }
}

/// Why a text does not have a shape; none where it has.
fn text_rule(shape: &Shape, text: &str) -> Option<String> {
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let unless = |holds: bool, rule: &str| (!holds).then(|| rule.to_string());
    match shape {
        Shape::Word(words) => unless(words.contains(&text), &format!("one of {}", words.join(", "))),
        Shape::Number(rule) => rule_of(text).map(Into::into).or_else(|| limit_rule(*rule, text)),
        Shape::Figure => rule_of(text).map(Into::into),
        Shape::Count => {
            let is_count = text.parse::<u64>().is_ok_and(|count| count.to_string() == text);
            unless(is_count, "a whole number from 0 to 2^64 - 1, in digits without leading zeros")
        }
        Shape::Moment => {
            let is_moment = text.parse::<jiff::Timestamp>().is_ok_and(|moment| moment.to_string() == text);
            unless(is_moment, "a moment is RFC 3339 in UTC, for example 2026-06-26T08:00:00Z")
        }
        Shape::Hash => unless(
            text.strip_prefix("0x").is_some_and(|digits| digits.len() == 64 && hex(digits)),
            "a hash is 0x and 64 lower-case hexadecimal digits",
        ),
        Shape::Blake3 => unless(text.len() == 64 && hex(text), "a BLAKE3 hash is 64 lower-case hexadecimal digits"),
        Shape::Bytes => unless(
            text.strip_prefix("0x").is_some_and(|digits| digits.len() % 2 == 0 && hex(digits)),
            "bytes are 0x and pairs of lower-case hexadecimal digits",
        ),
        Shape::Network => network_rule(text).map(Into::into),
        Shape::Asset => asset_rule(text).map(Into::into),
        Shape::Text => unless(
            !text.is_empty() && text.trim().len() == text.len() && !text.chars().any(char::is_control),
            "a name is not empty, and has no control characters and no space at either end",
        ),
        Shape::Version => unless(!text.is_empty(), "a text is not empty"),
        Shape::Flag | Shape::Map(_) | Shape::List(_) | Shape::Open => None,
    }
}

fn limit_rule(rule: NumberRule, text: &str) -> Option<String> {
    let allowed = text.parse().is_ok_and(|value| rule.allows(value));
    (!allowed).then(|| format!("the number is {}", rule.text()))
}

/// Checks what the fields of an account say together; every fault is added.
pub(super) fn check_account(account: &MarginAccount, faults: &mut Vec<Fault>) {
    check_validity(&account.validity, faults);
    check_lots(account, faults);
    check_positions(account, faults);
    let mut seen = BTreeMap::new();
    for (place, entry) in account.signatures.iter().enumerate() {
        if let Some(first) = seen.insert((entry.role, &entry.key), place) {
            let rule = format!("one signature for each role and key; signatures[{first}] is the first");
            faults.push(at(&format!("signatures[{place}]"), &entry.key, rule, "remove one of them"));
        }
    }
}

fn check_validity(validity: &Validity, faults: &mut Vec<Fault>) {
    let moment = |text: &str| text.parse::<jiff::Timestamp>().ok();
    if moment(&validity.not_before) >= moment(&validity.expires) {
        faults.push(at("validity.expires", &validity.expires, "expires is after not_before", CORRECT));
    }
    if moment(&validity.not_before) < Some(jiff::Timestamp::UNIX_EPOCH) {
        faults.push(at("validity.not_before", &validity.not_before, "validity begins in 1970 or later", CORRECT));
    }
}

fn check_lots(account: &MarginAccount, faults: &mut Vec<Fault>) {
    let mut locks: BTreeMap<&str, String> = BTreeMap::new();
    let lists: [(&str, &[Lot]); 2] = [("collateral", &account.collateral), ("liabilities", &account.liabilities)];
    for (list, lots) in lists {
        for (place, lot) in lots.iter().enumerate() {
            let path = format!("{list}[{place}]");
            if list == "liabilities" && lot.status != Status::Settled {
                faults.push(at(&format!("{path}.status"), &lot.asset, "a loan is always settled", CORRECT));
            }
            let has_route = lot.custody.as_ref().is_some_and(|custody| custody.route.is_some());
            if lot.status != Status::Settled && !has_route {
                faults.push(at(&path, &lot.asset, "a lot that has not settled names its custody.route", CORRECT));
            }
            if let Some(lock) = &lot.lock
                && let Some(first) = locks.insert(lock, path.clone())
            {
                let rule = format!("a locked lot stands once; {first} has the same lock");
                faults.push(at(&format!("{path}.lock"), lock, rule, "remove one of them"));
            }
        }
    }
}

fn check_positions(account: &MarginAccount, faults: &mut Vec<Fault>) {
    let mut terms: BTreeMap<&str, &Terms> = BTreeMap::new();
    let positions = account.positions.iter().enumerate();
    let of_positions = positions.map(|(place, position)| (format!("positions[{place}]"), &position.instrument));
    let orders = account.orders.open.iter().enumerate();
    let of_orders = orders.map(|(place, order)| (format!("orders.open[{place}]"), &order.instrument));
    for (path, instrument) in of_positions.chain(of_orders) {
        let path = format!("{path}.instrument");
        check_terms(instrument, &path, faults);
        if terms.insert(&instrument.name, instrument).is_some_and(|first| first != instrument) {
            let rule = "an instrument has the same terms wherever it stands";
            faults.push(at(&path, &instrument.name, rule, CORRECT));
        }
    }
    for (place, order) in account.orders.open.iter().enumerate().filter(|(_, order)| order.quantity.as_str() == "0") {
        let name = &order.instrument.name;
        faults.push(at(&format!("orders.open[{place}].quantity"), name, "an order buys or sells something", CORRECT));
    }
    let mut seen = BTreeMap::new();
    for (place, position) in account.positions.iter().enumerate() {
        let path = format!("positions[{place}]");
        let (name, quantity) = (&position.instrument.name, position.quantity.as_str());
        if let Some(first) = seen.insert((name, &position.side), place) {
            let rule = format!("one position for each instrument and side; positions[{first}] is the first");
            faults.push(at(&path, name, rule, "net them"));
        }
        let is_negative = quantity.starts_with('-');
        if (position.side == "long" && is_negative) || (position.side == "short" && !is_negative && quantity != "0") {
            let rule = "the quantity of a long leg is ≥ 0, of a short leg ≤ 0";
            faults.push(at(&format!("{path}.quantity"), quantity, rule, CORRECT));
        }
        if position.instrument.kind != "option" && position.entry_price.as_str() == "0" {
            faults.push(at(&format!("{path}.entry_price"), "0", "only an option is had for nothing", CORRECT));
        }
    }
    let instruments = seen.keys().map(|(name, _)| *name).collect::<std::collections::BTreeSet<_>>().len();
    if account.account.mode == "isolated" && instruments > 1 {
        let rule = format!("an isolated pool holds one instrument, not {instruments}");
        faults.push(at("account.mode", "isolated", rule, CORRECT));
    }
}

/// Refuses terms that a kind lacks or may not have.
fn check_terms(terms: &Terms, path: &str, faults: &mut Vec<Fault>) {
    let is_option = terms.kind == "option";
    let rules = [
        ("strike", terms.strike.is_some(), is_option),
        ("right", terms.right.is_some(), is_option),
        ("premium", terms.premium.is_some(), is_option),
        ("expiry", terms.expiry.is_some(), is_option || terms.kind == "future"),
        ("fixed_rate", terms.fixed_rate.is_some(), terms.payoff == "quanto"),
    ];
    for (name, given, needed) in rules.into_iter().filter(|(_, given, needed)| given != needed) {
        let verb = if needed && !given { "needs" } else { "has no" };
        let rule = format!("a {} {} {verb} {name}", terms.payoff, terms.kind);
        faults.push(at(&format!("{path}.{name}"), "", rule, CORRECT));
    }
}
