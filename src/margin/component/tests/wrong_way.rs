//! The wrong-way charge on books whose figures are worked out by hand, and its keys.

use super::super::{Kind, Moves, Per, WrongWay, WrongWayRate};
use super::*;

fn pair(collateral: &str, underlying: &str, moves: Moves) -> WrongWayRate {
    let rate = Requirement { initial: 0.3, maintenance: 0.2 };
    WrongWayRate { collateral: collateral.into(), underlying: underlying.into(), moves, rate }
}

/// Initial and maintenance charge in every market, and what set the first.
fn charged(bench: &Bench, pairs: Vec<WrongWayRate>) -> (Vec<Requirement<f64>>, Option<String>) {
    let component = Component { per: Per::Pool, ..everything(Kind::WrongWay(WrongWay { pairs })) };
    let (values, groups) = bench.values(component);
    (values, groups.first().and_then(|group| group.binding.clone()))
}

/// 3 BTC at 50,000 are 150,000; 40 ETH at 2,500 are 100,000 of collateral.
fn bench(quantity: f64, collateral: f64) -> Bench {
    let listed = vec![perpetual("P", BTC), inverse("I", BTC), option("C", BTC, (30, 50_000.0, Right::Call))];
    Bench::new(listed).holding("P", quantity).with_balance(ETH, collateral, 0.0)
}

#[test]
fn collateral_that_falls_with_a_long_is_charged_up_to_the_smaller_of_the_two() {
    let (values, binding) = charged(&bench(3.0, 40.0), vec![pair("ETH", "BTC", Moves::Together)]);
    close(values[0].maintenance, 0.2 * 100_000.0);
    close(values[0].initial, 0.3 * 100_000.0);
    assert_eq!(binding.as_deref(), Some("ETH secures BTC: 100000.00 falls with it"));
    // BTC 40 % down, ETH 30 % up: 90,000 of delta, 130,000 of collateral.
    close(values[3].maintenance, 0.2 * 90_000.0);
    let (values, _) = charged(&bench(1.0, 40.0), vec![pair("ETH", "BTC", Moves::Together)]);
    close(values[0].maintenance, 0.2 * 50_000.0);
}

#[test]
fn a_position_that_gains_or_a_debt_is_not_charged() {
    for (quantity, collateral, moves) in [
        (-3.0, 40.0, Moves::Together),
        (3.0, -40.0, Moves::Together),
        (3.0, 40.0, Moves::Opposite),
        (0.0, 40.0, Moves::Together),
    ] {
        let (values, _) = charged(&bench(quantity, collateral), vec![pair("ETH", "BTC", moves)]);
        assert!(values.iter().all(|value| value.initial == 0.0 && value.maintenance == 0.0), "{quantity} {collateral}");
    }
    let (values, _) = charged(&bench(-3.0, 40.0), vec![pair("ETH", "BTC", Moves::Opposite)]);
    close(values[0].maintenance, 0.2 * 100_000.0);
}

#[test]
fn deltas_net_before_they_are_compared_and_each_pair_is_charged() {
    // 1,000 contracts of 100 USD short are two coins short: one coin is left.
    let bench = bench(3.0, 40.0).holding("I", -1_000.0).with_balance(USDT, 20_000.0, 5_000.0);
    let pairs = vec![pair("ETH", "BTC", Moves::Together), pair("USDT", "BTC", Moves::Together)];
    let (values, _) = charged(&bench, pairs);
    close(values[0].maintenance, 0.2 * 50_000.0 + 0.2 * 25_000.0);
}

#[test]
fn keys_are_read_written_and_refused() {
    let head = "version = 1\n[component.x]\nkind = \"wrong_way\"\n";
    let text = format!(
        "{head}per = \"pool\"\ncollateral = [\"ETH\"]\n\
         pairs = [{{ collateral = \"ETH\", underlying = \"BTC\", rate = {{ initial = 0.3, maintenance = 0.2 }} }}]\n"
    );
    let rulebook = Rulebook::parse(&text, "r").expect("a rulebook");
    let expected = Kind::WrongWay(WrongWay { pairs: vec![pair("ETH", "BTC", Moves::Together)] });
    assert_eq!(rulebook.component["x"].kind, expected);
    assert_eq!(Rulebook::parse(&rulebook.to_toml(), "r").expect("the same"), rulebook);
    let row = "{ collateral = \"ETH\", underlying = \"BTC\", rate = 0.1 }";
    for (body, column) in [
        (format!("collateral = [\"*\"]\npairs = [{row}]"), "per"),
        (format!("per = \"underlying\"\ncollateral = [\"*\"]\npairs = [{row}]"), "per"),
        (format!("per = \"pool\"\npairs = [{row}]"), "pairs[0].collateral"),
        (format!("per = \"pool\"\ncollateral = [\"*\"]\npairs = [{row}, {row}]"), "pairs[1].underlying"),
        ("per = \"pool\"\ncollateral = [\"*\"]".into(), "pairs"),
    ] {
        let Err(Error::Configuration(faults)) = Rulebook::parse(&format!("{head}{body}\n"), "r") else {
            panic!("{body} is read")
        };
        let columns: Vec<_> = faults.iter().map(|fault| fault.column.as_str()).collect();
        assert_eq!(columns, [format!("component.x.{column}")], "{body}");
    }
}
