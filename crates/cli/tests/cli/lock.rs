//! `herald lock` and comparisons with lock files.

use crate::support::Sandbox;

const SHOP: &str = "\
node_type: effect
service_name: shop
version: 1.2.0
description: Sells things.
operations:
  - place
  - {name: cancel, input: {order: {type: uuid, privacy: public}}, instrument: {events: outcomes}}
include_state_events: false
include_metric_events: false
events:
  - event_type: goods.returned
    topic: \"{namespace}.goods.returned.v1\"
    description: Something came back.
    partition_key: order
    topic_settings: {partitions: 6, config: {retention.ms: 604800000}}
    payload:
      order: uuid
      kind: {type: string, enum: [refund, voucher]}
      lines: {type: list, items: Line, min_items: 1}
      note: {type: string, required: false, max_length: 200}
definitions:
  Line: {fields: {article: string, price: decimal}}
";

fn project() -> Sandbox {
    Sandbox::with(&[
        ("herald.yaml", "contracts: [contracts]\n"),
        ("contracts/shop.yaml", SHOP),
    ])
}

#[test]
fn writes_one_fact_a_line_without_prose() {
    let sandbox = project();
    let run = sandbox.herald(&["lock"]).exits(0);
    assert_eq!(run.stderr, "wrote herald.lock (1 contract)\n");
    assert_shop(&sandbox.read("herald.lock"));
    sandbox.herald(&["lock", "--check"]).exits(0);
    let run = sandbox.herald(&["lock"]).exits(0);
    assert_eq!(run.stderr, "up to date: herald.lock with 1 contract\n");
}

