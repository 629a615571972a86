//! In-flight and spool limits, closing, ownership of the spool, and forks.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use herald_publish::spool::{SpoolOptions, WhenOwned};
use herald_publish::{Message, PublishError, Publisher, PublisherOptions, Receipt};

use crate::support::{Fixture, LONG, eventually, message, outcome, publish};

#[test]
fn publishing_waits_at_the_in_flight_limit() {
    let fixture = Fixture::new();
    let options = fixture.options().deadline(LONG).max_in_flight(5);
    let publisher = Publisher::open(options).unwrap();
    fixture.cluster.pause();
    let mut pending: Vec<_> = (0..5)
        .map(|_| publisher.try_enqueue(message("k", "x")).unwrap())
        .collect();
    let busy = publisher.try_enqueue(message("k", "x")).unwrap_err();
    assert_eq!(busy, PublishError::Busy);
    assert!(busy.is_retriable());
    assert_eq!(publisher.stats().in_flight, 5);

    let mut waiting = pin!(publisher.send(message("k", "waits")));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    fixture.cluster.resume();
    for pending in pending.drain(..) {
        outcome(pending).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert!(runtime.block_on(waiting).unwrap().is_delivered());
}

/// Each one begins to wait at the moment when the one before it was rejected.
#[test]
fn each_send_that_waits_at_the_limit_ends_at_its_own_timeout() {
    let fixture = Fixture::new();
    let options = fixture.options().deadline(LONG).max_in_flight(1);
    let publisher = Publisher::open(options).unwrap();
    fixture.cluster.pause();
    let _first = publisher.try_enqueue(message("k", "x")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for _ in 0..500 {
        let began = Instant::now();
        let sent = publisher.send_timeout(message("k", "x"), Duration::from_millis(1));
        assert_eq!(runtime.block_on(sent), Err(PublishError::Busy));
        assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
    }
}

#[test]
fn limits_bytes_in_flight() {
    let fixture = Fixture::new();
    let options = fixture.options().deadline(LONG).max_in_flight_bytes(1_000);
    let publisher = Publisher::open(options).unwrap();
    fixture.cluster.pause();
    let big = || Message::new("t", None, vec![b'x'; 600]).unwrap();
    let _first = publisher.try_enqueue(big()).unwrap();
    assert_eq!(
        publisher.try_enqueue(big()).unwrap_err(),
        PublishError::Busy
    );
    let huge = Message::new("t", None, vec![b'x'; 1_001]).unwrap();
    assert_eq!(
        publisher.blocking_enqueue(huge).unwrap_err().code(),
        "too_large_for_flight"
    );
}

/// Publishes a payload of so many bytes while Kafka is unavailable; returns the code of the
/// rejection.
#[cfg(feature = "kafka")]
fn rejection_while_kafka_is_unavailable(bytes: usize) -> Option<&'static str> {
    let fixture = Fixture::new();
    let kafka = herald_publish::kafka::KafkaOptions::new("127.0.0.1:1")
        .property("message.max.bytes", "2000");
    let options = PublisherOptions::new(kafka).spool(SpoolOptions::new(fixture.spool_path()));
    let publisher = Publisher::open(options).unwrap();
    // From here on the cluster is known to be unavailable.
    publish(&publisher, "k", "small").unwrap();
    let message = Message::new("t", Some(b"key"), vec![b'x'; bytes])
        .unwrap()
        .with_header("name", "value");
    match outcome(publisher.blocking_enqueue(message).unwrap()) {
        Ok(Receipt::Spooled { .. }) => None,
        Err(PublishError::Rejected {
            failure,
            dead_letter: Some(Receipt::Spooled { .. }),
        }) => Some(failure.code.as_str()),
        other => panic!("{other:?}"),
    }
}

#[test]
#[cfg(feature = "kafka")]
fn rejects_too_large_events_while_kafka_is_unavailable() {
    // Overhead 36, the key 3, the header 4 and 5 with a byte for each of its lengths.
    let most = 2000 - 36 - 3 - 11;
    assert_eq!(rejection_while_kafka_is_unavailable(most), None);
    assert_eq!(
        rejection_while_kafka_is_unavailable(most + 1),
        Some("too_large")
    );
}

#[test]
fn full_spool_is_an_error_and_drops_nothing() {
    let fixture = Fixture::new();
    let spool = SpoolOptions::new(fixture.spool_path()).max_records(3);
    let publisher = Publisher::open(fixture.options().spool(spool)).unwrap();
    fixture.cluster.stop();
    for number in 0..3 {
        publish(&publisher, "k", &number.to_string()).unwrap();
    }
    let error = publish(&publisher, "k", "3").unwrap_err();
    assert_eq!(error.code(), "spool_full");
    assert!(error.is_retriable());
    fixture.cluster.start();
    eventually("there is room again", || {
        publish(&publisher, "k", "4").is_ok()
    });
    eventually("all is there", || {
        fixture.payloads("t").last().is_some_and(|last| last == "4")
    });
    assert_eq!(fixture.payloads("t"), ["0", "1", "2", "4"]);
}

#[test]
fn limits_copies_in_an_unresponsive_transport() {
    let fixture = Fixture::new();
    let options = fixture.options().max_in_flight(10);
    let publisher = Publisher::open(options).unwrap();
    fixture.cluster.pause();
    for number in 0..100 {
        let receipt = publish(&publisher, &format!("k{number}"), "x").unwrap();
        assert!(matches!(receipt, Receipt::Spooled { .. }));
    }
    let held = publisher.stats().queued_in_transport;
    assert!(held <= 20, "{held}");
}

#[test]
fn close_returns_when_the_cluster_is_lost_meanwhile() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(fixture.options().deadline(LONG)).unwrap();
    publish(&publisher, "k", "x").unwrap();
    fixture.cluster.pause();
    let _pending = publisher.blocking_enqueue(message("k", "y")).unwrap();
    let began = Instant::now();
    let report = std::thread::scope(|scope| {
        let closing = scope.spawn(|| publisher.close(LONG));
        eventually("it is closing", || {
            publisher.try_enqueue(message("k", "z")).is_err()
        });
        fixture.cluster.stop();
        closing.join().unwrap().unwrap()
    });
    assert!(report.spooled > 0);
    assert!(began.elapsed() < LONG / 2);
}

