//! Refusals: failures of admin requests.

use rdkafka::error::KafkaError;

use super::super::error::{self, failure_of};
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::kafka::classify;
use crate::kafka::error_code::ErrorCode;

/// Code of a refused name or value of a configuration.
pub(super) const INVALID_CONFIG: FailureCode = FailureCode::InvalidConfig;

/// Converts the error of a whole request, after which it may or may not have been executed.
pub(super) fn of_request(error: &KafkaError, doing: &str) -> Failure {
    let mut failure = match error {
        KafkaError::AdminOp(code) => classify::failure(error::code(*code), doing),
        other => failure_of(other, doing),
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
pub(super) fn of_topic(error: ErrorCode) -> Failure {
    let (code, detail) = match error {
        ErrorCode::TopicAlreadyExists => (
            FailureCode::TopicExists,
            "another process has just created it",
        ),
        ErrorCode::InvalidTopicException => (
            FailureCode::InvalidTopic,
            "Kafka does not accept the name; it may collide with a topic that has `_` in place of `.`",
        ),
        ErrorCode::InvalidPartitions => (
            FailureCode::InvalidPartitions,
            "Kafka does not accept this number of partitions",
        ),
        ErrorCode::InvalidReplicationFactor => (
            FailureCode::InvalidReplicationFactor,
            "there are fewer brokers than replicas",
        ),
        ErrorCode::InvalidConfig => (
            INVALID_CONFIG,
            "Kafka does not accept a name or a value of the configuration",
        ),
        ErrorCode::TopicAuthorizationFailed | ErrorCode::ClusterAuthorizationFailed => (
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
    use rdkafka::error::RDKafkaErrorCode;

    use super::*;

    #[test]
    fn explains_an_unreachable_controller() {
        let error = KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut);
        let failure = of_request(&error, "creating");
        assert_eq!(failure.code, FailureCode::TimedOut);
        assert_eq!(failure.kind, FailureKind::Retriable);
        assert!(failure.detail.starts_with("creating: "), "{failure}");
        assert!(failure.detail.contains("advertised.listeners"), "{failure}");
    }
}
