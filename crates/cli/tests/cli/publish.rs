//! `herald publish`: files to a cluster in memory, or to none.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use herald_publish::kafka::DevCluster;
use serde_json::{Value, json};

use crate::spools::{delivered, signal};
use crate::support::{Run, Sandbox};

const CONTRACT: &str = "\
node_type: effect
service_name: orders
version: 2.1.0
operations: [place]
include_state_events: false
include_metric_events: false
events:
  - event_type: order.placed
    topic: shop.orders.v1
    partition_key: id
    payload:
      id: integer
      total: decimal
      note: {type: string, required: false}
";

const ID: &str = "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d";

/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:1";

fn publish(sandbox: &Sandbox, servers: &str, args: &[&str]) -> Run {
    command(sandbox, servers, args).output().unwrap().into()
}

fn command(sandbox: &Sandbox, servers: &str, args: &[&str]) -> Command {
    let mut command = sandbox.command("", &[&["publish"], args].concat());
    command.env("KAFKA_BOOTSTRAP_SERVERS", servers);
    command
}

fn dry_run(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.herald(&[&["publish", "--dry-run"], args].concat())
}

/// Value behind a name in the output of a dry run, such as `topic`.
fn shown<'a>(run: &'a Run, name: &str) -> &'a str {
    let line = run.stdout.lines().find(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(name)
    });
    line.unwrap_or_else(|| panic!("no {name}: {}", run.stdout))
        .split_whitespace()
        .nth(1)
        .unwrap()
}

