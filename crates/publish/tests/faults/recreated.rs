//! A topic that is deleted and created again under load.

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;

use herald_publish::Publisher;

use crate::cluster::{self, Cluster, create_topic};
use crate::fixture::{Fixture, eventually_drained, kafka};
use crate::load::Load;

fn delete_topic(servers: &str, topic: &str) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .create()
        .expect("an admin client");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let deleted = runtime.block_on(admin.delete_topics(&[topic], &AdminOptions::new()));
    for outcome in deleted.expect("an answer") {
        outcome.expect("deleted");
    }
}

/// Events of the deleted topic are gone with it; those that are there afterwards are in order. A
/// broker knows nothing of the producer on the new topic, and takes any batch first, so only one
/// may be under way.
#[test]
fn topic_deleted_and_created_again_with_one_request_in_flight() {
    let Some(cluster) = Cluster::up() else { return };
    let servers = cluster.servers();
    // To see what more do.
    let in_flight = std::env::var("HERALD_IN_FLIGHT").unwrap_or_else(|_| "1".to_owned());
    let (fixture, topic) = (Fixture::new(), cluster::topic(servers));
    let kafka = kafka(servers).property("max.in.flight", &in_flight);
    let publisher = Publisher::open(fixture.options(kafka)).unwrap();
    let ledger = Load::gentle(&topic).during(&publisher, |progress| {
        for _ in 0..3 {
            progress.wait_for_receipts(1000);
            delete_topic(servers, &topic);
            create_topic(servers, &topic, 3, &[]);
        }
        progress.wait_for_receipts(1000);
    });
    eventually_drained(&publisher);
    drop(publisher);
    let account = fixture.account(&ledger, servers, &topic);
    account.show(&format!(
        "topic deleted and created again, {in_flight} in flight"
    ));
    assert_eq!(account.out_of_order, []);
}

/// Keys of the partitions that are gone belong to others. Their events are sent again, there.
#[test]
fn topic_created_again_with_fewer_partitions() {
    let Some(cluster) = Cluster::up() else { return };
    let servers = cluster.servers();
    let (fixture, topic) = (Fixture::new(), cluster::topic(servers));
    let kafka = kafka(servers).property("max.in.flight", "1");
    let publisher = Publisher::open(fixture.options(kafka)).unwrap();
    let ledger = Load::gentle(&topic).during(&publisher, |progress| {
        for partitions in [2, 1] {
            progress.wait_for_receipts(1000);
            delete_topic(servers, &topic);
            create_topic(servers, &topic, partitions, &[]);
        }
        progress.wait_for_receipts(1000);
    });
    eventually_drained(&publisher);
    drop(publisher);
    let account = fixture.account(&ledger, servers, &topic);
    account.show("topic created again with fewer partitions");
    account.assert_no_errors();
    assert_eq!(account.out_of_order, []);
}
