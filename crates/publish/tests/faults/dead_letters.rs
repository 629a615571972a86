//! Events that Kafka never accepts, and their dead letters.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use herald_publish::dead_letter::TOPIC_SUFFIX;
use herald_publish::kafka::KafkaOptions;
use herald_publish::spool::{DeadLetterAction, Inspector, Sequence};
use herald_publish::{
    Failure, FailureCode, Mode, PublishError, Publisher, PublisherOptions, Receipt,
};
use rdkafka::message::{Headers, Message};

use crate::cluster::{self, Cluster, create_topic, fresh_topic};
use crate::event::Event;
use crate::fixture::{self, Fixture, eventually_drained, finish};
use crate::ledger::{Ledger, Outcome};
use crate::load::{Load, eventually};

/// Events of five keys, every 25th with a note of so many bytes.
fn publish(publisher: &Publisher, topic: &str, large: usize) -> Ledger {
    let mut ledger = Ledger::default();
    let pending: Vec<_> = (1..=500_u64)
        .map(|number| {
            let key = u32::try_from(number % 5).unwrap();
            let event = Event { key, number };
            let note_bytes = if number % 25 == 7 { large } else { 100 };
            let message = event.message(topic, note_bytes);
            (event, publisher.blocking_enqueue(message).unwrap())
        })
        .collect();
    for (event, pending) in pending {
        ledger.note(event, pending.wait().into());
    }
    ledger
}

/// Also the smaller ones of the topic, which would be too large for it in one batch, do not break
/// the connection.
#[test]
fn event_too_large_for_its_topic_goes_to_the_dead_letter_topic() {
    let Some(cluster) = Cluster::up() else { return };
    let (fixture, topic) = (Fixture::new(), fresh_topic());
    let letters = format!("{topic}{TOPIC_SUFFIX}");
    let limit = [("max.message.bytes", "20000")];
    create_topic(cluster.servers(), &topic, 3, &limit);
    create_topic(cluster.servers(), &letters, 1, &[]);
    let publisher = Publisher::open(fixture.kafka(cluster.servers())).unwrap();
    let ledger = publish(&publisher, &topic, 50_000);
    assert_eq!(publisher.stats().outages, 0);
    finish(publisher);
    let account = fixture.account_with_dead_letters(&ledger, cluster.servers(), &topic);
    account.show("too large for the topic, taken by its dead letter topic");
    account.assert_no_errors();
    account.assert_kept();

    let mut seen = 0;
    cluster::read(cluster.servers(), &letters, |letter| {
        let headers: BTreeMap<_, _> = letter
            .headers()
            .unwrap()
            .iter()
            .map(|header| (header.key, header.value.unwrap_or_default()))
            .collect();
        assert_eq!(headers["dlq_reason"], b"too_large");
        assert_eq!(headers["dlq_original_topic"], topic.as_bytes());
        assert!(headers.contains_key("dlq_attempts") && headers.contains_key("dlq_time"));
        assert_eq!(Event::read(letter.payload().unwrap()).0.number % 25, 7);
        seen += 1;
    });
    assert_eq!(seen, 20);
}

/// Compressed, each of them would be small enough.
#[test]
fn event_too_large_for_its_topic_is_rejected_every_time_whatever_compression_and_mode() {
    let Some(cluster) = Cluster::up() else { return };
    for (transport, compression, mode) in [
        ("librdkafka", "none", Mode::Direct),
        ("librdkafka", "lz4", Mode::Direct),
        ("librdkafka", "lz4", Mode::WriteAhead),
        ("native", "none", Mode::Direct),
        ("native", "lz4", Mode::Direct),
        ("native", "lz4", Mode::WriteAhead),
    ] {
        let (fixture, topic) = (Fixture::new(), fresh_topic());
        let limit = [("max.message.bytes", "20000")];
        create_topic(cluster.servers(), &topic, 3, &limit);
        let kafka = fixture::kafka(cluster.servers())
            .property("transport", transport)
            .property("compression.type", compression);
        let publisher = Publisher::open(fixture.options(kafka).mode(mode)).unwrap();
        for number in 0..20 {
            let event = Event { key: 1, number };
            let pending = publisher.blocking_enqueue(event.message(&topic, 30_000));
            let error = pending.unwrap().wait().unwrap_err();
            let PublishError::Rejected {
                failure,
                dead_letter: Some(_),
            } = &error
            else {
                panic!("{error}")
            };
            assert_eq!(failure.code, FailureCode::TooLarge);
            for part in [topic.as_str(), "20000", "max.message.bytes"] {
                assert!(failure.detail.contains(part), "{failure}");
            }
        }
        assert_eq!(publisher.stats().outages, 0);
        finish(publisher);
    }
}

