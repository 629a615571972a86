//! Topics as wanted, brought about on a real cluster.

use std::collections::BTreeMap;

use herald_publish::FailureCode;
use herald_publish::kafka::{Admin, Difference, KafkaOptions, Outcome, Plan, WantedTopic};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use crate::support::{TEST_TIMEOUT, fresh_topic, real_kafka};

fn connect() -> Option<Admin> {
    let servers = real_kafka()?;
    Some(Admin::connect(&KafkaOptions::new(servers), TEST_TIMEOUT).unwrap())
}

fn wanted(name: &str, partitions: u32, config: &[(&str, &str)]) -> WantedTopic {
    WantedTopic {
        partitions: Some(partitions),
        config: texts(config),
        ..WantedTopic::new(name)
    }
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[track_caller]
fn apply(admin: &Admin, wanted: WantedTopic) -> Outcome {
    let plan = admin.plan(vec![wanted]).unwrap();
    let mut outcomes = admin.apply(&plan);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

#[track_caller]
fn in_sync(admin: &Admin, wanted: &WantedTopic) {
    let plan = admin.plan(vec![wanted.clone()]).unwrap();
    assert!(plan.is_in_sync(), "{plan:?}");
}

#[test]
fn creates_a_missing_topic_and_is_then_in_sync() {
    let Some(admin) = connect() else { return };
    let topic = fresh_topic("made");
    let wanted = wanted(&topic, 4, &[("retention.ms", "86400000")]);
    let outcome = apply(&admin, wanted.clone());
    assert_eq!(outcome.done, [Difference::Missing]);
    assert_eq!((outcome.left, outcome.failure), (vec![], None));
    in_sync(&admin, &wanted);
    let found = admin
        .find([topic.as_str()])
        .unwrap()
        .remove(&topic)
        .unwrap();
    assert_eq!((found.partitions, found.replicas), (4, 1..=1));
    assert!(found.config.unwrap()["retention.ms"].is_own);
    // A second run of the same plan does no harm.
    let again = admin.apply(&Plan::new([wanted], &BTreeMap::new()));
    assert_eq!(again[0].failure, None);
}

#[test]
fn adds_partitions_and_never_removes_them() {
    let Some(admin) = connect() else { return };
    let topic = fresh_topic("partitions");
    apply(&admin, wanted(&topic, 2, &[]));
    let grown = apply(&admin, wanted(&topic, 5, &[]));
    assert_eq!(grown.failure, None);
    assert_eq!(
        grown.done,
        [Difference::TooFewPartitions {
            found: 2,
            wanted: 5
        }]
    );
    let shrunk = apply(&admin, wanted(&topic, 3, &[]));
    assert_eq!(shrunk.failure, None);
    assert_eq!(shrunk.done, []);
    assert!(matches!(
        shrunk.left[..],
        [Difference::TooManyPartitions {
            found: 5,
            wanted: 3
        }]
    ));
}

/// Kafka's request replaces the whole configuration of a topic.
#[test]
fn keeps_configuration_that_is_not_in_the_plan() {
    let (Some(admin), Some(servers)) = (connect(), real_kafka()) else {
        return;
    };
    let topic = fresh_topic("config");
    apply(&admin, wanted(&topic, 1, &[("retention.ms", "1000000")]));
    // Somebody else sets what no contract knows.
    let other: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .create()
        .unwrap();
    let change = AlterConfig::new(ResourceSpecifier::Topic(&topic))
        .set("retention.ms", "1000000")
        .set("max.message.bytes", "2000000")
        .set("cleanup.policy", "compact,delete");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(other.alter_configs(&[change], &AdminOptions::new()))
        .unwrap();
    let foreign = wanted(&topic, 1, &[("max.message.bytes", "2000000")]);
    while !admin.plan(vec![foreign.clone()]).unwrap().is_in_sync() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }

    let mine = wanted(&topic, 1, &[("retention.ms", "5000000")]);
    let outcome = apply(&admin, mine.clone());
    assert_eq!((outcome.left, outcome.failure), (vec![], None));
    let config = admin
        .find([topic.as_str()])
        .unwrap()
        .remove(&topic)
        .unwrap();
    let own: BTreeMap<_, _> = config
        .config
        .as_ref()
        .unwrap()
        .iter()
        .filter(|(_, entry)| entry.is_own)
        .map(|(name, entry)| (name.as_str(), entry.value.as_deref().unwrap()))
        .collect();
    assert_eq!(
        own.into_iter().collect::<Vec<_>>(),
        [
            ("cleanup.policy", "compact,delete"),
            ("max.message.bytes", "2000000"),
            ("retention.ms", "5000000"),
        ]
    );
}

#[test]
fn plan_reports_what_the_cluster_would_reject() {
    let Some(admin) = connect() else { return };
    let refused = |wanted: WantedTopic| {
        let plan = admin.plan(vec![wanted]).unwrap();
        plan.topics[0].refusal.as_ref().map(|refusal| refusal.code)
    };
    let topic = fresh_topic("refused");
    let many_replicas = WantedTopic {
        replication_factor: Some(99),
        ..WantedTopic::new(&topic)
    };
    assert_eq!(
        refused(many_replicas),
        Some(FailureCode::InvalidReplicationFactor)
    );
    let bad = [("retention.ms", "a week")];
    assert_eq!(
        refused(wanted(&topic, 1, &bad)),
        Some(FailureCode::InvalidConfig)
    );
    assert_eq!(refused(wanted(&topic, 1, &[])), None);
    assert!(admin.find([topic.as_str()]).unwrap().is_empty());

    // The same for a topic that is there, and nothing is left of asking.
    apply(&admin, wanted(&topic, 1, &[]));
    assert_eq!(
        refused(wanted(&topic, 1, &bad)),
        Some(FailureCode::InvalidConfig)
    );
    let good = [("retention.ms", "1")];
    assert_eq!(refused(wanted(&topic, 1, &good)), None);
    let names = admin.topic_names().unwrap();
    assert!(!names.iter().any(|name| name.contains("herald-check")));
}

#[test]
fn failing_topic_does_not_prevent_others() {
    let Some(admin) = connect() else { return };
    let (good, bad) = (fresh_topic("good"), fresh_topic("bad"));
    let plan = admin
        .plan(vec![
            wanted(&bad, 1, &[("cleanup.policy", "burn")]),
            wanted(&good, 1, &[]),
        ])
        .unwrap();
    let outcomes = admin.apply(&plan);
    let of = |topic: &str| {
        let outcome = outcomes.iter().find(|outcome| outcome.topic == topic);
        outcome.unwrap().clone()
    };
    assert_eq!(of(&bad).failure.unwrap().code, FailureCode::InvalidConfig);
    assert_eq!(of(&bad).left, [Difference::Missing]);
    assert_eq!((of(&good).failure, of(&good).left), (None, vec![]));
}

#[test]
fn reports_a_value_that_kafka_ignored() {
    let Some(admin) = connect() else { return };
    let topic = fresh_topic("unchanged");
    apply(&admin, wanted(&topic, 1, &[("retention.ms", "1000000")]));
    let bad = wanted(&topic, 1, &[("retention.ms", "a week")]);
    // Made without asking the cluster what it would refuse.
    let found = admin.find([topic.as_str()]).unwrap();
    let mut outcomes = admin.apply(&Plan::new([bad.clone()], &found));
    let outcome = outcomes.remove(0);
    assert_eq!(outcome.failure.unwrap().code, FailureCode::Unchanged);
    assert_eq!(outcome.done, []);
    // Where it was asked, nothing is tried.
    assert_eq!(
        apply(&admin, bad).failure.unwrap().code,
        FailureCode::InvalidConfig
    );
    in_sync(&admin, &wanted(&topic, 1, &[("retention.ms", "1000000")]));
}

#[test]
fn creates_hundreds_of_topics_in_several_requests() {
    let Some(admin) = connect() else { return };
    let many: Vec<_> = (0..230)
        .map(|_| wanted(&fresh_topic("many"), 1, &[]))
        .collect();
    let plan = admin.plan(many.clone()).unwrap();
    let outcomes = admin.apply(&plan);
    assert_eq!(outcomes.len(), many.len());
    assert!(
        outcomes
            .iter()
            .all(|o| o.failure.is_none() && o.left.is_empty())
    );
    assert!(admin.plan(many).unwrap().is_in_sync());
}
