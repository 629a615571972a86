//! Classification of Kafka's and librdkafka's errors, in one table.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::failure::{Failure, FailureCode, FailureKind};
use FailureKind::{Abandoned, Fatal, Full, Permanent, Retriable};

/// Errors with the same consequence, and their description.
struct Class {
    errors: &'static [Code],
    kind: FailureKind,
    code: FailureCode,
    words: &'static str,
}

const fn class(
    kind: FailureKind,
    code: FailureCode,
    words: &'static str,
    errors: &'static [Code],
) -> Class {
    Class {
        errors,
        kind,
        code,
        words,
    }
}

/// Classes of errors. Any other error is retriable: [`OTHER`].
const CLASSES: &[Class] = &[
    class(
        Permanent,
        FailureCode::TooLarge,
        "the message is larger than the broker, the topic or `message.max.bytes` allows",
        &[
            Code::MessageSizeTooLarge,
            Code::MessageBatchTooLarge,
            Code::InvalidMessageSize,
        ],
    ),
    class(
        Permanent,
        FailureCode::InvalidTopic,
        "the name of the topic is not valid",
        &[Code::InvalidTopic],
    ),
    // Permanent: librdkafka 2.12 reports `UnknownTopic` only when a topic stayed absent for
    // `topic.metadata.propagation.max.ms` (1 s here), so a topic that was just created is not affected.
    class(
        Permanent,
        FailureCode::UnknownTopic,
        "the topic does not exist, and the broker did not create it; `herald topics apply --yes` \
         creates the topics of contracts",
        &[Code::UnknownTopic, Code::UnknownTopicOrPartition],
    ),
    class(
        Permanent,
        FailureCode::NotAuthorized,
        "the user may not do this: an ACL is missing",
        &[
            Code::TopicAuthorizationFailed,
            Code::ClusterAuthorizationFailed,
            Code::GroupAuthorizationFailed,
            Code::TransactionalIdAuthorizationFailed,
            Code::DelegationTokenAuthorizationFailed,
            Code::SecurityDisabled,
        ],
    ),
    class(
        Permanent,
        FailureCode::InvalidRecord,
        "the broker does not accept such a record on this topic",
        &[Code::InvalidRecord],
    ),
    class(
        Permanent,
        FailureCode::InvalidTimestamp,
        "the time of the event is too far from the broker's clock",
        &[Code::InvalidTimestamp],
    ),
    class(
        Permanent,
        FailureCode::PolicyViolation,
        "a policy of the cluster forbids it",
        &[Code::PolicyViolation],
    ),
    class(
        Permanent,
        FailureCode::Unsupported,
        "the broker does not support this",
        &[
            Code::UnsupportedVersion,
            Code::UnsupportedForMessageFormat,
            Code::UnsupportedCompressionType,
            Code::UnsupportedFeature,
            Code::UnsupportedSASLMechanism,
            Code::NotImplemented,
            Code::UnknownProtocol,
        ],
    ),
    class(
        Permanent,
        FailureCode::InvalidRequest,
        "the broker does not accept this request",
        &[
            Code::InvalidRequest,
            Code::InvalidRequiredAcks,
            Code::InvalidArgument,
            Code::InvalidType,
        ],
    ),
    class(
        Permanent,
        FailureCode::InvalidTopicSettings,
        "the broker does not accept a topic with these settings",
        &[
            Code::InvalidConfig,
            Code::InvalidPartitions,
            Code::InvalidReplicationFactor,
            Code::InvalidReplicaAssignment,
        ],
    ),
    class(
        Permanent,
        FailureCode::TopicExists,
        "a topic of this name exists already",
        &[Code::TopicAlreadyExists],
    ),
    // Fatal: an idempotent producer that may have lost or reordered a message accepts no further one
    // (`rd_kafka_produce` fails from then on), so only a new producer, with a new id, can continue.
    class(
        Fatal,
        FailureCode::SequenceLost,
        "the broker and the connection disagree about what was written",
        &[
            Code::OutOfOrderSequenceNumber,
            Code::UnknownProducerId,
            Code::InvalidProducerIdMapping,
            Code::Inconsistent,
        ],
    ),
    class(
        Fatal,
        FailureCode::Fenced,
        "another producer took the place of this one",
        &[
            Code::InvalidProducerEpoch,
            Code::ProducerFenced,
            Code::Fenced,
        ],
    ),
    class(
        Fatal,
        FailureCode::BatchRefused,
        "the broker refused a batch of messages",
        &[Code::GaplessGuarantee, Code::InvalidDifferentRecord],
    ),
    class(
        Fatal,
        FailureCode::ConnectionBroken,
        "the connection can't be used any more",
        &[Code::Fatal],
    ),
    class(
        Full,
        FailureCode::QueueFull,
        "librdkafka's queue is full",
        &[Code::QueueFull],
    ),
    class(
        Abandoned,
        FailureCode::Abandoned,
        "the connection was closed before an acknowledgement came",
        &[
            Code::PurgeQueue,
            Code::PurgeInflight,
            Code::BrokerDestroy,
            Code::DestroyBroker,
        ],
    ),
    class(
        Retriable,
        FailureCode::Unreachable,
        "no broker can be reached",
        &[
            Code::BrokerTransportFailure,
            Code::AllBrokersDown,
            Code::Resolve,
            Code::BrokerNotAvailable,
            Code::NetworkException,
            Code::UnknownBroker,
        ],
    ),
    // Retriable: somebody corrects the password or the ACL on the broker, or rotates the secret, which
    // is read again for each connection. The events wait in the spool until then.
    class(
        Retriable,
        FailureCode::AuthenticationFailed,
        "the login failed",
        &[
            Code::Authentication,
            Code::SaslAuthenticationFailed,
            Code::IllegalSASLState,
        ],
    ),
    class(
        Retriable,
        FailureCode::TlsFailed,
        "no secure connection could be made",
        &[Code::SSL],
    ),
    class(
        Retriable,
        FailureCode::TimedOut,
        "no answer came in time",
        &[
            Code::MessageTimedOut,
            Code::OperationTimedOut,
            Code::TimedOutQueue,
            Code::RequestTimedOut,
        ],
    ),
    class(
        Retriable,
        FailureCode::NoLeader,
        "the partition has no leader at the moment",
        &[
            Code::LeaderNotAvailable,
            Code::NotLeaderForPartition,
            Code::FencedLeaderEpoch,
            Code::UnknownLeaderEpoch,
            Code::UnknownPartition,
            Code::UnknownTopicId,
        ],
    ),
    class(
        Retriable,
        FailureCode::TooFewReplicas,
        "fewer replicas are in sync than the topic demands",
        &[
            Code::NotEnoughReplicas,
            Code::NotEnoughReplicasAfterAppend,
            Code::ISRInsufficient,
            Code::ReplicaNotAvailable,
        ],
    ),
    class(
        Retriable,
        FailureCode::StorageFailed,
        "the broker's disk failed",
        &[Code::KafkaStorageError, Code::LogDirNotFound],
    ),
    class(
        Retriable,
        FailureCode::Throttled,
        "the quota of the cluster is used up",
        &[Code::ThrottlingQuotaExceeded],
    ),
];

