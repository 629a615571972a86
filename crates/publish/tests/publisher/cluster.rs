//! The rows of a spool and the cluster that they are for.

use herald_publish::memory::MemoryCluster;
use herald_publish::spool::{Inspector, Spool, SpoolCluster, SpoolOptions};
use herald_publish::{PublishError, Publisher};

use crate::support::{Fixture, eventually, eventually_drained, publish};

fn cluster(id: &str) -> MemoryCluster {
    let cluster = MemoryCluster::new().with_id(id);
    cluster.create_topic("t", 3);
    cluster
}

/// A fixture whose spool has one event for the cluster `development`.
fn with_a_row() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.cluster = cluster("development");
    let publisher = Publisher::open(fixture.options().environment("test")).unwrap();
    publish(&publisher, "k", "first").unwrap();
    eventually("the cluster is noted", || noted(&fixture).is_some());
    fixture.cluster.stop();
    publish(&publisher, "k", "waits").unwrap();
    publisher.close(std::time::Duration::ZERO).unwrap();
    fixture
}

fn noted(fixture: &Fixture) -> Option<SpoolCluster> {
    let inspector = Inspector::open(fixture.spool_path()).unwrap();
    inspector.cluster().unwrap()
}

#[test]
fn a_publisher_does_not_start_with_rows_of_another_cluster() {
    let mut fixture = with_a_row();
    let development = std::mem::replace(&mut fixture.cluster, cluster("production"));
    let error = Publisher::open(fixture.options()).unwrap_err();
    assert_eq!(error.code(), "spool_other_cluster");
    let text = error.to_string();
    for part in [
        "development",
        "environment test",
        "production",
        "adopt",
        "drain",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(fixture.payloads("t"), [""; 0]);
    development.start();
    fixture.cluster = development;
    eventually_drained(&fixture.open());
    assert_eq!(fixture.payloads("t"), ["first", "waits"]);
}

#[test]
fn another_cluster_that_is_found_later_gets_no_row_and_no_event() {
    let mut fixture = with_a_row();
    fixture.cluster = cluster("production");
    fixture.cluster.stop();
    let publisher = fixture.open();
    fixture.cluster.start();
    eventually("it is noticed", || {
        let failure = publisher.stats().spool_failure;
        failure.is_some_and(|failure| failure.code() == "spool_other_cluster")
    });
    let refused = publish(&publisher, "other", "new").unwrap_err();
    assert!(matches!(refused, PublishError::Spool(_)), "{refused:?}");
    assert_eq!(refused.code(), "spool_other_cluster");
    let closed = publisher.close(crate::support::LONG).unwrap();
    assert_eq!(closed.spooled, 1);
    assert_eq!(fixture.payloads("t"), [""; 0]);
}

#[test]
fn an_empty_spool_may_be_used_with_another_cluster() {
    let mut fixture = with_a_row();
    fixture.cluster.start();
    let publisher = fixture.open();
    eventually_drained(&publisher);
    drop(publisher);
    fixture.cluster = cluster("production");
    let publisher = fixture.open();
    publish(&publisher, "k", "new").unwrap();
    eventually("the cluster is noted", || {
        noted(&fixture).is_some_and(|noted| noted.id == "production")
    });
}

#[test]
fn rows_can_be_assigned_to_another_cluster() {
    let mut fixture = with_a_row();
    fixture.cluster = cluster("production");
    let (spool, _) = Spool::open(SpoolOptions::new(fixture.spool_path())).unwrap();
    let production = SpoolCluster {
        id: "production".to_owned(),
        servers: String::new(),
        environment: String::new(),
    };
    spool.note_cluster(production).unwrap().wait().unwrap();
    spool.close().unwrap();
    eventually_drained(&fixture.open());
    assert_eq!(fixture.payloads("t"), ["waits"]);
}
