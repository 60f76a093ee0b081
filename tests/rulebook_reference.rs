//! docs/rulebooks.md says what the program does: its rulebooks are read, its outputs are real, its tables name every key.

use std::path::Path;
use std::process::Command;

use plimsoll::margin::Rulebook;
use plimsoll::margin::component::KINDS;
use plimsoll::margin::file::{Key, KeyKind, ROOT, Shape};

/// A fenced block: what stands behind the fence, and its lines.
struct Block {
    info: String,
    text: String,
}

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rulebooks.md");
    std::fs::read_to_string(path).expect("the reference")
}

fn blocks(text: &str) -> Vec<Block> {
    let parts = text.split("\n```").collect::<Vec<_>>();
    let inside = parts.iter().skip(1).step_by(2);
    let block = |part: &&str| {
        let (info, text) = part.split_once('\n').unwrap_or((part, ""));
        Block { info: info.into(), text: format!("{text}\n") }
    };
    inside.map(block).collect()
}

#[test]
fn every_example_is_read_and_prints_what_is_said() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let book = dir.path().join("book");
    std::fs::create_dir(&book).expect("a directory");
    std::fs::write(book.join("snapshot.toml"), "as_of = \"2026-01-01T00:00:00Z\"\n").expect("a writable file");
    let rulebook = dir.path().join("rulebook.toml");
    let (mut read, mut printed) = (0, 0);
    let blocks = blocks(&reference());
    for block in blocks.iter().filter(|block| block.info == "csv days") {
        std::fs::write(dir.path().join("days.csv"), &block.text).expect("a writable file");
    }
    for block in &blocks {
        match block.info.split_once(' ') {
            Some(("csv", "days")) => {}
            Some(("csv", table)) => {
                std::fs::write(book.join(format!("{table}.csv")), &block.text).expect("a writable file");
            }
            Some(("text", account)) => {
                let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
                    .args(["explain", "book", account, "--rulebook", "rulebook.toml"])
                    .current_dir(dir.path())
                    .output()
                    .expect("the binary runs");
                let stdout = String::from_utf8(output.stdout).expect("text");
                let stdout: Vec<&str> = stdout.lines().map(str::trim_end).collect();
                let said: Vec<&str> = block.text.lines().collect();
                let is_there = stdout.windows(said.len()).any(|lines| lines == said);
                let stderr = String::from_utf8_lossy(&output.stderr);
                assert!(is_there, "{account}:\n{}\nprinted:\n{}\n{stderr}", block.text, stdout.join("\n"));
                printed += 1;
            }
            _ if block.info == "toml" => {
                Rulebook::parse(&block.text, "example").unwrap_or_else(|error| panic!("{}\n{error}", block.text));
                std::fs::write(&rulebook, &block.text).expect("a writable file");
                read += 1;
            }
            _ => panic!("a block of kind {:?}", block.info),
        }
    }
    assert!(read > KINDS.len() && printed > KINDS.len(), "{read} rulebooks, {printed} outputs");
}

/// The names under a key, its own included, as the tables of the reference write them.
fn names(prefix: &str, keys: &[Key], all: &mut Vec<String>) {
    for key in keys {
        let name = format!("{prefix}{}", key.name);
        all.push(name.clone());
        below(&name, &key.kind, all);
    }
}

fn below(name: &str, kind: &KeyKind, all: &mut Vec<String>) {
    match kind {
        KeyKind::Table(Shape::Keys(keys)) if !is_by_side(keys) => names(&format!("{name}."), keys, all),
        KeyKind::Tables(Shape::Keys(keys)) => names(&format!("{name}[]."), keys, all),
        KeyKind::Table(Shape::Kinds { by, of }) => {
            for kind in *of {
                all.push(format!("{by} = \"{}\"", kind.name));
                names("", kind.keys, all);
            }
        }
        KeyKind::Either(kinds) => kinds.iter().for_each(|kind| below(name, kind, all)),
        _ => {}
    }
}

/// Whether a table is one number for each requirement.
fn is_by_side(keys: &[Key]) -> bool {
    keys.len() == 2 && keys.iter().all(|key| ["initial", "maintenance"].contains(&key.name))
}