fn assert_shop(text: &str) {
    let expected = "\
# Published contracts. Written by `herald lock`, compared by `herald breaking --against lock`.
herald_lock: 1
---
node: shop
path: contracts/shop.yaml
node_type: effect
service_name: shop
version: \"1.2.0\"
operations:
  - place
  - name: cancel
    input:
      order:
        type: uuid
        privacy: public
    instrument:
      events: outcomes
events:
  - {event_type: effect.place.started, topic: \"{namespace}.shop.effect.place.started.v1\", stage: operation_started, operation: place}
  - {event_type: effect.place.completed, topic: \"{namespace}.shop.effect.place.completed.v1\", stage: operation_completed, operation: place}
  - {event_type: effect.place.failed, topic: \"{namespace}.shop.effect.place.failed.v1\", stage: operation_failed, operation: place}
  - {event_type: effect.cancel.started, topic: \"{namespace}.shop.effect.cancel.started.v1\", stage: operation_started, operation: cancel}
  - {event_type: effect.cancel.completed, topic: \"{namespace}.shop.effect.cancel.completed.v1\", stage: operation_completed, operation: cancel}
  - {event_type: effect.cancel.failed, topic: \"{namespace}.shop.effect.cancel.failed.v1\", stage: operation_failed, operation: cancel}
  - event_type: goods.returned
    topic: \"{namespace}.goods.returned.v1\"
    partition_key: order
    topic_settings:
      partitions: 6
      config:
        retention.ms: \"604800000\"
    payload:
      order: uuid
      kind:
        enum: [refund, voucher]
      lines:
        type: list[Line]
        min_items: 1
      note:
        type: string
        max_length: 200
        required: false
definitions:
  Line:
    fields:
      article: string
      price: decimal
";
    assert_eq!(text, expected);
}

#[test]
fn finds_what_breaks_since_the_lock_file() {
    let sandbox = project();
    let against = ["breaking", "--against", "lock"];
    let run = sandbox.herald(&against).exits(2);
    assert!(
        run.stderr.contains("`herald lock` writes the lock file"),
        "{}",
        run.stderr
    );

    sandbox.herald(&["lock"]).exits(0);
    sandbox.herald(&against).exits(0);
    sandbox.write(
        "contracts/shop.yaml",
        SHOP.replace("voucher]", "voucher, goodwill]"),
    );
    let run = sandbox.herald(&against).exits(1);
    for part in [
        "--> contracts/shop.yaml:18:7",
        "::: herald.lock (before):34:7",
        "`{\"kind\":\"goodwill\"}` can be published now",
    ] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
    // From below the project, with an explicit file, and for some of the contracts.
    sandbox.herald_in("contracts", &against).exits(1);
    sandbox
        .herald(&["breaking", "contracts", "--against", "herald.lock"])
        .exits(1);
    sandbox.write(
        "contracts/other.yaml",
        SHOP.replace("service_name: shop", "service_name: other"),
    );
    sandbox.herald(&["lock", "--force"]).exits(0);
    sandbox
        .herald(&["breaking", "contracts/other.yaml", "--against", "lock"])
        .exits(0);
}

#[test]
fn a_topic_pattern_of_the_project_is_part_of_the_lock() {
    let sandbox = project();
    sandbox.herald(&["lock"]).exits(0);
    let pattern = "topic_pattern: \"{namespace}.{event_type}.v{major}\"\n";
    sandbox.write("herald.yaml", format!("contracts: [contracts]\n{pattern}"));
    let run = sandbox.herald(&["breaking", "--against", "lock"]).exits(1);
    assert!(run.stdout.contains("event.topic_changed"), "{}", run.stdout);
}

#[test]
fn headers_of_the_project_are_part_of_the_lock() {
    let sandbox = project();
    let with_headers = |headers: &str| {
        let text = format!("contracts: [contracts]\nheaders: {headers}\n");
        sandbox.write("herald.yaml", text);
        sandbox.herald(&["breaking", "--against", "lock"])
    };
    let text = "contracts: [contracts]\nheaders: [event_type, event_id]\n";
    sandbox.write("herald.yaml", text);
    sandbox.herald(&["lock"]).exits(0);
    let locked = sandbox.read("herald.lock");
    assert!(
        locked.contains("\nheaders: [event_id, event_type]\n"),
        "{locked}"
    );
    with_headers("[event_id, event_type, traceparent]").exits(0);
    let run = with_headers("[event_id]").exits(1);
    let message = "the header `event_type` of the node's events is not written any more";
    for part in ["node.headers_removed", message] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    with_headers("[]").exits(1);
    // Without the setting, all are written.
    sandbox.write("herald.yaml", "contracts: [contracts]\n");
    sandbox.herald(&["breaking", "--against", "lock"]).exits(0);
}

#[test]
fn does_not_write_breaking_changes_unless_forced() {
    let sandbox = project();
    sandbox.herald(&["lock"]).exits(0);
    let before = sandbox.read("herald.lock");
    sandbox.write(
        "contracts/shop.yaml",
        SHOP.replace("      kind: {type: string, enum: [refund, voucher]}\n", ""),
    );
    let run = sandbox.herald(&["lock"]).exits(1);
    assert!(
        run.stderr
            .contains("nothing was written. --force writes it"),
        "{}",
        run.stderr
    );
    assert_eq!(sandbox.read("herald.lock"), before);
    let run = sandbox.herald(&["lock", "--check"]).exits(1);
    assert!(run.stdout.contains("-      kind:"), "{}", run.stdout);
    assert!(
        run.stderr
            .contains("herald.lock is stale; run `herald lock`"),
        "{}",
        run.stderr
    );
    sandbox.herald(&["lock", "--force"]).exits(0);
    sandbox.herald(&["breaking", "--against", "lock"]).exits(0);
}

#[test]
fn points_at_the_line_of_a_damaged_lock_file() {
    let sandbox = project();
    sandbox.herald(&["lock"]).exits(0);
    let text = sandbox.read("herald.lock");
    for (damaged, code, place) in [
        (
            text.replace("node: shop", "nod: shop"),
            "lock.invalid",
            "herald.lock:4:1",
        ),
        (
            text.replace("herald_lock: 1", "herald_lock: 99"),
            "version 99",
            "herald.lock:2:1",
        ),
        (
            text.replace("stage: operation_started", "stage: begun"),
            "no stage `begun`",
            "herald.lock:19:",
        ),
        (
            text.replace("payload:", "payload: ]"),
            "yaml.syntax",
            "herald.lock:32:",
        ),
        (
            "services: {}\n".to_owned(),
            "not a lock file",
            "herald.lock:1:1",
        ),
        (String::new(), "yaml.empty", "herald.lock"),
    ] {
        sandbox.write("herald.lock", &damaged);
        let run = sandbox.herald(&["breaking", "--against", "lock"]).exits(2);
        assert!(
            run.stderr.contains(code) && run.stderr.contains(place),
            "{code}\n{}",
            run.stderr
        );
    }
    // Line ends of another system do not matter.
    sandbox.write("herald.lock", text.replace('\n', "\r\n"));
    sandbox.herald(&["breaking", "--against", "lock"]).exits(0);
    sandbox.herald(&["lock", "--check"]).exits(0);
}

#[test]
fn the_lock_file_has_a_place_of_its_own() {
    let sandbox = project();
    sandbox.write(
        "herald.yaml",
        "contracts: [contracts]\nlock: published/events.lock\n",
    );
    sandbox.herald(&["lock"]).exits(0);
    assert!(sandbox.exists("published/events.lock"));
    sandbox.herald(&["breaking", "--against", "lock"]).exits(0);
    let run = sandbox.herald(&["lock", "--out", "events.yaml"]).exits(2);
    assert!(
        run.stderr.contains("has to end with `.lock`"),
        "{}",
        run.stderr
    );
}

#[test]
fn other_commands_read_lock_files() {
    let sandbox = project();
    sandbox.herald(&["lock"]).exits(0);
    let run = sandbox
        .herald(&["catalog", "herald.lock", "--topics"])
        .exits(0);
    assert!(run.stdout.contains("goods.returned"), "{}", run.stdout);
}
