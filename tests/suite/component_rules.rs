//! Random components of every kind and the formulas that put them together, as the text of a rulebook.

use std::collections::BTreeSet;

use ndarray::Array2;
use plimsoll::margin::Rulebook;
use plimsoll::margin::component::KINDS;
use plimsoll::scenario::{Factor, FactorKind, ScenarioSet};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::component_books::{COINS, scenario_set};

/// Joint moves of the set that tails name.
const MOVES: usize = 40;

/// What every rulebook of these tests has: classes, haircuts, scalars, a set of moves.
const COMMON: &str = r#"
version = 1

[margin.contract]
maintenance = { form = "marginal", from = [0, 250000], rate = [0.005, 0.02] }
initial = { form = "marginal", from = [0, 250000], rate = [0.01, 0.04] }

[haircut.coin]
flat = 0.1

[haircut.stable]
flat = 0.01

[scalar.stress]
value = "volatility_index(BTC) / 0.5"
minimum = 0.5
maximum = 4

[scalar.thin]
value = "4e6 / depth(BTC)"
minimum = 0.25
maximum = 8

[sets.moves]
file = "moves.csv"
"#;

/// A rulebook of these components and these expressions for the initial and the maintenance margin.
pub fn rulebook(components: &str, initial: &str, maintenance: &str) -> Rulebook {
    read(components, &requirement("requirement", initial, maintenance))
}

fn requirement(section: &str, initial: &str, maintenance: &str) -> String {
    format!("[{section}]\ninitial = \"{initial}\"\nmaintenance = \"{maintenance}\"\n")
}

fn read(components: &str, requirement: &str) -> Rulebook {
    let text = format!("{COMMON}\n{components}\n{requirement}");
    let mut rulebook = Rulebook::parse(&text, "rulebook.toml").unwrap_or_else(|error| panic!("{error}\n{text}"));
    rulebook.sets.get_mut("moves").expect("the set").moves = moves();
    rulebook
}

/// Joint moves of prices and volatilities, the same in every test.
fn moves() -> ScenarioSet {
    let mut factors: Vec<Factor> = COINS.iter().map(|(name, _)| Factor::price(*name)).collect();
    factors.extend(COINS.iter().map(|(name, _)| Factor { kind: FactorKind::Volatility, name: (*name).into() }));
    let shocks = Array2::from_shape_fn((MOVES, factors.len()), |(move_, factor)| {
        // Golden-ratio steps: spread evenly, and no two alike.
        let place = (0.618_033_988_75 * (1 + move_ + MOVES * factor) as f64).fract();
        0.3 * (2.0 * place - 1.0).powi(3)
    });
    scenario_set(factors, shocks)
}

/// One of some words.
fn one_of<'w>(words: &[&'w str], random: &mut ChaCha8Rng) -> &'w str {
    words[random.random_range(0..words.len())]
}

/// A number between two, of few digits.
fn number((low, high): (f64, f64), random: &mut ChaCha8Rng) -> f64 {
    let value: f64 = random.random_range(low..high);
    format!("{value:.3e}").parse().expect("a number")
}

/// Different numbers for the two requirements, or one for both.
fn sides(range: (f64, f64), random: &mut ChaCha8Rng) -> String {
    let maintenance = number(range, random);
    if random.random_bool(0.3) {
        return maintenance.to_string();
    }
    format!("{{ initial = {}, maintenance = {maintenance} }}", maintenance * number((1.0, 2.0), random))
}

