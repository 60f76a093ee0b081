//! `plimsoll doctor` as its callers see it: exit codes and one JSON object.

use std::process::{Command, Output};

use serde_json::Value;

fn doctor(arguments: &[&str], without_adapters: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.arg("doctor").args(arguments);
    if let Some(nowhere) = without_adapters {
        command.env("VK_DRIVER_FILES", nowhere).env("VK_ICD_FILENAMES", nowhere).env("WGPU_BACKEND", "vulkan");
    }
    command.output().expect("the program starts")
}

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON object on stdout")
}

#[test]
fn every_adapter_of_this_machine_is_listed_and_passes() {
    let output = doctor(&["--format", "json"], None);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let object = object(&output);
    assert!(object["cpu"]["threads"].as_u64().is_some_and(|threads| threads > 0));
    let adapters = object["adapters"].as_array().expect("a list");
    println!("{} adapters; auto: {}", adapters.len(), object["auto"]["reason"]);
    for (index, adapter) in adapters.iter().enumerate() {
        assert_eq!(adapter["index"], index);
        assert_eq!(adapter["faults"], Value::Array(Vec::new()));
        assert_eq!(adapter["probe"]["known_answer_right"], true);
        assert_eq!(adapter["probe"]["known_price_right"], true);
        assert!(adapter["limits"]["storage_binding_bytes"].as_u64().is_some_and(|bytes| bytes >= 128 << 20));
        assert!(adapter["features"]["SHADER_F64"].is_boolean());
    }
    let chosen = object["auto"]["adapter"].as_u64().map(|index| &adapters[index as usize]["kind"]);
    assert!(chosen.is_none_or(|kind| kind != "software"), "auto never takes a software adapter");
}

#[test]
fn an_adapter_that_is_not_there_exits_7() {
    let output = doctor(&["--adapter", "no such adapter"], None);
    assert_eq!(output.status.code(), Some(7));
    assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("no such adapter"));
}

#[test]
fn a_machine_without_adapters_is_told_how_to_get_one() {
    let output = doctor(&[], Some("/nonexistent"));
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("mesa-vulkan-drivers"));
    let output = doctor(&["--format", "json"], Some("/nonexistent"));
    assert_eq!(object(&output)["adapters"], Value::Array(Vec::new()));
    assert_eq!(object(&output)["auto"]["engine"], "cpu");
    assert_eq!(doctor(&["--adapter", "0"], Some("/nonexistent")).status.code(), Some(7));
}
