//! `[liquidation]` in a rulebook file, and the policy file, which has the same keys at its root.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::keys::{KeyKind, Shape};
use super::liquidation_keys::{KEYS, UNLIMITED};
use super::reader::Reader;
use super::section::{Field, Section};
use super::writer::Writer;
use super::{parse, table_of, word_of};
use crate::error::Result;
use crate::policy::{
    Allocation, Clip, Costs, CutPolicy, CutRule, DeleverageBasis, DeleveragePolicy, FundPolicy, FundScope, ImpactLaw,
    ImpactPolicy, Policy, Purse, Step, TakeOver,
};

impl Policy {
    /// Reads a policy from TOML: the keys of `[liquidation]` at the root. `source_name` is the file's name in faults.
    ///
    /// # Errors
    /// [`crate::Error::Configuration`] with every fault and its line: unknown keys and words, numbers out of range, keys that
    /// do not go together.
    pub fn parse(text: &str, source_name: &str) -> Result<Self> {
        parse(text, source_name, |root, reader| {
            let section = reader.section("", root, KEYS);
            read(&section, reader)
        })
    }

    /// The policy as TOML, every key written; [`Policy::parse`] reads it back equal, bit for bit.
    pub fn to_toml(&self) -> String {
        let mut writer = Writer::default();
        write(self, &[], &mut writer);
        writer.into_text()
    }
}

/// A policy; what is at fault stands as its default.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> Policy {
    let default = Policy::default();
    Policy {
        steps: section.choices("steps", &Step::WORDS).unwrap_or(default.steps),
        target_health: section.number("target_health").unwrap_or(default.target_health),
        cut: section.table("cut").map_or(default.cut, read_cut),
        costs: section.table("costs").map_or(default.costs, read_costs),
        impact: section.table("impact").map_or(default.impact, |impact| read_impact(impact, reader)),
        take_over: section.table("take_over").map_or(default.take_over, read_take_over),
        fund: section.table("fund").map_or(default.fund, |fund| read_fund(fund, reader)),
        deleverage: section.table("deleverage").map_or(default.deleverage, read_deleverage),
        rounds_max: count(section, "rounds_max").unwrap_or(default.rounds_max),
    }
}

fn read_cut(section: &Section) -> CutPolicy {
    let default = CutPolicy::default();
    CutPolicy {
        rule: section.choice("rule", &CutRule::WORDS).unwrap_or(default.rule),
        clip: section.table("clip").and_then(read_clip),
        dust_quote: section.number("dust_quote").unwrap_or(default.dust_quote),
    }
}

fn read_clip(section: &Section) -> Option<Clip> {
    Some(Clip {
        share: section.number("share")?,
        above_quote: section.number("above_quote").unwrap_or(0.0),
        rounds: count(section, "rounds").unwrap_or(1),
        cooldown_rounds: count(section, "cooldown_rounds").unwrap_or(0),
    })
}

fn read_costs(section: &Section) -> Costs {
    let default = Costs::default();
    Costs {
        half_spread: section.number("half_spread").unwrap_or(default.half_spread),
        option_half_spread: section.number("option_half_spread").unwrap_or(default.option_half_spread),
        trading_fee: section.number("trading_fee").unwrap_or(default.trading_fee),
        liquidation_fee: section.number("liquidation_fee").unwrap_or(default.liquidation_fee),
    }
}

fn read_impact(section: &Section, reader: &mut Reader<'_>) -> ImpactPolicy {
    let default = ImpactPolicy::default();
    ImpactPolicy {
        law: read_law(section, reader).unwrap_or(default.law),
        depth_scale: section.number("depth_scale").unwrap_or(default.depth_scale),
        default_depth_quote: section.number("default_depth_quote"),
        depth_quote: section.numbers_by_name("depth_quote").unwrap_or_default(),
        recovery_per_step: section.number("recovery_per_step").unwrap_or(default.recovery_per_step),
    }
}

/// The law with its own number; records numbers of another law. `None` where the law itself is at fault.
fn read_law(section: &Section, reader: &mut Reader<'_>) -> Option<ImpactLaw> {
    let law = match section.has("law") {
        true => section.choice("law", &ImpactLaw::WORDS)?,
        false => ImpactLaw::default(),
    };
    for (name, of) in [("factor", "square_root"), ("limit", "saturating")] {
        if section.has(name) && law.name() != of {
            let rule = format!("{name} belongs to the law {of}, not to {}", law.name());
            reader.fault(&section.at(name), "", rule, format!("remove it, or write law = \"{of}\""));
        }
    }
    Some(match law {
        ImpactLaw::None | ImpactLaw::Linear => law,
        ImpactLaw::SquareRoot { factor } => {
            ImpactLaw::SquareRoot { factor: section.number("factor").unwrap_or(factor) }
        }
        ImpactLaw::Saturating { limit } => ImpactLaw::Saturating { limit: section.number("limit").unwrap_or(limit) },
    })
}

fn read_take_over(section: &Section) -> TakeOver {
    let default = TakeOver::default();
    TakeOver {
        below_health: section.number("below_health").unwrap_or(default.below_health),
        capital: section.field("capital_quote").and_then(purse).unwrap_or(default.capital),
    }
}

