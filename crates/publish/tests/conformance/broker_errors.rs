//! Handling of a broker's errors by the transport of librdkafka.

use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use herald_envelope::{Origin, Stamp, Timestamp};
use herald_publish::kafka::{Admin, ApiError, ApiKey, DevCluster, KafkaOptions, WantedTopic};
use herald_publish::{
    Connector, DeliveryCallback, Failure, FailureCode, FailureKind, Message, RecordMetadata,
    Transport,
};
use serde_json::json;

use crate::reader::read;
use crate::support::ledger::{Ledger, RecordingListener};
use crate::support::{TEST_TIMEOUT, fresh_topic};

struct Dev {
    cluster: DevCluster,
    options: KafkaOptions,
}

impl Dev {
    fn new() -> Self {
        let cluster = DevCluster::start(1).unwrap();
        cluster.create_topic("t", 1, 1).unwrap();
        // Long enough that messages sent together are one batch.
        let options = KafkaOptions::new(cluster.bootstrap_servers())
            .property("transport", "librdkafka")
            .property("linger.ms", "200");
        Self { cluster, options }
    }

    fn connect(&self) -> (Arc<dyn Transport>, Arc<RecordingListener>) {
        let listener = Arc::new(RecordingListener::default());
        (
            self.options.connect(listener.clone(), None).unwrap(),
            listener,
        )
    }

    /// Connection whose partition knows the producer, so that later messages go in batches.
    fn connect_and_start(&self) -> (Arc<dyn Transport>, Arc<RecordingListener>) {
        let (transport, listener) = self.connect();
        let ledger = Ledger::default();
        ledger.send(&*transport, &message(FIRST));
        ledger.positions();
        (transport, listener)
    }
}

/// Number of a message that is sent before the others.
const FIRST: usize = 999;

fn message(number: usize) -> Message {
    Message::new("t", Some(b"key"), format!("{number:03}").into_bytes()).unwrap()
}

fn send(transport: &dyn Transport, count: usize) -> Ledger {
    let ledger = Ledger::default();
    for number in 0..count {
        ledger.send(transport, &message(number));
    }
    ledger
}

fn failures(ledger: &Ledger) -> Vec<Failure> {
    ledger.wait();
    let outcomes = ledger.outcomes().into_iter();
    outcomes.filter_map(Result::err).collect()
}

/// Same size as the broker computes: one byte more is rejected.
#[test]
fn broker_limits_a_batch_to_the_bytes_that_a_message_reports() {
    let Some((options, topic)) = real(1, &[("max.message.bytes", "4000")]) else {
        return;
    };
    let options = options.property("compression.type", "none");
    let of_size = |bytes| {
        let sizes = (3_000..4_000).map(|payload| {
            Message::new(&topic, Some(b"key"), vec![b'x'; payload])
                .unwrap()
                .with_header("event_type", "order.placed")
        });
        let mut sizes = sizes.filter(|message| message.min_batch_bytes() == bytes);
        sizes.next().unwrap()
    };
    let (fits, too_large) = (of_size(4_000), of_size(4_001));
    for transport in ["librdkafka", "native"] {
        let options = options.clone().property("transport", transport);
        let refused = publish(&options, &[fits.clone(), too_large.clone()]);
        assert_eq!(refused.len(), 1);
        assert_eq!(
            (&refused[0].0, refused[0].1.code),
            (&too_large, FailureCode::TooLarge)
        );
    }
}

#[test]
fn retries_transient_errors_without_reporting_them() {
    let dev = Dev::new();
    dev.cluster.fail_next(
        ApiKey::Produce,
        &[
            ApiError::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            ApiError::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            ApiError::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            ApiError::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            ApiError::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            ApiError::RD_KAFKA_RESP_ERR__TRANSPORT,
        ],
    );
    let (transport, listener) = dev.connect();
    let ledger = send(&*transport, 20);
    ledger.positions();
    assert_eq!(listener.fatal_count(), 0);
    transport.close(TEST_TIMEOUT);
}

