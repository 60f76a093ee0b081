//! `calibrate` through the real binary, on an exchange whose true thresholds are known.

mod exchange;

use exchange::{CLASSES, Planted, truth};
use serde_json::Value;

/// Every class's rate, free, covered at 99 %.
const JOB: &str = r#"
snapshot = "book"
scenarios = ["seen.csv"]
hold_out = ["later.csv"]
seed = 7

[[parameter]]
name = "rate"
at = ["margin.*.maintenance.rate"]
per = "each"
low = 0.005
high = 0.3

[[constraint]]
kind = "coverage"
level = 0.99
"#;

fn parameter<'a>(answer: &'a Value, class: &str) -> &'a Value {
    let name = format!("rate.{class}-PERP");
    let parameters = answer["parameters"].as_array().expect("a list");
    parameters.iter().find(|parameter| parameter["name"] == name.as_str()).expect(&name)
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// 80 intervals at 99 %: that four or more miss has a probability of 0.9 %, three or more of 4.7 %.
#[test]
fn planted_thresholds_lie_in_their_intervals_over_twenty_seeds() {
    let mut missed = Vec::new();
    for seed in 0..20 {
        let planted = Planted::new(seed);
        planted.write("job.toml", JOB);
        let (exit, answer) = planted.calibrate("job.toml", &[]);
        assert_eq!(exit, 0, "{answer}");
        for (class, scale) in CLASSES {
            let found = parameter(&answer, class);
            let (low, high, new) = (number(found, "low"), number(found, "high"), number(found, "new"));
            assert!(low <= new && new <= high && high < 1.6 * low, "{found}");
            if !(low..=high).contains(&truth(scale)) {
                missed.push((seed, class, low, truth(scale), high));
            }
        }
    }
    assert!(missed.len() < 4, "{missed:?}");
}

/// What was held out is met at its own level where the search leaves room for it.
#[test]
fn a_level_with_confidence_holds_on_what_was_held_out_over_twenty_seeds() {
    let job = JOB.replace("level = 0.99", "level = 0.99\nconfidence = 0.9999");
    for seed in 20..40 {
        let planted = Planted::new(seed);
        planted.write("job.toml", &job);
        let (exit, answer) = planted.calibrate("job.toml", &[]);
        assert_eq!(exit, 0, "{answer}");
        let coverage = &answer["constraints"][0];
        assert!(number(coverage, "limit") > 0.99, "room is left: {coverage}");
        assert_eq!(coverage["hold_out_limit"], 0.99);
        assert!(number(coverage, "hold_out") >= 0.99 && coverage["hold_out_met"] == true, "{seed}: {coverage}");
    }
}

/// One thread or two, killed half-way and resumed or not: one answer. Only numbers of the rulebook change.
#[test]
fn the_answer_knows_neither_threads_nor_interruptions() {
    let planted = Planted::new(3);
    planted.write("job.toml", JOB);
    let (_, alone) = planted.calibrate("job.toml", &["--threads", "1"]);
    std::fs::remove_dir_all(planted.path("job.toml.out")).expect("a directory");
    let (_, both) = planted.calibrate("job.toml", &["--threads", "2"]);
    assert_eq!(alone["digest"], both["digest"]);
    let rulebook = std::fs::read_to_string(planted.path("job.toml.out/rulebook.toml")).expect("a rulebook");
    assert!(rulebook.contains("# what WILD requires") && !rulebook.contains("rate = 0.05 "), "{rulebook}");

    let checkpoint = planted.path("cut.checkpoint");
    let lines = || std::fs::read_to_string(&checkpoint).map_or(0, |text| text.lines().count());
    let mut run = planted.start(&["calibrate", "job.toml", "--out", "cut"]);
    while lines() < 20 && run.try_wait().expect("a process").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    run.kill().expect("killed");
    run.wait().expect("a process");
    assert!(lines() >= 20 && !planted.path("cut").exists(), "it was killed half-way");
    let resumed = planted.run(&["calibrate", "job.toml", "--out", "cut", "--format", "json"]);
    let resumed: Value = serde_json::from_slice(&resumed.stdout).expect("one JSON object");
    assert_eq!(resumed["digest"], alone["digest"]);
    assert!(!checkpoint.exists());
}

/// What cannot be met is said, with what stands in the way, and an answer is still written.
#[test]
fn jobs_that_cannot_be_done_are_refused_in_words() {
    let planted = Planted::new(5);
    let contradiction = JOB.to_string()
        + "[[constraint]]\nkind = \"cover\"\nlimit = 1e9\n[[constraint]]\nkind = \"shortfall\"\nmeasure = \"max\"\nlimit = 0.001\n";
    planted.write("job.toml", &contradiction);
    let (exit, answer) = planted.calibrate("job.toml", &[]);
    assert_eq!(exit, 5);
    let met: Vec<bool> =
        answer["constraints"].as_array().expect("a list").iter().map(|found| found["met"] == true).collect();
    assert_eq!(met, [true, true, false], "{answer}");
    let parameter = JOB.find("[[parameter]]").expect("one");
    let constraint = JOB.find("[[constraint]]").expect("one");
    for (job, exit, words) in [
        (format!("{}{}", &JOB[..parameter], &JOB[constraint..]), 2, "parameter"),
        (JOB.replace("high = 0.3", "high = 0.001"), 2, "low is below high"),
        (JOB.replace("margin.*", "margine.*"), 2, "margin"),
        (JOB.replace("level = 0.99", "level = 1.5"), 2, "level"),
    ] {
        planted.write("job.toml", &job);
        planted.fails("job.toml", exit, words);
    }
    let seen = std::fs::read_to_string(planted.path("seen.csv")).expect("a set");
    planted.write("seen.csv", &seen.lines().take(2).collect::<Vec<_>>().join("\n"));
    planted.write("job.toml", JOB);
    let (exit, answer) = planted.calibrate("job.toml", &[]);
    assert_eq!(exit, 0, "one scenario is a sample of one: {answer}");
}
