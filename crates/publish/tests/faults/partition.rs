//! One broker of several, from the dev cluster.

use herald_envelope::key;
use herald_publish::Publisher;
use herald_publish::kafka::{DevCluster, KafkaOptions};

use crate::cluster;
use crate::event::Event;
use crate::fixture::{Fixture, finish};
use crate::ledger::Ledger;
use crate::load::eventually;

/// A key that lands on this of two partitions.
fn key_on(partition: u32) -> u32 {
    let lands = |number: &u32| key::partition(format!("key-{number}").as_bytes(), 2) == partition;
    (0..1000).find(lands).expect("some key lands there")
}

#[test]
fn unavailable_partition_does_not_delay_others() {
    let cluster = DevCluster::start(2).unwrap();
    let servers = cluster.bootstrap_servers();
    let (fixture, topic) = (Fixture::new(), cluster::fresh_topic());
    cluster.create_topic(&topic, 2, 1).unwrap();
    cluster.move_leader(&topic, 0, 1).unwrap();
    cluster.move_leader(&topic, 1, 2).unwrap();
    cluster.take_down(None).unwrap();

    let publisher = Publisher::open(fixture.options(KafkaOptions::new(&servers))).unwrap();
    let mut ledger = Ledger::default();
    let mut publish = |partition: u32, count: u64| {
        for number in 1..=count {
            let event = Event {
                key: key_on(partition),
                number,
            };
            let pending = publisher
                .blocking_enqueue(event.message(&topic, 10))
                .unwrap();
            ledger.note(event, pending.wait().into());
        }
    };
    publish(0, 100);
    publish(1, 100);
    cluster.bring_up(Some(2)).unwrap();
    eventually("what can be delivered is delivered", || {
        let waiting = publisher.stats().spool.map(|spool| spool.records);
        waiting == Some(100)
    });
    cluster.bring_up(Some(1)).unwrap();
    finish(publisher);
    let account = fixture.account(&ledger, &servers, &topic);
    account.show("one partition's broker stays away");
    account.assert_no_errors();
    account.assert_kept();
}
