//! Cluster of the rows.

mod common;

use common::{Place, append, append_many};
use herald_spool::{Inspector, Spool, SpoolCluster, SpoolError};

fn cluster(id: &str) -> SpoolCluster {
    SpoolCluster {
        id: id.to_owned(),
        servers: "kafka:9092".to_owned(),
        environment: "test".to_owned(),
    }
}

fn note(spool: &Spool, id: &str) {
    spool.note_cluster(cluster(id)).unwrap().wait().unwrap();
}

#[test]
fn rows_belong_to_the_noted_cluster() {
    let place = Place::new();
    let spool = place.open();
    assert_eq!(spool.cluster(), Ok(None));
    append(&spool, 1);
    assert_eq!(spool.check_cluster("a"), Ok(()), "the first one is taken");
    note(&spool, "a");
    assert_eq!(spool.check_cluster("a"), Ok(()));
    drop(spool);
    let spool = place.open();
    let error = spool.check_cluster("b").unwrap_err();
    assert!(matches!(error, SpoolError::OtherCluster { .. }));
    let text = error.to_string();
    for part in ["1 record", "a (kafka:9092, environment test)", "is b"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    note(&spool, "b");
    assert_eq!(spool.check_cluster("b"), Ok(()));
    let inspector = Inspector::open(place.database()).unwrap();
    assert_eq!(inspector.cluster(), Ok(Some(cluster("b"))));
}

#[test]
fn salvaged_rows_keep_their_cluster() {
    let place = Place::new();
    let spool = place.open();
    append_many(&spool, 0..10);
    note(&spool, "a");
    drop(spool);
    let (spool, report) = Spool::open(place.options().salvage(true)).unwrap();
    assert!(report.recovery.is_some());
    assert_eq!(spool.cluster(), Ok(Some(cluster("a"))));
}

#[test]
fn a_spool_of_the_first_version_has_no_cluster() {
    let place = Place::new();
    let first = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/versions/1/spool.db");
    std::fs::copy(first, place.database()).unwrap();
    let inspector = Inspector::open(place.database()).unwrap();
    assert_eq!(inspector.cluster(), Ok(None));
    let rows = inspector.status().unwrap().records;
    drop(inspector);
    let spool = place.open();
    assert_eq!(spool.cluster(), Ok(None));
    assert_eq!(spool.depth(), Ok(rows));
}
