//! Policies and paths as files: what is read, written, refused by name, and documented.

mod schema;

use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll::domain::Kind;
use plimsoll::io::{path_file, policy_file, read_path, read_policy, rulebook_schema};
use plimsoll::liquidation::path::Oracle;
use plimsoll::margin::Rulebook;
use plimsoll::margin::file::{Key, KeyKind, LIQUIDATION, Shape};
use plimsoll::policy::{
    Allocation, Clip, Costs, CutPolicy, CutRule, DeleverageBasis, DeleveragePolicy, FundPolicy, FundScope, ImpactLaw,
    ImpactPolicy, Policy, Purse, Step, TakeOver,
};
use plimsoll::scenario::FactorKind;
use plimsoll::synth::{Market, MarketOptions, OptionListing};
use plimsoll::{Error, Result};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use schema::against;

fn files(dir: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(dir);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("examples").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a readable file")
}

fn against_schema(schema: &serde_json::Value, text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().expect("TOML");
    against(schema, &serde_json::to_value(table).expect("JSON"), "")
}

fn faults<T: std::fmt::Debug>(read: Result<T>) -> Vec<String> {
    match read {
        Err(error @ Error::Configuration(_)) => {
            assert_eq!(error.exit_code(), 2);
            let Error::Configuration(faults) = error else { unreachable!() };
            faults.iter().map(ToString::to_string).collect()
        }
        other => panic!("faults expected, got {other:?}"),
    }
}

/// Asserts that a text has these faults and no others, in this order; each is given by its beginning.
fn assert_faults<T: std::fmt::Debug>(read: Result<T>, expected: &[&str]) {
    let found = faults(read);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (fault, expected) in found.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault}\n{expected}");
    }
}

#[test]
fn example_policies_are_read_written_and_follow_the_schema() {
    let examples = files("policies");
    assert_eq!(examples.len(), 4);
    for example in examples {
        let policy = read_policy(&example).unwrap_or_else(|error| panic!("{}: {error}", example.display()));
        let written = policy.to_toml();
        assert_eq!(Policy::parse(&written, "written").expect("its own output"), policy);
        for text in [text(&example), written] {
            assert_eq!(against_schema(&policy_file::schema(), &text), Vec::<String>::new(), "{text}");
        }
    }
}

#[test]
fn the_production_policy_says_what_its_comments_say() {
    let policy = read_policy(&files("policies")[3]).expect("production.toml");
    assert_eq!(policy.cut.rule, CutRule::Full);
    let clip = Clip { share: 0.2, above_quote: 1e5, rounds: 1, cooldown_rounds: 1 };
    assert_eq!((policy.cut.clip, policy.cut.dust_quote), (Some(clip), 50.0));
    assert_eq!(policy.take_over, TakeOver { below_health: 2.0 / 3.0, capital: Purse::Quote(1e7) });
    assert_eq!(policy.fund.balance, Purse::Quote(2.5e7));
    assert_eq!(policy.deleverage.allocation, Allocation::MarkEntry);
    assert!(policy.takes(Step::TakeOver) && !policy.takes(Step::ConvertCollateral));
}

#[test]
fn without_a_key_its_default_holds() {
    assert_eq!(Policy::parse("", "policy.toml").expect("an empty policy"), Policy::default());
    let tables = "[cut]\n[costs]\n[impact]\n[take_over]\n[fund]\n[deleverage]\n";
    assert_eq!(Policy::parse(tables, "policy.toml").expect("empty tables"), Policy::default());
    let clip = Policy::parse("cut.clip.share = 0.5", "policy.toml").expect("a clip").cut.clip;
    assert_eq!(clip, Some(Clip { share: 0.5, above_quote: 0.0, rounds: 1, cooldown_rounds: 0 }));
    assert_eq!(Policy::parse("steps = []", "policy.toml").expect("no step").steps, []);
}

/// What a `without` text of a number says is what stands where the key is left out.
#[test]
fn defaults_are_those_that_are_documented() {
    fn check(at: &str, keys: &[Key], default: &toml::Table) {
        for key in keys {
            let plimsoll::margin::file::Presence::Optional(without) = key.presence else { continue };
            match (&key.kind, default.get(key.name)) {
                (KeyKind::Table(Shape::Keys(keys)), Some(value)) => {
                    check(key.name, keys, value.as_table().expect("a table"));
                }
                (_, Some(toml::Value::Array(_)) | None) => {}
                (_, Some(toml::Value::String(word))) => assert_eq!(without, word, "{at}.{}", key.name),
                (_, Some(value)) => {
                    let said: f64 = without.split(':').next().and_then(|text| text.parse().ok()).expect("a number");
                    let number = value.as_float().or(value.as_integer().map(|number| number as f64));
                    assert_eq!(number, Some(said), "{at}.{}", key.name);
                }
            }
        }
    }
    check("", LIQUIDATION, &Policy::default().to_toml().parse().expect("TOML"));
}

