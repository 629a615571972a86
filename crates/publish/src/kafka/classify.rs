//! Classification of Kafka's and librdkafka's errors, in one table.

use super::error_code::ErrorCode;
use crate::failure::{Failure, FailureCode, FailureKind};
use FailureKind::{Abandoned, Fatal, Full, Permanent, Retriable};

/// Errors with the same consequence, and their description.
struct Class {
    errors: &'static [ErrorCode],
    kind: FailureKind,
    code: FailureCode,
    words: &'static str,
}

const fn class(
    kind: FailureKind,
    code: FailureCode,
    words: &'static str,
    errors: &'static [ErrorCode],
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
            ErrorCode::MessageTooLarge,
            ErrorCode::RecordListTooLarge,
            ErrorCode::InvalidFetchSize,
        ],
    ),
    class(
        Permanent,
        FailureCode::InvalidTopic,
        "the name of the topic is not valid",
        &[ErrorCode::InvalidTopicException],
    ),
    // Permanent: librdkafka 2.12 reports `UnknownTopic` only when a topic stayed absent for
    // `topic.metadata.propagation.max.ms` (1 s here), so a topic that was just created is not affected.
    class(
        Permanent,
        FailureCode::UnknownTopic,
        "the topic does not exist, and the broker did not create it; `herald topics apply --yes` \
         creates the topics of contracts",
        &[ErrorCode::UnknownTopic, ErrorCode::UnknownTopicOrPartition],
    ),
    class(
        Permanent,
        FailureCode::NotAuthorized,
        "the user may not do this: an ACL is missing",
        &[
            ErrorCode::TopicAuthorizationFailed,
            ErrorCode::ClusterAuthorizationFailed,
            ErrorCode::GroupAuthorizationFailed,
            ErrorCode::TransactionalIdAuthorizationFailed,
            ErrorCode::DelegationTokenAuthorizationFailed,
            ErrorCode::SecurityDisabled,
        ],
    ),
    class(
        Permanent,
        FailureCode::InvalidRecord,
        "the broker does not accept such a record on this topic",
        &[ErrorCode::InvalidRecord],
    ),
    class(
        Permanent,
        FailureCode::InvalidTimestamp,
        "the time of the event is too far from the broker's clock",
        &[ErrorCode::InvalidTimestamp],
    ),
    class(
        Permanent,
        FailureCode::PolicyViolation,
        "a policy of the cluster forbids it",
        &[ErrorCode::PolicyViolation],
    ),
    class(
        Permanent,
        FailureCode::Unsupported,
        "the broker does not support this",
        &[
            ErrorCode::UnsupportedVersion,
            ErrorCode::UnsupportedForMessageFormat,
            ErrorCode::UnsupportedCompressionType,
            ErrorCode::UnsupportedFeature,
            ErrorCode::UnsupportedSaslMechanism,
            ErrorCode::NotImplemented,
            ErrorCode::UnknownProtocol,
        ],
    ),
    class(
        Permanent,
        FailureCode::InvalidRequest,
        "the broker does not accept this request",
        &[
            ErrorCode::InvalidRequest,
            ErrorCode::InvalidRequiredAcks,
            ErrorCode::InvalidArgument,
            ErrorCode::InvalidType,
        ],
    ),
    class(
        Permanent,
        FailureCode::InvalidTopicSettings,
        "the broker does not accept a topic with these settings",
        &[
            ErrorCode::InvalidConfig,
            ErrorCode::InvalidPartitions,
            ErrorCode::InvalidReplicationFactor,
            ErrorCode::InvalidReplicaAssignment,
        ],
    ),
    class(
        Permanent,
        FailureCode::TopicExists,
        "a topic of this name exists already",
        &[ErrorCode::TopicAlreadyExists],
    ),
    // Fatal: an idempotent producer that may have lost or reordered a message accepts no further one
    // (`rd_kafka_produce` fails from then on), so only a new producer, with a new id, can continue.
    class(
        Fatal,
        FailureCode::SequenceLost,
        "the broker and the connection disagree about what was written",
        &[
            ErrorCode::OutOfOrderSequenceNumber,
            ErrorCode::UnknownProducerId,
            ErrorCode::InvalidProducerIdMapping,
            ErrorCode::Inconsistent,
        ],
    ),
    class(
        Fatal,
        FailureCode::Fenced,
        "another producer took the place of this one",
        &[
            ErrorCode::InvalidProducerEpoch,
            ErrorCode::ProducerFenced,
            ErrorCode::Fenced,
        ],
    ),
    class(
        Fatal,
        FailureCode::BatchRefused,
        "the broker refused a batch of messages",
        &[
            ErrorCode::GaplessGuarantee,
            ErrorCode::InvalidDifferentRecord,
        ],
    ),
    class(
        Fatal,
        FailureCode::ConnectionBroken,
        "the connection can't be used any more",
        &[ErrorCode::Fatal],
    ),
    class(
        Full,
        FailureCode::QueueFull,
        "librdkafka's queue is full",
        &[ErrorCode::QueueFull],
    ),
    class(
        Abandoned,
        FailureCode::Abandoned,
        "the connection was closed before an acknowledgement came",
        &[
            ErrorCode::PurgeQueue,
            ErrorCode::PurgeInflight,
            ErrorCode::BrokerDestroy,
            ErrorCode::DestroyBroker,
        ],
    ),
    class(
        Retriable,
        FailureCode::Unreachable,
        "no broker can be reached",
        &[
            ErrorCode::BrokerTransportFailure,
            ErrorCode::AllBrokersDown,
            ErrorCode::Resolve,
            ErrorCode::BrokerNotAvailable,
            ErrorCode::NetworkException,
            ErrorCode::UnknownBroker,
        ],
    ),
    // Retriable: somebody corrects the password or the ACL on the broker, or rotates the secret, which
    // is read again for each connection. The events wait in the spool until then.
    class(
        Retriable,
        FailureCode::AuthenticationFailed,
        "the login failed",
        &[
            ErrorCode::Authentication,
            ErrorCode::SaslAuthenticationFailed,
            ErrorCode::IllegalSaslState,
        ],
    ),
    class(
        Retriable,
        FailureCode::TlsFailed,
        "no secure connection could be made",
        &[ErrorCode::Ssl],
    ),
    class(
        Retriable,
        FailureCode::TimedOut,
        "no answer came in time",
        &[
            ErrorCode::MessageTimedOut,
            ErrorCode::OperationTimedOut,
            ErrorCode::TimedOutQueue,
            ErrorCode::RequestTimedOut,
        ],
    ),
    class(
        Retriable,
        FailureCode::NoLeader,
        "the partition has no leader at the moment",
        &[
            ErrorCode::LeaderNotAvailable,
            ErrorCode::NotLeaderOrFollower,
            ErrorCode::FencedLeaderEpoch,
            ErrorCode::UnknownLeaderEpoch,
            ErrorCode::UnknownPartition,
            ErrorCode::UnknownTopicId,
        ],
    ),
    class(
        Retriable,
        FailureCode::TooFewReplicas,
        "fewer replicas are in sync than the topic demands",
        &[
            ErrorCode::NotEnoughReplicas,
            ErrorCode::NotEnoughReplicasAfterAppend,
            ErrorCode::ISRInsufficient,
            ErrorCode::ReplicaNotAvailable,
        ],
    ),
    class(
        Retriable,
        FailureCode::StorageFailed,
        "the broker's disk failed",
        &[ErrorCode::KafkaStorageError, ErrorCode::LogDirNotFound],
    ),
    class(
        Retriable,
        FailureCode::Throttled,
        "the quota of the cluster is used up",
        &[ErrorCode::ThrottlingQuotaExceeded],
    ),
];

