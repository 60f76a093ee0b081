//! The rulebook file as a whole.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::keys::{Key, KeyKind, Shape, words};
use super::reader::Reader;
use super::section::{Section, path};
use super::writer::Writer;
use super::{
    VERSION, formulas, haircut, liquidation, liquidation_keys, margin, option, oracle, oracle_keys, overlay,
    requirement, status, table_of, word_of,
};
use crate::margin::component;
use crate::margin::{Component, HaircutBase, MoveSet, OrderReserve, Rulebook};
use crate::scenario::ScenarioSet;

const HAIRCUT_BASES: [(&str, HaircutBase); 2] =
    [("balance", HaircutBase::Balance), ("balance_and_pnl", HaircutBase::BalanceAndPnl)];
const RESERVES: [(&str, OrderReserve); 2] = [("none", OrderReserve::None), ("initial", OrderReserve::Initial)];

const SET_KEYS: &[Key] = &[Key::required("file", KeyKind::Text, "scenario file, relative to the rulebook")];

/// Every key of a rulebook file, sections included.
pub const ROOT: &[Key] = &[
    Key::required("version", KeyKind::Integer { min: VERSION, max: VERSION }, "version of the format"),
    Key::optional("name", KeyKind::Text, "empty", "name of the rulebook, shown in reports"),
    Key::optional("effective", KeyKind::Timestamp, "not said", "from when the rules hold"),
    Key::optional("description", KeyKind::Text, "empty", "what the rules are and where they were published"),
    Key::optional(
        "haircut_base",
        KeyKind::Word(&words(&HAIRCUT_BASES)),
        "balance",
        "what haircuts are taken of: the balance, or the balance and the profit and loss settled in the asset",
    ),
    Key::optional("orders", KeyKind::Word(&words(&RESERVES)), "none", "what open orders reserve"),
    Key::optional(
        "status",
        KeyKind::Tables(Shape::Keys(status::KEYS)),
        "no ladder",
        "what the venue does as the health ratio falls; shown, decides nothing",
    ),
    Key::optional(
        "margin",
        KeyKind::Named(Shape::Keys(margin::KEYS)),
        "no classes",
        "bracket requirements by margin class",
    ),
    Key::optional(
        "option",
        KeyKind::Named(Shape::Keys(option::KEYS)),
        "no classes",
        "requirements of options by margin class",
    ),
    Key::optional(
        "option_spread",
        KeyKind::Table(Shape::Keys(option::SPREAD_KEYS)),
        "no class recognises spreads",
        "maximum loss of option spreads",
    ),
    Key::optional(
        "haircut",
        KeyKind::Named(Shape::Keys(haircut::KEYS)),
        "no classes",
        "haircuts by haircut class; a class has flat, or from and haircut",
    ),
    Key::optional(
        "component",
        KeyKind::Named(Shape::Kinds { by: "kind", of: component::KINDS }),
        "no components",
        "terms of portfolio margin, by name",
    ),
    Key::optional(
        "sets",
        KeyKind::Named(Shape::Keys(SET_KEYS)),
        "none",
        "sets of joint moves that components value holdings under, by name",
    ),
    Key::optional(
        "scalar",
        KeyKind::Named(Shape::Keys(requirement::SCALAR_KEYS)),
        "none",
        "numbers of the market that expressions and classes scale by, by name",
    ),
    Key::optional(
        "requirement",
        KeyKind::Table(Shape::Keys(requirement::KEYS)),
        "positions plus every component",
        "what pools require",
    ),
    Key::optional(
        "liquidation",
        KeyKind::Table(Shape::Keys(liquidation_keys::KEYS)),
        "not said; liquidate then takes a policy file, or with a warning Plimsoll's own policy",
        "how the venue liquidates",
    ),
    Key::optional(
        "oracle",
        KeyKind::Table(Shape::Keys(oracle_keys::KEYS)),
        "not said; the defaults of its keys",
        "how prices are formed from several sources",
    ),
    Key::optional(
        "overlay",
        KeyKind::Table(Shape::Keys(overlay::KEYS)),
        "requirements are not multiplied",
        "multipliers of requirements that follow forecasts of volatility",
    ),
];

/// A rulebook from the file's root table; what is at fault is left out.
pub(super) fn read(root: &Table, reader: &mut Reader<'_>) -> Rulebook {
    let section = reader.section("", root, ROOT);
    let mut rulebook = Rulebook {
        name: section.text("name").unwrap_or_default().into(),
        effective: section.timestamp("effective"),
        description: section.text("description").unwrap_or_default().into(),
        haircut_base: section.choice("haircut_base", &HAIRCUT_BASES).unwrap_or_default(),
        orders: section.choice("orders", &RESERVES).unwrap_or_default(),
        ..Rulebook::default()
    };
    rulebook.status = section.tables("status").map_or_else(Vec::new, |rungs| status::read(rungs, reader));
    rulebook.margin = classes(&section, "margin", |class| margin::read(class, reader));
    rulebook.haircut = classes(&section, "haircut", |class| haircut::read(class, reader));
    rulebook.option = classes(&section, "option", |class| option::read(class, reader));
    rulebook.component = classes(&section, "component", |class| Component::read(class, reader));
    rulebook.sets = classes(&section, "sets", |set| {
        Some(MoveSet { file: set.text("file")?.into(), moves: ScenarioSet::default() })
    });
    check_sets(&rulebook, reader);
    rulebook.scalar = classes(&section, "scalar", |class| requirement::read_scalar(class, reader));
    check_scales(&section, &rulebook, reader);
    if let Some(table) = section.table("requirement") {
        rulebook.requirement = requirement::read_formula(table);
        rulebook.portfolio_requirement = table.table("portfolio").and_then(requirement::read_formula);
    }
    let written = |group: &str| root.get(group).and_then(Value::as_table);
    let (margin, options) = (written("margin"), written("option"));
    for name in options.into_iter().flat_map(Table::keys) {
        if margin.is_some_and(|margin| margin.contains_key(name)) {
            let rule = "a class is either a margin class or an option class";
            let remedy = format!("rename it or remove {}", path("margin", name));
            reader.fault(&path("option", name), "", rule, remedy);
        }
    }
    rulebook.option_spread = section.table("option_spread").and_then(option::read_spread);
    // A class that could not be read would be called missing a second time.
    if options.map_or(0, Table::len) == rulebook.option.len() {
        option::check_spread(&rulebook, reader);
    }
    formulas::check(&rulebook, reader);
    rulebook.liquidation = section.table("liquidation").map(|policy| liquidation::read(policy, reader));
    rulebook.oracle = section.table("oracle").map(oracle::read);
    rulebook.overlay = section.table("overlay").map(|overlay| overlay::read(overlay, reader));
    rulebook
}

