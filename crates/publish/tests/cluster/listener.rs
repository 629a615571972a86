//! Reading topics as they grow.

use std::time::{Duration, Instant, SystemTime};

use herald_publish::FailureCode;
use herald_publish::FailureKind;
use herald_publish::kafka::{
    Admin, DevCluster, KafkaOptions, ReaderEvent, StartPosition, WantedTopic,
};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::support::{Publisher, TEST_TIMEOUT, fresh_topic, hear, listener, real_kafka, texts};

#[test]
fn start_now_skips_earlier_records() {
    let cluster = DevCluster::start(1).unwrap();
    cluster.create_topic("orders", 3, 1).unwrap();
    let servers = cluster.bootstrap_servers();
    let publisher = Publisher::new(&servers);
    publisher.publish("orders", 0, "before");
    let mut listener = listener(&servers);
    listener
        .follow(|_| true, StartPosition::Now, TEST_TIMEOUT)
        .unwrap();
    // Published before anything is read: the position was fixed by `follow`.
    for partition in 0..3 {
        publisher.publish("orders", partition, &format!("after {partition}"));
    }
    let heard = hear(&mut listener, 3);
    assert_eq!(texts(&heard), ["after 0", "after 1", "after 2"]);
}

#[test]
fn start_time_skips_older_records() {
    let Some(servers) = real_kafka() else {
        return;
    };
    let topic = fresh_topic("times");
    create(&servers, &topic, 1);
    assert_start_times(&servers, &topic);
}

#[test]
fn start_time_works_on_the_dev_cluster() {
    let cluster = DevCluster::start(1).unwrap();
    cluster.create_topic("orders", 1, 1).unwrap();
    assert_start_times(&cluster.bootstrap_servers(), "orders");
}

fn assert_start_times(servers: &str, topic: &str) {
    let publisher = Publisher::new(servers);
    let hour = 3_600_000;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_millis()).unwrap();
    publisher.publish_at(topic, now - 3 * hour, "old");
    publisher.publish_at(topic, now - hour, "young");
    let from = |before: u64| {
        let time = SystemTime::now() - Duration::from_secs(before);
        let mut listener = listener(servers);
        let topic = topic.to_owned();
        let follow = move |name: &str| name == topic;
        listener
            .follow(follow, StartPosition::At(time), TEST_TIMEOUT)
            .unwrap();
        listener
    };
    assert_eq!(texts(&hear(&mut from(7200), 1)), ["young"]);
    assert_eq!(texts(&hear(&mut from(36_000), 2)), ["old", "young"]);
    // Nothing is as young as that: only what comes is heard.
    let mut future = from(0);
    publisher.publish(topic, 0, "new");
    assert_eq!(texts(&hear(&mut future, 1)), ["new"]);
}

#[test]
fn partitions_are_unread_until_their_end() {
    let cluster = DevCluster::start(1).unwrap();
    cluster.create_topic("orders", 2, 1).unwrap();
    let servers = cluster.bootstrap_servers();
    let publisher = Publisher::new(&servers);
    publisher.publish("orders", 0, "a");
    publisher.publish("orders", 0, "b");
    let unread = |listener: &mut herald_publish::kafka::TopicReader| {
        let ends = listener.ends(None, TEST_TIMEOUT).unwrap();
        let unread = listener.unread_before(&ends).unwrap();
        let unread = unread
            .iter()
            .map(|(end, missing)| (end.partition, *missing));
        unread.collect::<Vec<_>>()
    };
    let mut first = listener(&servers);
    first
        .follow(|_| true, StartPosition::Beginning, TEST_TIMEOUT)
        .unwrap();
    assert_eq!(unread(&mut first), [(0, 2)]);
    hear(&mut first, 2);
    assert_eq!(unread(&mut first), []);
    let mut later = listener(&servers);
    later
        .follow(|_| true, StartPosition::Now, TEST_TIMEOUT)
        .unwrap();
    assert_eq!(unread(&mut later), []);
    publisher.publish("orders", 1, "c");
    assert_eq!(unread(&mut later), [(1, 1)]);
}

