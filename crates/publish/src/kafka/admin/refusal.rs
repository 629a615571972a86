//! What a cluster answers when it does not do what was asked.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::failure::{Failure, FailureKind};

/// Why nothing of a request was done, or nobody knows whether it was.
pub(super) fn of_request(error: &KafkaError, doing: &str) -> Failure {
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut
            | RDKafkaErrorCode::MessageTimedOut,
        ) => Failure::new(
            FailureKind::Retriable,
            "timed_out",
            format!(
                "{doing}: no answer in time. The cluster told where its controller is; that \
                 address may not be reachable from here (advertised.listeners)"
            ),
        ),
        Some(code) => {
            let failure = of_topic(code);
            Failure {
                detail: format!("{doing}: {}", failure.detail),
                ..failure
            }
        }
        None => Failure::new(
            FailureKind::Permanent,
            "invalid_request",
            format!("{doing}: {error}"),
        ),
    }
}

/// What a cluster said about one topic.
pub(super) fn of_topic(code: RDKafkaErrorCode) -> Failure {
    use RDKafkaErrorCode as Code;
    let (name, detail) = match code {
        Code::TopicAlreadyExists => ("topic_exists", "somebody else created it just now"),
        Code::InvalidTopic => (
            "invalid_topic",
            "Kafka does not take the name; it may collide with a topic that has `_` for `.`",
        ),
        Code::InvalidPartitions => (
            "invalid_partitions",
            "Kafka does not take this number of partitions",
        ),
        Code::InvalidReplicationFactor => (
            "invalid_replication_factor",
            "there are fewer brokers than replicas",
        ),
        Code::InvalidConfig => (
            "invalid_config",
            "Kafka does not take a name or a value of the configuration",
        ),
        Code::PolicyViolation => ("policy_violation", "a policy of the cluster forbids it"),
        Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed => {
            ("not_authorized", "the user has no right to do this")
        }
        Code::UnknownTopicOrPartition => ("unknown_topic", "the topic is not there any more"),
        Code::NotController
        | Code::RequestTimedOut
        | Code::OperationTimedOut
        | Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::ThrottlingQuotaExceeded
        | Code::NotEnoughReplicas => {
            return Failure::new(
                FailureKind::Retriable,
                "cluster_busy",
                format!("the cluster can't do it now: {code}"),
            );
        }
        other => {
            return Failure::new(
                FailureKind::Permanent,
                "refused",
                format!("Kafka refuses: {other}"),
            );
        }
    };
    Failure::new(FailureKind::Permanent, name, detail)
}

/// The cluster answered, but said nothing about a topic.
pub(super) fn no_answer(doing: &str) -> Failure {
    Failure::new(
        FailureKind::Retriable,
        "refused",
        format!("{doing}: Kafka said nothing about this topic"),
    )
}