#[test]
fn every_fault_of_a_policy_says_its_line_and_its_key() {
    let text = r#"steps = ["cut", "take_ovr", "cut", 7]
target_health = 0.9
rounds_max = 0
cutt = 1
[cut]
rule = "min_costs"
dust_quote = -1
clip = { share = 0, rounds = 0, cooldown_rounds = -1, above_quote = 1e21 }
[costs]
half_spread = nan
trading_fee = 1.5
liquidation_fee = "0.005"
[impact]
factor = 0.8
limit = 0.3
depth_scale = 0
default_depth_quote = 0
recovery_per_step = 2
[impact.depth_quote]
BTC-PERP = -5
"BTC/USDT:USDT" = inf
[take_over]
below_health = 1.1
capital_quote = "limitless"
[fund]
balance_quote = -1
balances_quote = { BTC = 1, ETH = "endless" }
[deleverage]
basis = "position"
severity = -0.1
allocation = 3
"#;
    assert_faults(
        Policy::parse(text, "bad.toml"),
        &[
            "bad.toml:1 key steps[1] value \"take_ovr\": one of cancel_orders, convert_collateral, cut, take_over, \
             insurance_fund, auto_deleverage, socialise (did you mean \"take_over\"?)",
            "bad.toml:1 key steps[2] value \"cut\": each word stands at most once",
            "bad.toml:1 key steps[3] value \"7\": one of cancel_orders",
            "bad.toml:2 key target_health value \"0.9\": between 1 and 100",
            "bad.toml:3 key rounds_max value \"0\": between 1 and 1000000",
            "bad.toml:4 key cutt: no such key here; known: steps, target_health, rounds_max, cut",
            "bad.toml:6 key cut.rule value \"min_costs\": one of full, min_cost, least_notional",
            "bad.toml:7 key cut.dust_quote value \"-1\": between 0 and 1e20",
            "bad.toml:8 key cut.clip.share value \"0\": above 0 and at most 1 ",
            "bad.toml:8 key cut.clip.above_quote value \"1000000000000000000000\": between 0 and 1e20",
            "bad.toml:8 key cut.clip.rounds value \"0\": between 1 and 1000000",
            "bad.toml:8 key cut.clip.cooldown_rounds value \"-1\": between 0 and 1000000",
            "bad.toml:10 key costs.half_spread value \"NaN\": a number is finite",
            "bad.toml:11 key costs.trading_fee value \"1.5\": between 0 and 1",
            "bad.toml:12 key costs.liquidation_fee value \"\\\"0.005\\\"\": a number",
            "bad.toml:14 key impact.factor: factor belongs to the law square_root, not to linear",
            "bad.toml:15 key impact.limit: limit belongs to the law saturating, not to linear",
            "bad.toml:16 key impact.depth_scale value \"0\": above 0 and at most 1000000",
            "bad.toml:17 key impact.default_depth_quote value \"0\": above 0 and at most 1e20",
            "bad.toml:18 key impact.recovery_per_step value \"2\": between 0 and 1",
            "bad.toml:20 key impact.depth_quote.BTC-PERP value \"-5\": above 0 and at most 1e20",
            "bad.toml:21 key impact.depth_quote.\"BTC/USDT:USDT\" value \"inf\": a number is finite",
            "bad.toml:23 key take_over.below_health value \"1.1\": between 0 and 1",
            "bad.toml:24 key take_over.capital_quote value \"limitless\": a number, or unlimited",
            "bad.toml:26 key fund.balance_quote value \"-1\": between 0 and 1e20",
            "bad.toml:27 key fund.balances_quote.ETH value \"endless\": a number, or unlimited",
            "bad.toml:27 key fund.balances_quote: only funds of underlyings have balances by name",
            "bad.toml:29 key deleverage.basis value \"position\": one of positions, profits (did you mean \"positions\"?)",
            "bad.toml:30 key deleverage.severity value \"-0.1\": between 0 and 1",
            "bad.toml:31 key deleverage.allocation value \"3\": one of leverage, pro_rata",
        ],
    );
}

