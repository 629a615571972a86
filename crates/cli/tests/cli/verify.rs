//! `herald verify` with good events and with one of each kind of corruption.

use serde_json::{Value, json};

use crate::support::{Run, Sandbox};

pub const CONTRACT: &str = "\
node_type: effect
service_name: shop
operations: [place]
include_metric_events: false
states:
  names: [idle, busy]
  initial: idle
  transitions: [{from: idle, to: busy}, {from: busy, to: idle}]
events:
  - event_type: order.placed
    topic: shop.order.placed.v1
    partition_key: order
    payload: {order: string, total: decimal}
";

/// An envelope of an event, with a number in its ids.
fn envelope(number: u32, event_type: &str, payload: &Value) -> Value {
    json!({
        "envelope_version": "1.0",
        "event_id": format!("0191c2a0-5b7e-7cc1-8d2f-{number:012x}"),
        "event_type": event_type,
        "event_version": "1.0.0",
        "event_timestamp": format!("2026-01-01T00:{:02}:00Z", number % 60),
        "source_node_id": "shop-1",
        "source_service": "shop",
        "source_version": "1.0.0",
        "correlation_id": "0191c2a0-5b7e-7cc1-8d2f-aaaaaaaaaaaa",
        "environment": "test",
        "payload": payload,
        "metadata": {},
    })
}

fn run_of(number: u32, stage: &str, field: &str) -> Value {
    let mut payload = json!({
        "operation": "place", "correlation_id": "0191c2a0-5b7e-7cc1-8d2f-aaaaaaaaaaaa",
        "node_id": "shop-1", "success": true, "execution_time_ms": 3.5,
        "input_summary": {}, "result_summary": {},
    });
    payload[field] = json!("2026-01-01T00:00:00Z");
    envelope(number, &format!("effect.place.{stage}"), &payload)
}

fn state(number: u32, old: &str, new: &str) -> Value {
    let payload = json!({
        "node_id": "shop-1", "node_type": "effect", "correlation_id": "0191c2a0-5b7e-7cc1-8d2f-aaaaaaaaaaaa",
        "changed_at": "2026-01-01T00:00:00Z", "old_state": old, "new_state": new, "transition_reason": "x",
    });
    envelope(number, "effect.state.changed", &payload)
}

pub fn placed(number: u32) -> Value {
    let mut event = envelope(
        number,
        "order.placed",
        &json!({"order": "o-7", "total": "12.50"}),
    );
    event["partition_key"] = json!("o-7");
    event
}

/// A record as `herald listen --format jsonl` writes it.
fn record(topic: &str, key: &str, envelope: &Value) -> Value {
    json!({"topic": topic, "partition": 0, "offset": 7, "timestamp": null, "key": key, "headers": [], "envelope": envelope})
}

fn good() -> Vec<Value> {
    vec![
        run_of(1, "started", "started_at"),
        run_of(2, "completed", "completed_at"),
        state(3, "idle", "busy"),
        state(4, "busy", "idle"),
        placed(5),
        record("shop.order.placed.v1", "o-7", &placed(6)),
    ]
}

fn verify(events: &[Value], args: &[&str]) -> Run {
    let lines: Vec<_> = events.iter().map(Value::to_string).collect();
    verify_text(&lines.join("\n"), args)
}

fn verify_text(text: &str, args: &[&str]) -> Run {
    let sandbox = Sandbox::with(&[("shop.yaml", CONTRACT), ("events.jsonl", text)]);
    let base = ["verify", "shop.yaml", "--from-file", "events.jsonl"];
    sandbox.herald(&[&base[..], args].concat())
}

#[test]
fn good_events_conform_and_their_coverage_is_shown() {
    let run = verify(&good(), &[]).exits(0);
    assert_eq!(
        run.stderr,
        "conform: 6 events, 4 of 5 declared events seen\n"
    );
    assert!(!run.stdout.contains("PROBLEM"), "{}", run.stdout);
    assert!(run.stdout.contains("shop  order.placed"), "{}", run.stdout);
    let run = verify(&good(), &["--require-coverage"]).exits(1);
    assert!(
        run.stderr.contains("1 declared event not seen"),
        "{}",
        run.stderr
    );
}

#[test]
fn nothing_is_never_good() {
    for text in ["", "\n \n"] {
        let run = verify_text(text, &[]).exits(1);
        assert!(
            run.stderr.contains("there were no events"),
            "{}",
            run.stderr
        );
    }
}

