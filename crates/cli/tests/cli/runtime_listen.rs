//! `herald listen`, on a cluster in memory.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use herald_envelope::{Origin, Uuid};
use herald_publish::kafka::{DevCluster, KafkaOptions};
use herald_publish::{Message, Publisher, PublisherOptions};
use serde_json::{Value, json};

use crate::spools::{signal, until};
use crate::support::{Run, Sandbox};

/// A cluster with a topic, and somebody who publishes to it.
struct World {
    sandbox: Sandbox,
    publisher: Publisher,
    cluster: DevCluster,
}

/// Ends a command that has shown what is there. A slow machine only takes longer.
const IDLE: [&str; 2] = ["--idle", "3s"];

impl World {
    fn with(topics: &[&str]) -> Self {
        let cluster = DevCluster::start(1).unwrap();
        for topic in topics {
            cluster.create_topic(topic, 1, 1).unwrap();
        }
        let options = KafkaOptions::new(cluster.bootstrap_servers());
        Self {
            sandbox: Sandbox::new(),
            publisher: Publisher::open(PublisherOptions::new(options)).unwrap(),
            cluster,
        }
    }

    fn send(&self, message: Message) {
        let pending = self.publisher.blocking_enqueue(message).unwrap();
        assert!(pending.wait().unwrap().is_delivered());
    }

    /// An event of the service `shop`, of request `number`.
    fn event(&self, topic: &str, event_type: &'static str, number: u128) {
        let origin = Origin::new("shop", "1", "test");
        let envelope = origin
            .envelope(event_type, "node-7", json!({"number": number}))
            .with_correlation_id(Uuid::from_u128(number));
        self.send(Message::of_envelope(topic, &envelope).unwrap());
    }

    fn raw(&self, topic: &str, payload: &[u8]) {
        self.send(Message::new(topic, Some(b"k"), payload.to_vec()).unwrap());
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command("", &[&["listen"], args].concat());
        command.env("KAFKA_BOOTSTRAP_SERVERS", self.cluster.bootstrap_servers());
        command
    }

    fn listen(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }

    /// Starts to listen, and returns when it listens.
    fn start(&self, args: &[&str]) -> Child {
        let mut child = self
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with("listening to"), "{line}");
        child.stderr = Some(stderr.into_inner());
        child
    }
}

