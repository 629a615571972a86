//! Fault injection of the cluster in memory.

mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use herald_publish::memory::MemoryCluster;
use herald_publish::{Connector, Failure, FailureCode, FailureKind, Message, Transport};

use support::TEST_TIMEOUT;
use support::ledger::{Ledger, Outcome, RecordingListener};

fn connect(cluster: &MemoryCluster) -> (Arc<dyn Transport>, Arc<RecordingListener>) {
    let listener = Arc::new(RecordingListener::default());
    (cluster.connect(listener.clone(), None).unwrap(), listener)
}

fn cluster() -> MemoryCluster {
    let cluster = MemoryCluster::new();
    cluster.create_topic("t", 3);
    cluster
}

fn message(key: &str, payload: &str) -> Message {
    Message::new("t", Some(key.as_bytes()), payload.into()).unwrap()
}

fn failure(kind: FailureKind) -> Failure {
    Failure::new(kind, FailureCode::PolicyViolation, "as told")
}

fn payloads(cluster: &MemoryCluster, topic: &str) -> Vec<String> {
    let messages = cluster.messages(topic);
    let payloads = messages.iter().map(|stored| stored.message.payload());
    payloads
        .map(|payload| String::from_utf8(payload.to_vec()).unwrap())
        .collect()
}

fn code(outcome: &Outcome) -> &'static str {
    outcome
        .as_ref()
        .map_or_else(|failure| failure.code.as_str(), |_| "")
}

/// Sends messages while the cluster is paused, so that all are in flight together.
fn send_together(
    cluster: &MemoryCluster,
    transport: &dyn Transport,
    what: &[(&str, &str)],
) -> Ledger {
    let ledger = Ledger::default();
    cluster.pause();
    for (key, payload) in what {
        ledger.send(transport, &message(key, payload));
    }
    ledger
}

#[test]
fn retriable_failure_also_fails_later_messages_of_its_key() {
    let cluster = cluster();
    let (transport, _) = connect(&cluster);
    cluster.fail_next(1, &failure(FailureKind::Retriable));
    let sent = [
        ("a", "a0"),
        ("b", "b0"),
        ("a", "a1"),
        ("b", "b1"),
        ("a", "a2"),
    ];
    let ledger = send_together(&cluster, &*transport, &sent);
    cluster.resume();
    ledger.wait();
    let codes: Vec<_> = ledger.outcomes().iter().map(code).collect();
    assert_eq!(
        codes,
        ["policy_violation", "", "behind_failed", "", "behind_failed"]
    );
    assert_eq!(payloads(&cluster, "t"), ["b0", "b1"]);

    // A message that is sent after the report is independent of the failure.
    let later = Ledger::default();
    later.send(&*transport, &message("a", "a0"));
    later.positions();
    assert_eq!(payloads(&cluster, "t"), ["b0", "b1", "a0"]);
}

#[test]
fn permanent_failure_fails_only_its_message() {
    let cluster = cluster();
    let (transport, _) = connect(&cluster);
    cluster.fail_next(1, &failure(FailureKind::Permanent));
    let ledger = send_together(&cluster, &*transport, &[("a", "a0"), ("a", "a1")]);
    cluster.resume();
    ledger.wait();
    let codes: Vec<_> = ledger.outcomes().iter().map(code).collect();
    assert_eq!(codes, ["policy_violation", ""]);
}

#[test]
fn topic_fails_until_it_is_healed() {
    let cluster = cluster();
    let (transport, _) = connect(&cluster);
    cluster.fail_topic("t", failure(FailureKind::Permanent));
    let ledger = Ledger::default();
    for number in 0..3 {
        ledger.send(&*transport, &message("a", &number.to_string()));
    }
    ledger.wait();
    assert!(ledger.outcomes().iter().all(Result::is_err));
    cluster.heal_topic("t");
    let ledger = Ledger::default();
    ledger.send(&*transport, &message("a", "healed"));
    ledger.positions();
    assert_eq!(payloads(&cluster, "t"), ["healed"]);
}

#[test]
fn full_connection_rejects_a_message() {
    let cluster = cluster();
    let (transport, _) = connect(&cluster);
    cluster.fail_next(1, &failure(FailureKind::Full));
    let ledger = Ledger::default();
    let refused = ledger.send(&*transport, &message("a", "0"));
    let taken = ledger.send(&*transport, &message("a", "1"));
    ledger.wait();
    assert!(ledger.is_refused(refused) && !ledger.is_refused(taken));
    assert_eq!(payloads(&cluster, "t"), ["1"]);
}