/// Messages of a key, each in a batch of its own, on a partition of which the producer's first batch
/// is rejected: it is just coming up. A broker knows no sequence of this producer there, and would
/// accept the second batch before the first.
#[test]
fn keeps_key_order_if_the_first_batch_is_rejected() {
    for passing in [
        ApiError::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        ApiError::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        ApiError::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
    ] {
        let mut dev = Dev::new();
        dev.options = KafkaOptions::new(dev.cluster.bootstrap_servers())
            .property("transport", "librdkafka")
            .property("batch.num.messages", "1");
        // All are on their way before the first is answered.
        let slow = Duration::from_millis(100);
        dev.cluster.slow_down(None, slow).unwrap();
        dev.cluster.fail_next(ApiKey::Produce, &[passing]);
        let (transport, listener) = dev.connect();
        let ledger = send(&*transport, 5);
        let offsets = ledger
            .positions()
            .into_iter()
            .map(|metadata| metadata.offset);
        assert!(offsets.eq(0..5), "{passing:?}");
        assert_eq!(listener.fatal_count(), 0);
        transport.close(TEST_TIMEOUT);
    }
}

/// The broker accepts any batch as the first of the producer, although it accepted others before.
#[test]
fn keeps_key_order_if_a_partition_forgets_the_producer_with_one_request_in_flight() {
    let mut dev = Dev::new();
    dev.options = KafkaOptions::new(dev.cluster.bootstrap_servers())
        .property("transport", "librdkafka")
        .property("batch.num.messages", "1")
        .property("max.in.flight", "1");
    let (transport, _) = dev.connect_and_start();
    let slow = Duration::from_millis(100);
    dev.cluster.slow_down(None, slow).unwrap();
    let forgotten = ApiError::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    dev.cluster.fail_next(ApiKey::Produce, &[forgotten]);
    let ledger = send(&*transport, 5);
    let positions = ledger.positions().into_iter();
    assert!(positions.map(|metadata| metadata.offset).eq(1..6));
    transport.close(TEST_TIMEOUT);
}

/// Messages that wait for the first one of their key fail behind it.
#[test]
fn messages_that_wait_for_a_failed_first_message_fail() {
    let dev = Dev::new();
    let slow = Duration::from_millis(100);
    dev.cluster.slow_down(None, slow).unwrap();
    dev.cluster
        .fail_next(ApiKey::Produce, &[ApiError::RD_KAFKA_RESP_ERR_UNKNOWN]);
    let (transport, _) = dev.connect();
    let failures = failures(&send(&*transport, 5));
    let codes: Vec<_> = failures.iter().map(|failure| failure.code).collect();
    assert_eq!(codes[0], FailureCode::KafkaError);
    assert_eq!(codes.len(), 5);
    for failure in failures {
        assert_ne!(failure.kind, FailureKind::Permanent, "{failure}");
    }
    transport.close(TEST_TIMEOUT);
}

#[test]
fn rejected_batch_breaks_the_connection_and_rejects_no_message() {
    let dev = Dev::new();
    let (transport, listener) = dev.connect_and_start();
    dev.cluster.fail_next(
        ApiKey::Produce,
        &[ApiError::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE],
    );
    let failures = failures(&send(&*transport, 20));
    assert_eq!(failures.len(), 20);
    for failure in failures {
        assert_eq!(
            (failure.kind, failure.code),
            (FailureKind::Fatal, FailureCode::BatchRefused)
        );
    }
    assert_eq!(listener.fatal().code, FailureCode::BatchRefused);
    assert_eq!(listener.fatal_count(), 1);
    let late = send(&*transport, 1);
    assert_eq!(
        late.outcomes()[0].clone().unwrap_err().kind,
        FailureKind::Fatal
    );
    assert_eq!(
        transport.probe(TEST_TIMEOUT).unwrap_err().kind,
        FailureKind::Fatal
    );
    transport.close(TEST_TIMEOUT);
}

