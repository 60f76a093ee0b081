//! The command line, through the real binary, on two synthetic exchanges of one seed: the larger one holds accounts that
//! the smaller one lacks.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const AT: &str = "2026-03-02T12:00:00Z";

struct Venues {
    dir: tempfile::TempDir,
}

impl Venues {
    fn new() -> Self {
        Self::on_networks("0")
    }

    /// Both venues hold collateral on so many other networks.
    fn on_networks(networks: &str) -> Self {
        let venues = Self { dir: tempfile::tempdir().expect("a directory") };
        for (book, accounts) in [("north", "80"), ("south", "40")] {
            let size = ["--accounts", accounts, "--networks", networks];
            venues.ok(&[&["synth", book, "--seed", "11", "--tables", "csv"], &size[..]].concat());
        }
        venues.ok(&["scenarios", "monte-carlo", "north", "--count", "64", "--seed", "3", "--out", "set.csv"]);
        std::fs::write(venues.path("key"), format!("{}\n", "42".repeat(32))).expect("written");
        venues
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.dir.path()).output().expect("the binary runs")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--format", "json"]].concat())).expect("one JSON object")
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str], exit: i32, words: &str) {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {words:?} is not in {stderr}");
    }

    /// Account, pool and other cells of a table of a venue.
    fn rows(&self, book: &str, table: &str) -> Vec<(String, String, Vec<String>)> {
        let text = std::fs::read_to_string(self.path(book).join(table)).expect("a table");
        let cells = text.lines().skip(1).map(|line| line.split(',').map(str::to_string).collect::<Vec<_>>());
        cells.map(|cells| (cells[0].clone(), cells[1].clone(), cells[2..].to_vec())).collect()
    }

    /// A pool of the north with a row of `table` that holds `word`, of an account that the south lacks.
    fn traveller_with(&self, table: &str, word: &str) -> (String, String) {
        let south = self.rows("south", table);
        let is_new = |account: &String| !south.iter().any(|other| other.0 == *account);
        let mut north = self.rows("north", table).into_iter();
        let found = north.find(|(account, _, cells)| is_new(account) && cells.iter().any(|cell| cell.contains(word)));
        found.map(|(account, pool, _)| (account, pool)).expect("a traveller")
    }

    fn traveller(&self) -> (String, String) {
        self.traveller_with("positions.csv", "")
    }

    fn export(&self, (account, pool): &(String, String), more: &[&str]) -> Value {
        let basic =
            ["account", "export", "north", account, "--pool", pool, "--venue", "north", "--scenarios", "set.csv"];
        let times = ["--not-before", "2026-03-01T00:00:00Z", "--expires", "2026-03-09T00:00:00Z"];
        self.json(&[&basic[..], &times, more].concat())
    }
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn a_pool_travels_from_one_venue_to_another_and_weighs_the_same_there() {
    let venues = Venues::new();
    let traveller = venues.traveller();
    let exported = venues.export(&traveller, &["--sign", "key", "--out", "pool.cbor"]);
    let owner = exported["signatures"][0]["key"].as_str().expect("a key").to_string();

    venues.ok(&[
        "account",
        "sign",
        "pool.cbor",
        "--key",
        "key",
        "--algorithm",
        "eip712",
        "--role",
        "attestor",
        "--out",
        "pool.json",
    ]);
    venues.ok(&["account", "convert", "pool.json", "--out", "again.cbor"]);
    venues.ok(&["account", "convert", "again.cbor", "--out", "again.json"]);
    let read = |name: &str| std::fs::read(venues.path(name)).expect("a file");
    assert_eq!(read("pool.json"), read("again.json"));
    let required = format!("owner={owner}");
    let verified = venues.json(&["account", "verify", "again.cbor", "--at", AT, "--require-signature", &required]);
    assert_eq!(verified["content_hash"], exported["content_hash"]);
    assert_eq!(verified["signatures"].as_array().map(Vec::len), Some(2));

    let import =
        ["account", "import", "pool.json", "--into", "south", "--at", AT, "--scenarios", "set.csv", "--tables", "csv"];
    let imported = venues.json(&[&import[..], &["--register", "register.json", "--out", "south2"]].concat());
    assert_eq!(imported["risk"], exported["risk"], "the same rules, the same figures");
    assert_eq!(imported["issuer_risk"], exported["risk"]);
    let explain =
        |book: &str| venues.json(&["explain", book, &traveller.0, "--pool", &traveller.1, "--scenarios", "set.csv"]);
    assert_eq!(explain("south2"), explain("north"), "every term is the same");
    assert!(exists(&venues.path("south2/rulebook.toml")));

    venues.fails(&[&import[..], &["--register", "register.json", "--out", "south3"]].concat(), 3, "a nonce rises");
    assert!(!exists(&venues.path("south3")));
    venues.fails(
        &["account", "import", "pool.json", "--into", "south2", "--at", AT, "--out", "south3"],
        3,
        "the book has a pool of this name",
    );
}