fn lines(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

#[test]
fn listen_prints_new_events() {
    let world = World::with(&["orders"]);
    world.event("orders", "order.old", 1);
    let child = world.start(&["orders", "--count", "1", "--format", "jsonl"]);
    world.event("orders", "order.placed", 2);
    let run = Run::from(child.wait_with_output().unwrap()).exits(0);
    let lines = lines(&run);
    assert_eq!(lines.len(), 1, "{}", run.stdout);
    let line = &lines[0];
    assert_eq!(line["topic"], "orders");
    assert_eq!(
        (&line["partition"], &line["offset"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(line["key"], "00000000-0000-0000-0000-000000000002");
    assert_eq!(line["envelope"]["payload"], json!({"number": 2}));
    let headers = line["headers"].as_array().unwrap();
    assert!(headers.contains(&json!({"name": "event_type", "value": "order.placed"})));
}

#[test]
fn listen_prints_time_type_position_and_payload() {
    let world = World::with(&["orders"]);
    world.event("orders", "order.placed", 7);
    let run = world
        .listen(&["orders", "--from", "beginning", "--count", "1"])
        .exits(0);
    for part in [
        "UTC",
        "order.placed  orders/0@0",
        "correlation 00000000-0000-0000-0000-000000000007",
        "from shop/node-7",
        "{\"number\":7}",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn listen_applies_filters() {
    let world = World::with(&["orders", "returns"]);
    world.event("orders", "order.placed", 1);
    world.event("orders", "order.failed", 2);
    world.event("returns", "return.failed", 3);
    world.raw("returns", b"no envelope");
    let shown = |args: &[&str]| -> Vec<u64> {
        let fixed = ["--from", "beginning", "--format", "jsonl"];
        let run = world.listen(&[&fixed, &IDLE[..], args].concat()).exits(0);
        let mut numbers: Vec<_> = lines(&run)
            .iter()
            .filter_map(|line| line["envelope"]["payload"]["number"].as_u64())
            .collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(shown(&["*"]), [1, 2, 3]);
    assert_eq!(shown(&["ret*"]), [3]);
    assert_eq!(shown(&["*", "--event-type", "*.failed"]), [2, 3]);
    let id = "00000000-0000-0000-0000-000000000001";
    assert_eq!(shown(&["*", "--correlation-id", id]), [1]);
    assert_eq!(shown(&["*", "--key", id]), [1]);
    assert_eq!(shown(&["orders", "--source", "shop"]), [1, 2]);
}

#[test]
fn listen_shows_records_that_are_not_envelopes() {
    let world = World::with(&["orders"]);
    for payload in [&b"hello"[..], b"{}", &[0xff, 0xfe], b""] {
        world.raw("orders", payload);
    }
    world.event("orders", "order.placed", 1);
    let all = ["orders", "--from", "beginning", "--count", "5"];
    let run = world
        .listen(&[&all[..], &["--format", "jsonl"]].concat())
        .exits(0);
    let codes: Vec<_> = lines(&run)
        .iter()
        .map(|line| line["error"]["code"].clone())
        .collect();
    assert_eq!(
        codes,
        [
            json!("syntax"),
            json!("missing-field"),
            json!("not-utf8"),
            json!("syntax"),
            Value::Null
        ]
    );
    let run = world.listen(&all).exits(0);
    assert_eq!(
        run.stdout.matches("not an envelope").count(),
        4,
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("0xfffe"), "{}", run.stdout);
}

#[test]
fn listen_escapes_control_characters() {
    let world = World::with(&["orders"]);
    let hostile = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}";
    world.raw("orders", hostile.as_bytes());
    let origin = Origin::new(hostile, "1", "test");
    let envelope = origin
        .envelope(hostile, hostile, json!({ hostile: hostile }))
        .with_partition_key(hostile);
    world.send(Message::of_envelope("orders", &envelope).unwrap());
    for extra in [&[][..], &["--full"], &["--format", "jsonl"]] {
        let args = ["orders", "--from", "beginning", "--count", "2"];
        let run = world.listen(&[&args[..], extra].concat()).exits(0);
        for c in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'] {
            assert!(!run.stdout.contains(c), "{extra:?}: {:?}", run.stdout);
        }
    }
}

#[test]
fn listen_fails_with_fewer_events_than_count() {
    let world = World::with(&["orders"]);
    world.event("orders", "order.placed", 1);
    let from = ["orders", "--from", "beginning"];
    let args = [&from[..], &["--count", "2", "--idle", "1s"]].concat();
    let run = world.listen(&args).exits(1);
    assert!(run.stderr.contains("1 of 2 events shown"), "{}", run.stderr);
    world
        .listen(&[&from[..], &["--count", "1", "--idle", "60s"]].concat())
        .exits(0);
    world
        .listen(&[&from[..], &["--idle", "1"]].concat())
        .exits(0);
}

#[test]
fn suggests_a_topic_for_a_misspelled_name() {
    let world = World::with(&["dev.orders.placed.v1"]);
    let run = world.listen(&["dev.orders.plced.v1"]).exits(2);
    assert!(
        run.stderr.contains("did you mean `dev.orders.placed.v1`?"),
        "{}",
        run.stderr
    );
    // Asking for it did not make it.
    let run = world.listen(&["dev.orders.plced.v1"]).exits(2);
    assert!(run.stderr.contains("no topic"), "{}", run.stderr);
    world.listen(&["a b"]).exits(2);
    let run = world.listen(&[]).exits(2);
    assert!(run.stderr.contains("--contract"), "{}", run.stderr);
}

#[test]
fn listen_picks_up_new_topics_of_contracts() {
    let world = World::with(&["dev.shop.effect.place.started.v1"]);
    world.sandbox.write(
        "shop.yaml",
        "node_type: effect\nservice_name: shop\noperations: [place]\n\
         include_state_events: false\ninclude_metric_events: false\n",
    );
    let args = [
        "--contract",
        "shop.yaml",
        "--count",
        "2",
        "--format",
        "jsonl",
    ];
    let mut child = world
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let note = stderr.next().unwrap().unwrap();
    assert!(
        note.contains("2 of 3 topics of the contracts do not exist yet"),
        "{note}"
    );
    assert!(
        stderr
            .next()
            .unwrap()
            .unwrap()
            .starts_with("listening to 1 topic")
    );
    world.event(
        "dev.shop.effect.place.started.v1",
        "effect.place.started",
        1,
    );
    let later = "dev.shop.effect.place.failed.v1";
    world.cluster.create_topic(later, 1, 1).unwrap();
    world.event(later, "effect.place.failed", 2);
    let run = Run::from(child.wait_with_output().unwrap()).exits(0);
    assert_eq!(lines(&run).len(), 2);
}

#[test]
fn listen_reads_the_namespace_of_the_environment_for_contracts_only() {
    let world = World::with(&["stage.shop.effect.place.started.v1", "orders"]);
    world.sandbox.write(
        "shop.yaml",
        "node_type: effect\nservice_name: shop\noperations: [place]\n",
    );
    world.event(
        "stage.shop.effect.place.started.v1",
        "effect.place.started",
        1,
    );
    world.event("orders", "order.placed", 2);
    for topics in [&["--contract", "shop.yaml"][..], &["orders"]] {
        let more = ["--from", "beginning", "--count", "1", "--format", "jsonl"];
        let mut command = world.command(&[topics, &more].concat());
        command.env("HERALD_NAMESPACE", "stage");
        let run = Run::from(command.output().unwrap()).exits(0);
        assert_eq!(lines(&run).len(), 1);
    }
}

#[test]
fn listen_ends_cleanly_on_interruption() {
    let world = World::with(&["orders"]);
    for name in ["INT", "TERM"] {
        let child = world.start(&["orders"]);
        signal(&child, name);
        Run::from(child.wait_with_output().unwrap()).exits(0);
        let counting = world.start(&["orders", "--count", "1"]);
        signal(&counting, name);
        Run::from(counting.wait_with_output().unwrap()).exits(1);
    }
}

#[test]
fn listen_reports_an_outage_once_and_continues() {
    let world = World::with(&["orders"]);
    let mut child = world.start(&["orders", "--count", "1", "--format", "jsonl"]);
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    world.cluster.take_down(None).unwrap();
    let told = stderr.next().unwrap().unwrap();
    assert!(told.starts_with("waiting: "), "{told}");
    world.cluster.bring_up(None).unwrap();
    let told = stderr.next().unwrap().unwrap();
    assert_eq!(told, "reconnected");
    world.event("orders", "order.placed", 1);
    let mut shown = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut shown)
        .unwrap();
    assert!(shown.contains("order.placed"), "{shown}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn listen_ends_quietly_on_a_closed_pipe() {
    let world = World::with(&["orders"]);
    for number in 0..50 {
        world.event("orders", "order.placed", number);
    }
    let mut child = world
        .command(&["orders", "--from", "beginning", "--full"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    // What was written before may fit into the pipe: it ends with the next event.
    let mut number = 100;
    until(|| {
        number += 1;
        world.event("orders", "order.placed", number);
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