#[test]
fn next_connection_isolates_the_message_that_got_its_batch_rejected() {
    let dev = Dev::new();
    let too_large = ApiError::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    let (transport, _) = dev.connect_and_start();
    dev.cluster.fail_next(ApiKey::Produce, &[too_large]);
    assert_eq!(failures(&send(&*transport, 20)).len(), 20);
    transport.close(TEST_TIMEOUT);

    // Messages go one by one, so this hits the first one alone.
    dev.cluster.fail_next(ApiKey::Produce, &[too_large]);
    let (transport, listener) = dev.connect();
    let ledger = send(&*transport, 20);
    let failures = failures(&ledger);
    assert_eq!(failures.len(), 1);
    assert_eq!(
        (failures[0].kind, failures[0].code),
        (FailureKind::Permanent, FailureCode::TooLarge)
    );
    assert!(ledger.outcomes()[0].is_err());
    assert_eq!(listener.fatal_count(), 0);
    let arrived = read(&dev.cluster.bootstrap_servers(), "t", 20);
    let arrived: Vec<_> = arrived.into_iter().map(|record| record.payload).collect();
    let expected = [FIRST].into_iter().chain(1..20);
    let expected: Vec<_> = expected.map(|n| message(n).payload().to_vec()).collect();
    assert_eq!(arrived, expected);
    transport.close(TEST_TIMEOUT);
}

#[test]
fn missing_topic_permission_fails_every_message_of_a_batch() {
    let dev = Dev::new();
    let forbidden = ApiError::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    for connections in 1..=2 {
        let (transport, listener) = dev.connect_and_start();
        dev.cluster.fail_next(ApiKey::Produce, &[forbidden]);
        let failures = failures(&send(&*transport, 3));
        assert!(!failures.is_empty());
        for failure in failures {
            assert_eq!(
                (failure.kind, failure.code),
                (FailureKind::Permanent, FailureCode::NotAuthorized)
            );
        }
        transport.close(TEST_TIMEOUT);
        // The second connection knows the topic, and does not break over it.
        assert_eq!(listener.fatal_count(), usize::from(connections == 1));
    }
}

#[test]
fn unknown_error_is_retriable_and_breaks_the_connection() {
    let dev = Dev::new();
    let (transport, listener) = dev.connect_and_start();
    dev.cluster
        .fail_next(ApiKey::Produce, &[ApiError::RD_KAFKA_RESP_ERR_UNKNOWN]);
    let failures = failures(&send(&*transport, 5));
    assert_eq!(failures.len(), 5);
    for failure in failures {
        assert_eq!(
            (failure.kind, failure.code),
            (FailureKind::Retriable, FailureCode::KafkaError)
        );
    }
    listener.fatal();
    transport.close(TEST_TIMEOUT);
}

#[test]
fn missing_cluster_permission_is_fatal_for_the_producer() {
    let dev = Dev::new();
    let forbidden = ApiError::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    dev.cluster.fail_next(ApiKey::InitProducerId, &[forbidden]);
    let (transport, listener) = dev.connect();
    let ledger = send(&*transport, 3);
    let failure = listener.fatal();
    assert_eq!(
        (failure.kind, failure.code),
        (FailureKind::Fatal, FailureCode::NotAuthorized)
    );
    for failure in failures(&ledger) {
        assert_eq!(
            (failure.kind, failure.code),
            (FailureKind::Fatal, FailureCode::NotAuthorized)
        );
    }
    transport.close(TEST_TIMEOUT);
}

#[test]
fn reports_a_plaintext_broker_as_a_tls_failure() {
    let dev = Dev::new();
    let listener = Arc::new(RecordingListener::default());
    let options = dev.options.clone().property("security.protocol", "ssl");
    let transport = options.connect(listener.clone(), None).unwrap();
    listener.unreachable_with("tls_failed");
    let failure = transport.probe(Duration::from_secs(1)).unwrap_err();
    assert_eq!(failure.code, FailureCode::TlsFailed, "{failure}");
    transport.close(TEST_TIMEOUT);
}

/// Options for a real Kafka, and a topic of it.
fn real(partitions: u32, config: &[(&str, &str)]) -> Option<(KafkaOptions, String)> {
    let Ok(servers) = std::env::var("KAFKA_BOOTSTRAP_SERVERS") else {
        eprintln!("skipped: KAFKA_BOOTSTRAP_SERVERS names no Kafka; `scripts/kafka run` does");
        return None;
    };
    let options = KafkaOptions::new(servers).property("transport", "librdkafka");
    let topic = fresh_topic("refusals");
    let admin = Admin::connect(&options, TEST_TIMEOUT).unwrap();
    let config = config.iter();
    let wanted = WantedTopic {
        partitions: Some(partitions),
        config: config
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..WantedTopic::new(&topic)
    };
    admin.apply(&admin.plan(vec![wanted]).unwrap());
    Some((options, topic))
}

