//! What a cluster answers when it does not do what was asked.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::super::classify;
use crate::failure::{Failure, FailureCode, FailureKind};

/// Kafka does not take a name or a value of a configuration.
pub(super) const INVALID_CONFIG: FailureCode = FailureCode::InvalidConfig;

/// Why nothing of a request was done, or nobody knows whether it was.
pub(super) fn of_request(error: &KafkaError, doing: &str) -> Failure {
    let mut failure = match error {
        KafkaError::AdminOp(code) => classify::failure(*code, doing),
        other => classify::failure_of(other, doing),
    };
    if failure.code == FailureCode::TimedOut {
        failure.detail.push_str(
            ". The cluster told where its controller is; that address may not be reachable from \
             here (advertised.listeners)",
        );
    }
    failure
}

/// What a cluster said about one topic, where the words for messages would be too general.
pub(super) fn of_topic(error: Code) -> Failure {
    let (code, detail) = match error {
        Code::TopicAlreadyExists => (
            FailureCode::TopicExists,
            "somebody else created it just now",
        ),
        Code::InvalidTopic => (
            FailureCode::InvalidTopic,
            "Kafka does not take the name; it may collide with a topic that has `_` for `.`",
        ),
        Code::InvalidPartitions => (
            FailureCode::InvalidPartitions,
            "Kafka does not take this number of partitions",
        ),
        Code::InvalidReplicationFactor => (
            FailureCode::InvalidReplicationFactor,
            "there are fewer brokers than replicas",
        ),
        Code::InvalidConfig => (
            INVALID_CONFIG,
            "Kafka does not take a name or a value of the configuration",
        ),
        Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed => (
            FailureCode::NotAuthorized,
            "the user lacks the right; a topic that it may not see looks missing",
        ),
        other => return classify::failure(other, "Kafka refuses"),
    };
    Failure::new(FailureKind::Permanent, code, detail)
}

/// The cluster answered, but said nothing about a topic.
pub(super) fn no_answer(doing: &str) -> Failure {
    Failure::new(
        FailureKind::Retriable,
        FailureCode::Refused,
        format!("{doing}: Kafka said nothing about this topic"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_that_is_not_reached_is_told_as_that() {
        let error = KafkaError::AdminOp(Code::OperationTimedOut);
        let failure = of_request(&error, "creating");
        assert_eq!(failure.code, FailureCode::TimedOut);
        assert_eq!(failure.kind, FailureKind::Retriable);
        assert!(failure.detail.starts_with("creating: "), "{failure}");
        assert!(failure.detail.contains("advertised.listeners"), "{failure}");
    }
}