#[test]
fn values_of_the_wrong_type_are_faults() {
    for (text, expected) in [
        ("steps = \"cut\"", "bad.toml:1 key steps value \"\\\"cut\\\"\": a list of words (write [\"WORD\"])"),
        ("cut = \"full\"", "bad.toml:1 key cut value \"\\\"full\\\"\": a table"),
        ("cut.clip = {}", "bad.toml:1 key cut.clip.share: a required key is missing"),
        ("impact.depth_quote = 5", "bad.toml:1 key impact.depth_quote value \"5\": a table of values by name"),
        ("fund.scope = 1", "bad.toml:1 key fund.scope value \"1\": one of global, underlying"),
        (
            "[impact]\nlaw = \"square_root\"\nlimit = 0.1",
            "bad.toml:3 key impact.limit: limit belongs to the law saturating",
        ),
        (
            "[impact]\nlaw = \"saturating\"\nlimit = 1",
            "bad.toml:3 key impact.limit value \"1\": above 0 and at most 0.99",
        ),
        ("target_health = ", "bad.toml:1: not a readable TOML file"),
    ] {
        assert_faults(Policy::parse(text, "bad.toml"), &[expected]);
    }
    let scope = Policy::parse("fund = { scope = \"undrlying\", balances_quote = { BTC = 1 } }", "bad.toml");
    assert_faults(scope, &["bad.toml:1 key fund.scope value \"undrlying\": one of global, underlying (did you mean"]);
}

#[test]
fn a_rulebook_has_a_policy_under_its_heading() {
    let of_rulebook = |text: &str| Rulebook::parse(text, "rulebook.toml");
    assert_eq!(of_rulebook("version = 1").expect("valid").liquidation, None);
    let default = of_rulebook("version = 1\n[liquidation]\n").expect("valid");
    assert_eq!(default.liquidation, Some(Policy::default()));
    for example in files("policies") {
        let policy = read_policy(&example).expect("an example");
        let rulebook = Rulebook { liquidation: Some(policy), ..Rulebook::default() };
        let written = rulebook.to_toml();
        assert!(written.contains("\n[liquidation.cut]\n"), "{written}");
        assert_eq!(of_rulebook(&written).expect("its own output"), rulebook);
        assert_eq!(against_schema(&rulebook_schema::schema(), &written), Vec::<String>::new());
    }
    let bad = "version = 1\n[liquidation]\ntarget_health = 0\n[liquidation.impact]\ndepth_quote = { BTC = -1 }\n";
    assert_faults(
        of_rulebook(bad),
        &[
            "rulebook.toml:3 key liquidation.target_health value \"0\": between 1 and 100",
            "rulebook.toml:5 key liquidation.impact.depth_quote.BTC value \"-1\": above 0 and at most 1e20",
        ],
    );
}

fn purse() -> impl Strategy<Value = Purse> {
    prop_oneof![Just(Purse::Unlimited), (0.0..=1e20f64).prop_map(Purse::Quote)]
}

fn law() -> impl Strategy<Value = ImpactLaw> {
    prop_oneof![
        Just(ImpactLaw::None),
        Just(ImpactLaw::Linear),
        (0.0..=1e3f64).prop_map(|factor| ImpactLaw::SquareRoot { factor }),
        (1e-9..=0.99f64).prop_map(|limit| ImpactLaw::Saturating { limit }),
    ]
}