#[test]
fn event_too_large_for_every_topic_stays_in_the_spool() {
    let Some(cluster) = Cluster::up() else { return };
    let (fixture, topic) = (Fixture::new(), fresh_topic());
    create_topic(cluster.servers(), &topic, 3, &[]);
    create_topic(cluster.servers(), &format!("{topic}{TOPIC_SUFFIX}"), 1, &[]);
    let publisher = Publisher::open(fixture.kafka(cluster.servers())).unwrap();
    let ledger = publish(&publisher, &topic, 1_100_000);
    finish(publisher);
    let account = fixture.account_with_dead_letters(&ledger, cluster.servers(), &topic);
    account.show("too large for every topic");
    account.assert_no_errors();
    account.assert_kept();
    assert_eq!(fixture.found().dead.len(), 20);
}

/// A topic that is absent for a second is unknown, and looked for again every second.
fn quick(servers: &str) -> KafkaOptions {
    fixture::kafka(servers)
        .property("topic.metadata.propagation.max.ms", "1000")
        .property("topic.metadata.refresh.interval.ms", "1000")
}

/// The first contact of a service whose topics nobody created.
#[test]
fn first_event_for_a_missing_topic_is_an_error_about_the_topic_and_not_an_outage() {
    let Some(cluster) = Cluster::up() else { return };
    for transport in ["librdkafka", "native"] {
        let (fixture, topic) = (Fixture::new(), fresh_topic());
        let kafka = KafkaOptions::new(cluster.servers()).property("transport", transport);
        let publisher = Publisher::open(fixture.options(kafka)).unwrap();
        for number in 0..3 {
            let message = Event { key: 1, number }.message(&topic, 100);
            let pending = publisher.blocking_enqueue(message).unwrap();
            let error = pending.wait().unwrap_err();
            let PublishError::Rejected { failure, .. } = &error else {
                panic!("{transport}: {error}")
            };
            assert_names_topic(failure, &topic);
        }
        assert_eq!(publisher.stats().outages, 0, "{transport}");
        finish(publisher);
    }
}

fn assert_names_topic(failure: &Failure, topic: &str) {
    assert_eq!(failure.code, FailureCode::UnknownTopic);
    let parts = [topic, "does not exist", "herald topics apply --yes"];
    for part in parts {
        assert!(failure.detail.contains(part), "{failure}");
    }
}

/// Nothing is acknowledged within such a deadline, which would be an outage with a topic that exists.
#[test]
fn deadline_before_a_missing_topic_is_rejected_is_not_an_outage() {
    let Some(cluster) = Cluster::up() else { return };
    let deadline = Duration::from_millis(700);
    for transport in ["librdkafka", "native"] {
        let (fixture, topic, missing) = (Fixture::new(), fresh_topic(), fresh_topic());
        create_topic(cluster.servers(), &topic, 1, &[]);
        let kafka = KafkaOptions::new(cluster.servers()).property("transport", transport);
        let publisher = Publisher::open(fixture.options(kafka.clone()).deadline(deadline)).unwrap();
        let publish = |publisher: &Publisher, topic: &str, number| {
            let message = Event { key: 1, number }.message(topic, 100);
            publisher.blocking_enqueue(message).unwrap().wait()
        };
        // The connection is there before the clock of the other event starts.
        publish(&publisher, &topic, 0).unwrap();
        let receipt = publish(&publisher, &missing, 1).unwrap();
        assert!(matches!(receipt, Receipt::Spooled { .. }), "{receipt:?}");
        assert_eq!(publisher.stats().outages, 0, "{transport}");
        assert!(matches!(
            publish(&publisher, &topic, 2),
            Ok(Receipt::Delivered { .. })
        ));
        eventually("it is a dead letter", || {
            publisher.stats().spool.is_some_and(|spool| spool.dead == 1)
        });
        finish(publisher);

        // Without a spool the error names the topic.
        let publisher = Publisher::open(PublisherOptions::new(kafka).deadline(deadline)).unwrap();
        publish(&publisher, &topic, 3).unwrap();
        match publish(&publisher, &missing, 4).unwrap_err() {
            PublishError::Unavailable(failure) => assert_names_topic(&failure, &missing),
            other => panic!("{transport}: {other}"),
        }
        publisher.close(Duration::from_secs(10)).unwrap();
    }
}

#[test]
fn events_for_a_missing_topic_go_to_its_dead_letter_topic() {
    let Some(cluster) = Cluster::up() else { return };
    let (fixture, topic) = (Fixture::new(), fresh_topic());
    let letters = format!("{topic}{TOPIC_SUFFIX}");
    create_topic(cluster.servers(), &letters, 1, &[]);
    let publisher = Publisher::open(fixture.options(quick(cluster.servers()))).unwrap();
    let ledger = Load::burst(&topic, 200).run(&publisher);
    finish(publisher);
    let mut found = fixture.found();
    let seen = cluster::events(cluster.servers(), &letters);
    found.on_dead_letter_topic = seen.iter().map(|seen| seen.event).collect();
    let account = ledger.settle(&found);
    account.show("missing topic with a dead letter topic");
    account.assert_no_errors();
    account.assert_kept();
    assert_eq!(found.on_dead_letter_topic.len(), 200);
}