#[test]
fn refusals_have_their_exit_codes_and_keys_are_never_shown() {
    let venues = Venues::new();
    let traveller = venues.traveller();
    venues.export(&traveller, &["--sign", "key", "--out", "pool.json"]);
    let verify = |more: &[&'static str]| [&["account", "verify", "pool.json"], more].concat();
    venues.fails(&verify(&["--at", "2026-04-01T00:00:00Z"]), 3, "expired at");
    venues.fails(&verify(&["--at", "2026-01-01T00:00:00Z"]), 3, "not yet valid");
    venues.fails(
        &verify(&["--at", AT, "--require-signature", "attestor=0x17c5185167401ed00cf5f5b2fc97d9bbfdb7d025"]),
        3,
        "no signature of attestor",
    );
    venues.fails(&verify(&["--at", AT, "--require-signature", "nobody=0x00"]), 2, "one of owner");
    venues.fails(&verify(&["--at", AT, "--require-signature", "owner=0x00"]), 2, "64 hexadecimal digits");
    venues.fails(&["account", "verify", "absent.json"], 2, "absent.json");
    venues.fails(&["account", "convert", "pool.json", "--out", "pool.txt"], 2, "a .json or a .cbor file");
    std::fs::write(venues.path("bad"), "42".repeat(31)).expect("written");
    venues.fails(&["account", "sign", "pool.json", "--key", "bad", "--out", "x.json"], 2, "32 bytes as hexadecimal");
    assert!(!exists(&venues.path("x.json")));
    let secret = "42".repeat(32);
    assert!(!std::fs::read_to_string(venues.path("pool.json")).expect("a file").contains(&secret));
    let schema: Value = serde_json::from_str(&venues.ok(&["account", "schema"])).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn lots_on_routes_travel_to_a_venue_with_the_same_routes_and_weigh_the_same_there() {
    let venues = Venues::on_networks("3");
    let traveller = venues.traveller_with("balances.csv", "in_transit");
    let exported = venues.export(&traveller, &["--out", "pool.json"]);
    let document: Value =
        serde_json::from_slice(&std::fs::read(venues.path("pool.json")).expect("a file")).expect("JSON");
    let lots = document["collateral"].as_array().expect("lots");
    assert!(lots.iter().any(|lot| lot["status"] == "in_transit" && lot["custody"]["route"].is_string()));
    assert!(lots.iter().all(|lot| !lot["asset"].as_str().expect("an asset").contains("%40")), "{lots:?}");

    let import = ["account", "import", "pool.json", "--at", AT, "--scenarios", "set.csv", "--format", "json"];
    let output = venues.run(&[&import[..], &["--into", "south", "--out", "south2"]].concat());
    let warnings = String::from_utf8_lossy(&output.stderr);
    assert!(!warnings.contains("on routes have no lock"), "{warnings}");
    assert!(lots.iter().filter(|lot| lot["status"] != "settled").all(|lot| lot["lock"].is_string()), "{lots:?}");
    let imported: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(imported["risk"], exported["risk"], "the same rules, the same figures");
    let explain =
        |book: &str| venues.json(&["explain", book, &traveller.0, "--pool", &traveller.1, "--scenarios", "set.csv"]);
    assert_eq!(explain("south2"), explain("north"), "every term is the same");
    assert!(explain("north").to_string().contains(":transit"));

    venues.ok(&["synth", "west", "--accounts", "40", "--seed", "11"]);
    let no_route = "no route of this book has this name";
    venues.fails(&[&import[..], &["--into", "west", "--out", "west2"]].concat(), 3, no_route);
    assert!(!exists(&venues.path("west2")));
}