const OTHER: Class = class(
    Retriable,
    FailureCode::KafkaError,
    "Kafka reports an error",
    &[],
);

fn class_of(error: Code) -> &'static Class {
    CLASSES
        .iter()
        .find(|class| class.errors.contains(&error))
        .unwrap_or(&OTHER)
}

/// Converts an error `about` a topic or an address to a failure.
pub(super) fn failure(error: Code, about: &str) -> Failure {
    let Class {
        kind, code, words, ..
    } = class_of(error);
    Failure::new(*kind, *code, format!("{about}: {words} [{error}]"))
}

/// Converts an error of a connection. librdkafka reports a failed handshake of TLS as a lost connection,
/// depending on which thread notices it first; then only its text, or that of OpenSSL, tells.
pub(super) fn connection_failure(error: Code, reason: &str) -> Failure {
    let is_tls = ["SSL handshake failed", ":SSL routines:"]
        .iter()
        .any(|words| reason.contains(words));
    match error {
        Code::BrokerTransportFailure if is_tls => failure(Code::SSL, reason),
        _ => failure(error, reason),
    }
}

/// Converts an error of rdkafka to a failure. Errors without a code of Kafka come from wrong use or
/// from settings.
pub(super) fn failure_of(error: &KafkaError, about: &str) -> Failure {
    match error.rdkafka_error_code() {
        Some(code) => failure(code, about),
        None => Failure::new(
            Permanent,
            FailureCode::InvalidRequest,
            format!("{about}: {error}"),
        ),
    }
}

