//! `herald verify` of a cluster in memory.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use herald_envelope::key;
use herald_publish::kafka::{DevCluster, KafkaOptions};
use herald_publish::{Message, Publisher, PublisherOptions};
use serde_json::Value;

use crate::support::{Run, Sandbox};
use crate::verify::{CONTRACT, placed};

const TOPIC: &str = "shop.order.placed.v1";

/// A cluster with the topic of the contract, and somebody who publishes to it.
struct World {
    sandbox: Sandbox,
    publisher: Publisher,
    cluster: DevCluster,
}

impl World {
    fn new() -> Self {
        let cluster = DevCluster::start(1).unwrap();
        cluster.create_topic(TOPIC, 3, 1).unwrap();
        let options = KafkaOptions::new(cluster.bootstrap_servers());
        Self {
            sandbox: Sandbox::with(&[("shop.yaml", CONTRACT)]),
            publisher: Publisher::open(PublisherOptions::new(options)).unwrap(),
            cluster,
        }
    }

    fn send(&self, key: Option<&[u8]>, event: &Value) {
        let message = Message::new(TOPIC, key, event.to_string().into_bytes()).unwrap();
        let pending = self.publisher.blocking_enqueue(message).unwrap();
        assert!(pending.wait().unwrap().is_delivered());
    }

    fn good(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.send(Some(b"o-7"), &placed(number));
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = (self.sandbox).command("", &[&["verify", "shop.yaml"], args].concat());
        command.env("KAFKA_BOOTSTRAP_SERVERS", self.cluster.bootstrap_servers());
        command
    }

    fn verify(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }
}

#[test]
fn all_records_of_the_topics_of_the_contracts_are_judged() {
    let world = World::new();
    world.verify(&[]).exits(1);
    world.good(0..5);
    let run = world.verify(&[]).exits(0);
    assert!(run.stderr.contains("conform: 5 events"), "{}", run.stderr);
    world.verify(&["--require-coverage"]).exits(1);
    world.send(Some(b"o-8"), &placed(5));
    world.send(None, &placed(6));
    let mut odd = placed(7);
    odd["payload"]["total"] = 1.into();
    world.send(Some(b"o-7"), &odd);
    let run = world.verify(&["--format", "json"]).exits(1);
    let document = run.json();
    let kinds: Vec<_> = document["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["kind"].as_str().unwrap(),
                one["message"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert_eq!(kinds[0].0, "payload");
    assert_eq!(
        kinds[1],
        ("key", "the key of the record is not that of the envelope")
    );
    assert_eq!(kinds[2], ("key", "the record has no key"));
    let place = document["problems"][0]["samples"][0]["place"]
        .as_str()
        .unwrap();
    let partition = key::partition(b"o-7", 3);
    assert!(
        place.starts_with(&format!("{TOPIC}/{partition}@")),
        "{place}"
    );
    let run = world.verify(&["--format", "sarif"]).exits(1);
    let results = &run.json()["runs"][0]["results"];
    assert_eq!(results[0]["ruleId"], "verify.payload", "{results}");
    let physical = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uri"], "shop.yaml");
}

#[test]
fn a_number_of_records_is_enough_and_fewer_are_a_failure() {
    let world = World::new();
    world.good(0..3);
    let run = world.verify(&["--count", "2"]).exits(0);
    assert!(run.stderr.contains("conform: 2 events"), "{}", run.stderr);
    let run = world
        .verify(&["--topic", "shop.*", "--count", "4"])
        .exits(1);
    assert!(run.stderr.contains("3 of 4 records"), "{}", run.stderr);
    let run = world.verify(&["--topic", "shop.order.placed"]).exits(2);
    assert!(run.stderr.contains("did you mean"), "{}", run.stderr);
}

#[test]
fn a_group_continues_where_its_last_run_ended() {
    let world = World::new();
    world.good(0..3);
    for (events, code) in [(3, 0), (0, 1)] {
        let run = world.verify(&["--group", "nightly"]).exits(code);
        assert!(
            run.stderr.contains(&format!("{events} events")),
            "{}",
            run.stderr
        );
    }
    world.good(3..5);
    let run = world.verify(&["--group", "nightly"]).exits(0);
    assert!(run.stderr.contains("2 events"), "{}", run.stderr);
}

#[test]
fn a_request_stops_a_run_beside_a_test_suite() {
    let world = World::new();
    world.good(0..2);
    let mut command = world.command(&["--listen", "--format", "json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let address = loop {
        let mut line = String::new();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "it listens");
        if let Some((_, address)) = line.trim().split_once("http://") {
            break address.trim_end_matches("/stop").to_owned();
        }
    };
    world.good(2..5);
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"POST /stop HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    child.stderr = Some(stderr.into_inner());
    let run = Run::from(child.wait_with_output().unwrap()).exits(0);
    // Records from before the start are not read, those from before the stop all are.
    assert_eq!(run.json()["events"], 3);
}