/// Each corruption, and the kind that it is found as.
fn corruptions() -> Vec<(&'static str, Value)> {
    let changed = |pointer: &str, value: Value| {
        let mut event = placed(20);
        *event.pointer_mut(pointer).expect("a field") = value;
        event
    };
    let without = |field: &str| {
        let mut event = placed(20);
        event.as_object_mut().unwrap().remove(field);
        event
    };
    let mut private = placed(20);
    private["payload"]["note"] = json!("password=hunter2");
    let mut late = run_of(20, "completed", "completed_at");
    late["correlation_id"] = json!("0191c2a0-5b7e-7cc1-8d2f-bbbbbbbbbbbb");
    let mut incomplete = run_of(20, "failed", "failed_at");
    incomplete["payload"]["error_type"] = json!("E");
    vec![
        ("envelope", json!({"hello": "world"})),
        ("envelope", json!([])),
        ("envelope", without("event_id")),
        ("envelope", changed("/event_timestamp", json!("yesterday"))),
        (
            "envelope",
            record("shop.order.placed.v1", "k", &Value::Null),
        ),
        ("event-type", changed("/event_type", json!("order.payed"))),
        ("payload", changed("/payload/total", json!(12.5))),
        ("payload", changed("/payload", json!({"order": "o-7"}))),
        (
            "payload",
            changed("/payload", json!({"order": "o-7", "total": "1", "totl": 1})),
        ),
        ("topic", record("shop.order.placed.v2", "o-7", &placed(20))),
        ("key", record("shop.order.placed.v1", "o-8", &placed(20))),
        ("key", changed("/partition_key", json!("o-8"))),
        (
            "time",
            changed("/event_timestamp", json!("2999-01-01T00:00:00Z")),
        ),
        (
            "time",
            changed("/event_timestamp", json!("1970-01-01T00:00:00Z")),
        ),
        ("correlation", without("correlation_id")),
        ("duplicate", placed(5)),
        ("lifecycle", late),
        ("state", state(20, "idle", "paused")),
        ("state", state(20, "busy", "idle")),
        ("secret", private),
    ]
}