#[test]
fn events_for_a_missing_topic_are_delivered_by_a_retry_once_it_exists() {
    let Some(cluster) = Cluster::up() else { return };
    let (fixture, topic) = (Fixture::new(), fresh_topic());
    let publisher = Publisher::open(fixture.options(quick(cluster.servers()))).unwrap();
    let ledger = Load::burst(&topic, 200).run(&publisher);
    eventually("all are dead letters", || {
        publisher
            .stats()
            .spool
            .is_some_and(|spool| spool.dead == 200)
    });
    let kept = ledger.settle(&fixture.found());
    kept.assert_no_errors();
    kept.assert_kept();

    create_topic(cluster.servers(), &topic, 3, &[]);
    // So long the publisher takes the topic for absent, and what it refuses anew loses its place.
    std::thread::sleep(Duration::from_secs(11));
    eventually(
        "the dead letters are delivered when they are sent again",
        || {
            let beside = Inspector::open(fixture.spool()).unwrap();
            let letters = beside.dead_letters(1000, u64::MAX, Sequence::START);
            let sequences: Vec<_> = letters.unwrap().iter().map(|l| l.sequence).collect();
            let request = beside.ask(DeadLetterAction::Retry, &sequences).unwrap();
            eventually("the owner has served the request", || {
                beside.pending_sequences(request).unwrap() == 0
            });
            eventually_drained(&publisher);
            // The publisher may not know yet that there is a topic now.
            publisher.stats().spool.is_some_and(|spool| spool.dead == 0)
        },
    );
    finish(publisher);
    let account = fixture.account(&ledger, cluster.servers(), &topic);
    account.show("missing topic, made later, dead letters sent again");
    account.assert_kept();
    assert_eq!(cluster::events(cluster.servers(), &topic).len(), 200);
    assert_eq!(
        ledger.count(|outcome| matches!(outcome, Outcome::Failed(_))),
        0
    );
}

/// A clock that jumped three days ahead, and back again.
#[test]
fn events_from_the_future_do_not_delay_others() {
    for mode in [Mode::Direct, Mode::WriteAhead] {
        let Some(cluster) = Cluster::up() else { return };
        let (fixture, topic) = (Fixture::new(), fresh_topic());
        let letters = format!("{topic}{TOPIC_SUFFIX}");
        create_topic(cluster.servers(), &topic, 3, &[]);
        create_topic(cluster.servers(), &letters, 1, &[]);
        let publisher = Publisher::open(fixture.kafka(cluster.servers()).mode(mode)).unwrap();
        let began = SystemTime::now();
        let future = began + Duration::from_secs(3 * 24 * 3600);
        let mut refused = Ledger::default();
        let load = Load {
            pause: Duration::from_millis(5),
            ..Load::gentle(&topic)
        };
        let mut ledger = load.during(&publisher, |progress| {
            progress.wait_for_usual(mode, 300);
            let pending: Vec<_> = (1..=100)
                .map(|number| {
                    std::thread::sleep(Duration::from_millis(20));
                    let event = Event {
                        key: 100 + u32::try_from(number % 5).unwrap(),
                        number,
                    };
                    let message = event.message_at(&topic, 100, future);
                    (event, publisher.blocking_enqueue(message).unwrap())
                })
                .collect();
            let arrived = || publisher.stats().delivered + publisher.stats().drained;
            let (before, began) = (arrived(), Instant::now());
            for (event, pending) in pending {
                refused.note(event, pending.wait().into());
            }
            progress.wait_for_receipts(300);
            eventually("others arrive", || arrived() > before + 600);
            assert!(began.elapsed() < Duration::from_secs(20));
        });
        ledger.append(refused);
        finish(publisher);
        let account = fixture.account_with_dead_letters(&ledger, cluster.servers(), &topic);
        account.show(&format!("events from the future, {mode:?}"));
        account.assert_no_errors();
        account.assert_kept();
        let mut seen = 0;
        cluster::read(cluster.servers(), &letters, |letter| {
            let created = letter.timestamp().to_millis().unwrap();
            let created = Duration::from_millis(u64::try_from(created).unwrap());
            let since_1970 = began.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert!(created.abs_diff(since_1970) < Duration::from_secs(600));
            seen += 1;
        });
        assert_eq!(seen, 100);
        assert!(fixture.found().dead.is_empty());
    }
}
