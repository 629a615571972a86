//! Behaviour while the cluster is unavailable.

use std::time::{Duration, Instant};

use herald_publish::{Clock, Publisher, Receipt};

use crate::support::{
    Bench, DEADLINE, LONG, eventually, eventually_drained, message, outcome, publish,
};

fn numbers(to: u32) -> Vec<String> {
    (0..to).map(|number| number.to_string()).collect()
}

#[test]
fn events_of_an_outage_are_spooled_and_arrive_once_and_in_order() {
    let bench = Bench::new();
    let publisher = bench.open();
    assert!(publish(&publisher, "k", "0").unwrap().is_delivered());
    bench.cluster.stop();
    for number in 1..50 {
        let receipt = publish(&publisher, "k", &number.to_string()).unwrap();
        assert!(matches!(receipt, Receipt::Spooled { .. }), "{receipt:?}");
    }
    bench.cluster.start();
    eventually_drained(&publisher);
    assert_eq!(bench.payloads("t"), numbers(50));
    eventually("the cluster is up again", || publisher.stats().reachable);
    assert!(publish(&publisher, "k", "50").unwrap().is_delivered());
    assert_eq!(publisher.stats().outages, 1);
}

#[test]
fn while_the_cluster_is_known_to_be_away_nobody_waits_for_a_deadline() {
    let bench = Bench::new();
    let options = bench.options().deadline(LONG);
    let publisher = Publisher::open(options).unwrap();
    bench.cluster.stop();
    let started = Instant::now();
    for number in 0..20 {
        publish(&publisher, "k", &number.to_string()).unwrap();
    }
    assert!(started.elapsed() < LONG, "not even once");
}

#[test]
fn a_silent_cluster_is_noticed_by_the_deadline() {
    let bench = Bench::new();
    let publisher = bench.open();
    bench.cluster.pause();
    let receipt = publish(&publisher, "k", "0").unwrap();
    assert!(matches!(receipt, Receipt::Spooled { .. }));
    eventually("it is taken for unreachable", || {
        !publisher.stats().reachable
    });
    bench.cluster.resume();
    eventually_drained(&publisher);
    assert_eq!(
        bench.payloads("t"),
        ["0"],
        "the transport's own copy, and no second one"
    );
}

#[test]
fn an_event_that_came_after_its_deadline_is_not_sent_again() {
    let bench = Bench::new();
    let publisher = bench.open();
    bench.cluster.pause();
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
    bench.cluster.resume();
    eventually_drained(&publisher);
    assert_eq!(bench.payloads("t"), numbers(100));
}

#[test]
fn without_a_spool_the_deadline_is_an_error_that_may_be_tried_again() {
    let bench = Bench::new();
    let publisher = Publisher::open(bench.options_without_spool()).unwrap();
    bench.cluster.pause();
    let error = publish(&publisher, "k", "0").unwrap_err();
    assert!(error.is_retriable(), "{error}");
}

#[test]
fn a_deadline_of_ones_own_holds() {
    let bench = Bench::new();
    let publisher = Publisher::open(bench.options().deadline(LONG)).unwrap();
    bench.cluster.pause();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let receipt = runtime.block_on(publisher.send_timeout(message("k", "0"), DEADLINE));
    assert!(matches!(receipt, Ok(Receipt::Spooled { .. })));
}

#[test]
fn the_spool_of_an_earlier_process_is_drained_before_new_events_of_its_keys() {
    let bench = Bench::new();
    bench.cluster.stop();
    let publisher = bench.open();
    for number in 0..30 {
        publish(&publisher, "k", &number.to_string()).unwrap();
    }
    let closed = publisher.close(LONG).unwrap();
    assert_eq!(closed.spooled, 30);

    bench.cluster.start();
    let publisher = bench.open();
    for number in 30..60 {
        publish(&publisher, "k", &number.to_string()).unwrap();
    }
    eventually_drained(&publisher);
    assert_eq!(bench.payloads("t"), numbers(60));
}

#[test]
fn an_outage_of_ten_minutes_costs_no_event_and_no_order() {
    let bench = Bench::new();
    let clock = Clock::manual();
    let options = bench.options().deadline(Duration::from_secs(2));
    let options = options.probe_interval(Duration::from_millis(500));
    let publisher = Publisher::open(options.clock(clock.clone())).unwrap();
    assert!(publish(&publisher, "k", "0").unwrap().is_delivered());
    bench.cluster.pause();
    let first = publisher.blocking_enqueue(message("k", "1")).unwrap();
    clock.advance(Duration::from_secs(2));
    assert!(matches!(outcome(first), Ok(Receipt::Spooled { .. })));
    for minute in 2..12 {
        clock.advance(Duration::from_secs(60));
        let receipt = publish(&publisher, "k", &minute.to_string()).unwrap();
        assert!(matches!(receipt, Receipt::Spooled { .. }));
    }
    bench.cluster.resume();
    eventually("everything arrived", || {
        clock.advance(Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(1));
        bench.payloads("t").len() >= 12 && publisher.stats().reachable
    });
    assert_eq!(bench.payloads("t"), numbers(12));
    assert!(publish(&publisher, "k", "12").unwrap().is_delivered());
    assert_eq!(publisher.stats().outages, 1);
}

#[test]
fn closing_in_an_outage_does_not_wait_and_leaves_everything_in_the_spool() {
    let bench = Bench::new();
    let publisher = Publisher::open(bench.options().deadline(LONG)).unwrap();
    bench.cluster.pause();
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
    bench.cluster.resume();
    let publisher = bench.open();
    eventually_drained(&publisher);
    let mut arrived = bench.payloads("t");
    arrived.dedup();
    assert_eq!(arrived, numbers(50));
}

#[test]
fn a_broken_connection_is_replaced_and_costs_no_event() {
    let bench = Bench::new();
    let publisher = bench.open();
    for round in 0..5 {
        let pending: Vec<_> = (0..40)
            .map(|number| {
                publisher.blocking_enqueue(message("k", &(round * 40 + number).to_string()))
            })
            .map(Result::unwrap)
            .collect();
        bench.cluster.break_connections();
        for pending in pending {
            outcome(pending).unwrap();
        }
    }
    eventually_drained(&publisher);
    let mut seen = std::collections::HashSet::new();
    let mut arrived = bench.payloads("t");
    arrived.retain(|payload| seen.insert(payload.clone()));
    assert_eq!(arrived, numbers(200), "first occurrences in order");
}

#[test]
fn after_an_outage_a_busy_key_leaves_the_spool_again() {
    let bench = Bench::new();
    let publisher = bench.open();
    bench.cluster.stop();
    publish(&publisher, "k", "first").unwrap();
    bench.cluster.start();
    // Without a pause between its events, there is always one whose removal is not flushed.
    eventually("an event goes to the cluster directly", || {
        publish(&publisher, "k", "more").unwrap().is_delivered()
    });
}