fn values<T: Copy + std::fmt::Debug + 'static, const N: usize>(
    words: [(&'static str, T); N],
) -> impl Strategy<Value = T> {
    select(words.map(|(_, value)| value).to_vec())
}

prop_compose! {
    fn clip()(share in 1e-9..=1.0f64, above_quote in 0.0..=1e20f64, rounds in 1u32..=1_000_000, cooldown_rounds in 0u32..=1_000_000)
        -> Clip {
        Clip { share, above_quote, rounds, cooldown_rounds }
    }
}

prop_compose! {
    fn impact()(
        law in law(),
        depth_scale in 1e-9..=1e6f64,
        default_depth_quote in proptest::option::of(1e-9..=1e20f64),
        depth_quote in prop::collection::btree_map(any::<String>(), 1e-9..=1e20f64, 0..4),
        recovery_per_step in 0.0..=1.0f64,
    ) -> ImpactPolicy {
        ImpactPolicy { law, depth_scale, default_depth_quote, depth_quote, recovery_per_step }
    }
}

prop_compose! {
    fn fund()(
        scope in values(FundScope::WORDS),
        balance in purse(),
        balances in prop::collection::btree_map(any::<String>(), purse(), 0..4),
    ) -> FundPolicy {
        let balances = if scope == FundScope::Underlying { balances } else { Default::default() };
        FundPolicy { scope, balance, balances }
    }
}

prop_compose! {
    fn policy()(
        steps in subsequence(Step::ALL.to_vec(), 0..=7).prop_shuffle(),
        (target_health, rounds_max) in (1.0..=100.0f64, 1u32..=1_000_000),
        (rule, clip, dust_quote) in (values(CutRule::WORDS), proptest::option::of(clip()), 0.0..=1e20f64),
        [half_spread, option_half_spread, trading_fee, liquidation_fee, below_health, severity] in prop::array::uniform6(0.0..=1.0f64),
        impact in impact(),
        (capital, fund) in (purse(), fund()),
        (basis, allocation) in (values(DeleverageBasis::WORDS), values(Allocation::WORDS)),
    ) -> Policy {
        Policy {
            steps,
            target_health,
            cut: CutPolicy { rule, clip, dust_quote },
            costs: Costs { half_spread, option_half_spread, trading_fee, liquidation_fee },
            impact,
            take_over: TakeOver { below_health, capital },
            fund,
            deleverage: DeleveragePolicy { basis, severity, allocation },
            rounds_max,
        }
    }
}

proptest! {
    #[test]
    fn a_policy_reads_back_equal(policy in policy()) {
        let written = policy.to_toml();
        let read = Policy::parse(&written, "p").map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
        prop_assert_eq!(&read, &policy);
        prop_assert_eq!(against_schema(&policy_file::schema(), &written), Vec::<String>::new());
        let rulebook = Rulebook { liquidation: Some(policy), ..Rulebook::default() };
        prop_assert_eq!(Rulebook::parse(&rulebook.to_toml(), "r").expect("its own output"), rulebook);
    }
}

#[test]
fn example_paths_move_a_synthetic_exchange() {
    let options = MarketOptions { options: OptionListing::Chains, ..MarketOptions::default() };
    let market = Market::built_in(&options).expect("a market");
    let has_options = |name: &str| {
        market.instruments.iter().any(|instrument| {
            instrument.kind == Kind::Option && market.underlyings[instrument.underlying as usize].name == name
        })
    };
    for example in files("paths") {
        let path = read_path(&example).unwrap_or_else(|error| panic!("{}: {error}", example.display()));
        assert_eq!(against_schema(&path_file::schema(), &text(&example)), Vec::<String>::new());
        assert!(path.steps.len() >= 8, "{} steps", path.steps.len());
        assert_eq!(path.steps.iter().filter(|step| step.oracle == Oracle::Hold).count(), 1);
        let set = path.scenarios();
        assert_eq!(set.faults(), []);
        for factor in &set.factors {
            let is_known = match factor.kind {
                FactorKind::Price => market.underlyings.iter().any(|underlying| underlying.factor == factor.name),
                FactorKind::Asset => market.asset(&factor.name).is_some(),
                FactorKind::Volatility => has_options(&factor.name),
                _ => market.underlyings.iter().any(|underlying| underlying.name == factor.name),
            };
            assert!(is_known, "{factor}");
        }
    }
}

#[test]
fn every_fault_of_a_path_says_its_line_and_its_key() {
    let text = r#"rounds_per_step = 0
capacity_quote = 0
[[step]]
label = 3
oracle = "held"
capacity_quote = -5
[step.shocks]
"prise:BTC" = -0.1
"price:" = -0.1
price = -0.1
"price:ETH" = -1.5
"price:SOL" = nan
"vol:BTC" = 1e12
"rate:USD" = "0.1"
time = -1
[[step]]
shoks = {}
[[step]]
shocks = { time = 0.5, "price:BTC" = 0.1 }
[[step]]
shocks = { time = 0.4 }
[[step]]
"#;
    let factors = "a factor is time, or one of price, impact, vol, rate, asset, basis, skew, volidx, depth, oracle, lag, confidence, source, credit, route, delay, censor, reorg, stale with a name";
    assert_faults(
        path_file::parse(text, "bad.toml"),
        &[
            "bad.toml:1 key rounds_per_step value \"0\": between 1 and 1000000",
            "bad.toml:2 key capacity_quote value \"0\": above 0 and at most 1e20",
            "bad.toml:4 key step[0].label value \"3\": a string",
            "bad.toml:5 key step[0].oracle value \"held\": one of update, hold",
            "bad.toml:6 key step[0].capacity_quote value \"-5\": above 0 and at most 1e20",
            &format!(
                "bad.toml:8 key step[0].shocks.\"prise:BTC\" value \"prise:BTC\": {factors} (did you mean \"price\"?)"
            ),
            &format!("bad.toml:9 key step[0].shocks.\"price:\" value \"price:\": {factors} (write it like price:BTC)"),
            &format!("bad.toml:10 key step[0].shocks.price value \"price\": {factors} (write it like price:BTC)"),
            "bad.toml:11 key step[0].shocks.\"price:ETH\" value \"-1.5\": a price shock is at least -1 and at most 1000000000",
            "bad.toml:12 key step[0].shocks.\"price:SOL\" value \"NaN\": a number is finite",
            "bad.toml:13 key step[0].shocks.\"vol:BTC\" value \"1000000000000\": a vol shock is at least -1",
            "bad.toml:14 key step[0].shocks.\"rate:USD\" value \"\\\"0.1\\\"\": a number",
            "bad.toml:15 key step[0].shocks.time value \"-1\": a time shock is at least 0",
            "bad.toml:17 key step[1].shoks: no such key here; known: label, oracle, capacity_quote, shocks (did you mean",
            "bad.toml:21 key step[3].shocks.time value \"0.4\": time does not run backwards; the step before is at 0.5 years",
            "bad.toml:22 key step[4].shocks.time value \"0\": time does not run backwards",
        ],
    );
}

#[test]
fn a_path_has_a_step() {
    assert_faults(
        path_file::parse("step = []", "bad.toml"),
        &["bad.toml:1 key step value \"[]\": a path has at least one step"],
    );
    assert_faults(path_file::parse("", "bad.toml"), &["bad.toml:1 key step: a required key is missing"]);
}

#[test]
fn a_file_that_is_no_text_or_not_there_exits_with_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let binary = dir.path().join("policy.toml");
    std::fs::write(&binary, b"\xff\xfe").expect("written");
    for error in [read_policy(&binary).expect_err("no text"), read_path(&binary).expect_err("no text")] {
        assert!(matches!(&error, Error::Usage(text) if text.contains("policy.toml")), "{error}");
    }
    assert_eq!(read_policy(&dir.path().join("none.toml")).expect_err("no file").exit_code(), 2);
}