/// Publishes as a publisher would: what a broken connection gives back goes over a new one, in
/// the same order. Gives the failures that are for good.
fn publish(options: &KafkaOptions, messages: &[Message]) -> Vec<(Message, Failure)> {
    let mut left = messages.to_vec();
    let mut refused = Vec::new();
    for _ in 0..5 {
        let transport = options
            .connect(Arc::new(RecordingListener::default()), None)
            .unwrap();
        let ledger = Ledger::default();
        for message in &left {
            ledger.send(&*transport, message);
        }
        ledger.wait();
        let outcomes = ledger.outcomes();
        transport.close(TEST_TIMEOUT);
        let mut again = Vec::new();
        for (message, outcome) in left.into_iter().zip(outcomes) {
            match outcome {
                Ok(_) => {}
                Err(failure) if failure.kind == FailureKind::Permanent => {
                    refused.push((message, failure));
                }
                Err(_) => again.push(message),
            }
        }
        if again.is_empty() {
            return refused;
        }
        left = again;
    }
    panic!("{} messages got no verdict", left.len());
}

#[test]
fn delivers_small_messages_whose_batch_would_be_too_large() {
    for transport in ["librdkafka", "native"] {
        if let Some((options, topic)) = real(1, &[("max.message.bytes", "4000")]) {
            delivers_small_messages(&options.property("transport", transport), &topic);
        }
    }
}

fn delivers_small_messages(options: &KafkaOptions, topic: &str) {
    // Random bytes, because nothing can compress them.
    let noise = |count| -> Vec<u8> {
        let ids = std::iter::repeat_with(|| Stamp::now().event_id.into_bytes());
        ids.flatten().take(count).collect()
    };
    let mut messages: Vec<_> = (0..200)
        .map(|number| {
            let mut payload = format!("{number:03}").into_bytes();
            payload.extend(noise(1000));
            Message::new(topic, Some(b"key"), payload).unwrap()
        })
        .collect();
    let large = Message::new(topic, Some(b"key"), noise(5000)).unwrap();
    messages.insert(100, large.clone());

    let refused = publish(options, &messages);

    assert_eq!(refused.len(), 1);
    assert_eq!(
        (&refused[0].0, refused[0].1.code),
        (&large, FailureCode::TooLarge)
    );
    messages.remove(100);
    let arrived = read(options.bootstrap_servers(), topic, 200);
    let payloads = arrived.iter().map(|record| record.payload.as_slice());
    assert!(payloads.eq(messages.iter().map(Message::payload)));
}

