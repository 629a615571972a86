//! An outage of ten minutes, by a clock that a test moves.

use std::time::Duration;

use herald_publish::memory::MemoryCluster;
use herald_publish::{Clock, Mode, Publisher};

use crate::fixture::Fixture;
use crate::load::{Load, eventually};

fn ten_minutes(mode: Mode) {
    let (fixture, cluster, clock) = (Fixture::new(), MemoryCluster::new(), Clock::manual());
    cluster.create_topic("t", 3);
    let options = fixture.options(cluster.clone()).mode(mode);
    let publisher = Publisher::open(options.clock(clock.clone())).unwrap();
    let mut ledger = Load::burst("t", 500).run(&publisher);
    cluster.stop();
    for minute in 1..=10 {
        let load = Load::burst("t", 200).starting_at(minute * 1_000_000);
        ledger.append(load.run(&publisher));
        for _ in 0..60 {
            clock.advance(Duration::from_secs(1));
        }
        assert!(!publisher.stats().reachable);
    }
    let waiting = publisher.stats().spool.unwrap().records;
    assert!(waiting >= 2000, "{waiting}");
    cluster.start();
    eventually("the spool is empty and events go to Kafka again", || {
        clock.advance(Duration::from_secs(1));
        let stats = publisher.stats();
        stats.reachable && stats.queued_in_transport == 0 && stats.spool.unwrap().records == 0
    });
    ledger.append(
        Load::burst("t", 500)
            .starting_at(100_000_000)
            .run(&publisher),
    );
    eventually("all has arrived", || {
        clock.advance(Duration::from_secs(1));
        publisher.stats().spool.unwrap().records == 0
    });
    publisher.close(Duration::ZERO).unwrap();
    let account = fixture.account_in_memory(&ledger, &cluster, "t");
    account.show(&format!("an outage of ten minutes, {mode:?}"));
    account.assert_no_errors();
    account.assert_kept();
    assert_eq!(account.queued, 0);
}

#[test]
fn ten_minutes_without_kafka() {
    ten_minutes(Mode::Direct);
    ten_minutes(Mode::WriteAhead);
}