/// Records components that name a set which is not there.
fn check_sets(rulebook: &Rulebook, reader: &mut Reader<'_>) {
    for (name, component) in &rulebook.component {
        let component::Kind::Tail(tail) = &component.kind else { continue };
        if !rulebook.sets.contains_key(&tail.set) {
            let remedy = crate::suggest::remedy(&tail.set, rulebook.sets.keys().map(String::as_str), "add it to sets");
            reader.fault(&format!("{}.set", path("component", name)), tail.set.as_str(), "one of sets", remedy);
        }
    }
}

/// Records margin classes that name a scalar which is not there.
fn check_scales(section: &Section, rulebook: &Rulebook, reader: &mut Reader<'_>) {
    // A scalar that could not be read would be called missing a second time.
    let is_written = |name: &str| section.named("scalar").is_some_and(|scalars| scalars.contains_key(name));
    for (name, class) in &rulebook.margin {
        let Some(scale) = class.scale.as_deref().filter(|scale| !is_written(scale)) else { continue };
        let known = rulebook.scalar.keys().map(String::as_str);
        let remedy = crate::suggest::remedy(scale, known, "add it to scalar");
        reader.fault(&format!("{}.scale", path("margin", name)), scale, "one of scalar", remedy);
    }
}

fn classes<T>(root: &Section, group: &str, mut read: impl FnMut(&Section) -> Option<T>) -> BTreeMap<String, T> {
    let sections = root.named(group).into_iter().flatten();
    sections.filter_map(|(name, section)| Some((name.clone(), read(section)?))).collect()
}

/// A rulebook as the text of a file.
pub(super) fn text(rulebook: &Rulebook) -> String {
    let mut writer = Writer::default();
    writer.root(&header(rulebook), ROOT);
    for (name, class) in &rulebook.margin {
        writer.section(&["margin", name], &margin::to_table(class), Shape::Keys(margin::KEYS));
    }
    for (name, class) in &rulebook.option {
        writer.section(&["option", name], &option::to_table(class), Shape::Keys(option::KEYS));
    }
    if let Some(spread) = &rulebook.option_spread {
        writer.section(&["option_spread"], &option::spread_table(spread), Shape::Keys(option::SPREAD_KEYS));
    }
    for (name, class) in &rulebook.haircut {
        writer.section(&["haircut", name], &haircut::to_table(class), Shape::Keys(haircut::KEYS));
    }
    for (name, set) in &rulebook.sets {
        writer.section(&["sets", name], &table_of([("file", set.file.as_str().into())]), Shape::Keys(SET_KEYS));
    }
    for (name, component) in &rulebook.component {
        let shape = Shape::Kinds { by: "kind", of: component::KINDS };
        writer.section(&["component", name], component.written(), shape);
    }
    for (name, scalar) in &rulebook.scalar {
        writer.section(&["scalar", name], &requirement::scalar_table(scalar), Shape::Keys(requirement::SCALAR_KEYS));
    }
    if let Some(rule) = &rulebook.requirement {
        let shape = Shape::Keys(requirement::FORMULA_KEYS);
        writer.section(&["requirement"], &requirement::to_table(rule), shape);
        if let Some(rule) = &rulebook.portfolio_requirement {
            writer.section(&["requirement", "portfolio"], &requirement::to_table(rule), shape);
        }
    }
    if let Some(policy) = &rulebook.liquidation {
        liquidation::write(policy, &["liquidation"], &mut writer);
    }
    if let Some(policies) = &rulebook.oracle {
        oracle::write(policies, &mut writer);
    }
    if let Some(overlay) = &rulebook.overlay {
        overlay::write(overlay, &mut writer);
    }
    writer.into_text()
}

/// The keys before the first section; those that say nothing are left out.
fn header(rulebook: &Rulebook) -> Table {
    let mut table = table_of([
        ("version", VERSION.into()),
        ("name", rulebook.name.as_str().into()),
        ("haircut_base", word_of(&HAIRCUT_BASES, rulebook.haircut_base).into()),
        ("orders", word_of(&RESERVES, rulebook.orders).into()),
    ]);
    if let Some(effective) = rulebook.effective {
        table.insert("effective".into(), effective.to_string().into());
    }
    if !rulebook.status.is_empty() {
        table.insert("status".into(), status::to_value(&rulebook.status));
    }
    if !rulebook.description.is_empty() {
        table.insert("description".into(), rulebook.description.as_str().into());
    }
    table
}