fn read_fund(section: &Section, reader: &mut Reader<'_>) -> FundPolicy {
    let default = FundPolicy::default();
    let scope = match section.has("scope") {
        true => section.choice("scope", &FundScope::WORDS),
        false => Some(default.scope),
    };
    // A scope that could not be read may have been meant to be the right one.
    if section.has("balances_quote") && scope == Some(FundScope::Global) {
        let rule = "only funds of underlyings have balances by name";
        reader.fault(&section.at("balances_quote"), "", rule, "remove it, or write scope = \"underlying\"");
    }
    let balance = |(name, field): (&String, &Field)| Some((name.clone(), purse(field)?));
    FundPolicy {
        scope: scope.unwrap_or(default.scope),
        balance: section.field("balance_quote").and_then(purse).unwrap_or(default.balance),
        balances: section.values("balances_quote").into_iter().flatten().filter_map(balance).collect(),
    }
}

fn read_deleverage(section: &Section) -> DeleveragePolicy {
    let default = DeleveragePolicy::default();
    DeleveragePolicy {
        basis: section.choice("basis", &DeleverageBasis::WORDS).unwrap_or(default.basis),
        severity: section.number("severity").unwrap_or(default.severity),
        allocation: section.choice("allocation", &Allocation::WORDS).unwrap_or(default.allocation),
    }
}

fn count(section: &Section, name: &str) -> Option<u32> {
    u32::try_from(section.integer(name)?).ok()
}

fn purse(field: &Field) -> Option<Purse> {
    match field {
        Field::Number(quote) => Some(Purse::Quote(*quote)),
        Field::Word(_) => Some(Purse::Unlimited),
        _ => None,
    }
}

/// Writes a policy under `[at]`, or as the root of a file; its tables become sections of their own.
pub(super) fn write(policy: &Policy, at: &[&str], writer: &mut Writer) {
    let table = to_table(policy);
    let (tables, plain): (Table, Table) = table.into_iter().partition(|(_, value)| value.is_table());
    if at.is_empty() {
        writer.root(&plain, KEYS);
    } else {
        writer.section(at, &plain, Shape::Keys(KEYS));
    }
    for key in KEYS {
        if let (KeyKind::Table(shape), Some(Value::Table(table))) = (key.kind, tables.get(key.name)) {
            writer.section(&[at, &[key.name]].concat(), table, shape);
        }
    }
}

fn to_table(policy: &Policy) -> Table {
    let steps: Vec<&str> = policy.steps.iter().map(|step| word_of(&Step::WORDS, *step)).collect();
    let (costs, deleverage) = (policy.costs, policy.deleverage);
    let costs = table_of([
        ("half_spread", costs.half_spread.into()),
        ("option_half_spread", costs.option_half_spread.into()),
        ("trading_fee", costs.trading_fee.into()),
        ("liquidation_fee", costs.liquidation_fee.into()),
    ]);
    let take_over = table_of([
        ("below_health", policy.take_over.below_health.into()),
        ("capital_quote", purse_value(policy.take_over.capital)),
    ]);
    let deleverage = table_of([
        ("basis", word_of(&DeleverageBasis::WORDS, deleverage.basis).into()),
        ("severity", deleverage.severity.into()),
        ("allocation", word_of(&Allocation::WORDS, deleverage.allocation).into()),
    ]);
    table_of([
        ("steps", steps.into()),
        ("target_health", policy.target_health.into()),
        ("rounds_max", i64::from(policy.rounds_max).into()),
        ("cut", cut_table(&policy.cut).into()),
        ("costs", costs.into()),
        ("impact", impact_table(&policy.impact).into()),
        ("take_over", take_over.into()),
        ("fund", fund_table(&policy.fund).into()),
        ("deleverage", deleverage.into()),
    ])
}

fn cut_table(cut: &CutPolicy) -> Table {
    let mut table =
        table_of([("rule", word_of(&CutRule::WORDS, cut.rule).into()), ("dust_quote", cut.dust_quote.into())]);
    if let Some(clip) = cut.clip {
        let clip = table_of([
            ("share", clip.share.into()),
            ("above_quote", clip.above_quote.into()),
            ("rounds", i64::from(clip.rounds).into()),
            ("cooldown_rounds", i64::from(clip.cooldown_rounds).into()),
        ]);
        table.insert("clip".into(), clip.into());
    }
    table
}

fn impact_table(impact: &ImpactPolicy) -> Table {
    let mut table = table_of([
        ("law", impact.law.name().into()),
        ("depth_scale", impact.depth_scale.into()),
        ("recovery_per_step", impact.recovery_per_step.into()),
    ]);
    match impact.law {
        ImpactLaw::None | ImpactLaw::Linear => None,
        ImpactLaw::SquareRoot { factor } => table.insert("factor".into(), factor.into()),
        ImpactLaw::Saturating { limit } => table.insert("limit".into(), limit.into()),
    };
    if let Some(depth) = impact.default_depth_quote {
        table.insert("default_depth_quote".into(), depth.into());
    }
    if !impact.depth_quote.is_empty() {
        table.insert("depth_quote".into(), by_name(&impact.depth_quote, |depth| depth.into()));
    }
    table
}

fn fund_table(fund: &FundPolicy) -> Table {
    let mut table = table_of([
        ("scope", word_of(&FundScope::WORDS, fund.scope).into()),
        ("balance_quote", purse_value(fund.balance)),
    ]);
    if !fund.balances.is_empty() {
        table.insert("balances_quote".into(), by_name(&fund.balances, purse_value));
    }
    table
}

fn by_name<T: Copy>(values: &BTreeMap<String, T>, value: impl Fn(T) -> Value) -> Value {
    Value::Table(values.iter().map(|(name, of)| (name.clone(), value(*of))).collect())
}

fn purse_value(purse: Purse) -> Value {
    match purse {
        Purse::Quote(quote) => quote.into(),
        Purse::Unlimited => UNLIMITED.into(),
    }
}
