//! Requirements of every transport. `main.rs` turns each public function into a test.

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use herald_envelope::key::partition;
use herald_publish::{
    DeliveryCallback, Failure, FailureCode, FailureKind, Message, RecordMetadata, Transport,
};

use crate::cluster::{Cluster, Record};
use crate::support::ledger::{Ledger, RecordingListener};
use crate::support::{TEST_TIMEOUT, fresh_topic};

fn topic(cluster: &dyn Cluster, what: &str, partitions: u32) -> String {
    let topic = fresh_topic(what);
    cluster.create(&topic, partitions);
    topic
}

fn connect(cluster: &dyn Cluster) -> Arc<dyn Transport> {
    cluster.connect(Arc::new(RecordingListener::default()), None)
}

fn message(topic: &str, key: Option<&[u8]>, payload: impl Into<Vec<u8>>) -> Message {
    Message::new(topic, key, payload.into()).unwrap()
}

/// A message with its key and its number as payload.
pub(crate) fn numbered(topic: &str, key: usize, number: usize) -> Message {
    let key = format!("key-{key}");
    message(topic, Some(key.as_bytes()), format!("{key} {number:06}"))
}

/// The numbers of each key's messages as they lie in the topic.
fn numbers(records: &[Record]) -> BTreeMap<Vec<u8>, Vec<usize>> {
    let mut numbers: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for record in records {
        let text = String::from_utf8(record.payload.clone()).unwrap();
        let (_, number) = text.split_once(' ').unwrap();
        let key = record.key.clone().unwrap();
        numbers
            .entry(key)
            .or_default()
            .push(number.parse().unwrap());
    }
    numbers
}