#[test]
fn broken_connection_fails_all_messages_and_stores_some() {
    let cluster = cluster();
    let (transport, listener) = connect(&cluster);
    let sent = [("a", "0"), ("a", "1"), ("a", "2"), ("a", "3")];
    let ledger = send_together(&cluster, &*transport, &sent);
    cluster.break_connections();
    ledger.wait();
    for outcome in ledger.outcomes() {
        assert_eq!(outcome.unwrap_err().kind, FailureKind::Fatal);
    }
    assert_eq!(listener.fatal().kind, FailureKind::Fatal);
    assert_eq!(payloads(&cluster, "t"), ["0", "1"]);
    assert_eq!(
        transport.probe(TEST_TIMEOUT).unwrap_err().kind,
        FailureKind::Fatal
    );

    cluster.resume();
    let (transport, _) = connect(&cluster);
    let ledger = Ledger::default();
    ledger.send(&*transport, &message("a", "2"));
    ledger.positions();
    assert_eq!(payloads(&cluster, "t"), ["0", "1", "2"]);
}

#[test]
fn broken_connection_stores_nothing_on_a_stopped_cluster() {
    let cluster = cluster();
    let (transport, listener) = connect(&cluster);
    cluster.stop();
    let ledger = Ledger::default();
    ledger.send(&*transport, &message("a", "0"));
    listener.unreachable();
    cluster.break_connections();
    ledger.wait();
    assert!(payloads(&cluster, "t").is_empty());
}

#[test]
fn fatal_failure_breaks_the_connection() {
    let cluster = cluster();
    let (transport, listener) = connect(&cluster);
    cluster.fail_next(1, &failure(FailureKind::Fatal));
    let ledger = send_together(&cluster, &*transport, &[("a", "0"), ("b", "1")]);
    cluster.resume();
    ledger.wait();
    let codes: Vec<_> = ledger.outcomes().iter().map(code).collect();
    assert_eq!(codes, ["policy_violation", "connection_broken"]);
    listener.fatal();
    assert!(payloads(&cluster, "t").is_empty());
}

#[test]
fn acknowledgements_can_be_delayed() {
    let cluster = cluster();
    let delay = Duration::from_millis(200);
    cluster.set_delay(delay);
    let (transport, _) = connect(&cluster);
    let ledger = Ledger::default();
    let started = Instant::now();
    ledger.send(&*transport, &message("a", "0"));
    ledger.positions();
    assert!(started.elapsed() >= delay);
}

#[test]
fn unknown_topic_is_rejected_or_auto_created() {
    let cluster = MemoryCluster::new();
    let (transport, _) = connect(&cluster);
    let ledger = Ledger::default();
    ledger.send(&*transport, &message("a", "0"));
    ledger.wait();
    assert_eq!(code(&ledger.outcomes()[0]), "unknown_topic");

    let cluster = cluster.with_auto_created_topics(2);
    let ledger = Ledger::default();
    ledger.send(&*transport, &message("a", "1"));
    ledger.positions();
    assert_eq!(payloads(&cluster, "t"), ["1"]);
}

#[test]
fn written_lists_messages_of_all_topics_in_order() {
    let cluster = MemoryCluster::new().with_auto_created_topics(3);
    let (transport, _) = connect(&cluster);
    let ledger = Ledger::default();
    for (topic, payload) in [("b", "0"), ("a", "1"), ("b", "2"), ("c", "3")] {
        let message = Message::new(topic, Some(b"k"), payload.into()).unwrap();
        ledger.send(&*transport, &message);
    }
    ledger.wait();
    let written = |skip| -> Vec<_> {
        let written = cluster.written(skip);
        let written = written.iter().map(|stored| &stored.message);
        written
            .map(|message| (message.topic().to_owned(), message.payload()[0]))
            .collect()
    };
    let expected = [("b", b'0'), ("a", b'1'), ("b", b'2'), ("c", b'3')];
    assert_eq!(written(0), expected.map(|(topic, at)| (topic.into(), at)));
    assert_eq!(written(3), [("c".into(), b'3')]);
    assert_eq!(written(4), []);
    assert_eq!(written(5), []);
    assert_eq!(payloads(&cluster, "b"), ["0", "2"]);
}

#[test]
fn messages_without_a_key_go_to_all_partitions() {
    let cluster = cluster();
    let (transport, _) = connect(&cluster);
    let ledger = Ledger::default();
    for _ in 0..6 {
        let message = Message::new("t", None, b"{}".to_vec()).unwrap();
        ledger.send(&*transport, &message);
    }
    let partitions: HashSet<_> = ledger.positions().iter().map(|p| p.partition).collect();
    assert_eq!(partitions, HashSet::from([0, 1, 2]));
}
