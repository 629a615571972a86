//! `herald topics`, against a real cluster where `KAFKA_BOOTSTRAP_SERVERS` names one. The cluster
//! in memory answers no such requests.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::{Run, Sandbox};

/// Whether there is a real cluster.
pub fn real_kafka() -> bool {
    let there = std::env::var_os("KAFKA_BOOTSTRAP_SERVERS").is_some();
    if !there {
        eprintln!("skipped: KAFKA_BOOTSTRAP_SERVERS names no Kafka; `scripts/kafka run` does");
    }
    there
}

/// A topic that no other test, and no earlier run on the same cluster, has.
pub fn fresh(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test.cli.{what}.{}-{number}", std::process::id())
}

/// A contract that declares one event on this topic.
pub fn contract(topic: &str, settings: &str) -> String {
    format!(
        "node_type: effect\nservice_name: shop\ninclude_state_events: false\n\
         include_metric_events: false\nevents:\n  - event_type: x\n    topic: {topic}\n    \
         topic_settings: {settings}\n"
    )
}

fn topics(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.herald(&[&["topics"], args].concat())
}

#[test]
fn applies_a_plan_only_with_yes() {
    if !real_kafka() {
        return;
    }
    let topic = fresh("yes");
    let text = contract(&topic, "{partitions: 4, config: {retention.ms: 86400000}}");
    let sandbox = Sandbox::with(&[("shop.yaml", text.as_str())]);
    let plan = topics(&sandbox, &["plan", "shop.yaml"]).exits(1);
    let line = format!("+ {topic}  4 partitions, retention.ms=86400000");
    assert!(plan.stdout.contains(&line), "{}", plan.stdout);
    assert!(
        plan.stdout.contains("1 topic: 1 to create"),
        "{}",
        plan.stdout
    );

    let shown = topics(&sandbox, &["apply", "shop.yaml"]).exits(1);
    assert_eq!(shown.stdout, plan.stdout);
    assert!(
        shown
            .stderr
            .contains("Nothing was changed; apply the plan with --yes"),
        "{}",
        shown.stderr
    );
    topics(&sandbox, &["plan", "shop.yaml"]).exits(1);

    let done = topics(&sandbox, &["apply", "shop.yaml", "--yes"]).exits(0);
    let line = format!("created {topic}  4 partitions, 1 replica");
    assert!(done.stdout.contains(&line), "{}", done.stdout);
    let plan = topics(&sandbox, &["plan", "shop.yaml"]).exits(0);
    assert!(
        plan.stdout.contains("1 topic: 1 in sync"),
        "{}",
        plan.stdout
    );
    // Once more does no harm and changes nothing.
    let again = topics(&sandbox, &["apply", "shop.yaml", "--yes"]).exits(0);
    assert_eq!(again.stdout, plan.stdout);
}

#[test]
fn plan_shows_drift_and_manual_changes() {
    if !real_kafka() {
        return;
    }
    let topic = fresh("drift");
    let sandbox = Sandbox::with(&[
        (
            "old.yaml",
            &contract(&topic, "{partitions: 4, config: {retention.ms: 1000}}"),
        ),
        (
            "new.yaml",
            &contract(
                &topic,
                "{partitions: 6, replication_factor: 3, config: {retention.ms: 2000}}",
            ),
        ),
        ("fewer.yaml", &contract(&topic, "{partitions: 2}")),
    ]);
    topics(&sandbox, &["apply", "old.yaml", "--yes"]).exits(0);
    let plan = topics(&sandbox, &["plan", "new.yaml"]).exits(1);
    for part in [
        "4 → 6",
        "the order of a key",
        "1000 → 2000",
        "1, the contract sets 3",
        "kafka-reassign-partitions.sh",
        "1 to change, 1 to change manually",
    ] {
        assert!(plan.stdout.contains(part), "{part}: {}", plan.stdout);
    }
    // What can be done is done; the replicas are left.
    let done = topics(&sandbox, &["apply", "new.yaml", "--yes"]).exits(1);
    assert!(
        done.stdout
            .contains("1 topic changed, 1 to change manually"),
        "{}",
        done.stdout
    );
    let plan = topics(&sandbox, &["plan", "fewer.yaml"]).exits(1);
    assert!(
        plan.stdout.contains("6, the contract sets 2"),
        "{}",
        plan.stdout
    );
    let nothing = topics(&sandbox, &["apply", "fewer.yaml", "--yes"]).exits(1);
    assert_eq!(nothing.stdout, plan.stdout);
}

#[test]
fn plan_and_outcome_as_json() {
    if !real_kafka() {
        return;
    }
    let (good, bad) = (fresh("good"), fresh("bad"));
    let sandbox = Sandbox::with(&[
        ("a.yaml", contract(&good, "{partitions: 2}").as_str()),
        (
            "b.yaml",
            &contract(&bad, "{config: {retention.ms: a week}}"),
        ),
    ]);
    let plan = topics(&sandbox, &["plan", ".", "--format", "json"])
        .exits(1)
        .json();
    assert_eq!(
        plan["summary"],
        json!({"create": 2, "change": 0, "by_hand": 0, "in_sync": 0})
    );
    let of = |document: &Value, topic: &str| {
        let topics = document["topics"].as_array().unwrap();
        let entry = topics.iter().find(|entry| entry["topic"] == topic);
        entry.unwrap().clone()
    };
    assert_eq!(of(&plan, &good)["action"], "create");
    assert_eq!(of(&plan, &good)["contracts"], json!(["./a.yaml"]));
    assert_eq!(of(&plan, &good)["refusal"], Value::Null);
    assert_eq!(
        of(&plan, &bad)["refusal"],
        json!({"code": "invalid_config", "detail": "Kafka does not accept retention.ms=a week"})
    );
    // One fails, the other is made, and both are told.
    let done = topics(&sandbox, &["apply", ".", "--yes", "--format", "json"])
        .exits(2)
        .json();
    assert_eq!(of(&done, &good)["result"]["failure"], Value::Null);
    assert_eq!(of(&done, &good)["result"]["left"], json!([]));
    assert_eq!(
        of(&done, &bad)["result"]["failure"]["code"],
        "invalid_config"
    );
    assert_eq!(of(&done, &bad)["result"]["done"], json!([]));
    let text = topics(&sandbox, &["apply", ".", "--yes"]).exits(2);
    assert!(
        text.stdout.contains(&format!("failed  {bad}")),
        "{}",
        text.stdout
    );
}

