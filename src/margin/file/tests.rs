//! Every kind of key, read and written back.

use toml::Table;

use super::*;

const ENTRY: &[Key] =
    &[Key::required("weight", KeyKind::SHARE, "share"), Key::optional("note", KeyKind::Text, "empty", "anything")];
const KINDS: Shape = Shape::Kinds {
    by: "kind",
    of: &[
        Kind { name: "scan", help: "scan", keys: &[Key::required("range", KeyKind::POSITIVE, "range")] },
        Kind { name: "none", help: "nothing", keys: &[] },
    ],
};
const KEYS: &[Key] = &[
    Key::optional("count", KeyKind::Integer { min: 1, max: 9 }, "1", "a count"),
    Key::optional("on", KeyKind::Flag, "false", "a flag"),
    Key::optional("since", KeyKind::Timestamp, "always", "a moment"),
    Key::optional("charge", KeyKind::Expression, "0", "a formula"),
    Key::optional("range", KeyKind::ByName { min: 0.0, max: 2.0 }, "0.1", "by underlying"),
    Key::optional("entries", KeyKind::Tables(Shape::Keys(ENTRY)), "none", "a list"),
    Key::optional("parts", KeyKind::Named(KINDS), "none", "by name"),
    Key::optional("either", KeyKind::Either(&[KeyKind::NUMBER, KeyKind::Text]), "0", "two kinds"),
];
const TEXT: &str = r#"
count = 3
on = true
since = 2026-06-26T08:00:00Z
charge = "max(scan, 0.1 * index(BTC))"
range = { default = 0.16, ETH = 0.18, "a.b" = 1 }
entries = [{ weight = 0.1, note = "x\ny" }, { weight = 1 }]
either = "text"
[parts.a]
kind = "scan"
range = 0.3
[parts.b]
kind = "none"
"#;

fn read(text: &str) -> (Section, Vec<String>) {
    let mut reader = Reader::new("file");
    let section = reader.section("", &text.parse::<Table>().expect("TOML"), KEYS);
    (section, reader.into_faults(text).iter().map(ToString::to_string).collect())
}

#[test]
fn every_kind_reads_and_writes_back_equal() {
    let (section, faults) = read(TEXT);
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((section.integer("count"), section.flag("on")), (Some(3), Some(true)));
    assert_eq!(section.timestamp("since").map(|moment| moment.as_second()), Some(1_782_460_800));
    assert_eq!(section.expression("charge").map(ToString::to_string).as_deref(), Some("max(scan, 0.1 * index(BTC))"));
    let range = section.by_name("range").expect("a range");
    assert_eq!(["BTC", "ETH", "a.b"].map(|name| range.get(name)), [0.16, 0.18, 1.0]);
    let entries = section.tables("entries").expect("a list");
    assert_eq!((entries[0].text("note"), entries[1].number("weight")), (Some("x\ny"), Some(1.0)));
    assert_eq!((section.text("either"), section.number("either")), (Some("text"), None));
    let parts = section.named("parts").expect("parts");
    assert_eq!((parts["a"].kind(), parts["a"].number("range"), parts["b"].kind()), ("scan", Some(0.3), "none"));
    let mut writer = Writer::default();
    writer.root(&section.to_table(), KEYS);
    let written = writer.into_text();
    let order: Vec<&str> = written.lines().filter_map(|line| line.split(" = ").next()).collect();
    assert_eq!(order[..5], ["count", "on", "since", "charge", "range"], "in the order of the keys");
    assert!(written.contains("range = { default = 0.16, "), "{written}");
    let (again, faults) = read(&written);
    assert_eq!((again, faults), (section, Vec::new()));
}

#[test]
fn every_kind_has_its_fault_and_its_line() {
    let text = TEXT
        .replace("count = 3", "count = 10")
        .replace("on = true", "on = \"yes\"")
        .replace("2026-06-26T08:00:00Z", "2026-06-26T08:00:00")
        .replace("max(scan", "mx(scan")
        .replace("default = 0.16, ETH = 0.18", "ETH = 3")
        .replace("{ weight = 1 }", "\n{ wieght = 1 }")
        .replace("\"text\"", "true")
        .replace("\"scan\"", "\"scam\"")
        .replace("\"none\"", "\"none\"\nrange = 1");
    let (section, faults) = read(&text);
    assert!(section.has("count") && section.integer("count").is_none(), "written, but faulty");
    assert_eq!(section.named("parts").map(|parts| parts.len()), Some(1), "the faulty one is left out");
    let expected = [
        "file:2 key count value \"10\": between 1 and 9 (correct it)",
        "file:3 key on value \"\\\"yes\\\"\": true or false",
        "file:4 key since value \"2026-06-26T08:00:00\": a moment is RFC 3339 with an offset",
        "file:5 key charge value \"mx(scan, 0.1 * index(BTC))\": at character 1: no function mx",
        "file:6 key range.default: a required key is missing",
        "file:6 key range.ETH value \"3\": between 0 and 2",
        "file:8 key entries[1].wieght: no such key here; known: weight, note (did you mean \"weight\"?)",
        "file:8 key entries[1].weight: a required key is missing (add weight: share)",
        "file:9 key either value \"true\": a number",
        "file:11 key parts.a.kind value \"scam\": one of scan, none (did you mean \"scan\"?)",
        "file:15 key parts.b.range: no such key here; known: kind",
    ];
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault}\n{expected}");
    }
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
}