#[test]
fn reads_new_topics_from_their_beginning() {
    let cluster = DevCluster::start(1).unwrap();
    let servers = cluster.bootstrap_servers();
    let mut listener = listener(&servers);
    let follow = |name: &str| name.starts_with("orders.");
    let there = listener
        .follow(follow, StartPosition::Now, TEST_TIMEOUT)
        .unwrap();
    assert!(there.is_empty());
    let publisher = Publisher::new(&servers);
    for topic in ["orders.placed", "customers.left", "orders.paid"] {
        cluster.create_topic(topic, 2, 1).unwrap();
        publisher.publish(topic, 1, topic);
    }
    let heard = hear(&mut listener, 2);
    assert_eq!(texts(&heard), ["orders.paid", "orders.placed"]);
}

#[test]
fn reports_an_outage_and_its_end_once() {
    let cluster = DevCluster::start(1).unwrap();
    cluster.create_topic("orders", 1, 1).unwrap();
    let servers = cluster.bootstrap_servers();
    let mut listener = listener(&servers);
    listener
        .follow(|_| true, StartPosition::Now, TEST_TIMEOUT)
        .unwrap();
    cluster.take_down(None).unwrap();
    let mut told = Vec::new();
    let mut wait_for = |listener: &mut herald_publish::kafka::TopicReader, wanted: usize| {
        let started = std::time::Instant::now();
        while told.len() < wanted {
            assert!(started.elapsed() < TEST_TIMEOUT, "{told:?}");
            told.extend(listener.next(Duration::from_millis(50)).unwrap());
        }
        told.clone()
    };
    let trouble = wait_for(&mut listener, 1);
    let ReaderEvent::Interrupted(failure) = &trouble[0] else {
        panic!("{trouble:?}");
    };
    assert_eq!(failure.code, FailureCode::Unreachable);
    assert_eq!(failure.kind, FailureKind::Retriable);
    // It lasts, and is not told again.
    for _ in 0..40 {
        let more = listener.next(Duration::from_millis(50)).unwrap();
        assert_eq!(more, None);
    }
    cluster.bring_up(None).unwrap();
    assert_eq!(wait_for(&mut listener, 2)[1], ReaderEvent::Recovered);
    let publisher = Publisher::new(&servers);
    publisher.publish("orders", 0, "again");
    assert_eq!(texts(&hear(&mut listener, 1)), ["again"]);
}

#[test]
fn leaves_no_consumer_group_behind() {
    let Some(servers) = real_kafka() else {
        return;
    };
    let topic = fresh_topic("groups");
    create(&servers, &topic, 2);
    let groups = || -> Vec<String> {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &servers)
            .create()
            .unwrap();
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            match client.fetch_group_list(None, TEST_TIMEOUT) {
                Ok(list) => {
                    break list
                        .groups()
                        .iter()
                        .map(|it| it.name().to_owned())
                        .collect();
                }
                // A broker loads its groups shortly after its start.
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let follow = topic.clone();
    let mut listener = listener(&servers);
    let follow = move |name: &str| name == follow;
    listener
        .follow(follow, StartPosition::Beginning, TEST_TIMEOUT)
        .unwrap();
    Publisher::new(&servers).publish(&topic, 1, "x");
    hear(&mut listener, 1);
    let during = groups();
    drop(listener);
    for seen in [during, groups()] {
        assert!(!seen.iter().any(|name| name == "herald-listen"), "{seen:?}");
    }
}

fn create(servers: &str, topic: &str, partitions: u32) {
    let admin = Admin::connect(&KafkaOptions::new(servers), TEST_TIMEOUT).unwrap();
    let wanted = WantedTopic {
        partitions: Some(partitions),
        ..WantedTopic::new(topic)
    };
    let plan = admin.plan(vec![wanted]).unwrap();
    for outcome in admin.apply(&plan) {
        assert_eq!((outcome.failure, outcome.left), (None, vec![]));
    }
}
