//! Order of a key while its events fail: races that a paused cluster makes certain.

use std::time::Duration;

use herald_publish::memory::MemoryCluster;
use herald_publish::{Failure, FailureCode, FailureKind, Publisher};

use crate::event::Event;
use crate::fixture::{Fixture, finish};
use crate::ledger::Ledger;

fn in_order(fault: impl FnOnce(&MemoryCluster)) {
    let cluster = MemoryCluster::new();
    cluster.create_topic("t", 1);
    let fixture = Fixture::new();
    let options = fixture
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
    let account = fixture.account_in_memory(&ledger, &cluster, "t");
    account.assert_no_errors();
    account.assert_kept();
}

#[test]
fn connection_breaks_at_the_first_of_many_events() {
    in_order(|cluster| {
        cluster.fail_next(
            1,
            &Failure::new(FailureKind::Fatal, FailureCode::ConnectionBroken, "broken"),
        );
    });
}

#[test]
fn retriable_failure_before_other_events_of_its_key() {
    in_order(|cluster| {
        cluster.fail_next(
            3,
            &Failure::new(FailureKind::Retriable, FailureCode::NoLeader, "later"),
        );
    });
}