pub fn reports_each_message_once(cluster: &dyn Cluster) {
    let topic = topic(cluster, "once", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    for number in 0..2000 {
        ledger.send(&*transport, &numbered(&topic, number % 7, number));
    }
    assert_eq!(ledger.positions().len(), 2000);
    transport.close(TEST_TIMEOUT);
    assert_eq!(ledger.outcomes().len(), 2000);
    assert_eq!(cluster.read(&topic, 2000).len(), 2000);
}

pub fn consumers_read_acknowledged_messages(cluster: &dyn Cluster) {
    let topic = topic(cluster, "readable", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    let messages: Vec<_> = (0..300)
        .map(|number| numbered(&topic, number, number))
        .collect();
    for message in &messages {
        ledger.send(&*transport, message);
    }
    let positions = ledger.positions();
    let records = cluster.read(&topic, messages.len());
    for (message, position) in messages.iter().zip(positions) {
        let record = records.iter().find(|record| {
            (record.partition, record.offset) == (position.partition, position.offset)
        });
        assert_eq!(record.unwrap().payload, message.payload());
    }
}

pub fn keeps_the_order_of_each_key(cluster: &dyn Cluster) {
    let topic = topic(cluster, "order", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    for number in 0..100 {
        for key in 0..20 {
            ledger.send(&*transport, &numbered(&topic, key, number));
        }
    }
    ledger.positions();
    let numbers = numbers(&cluster.read(&topic, 2000));
    assert_eq!(numbers.len(), 20);
    for numbers in numbers.values() {
        assert_eq!(*numbers, (0..100).collect::<Vec<_>>());
    }
}

pub fn messages_with_more_to_follow_leave_when_flushed(cluster: &dyn Cluster) {
    let topic = topic(cluster, "flush", 1);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    ledger.send(&*transport, &numbered(&topic, 1, 0));
    ledger.positions();
    let started = Instant::now();
    // Each batch of them finds the connection idle.
    for batch in 0..10 {
        for number in 0..10 {
            ledger.send_with_more(&*transport, &numbered(&topic, 0, 10 * batch + number));
        }
        transport.flush();
        assert_eq!(ledger.positions().len(), 1 + 10 * (batch + 1));
    }
    // Without the flush each waits until the transport wakes up by itself.
    assert!(started.elapsed() < Duration::from_secs(5));
    let records = cluster.read(&topic, 101);
    assert!(numbers(&records)[&b"key-0"[..]].iter().copied().eq(0..100));
}

pub fn chooses_the_partition_by_the_hash_of_the_key(cluster: &dyn Cluster) {
    let topic = topic(cluster, "hash", 7);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    let keys: Vec<_> = (0..200)
        .map(|number| format!("{:0width$}", number, width = number % 9).into_bytes())
        .chain([Vec::new(), vec![0, 255, 128]])
        .collect();
    for key in &keys {
        ledger.send(&*transport, &message(&topic, Some(key), "{}"));
    }
    for (key, position) in keys.iter().zip(ledger.positions()) {
        let expected = i32::try_from(partition(key, 7)).unwrap();
        assert_eq!(position.partition, expected, "{key:?}");
    }
}

pub fn delivers_key_headers_and_timestamp(cluster: &dyn Cluster) {
    let topic = topic(cluster, "parts", 1);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    let messages = [
        message(&topic, None, "no key")
            .with_header("content-type", "application/json")
            .with_header("twice", "1")
            .with_header("twice", "2"),
        message(&topic, Some(b""), "empty key").with_header("empty", ""),
        message(&topic, Some(&[0, 255]), [255, 0]).with_header("binary", [0, 255]),
        message(&topic, Some(b"no payload"), ""),
    ];
    for message in &messages {
        ledger.send(&*transport, message);
    }
    ledger.positions();
    // Messages without a key and with one have no order among each other.
    let records = cluster.read(&topic, messages.len());
    for message in &messages {
        let record = records
            .iter()
            .find(|record| record.payload == message.payload())
            .unwrap();
        assert_eq!(record.key.as_deref(), message.key());
        let headers = record.headers.iter();
        let headers: Vec<_> = headers.map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(headers, message.headers().collect::<Vec<_>>());
        let created = message.created().duration_since(SystemTime::UNIX_EPOCH);
        let created = i64::try_from(created.unwrap().as_millis()).unwrap();
        assert_eq!(record.timestamp, created);
    }
}

pub fn rejects_too_large_messages_permanently(cluster: &dyn Cluster) {
    let topic = topic(cluster, "large", 1);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    ledger.send(
        &*transport,
        &message(&topic, Some(b"k"), vec![b'x'; 2_000_000]),
    );
    ledger.send(&*transport, &message(&topic, Some(b"k"), "small"));
    ledger.wait();
    let outcomes = ledger.outcomes();
    let failure = outcomes[0].as_ref().unwrap_err();
    assert_eq!(
        (failure.kind, failure.code),
        (FailureKind::Permanent, FailureCode::TooLarge)
    );
    assert!(failure.detail.contains(&topic), "{failure}");
    assert!(outcomes[1].is_ok(), "{outcomes:?}");
}

pub fn never_reports_on_the_sending_thread(cluster: &dyn Cluster) {
    let topic = topic(cluster, "threads", 1);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    for number in 0..100 {
        ledger.send(&*transport, &numbered(&topic, 0, number));
    }
    ledger.positions();
    ledger.send(&*transport, &numbered(&topic, 0, 100));
    transport.close(TEST_TIMEOUT);
    assert_eq!(ledger.settled(), 101);
    let here = thread::current().id();
    assert!(ledger.threads().iter().all(|thread| *thread != here));
}

pub fn fifty_threads_send_concurrently(cluster: &dyn Cluster) {
    let topic = topic(cluster, "many", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    thread::scope(|scope| {
        for key in 0..50 {
            let (ledger, transport, topic) = (&ledger, &*transport, &topic);
            scope.spawn(move || {
                for number in 0..40 {
                    ledger.send(transport, &numbered(topic, key, number));
                }
            });
        }
    });
    let positions = ledger.positions();
    let places = positions.iter().map(|p| (p.partition, p.offset));
    assert_eq!(places.collect::<HashSet<_>>().len(), 2000);
    for numbers in numbers(&cluster.read(&topic, 2000)).values() {
        assert_eq!(*numbers, (0..40).collect::<Vec<_>>());
    }
}

pub fn probe_succeeds_on_an_available_cluster(cluster: &dyn Cluster) {
    let transport = connect(cluster);
    transport.probe(TEST_TIMEOUT).unwrap();
    let topic = topic(cluster, "probe", 3);
    let ledger = Ledger::default();
    ledger.send(&*transport, &numbered(&topic, 0, 0));
    ledger.positions();
    transport.probe(TEST_TIMEOUT).unwrap();
}

pub fn accepts_no_messages_after_close(cluster: &dyn Cluster) {
    let topic = topic(cluster, "closed", 1);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    ledger.send(&*transport, &numbered(&topic, 0, 0));
    ledger.positions();
    transport.close(TEST_TIMEOUT);
    transport.close(TEST_TIMEOUT);
    let number = ledger.send(&*transport, &numbered(&topic, 0, 1));
    let failure = ledger.outcomes()[number].clone().unwrap_err();
    assert_eq!(
        (failure.kind, failure.code),
        (FailureKind::Abandoned, FailureCode::Closed)
    );
    let failure = transport.probe(TEST_TIMEOUT).unwrap_err();
    assert_eq!(failure.code, FailureCode::Closed);
    assert_eq!(cluster.read(&topic, 1).len(), 1);
}

/// Sends from four threads until the connection takes nothing more, and ends it in between.
fn end_under_load(cluster: &dyn Cluster, end: impl FnOnce(&dyn Transport)) {
    let topic = topic(cluster, "end", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    thread::scope(|scope| {
        for key in 0..4 {
            let (ledger, transport, topic) = (&ledger, &*transport, &topic);
            scope.spawn(move || {
                for number in 0.. {
                    let sent = ledger.send(transport, &numbered(topic, key, number));
                    if ledger.is_refused(sent) {
                        break;
                    }
                    if number > 1000 {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            });
        }
        let deadline = Instant::now() + TEST_TIMEOUT;
        while ledger.settled() < 1000 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        end(&*transport);
    });
    assert_all_delivered_or_abandoned(&ledger);
}

#[track_caller]
fn assert_all_delivered_or_abandoned(ledger: &Ledger) {
    for outcome in ledger.outcomes() {
        if let Err(failure) = outcome {
            assert_eq!(failure.kind, FailureKind::Abandoned, "{failure}");
        }
    }
}

pub fn close_under_load_reports_every_message(cluster: &dyn Cluster) {
    end_under_load(cluster, |transport| transport.close(TEST_TIMEOUT));
}

pub fn drop_reports_every_message(cluster: &dyn Cluster) {
    let topic = topic(cluster, "drop", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    for number in 0..1000 {
        ledger.send(&*transport, &numbered(&topic, number % 5, number));
    }
    drop(transport);
    // A thread that describes the topic may have the last reference for a moment.
    ledger.wait();
    assert_all_delivered_or_abandoned(&ledger);
}

/// Closes the connection that it is reported by.
struct Closing(Arc<dyn Transport>);

impl DeliveryCallback for Closing {
    fn on_delivery(self: Arc<Self>, _: Result<RecordMetadata, Failure>) {
        self.0.close(TEST_TIMEOUT);
    }
}

pub fn callback_can_close_the_connection(cluster: &dyn Cluster) {
    let topic = topic(cluster, "inside", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    let started = Instant::now();
    transport
        .send(
            &numbered(&topic, 0, 0),
            Arc::new(Closing(transport.clone())),
        )
        .unwrap();
    for number in 1..50 {
        ledger.send(&*transport, &numbered(&topic, 0, number));
    }
    ledger.wait();
    assert!(
        started.elapsed() < TEST_TIMEOUT / 2,
        "{:?}",
        started.elapsed()
    );
    assert_all_delivered_or_abandoned(&ledger);
}

pub fn messages_wait_for_a_cluster_that_starts_later(cluster: &dyn Cluster) {
    let topic = topic(cluster, "absent", 3);
    cluster.stop();
    let listener = Arc::new(RecordingListener::default());
    let transport = cluster.connect(listener.clone(), None);
    let ledger = Ledger::default();
    ledger.send(&*transport, &numbered(&topic, 0, 0));
    let failure = listener.unreachable();
    assert_eq!(
        (failure.kind, failure.code),
        (FailureKind::Retriable, FailureCode::Unreachable)
    );
    assert_eq!(ledger.settled(), 0);
    cluster.start();
    ledger.positions();
}

pub fn messages_wait_for_the_end_of_an_outage(cluster: &dyn Cluster) {
    let topic = topic(cluster, "outage", 3);
    let listener = Arc::new(RecordingListener::default());
    let transport = cluster.connect(listener.clone(), None);
    let ledger = Ledger::default();
    ledger.send(&*transport, &numbered(&topic, 0, 0));
    ledger.positions();
    cluster.stop();
    for number in 1..50 {
        ledger.send(&*transport, &numbered(&topic, 0, number));
    }
    listener.unreachable();
    assert_eq!(ledger.settled(), 1);
    cluster.start();
    ledger.positions();
    let numbers = numbers(&cluster.read(&topic, 50));
    assert_eq!(numbers[&b"key-0"[..]], (0..50).collect::<Vec<_>>());
}

pub fn frozen_cluster_loses_nothing(cluster: &dyn Cluster) {
    let topic = topic(cluster, "frozen", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    ledger.send(&*transport, &numbered(&topic, 0, 0));
    ledger.positions();
    cluster.pause();
    for number in 1..50 {
        ledger.send(&*transport, &numbered(&topic, 0, number));
    }
    thread::sleep(Duration::from_millis(300));
    assert_eq!(ledger.settled(), 1);
    cluster.resume();
    ledger.positions();
    assert_order(&cluster.read(&topic, 50), 1, 50);
}

/// All messages of all keys lie in the topic, each for the first time behind those before it.
#[track_caller]
fn assert_order(records: &[Record], keys: usize, count: usize) {
    let numbers = numbers(records);
    assert_eq!(numbers.len(), keys);
    for (key, numbers) in numbers {
        let mut seen = HashSet::new();
        let first: Vec<_> = numbers.into_iter().filter(|n| seen.insert(*n)).collect();
        let key = String::from_utf8_lossy(&key);
        assert_eq!(first, (0..count).collect::<Vec<_>>(), "{key}");
    }
}

pub fn keeps_the_order_of_each_key_through_a_restart(cluster: &dyn Cluster) {
    const KEYS: usize = 5;
    let topic = topic(cluster, "restart", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    let (done, stop) = mpsc::channel::<()>();
    let count = thread::scope(|scope| {
        let (ledger, transport, topic) = (&ledger, &*transport, &topic);
        let sender = scope.spawn(move || {
            let mut number = 0;
            while stop.try_recv() == Err(TryRecvError::Empty) {
                for key in 0..KEYS {
                    ledger.send(transport, &numbered(topic, key, number));
                }
                number += 1;
                thread::sleep(Duration::from_millis(1));
            }
            number
        });
        thread::sleep(Duration::from_millis(200));
        cluster.stop();
        thread::sleep(Duration::from_millis(200));
        cluster.start();
        thread::sleep(Duration::from_millis(200));
        drop(done);
        sender.join().unwrap()
    });
    ledger.positions();
    assert_order(&cluster.read(&topic, KEYS * count), KEYS, count);
}

pub fn probe_fails_while_the_cluster_is_stopped(cluster: &dyn Cluster) {
    let transport = connect(cluster);
    transport.probe(TEST_TIMEOUT).unwrap();
    cluster.stop();
    let failure = transport.probe(Duration::from_secs(1)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Retriable, "{failure}");
    cluster.start();
    transport.probe(TEST_TIMEOUT).unwrap();
}

pub fn probe_fails_while_the_cluster_is_frozen(cluster: &dyn Cluster) {
    let transport = connect(cluster);
    transport.probe(TEST_TIMEOUT).unwrap();
    cluster.pause();
    let failure = transport.probe(Duration::from_secs(1)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Retriable, "{failure}");
    cluster.resume();
    transport.probe(TEST_TIMEOUT).unwrap();
}

#[derive(Clone, Copy)]
enum Outage {
    Stopped,
    Frozen,
}

fn begin(cluster: &dyn Cluster, outage: Outage) {
    match outage {
        Outage::Stopped => cluster.stop(),
        Outage::Frozen => cluster.pause(),
    }
}

fn finish(cluster: &dyn Cluster, outage: Outage) {
    match outage {
        Outage::Stopped => cluster.start(),
        Outage::Frozen => cluster.resume(),
    }
}

/// Ends a connection with messages under way, and expects the end before the guard.
fn end_in_an_outage(
    cluster: &dyn Cluster,
    outage: Outage,
    end: impl FnOnce(Arc<dyn Transport>, &Ledger),
) {
    let topic = topic(cluster, "ending", 3);
    let transport = connect(cluster);
    let ledger = Ledger::default();
    ledger.send(&*transport, &numbered(&topic, 0, 0));
    ledger.positions();
    begin(cluster, outage);
    for number in 1..200 {
        ledger.send(&*transport, &numbered(&topic, number % 5, number));
    }
    thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    end(transport, &ledger);
    assert!(
        started.elapsed() < TEST_TIMEOUT / 2,
        "{:?}",
        started.elapsed()
    );
    let failures = ledger.outcomes().into_iter().skip(1);
    for failure in failures.map(Result::unwrap_err) {
        assert_eq!(
            (failure.kind, failure.code),
            (FailureKind::Abandoned, FailureCode::Abandoned)
        );
    }
    finish(cluster, outage);
}

pub fn close_returns_while_the_cluster_is_stopped(cluster: &dyn Cluster) {
    end_in_an_outage(cluster, Outage::Stopped, |transport, _| {
        transport.close(Duration::from_secs(5));
    });
}

pub fn close_returns_while_the_cluster_is_frozen(cluster: &dyn Cluster) {
    end_in_an_outage(cluster, Outage::Frozen, |transport, _| {
        transport.close(Duration::from_secs(5));
    });
}

pub fn close_with_a_zero_timeout_reports_every_message(cluster: &dyn Cluster) {
    end_in_an_outage(cluster, Outage::Stopped, |transport, ledger| {
        transport.close(Duration::ZERO);
        // A report that was on its way comes a moment later.
        ledger.wait();
    });
}

pub fn drop_returns_while_the_cluster_is_stopped(cluster: &dyn Cluster) {
    end_in_an_outage(cluster, Outage::Stopped, |transport, _| drop(transport));
}

/// Messages of a connection with `delivery_timeout`, sent in an outage, are given back.
fn expect_delivery_timeout(cluster: &dyn Cluster, outage: Outage) {
    let topic = topic(cluster, "delivery_timeout", 1);
    let delivery_timeout = Some(Duration::from_secs(1));
    let transport = cluster.connect(Arc::new(RecordingListener::default()), delivery_timeout);
    transport.probe(TEST_TIMEOUT).unwrap();
    begin(cluster, outage);
    let ledger = Ledger::default();
    for number in 0..10 {
        ledger.send(&*transport, &numbered(&topic, 0, number));
    }
    ledger.wait();
    for failure in ledger.outcomes().into_iter().map(Result::unwrap_err) {
        assert_eq!(failure.kind, FailureKind::Retriable, "{failure}");
    }
    let failure = ledger.outcomes()[0].clone().unwrap_err();
    assert_eq!(failure.code, FailureCode::TimedOut);
    finish(cluster, outage);
}

pub fn delivery_timeout_ends_while_the_cluster_is_stopped(cluster: &dyn Cluster) {
    expect_delivery_timeout(cluster, Outage::Stopped);
}

pub fn delivery_timeout_ends_while_the_cluster_is_frozen(cluster: &dyn Cluster) {
    expect_delivery_timeout(cluster, Outage::Frozen);
}
