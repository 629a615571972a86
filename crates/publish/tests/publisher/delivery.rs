//! Delivery of events, and of those that cannot be delivered.

use herald_envelope::{Envelope, Origin, Uuid};
use herald_publish::spool::{Inspector, Sequence, Spool, SpoolOptions};
use herald_publish::{
    Failure, FailureCode, FailureKind, Message, Mode, Publisher, Receipt, RetryPolicy,
};

use crate::support::{Fixture, LONG, eventually, eventually_drained, message, outcome, publish};

#[tokio::test]
async fn publishes_an_envelope_with_topic_key_and_headers() {
    let fixture = Fixture::new();
    let topic = "dev.shop.effect.place.completed.v1";
    fixture.cluster.create_topic(topic, 3);
    let publisher = fixture.open();
    let origin = Origin::new("shop", "1.0.0", "test");
    let envelope = origin
        .envelope(
            "effect.place.completed",
            "n",
            serde_json::json!({"order": "A"}),
        )
        .with_correlation_id(Uuid::from_u128(7));
    let event_id = envelope.event_id;
    let receipt = publisher.publish(envelope).await.unwrap();
    let Receipt::Delivered {
        topic: went_to,
        offset: 0,
        ..
    } = receipt
    else {
        panic!("{receipt:?}");
    };
    assert_eq!(&*went_to, topic);
    let stored = &fixture.cluster.messages(topic)[0].message;
    let read = Envelope::parse(stored.payload()).unwrap();
    assert_eq!(read.event_id, event_id);
    assert_eq!(stored.key(), Some(read.key().as_bytes()));
    let names: Vec<_> = stored.headers().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["content-type", "event_id", "event_type", "correlation_id"]
    );
}

#[test]
fn publishes_without_a_spool() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(fixture.options_without_spool()).unwrap();
    assert!(publish(&publisher, "k", "1").unwrap().is_delivered());
    let closed = publisher.close(LONG).unwrap();
    assert_eq!((closed.spooled, closed.failed), (0, 0));
}

#[test]
fn write_ahead_does_not_wait_for_the_cluster() {
    let fixture = Fixture::new();
    let options = fixture.options().mode(Mode::WriteAhead).deadline(LONG);
    let publisher = Publisher::open(options).unwrap();
    publish(&publisher, "k", "0").unwrap();
    fixture.cluster.pause();
    for number in 1..200 {
        let receipt = publish(&publisher, "k", &number.to_string()).unwrap();
        assert!(matches!(receipt, Receipt::Spooled { .. }));
    }
    fixture.cluster.resume();
    let stats = eventually_drained(&publisher);
    assert_eq!(stats.spooled + stats.delivered, 200);
    assert_eq!(stats.drained, 0, "the transport had all of them");
    let expected: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    assert_eq!(fixture.payloads("t"), expected);
}

/// More than the transport may hold: the rest is read from the spool, behind it.
#[test]
fn write_ahead_keeps_the_order_of_what_the_transport_does_not_take() {
    let fixture = Fixture::new();
    let options = fixture.options().mode(Mode::WriteAhead).deadline(LONG);
    let publisher = Publisher::open(options.max_in_flight(10)).unwrap();
    publish(&publisher, "k", "0").unwrap();
    fixture.cluster.pause();
    for number in 1..200 {
        publish(&publisher, "k", &number.to_string()).unwrap();
    }
    fixture.cluster.resume();
    let stats = eventually_drained(&publisher);
    assert!(stats.drained > 150, "{stats:?}");
    let expected: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    assert_eq!(fixture.payloads("t"), expected);
}

#[test]
fn write_ahead_requires_a_spool() {
    let fixture = Fixture::new();
    let options = fixture.options_without_spool().mode(Mode::WriteAhead);
    assert_eq!(Publisher::open(options).unwrap_err().code(), "no_spool");
}

#[test]
fn rejected_events_go_to_the_dead_letter_topic_with_the_reason() {
    let fixture = Fixture::new();
    fixture.cluster.create_topic("t.dlq", 1);
    let refused = Failure::new(
        FailureKind::Permanent,
        FailureCode::PolicyViolation,
        "not today",
    );
    fixture.cluster.fail_topic("t", refused.clone());
    let publisher = fixture.open();
    let error = publish(&publisher, "k", "poison").unwrap_err();
    assert_eq!(error.code(), "policy_violation");
    assert!(!error.is_retriable());
    eventually_drained(&publisher);
    let letters = fixture.cluster.messages("t.dlq");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].message.payload(), b"poison");
    let header = |wanted: &str| {
        let mut headers = letters[0].message.headers();
        let (_, value) = headers.find(|(name, _)| *name == wanted).unwrap();
        String::from_utf8(value.to_vec()).unwrap()
    };
    assert_eq!(header("dlq_reason"), "policy_violation");
    assert_eq!(header("dlq_original_topic"), "t");
    assert_eq!(publisher.stats().dead, 1);
}

