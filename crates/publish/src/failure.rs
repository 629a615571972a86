//! Failures of a transport.

use std::fmt;

/// Consequence of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Transient: the message may be delivered later.
    Retriable,
    /// Permanent: the message fails whenever it is tried, and becomes a dead letter.
    Permanent,
    /// The connection is broken for good; a new one may deliver the message.
    Fatal,
    /// The transport's queue has no room for more messages at the moment.
    Full,
    /// The connection was closed before the message was acknowledged.
    Abandoned,
}

/// Cause of a failure: what logs, metrics and the headers of dead letters show. The names are the
/// same in all versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureCode {
    /// The connection was closed before an acknowledgement came.
    Abandoned,
    /// The login failed: a broker does not accept the credentials, or there is no token.
    AuthenticationFailed,
    /// The broker refused a whole batch of messages.
    BatchRefused,
    /// An earlier message of the same topic and key failed.
    BehindFailed,
    /// Too many earlier messages wait for the cluster.
    Busy,
    /// The connection is closed.
    Closed,
    /// The configuration of a topic could not be read, so it was not changed.
    ConfigUnreadable,
    /// The connection can't be used any more.
    ConnectionBroken,
    /// The development cluster could not do what was asked.
    DevCluster,
    /// Another producer took the place of this one.
    Fenced,
    /// Kafka does not accept a name or a value of a topic's configuration.
    InvalidConfig,
    /// Kafka does not accept this number of partitions.
    InvalidPartitions,
    /// librdkafka does not accept a property.
    InvalidProperty,
    /// The broker does not accept such a record on this topic.
    InvalidRecord,
    /// There are fewer brokers than replicas.
    InvalidReplicationFactor,
    /// The broker does not accept the request.
    InvalidRequest,
    /// The time of the event is too far from the broker's clock.
    InvalidTimestamp,
    /// The name of the topic is not valid.
    InvalidTopic,
    /// The broker does not accept a topic with these settings.
    InvalidTopicSettings,
    /// Any other error of Kafka.
    KafkaError,
    /// A secret is not where it was said to be.
    MissingSecret,
    /// Nothing was acknowledged within the deadline.
    NoAcknowledgement,
    /// The partition has no leader at the moment.
    NoLeader,
    /// The write-ahead mode needs a spool.
    NoSpool,
    /// The system could not start a thread.
    NoThread,
    /// The user lacks the right to do this.
    NotAuthorized,
    /// There is no connection to the cluster at the moment.
    NotConnected,
    /// A topic can't be read.
    NotReadable,
    /// A policy of the cluster forbids it.
    PolicyViolation,
    /// The offsets of a topic are not known.
    PositionsUnknown,
    /// librdkafka's queue is full.
    QueueFull,
    /// The broker did not say what became of the request.
    Refused,
    /// A property would break a delivery guarantee.
    RefusedProperty,
    /// Kafka keeps a value of the configuration secret.
    SecretConfig,
    /// Broker and producer disagree about what was written.
    SequenceLost,
    /// The broker's disk failed.
    StorageFailed,
    /// The quota of the cluster is used up.
    Throttled,
    /// No answer came in time.
    TimedOut,
    /// No TLS connection could be made.
    TlsFailed,
    /// Fewer replicas are in sync than the topic requires.
    TooFewReplicas,
    /// The message is larger than the cluster or the client allows.
    TooLarge,
    /// A topic of this name exists already.
    TopicExists,
    /// The cluster confirmed a change that it did not make.
    Unchanged,
    /// The acknowledgement does not say where the message was written.
    Unconfirmed,
    /// The topic does not exist.
    UnknownTopic,
    /// No broker can be reached.
    Unreachable,
    /// The broker does not support this.
    Unsupported,
}

impl FailureCode {
    /// Returns the name, such as `too_large`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::AuthenticationFailed => "authentication_failed",
            Self::BatchRefused => "batch_refused",
            Self::BehindFailed => "behind_failed",
            Self::Busy => "busy",
            Self::Closed => "closed",
            Self::ConfigUnreadable => "config_unreadable",
            Self::ConnectionBroken => "connection_broken",
            Self::DevCluster => "dev_cluster",
            Self::Fenced => "fenced",
            Self::InvalidConfig => "invalid_config",
            Self::InvalidPartitions => "invalid_partitions",
            Self::InvalidProperty => "invalid_property",
            Self::InvalidRecord => "invalid_record",
            Self::InvalidReplicationFactor => "invalid_replication_factor",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::InvalidTopic => "invalid_topic",
            Self::InvalidTopicSettings => "invalid_topic_settings",
            Self::KafkaError => "kafka_error",
            Self::MissingSecret => "missing_secret",
            Self::NoAcknowledgement => "no_acknowledgement",
            Self::NoLeader => "no_leader",
            Self::NoSpool => "no_spool",
            Self::NoThread => "no_thread",
            Self::NotAuthorized => "not_authorized",
            Self::NotConnected => "not_connected",
            Self::NotReadable => "not_readable",
            Self::PolicyViolation => "policy_violation",
            Self::PositionsUnknown => "positions_unknown",
            Self::QueueFull => "queue_full",
            Self::Refused => "refused",
            Self::RefusedProperty => "refused_property",
            Self::SecretConfig => "secret_config",
            Self::SequenceLost => "sequence_lost",
            Self::StorageFailed => "storage_failed",
            Self::Throttled => "throttled",
            Self::TimedOut => "timed_out",
            Self::TlsFailed => "tls_failed",
            Self::TooFewReplicas => "too_few_replicas",
            Self::TooLarge => "too_large",
            Self::TopicExists => "topic_exists",
            Self::Unchanged => "unchanged",
            Self::Unconfirmed => "unconfirmed",
            Self::UnknownTopic => "unknown_topic",
            Self::Unreachable => "unreachable",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Failure of a transport: its consequence, its cause, and a description for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({code})")]
pub struct Failure {
    /// Consequence.
    pub kind: FailureKind,
    /// Cause.
    pub code: FailureCode,
    /// Description without payloads, keys and secrets.
    pub detail: String,
}

impl Failure {
    /// Creates a failure.
    pub fn new(kind: FailureKind, code: FailureCode, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
        }
    }

    /// Creates the failure of a property of the client that can't be used. The detail has no secret.
    #[cfg(feature = "kafka")]
    pub(crate) fn invalid_property(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Permanent, FailureCode::InvalidProperty, detail)
    }
}