/// A component of a kind with random parameters; `others` are the names that a formula may use.
pub fn component(name: &str, kind: &str, others: &[String], random: &mut ChaCha8Rng) -> String {
    let own = match kind {
        "grid" => grid(random),
        "span" => span(random),
        "tail" => tail(random),
        "formula" => formula(others, random),
        "calendar" => format!(
            "annual = {}\nminimum = {}\nof = \"{}\"",
            sides((0.02, 0.1), random),
            sides((0.0, 0.01), random),
            one_of(&["each", "offset"], random)
        ),
        "vega" => format!(
            "points = {}\nshort_power = {}\nlong_power = {}\nof = \"{}\"",
            sides((0.01, 0.1), random),
            number((0.0, 0.5), random),
            number((0.0, 0.3), random),
            one_of(&["each", "offset"], random)
        ),
        "delta" => format!("net_rate = {}\nhedged_rate = {}", sides((0.0, 0.05), random), sides((0.0, 0.02), random)),
        "depth" => format!(
            "threshold = {}\nslope = {}\nslope_unit = \"quote\"\nmaximum = {}\nrelieve_long_options = {}",
            number((0.0, 5e6), random),
            sides((1e-8, 1e-6), random),
            sides((0.05, 0.2), random),
            random.random_bool(0.5)
        ),
        "contingency" => format!(
            "of = \"{}\"\nrate = {}\namount = {}\nconfidence = {{ threshold = 0.9, rate = {} }}",
            one_of(&["gross", "short_options", "net_short_options", "net_short_strikes"], random),
            sides((0.0, 0.02), random),
            sides((0.0, 2.0), random),
            sides((0.01, 0.2), random)
        ),
        "unwind" => format!(
            "rate = {}\nfrom = [0, 500, 5000]\nmultiplier = {{ initial = [1.5, 2, 4], maintenance = [1, 1.5, 3] }}",
            sides((1e-4, 2e-3), random)
        ),
        "concentration" => concentration(random),
        "depeg" => format!(
            "pairs = [{{ of = \"USDT\", against = \"USDC\" }}, {{ of = \"USDT\", against = \"USD\" }}]\n\
             from = [0, 100000]\nrate = {{ initial = [0.01, 0.05], maintenance = [0.005, {}] }}",
            number((0.005, 0.03), random)
        ),
        "wrong_way" => format!(
            "pairs = [{{ collateral = \"BTC\", underlying = \"ETH\", rate = {} }}, \
             {{ collateral = \"ETH\", underlying = \"BTC\", moves = \"{}\", rate = {} }}, \
             {{ collateral = \"BTC\", underlying = \"BTC\", rate = {} }}]",
            sides((0.0, 0.2), random),
            one_of(&["together", "opposite"], random),
            number((0.0, 0.3), random),
            sides((0.0, 0.1), random)
        ),
        _ => panic!("no generator for components of kind {kind}"),
    };
    // Credits of a span are between the underlyings of a group; its charges are of one market.
    let per = match kind {
        "span" if own.contains("inter = ") => "pool",
        "wrong_way" => "pool",
        "span" | "depeg" => one_of(&["underlying", "pool"], random),
        _ => one_of(&["underlying", "expiry", "settlement", "pool"], random),
    };
    let cover = [
        "",
        "collateral = [\"BTC\", \"ETH\"]",
        "underlyings = [\"BTC\", \"ETH\"]",
        "underlyings = [\"SOL\"]\ncollateral = [\"SOL\"]",
        "kinds = [\"option\", \"future\"]",
    ];
    // A pair's collateral takes part.
    let cover = if kind == "wrong_way" { "collateral = [\"*\"]" } else { one_of(&cover, random) };
    format!("[component.{name}]\nkind = \"{kind}\"\nper = \"{per}\"\n{cover}\n{own}\n")
}

fn grid(random: &mut ChaCha8Rng) -> String {
    let mut text = format!(
        "prices = [-1, -0.5, 0, 0.5, 1]\nvolatilities = [-1, 0, 1]\n\
         range = {{ default = {}, BTC = 0.12 }}\nvolatility = {{ up = {}, down = 0.25, short_power = 0.3 }}\n",
        number((0.1, 0.25), random),
        number((0.2, 0.6), random)
    );
    if random.random_bool(0.5) {
        text += "extremes = { prices = [-0.6, 1.2], factor = 1.0 }\n";
    }
    match random.random_range(0..5u32) {
        0 => text += "dampener = 5000\ngain_share = 0.5\ngain_cap = 30000\n",
        1 => text += "gain_share = 0\norder = [\"gain\", \"weight\", \"dampen\"]\n",
        2 => text += "discount = { positive = { base = 0.95, rate_multiple = 1, rate_add = 0.05 }, negative = {} }\n",
        3 => {
            text += "cell = \"expiry\"\nsettle_at = \"current\"\ntime_weight = { add = 0.5, per_year = 1.0 }\n";
            text += "points = [{ days = 2, weight = 0.5, skew = { form = \"linear\", cap_base = 0.2, \
                     minimum_width = 0.1, width = 1.0, level = 0.6 } }]\n";
        }
        _ => {}
    }
    text
}

fn span(random: &mut ChaCha8Rng) -> String {
    let mut text = format!(
        "range = {}\nvolatility = {{ up = 0.3, down = 0.3 }}\nlook_ahead_days = {}\ncharge_unit = \"index\"\n",
        number((0.08, 0.2), random),
        number((0.0, 2.0), random)
    );
    if random.random_bool(0.7) {
        text += "tiers = [20, 60]\nspreads = [{ tiers = [1, 2], rate = 0.01 }, { tiers = [1, 1], rate = 0.004 }";
        text += if random.random_bool(0.5) { ", { tiers = [2, 3], rate = 0.02 }]\n" } else { "]\n" };
    }
    if random.random_bool(0.5) {
        text += "delivery = { days = 10, rate = 0.01 }\n";
    }
    if random.random_bool(0.7) {
        let count = one_of(&["sum", "larger_right"], random);
        text += &format!("short_options = {{ rate = 0.02, count = \"{count}\" }}\n");
    }
    if random.random_bool(0.6) {
        text += "inter = [{ rate = 0.6, legs = [{ underlying = \"BTC\", side = \"a\" }, \
                 { underlying = \"ETH\", ratio = 20, side = \"b\" }] }, { rate = 0.4, legs = [\
                 { underlying = \"ETH\", side = \"a\" }, { underlying = \"SOL\", ratio = 20, side = \"b\" }] }]\n";
    }
    text
}

