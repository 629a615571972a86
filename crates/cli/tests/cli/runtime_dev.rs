//! `herald dev`: a cluster for a terminal.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use crate::spools::signal;
use crate::support::{Run, Sandbox};

const CONTRACT: &str = "\
node_type: effect
service_name: shop
operations: [place]
include_state_events: false
include_metric_events: false
events:
  - {event_type: order.placed, topic: shop.orders.v1, topic_settings: {partitions: 5}}
";

/// A running `herald dev` and where its brokers are.
struct Dev {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    servers: String,
}

fn dev(sandbox: &Sandbox, args: &[&str]) -> Dev {
    let mut child = sandbox
        .command("", &[&["dev"], args].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = stdout.next().expect("a line").unwrap();
    let servers = first.strip_prefix("export KAFKA_BOOTSTRAP_SERVERS=");
    let servers = servers.unwrap_or_else(|| panic!("{first}")).to_owned();
    Dev {
        child,
        stdout,
        servers,
    }
}

fn publish(sandbox: &Sandbox, servers: &str, args: &[&str]) -> Run {
    sandbox.write("payload.json", "{\"total\": 3}");
    let fixed = ["publish", "--payload", "payload.json"];
    let mut command = sandbox.command("", &[&fixed[..], args].concat());
    command.env("KAFKA_BOOTSTRAP_SERVERS", servers);
    command.output().unwrap().into()
}

#[test]
fn dev_prints_published_events() {
    let sandbox = Sandbox::with(&[("shop.yaml", CONTRACT)]);
    let mut dev = dev(&sandbox, &["shop.yaml", "--count", "2", "--brokers", "2"]);
    assert_eq!(dev.servers.split(',').count(), 2);
    let of_contract = ["--event-type", "order.placed", "--contract", "shop.yaml"];
    publish(&sandbox, &dev.servers, &of_contract).exits(0);
    // A topic that no contract knows comes into being, and is shown too.
    let unknown = [
        "--event-type",
        "surprise",
        "--topic",
        "new",
        "--no-contract",
    ];
    publish(&sandbox, &dev.servers, &unknown).exits(0);
    let mut shown = String::new();
    for line in dev.stdout.by_ref() {
        shown.push_str(&line.unwrap());
        shown.push('\n');
    }
    assert_eq!(dev.child.wait().unwrap().code(), Some(0));
    for part in [
        "order.placed  shop.orders.v1/",
        "surprise  new/",
        "{\"total\":3}",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn dev_prints_its_topics() {
    let sandbox = Sandbox::with(&[("shop.yaml", CONTRACT)]);
    let args = [
        "dev",
        "shop.yaml",
        "--duration",
        "100ms",
        "--partitions",
        "2",
    ];
    let run = sandbox.herald(&args).exits(0);
    for part in [
        "in memory, for development only",
        "dev.shop.effect.place.failed.v1     2 partitions",
        "shop.orders.v1                      5 partitions",
        "4 topics, and 4 for dead letters",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

#[test]
fn dev_creates_topics_of_contracts() {
    let sandbox = Sandbox::with(&[("shop.yaml", CONTRACT)]);
    let mut dev = dev(&sandbox, &["shop.yaml"]);
    let listen = |args: &[&str]| {
        let fixed = [
            "listen",
            "--bootstrap-servers",
            &dev.servers,
            "--idle",
            "500ms",
        ];
        sandbox.herald(&[&fixed[..], args].concat())
    };
    let run = listen(&["--contract", "shop.yaml"]).exits(0);
    assert!(
        run.stderr.contains("listening to 4 topics"),
        "{}",
        run.stderr
    );
    let run = listen(&["*.dlq"]).exits(0);
    assert!(
        run.stderr.contains("listening to 4 topics"),
        "{}",
        run.stderr
    );
    signal(&dev.child, "TERM");
    assert_eq!(dev.child.wait().unwrap().code(), Some(0));
}

#[test]
fn jsonl_output_contains_only_events() {
    let sandbox = Sandbox::with(&[("shop.yaml", CONTRACT)]);
    let args = [
        "dev",
        "shop.yaml",
        "--duration",
        "100ms",
        "--format",
        "jsonl",
    ];
    let run = sandbox.herald(&args).exits(0);
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr
            .contains("export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:")
    );
}

#[test]
fn dev_fails_without_the_expected_events() {
    let sandbox = Sandbox::with(&[("shop.yaml", CONTRACT)]);
    let args = ["dev", "shop.yaml", "--count", "1", "--idle", "300ms"];
    let run = sandbox.herald(&args).exits(1);
    assert!(run.stderr.contains("0 of 1 event shown"), "{}", run.stderr);
}

#[test]
fn creates_topics_of_other_contracts_if_one_is_broken() {
    let sandbox = Sandbox::with(&[
        ("shop.yaml", CONTRACT),
        (
            "broken.yaml",
            "node_type: effect\nservice_name: ''\noperations: [a]\n",
        ),
    ]);
    let run = sandbox
        .herald(&["dev", ".", "--duration", "100ms"])
        .exits(0);
    assert!(run.stderr.contains("broken.yaml:2"), "{}", run.stderr);
    assert!(run.stderr.contains("4 topics, and 4"), "{}", run.stderr);
    sandbox.herald(&["dev", "none.yaml"]).exits(2);
}

#[test]
fn dev_reports_unsupported_topic_requests() {
    let sandbox = Sandbox::with(&[("shop.yaml", CONTRACT)]);
    let mut dev = dev(&sandbox, &["shop.yaml"]);
    let args = [
        "topics",
        "plan",
        "shop.yaml",
        "--bootstrap-servers",
        &dev.servers,
    ];
    let run = sandbox.herald(&args).exits(2);
    assert!(run.stderr.contains("is one in memory"), "{}", run.stderr);
    signal(&dev.child, "INT");
    assert_eq!(dev.child.wait().unwrap().code(), Some(0));
}
