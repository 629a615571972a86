//! Random faults while several threads publish: no event with a receipt is lost, and every key
//! keeps its order.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use herald_publish::memory::MemoryCluster;
use herald_publish::{Failure, FailureCode, FailureKind, Mode, Publisher, RetryPolicy};
use proptest::prelude::*;

use crate::support::{Fixture, eventually_drained, message};

#[derive(Clone, Copy, Debug)]
enum Fault {
    Stop,
    Pause,
    Break,
    FailSome(usize),
    None,
}

fn inflict(cluster: &MemoryCluster, fault: Fault, time: Duration) {
    match fault {
        Fault::Stop => cluster.stop(),
        Fault::Pause => cluster.pause(),
        Fault::Break => cluster.break_connections(),
        Fault::FailSome(count) => {
            let failure = Failure::new(FailureKind::Retriable, FailureCode::NoLeader, "");
            cluster.fail_next(count, &failure);
        }
        Fault::None => {}
    }
    std::thread::sleep(time);
    cluster.start();
    cluster.resume();
}

fn fault() -> impl Strategy<Value = (Fault, u64, u64)> {
    let fault = prop_oneof![
        Just(Fault::Stop),
        Just(Fault::Pause),
        Just(Fault::Break),
        (1_usize..20).prop_map(Fault::FailSome),
        Just(Fault::None),
    ];
    (fault, 0_u64..120, 0_u64..40)
}

/// Events that a thread published, by key, and whether it got a receipt.
type Published = BTreeMap<String, Vec<(u32, bool)>>;

fn publish_until(publisher: &Publisher, thread: u32, stop: &AtomicBool) -> Published {
    let mut outcomes = Published::new();
    let mut pending = Vec::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) && number < 3_000 {
        let key = format!("{thread}-{}", number % 3);
        let sent = publisher.blocking_enqueue(message(&key, &format!("{key} {number}")));
        pending.push((key, number, sent));
        number += 1;
        if number % 64 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    for (key, number, sent) in pending {
        let safe = sent.is_ok_and(|pending| pending.wait().is_ok());
        outcomes.entry(key).or_default().push((number, safe));
    }
    outcomes
}

/// Numbers of first occurrences, by key.
fn arrived(payloads: &[String]) -> BTreeMap<String, Vec<u32>> {
    let mut arrived: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for payload in payloads {
        if seen.insert(payload) {
            let (key, number) = payload.split_once(' ').unwrap();
            arrived
                .entry(key.to_owned())
                .or_default()
                .push(number.parse().unwrap());
        }
    }
    arrived
}

fn nothing_is_lost_and_order_holds(mode: Mode, faults: &[(Fault, u64, u64)], restart: bool) {
    let fixture = Fixture::new();
    // Failures that are left over at the end would hold up a key for half a minute.
    let retry = RetryPolicy {
        initial_backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(5),
        max_attempts: u32::MAX,
        max_age: None,
    };
    let options = || fixture.options().mode(mode).retry(retry).max_in_flight(500);
    let publisher = Publisher::open(options()).unwrap();
    let stop = AtomicBool::new(false);
    let outcomes = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                scope.spawn({
                    let (publisher, stop) = (&publisher, &stop);
                    move || publish_until(publisher, thread, stop)
                })
            })
            .collect();
        for (fault, time, pause) in faults {
            inflict(&fixture.cluster, *fault, Duration::from_millis(*time));
            std::thread::sleep(Duration::from_millis(*pause));
        }
        stop.store(true, Ordering::Relaxed);
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect::<Published>()
    });
    let publisher = if restart {
        fixture.cluster.stop();
        publisher.close(Duration::from_millis(5)).unwrap();
        fixture.cluster.start();
        Publisher::open(options()).unwrap()
    } else {
        publisher
    };
    eventually_drained(&publisher);
    let payloads = fixture.payloads("t");
    let arrived = arrived(&payloads);
    let breaks = |(fault, _, _): &(Fault, u64, u64)| matches!(fault, Fault::Break);
    if !restart && !faults.iter().any(breaks) {
        let first_occurrences: usize = arrived.values().map(Vec::len).sum();
        assert_eq!(payloads.len(), first_occurrences, "no event arrived twice");
    }
    for (key, numbers) in &outcomes {
        let arrived = arrived.get(key).cloned().unwrap_or_default();
        assert!(
            arrived.is_sorted(),
            "{key} arrived out of order: {arrived:?}"
        );
        for (number, safe) in numbers {
            assert!(
                !*safe || arrived.binary_search(number).is_ok(),
                "{key} {number} had a receipt and is lost"
            );
        }
    }
}

/// `PROPTEST_CASES`, else few enough for every run of the tests.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn no_receipt_is_lost_and_no_key_out_of_order(
        mode in prop_oneof![Just(Mode::Direct), Just(Mode::WriteAhead)],
        faults in prop::collection::vec(fault(), 1..6),
        restart in any::<bool>(),
    ) {
        nothing_is_lost_and_order_holds(mode, &faults, restart);
    }
}
