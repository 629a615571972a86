//! Local validation of wanted topics, before the cluster is asked.
//!
//! A topic that no broker can create must not be part of a request: depending on the value,
//! librdkafka refuses to build the request, or the controller refuses all topics of it.

use herald_envelope::topic;

use super::plan::{Difference, PlannedTopic};
use super::refusal::INVALID_CONFIG;
use super::topic::WantedTopic;
use crate::failure::{Failure, FailureCode, FailureKind};

/// Partitions that Kafka creates in one request. The controller refuses requests with more
/// ("Excessively large number of partitions per request", Kafka 4.0).
pub(super) const MAX_PARTITIONS: u32 = 10_000;

/// Checks the part of a plan that concerns one topic.
pub(super) fn planned(topic: &PlannedTopic, brokers: u32) -> Result<(), Failure> {
    let is_few = |it: &Difference| matches!(it, Difference::TooFewPartitions { .. });
    if topic.differences.contains(&Difference::Missing) {
        new_topic(&topic.wanted, brokers)
    } else if topic.differences.iter().any(is_few) {
        partitions(&topic.wanted)
    } else {
        Ok(())
    }
}

/// Checks a topic that is to be created on a cluster with this number of brokers.
fn new_topic(wanted: &WantedTopic, brokers: u32) -> Result<(), Failure> {
    topic::validate(&wanted.name).map_err(|error| {
        refused(
            FailureCode::InvalidTopic,
            format!("the name is not a valid topic name: {error}"),
        )
    })?;
    partitions(wanted)?;
    if let Some(replicas) = wanted.replication_factor {
        if replicas == 0 {
            return Err(refused(
                FailureCode::InvalidReplicationFactor,
                "a topic needs at least 1 replica",
            ));
        }
        if replicas > brokers {
            let have = match brokers {
                1 => "1 broker".to_owned(),
                brokers => format!("{brokers} brokers"),
            };
            return Err(refused(
                FailureCode::InvalidReplicationFactor,
                format!("{replicas} replicas need as many brokers; the cluster has {have}"),
            ));
        }
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b))
    };
    match wanted.config.keys().find(|name| !is_name(name)) {
        None => Ok(()),
        Some(name) => Err(refused(
            INVALID_CONFIG,
            format!("{name:?} is not a valid name of a configuration"),
        )),
    }
}

/// Checks the number of partitions of a new or an existing topic.
fn partitions(wanted: &WantedTopic) -> Result<(), Failure> {
    match wanted.partitions {
        Some(0) => Err(refused(
            FailureCode::InvalidPartitions,
            "a topic needs at least 1 partition",
        )),
        Some(partitions) if partitions > MAX_PARTITIONS => Err(refused(
            FailureCode::InvalidPartitions,
            format!("{partitions} partitions are too many; Kafka takes at most {MAX_PARTITIONS}"),
        )),
        _ => Ok(()),
    }
}

fn refused(code: FailureCode, detail: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Permanent, code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(wanted: &WantedTopic) -> Option<FailureCode> {
        new_topic(wanted, 3).err().map(|failure| failure.code)
    }

    #[test]
    fn accepts_defaults_and_limits() {
        assert_eq!(code(&WantedTopic::new("orders")), None);
        let largest = WantedTopic {
            partitions: Some(MAX_PARTITIONS),
            replication_factor: Some(3),
            config: [("min.insync.replicas".to_owned(), "2".to_owned())].into(),
            ..WantedTopic::new("x".repeat(249))
        };
        assert_eq!(code(&largest), None);
    }

    #[test]
    fn refuses_impossible_topics() {
        let long = WantedTopic::new("x".repeat(250));
        assert_eq!(code(&long), Some(FailureCode::InvalidTopic));
        let mut topic = WantedTopic::new("orders");
        for partitions in [0, MAX_PARTITIONS + 1, 200_000, u32::MAX] {
            topic.partitions = Some(partitions);
            assert_eq!(code(&topic), Some(FailureCode::InvalidPartitions));
        }
        topic.partitions = None;
        for replicas in [0, 4, u32::MAX] {
            topic.replication_factor = Some(replicas);
            assert_eq!(code(&topic), Some(FailureCode::InvalidReplicationFactor));
        }
        topic.replication_factor = None;
        for name in ["", "retention ms", "retention.ms\n", "Retention.ms"] {
            topic.config = [(name.to_owned(), "1".to_owned())].into();
            assert_eq!(code(&topic), Some(INVALID_CONFIG), "{name:?}");
        }
    }
}