#[test]
fn close_ends_waiting_calls_and_rejects_new_ones() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(fixture.options().max_in_flight(1).deadline(LONG)).unwrap();
    fixture.cluster.pause();
    let _first = publisher.try_enqueue(message("k", "0")).unwrap();
    let publisher = std::sync::Arc::new(publisher);
    let waiting = std::thread::spawn({
        let publisher = publisher.clone();
        move || publisher.blocking_enqueue(message("k", "1")).map(drop)
    });
    eventually("only the waiting thread has it", || {
        std::sync::Arc::strong_count(&publisher) == 2
    });
    std::thread::sleep(Duration::from_millis(20));
    publisher.close(Duration::ZERO).unwrap();
    assert_eq!(waiting.join().unwrap(), Err(PublishError::Closed));
    assert_eq!(
        publisher.blocking_enqueue(message("k", "2")).unwrap_err(),
        PublishError::Closed
    );
}

#[test]
fn close_delivers_pending_events() {
    let fixture = Fixture::new();
    let publisher = fixture.open();
    let pending: Vec<_> = (0..500)
        .map(|number| {
            publisher
                .blocking_enqueue(message("k", &number.to_string()))
                .unwrap()
        })
        .collect();
    let closed = publisher.close(LONG).unwrap();
    assert_eq!((closed.spooled, closed.failed), (0, 0));
    assert!(pending.into_iter().all(|pending| outcome(pending).is_ok()));
    assert_eq!(fixture.payloads("t").len(), 500);
}

#[test]
fn second_owner_fails_or_gets_a_numbered_spool() {
    let fixture = Fixture::new();
    let _first = fixture.open();
    let error = Publisher::open(fixture.options()).unwrap_err();
    assert_eq!(error.code(), "spool_owned");
    let numbered =
        SpoolOptions::new(fixture.spool_path()).when_owned(WhenOwned::Numbered { max: 4 });
    let second = Publisher::open(fixture.options().spool(numbered)).unwrap();
    assert!(publish(&second, "k", "0").unwrap().is_delivered());
}

#[test]
fn forked_child_gets_an_error_instead_of_hanging() {
    let fixture = Fixture::new();
    let publisher = fixture.open();
    fixture.cluster.pause();
    let pending = publisher.blocking_enqueue(message("k", "0")).unwrap();
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            let refused = publisher.blocking_enqueue(message("k", "1")).err();
            let waited = pending.wait().err();
            let is_forked =
                |error: Option<PublishError>| error.is_some_and(|e| e.code() == "forked");
            let dropped =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(publisher)));
            let good = is_forked(refused) && is_forked(waited) && dropped.is_ok();
            // Neither the test's runner nor its destructors belong to this process.
            rustix::process::kill_process(
                rustix::process::getpid(),
                if good {
                    rustix::process::Signal::KILL
                } else {
                    rustix::process::Signal::ABORT
                },
            )
            .unwrap();
            unreachable!();
        }
        fork::Fork::Parent(child) => {
            let pid = rustix::process::Pid::from_raw(child).unwrap();
            let (_, status) =
                rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty())
                    .unwrap()
                    .unwrap();
            let killed = rustix::process::Signal::KILL.as_raw();
            assert_eq!(status.terminating_signal(), Some(killed));
        }
    }
    fixture.cluster.resume();
    outcome(pending).unwrap();
}