fn tail(random: &mut ChaCha8Rng) -> String {
    format!(
        "set = \"moves\"\nmeasure = \"{}\"\nconfidence = {}\nmultiplier = {}",
        one_of(&["value_at_risk", "expected_shortfall"], random),
        one_of(&["0.9", "0.95", "0.97", "0.99", "1.0"], random),
        number((0.5, 2.0), random)
    )
}

fn concentration(random: &mut ChaCha8Rng) -> String {
    let share_of = one_of(&["quote", "depth", "adv", "open_interest"], random);
    let unit = if share_of == "quote" { 1e6 } else { 0.1 };
    let measure = one_of(&["net_delta", "gross_notional"], random);
    let charge = match random.random_range(0..3u32) {
        0 => format!(
            "form = \"marginal\", measure = \"{measure}\", from = [0, {unit}, {}], \
             rate = {{ initial = [0.0, 0.02, 0.1], maintenance = [0, 0.01, 0.05] }}",
            3.0 * unit
        ),
        1 => format!(
            "form = \"linear\", measure = \"{measure}\", threshold = {unit}, rate = {}",
            sides((0.01, 0.05), random)
        ),
        _ => format!("form = \"square_root\", threshold = {unit}, factor = {}", sides((0.01, 0.05), random)),
    };
    format!("share_of = \"{share_of}\"\ncharge = {{ {charge} }}")
}

fn formula(others: &[String], random: &mut ChaCha8Rng) -> String {
    let maintenance = expression(others, 2, random);
    format!("maintenance = \"{maintenance}\"\ninitial = \"1.25 * ({maintenance})\"")
}

/// A random expression over components, holdings and quantities of the market.
pub fn expression(components: &[String], levels: u32, random: &mut ChaCha8Rng) -> String {
    if levels == 0 {
        let holdings = ["0.004 * gross_notional", "0.1 * liabilities", "positions", "0.02 * option_value"];
        return match components.len() {
            0 => one_of(&holdings, random).into(),
            n if random.random_bool(0.85) => {
                let side = one_of(&["", "", ".initial", ".maintenance"], random);
                format!("{}{side}", components[random.random_range(0..n)])
            }
            _ => one_of(&holdings, random).into(),
        };
    }
    let mut x = || expression(components, levels - 1, random);
    let (a, b) = (x(), x());
    match random.random_range(0..10u32) {
        0 | 1 => format!("({a} + 0.5 * {b})"),
        2 => format!("max({a}, {b}, 25)"),
        3 => format!("min({a} + {b}, 3e5)"),
        4 => format!("clamp({a}, 100, 5e5)"),
        5 => format!("piecewise({a}, 0, 0, 1e4, 8e3, 2e5, 3e5)"),
        6 => format!("stress * ({a})"),
        7 => format!("thin * min({a}, {b})"),
        8 => format!("positive({a} - 0.3 * ({b}))"),
        _ => format!("({a}) * index(ETH) / 3000 + abs({b} - 1e3)"),
    }
}

/// A rulebook of one component, and initial unlike maintenance.
pub fn alone(kind: &str, random: &mut ChaCha8Rng) -> Rulebook {
    let others = if kind == "formula" { vec!["other".to_string()] } else { Vec::new() };
    let components: String = others.iter().map(|name| component(name, "grid", &[], random)).collect();
    rulebook(&(components + &component("own", kind, &others, random)), "1.3 * own.initial", "own")
}

/// A rulebook of several kinds: those, and others at random, put together by random expressions, others for pools in portfolio
/// mode.
pub fn mixed(kinds: &[&str], random: &mut ChaCha8Rng) -> Rulebook {
    let mut chosen: BTreeSet<&str> = kinds.iter().copied().collect();
    while chosen.len() < 4 {
        chosen.insert(KINDS[random.random_range(0..KINDS.len())].name);
    }
    let name = |kind: &str| format!("of_{kind}");
    let plain: Vec<String> = chosen.iter().filter(|kind| **kind != "formula").map(|kind| name(kind)).collect();
    let components: String = chosen.iter().map(|kind| component(&name(kind), kind, &plain, random)).collect();
    let all: Vec<String> = chosen.iter().map(|kind| name(kind)).collect();
    let maintenance = expression(&all, 2, random);
    let initial = format!("1.2 * ({maintenance}) + 0.1 * {}", all[random.random_range(0..all.len())]);
    let portfolio = expression(&all, 2, random);
    let of_portfolio = requirement("requirement.portfolio", &format!("1.4 * ({portfolio})"), &portfolio);
    read(&components, &(requirement("requirement", &initial, &maintenance) + &of_portfolio))
}