const OTHER: Class = class(
    Retriable,
    FailureCode::KafkaError,
    "Kafka reports an error",
    &[],
);

fn class_of(error: ErrorCode) -> &'static Class {
    CLASSES
        .iter()
        .find(|class| class.errors.contains(&error))
        .unwrap_or(&OTHER)
}

/// Converts an error `about` a topic or an address to a failure.
pub(super) fn failure(error: ErrorCode, about: &str) -> Failure {
    let Class {
        kind, code, words, ..
    } = class_of(error);
    Failure::new(*kind, *code, format!("{about}: {words} [{error}]"))
}

/// Converts an error of a connection. librdkafka reports a failed handshake of TLS as a lost connection,
/// depending on which thread notices it first; then only its text, or that of OpenSSL, tells.
pub(super) fn connection_failure(error: ErrorCode, reason: &str) -> Failure {
    let is_tls = ["SSL handshake failed", ":SSL routines:"]
        .iter()
        .any(|words| reason.contains(words));
    match error {
        ErrorCode::BrokerTransportFailure if is_tls => failure(ErrorCode::Ssl, reason),
        _ => failure(error, reason),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    fn kind(error: ErrorCode) -> FailureKind {
        class_of(error).kind
    }

    #[test]
    fn every_error_has_exactly_one_class() {
        let mut seen = HashSet::new();
        for class in CLASSES {
            for error in class.errors {
                assert!(seen.insert(*error), "{error} stands in two rows");
            }
        }
        for (_, error) in ErrorCode::ALL {
            assert!(seen.contains(error) || *error == ErrorCode::Fail, "{error}");
            let failure = failure(*error, "orders");
            assert_eq!(failure.kind, kind(*error), "{error}");
            assert!(
                failure.detail.starts_with("orders: ")
                    && failure.detail.ends_with(&format!("[{error}]")),
                "{failure}"
            );
        }
        assert_eq!(kind(ErrorCode::Other(15)), Retriable);
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
        let permanent: BTreeMap<_, _> = ErrorCode::ALL
            .iter()
            .filter(|(_, error)| kind(*error) == Permanent)
            .map(|(number, error)| (*number, failure(*error, "").code))
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
        for error in [ErrorCode::PurgeQueue, ErrorCode::PurgeInflight] {
            assert_eq!(kind(error), Abandoned);
        }
        assert_eq!(kind(ErrorCode::QueueFull), Full);
        assert_eq!(kind(ErrorCode::Fatal), Fatal);
    }
}
