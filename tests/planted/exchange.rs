//! An exchange whose true thresholds are known, and its scenarios.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, StudentT};
use serde_json::Value;

/// Classes: name, and the scale of their returns. One perpetual each, margined at a flat rate.
pub const CLASSES: [(&str, f64); 4] = [("CALM", 0.008), ("EVEN", 0.015), ("WILD", 0.03), ("RARE", 0.022)];
/// 99 % quantile of Student's t with four degrees of freedom.
pub const QUANTILE: f64 = 3.746_947;
/// Scenarios that are searched over; as many are held out.
pub const SCENARIOS: usize = 2_000;

/// The rate that covers 99 % of a class's returns.
pub fn truth(scale: f64) -> f64 {
    scale * QUANTILE
}

/// A directory that holds the exchange and its scenarios.
pub struct Planted {
    dir: tempfile::TempDir,
}

impl Planted {
    /// The exchange of a seed: in every class as many longs as shorts, of many sizes.
    pub fn new(seed: u64) -> Self {
        let planted = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        std::fs::create_dir(planted.path("book")).expect("a directory");
        planted.write("book/snapshot.toml", "as_of = \"2026-01-01T00:00:00Z\"\n");
        let mut tables =
            ["asset,price\nUSD,1\n", "underlying,index_price\n", "instrument,kind,underlying,mark_price\n"]
                .map(String::from);
        let [assets, underlyings, instruments] = &mut tables;
        let (mut balances, mut positions) =
            (String::from("account,asset,amount\n"), String::from("account,instrument,quantity\n"));
        let mut rulebook = String::from("version = 1\n");
        for (class, _) in CLASSES {
            let _ = writeln!(assets, "{class},100");
            let _ = writeln!(underlyings, "{class},100");
            let _ = writeln!(instruments, "{class}-PERP,perpetual,{class},100");
            let _ = writeln!(
                rulebook,
                "# what {class} requires\n[margin.{class}-PERP]\nmaintenance = {{ form = \"flat\", rate = 0.05 }}"
            );
            for account in 0..12 {
                let quantity = (account / 2 + 1) * if account % 2 == 0 { 1 } else { -1 };
                let _ = writeln!(balances, "{class}{account},USD,{}", 100 * (account / 2 + 1));
                let _ = writeln!(positions, "{class}{account},{class}-PERP,{quantity}");
            }
        }
        for (name, table) in ["assets", "underlyings", "instruments"].iter().zip(&tables) {
            planted.write(&format!("book/{name}.csv"), table);
        }
        planted.write("book/balances.csv", &balances);
        planted.write("book/positions.csv", &positions);
        planted.write("book/rulebook.toml", &rulebook);
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        for set in ["seen.csv", "later.csv"] {
            planted.write(set, &scenarios(&mut random));
        }
        planted
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a writable file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.dir());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        let quiet = self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        quiet.expect("the binary runs")
    }

    /// Exit code and the JSON object of a calibration.
    pub fn calibrate(&self, job: &str, more: &[&str]) -> (i32, Value) {
        let out = format!("{job}.out");
        let output = self.run(&[&["calibrate", job, "--out", &out, "--format", "json"], more].concat());
        let object = serde_json::from_slice(&output.stdout);
        let object = object.unwrap_or_else(|_| panic!("{job}: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap_or(-1), object)
    }

    pub fn fails(&self, job: &str, exit: i32, words: &str) {
        let output = self.run(&["calibrate", job, "--out", "failed"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{stderr}");
        assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
        assert!(!self.path("failed").exists());
    }
}

fn scenarios(random: &mut ChaCha12Rng) -> String {
    let student = StudentT::new(4.0).expect("degrees of freedom");
    let mut text = String::from("scenario");
    CLASSES.iter().for_each(|(class, _)| text.push_str(&format!(",price:{class}")));
    text.push('\n');
    for scenario in 0..SCENARIOS {
        let _ = write!(text, "{scenario}");
        for (_, scale) in CLASSES {
            let shock: f64 = student.sample(random);
            let _ = write!(text, ",{}", (scale * shock).clamp(-0.99, 0.99));
        }
        text.push('\n');
    }
    text
}
