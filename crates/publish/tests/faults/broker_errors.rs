//! Errors of a broker, from a cluster with scripted answers.

use std::time::Duration;

use herald_publish::kafka::{ApiError as Error, ApiKey, DevCluster, KafkaOptions};
use herald_publish::{Mode, Publisher};

use crate::cluster;
use crate::event::Event;
use crate::fixture::{Fixture, finish};
use crate::ledger::Ledger;
use crate::load::Load;

/// Each mode with each transport.
const RUNS: [(Mode, &str); 4] = [
    (Mode::Direct, "native"),
    (Mode::Direct, "librdkafka"),
    (Mode::WriteAhead, "native"),
    (Mode::WriteAhead, "librdkafka"),
];

/// Answers of brokers to requests that write.
///
/// One request at a time: the cluster does not look at sequences. Where a broker would refuse what
/// comes behind a refused request, it takes that, and librdkafka concludes that it has both.
fn answers(case: &str, errors: &[Error]) {
    for (mode, transport) in RUNS {
        let cluster = DevCluster::start(1).unwrap();
        let servers = cluster.bootstrap_servers();
        let (fixture, topic) = (Fixture::new(), cluster::fresh_topic());
        cluster.create_topic(&topic, 3, 1).unwrap();
        let kafka = KafkaOptions::new(&servers)
            .property("transport", transport)
            .property("max.in.flight.requests.per.connection", "1");
        let options = fixture.options(kafka).mode(mode);
        let options = options.relay_window(1).max_in_flight(1);
        let publisher = Publisher::open(options).unwrap();
        let load = Load {
            threads: 1,
            keys_per_thread: 1,
            open: 0,
            ..Load::gentle(&topic)
        };
        let ledger = load.during(&publisher, |progress| {
            let under_way = || progress.wait_for_usual(mode, 100);
            under_way();
            cluster.fail_next(ApiKey::Produce, errors);
            under_way();
            cluster.fail_next(ApiKey::Produce, errors);
            under_way();
        });
        finish(publisher);
        let account = fixture.account(&ledger, &servers, &topic);
        account.show(&format!("broker answers {case}, {mode:?}, {transport}"));
        account.assert_no_errors();
        account.assert_kept();
    }
}

#[test]
fn transient_errors() {
    let errors = [
        Error::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        Error::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        Error::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        Error::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        Error::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        Error::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        Error::RD_KAFKA_RESP_ERR__TRANSPORT,
    ];
    answers("seven errors that pass", &errors);
}

#[test]
fn out_of_order_sequence() {
    answers(
        "out of order",
        &[Error::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER],
    );
}

#[test]
fn invalid_producer_epoch() {
    answers(
        "invalid epoch",
        &[Error::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH],
    );
}

#[test]
fn unknown_producer_id() {
    answers(
        "unknown producer",
        &[Error::RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID],
    );
}

/// A broker that does not know the producer yet refuses its first batch, because the partition is
/// just coming up, and takes the second. librdkafka concludes that it has both. Later events of the
/// first key wait, and stay behind it.
#[test]
fn first_batch_rejected_and_next_accepted() {
    for (mode, transport) in RUNS {
        let cluster = DevCluster::start(1).unwrap();
        let servers = cluster.bootstrap_servers();
        let (fixture, topic) = (Fixture::new(), cluster::fresh_topic());
        cluster.create_topic(&topic, 1, 1).unwrap();
        // Each in a batch of its own, and all on their way before the first is answered.
        let kafka = KafkaOptions::new(&servers)
            .property("transport", transport)
            .property("batch.size", "1");
        let publisher = Publisher::open(fixture.options(kafka).mode(mode)).unwrap();
        cluster.slow_down(None, Duration::from_millis(50)).unwrap();
        cluster.fail_next(
            ApiKey::Produce,
            &[Error::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART],
        );
        let mut ledger = Ledger::default();
        let events = [(1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (2, 2)];
        let events = events.map(|(key, number)| Event { key, number });
        let pending = events.map(|event| {
            publisher
                .blocking_enqueue(event.message(&topic, 10))
                .unwrap()
        });
        for (event, pending) in events.into_iter().zip(pending) {
            ledger.note(event, pending.wait().into());
        }
        finish(publisher);
        let account = fixture.account(&ledger, &servers, &topic);
        account.show(&format!(
            "only a first batch is refused, {mode:?}, {transport}"
        ));
        account.assert_no_errors();
        account.assert_kept();
    }
}