/// Holds up the thread that reports until it is told to go on.
struct Slow {
    begun: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl DeliveryCallback for Slow {
    fn on_delivery(self: Arc<Self>, _: Result<RecordMetadata, Failure>) {
        self.begun.send(()).unwrap();
        // Nothing is sent: this ends when the sender is dropped.
        let _ = self.go_on.lock().unwrap().recv();
    }
}

#[test]
fn later_messages_do_not_overtake_a_rejected_batch_that_is_reported_late() {
    let Some((options, topic)) = real(1, &[("message.timestamp.after.max.ms", "60000")]) else {
        return;
    };
    let options = options.property("linger.ms", "100");
    let message = |payload: &str| Message::new(&topic, Some(b"key"), payload.into()).unwrap();
    let transport = options
        .connect(Arc::new(RecordingListener::default()), None)
        .unwrap();
    let (begun, has_begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let slow = Slow {
        begun,
        go_on: Mutex::new(may_go_on),
    };
    transport.send(&message("first"), Arc::new(slow)).unwrap();
    has_begun.recv().unwrap();

    let ledger = Ledger::default();
    for number in 0..500 {
        let ahead = if number == 250 {
            THREE_DAYS
        } else {
            Duration::ZERO
        };
        ledger.send(&*transport, &event_ahead(&topic, "key", ahead));
    }
    thread::sleep(Duration::from_secs(1));
    ledger.send(&*transport, &message("later"));
    thread::sleep(Duration::from_secs(1));
    drop(go_on);

    for failure in failures(&ledger) {
        assert_eq!(failure.kind, FailureKind::Fatal, "{failure}");
    }
    transport.close(TEST_TIMEOUT);
    assert_eq!(read(options.bootstrap_servers(), &topic, 1).len(), 1);
}

/// A time that a topic does not accept.
const THREE_DAYS: Duration = Duration::from_secs(3 * 24 * 3600);

/// Message of an event with a time so far ahead.
fn event_ahead(topic: &str, key: &str, ahead: Duration) -> Message {
    let stamp = Stamp {
        event_timestamp: Timestamp::try_from(SystemTime::now() + ahead).unwrap(),
        ..Stamp::now()
    };
    let origin = Origin::new("service", "1", "test");
    let envelope = origin
        .stamped(stamp, "t", "node", json!({}))
        .with_partition_key(key.to_owned());
    Message::of_envelope(topic, &envelope).unwrap()
}

#[test]
fn invalid_timestamp_rejects_only_its_own_event() {
    let Some((options, topic)) = real(1, &[("message.timestamp.after.max.ms", "60000")]) else {
        return;
    };
    let event = |key: &str, ahead| event_ahead(&topic, key, ahead);
    let mut messages: Vec<_> = (0..50)
        .map(|n| event(&n.to_string(), Duration::ZERO))
        .collect();
    let late = event("late", THREE_DAYS);
    messages.insert(20, late.clone());

    let refused = publish(&options, &messages);

    assert_eq!(refused.len(), 1);
    assert_eq!(
        (&refused[0].0, refused[0].1.code),
        (&late, FailureCode::InvalidTimestamp)
    );
    assert_eq!(read(options.bootstrap_servers(), &topic, 50).len(), 50);
}

#[test]
fn missing_topic_is_unknown_until_it_is_created() {
    let Some((options, _)) = real(1, &[]) else {
        return;
    };
    let options = options.property("topic.metadata.propagation.max.ms", "1000");
    let topic = fresh_topic("nowhere");
    let message = Message::new(&topic, Some(b"key"), b"{}".to_vec()).unwrap();
    let transport = options
        .connect(Arc::new(RecordingListener::default()), None)
        .unwrap();
    let ledger = Ledger::default();
    ledger.send(&*transport, &message);
    ledger.wait();
    ledger.send(&*transport, &message);
    ledger.wait();
    for failure in ledger.outcomes().into_iter().map(Result::unwrap_err) {
        assert_eq!(
            (failure.kind, failure.code),
            (FailureKind::Permanent, FailureCode::UnknownTopic)
        );
        assert!(failure.detail.contains(&topic), "{failure}");
    }

    // Somebody creates it.
    let admin = Admin::connect(&options, TEST_TIMEOUT).unwrap();
    let plan = admin.plan(vec![WantedTopic::new(&topic)]).unwrap();
    admin.apply(&plan);
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let ledger = Ledger::default();
        ledger.send(&*transport, &message);
        ledger.wait();
        if ledger.outcomes()[0].is_ok() {
            break;
        }
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(100));
    }
    transport.close(TEST_TIMEOUT);
}

#[test]
fn rejects_further_messages_of_a_missing_topic_immediately() {
    let Some((options, topic)) = real(1, &[]) else {
        return;
    };
    let options = options.property("topic.metadata.propagation.max.ms", "500");
    let absent = Message::new(&format!("{topic}-absent"), None, Vec::new()).unwrap();
    let transport = options
        .connect(Arc::new(RecordingListener::default()), None)
        .unwrap();
    let ledger = Ledger::default();
    let first = ledger.send(&*transport, &absent);
    ledger.wait();
    assert!(!ledger.is_refused(first), "the first one is waited for");
    let second = ledger.send(&*transport, &absent);
    assert!(ledger.is_refused(second));
    let codes: Vec<_> = ledger
        .outcomes()
        .into_iter()
        .map(Result::unwrap_err)
        .collect();
    assert!(
        codes
            .iter()
            .all(|failure| failure.code == FailureCode::UnknownTopic)
    );
    transport.close(TEST_TIMEOUT);
}