#[test]
fn spool_keeps_rejected_events_without_a_dead_letter_topic_and_can_retry_them() {
    let fixture = Fixture::new();
    let refused = Failure::new(FailureKind::Permanent, FailureCode::TooLarge, "too large");
    fixture.cluster.fail_topic("t", refused);
    let publisher = fixture.open();
    publish(&publisher, "k", "poison").unwrap_err();
    eventually("it is buried", || publisher.stats().dead == 1);
    let closed = publisher.close(LONG).unwrap();
    assert_eq!((closed.spooled, closed.dead), (0, 1));

    let (spool, _) = Spool::open(SpoolOptions::new(fixture.spool_path())).unwrap();
    let letters = spool.dead_letters(10, 1 << 20, Sequence::START).unwrap();
    assert_eq!(letters[0].reason, "too_large");
    let stored = letters[0].stored.as_ref().unwrap();
    assert_eq!(stored.record.topic, "t", "the event, not its dead letter");
    spool
        .retry_dead(vec![letters[0].sequence])
        .unwrap()
        .wait()
        .unwrap();
    spool.close().unwrap();

    fixture.cluster.heal_topic("t");
    let publisher = fixture.open();
    eventually_drained(&publisher);
    assert_eq!(fixture.payloads("t"), ["poison"]);
}

#[test]
fn keeps_rejected_events_in_order() {
    const EVENTS: usize = 10_000;
    let fixture = Fixture::new();
    fixture.cluster.stop();
    let publisher = fixture.open();
    let to_nowhere = |number: usize| {
        let payload = format!("{number:0>6}").into_bytes();
        let message = Message::new("nowhere", Some(b"k"), payload).unwrap();
        publisher.blocking_enqueue(message).unwrap()
    };
    let pending: Vec<_> = (0..EVENTS).map(to_nowhere).collect();
    for pending in pending {
        outcome(pending).unwrap();
    }
    let started = std::time::Instant::now();
    fixture.cluster.start();
    eventually_drained(&publisher);
    println!("{EVENTS} dead letters in {:?}", started.elapsed());
    // They are counted a moment after they were buried.
    eventually("all are counted", || {
        publisher.stats().dead >= EVENTS as u64
    });
    assert_eq!(publisher.stats().dead, EVENTS as u64);
    let closed = publisher.close(LONG).unwrap();
    assert_eq!((closed.spooled, closed.dead), (0, EVENTS as u64));
    let inspector = Inspector::open(fixture.spool_path()).unwrap();
    let letters = inspector
        .dead_letters(2 * EVENTS, u64::MAX, Sequence::START)
        .unwrap();
    let payloads = letters.into_iter().map(|letter| {
        let payload = letter.stored.unwrap().record.payload;
        String::from_utf8(payload)
            .unwrap()
            .parse::<usize>()
            .unwrap()
    });
    assert!(payloads.eq(0..EVENTS));
}

#[test]
fn rejected_events_reach_the_dead_letter_topic_without_a_spool() {
    let fixture = Fixture::new();
    fixture.cluster.create_topic("t.dlq", 1);
    fixture.cluster.fail_topic(
        "t",
        Failure::new(FailureKind::Permanent, FailureCode::TooLarge, ""),
    );
    let publisher = Publisher::open(fixture.options_without_spool()).unwrap();
    let error = publish(&publisher, "k", "poison").unwrap_err();
    assert!(error.to_string().contains("t.dlq"), "{error}");
    assert_eq!(fixture.payloads("t.dlq"), ["poison"]);
}

#[test]
fn retries_keep_the_order_of_the_key() {
    let fixture = Fixture::new();
    let publisher = fixture.open();
    fixture.cluster.pause();
    let pending: Vec<_> = (0..20)
        .map(|number| {
            publisher
                .blocking_enqueue(message("k", &number.to_string()))
                .unwrap()
        })
        .collect();
    fixture.cluster.fail_next(
        3,
        &Failure::new(FailureKind::Retriable, FailureCode::Throttled, ""),
    );
    fixture.cluster.resume();
    for pending in pending {
        outcome(pending).unwrap();
    }
    eventually_drained(&publisher);
    let expected: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(fixture.payloads("t"), expected);
}

#[test]
fn event_that_fails_max_attempts_times_is_a_dead_letter() {
    let fixture = Fixture::new();
    fixture.cluster.create_topic("t.dlq", 1);
    fixture.cluster.fail_topic(
        "t",
        Failure::new(FailureKind::Retriable, FailureCode::NoLeader, ""),
    );
    let retry = RetryPolicy {
        initial_backoff: std::time::Duration::from_millis(1),
        max_backoff: std::time::Duration::from_millis(2),
        max_attempts: 4,
        max_age: None,
    };
    let publisher = Publisher::open(fixture.options().retry(retry)).unwrap();
    let receipt = publish(&publisher, "k", "unlucky").unwrap();
    assert!(matches!(receipt, Receipt::Spooled { .. }));
    eventually_drained(&publisher);
    let letters = fixture.cluster.messages("t.dlq");
    assert_eq!(letters[0].message.payload(), b"unlucky");
    let stats = publisher.stats();
    assert_eq!((stats.dead, stats.retried), (1, 2));
}

#[test]
fn rejects_invalid_topic_names_before_sending() {
    let error = Message::new("no topic", None, Vec::new()).unwrap_err();
    assert_eq!(error.code(), "invalid_topic");
}