#[test]
fn the_command_prints_each_schema() {
    for (of, expected) in
        [("rulebook", rulebook_schema::schema()), ("policy", policy_file::schema()), ("path", path_file::schema())]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(["rulebook", "schema", of])
            .output()
            .expect("the binary runs");
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(printed, expected);
    }
}

/// The page of the documentation.
fn page() -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/liquidation-policy.md"))
}

/// The fenced blocks of the page: what stands behind the fence, and the text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn documented_files_are_read_and_documented_faults_are_those_found() {
    let page = page();
    let (mut read, mut refused, mut bad) = (0, 0, Vec::new());
    for (info, text) in blocks(&page) {
        match info {
            "toml" => {
                Policy::parse(text, "docs").unwrap_or_else(|error| panic!("{text}\n{error}"));
                read += 1;
            }
            "toml path" => {
                path_file::parse(text, "docs").unwrap_or_else(|error| panic!("{text}\n{error}"));
                read += 1;
            }
            "text policy" => bad = faults(Policy::parse(text, "bad.toml")),
            "text path" => bad = faults(path_file::parse(text, "bad.toml")),
            "text faults" => {
                assert_eq!(text.lines().collect::<Vec<_>>(), bad);
                refused += 1;
            }
            other => panic!("a block of kind {other:?}"),
        }
    }
    assert_eq!((read, refused), (2, 2));
}

#[test]
fn every_key_and_every_word_stands_on_the_page() {
    fn check(page: &str, at: &str, keys: &[Key]) {
        for key in keys {
            let name = format!("{at}{}", key.name);
            match key.kind {
                KeyKind::Table(Shape::Keys(keys)) => check(page, &format!("{name}."), keys),
                KeyKind::Tables(Shape::Keys(keys)) => check(page, &format!("{name}[]."), keys),
                KeyKind::Word(words) | KeyKind::Words(words) => {
                    words.iter().for_each(|word| assert!(page.contains(&format!("`{word}`")), "{name}: {word}"));
                    assert!(page.contains(&format!("| `{name}` |")), "{name}");
                }
                _ => assert!(page.contains(&format!("| `{name}` |")), "{name}"),
            }
        }
    }
    let page = page();
    check(&page, "", LIQUIDATION);
    check(&page, "", path_file::ROOT);
}
