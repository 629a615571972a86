//! Meaning of the [error codes](https://kafka.apache.org/protocol.html#protocol_error_codes) of
//! Kafka's answers to a batch.

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

/// Error codes by their consequence, with their names in the protocol.
const VERDICTS: &[(i16, &str, Verdict)] = &[
    (3, "UnknownTopicOrPartition", Verdict::AgainElsewhere),
    (5, "LeaderNotAvailable", Verdict::AgainElsewhere),
    (6, "NotLeaderOrFollower", Verdict::AgainElsewhere),
    (9, "ReplicaNotAvailable", Verdict::AgainElsewhere),
    (56, "KafkaStorageError", Verdict::AgainElsewhere),
    (74, "FencedLeaderEpoch", Verdict::AgainElsewhere),
    (75, "UnknownLeaderEpoch", Verdict::AgainElsewhere),
    (100, "UnknownTopicId", Verdict::AgainElsewhere),
    (45, "OutOfOrderSequenceNumber", Verdict::OutOfSequence),
    (46, "DuplicateSequenceNumber", Verdict::OutOfSequence),
    (47, "InvalidProducerEpoch", Verdict::OutOfSequence),
    (59, "UnknownProducerId", Verdict::OutOfSequence),
    (90, "ProducerFenced", Verdict::OutOfSequence),
    (10, "MessageTooLarge", Verdict::Batch),
    (18, "RecordListTooLarge", Verdict::Batch),
    (21, "InvalidRequiredAcks", Verdict::Batch),
    (32, "InvalidTimestamp", Verdict::Batch),
    (35, "UnsupportedVersion", Verdict::Batch),
    (42, "InvalidRequest", Verdict::Batch),
    (43, "UnsupportedForMessageFormat", Verdict::Batch),
    (44, "PolicyViolation", Verdict::Batch),
    (76, "UnsupportedCompressionType", Verdict::Batch),
    (87, "InvalidRecord", Verdict::Batch),
    (17, "InvalidTopicException", Verdict::Topic),
    (29, "TopicAuthorizationFailed", Verdict::Topic),
    (31, "ClusterAuthorizationFailed", Verdict::Topic),
];

/// Returns the consequence of an error code; one that is not listed is sent again.
pub(crate) fn of(code: i16) -> Verdict {
    let listed = VERDICTS.iter().find(|(listed, ..)| *listed == code);
    listed.map_or(Verdict::Again, |(.., verdict)| *verdict)
}

#[cfg(test)]
mod tests {
    use kafka_protocol::error::ResponseError;

    use super::*;

    #[test]
    fn codes_have_the_names_of_the_protocol() {
        for (code, name, _) in VERDICTS {
            let error = ResponseError::try_from_code(*code).unwrap();
            assert_eq!(format!("{error:?}"), *name);
        }
    }
}
