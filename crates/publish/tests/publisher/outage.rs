//! Behaviour while the cluster is unavailable.

use std::time::{Duration, Instant};

use herald_publish::{Clock, Publisher, Receipt};

use crate::support::{
    DEADLINE, Fixture, LONG, eventually, eventually_drained, message, outcome, publish,
};

fn numbers(to: u32) -> Vec<String> {
    (0..to).map(|number| number.to_string()).collect()
}

#[test]
fn events_of_an_outage_arrive_once_and_in_order() {
    let fixture = Fixture::new();
    let publisher = fixture.open();
    assert!(publish(&publisher, "k", "0").unwrap().is_delivered());
    fixture.cluster.stop();
    for number in 1..50 {
        let receipt = publish(&publisher, "k", &number.to_string()).unwrap();
        assert!(matches!(receipt, Receipt::Spooled { .. }), "{receipt:?}");
    }
    fixture.cluster.start();
    eventually_drained(&publisher);
    assert_eq!(fixture.payloads("t"), numbers(50));
    eventually("the cluster is up again", || publisher.stats().reachable);
    assert!(publish(&publisher, "k", "50").unwrap().is_delivered());
    assert_eq!(publisher.stats().outages, 1);
}

#[test]
fn spools_immediately_while_the_cluster_is_known_to_be_unavailable() {
    let fixture = Fixture::new();
    let options = fixture.options().deadline(LONG);
    let publisher = Publisher::open(options).unwrap();
    fixture.cluster.stop();
    let started = Instant::now();
    for number in 0..20 {
        publish(&publisher, "k", &number.to_string()).unwrap();
    }
    assert!(started.elapsed() < LONG, "not even once");
}

#[test]
fn deadline_detects_an_unresponsive_cluster() {
    let fixture = Fixture::new();
    let publisher = fixture.open();
    fixture.cluster.pause();
    let receipt = publish(&publisher, "k", "0").unwrap();
    assert!(matches!(receipt, Receipt::Spooled { .. }));
    eventually("it is taken for unreachable", || {
        !publisher.stats().reachable
    });
    fixture.cluster.resume();
    eventually_drained(&publisher);
    assert_eq!(
        fixture.payloads("t"),
        ["0"],
        "the transport's own copy, and no second one"
    );
}

#[test]
fn event_delivered_after_its_deadline_is_not_sent_again() {
    let fixture = Fixture::new();
    let publisher = fixture.open();
    fixture.cluster.pause();
    let pending: Vec<_> = (0..100)
        .map(|number| {
            publisher
                .blocking_enqueue(message("k", &number.to_string()))
                .unwrap()
        })
        .collect();
    for pending in pending {
        assert!(matches!(outcome(pending), Ok(Receipt::Spooled { .. })));
    }
    fixture.cluster.resume();
    eventually_drained(&publisher);
    assert_eq!(fixture.payloads("t"), numbers(100));
}

#[test]
fn deadline_is_a_retriable_error_without_a_spool() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(fixture.options_without_spool()).unwrap();
    fixture.cluster.pause();
    let error = publish(&publisher, "k", "0").unwrap_err();
    assert!(error.is_retriable(), "{error}");
}

#[test]
fn send_timeout_overrides_the_deadline() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(fixture.options().deadline(LONG)).unwrap();
    fixture.cluster.pause();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let receipt = runtime.block_on(publisher.send_timeout(message("k", "0"), DEADLINE));
    assert!(matches!(receipt, Ok(Receipt::Spooled { .. })));
}

#[test]
fn spooled_events_of_an_earlier_process_precede_new_ones_of_their_keys() {
    let fixture = Fixture::new();
    fixture.cluster.stop();
    let publisher = fixture.open();
    for number in 0..30 {
        publish(&publisher, "k", &number.to_string()).unwrap();
    }
    let closed = publisher.close(LONG).unwrap();
    assert_eq!(closed.spooled, 30);

    fixture.cluster.start();
    let publisher = fixture.open();
    for number in 30..60 {
        publish(&publisher, "k", &number.to_string()).unwrap();
    }
    eventually_drained(&publisher);
    assert_eq!(fixture.payloads("t"), numbers(60));
}

#[test]
fn ten_minutes_of_outage_lose_no_event_and_keep_order() {
    let fixture = Fixture::new();
    let clock = Clock::manual();
    let options = fixture.options().deadline(Duration::from_secs(2));
    let options = options.probe_interval(Duration::from_millis(500));
    let publisher = Publisher::open(options.clock(clock.clone())).unwrap();
    assert!(publish(&publisher, "k", "0").unwrap().is_delivered());
    fixture.cluster.pause();
    let first = publisher.blocking_enqueue(message("k", "1")).unwrap();
    clock.advance(Duration::from_secs(2));
    assert!(matches!(outcome(first), Ok(Receipt::Spooled { .. })));
    for minute in 2..12 {
        clock.advance(Duration::from_secs(60));
        let receipt = publish(&publisher, "k", &minute.to_string()).unwrap();
        assert!(matches!(receipt, Receipt::Spooled { .. }));
    }
    fixture.cluster.resume();
    eventually("everything arrived", || {
        clock.advance(Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(1));
        fixture.payloads("t").len() >= 12 && publisher.stats().reachable
    });
    assert_eq!(fixture.payloads("t"), numbers(12));
    assert!(publish(&publisher, "k", "12").unwrap().is_delivered());
    assert_eq!(publisher.stats().outages, 1);
}

#[test]
fn close_in_an_outage_spools_pending_events_without_waiting() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(fixture.options().deadline(LONG)).unwrap();
    fixture.cluster.pause();
    let pending: Vec<_> = (0..50)
        .map(|number| {
            publisher
                .blocking_enqueue(message("k", &number.to_string()))
                .unwrap()
        })
        .collect();
    let closed = publisher.close(DEADLINE).unwrap();
    assert_eq!((closed.spooled, closed.failed), (50, 0));
    for pending in pending {
        assert!(matches!(outcome(pending), Ok(Receipt::Spooled { .. })));
    }
    fixture.cluster.resume();
    let publisher = fixture.open();
    eventually_drained(&publisher);
    let mut arrived = fixture.payloads("t");
    arrived.dedup();
    assert_eq!(arrived, numbers(50));
}

#[test]
fn replaces_a_broken_connection_without_losing_events() {
    let fixture = Fixture::new();
    let publisher = fixture.open();
    for round in 0..5 {
        let pending: Vec<_> = (0..40)
            .map(|number| {
                publisher.blocking_enqueue(message("k", &(round * 40 + number).to_string()))
            })
            .map(Result::unwrap)
            .collect();
        fixture.cluster.break_connections();
        for pending in pending {
            outcome(pending).unwrap();
        }
    }
    eventually_drained(&publisher);
    let mut seen = std::collections::HashSet::new();
    let mut arrived = fixture.payloads("t");
    arrived.retain(|payload| seen.insert(payload.clone()));
    assert_eq!(arrived, numbers(200), "first occurrences in order");
}

#[test]
fn busy_key_returns_to_direct_delivery_after_an_outage() {
    let fixture = Fixture::new();
    let publisher = fixture.open();
    fixture.cluster.stop();
    publish(&publisher, "k", "first").unwrap();
    fixture.cluster.start();
    // Without a pause between its events, there is always one whose removal is not flushed.
    eventually("an event goes to the cluster directly", || {
        publish(&publisher, "k", "more").unwrap().is_delivered()
    });
}
