//! `herald volume` as a user runs it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::Sandbox;

const ORDERS: &str = "\
node_type: effect
service_name: orders
operations: [{name: place, per_request: 0.1, failure_ratio: 0.25}]
include_state_events: false
include_metric_events: false
events:
  - event_type: order.placed
    topic: shop.orders.v1
    per_request: [0.5, 3]
    payload: {id: uuid}
    topic_settings: {partitions: 1, config: {retention.ms: 3600000}}
volume: {requests_per_second: [20, 80], consumer_events_per_second: 100}
";
const BARE: &str = "node_type: reducer\nservice_name: books\noperations: [fold]\n";

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn topic<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut topics = document["topics"].as_array().expect("topics").iter();
    topics
        .find(|topic| topic["topic"] == name)
        .expect("the topic")
}

#[test]
fn volume_as_json() {
    let sandbox = Sandbox::with(&[("orders.yaml", ORDERS)]);
    let run = sandbox.herald(&["volume", "--format", "json"]).exits(0);
    let document = run.json();
    let contract = &document["contracts"][0];
    assert_eq!(
        contract["requests_per_second"],
        json!({"low": 20, "high": 80})
    );
    assert_eq!(
        contract["events_per_request"],
        json!({"low": 0.7, "high": 3.2})
    );
    assert_eq!(
        contract["rates"][0],
        json!({
            "of": "operation",
            "name": "place",
            "per_request": {"low": 0.1, "high": 0.1},
            "assumed": false,
            "failure_ratio": {"low": 0.25, "high": 0.25},
            "events_per_request": {"low": 0.2, "high": 0.2},
        })
    );
    let failed = topic(&document, "dev.orders.effect.place.failed.v1");
    assert_eq!(failed["events_per_second"], json!({"low": 0.5, "high": 2}));
    assert_eq!(
        failed["events_per_day"],
        json!({"low": 43_200, "high": 172_800})
    );
    assert_eq!(failed["kept"], "unknown");
    assert_eq!(failed["disk_bytes"], Value::Null);

    let placed = topic(&document, "shop.orders.v1");
    let size = &contract["events"][3]["bytes"];
    let stored = size["stored"].as_u64().expect("bytes");
    assert_eq!(
        placed["event_bytes"],
        json!({"low": stored, "high": stored})
    );
    assert_eq!(placed["events_per_second"], json!({"low": 10, "high": 240}));
    assert_eq!(
        placed["bytes_per_second"],
        json!({"low": 10 * stored, "high": 240 * stored})
    );
    assert_eq!(
        placed["disk_bytes"],
        json!({"low": 36_000 * stored, "high": 864_000 * stored})
    );
    assert_eq!(
        placed["partitions"],
        json!({"planned": 3, "needed": 3, "contract": 1})
    );
    assert_eq!(
        (&placed["kept"], &placed["retention_seconds"]),
        (&json!("for"), &json!(3600))
    );
    assert_eq!(
        document["total"]["events_per_second"],
        json!({"low": 14, "high": 256})
    );
    let warning = document["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("needs 3 partitions"), "{warning}");
}

#[test]
fn table_shows_totals_and_assumptions() {
    let sandbox = Sandbox::with(&[("books.yaml", BARE), ("orders.yaml", ORDERS)]);
    let run = sandbox.herald(&[
        "volume",
        "--rate",
        "10",
        "--retention",
        "1d",
        "--replication",
        "3",
    ]);
    let table = run.exits(0).stdout;
    for part in [
        "books  reducer, 10 requests/s",
        "fold           1 run  2 events",
        "order.placed     0.5–3    0.5–3 events",
        "1 d ×3",
        "assumed once per request, because `per_request` is not set: fold, state changes, metrics",
        "shop.orders.v1",
    ] {
        assert!(table.contains(part), "{part}\n{table}");
    }
    // 10 × (4 + 0.7) and 10 × (4 + 3.2), in a second and in a day.
    let total = table
        .lines()
        .find(|line| line.starts_with("total"))
        .expect("a total");
    assert!(
        total.contains("47–72") && total.contains("4.06–6.22 M"),
        "{total}"
    );
}

#[test]
fn estimates_per_request_without_a_rate() {
    let sandbox = Sandbox::with(&[("books.yaml", BARE)]);
    let table = sandbox.herald(&["volume"]).exits(0).stdout;
    assert!(
        table.contains("EVENTS/REQUEST") && !table.contains("EVENTS/S"),
        "{table}"
    );
    assert!(
        table.contains("no request rate: books; give --rate, or"),
        "{table}"
    );
    let document = sandbox
        .herald(&["volume", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(
        document["total"]["events_per_request"],
        json!({"low": 4, "high": 4})
    );
    assert_eq!(document["total"]["events_per_second"], Value::Null);
}

#[test]
fn prints_markdown_tables() {
    let sandbox = Sandbox::with(&[("orders.yaml", ORDERS)]);
    let text = sandbox
        .herald(&["volume", "--format", "markdown"])
        .exits(0)
        .stdout;
    assert!(
        text.starts_with("## orders\n\n20–80 requests per second.\n"),
        "{text}"
    );
    assert!(text.contains("| order.placed | 0.5–3 | 0.5–3 |"), "{text}");
    assert!(text.contains("| `shop.orders.v1` |"), "{text}");
    let columns = |line: &str| line.matches('|').count();
    let (_, topics) = text.split_once("## Topics\n\n").expect("topics");
    let rows: Vec<_> = topics.lines().take_while(|line| !line.is_empty()).collect();
    assert!(rows.iter().all(|row| columns(row) == 11), "{rows:#?}");
}

#[test]
fn rejects_invalid_rates() {
    let wrong = ORDERS.replace("[20, 80]", "[80, 20]");
    let sandbox = Sandbox::with(&[("orders.yaml", &wrong)]);
    let run = sandbox.herald(&["volume"]).exits(1);
    assert!(run.stderr.contains("error[volume.range]"), "{}", run.stderr);
    for rate in ["80-20", "-1", "many", "NaN", "1e300", ""] {
        let run = sandbox
            .herald(&["volume", &format!("--rate={rate}")])
            .exits(2);
        assert!(run.stderr.contains("20-80"), "{rate}: {}", run.stderr);
    }
    for bytes in ["0", "5 miles", "-1", "99GB"] {
        sandbox
            .herald(&["volume", &format!("--partition-throughput={bytes}")])
            .exits(2);
    }
}

#[test]
fn volume_escapes_control_characters() {
    let text = "node_type: effect\nservice_name: x\noperations: [\"a\\e[31mb\"]\n\
                events: [{event_type: \"c\\e]0;owned\\a\", topic: \"t\\e[2J\"}]\n";
    let sandbox = Sandbox::with(&[("x.yaml", text)]);
    for format in ["table", "markdown", "json"] {
        let run = sandbox.herald(&["volume", "--rate", "1", "--format", format]);
        assert!(!run.stdout.contains('\u{1b}'), "{format}: {}", run.stdout);
        assert!(run.stdout.contains("owned"), "{format}");
    }
}

#[test]
fn documentation_shows_the_output_of_the_command() {
    let page = include_str!("../../../../docs/capacity-planning.md");
    let run = Sandbox::new()
        .command("", &["volume", "orchestrator.yaml"])
        .current_dir(project("examples/volume"))
        .output()
        .expect("herald runs");
    let printed = String::from_utf8(run.stdout).expect("UTF-8");
    let (_, rest) = page
        .split_once("```text\n$ herald volume orchestrator.yaml\n")
        .expect("a run");
    let (shown, _) = rest.split_once("```").expect("its end");
    assert_eq!(shown.trim_end(), printed.trim_end());
}

#[test]
fn real_contracts_have_a_volume() {
    let contracts = project("../shared/fixtures/onex-contracts");
    if !contracts.is_dir() {
        // Not by a macro: the test harness would keep that for itself.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: there is no {}",
            contracts.display()
        );
        return;
    }
    let contracts = contracts.to_string_lossy();
    let run = Sandbox::new().herald(&[
        "volume",
        &contracts,
        "--rate",
        "10",
        "--retention",
        "7d",
        "--format",
        "json",
    ]);
    let document = run.exits(0).json();
    let contracts = document["contracts"].as_array().expect("contracts");
    assert_eq!(contracts.len(), 40);
    for contract in contracts {
        for event in contract["events"].as_array().expect("events") {
            assert!(event["bytes"]["value"].as_u64() > Some(300), "{event}");
        }
    }
    for topic in document["topics"].as_array().expect("topics") {
        assert!(
            topic["partitions"]["planned"].as_u64() >= Some(1),
            "{topic}"
        );
    }
    assert!(document["total"]["disk_bytes"]["high"].as_f64() > Some(1e9));
}