#[test]
fn options_set_defaults_of_new_topics() {
    if !real_kafka() {
        return;
    }
    let topic = fresh("options");
    let sandbox = Sandbox::with(&[("shop.yaml", contract(&topic, "{}").as_str())]);
    let args = [
        "apply",
        "shop.yaml",
        "--partitions",
        "2",
        "--replication-factor",
        "1",
    ];
    let args = [&args[..], &["--dead-letters", "--yes"]].concat();
    let run = topics(&sandbox, &args).exits(0);
    for topic in [topic.clone(), format!("{topic}.dlq")] {
        assert!(
            run.stdout.contains(&format!("created {topic}")),
            "{}",
            run.stdout
        );
    }
    // They are for new topics only: with others, nothing is out of sync.
    let more = ["plan", "shop.yaml", "--partitions", "9", "--dead-letters"];
    topics(&sandbox, &more).exits(0);
}

#[test]
fn creates_consumed_topics_only_on_request() {
    if !real_kafka() {
        return;
    }
    let topic = fresh("consumed");
    let text = format!(
        "name: node_reader\ncontract_version: {{major: 1, minor: 0, patch: 0}}\n\
         event_bus:\n  subscribe_topics: [{topic}]\n"
    );
    let sandbox = Sandbox::with(&[("contract.yaml", text.as_str())]);
    let plan = topics(&sandbox, &["plan", "contract.yaml"]).exits(0);
    assert!(
        plan.stdout
            .contains(&format!("? {topic}  by contract.yaml")),
        "{}",
        plan.stdout
    );
    assert!(
        plan.stdout
            .contains("The contracts do not publish to any topic"),
        "{}",
        plan.stdout
    );
    topics(&sandbox, &["plan", "contract.yaml", "--consumed"]).exits(1);
    topics(&sandbox, &["apply", "contract.yaml", "--consumed", "--yes"]).exits(0);
    let plan = topics(&sandbox, &["plan", "contract.yaml"]).exits(0);
    assert!(!plan.stdout.contains(&topic), "{}", plan.stdout);
}

#[test]
fn reports_conflicting_contracts_before_connecting() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    let sandbox = Sandbox::with(&[
        (
            "a.yaml",
            contract("t", "{partitions: 2, config: {retention.ms: 1}}").as_str(),
        ),
        (
            "b.yaml",
            &contract("t", "{partitions: 3, config: {retention.ms: 2}}"),
        ),
    ]);
    let args = ["plan", ".", "--bootstrap-servers", &address];
    let run = topics(&sandbox, &args).exits(2);
    for part in [
        "partitions is 2 in ./a.yaml and 3 in ./b.yaml",
        "retention.ms is 1 in ./a.yaml and 2 in ./b.yaml",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    // Nobody knocked.
    free.set_nonblocking(true).unwrap();
    assert!(free.accept().is_err());
}

#[test]
fn refuses_to_plan_with_invalid_contracts() {
    let sandbox = Sandbox::with(&[("bad.yaml", "node_type: efect\nservice_name: a\n")]);
    let run = topics(
        &sandbox,
        &["plan", "bad.yaml", "--bootstrap-servers", "127.0.0.1:1"],
    );
    let run = run.exits(2);
    assert!(
        run.stderr.contains("nothing was compared"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_impossible_topic_does_not_fail_the_others() {
    if !real_kafka() {
        return;
    }
    let (good, huge, wide, odd) = (fresh("good"), fresh("huge"), fresh("wide"), fresh("odd"));
    let sandbox = Sandbox::with(&[
        ("good.yaml", &contract(&good, "{partitions: 2}")),
        ("huge.yaml", &contract(&huge, "{partitions: 200000}")),
        ("wide.yaml", &contract(&wide, "{replication_factor: 100}")),
        ("odd.yaml", &contract(&odd, "{config: {retention.ms: -5}}")),
    ]);
    let paths = ["good.yaml", "huge.yaml", "wide.yaml", "odd.yaml"];
    let plan = topics(&sandbox, &[&["plan"][..], &paths].concat()).exits(1);
    for part in [
        "200000 partitions are too many; Kafka takes at most 10000",
        "100 replicas need as many brokers; the cluster has 1 broker",
        "retention.ms=-5",
    ] {
        assert!(plan.stdout.contains(part), "{part}: {}", plan.stdout);
    }
    let done = topics(&sandbox, &[&["apply", "--yes"][..], &paths].concat()).exits(2);
    for part in [
        format!("created {good}  2 partitions, 1 replica"),
        format!("failed  {huge}  200000 partitions are too many"),
        format!("failed  {wide}  100 replicas"),
        format!("failed  {odd} "),
        "1 topic changed, 3 failed".to_owned(),
    ] {
        assert!(done.stdout.contains(&part), "{part}: {}", done.stdout);
    }
    topics(&sandbox, &["plan", "good.yaml"]).exits(0);
}
