//! One broker of three is lost.

use std::time::Duration;

use herald_publish::{Mode, Publisher};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::cluster::{Nodes, create_topic, fresh_topic};
use crate::fixture::{Fixture, finish};
use crate::load::{Load, eventually};

fn leader(servers: &str, topic: &str) -> Option<u32> {
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .create()
        .unwrap();
    let metadata = client.fetch_metadata(Some(topic), Duration::from_secs(5));
    let metadata = metadata.ok()?;
    let leader = metadata.topics().first()?.partitions().first()?.leader();
    u32::try_from(leader).ok()
}

/// Every broker has to have every event: while one is away, the others refuse.
#[test]
fn too_few_in_sync_replicas() {
    let Some(nodes) = Nodes::take(3) else { return };
    let (fixture, topic) = (Fixture::new(), fresh_topic());
    let all = [("min.insync.replicas", "3")];
    create_topic(nodes.servers(), &topic, 3, &all);
    let publisher = Publisher::open(fixture.kafka(nodes.servers())).unwrap();
    let ledger = Load::gentle(&topic).during(&publisher, |progress| {
        progress.wait_for_delivered(500);
        nodes.node(2, "kill");
        progress.wait_for_spooled(2000);
        nodes.node(2, "start");
        progress.wait_for_delivered(500);
    });
    finish(publisher);
    let account = fixture.account(&ledger, nodes.servers(), &topic);
    account.show("too few replicas in sync");
    account.assert_no_errors();
    account.assert_kept();
}

fn a_broker_is_lost(case: &str, mode: Mode, verb: &str) {
    let Some(nodes) = Nodes::take(3) else { return };
    let (fixture, topic) = (Fixture::new(), fresh_topic());
    let safe = [("min.insync.replicas", "2")];
    create_topic(nodes.servers(), &topic, 3, &safe);
    let publisher = Publisher::open(fixture.kafka(nodes.servers()).mode(mode)).unwrap();
    let ledger = Load::gentle(&topic).during(&publisher, |progress| {
        let under_way = || progress.wait_for_usual(mode, 1000);
        under_way();
        let lost = leader(nodes.servers(), &topic).expect("a leader");
        nodes.node(lost, verb);
        eventually("another broker leads", || {
            leader(nodes.servers(), &topic).is_some_and(|now| now != lost)
        });
        under_way();
        nodes.node(lost, if verb == "pause" { "resume" } else { "start" });
        under_way();
    });
    finish(publisher);
    let account = fixture.account(&ledger, nodes.servers(), &topic);
    account.show(case);
    account.assert_no_errors();
    account.assert_kept();
}

#[test]
fn leader_killed() {
    a_broker_is_lost("leader of three killed", Mode::Direct, "kill");
}

#[test]
fn leader_stopped() {
    a_broker_is_lost("leader of three stopped", Mode::Direct, "stop");
}

#[test]
fn leader_killed_in_write_ahead_mode() {
    let case = "leader of three killed, write-ahead";
    a_broker_is_lost(case, Mode::WriteAhead, "kill");
}

#[test]
fn leader_frozen() {
    a_broker_is_lost("leader of three paused", Mode::Direct, "pause");
}