/// Returns whether a broker reports this error for a whole batch although a single message in it is
/// the cause.
pub(super) fn is_batch_verdict(error: Code) -> bool {
    matches!(
        error,
        Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::InvalidTimestamp
            | Code::InvalidDifferentRecord
    )
}

/// Returns whether the error is about the topic as a whole: it does not exist, or may not be
/// written.
pub(super) fn is_topic_verdict(error: Code) -> bool {
    matches!(
        error,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::TopicAuthorizationFailed
    )
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use rdkafka::types::RDKafkaRespErr;

    use super::*;

    fn kind(error: Code) -> FailureKind {
        class_of(error).kind
    }

    fn all_errors() -> impl Iterator<Item = Code> {
        (-250..=250)
            .filter_map(|number| RDKafkaRespErr::try_from(number).ok())
            .map(Code::from)
            .filter(|error| !matches!(error, Code::NoError | Code::Begin | Code::End))
    }

    #[test]
    fn every_error_has_exactly_one_class() {
        let mut seen = HashSet::new();
        for class in CLASSES {
            for error in class.errors {
                assert!(seen.insert(*error as i32), "{error:?} stands in two rows");
            }
        }
        assert!(all_errors().count() > 150);
        for error in all_errors() {
            let failure = failure(error, "orders");
            assert_eq!(failure.kind, kind(error), "{error:?}");
            assert!(
                failure.detail.starts_with("orders: ")
                    && failure.detail.contains(&format!("{error:?}")),
                "{failure}"
            );
        }
    }

    #[test]
    fn every_code_has_one_kind() {
        let mut kinds = BTreeMap::new();
        for class in CLASSES.iter().chain([&OTHER]) {
            assert_eq!(kinds.insert(class.code, class.kind), None, "{}", class.code);
        }
    }

    #[test]
    fn lists_the_permanent_errors() {
        let permanent: BTreeMap<_, _> = all_errors()
            .filter(|error| kind(*error) == Permanent)
            .map(|error| (error as i32, failure(error, "").code))
            .collect();
        assert_eq!(
            permanent,
            BTreeMap::from([
                (-188, FailureCode::UnknownTopic),
                (-186, FailureCode::InvalidRequest),
                (-171, FailureCode::Unsupported),
                (-170, FailureCode::Unsupported),
                (-165, FailureCode::Unsupported),
                (-154, FailureCode::InvalidRequest),
                (3, FailureCode::UnknownTopic),
                (4, FailureCode::TooLarge),
                (10, FailureCode::TooLarge),
                (17, FailureCode::InvalidTopic),
                (18, FailureCode::TooLarge),
                (21, FailureCode::InvalidRequest),
                (29, FailureCode::NotAuthorized),
                (30, FailureCode::NotAuthorized),
                (31, FailureCode::NotAuthorized),
                (32, FailureCode::InvalidTimestamp),
                (33, FailureCode::Unsupported),
                (35, FailureCode::Unsupported),
                (36, FailureCode::TopicExists),
                (37, FailureCode::InvalidTopicSettings),
                (38, FailureCode::InvalidTopicSettings),
                (39, FailureCode::InvalidTopicSettings),
                (40, FailureCode::InvalidTopicSettings),
                (42, FailureCode::InvalidRequest),
                (43, FailureCode::Unsupported),
                (44, FailureCode::PolicyViolation),
                (53, FailureCode::NotAuthorized),
                (54, FailureCode::NotAuthorized),
                (65, FailureCode::NotAuthorized),
                (76, FailureCode::Unsupported),
                (87, FailureCode::InvalidRecord),
            ])
        );
    }

    #[test]
    fn purged_messages_are_abandoned() {
        for error in [Code::PurgeQueue, Code::PurgeInflight] {
            assert_eq!(kind(error), Abandoned);
        }
        assert_eq!(kind(Code::QueueFull), Full);
        assert_eq!(kind(Code::Fatal), Fatal);
    }
}
