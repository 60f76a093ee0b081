//! What the commands say of a document.

use serde_json::{Value, json};

use crate::cli::print_text;
use crate::portable::{Document, Risk};

/// The facts of a document.
pub(super) fn facts(document: &Document) -> Value {
    let account = document.account();
    json!({
        "version": account.schema.version,
        "venue": account.account.venue,
        "account": account.account.account,
        "pool": account.account.pool,
        "nonce": account.account.nonce,
        "not_before": account.validity.not_before,
        "expires": account.validity.expires,
        "content_hash": account.content_hash,
        "collateral": account.collateral.len(),
        "liabilities": account.liabilities.len(),
        "positions": account.positions.len(),
        "orders": account.orders.open.len(),
        "signatures": account.signatures,
    })
}

/// The facts of a document, for reading.
pub(super) fn print(document: &Document) {
    let account = document.account();
    let identity = &account.account;
    print_text(format_args!(
        "{} / {} / {}, nonce {}: {} lot(s), {} loan(s), {} position(s), {} order(s)",
        identity.venue,
        identity.account,
        identity.pool,
        identity.nonce,
        account.collateral.len(),
        account.liabilities.len(),
        account.positions.len(),
        account.orders.open.len()
    ));
    print_text(format_args!("valid from {} to {}", account.validity.not_before, account.validity.expires));
    print_text(format_args!("content hash (Keccak-256): {}", account.content_hash));
    if account.signatures.is_empty() {
        print_text("no signature: nobody vouches for it");
    }
    for entry in &account.signatures {
        print_text(format_args!("signed as {} by {}", entry.role.name(), entry.key));
    }
}

/// Figures of a pool, quote units.
pub(super) fn risk_json(risk: &Risk) -> Value {
    json!({
        "state": risk.state,
        "equity": risk.equity.nearest(),
        "adjusted_equity": risk.adjusted_equity.nearest(),
        "initial_margin": risk.initial_margin.nearest(),
        "maintenance_margin": risk.maintenance_margin.nearest(),
        "worst_scenario": risk.worst.as_ref().map(|worst| &worst.scenario),
        "worst_equity": risk.worst.as_ref().map(|worst| worst.equity.nearest()),
        "worst_maintenance_margin": risk.worst.as_ref().map(|worst| worst.maintenance_margin.nearest()),
    })
}

/// Figures of a pool, for reading.
pub(super) fn print_risk(title: &str, risk: &Risk) {
    print_text(format_args!(
        "{title}: {}, equity {:.2}, adjusted {:.2}, initial margin {:.2}, maintenance margin {:.2}",
        risk.state,
        risk.equity.nearest(),
        risk.adjusted_equity.nearest(),
        risk.initial_margin.nearest(),
        risk.maintenance_margin.nearest()
    ));
    if let Some(worst) = &risk.worst {
        print_text(format_args!(
            "{title}, worst scenario {}: {}, equity {:.2}, maintenance margin {:.2}",
            worst.scenario,
            worst.state,
            worst.equity.nearest(),
            worst.maintenance_margin.nearest()
        ));
    }
}
