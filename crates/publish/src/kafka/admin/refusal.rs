//! Refusals: failures of admin requests.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::super::classify;
use crate::failure::{Failure, FailureCode, FailureKind};

/// Code of a refused name or value of a configuration.
pub(super) const INVALID_CONFIG: FailureCode = FailureCode::InvalidConfig;

/// Converts the error of a whole request, after which it may or may not have been executed.
pub(super) fn of_request(error: &KafkaError, doing: &str) -> Failure {
    let mut failure = match error {
        KafkaError::AdminOp(code) => classify::failure(*code, doing),
        other => classify::failure_of(other, doing),
    };
    if failure.code == FailureCode::TimedOut {
        failure.detail.push_str(
            ". The request goes to the address that the cluster advertises for its controller, \
             which may not be reachable from here (advertised.listeners)",
        );
    }
    failure
}

/// Converts the error of one topic; the descriptions for messages would be too general.
pub(super) fn of_topic(error: Code) -> Failure {
    let (code, detail) = match error {
        Code::TopicAlreadyExists => (
            FailureCode::TopicExists,
            "another process has just created it",
        ),
        Code::InvalidTopic => (
            FailureCode::InvalidTopic,
            "Kafka does not accept the name; it may collide with a topic that has `_` in place of `.`",
        ),
        Code::InvalidPartitions => (
            FailureCode::InvalidPartitions,
            "Kafka does not accept this number of partitions",
        ),
        Code::InvalidReplicationFactor => (
            FailureCode::InvalidReplicationFactor,
            "there are fewer brokers than replicas",
        ),
        Code::InvalidConfig => (
            INVALID_CONFIG,
            "Kafka does not accept a name or a value of the configuration",
        ),
        Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed => (
            FailureCode::NotAuthorized,
            "the user lacks the right; a topic that it may not see looks missing",
        ),
        other => return classify::failure(other, "Kafka refuses"),
    };
    Failure::new(FailureKind::Permanent, code, detail)
}

/// Returns the failure of a topic that the answer does not mention.
pub(super) fn no_answer(doing: &str) -> Failure {
    Failure::new(
        FailureKind::Retriable,
        FailureCode::Refused,
        format!("{doing}: Kafka's answer does not mention this topic"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_an_unreachable_controller() {
        let error = KafkaError::AdminOp(Code::OperationTimedOut);
        let failure = of_request(&error, "creating");
        assert_eq!(failure.code, FailureCode::TimedOut);
        assert_eq!(failure.kind, FailureKind::Retriable);
        assert!(failure.detail.starts_with("creating: "), "{failure}");
        assert!(failure.detail.contains("advertised.listeners"), "{failure}");
    }
}