#[test]
fn every_key_stands_in_its_section() {
    let text = reference();
    let section = |heading: &str| {
        let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
        let rest = &text[start + heading.len() + 2..];
        rest.find("\n### ").or(rest.find("\n## ")).map_or(rest, |end| &rest[..end])
    };
    let check = |heading: &str, prefix: &str, keys: &[Key]| {
        let mut all = Vec::new();
        names(prefix, keys, &mut all);
        let missing: Vec<_> = all.iter().filter(|name| !section(heading).contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "{heading}: {missing:?}");
    };
    for key in ROOT {
        assert!(section("## The file").contains(&format!("| `{}` |", key.name)), "{}", key.name);
        match (key.name, &key.kind) {
            // Its keys have a page of their own, which `tests/policy_files.rs` and `tests/oracle.rs` read.
            ("component" | "liquidation" | "oracle", _) => {}
            ("option_spread", KeyKind::Table(Shape::Keys(keys))) => {
                check("### `[option.NAME]`", "option_spread.", keys)
            }
            (_, KeyKind::Table(Shape::Keys(keys))) => check(&format!("### `[{}]`", key.name), "", keys),
            (_, KeyKind::Tables(Shape::Keys(keys))) => check(&format!("### `[[{}]]`", key.name), "", keys),
            (_, KeyKind::Named(Shape::Keys(keys))) => check(&format!("### `[{}.NAME]`", key.name), "", keys),
            _ => {}
        }
    }
    let common = ["per", "kinds", "underlyings", "classes", "collateral"];
    for kind in KINDS {
        let (shared, own): (Vec<Key>, Vec<Key>) = kind.keys.iter().partition(|key| common.contains(&key.name));
        check("## Components", "", &shared);
        check(&format!("### `{}`", kind.name), "", &own);
    }
}

/// What `rulebook` prints of a shipped file.
fn of_shipped(arguments: &[&str]) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rulebooks");
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .arg("rulebook")
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_rulebook_is_explained_in_words_and_in_json() {
    let words = of_shipped(&["explain", "grid-27-8.toml"]);
    for part in [
        "  maintenance = 0.8 * (coin + linear + roll + depth)",
        "component coin: grid per settlement; classes inverse; evaluated by: device",
        "component depth: depth per underlying; evaluated by: device; directly where the charge is neither",
        "  threshold = 20000000.0",
        "haircut coin: 0",
    ] {
        assert!(words.contains(part), "{part:?} in\n{words}");
    }
    assert!(of_shipped(&["explain", "dynamic-vol-depth.toml"]).contains("1.25 in force since 2026-01-01T00:00:00Z"));
    assert!(of_shipped(&["explain", "ltv-portfolio.toml"]).contains("; initial 0.525 from 0 coins, 1 from 1000 coins"));
    assert!(of_shipped(&["check", "ccp-cover2.toml"]).contains("  base: tail, CPU kernel"));
    let json = of_shipped(&["explain", "var-stress-floor.toml", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["components"].as_array().map(Vec::len), Some(4));
    assert_eq!((&json["sets"][0]["moves"], &json["components"][1]["evaluated"]), (&250.into(), &"CPU kernel".into()));
}

#[test]
fn an_overlay_is_explained_in_words_and_in_json() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("overlay.toml");
    let text = "version = 1\n[margin.P]\nmaintenance = { form = \"flat\", rate = 0.05 }\n[overlay]\ncap = 2.5\n\
                [overlay.in_force.BTC]\ninitial = 1.5\nmaintenance = 1.25\nsince = \"2026-01-01T00:00:00Z\"\n";
    std::fs::write(&path, text).expect("a writable file");
    let path = path.to_string_lossy();
    let words = of_shipped(&["explain", &path]);
    for part in [
        "times 1 to 2.5, 0.5 of the variance forecast",
        "  BTC: initial 1.5, maintenance 1.25 since 2026-01-01T00:00:00Z, by hand",
    ] {
        assert!(words.contains(part), "{part:?} in\n{words}");
    }
    assert!(!of_shipped(&["explain", &path, "P"]).contains("overlay"), "only the class asked for");
    let json: serde_json::Value =
        serde_json::from_str(&of_shipped(&["explain", &path, "--format", "json"])).expect("JSON");
    assert_eq!((&json["overlay"]["cap"], &json["overlay"]["in_force"][0]["initial"]), (&2.5.into(), &1.5.into()));
    assert!(of_shipped(&["check", &path]).contains("  overlay: multipliers in force of 1 underlyings"));
}