#[test]
fn each_corruption_is_found_as_what_it_is() {
    for (kind, event) in corruptions() {
        let mut events = good();
        events.push(event.clone());
        let run = verify(&events, &["--format", "json"]).exits(1);
        let document = run.json();
        let kinds: Vec<_> = document["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect();
        assert!(
            kinds.contains(&kind.to_owned()),
            "{kind}: {kinds:?}\n{event}"
        );
        // A field that is not declared is one too; nothing else is invented.
        let invented: Vec<_> = kinds
            .iter()
            .filter(|found| *found != kind && *found != "payload")
            .collect();
        assert!(invented.is_empty(), "{kind}: {kinds:?}\n{event}");
        let places = &document["problems"][0]["samples"][0]["place"];
        assert!(places.as_str().unwrap().starts_with("line 7"), "{places}");
    }
}

#[test]
fn runs_without_an_end_are_found_after_their_time() {
    let mut events = vec![run_of(1, "started", "started_at")];
    events.push(placed(4));
    verify(&events, &[]).exits(0);
    let run = verify(&events, &["--run-timeout", "2m"]).exits(1);
    assert!(
        run.stdout.contains("the run has no end within 120 s"),
        "{}",
        run.stdout
    );
}

#[test]
fn starts_and_ends_are_matched_in_any_order() {
    // They are on topics of their own, which are not read in the order of time.
    let run = |number, stage: &str, correlation: &str| {
        let mut event = run_of(number, stage, &format!("{stage}_at"));
        event["correlation_id"] = json!(format!("0191c2a0-5b7e-7cc1-8d2f-{correlation:0>12}"));
        event
    };
    let mut events = vec![
        run(1, "completed", "a"),
        run(2, "completed", "b"),
        run(3, "started", "a"),
        // Two runs of one request.
        run(4, "started", "b"),
        run(5, "started", "b"),
        run(6, "completed", "b"),
    ];
    verify(&events, &["--run-timeout", "0s"]).exits(0);
    events.push(run(7, "completed", "b"));
    let run = verify(&events, &["--run-timeout", "0s"]).exits(1);
    let part = "the run ended without a start";
    assert!(run.stdout.contains(part), "{}", run.stdout);
    assert!(run.stderr.contains("1 problem"), "{}", run.stderr);
}

#[test]
fn changes_of_states_in_several_partitions_have_no_order() {
    let in_partition = |number: i32, event: &Value| {
        let mut record = record("dev.shop.effect.state.changed.v1", "k", event);
        record["key"] = event["correlation_id"].clone();
        record["partition"] = number.into();
        record
    };
    let changes = [
        state(1, "busy", "idle"),
        state(2, "idle", "busy"),
        state(3, "idle", "busy"),
    ];
    let events = |partitions: [i32; 3]| -> Vec<_> {
        let pairs = partitions.into_iter().zip(&changes);
        pairs
            .map(|(number, event)| in_partition(number, event))
            .collect()
    };
    verify(&events([0, 1, 0]), &[]).exits(0);
    let run = verify(&events([2, 2, 2]), &[]).exits(1);
    let part = "its old state is not the new state of the event before";
    assert!(run.stdout.contains(part), "{}", run.stdout);
}

#[test]
fn private_fields_are_names_of_their_types() {
    let contract = CONTRACT.replace(
        "total: decimal}",
        "total: decimal, phone: {type: string, privacy: private}}",
    );
    let with = |phone: &str| {
        let mut event = placed(1);
        event["payload"]["phone"] = json!(phone);
        let sandbox = Sandbox::with(&[
            ("shop.yaml", contract.as_str()),
            ("events.jsonl", &event.to_string()),
        ]);
        sandbox.herald(&["verify", "shop.yaml", "--from-file", "events.jsonl"])
    };
    with("str").exits(0);
    let run = with("+49 30 1234").exits(1);
    assert!(
        run.stdout.contains("payload.phone is private"),
        "{}",
        run.stdout
    );
}

#[test]
fn only_chosen_kinds_fail() {
    let mut events = good();
    events.push(placed(5));
    verify(&events, &["--fail-on", "payload"]).exits(0);
    verify(&events, &["--fail-on", "payload", "--fail-on", "duplicate"]).exits(1);
    let run = verify(&events, &["--fail-on", "luck"]).exits(2);
    assert!(
        run.stderr.contains("is not a kind of problem"),
        "{}",
        run.stderr
    );
}

#[test]
fn values_of_events_are_in_no_report() {
    let mut event = placed(9);
    event["payload"]["total"] = json!("hunter2<&\u{1b}[31m");
    event["event_type"] = json!("order.placed");
    let mut broken = placed(10).to_string();
    broken.insert_str(20, "hunter2\u{1b}");
    for format in ["table", "json", "junit"] {
        let text = format!(
            "{event}\n{broken}\nhunter2\n\u{feff}\n{}",
            "[".repeat(100_000)
        );
        let run = verify_text(&text, &["--format", format]).exits(1);
        assert!(!run.stdout.contains("hunter2"), "{format}\n{}", run.stdout);
        assert!(!run.stdout.contains('\u{1b}'), "{format}\n{}", run.stdout);
    }
    let run = verify(&good(), &["--format", "junit"]).exits(0);
    assert!(run.stdout.contains("failures=\"0\""), "{}", run.stdout);
}

#[test]
fn events_are_judged_by_the_contract_of_their_version() {
    let both = format!(
        "{CONTRACT}  - {{event_type: order.placed, topic: shop.order.placed.v2, partition_key: order, \
         payload: {{order: string, total: integer}}}}\n"
    );
    let version = |number: u32, version: &str, total: &Value| {
        let mut event = placed(number);
        event["event_version"] = json!(version);
        event["payload"]["total"] = total.clone();
        event
    };
    let events = [
        version(1, "1.0", &json!("12.50")),
        version(2, "2.1", &json!(12)),
        version(3, "2.0", &json!("12.50")),
        version(4, "3.0", &json!(12)),
    ];
    let lines: Vec<_> = events.iter().map(Value::to_string).collect();
    let sandbox = Sandbox::with(&[("shop.yaml", &both), ("events.jsonl", &lines.join("\n"))]);
    let run = sandbox
        .herald(&["verify", "shop.yaml", "--from-file", "events.jsonl"])
        .exits(1);
    for part in [
        "payload.total must be a whole number, found other text",
        "no contract declares version 3 of this event type",
    ] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
    assert!(!run.stdout.contains("decimal"), "{}", run.stdout);
}
