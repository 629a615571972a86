//! Codes of errors: those of brokers, and those of clients.

use std::fmt;

macro_rules! error_codes {
    ($($name:ident = $number:literal,)*) => {
        /// Error of a broker, by its number and name in the
        /// [protocol](https://kafka.apache.org/protocol.html#protocol_error_codes), or of a client, by the
        /// number below 0 that librdkafka gives it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum ErrorCode {
            $($name,)*
            /// One that has no consequence of its own.
            Other(i32),
        }

        impl From<i32> for ErrorCode {
            fn from(number: i32) -> Self {
                match number {
                    $($number => Self::$name,)*
                    other => Self::Other(other),
                }
            }
        }

        /// Converts the code in an answer of a broker.
        impl From<i16> for ErrorCode {
            fn from(number: i16) -> Self {
                Self::from(i32::from(number))
            }
        }

        #[cfg(test)]
        impl ErrorCode {
            /// All but [`ErrorCode::Other`].
            pub(super) const ALL: &[(i32, Self)] = &[$(($number, Self::$name),)*];
        }
    };
}

error_codes! {
    UnknownTopicOrPartition = 3,
    InvalidFetchSize = 4,
    LeaderNotAvailable = 5,
    NotLeaderOrFollower = 6,
    RequestTimedOut = 7,
    BrokerNotAvailable = 8,
    ReplicaNotAvailable = 9,
    MessageTooLarge = 10,
    NetworkException = 13,
    InvalidTopicException = 17,
    RecordListTooLarge = 18,
    NotEnoughReplicas = 19,
    NotEnoughReplicasAfterAppend = 20,
    InvalidRequiredAcks = 21,
    TopicAuthorizationFailed = 29,
    GroupAuthorizationFailed = 30,
    ClusterAuthorizationFailed = 31,
    InvalidTimestamp = 32,
    UnsupportedSaslMechanism = 33,
    IllegalSaslState = 34,
    UnsupportedVersion = 35,
    TopicAlreadyExists = 36,
    InvalidPartitions = 37,
    InvalidReplicationFactor = 38,
    InvalidReplicaAssignment = 39,
    InvalidConfig = 40,
    InvalidRequest = 42,
    UnsupportedForMessageFormat = 43,
    PolicyViolation = 44,
    OutOfOrderSequenceNumber = 45,
    InvalidProducerEpoch = 47,
    InvalidProducerIdMapping = 49,
    TransactionalIdAuthorizationFailed = 53,
    SecurityDisabled = 54,
    KafkaStorageError = 56,
    LogDirNotFound = 57,
    SaslAuthenticationFailed = 58,
    UnknownProducerId = 59,
    DelegationTokenAuthorizationFailed = 65,
    FencedLeaderEpoch = 74,
    UnknownLeaderEpoch = 75,
    UnsupportedCompressionType = 76,
    InvalidRecord = 87,
    ThrottlingQuotaExceeded = 89,
    ProducerFenced = 90,
    UnknownTopicId = 100,
    DestroyBroker = -137,
    InvalidDifferentRecord = -138,
    Fenced = -144,
    UnknownBroker = -146,
    GaplessGuarantee = -148,
    Inconsistent = -149,
    Fatal = -150,
    PurgeInflight = -151,
    PurgeQueue = -152,
    InvalidType = -154,
    UnsupportedFeature = -165,
    TimedOutQueue = -166,
    Authentication = -169,
    NotImplemented = -170,
    UnknownProtocol = -171,
    Ssl = -181,
    ISRInsufficient = -183,
    QueueFull = -184,
    OperationTimedOut = -185,
    InvalidArgument = -186,
    AllBrokersDown = -187,
    UnknownTopic = -188,
    UnknownPartition = -190,
    MessageTimedOut = -192,
    Resolve = -193,
    BrokerTransportFailure = -195,
    Fail = -196,
    BrokerDestroy = -197,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(number) => match i16::try_from(*number) {
                Ok(code) => f.write_str(&herald_wire::error_name(code)),
                Err(_) => write!(f, "error {number}"),
            },
            named => fmt::Debug::fmt(named, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::error::ResponseError;

    use super::*;

    #[test]
    fn codes_without_a_consequence_have_names_too() {
        let name = |code: i16| ErrorCode::from(code).to_string();
        assert_eq!(name(15), "CoordinatorNotAvailable");
        assert_eq!(name(999), "error 999");
        assert_eq!(ErrorCode::from(-100_000).to_string(), "error -100000");
    }

    #[test]
    fn codes_of_brokers_have_the_names_of_the_protocol() {
        for (number, code) in ErrorCode::ALL {
            assert_eq!(ErrorCode::from(*number), *code);
            if let Ok(number) = i16::try_from(*number)
                && number > 0
            {
                let error = ResponseError::try_from_code(number).unwrap();
                assert_eq!(format!("{error:?}"), code.to_string());
            }
        }
    }
}
