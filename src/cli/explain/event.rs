//! One event of a liquidation, with the numbers that caused it.

use std::path::Path;

use serde_json::{Value, json};

use super::money;
use crate::cli::{Context, Format, print_json, print_text};
use crate::domain::{Kind, Payoff, Snapshot};
use crate::error::{Error, Result};
use crate::io::event_file::{RecordedEvent, RecordedHealth, read_account};
use crate::liquidation::{Action, Cause};

/// Which event.
pub(super) struct Query<'a> {
    pub(super) events: &'a Path,
    pub(super) number: u64,
    pub(super) account: &'a str,
    pub(super) pool: Option<&'a str>,
    pub(super) scenario: Option<&'a str>,
}

/// Finds the event and shows it with the others of its pool and scenario.
pub(super) fn run(query: &Query<'_>, snapshot: &Snapshot, context: Context) -> Result<u8> {
    let events = read_account(query.events, query.account)?;
    let event = query.find(&events)?;
    let is_beside = |other: &&RecordedEvent| other.scenario == event.scenario && other.pool == event.pool;
    let beside: Vec<&RecordedEvent> = events.iter().filter(is_beside).collect();
    match context.format {
        Format::Json => {
            let others: Vec<Value> = beside.into_iter().map(|event| object(event, snapshot)).collect();
            print_json(&json!({"event": object(event, snapshot), "events_of_the_pool": others}));
        }
        Format::Table => print(event, &beside, snapshot),
    }
    Ok(0)
}

impl Query<'_> {
    fn find<'e>(&self, events: &'e [RecordedEvent]) -> Result<&'e RecordedEvent> {
        let (account, number) = (self.account, self.number);
        let is_asked_for = |event: &&RecordedEvent| {
            self.pool.is_none_or(|pool| event.pool == pool) && self.scenario.is_none_or(|id| event.scenario == id)
        };
        let asked: Vec<&RecordedEvent> = events.iter().filter(is_asked_for).collect();
        let found: Vec<&RecordedEvent> = asked.iter().copied().filter(|event| event.number == number).collect();
        match found[..] {
            [event] => Ok(event),
            [] => {
                let most = 10;
                let known: Vec<String> =
                    asked.iter().take(most).map(|event| format!("{} of {}", event.number, event.scenario)).collect();
                let more = if asked.len() > most { ", …" } else { "" };
                let remedy = match known.is_empty() {
                    true => "no event there touches it".to_string(),
                    false => format!("its events are {}{more}", known.join(", ")),
                };
                Err(Error::Usage(format!("no event {number} of account {account:?} ({remedy})")))
            }
            _ => {
                let ids: Vec<&str> = found.iter().map(|event| event.scenario.as_str()).collect();
                let ids = ids.join(", ");
                Err(Error::Usage(format!(
                    "event {number} of account {account:?} is in several scenarios: --scenario {ids}"
                )))
            }
        }
    }
}

/// What happened, in words.
fn action_text(event: &RecordedEvent) -> String {
    let instrument = event.instrument.as_deref().unwrap_or_default();
    let size = money(event.quantity.abs());
    let side = if event.quantity > 0.0 { "bought" } else { "sold" };
    match event.action {
        Action::CancelOrders => "open orders cancelled: the margin that they reserved is free".into(),
        Action::ConvertCollateral if event.amount < 0.0 => {
            format!("collateral converted: {} {} sold", money(-event.amount), event.asset)
        }
        Action::ConvertCollateral => format!("loan bought back: {} {}", money(event.amount), event.asset),
        Action::Cut => format!("{size} {instrument} {side} in the market"),
        Action::TakeOver if event.instrument.is_some() => {
            let position = if event.quantity < 0.0 { "long" } else { "short" };
            format!("{size} {instrument} {position} taken over by the backstop at what they were entered at")
        }
        Action::TakeOver => format!("{} {} taken over by the backstop", money(-event.amount), event.asset),
        Action::FundDraw => {
            format!("{} {} of its debt paid by {}", money(event.amount), event.asset, event.counterparty)
        }
        Action::Deleverage if event.instrument.is_some() => {
            format!("{size} {instrument} {side}, closed against {}", event.counterparty)
        }
        Action::Deleverage if event.amount < 0.0 => {
            format!("{} {} of its profit taken for others' debts", money(-event.amount), event.asset)
        }
        Action::Deleverage => format!("{} {} of its debt paid from others' profits", money(event.amount), event.asset),
        Action::Socialise => {
            format!("{} {} of its debt spread over every pool with equity", money(event.amount), event.asset)
        }
    }
}

/// Why it happened, with the numbers.
fn cause_text(event: &RecordedEvent) -> String {
    let RecordedHealth { equity, adjusted_equity, maintenance_margin, .. } = event.before;
    let (adjusted, margin) = (money(adjusted_equity), money(maintenance_margin));
    match event.cause {
        Cause::Breach => format!("adjusted equity {adjusted} < maintenance margin {margin}"),
        Cause::BelowTarget => format!(
            "its liquidation has begun and has not reached the policy's target: adjusted equity {adjusted}, maintenance margin {margin}"
        ),
        Cause::BelowTakeOver => {
            format!("health is below the ratio at which the backstop steps in: {}", health_text(&event.before))
        }
        Cause::Infeasible => {
            format!("no partial cut restores the target: adjusted equity {adjusted}, maintenance margin {margin}")
        }
        Cause::Bankrupt => format!("raw equity {} < 0", money(equity)),
        Cause::FundExhausted => format!(
            "the funds cannot pay what a bankrupt pool would owe, so its position is closed against others' (this pool's equity: {})",
            money(equity)
        ),
        Cause::Debt => "a closed pool owes money".into(),
    }
}

