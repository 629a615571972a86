//! Narrow places of the order of a key, each made wide.

use std::time::Duration;

use herald_publish::memory::MemoryCluster;
use herald_publish::{Failure, FailureCode, FailureKind, Publisher};

use crate::bench::{Bench, finish};
use crate::event::Event;
use crate::ledger::Ledger;

fn in_order(fault: impl FnOnce(&MemoryCluster)) {
    let cluster = MemoryCluster::new();
    cluster.create_topic("t", 1);
    let bench = Bench::new();
    let options = bench
        .options(cluster.clone())
        .deadline(Duration::from_secs(60))
        .probe_interval(Duration::from_millis(5));
    let publisher = Publisher::open(options).unwrap();
    cluster.pause();
    let events: Vec<_> = (1..=50).map(|number| Event { key: 1, number }).collect();
    let pending: Vec<_> = events
        .iter()
        .map(|event| publisher.blocking_enqueue(event.message("t", 10)).unwrap())
        .collect();
    fault(&cluster);
    cluster.resume();
    let mut ledger = Ledger::default();
    for (event, pending) in events.into_iter().zip(pending) {
        ledger.note(event, pending.wait().into());
    }
    finish(publisher);
    let account = bench.account_in_memory(&ledger, &cluster, "t");
    account.assert_no_errors();
    account.assert_kept();
}

#[test]
fn the_first_event_hears_of_a_broken_connection_before_anybody_else() {
    in_order(|cluster| {
        cluster.fail_next(
            1,
            &Failure::new(FailureKind::Fatal, FailureCode::ConnectionBroken, "broken"),
        );
    });
}

#[test]
fn a_retriable_failure_in_front_of_others_of_its_key() {
    in_order(|cluster| {
        cluster.fail_next(
            3,
            &Failure::new(FailureKind::Retriable, FailureCode::NoLeader, "later"),
        );
    });
}
