//! The cluster in memory.

use std::time::Duration;

use herald_publish::FailureCode;
use herald_publish::kafka::{Admin, ApiError, ApiKey, DevCluster, KafkaOptions, StartPosition};

use crate::support::{Publisher, TEST_TIMEOUT, hear, listener, texts};

#[test]
fn topics_have_the_partitions_that_they_were_created_with() {
    let cluster = DevCluster::start(3).unwrap();
    assert_eq!(cluster.bootstrap_servers().split(',').count(), 3);
    cluster.create_topic("orders", 5, 3).unwrap();
    let mut listener = listener(&cluster.bootstrap_servers());
    let topics = listener
        .follow(|_| true, StartPosition::Beginning, Duration::from_secs(10))
        .unwrap();
    assert_eq!(topics.into_iter().collect::<Vec<_>>(), ["orders"]);
    let publisher = Publisher::new(&cluster.bootstrap_servers());
    for partition in 0..5 {
        publisher.publish("orders", partition, &partition.to_string());
    }
    assert_eq!(texts(&hear(&mut listener, 5)), ["0", "1", "2", "3", "4"]);
}

#[test]
fn rejects_duplicate_and_invalid_topic_names() {
    let cluster = DevCluster::start(1).unwrap();
    cluster.create_topic("orders", 1, 1).unwrap();
    for name in ["orders", "", "a b", "a\0b"] {
        let failure = cluster.create_topic(name, 1, 1).unwrap_err();
        assert_eq!(failure.code, FailureCode::DevCluster, "{name:?}");
    }
    assert!(DevCluster::start(0).is_err());
}

#[test]
fn topic_administration_is_unsupported() {
    let cluster = DevCluster::start(1).unwrap();
    let options = KafkaOptions::new(cluster.bootstrap_servers());
    let failure = Admin::connect(&options, TEST_TIMEOUT).err().unwrap();
    assert_eq!(failure.code, FailureCode::Unsupported);
}

#[test]
fn injected_error_occurs_once() {
    let cluster = DevCluster::start(1).unwrap();
    cluster.create_topic("orders", 1, 1).unwrap();
    cluster.fail_next(
        ApiKey::Produce,
        &[ApiError::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS],
    );
    // The producer tries again by itself: the error has to be gone then.
    let publisher = Publisher::new(&cluster.bootstrap_servers());
    publisher.publish("orders", 0, "after all");
    let mut listener = listener(&cluster.bootstrap_servers());
    listener
        .follow(|_| true, StartPosition::Beginning, Duration::from_secs(10))
        .unwrap();
    assert_eq!(texts(&hear(&mut listener, 1)), ["after all"]);
}