fn envelope(run: &Run) -> Value {
    let (_, text) = run.stdout.split_once(" bytes\n").expect("an envelope");
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn lines(text: &str) -> Vec<Value> {
    let line = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(line).collect()
}

#[test]
fn dry_run_prints_topic_key_headers_and_envelope() {
    let sandbox = Sandbox::with(&[
        ("orders.yaml", CONTRACT),
        ("order.json", "{\n  \"id\": 7,\n  \"total\": \"12.50\"\n}\n"),
    ]);
    let run = dry_run(
        &sandbox,
        &[
            "--event-type",
            "order.placed",
            "--payload",
            "order.json",
            "--contract",
            "orders.yaml",
        ],
    )
    .exits(0);
    assert_eq!(shown(&run, "topic"), "shop.orders.v1");
    assert_eq!(shown(&run, "key"), "7");
    assert_eq!(shown(&run, "event_type"), "order.placed");
    let envelope = envelope(&run);
    assert_eq!(envelope["source_service"], "orders");
    assert_eq!(envelope["source_version"], "2.1.0");
    assert_eq!(envelope["payload"], json!({"id": 7, "total": "12.50"}));
    assert_eq!(
        shown(&run, "event_id"),
        envelope["event_id"].as_str().unwrap()
    );
}

#[test]
fn event_options_set_envelope_fields() {
    let sandbox = Sandbox::with(&[("p.json", "{}")]);
    let run = dry_run(
        &sandbox,
        &[
            "--payload",
            "p.json",
            "--event-type",
            "x",
            "--topic",
            "t",
            "--key",
            "k",
            "--correlation-id",
            ID,
            "--causation-id",
            "cause",
            "--metadata",
            "a=1",
            "--metadata",
            "b=x=y",
            "--service",
            "shop",
            "--service-version",
            "3",
            "--environment",
            "test",
            "--source-node-id",
            "node-7",
        ],
    )
    .exits(0);
    let envelope = envelope(&run);
    for (name, value) in [
        ("event_type", json!("x")),
        ("partition_key", json!("k")),
        ("correlation_id", json!(ID)),
        ("causation_id", json!("cause")),
        ("metadata", json!({"a": "1", "b": "x=y"})),
        ("source_service", json!("shop")),
        ("source_version", json!("3")),
        ("environment", json!("test")),
        ("source_node_id", json!("node-7")),
    ] {
        assert_eq!(envelope[name], value, "{name}");
    }
    assert_eq!((shown(&run, "topic"), shown(&run, "key")), ("t", "k"));
}

#[test]
fn topic_precedence() {
    let sandbox = Sandbox::with(&[
        ("orders.yaml", CONTRACT),
        ("p.json", "{}"),
        ("line.jsonl", "{\"payload\":{},\"topic\":\"of-line\"}\n"),
    ]);
    let started = ["--event-type", "effect.place.started"];
    let topic = |args: &[&str]| {
        let run = dry_run(&sandbox, &[&started, args].concat()).exits(0);
        shown(&run, "topic").to_owned()
    };
    let contract = ["--contract", "orders.yaml"];
    let of_line = [
        &contract[..],
        &["--jsonl", "line.jsonl", "--topic", "option"],
    ]
    .concat();
    assert_eq!(topic(&of_line), "of-line");
    let payload = ["--payload", "p.json"];
    let of_option = [&contract[..], &payload, &["--topic", "option"]].concat();
    assert_eq!(topic(&of_option), "option");
    let of_contract = [&contract[..], &payload].concat();
    assert_eq!(topic(&of_contract), "dev.orders.effect.place.started.v1");
    let in_namespace = [&of_contract[..], &["--namespace", "prod"]].concat();
    assert_eq!(topic(&in_namespace), "prod.orders.effect.place.started.v1");
    let of_pattern = [&payload[..], &["--service", "shop"]].concat();
    assert_eq!(topic(&of_pattern), "dev.shop.effect.place.started.v1");
    let run = dry_run(&sandbox, &[&started[..], &payload].concat()).exits(1);
    assert!(
        run.stderr.contains("the topic is unknown"),
        "{}",
        run.stderr
    );
}

#[test]
fn namespace_of_the_environment_is_used_as_by_clients() {
    let sandbox = Sandbox::with(&[("orders.yaml", CONTRACT), ("p.json", "{}")]);
    let event = [
        "--event-type",
        "effect.place.started",
        "--payload",
        "p.json",
    ];
    let contract = ["publish", "--dry-run", "--contract", "orders.yaml"];
    let run = |namespace: &str, more: &[&str]| -> Run {
        let mut command = sandbox.command("", &[&contract[..], &event, more].concat());
        command.env("HERALD_NAMESPACE", namespace);
        command.output().unwrap().into()
    };
    let topic = |run: Run| shown(&run.exits(0), "topic").to_owned();
    let after = "orders.effect.place.started.v1";
    assert_eq!(topic(run("stage", &[])), format!("stage.{after}"));
    let prod = topic(run("stage", &["--namespace", "prod"]));
    assert_eq!(prod, format!("prod.{after}"));
    let invalid = run("a b", &[]).exits(2);
    assert!(invalid.stderr.contains("a b"), "{}", invalid.stderr);
}

#[test]
fn uses_contracts_namespace_and_cluster_of_the_project() {
    let sandbox = Sandbox::with(&[
        ("herald.yaml", "contracts: [orders.yaml]\nnamespace: prod\n"),
        ("orders.yaml", CONTRACT),
        ("below/p.json", "{}"),
    ]);
    let args = [
        "publish",
        "--dry-run",
        "--payload",
        "p.json",
        "--event-type",
    ];
    let run = sandbox.herald_in("below", &[&args[..], &["effect.place.failed"]].concat());
    assert_eq!(
        shown(&run.exits(0), "topic"),
        "prod.orders.effect.place.failed.v1"
    );
    let run = sandbox.herald_in("below", &[&args[..], &["effect.plaze.failed"]].concat());
    let run = run.exits(1);
    assert!(
        run.stderr.contains("did you mean `effect.place.failed`?"),
        "{}",
        run.stderr
    );
    let without = ["anything", "--no-contract", "--topic", "t"];
    sandbox
        .herald_in("below", &[&args[..], &without].concat())
        .exits(0);
}

#[test]
fn refuses_to_publish_with_invalid_contracts() {
    let sandbox = Sandbox::with(&[
        (
            "bad.yaml",
            "node_type: efect\nservice_name: a\noperations: [b]\n",
        ),
        ("p.json", "{}"),
    ]);
    let args = [
        "--payload",
        "p.json",
        "--event-type",
        "x",
        "--contract",
        "bad.yaml",
    ];
    let run = dry_run(&sandbox, &args).exits(2);
    assert!(
        run.stderr.contains("did you mean `effect`?"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("nothing was published"),
        "{}",
        run.stderr
    );
}

#[test]
fn rejects_events_of_several_contracts_as_ambiguous() {
    let other = CONTRACT.replace("orders", "returns");
    let sandbox = Sandbox::with(&[("a.yaml", CONTRACT), ("b.yaml", &other), ("p.json", "{}")]);
    let args = [
        "--payload",
        "p.json",
        "--event-type",
        "effect.place.failed",
        "--contract",
        ".",
    ];
    let run = dry_run(&sandbox, &args).exits(1);
    assert!(
        run.stderr.contains("./a.yaml and ./b.yaml"),
        "{}",
        run.stderr
    );
    let run = dry_run(&sandbox, &[&args[..], &["--service", "returns"]].concat()).exits(0);
    assert_eq!(shown(&run, "topic"), "dev.returns.effect.place.failed.v1");
}

#[test]
fn rejects_conflicting_arguments() {
    let sandbox = Sandbox::with(&[("p.json", "{}")]);
    for args in [
        &["--event-type", "x"][..],
        &["--payload", "p.json"],
        &[
            "--payload",
            "p.json",
            "--jsonl",
            "p.json",
            "--event-type",
            "x",
        ],
        &[
            "--payload",
            "p.json",
            "--event-type",
            "x",
            "--correlation-id",
            "7",
        ],
        &[
            "--payload",
            "p.json",
            "--event-type",
            "x",
            "--metadata",
            "a",
        ],
        &["--payload", "p.json", "--event-type", "x", "--timeout", "5"],
        &["--payload", "missing.json", "--event-type", "x"],
        &["--payload", ".", "--event-type", "x"],
    ] {
        publish(&sandbox, NOWHERE, args).exits(2);
    }
    let run = publish(
        &sandbox,
        NOWHERE,
        &["--payload", "{\"a\":1}", "--event-type", "x"],
    );
    assert!(run.exits(2).stderr.contains("pipe it: "));
    let run = sandbox
        .command(
            "",
            &[
                "publish",
                "--payload",
                "p.json",
                "--event-type",
                "x",
                "--topic",
                "t",
            ],
        )
        .env_remove("KAFKA_BOOTSTRAP_SERVERS")
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn reports_invalid_payloads_with_the_file_name() {
    let sandbox = Sandbox::with(&[("bad.json", "{\n  \"a\": x\n}"), ("list.json", "[1]")]);
    let refused = |file: &str| {
        let run = dry_run(
            &sandbox,
            &["--payload", file, "--event-type", "x", "--topic", "t"],
        );
        run.exits(1).stderr
    };
    assert!(refused("bad.json").contains("bad.json: not JSON: expected value at line 2 column 8"));
    assert!(refused("list.json").contains("must be a JSON object"));
}

#[test]
fn publishes_one_event_with_one_receipt() {
    let sandbox = Sandbox::with(&[
        ("orders.yaml", CONTRACT),
        ("o.json", r#"{"id":7,"total":"1"}"#),
    ]);
    let cluster = DevCluster::start(1).unwrap();
    let servers = cluster.bootstrap_servers();
    let args = [
        "--event-type",
        "order.placed",
        "--payload",
        "o.json",
        "--contract",
        "orders.yaml",
    ];
    let receipts = ["--receipts", "-"];
    let run = publish(&sandbox, &servers, &[&args[..], &receipts].concat()).exits(0);
    assert!(run.stderr.contains("delivered 1 event"), "{}", run.stderr);
    let receipt = run.json();
    assert_eq!(receipt["status"], "delivered");
    assert_eq!(receipt["topic"], "shop.orders.v1");
    assert_eq!(receipt["offset"], 0);
    let events = delivered(&cluster, "shop.orders.v1", 1);
    let event: Value = serde_json::from_str(&events["7"][0]).unwrap();
    assert_eq!(event["event_id"], receipt["event_id"]);
    assert_eq!(event["payload"], json!({"id": 7, "total": "1"}));
}

#[test]
fn reports_invalid_lines_and_publishes_the_others() {
    let mut file = String::from("\u{feff}{\"payload\":{\"n\":1},\"partition_key\":\"a\"}\r\n");
    file.push_str("\n   \n");
    file.push_str("nonsense hunter2\n");
    file.push_str("{\"payload\":{\"n\":2},\"partition_key\":\"a\"}\n");
    file.push_str("{\"payload\":{},\"corelation_id\":\"hunter2\"}\n");
    file.push_str("{\"payload\":{},\"topic\":\"no such topic\"}\n");
    file.push_str("{\"payload\":{\"n\":3},\"partition_key\":\"a\",\"metadata\":{\"m\":1}}");
    let sandbox = Sandbox::with(&[("events.jsonl", &file)]);
    let cluster = DevCluster::start(1).unwrap();
    let args = [
        "--jsonl",
        "events.jsonl",
        "--event-type",
        "x",
        "--topic",
        "t",
        "--receipts",
        "r",
    ];
    let run = publish(&sandbox, &cluster.bootstrap_servers(), &args).exits(1);
    for said in [
        "delivered 3 events",
        "events.jsonl:4: not JSON",
        "events.jsonl:6: unknown key `corelation_id`; did you mean `correlation_id`?",
        "events.jsonl:7: ",
        "refused 3 events",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let receipts = sandbox.read("r");
    assert!(!run.stderr.contains("hunter2") && !receipts.contains("hunter2"));
    let mut receipts: Vec<_> = lines(&receipts)
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["status"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    receipts.sort();
    let expected = [
        (1, "delivered"),
        (4, "refused"),
        (5, "delivered"),
        (6, "refused"),
        (7, "refused"),
        (8, "delivered"),
    ];
    assert!(
        receipts
            .iter()
            .map(|(line, status)| (*line, status.as_str()))
            .eq(expected)
    );
    let events = delivered(&cluster, "t", 3);
    let order: Vec<_> = events["a"]
        .iter()
        .map(|event| serde_json::from_str::<Value>(event).unwrap()["payload"]["n"].clone())
        .collect();
    assert_eq!(order, [1, 2, 3]);
}

#[test]
fn validates_payloads_of_declared_events() {
    let lines = "\
{\"payload\":{\"id\":7,\"total\":\"12.50\"}}
{\"payload\":{\"id\":\"hunter2\",\"total\":12.5,\"nota\":\"\"}}
{\"event_type\":\"effect.place.started\",\"payload\":{\"whatever\":1}}
";
    let sandbox = Sandbox::with(&[("orders.yaml", CONTRACT), ("e.jsonl", lines)]);
    let args = [
        "--jsonl",
        "e.jsonl",
        "--event-type",
        "order.placed",
        "--contract",
        "orders.yaml",
    ];
    let run = dry_run(&sandbox, &args).exits(1);
    for said in [
        "e.jsonl:2: payload.id must be a whole number, found other text",
        "payload.total must be a decimal number as text, such as \"12.50\", found a number",
        "payload.nota is not declared by the contract; did you mean `note`?",
        "2 events valid, 1 refused",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("hunter2"));
}

#[test]
fn publishes_complete_envelopes_unchanged() {
    let envelope = format!(
        r#"{{"envelope_version":"1.0","event_id":"{ID}","event_type":"order.placed","event_version":"1.0","event_timestamp":"2025-11-05T12:00:00.000000+00:00","source_node_id":"n","source_service":"s","source_version":"1","correlation_id":null,"environment":"test","payload":{{"n":1.10}},"metadata":{{}},"custom":[1]}}"#
    );
    let sandbox = Sandbox::with(&[("orders.yaml", CONTRACT), ("e.jsonl", &envelope)]);
    let cluster = DevCluster::start(1).unwrap();
    let args = [
        "--jsonl",
        "e.jsonl",
        "--contract",
        "orders.yaml",
        "--key",
        "k",
    ];
    publish(&sandbox, &cluster.bootstrap_servers(), &args).exits(0);
    let events = delivered(&cluster, "shop.orders.v1", 1);
    assert_eq!(
        events["n"],
        [envelope],
        "to the byte, and the options do not touch it"
    );
}

#[test]
fn refuses_a_line_that_is_too_long_and_continues() {
    let sandbox = Sandbox::new();
    let mut file = String::from("{\"payload\":{\"n\":\"");
    file.push_str(&"x".repeat(17 * 1024 * 1024));
    file.push_str("\"}}\n{\"payload\":{}}\n");
    sandbox.write("e.jsonl", file);
    let run = dry_run(
        &sandbox,
        &["--jsonl", "e.jsonl", "--event-type", "x", "--topic", "t"],
    );
    let run = run.exits(1);
    assert!(
        run.stderr.contains("e.jsonl:1: larger than"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("e.jsonl:2"), "{}", run.stdout);
}

#[test]
fn publishes_thousands_of_events_in_order() {
    let many = 20_000;
    let mut file = String::new();
    for number in 0..many {
        let key = number % 7;
        let _ = writeln!(
            file,
            r#"{{"payload":{{"n":{number}}},"partition_key":"{key}"}}"#
        );
    }
    let sandbox = Sandbox::with(&[("e.jsonl", &file)]);
    let cluster = DevCluster::start(1).unwrap();
    let args = [
        "--jsonl",
        "e.jsonl",
        "--event-type",
        "x",
        "--topic",
        "t",
        "--receipts",
        "r",
    ];
    let run = publish(&sandbox, &cluster.bootstrap_servers(), &args).exits(0);
    assert!(
        run.stderr.contains("delivered 20,000 events"),
        "{}",
        run.stderr
    );
    let receipts = lines(&sandbox.read("r"));
    assert!(
        receipts
            .iter()
            .map(|line| line["line"].as_u64().unwrap())
            .eq(1..=many)
    );
    for (key, events) in delivered(&cluster, "t", 20_000) {
        let number = |event: &String| {
            let event: Value = serde_json::from_str(event).unwrap();
            event["payload"]["n"].as_u64().unwrap()
        };
        let expected = (0..many).filter(|number| (number % 7).to_string() == key);
        assert!(events.iter().map(number).eq(expected), "key {key}");
    }
}

#[test]
fn never_overwrites_receipts() {
    let sandbox = Sandbox::with(&[("p.json", "{}"), ("r", "precious")]);
    let args = [
        "--payload",
        "p.json",
        "--event-type",
        "x",
        "--topic",
        "t",
        "--receipts",
        "r",
    ];
    let run = publish(&sandbox, NOWHERE, &args).exits(2);
    assert!(run.stderr.contains("never overwritten"), "{}", run.stderr);
    assert_eq!(sandbox.read("r"), "precious");
}

#[test]
fn spools_events_without_a_cluster_until_drained() {
    let sandbox = Sandbox::with(&[(
        "e.jsonl",
        "{\"payload\":{\"n\":1}}\n{\"payload\":{\"n\":2}}\n",
    )]);
    let args = [
        "--jsonl",
        "e.jsonl",
        "--event-type",
        "x",
        "--topic",
        "t",
        "--spool",
        "spool.db",
        "--receipts",
        "-",
        "--timeout",
        "200ms",
    ];
    let run = publish(&sandbox, NOWHERE, &args).exits(0);
    let receipts = lines(&run.stdout);
    assert_eq!(receipts.len(), 2);
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt["status"] == "spooled"),
        "{receipts:?}"
    );
    assert!(run.stderr.contains("spooled 2 events"), "{}", run.stderr);
    assert!(run.stderr.contains("herald spool drain"), "{}", run.stderr);
    let cluster = DevCluster::start(1).unwrap();
    sandbox
        .spool(&["drain", "--bootstrap-servers", &cluster.bootstrap_servers()])
        .exits(0);
    assert_eq!(delivered(&cluster, "t", 2)["herald-cli"].len(), 2);
}

#[test]
fn fails_without_a_cluster_and_without_a_spool() {
    let many = "{\"payload\":{}}\n".repeat(200_000);
    let sandbox = Sandbox::with(&[("e.jsonl", &many)]);
    let args = [
        "--jsonl",
        "e.jsonl",
        "--event-type",
        "x",
        "--topic",
        "t",
        "--timeout",
        "300ms",
        "--receipts",
        "r",
    ];
    let run = publish(&sandbox, NOWHERE, &args).exits(1);
    assert!(
        run.stderr
            .contains("error: `e.jsonl` was not published completely: no acknowledgement"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("use --receipts FILE for all"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.lines().count() < 100,
        "a terminal is not flooded"
    );
    let receipts = lines(&sandbox.read("r"));
    assert!(receipts.len() < 200_000, "it stops reading");
    // Where it stopped can be told from the receipts: every line before has one.
    assert!(
        receipts
            .iter()
            .map(|line| line["line"].as_u64().unwrap())
            .eq(1..=receipts.len() as u64)
    );
    assert!(
        receipts
            .iter()
            .all(|line| line["status"] == "refused" && line["retriable"] == true)
    );
}

#[test]
fn reports_rejected_events_as_dead_letters() {
    let sandbox = Sandbox::new();
    let large = "x".repeat(2 * 1024 * 1024);
    sandbox.write(
        "e.jsonl",
        format!("{{\"payload\":{{\"n\":\"{large}\"}}}}\n{{\"payload\":{{}}}}\n"),
    );
    let cluster = DevCluster::start(1).unwrap();
    let servers = cluster.bootstrap_servers();
    let args = ["--jsonl", "e.jsonl", "--event-type", "x", "--topic", "t"];
    let run = publish(&sandbox, &servers, &args).exits(1);
    assert!(
        run.stderr
            .contains("e.jsonl:1: the cluster refuses the event")
    );
    assert!(run.stderr.contains("delivered 1 event"), "{}", run.stderr);

    let with_spool = [&args[..], &["--spool", "spool.db"]].concat();
    let run = publish(&sandbox, &servers, &with_spool).exits(1);
    assert!(run.stderr.contains("rejected 1 event"), "{}", run.stderr);
    assert!(
        run.stderr.contains("herald spool dead list"),
        "{}",
        run.stderr
    );
    let run = sandbox.spool(&["dead", "show", "1", "--raw"]).exits(0);
    assert!(run.stdout.contains(&large));
}

#[test]
fn reports_the_owner_of_a_spool_in_use() {
    let sandbox = Sandbox::with(&[("p.json", "{}")]);
    let _owner = sandbox.own();
    let args = [
        "--payload",
        "p.json",
        "--event-type",
        "x",
        "--topic",
        "t",
        "--spool",
        "spool.db",
    ];
    let run = publish(&sandbox, NOWHERE, &args).exits(2);
    let process = format!("process {}", std::process::id());
    assert!(run.stderr.contains(&process), "{}", run.stderr);
}

/// A run that reads from us, and its receipts as they come.
fn interactive(sandbox: &Sandbox, servers: &str, args: &[&str]) -> Child {
    let input = [
        "--jsonl",
        "-",
        "--event-type",
        "x",
        "--topic",
        "t",
        "--receipts",
        "-",
    ];
    command(sandbox, servers, &[&input[..], args].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn publishes_each_line_as_soon_as_it_arrives() {
    let sandbox = Sandbox::new();
    let cluster = DevCluster::start(1).unwrap();
    let mut child = interactive(&sandbox, &cluster.bootstrap_servers(), &[]);
    let mut stdin = child.stdin.take().unwrap();
    let mut receipts = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in 1..=3 {
        writeln!(stdin, r#"{{"payload":{{}}}}"#).unwrap();
        let receipt: Value = serde_json::from_str(&receipts.next().unwrap().unwrap()).unwrap();
        assert_eq!(
            (&receipt["line"], &receipt["status"]),
            (&json!(line), &json!("delivered"))
        );
    }
    drop(stdin);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn interruption_reports_the_outcome_of_read_events() {
    let sandbox = Sandbox::new();
    let cluster = DevCluster::start(1).unwrap();
    let mut child = interactive(&sandbox, &cluster.bootstrap_servers(), &[]);
    let mut stdin = child.stdin.take().unwrap();
    let mut receipts = BufReader::new(child.stdout.take().unwrap()).lines();
    writeln!(stdin, r#"{{"payload":{{}}}}"#).unwrap();
    assert!(receipts.next().unwrap().unwrap().contains("delivered"));
    signal(&child, "INT");
    // Nobody closes the input: it ends all the same.
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("delivered 1 event") && stderr.contains("interrupted"),
        "{stderr}"
    );
    drop(stdin);
}

#[cfg(unix)]
#[test]
fn interruption_without_a_cluster_resolves_every_event() {
    let sandbox = Sandbox::new();
    let mut child = interactive(&sandbox, NOWHERE, &["--timeout", "1h"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    // Once the last line is refused, the lines before it have been enqueued.
    let good = "{\"payload\":{}}\n".repeat(3);
    writeln!(stdin, "{good}nonsense").unwrap();
    assert!(stdout.next().unwrap().unwrap().contains("invalid_event"));
    signal(&child, "INT");
    let receipts: Vec<_> = stdout.map(|line| lines(&line.unwrap()).remove(0)).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(receipts.len(), 3, "{receipts:?}");
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt["status"] == "refused")
    );
    drop(stdin);
}

#[test]
fn fails_if_receipts_cannot_be_written() {
    let sandbox = Sandbox::new();
    let cluster = DevCluster::start(1).unwrap();
    let mut child = interactive(&sandbox, &cluster.bootstrap_servers(), &[]);
    // The reader of the receipts has exited.
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, r#"{{"payload":{{}}}}"#).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("can't write receipts"), "{stderr}");
    drop(stdin);
}

#[cfg(target_os = "linux")]
#[test]
fn fails_if_the_last_receipt_cannot_be_written() {
    let sandbox = Sandbox::with(&[("p.json", "{}")]);
    let cluster = DevCluster::start(1).unwrap();
    let servers = cluster.bootstrap_servers();
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let args = ["--payload", "p.json", "--event-type", "x", "--topic", "t"];
    let output = command(
        &sandbox,
        &servers,
        &[&args[..], &["--receipts", "-"]].concat(),
    )
    .stdout(full.unwrap())
    .output()
    .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("can't write receipts"), "{stderr}");
}

#[test]
fn publish_escapes_control_characters() {
    let line = "{\"payload\":{\"\u{9b}31m\":\"\u{202e}\"},\"topic\":\"a\\u001b[2J\"}\n\
                {\"payload\":{\"\u{9b}31m\":\"\u{202e}\"},\"topic\":\"t\",\"partition_key\":\"\\u001b[2J\"}\n\
                {\"payload\":{},\"\\u001b[2J\":1}\n";
    let sandbox = Sandbox::with(&[("e.jsonl", line)]);
    let run = dry_run(&sandbox, &["--jsonl", "e.jsonl", "--event-type", "x\u{1b}"]).exits(1);
    for text in [&run.stdout, &run.stderr] {
        let active = |c: char| (c != '\n' && c.is_control()) || c == '\u{202e}';
        assert!(!text.contains(active), "{text:?}");
    }
    fs::remove_file(sandbox.path("e.jsonl")).unwrap();
}
