//! Meaning of the error codes of Kafka's answers to a batch.

use kafka_protocol::error::ResponseError;

/// Consequence of an error for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Sent again as it is.
    Again,
    /// Sent again, maybe to another leader.
    AgainElsewhere,
    /// Broker and producer disagree about what was written before.
    OutOfSequence,
    /// One of its records is to blame, or its size.
    Batch,
    /// Nothing may be written to the topic.
    Topic,
}

/// Returns the consequence of an error code; codes that are not known yet are sent again.
pub(crate) fn of(code: i16) -> Verdict {
    let Some(error) = ResponseError::try_from_code(code) else {
        return Verdict::Again;
    };
    match error {
        ResponseError::UnknownTopicOrPartition
        | ResponseError::LeaderNotAvailable
        | ResponseError::NotLeaderOrFollower
        | ResponseError::ReplicaNotAvailable
        | ResponseError::KafkaStorageError
        | ResponseError::FencedLeaderEpoch
        | ResponseError::UnknownLeaderEpoch
        | ResponseError::UnknownTopicId => Verdict::AgainElsewhere,
        ResponseError::OutOfOrderSequenceNumber
        | ResponseError::DuplicateSequenceNumber
        | ResponseError::InvalidProducerEpoch
        | ResponseError::ProducerFenced
        | ResponseError::UnknownProducerId => Verdict::OutOfSequence,
        ResponseError::MessageTooLarge
        | ResponseError::RecordListTooLarge
        | ResponseError::InvalidTimestamp
        | ResponseError::InvalidRecord
        | ResponseError::InvalidRequest
        | ResponseError::InvalidRequiredAcks
        | ResponseError::UnsupportedVersion
        | ResponseError::UnsupportedForMessageFormat
        | ResponseError::UnsupportedCompressionType
        | ResponseError::PolicyViolation => Verdict::Batch,
        ResponseError::TopicAuthorizationFailed
        | ResponseError::ClusterAuthorizationFailed
        | ResponseError::InvalidTopicException => Verdict::Topic,
        _ => Verdict::Again,
    }
}