fn health_text(health: &RecordedHealth) -> String {
    let excess = money(health.adjusted_equity - health.maintenance_margin);
    let ratio = health.ratio.map_or_else(|| "no requirement".into(), |ratio| format!("health {ratio:.6}"));
    let (adjusted, margin) = (money(health.adjusted_equity), money(health.maintenance_margin));
    format!(
        "adjusted equity {adjusted} − maintenance margin {margin} = {excess} ({ratio}); raw equity {}",
        money(health.equity)
    )
}

/// How the proceeds follow from quantity and price; `None` where nothing was traded.
fn proceeds_text(event: &RecordedEvent, snapshot: &Snapshot) -> Option<String> {
    let price = event.price?;
    let proceeds = money(event.amount - event.carry);
    let asset = &event.asset;
    let Some(name) = &event.instrument else {
        let (sold, quote) = (money(-event.amount), money(event.quote_amount + event.trading_fee));
        return Some(format!("{sold} {asset} × {} = {quote} {}", money(price), snapshot.quote));
    };
    let terms = snapshot.instruments.iter().find(|instrument| instrument.name == *name)?;
    let (closed, price, size) = (money(-event.quantity), money(price), money(terms.contract_size));
    Some(match (terms.kind, terms.payoff) {
        (Kind::Option, _) | (_, Payoff::Linear) => {
            format!("{closed} contracts × {size} × {price} = {proceeds} {asset}")
        }
        (_, Payoff::Quanto) => {
            format!("{closed} contracts × {size} × {} × {price} = {proceeds} {asset}", money(terms.fixed_rate))
        }
        (_, Payoff::Inverse) => format!("{closed} contracts × −({size} / {price}) = {proceeds} {asset}"),
    })
}

fn print(event: &RecordedEvent, beside: &[&RecordedEvent], snapshot: &Snapshot) {
    let quote = &snapshot.quote;
    let at = format!("step {}, round {}", event.step, event.round);
    print_text(format_args!(
        "{} / {}, scenario {}, event {} ({at})",
        event.account, event.pool, event.scenario, event.number
    ));
    print_text(format_args!("what:    {}", action_text(event)));
    print_text(format_args!("because: {}", cause_text(event)));
    print_text(format_args!("with:    {}", event.counterparty));
    if let Some(text) = proceeds_text(event, snapshot) {
        print_text(format_args!("traded:  {text}"));
    }
    if event.carry != 0.0 {
        let (entered, amount) = (money(-event.carry), money(event.amount));
        let proceeds = money(event.amount - event.carry);
        print_text(format_args!(
            "balance: {proceeds} − {entered} entered at, funding included = {amount} {}",
            event.asset
        ));
    } else if event.amount != 0.0 {
        print_text(format_args!("balance: {} {}", signed(event.amount), event.asset));
    }
    if event.quote_amount != 0.0 {
        print_text(format_args!("         {} {quote}, fees taken off", signed(event.quote_amount)));
    }
    if event.cost != 0.0 {
        let conceded = event.cost - event.trading_fee - event.fund_fee;
        print_text(format_args!(
            "cost:    {} conceded against the mark + {} trading fee + {} liquidation fee = {} {quote}",
            money(conceded),
            money(event.trading_fee),
            money(event.fund_fee),
            money(event.cost)
        ));
    }
    print_text(format_args!("before:  {}", health_text(&event.before)));
    print_text(format_args!("after:   {}", health_text(&event.after)));
    print_text(format_args!("\nevents of the pool in this scenario (before and after are those of a round):"));
    for other in beside {
        let mark = if other.number == event.number { "→" } else { " " };
        let place = format!("{mark} {:>6}  step {} round {}", other.number, other.step, other.round);
        print_text(format_args!("{place}  {} ({})", action_text(other), other.cause.name()));
    }
}

fn signed(value: f64) -> String {
    if value > 0.0 { format!("+{}", money(value)) } else { money(value) }
}

fn object(event: &RecordedEvent, snapshot: &Snapshot) -> Value {
    let health = |health: &RecordedHealth| {
        json!({"equity": health.equity, "adjusted_equity": health.adjusted_equity,
            "maintenance_margin": health.maintenance_margin, "health": health.ratio})
    };
    json!({
        "scenario": event.scenario,
        "event": event.number,
        "step": event.step,
        "round": event.round,
        "account": event.account,
        "pool": event.pool,
        "action": event.action.name(),
        "cause": event.cause.name(),
        "counterparty": event.counterparty,
        "instrument": event.instrument,
        "quantity": event.quantity,
        "price": event.price,
        "asset": event.asset,
        "amount": event.amount,
        "quote_amount": event.quote_amount,
        "carry": event.carry,
        "trading_fee": event.trading_fee,
        "fund_fee": event.fund_fee,
        "cost": event.cost,
        "conceded": event.cost - event.trading_fee - event.fund_fee,
        "before": health(&event.before),
        "after": health(&event.after),
        "what": action_text(event),
        "because": cause_text(event),
        "traded": proceeds_text(event, snapshot),
    })
}
