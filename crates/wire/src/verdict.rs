//! Names of the [error codes](https://kafka.apache.org/protocol.html#protocol_error_codes) in Kafka's
//! answers, and their meaning for a batch.

use std::borrow::Cow;

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

/// Error codes by their consequence, with their names in the protocol. Code 0 means success.
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
    (-1, "UnknownServerError", Verdict::Again),
    (1, "OffsetOutOfRange", Verdict::Again),
    (2, "CorruptMessage", Verdict::Again),
    (4, "InvalidFetchSize", Verdict::Again),
    (7, "RequestTimedOut", Verdict::Again),
    (8, "BrokerNotAvailable", Verdict::Again),
    (11, "StaleControllerEpoch", Verdict::Again),
    (12, "OffsetMetadataTooLarge", Verdict::Again),
    (13, "NetworkException", Verdict::Again),
    (14, "CoordinatorLoadInProgress", Verdict::Again),
    (15, "CoordinatorNotAvailable", Verdict::Again),
    (16, "NotCoordinator", Verdict::Again),
    (19, "NotEnoughReplicas", Verdict::Again),
    (20, "NotEnoughReplicasAfterAppend", Verdict::Again),
    (22, "IllegalGeneration", Verdict::Again),
    (23, "InconsistentGroupProtocol", Verdict::Again),
    (24, "InvalidGroupId", Verdict::Again),
    (25, "UnknownMemberId", Verdict::Again),
    (26, "InvalidSessionTimeout", Verdict::Again),
    (27, "RebalanceInProgress", Verdict::Again),
    (28, "InvalidCommitOffsetSize", Verdict::Again),
    (30, "GroupAuthorizationFailed", Verdict::Again),
    (33, "UnsupportedSaslMechanism", Verdict::Again),
    (34, "IllegalSaslState", Verdict::Again),
    (36, "TopicAlreadyExists", Verdict::Again),
    (37, "InvalidPartitions", Verdict::Again),
    (38, "InvalidReplicationFactor", Verdict::Again),
    (39, "InvalidReplicaAssignment", Verdict::Again),
    (40, "InvalidConfig", Verdict::Again),
    (41, "NotController", Verdict::Again),
    (48, "InvalidTxnState", Verdict::Again),
    (49, "InvalidProducerIdMapping", Verdict::Again),
    (50, "InvalidTransactionTimeout", Verdict::Again),
    (51, "ConcurrentTransactions", Verdict::Again),
    (52, "TransactionCoordinatorFenced", Verdict::Again),
    (53, "TransactionalIdAuthorizationFailed", Verdict::Again),
    (54, "SecurityDisabled", Verdict::Again),
    (55, "OperationNotAttempted", Verdict::Again),
    (57, "LogDirNotFound", Verdict::Again),
    (58, "SaslAuthenticationFailed", Verdict::Again),
    (60, "ReassignmentInProgress", Verdict::Again),
    (61, "DelegationTokenAuthDisabled", Verdict::Again),
    (62, "DelegationTokenNotFound", Verdict::Again),
    (63, "DelegationTokenOwnerMismatch", Verdict::Again),
    (64, "DelegationTokenRequestNotAllowed", Verdict::Again),
    (65, "DelegationTokenAuthorizationFailed", Verdict::Again),
    (66, "DelegationTokenExpired", Verdict::Again),
    (67, "InvalidPrincipalType", Verdict::Again),
    (68, "NonEmptyGroup", Verdict::Again),
    (69, "GroupIdNotFound", Verdict::Again),
    (70, "FetchSessionIdNotFound", Verdict::Again),
    (71, "InvalidFetchSessionEpoch", Verdict::Again),
    (72, "ListenerNotFound", Verdict::Again),
    (73, "TopicDeletionDisabled", Verdict::Again),
    (77, "StaleBrokerEpoch", Verdict::Again),
    (78, "OffsetNotAvailable", Verdict::Again),
    (79, "MemberIdRequired", Verdict::Again),
    (80, "PreferredLeaderNotAvailable", Verdict::Again),
    (81, "GroupMaxSizeReached", Verdict::Again),
    (82, "FencedInstanceId", Verdict::Again),
    (83, "EligibleLeadersNotAvailable", Verdict::Again),
    (84, "ElectionNotNeeded", Verdict::Again),
    (85, "NoReassignmentInProgress", Verdict::Again),
    (86, "GroupSubscribedToTopic", Verdict::Again),
    (88, "UnstableOffsetCommit", Verdict::Again),
    (89, "ThrottlingQuotaExceeded", Verdict::Again),
    (91, "ResourceNotFound", Verdict::Again),
    (92, "DuplicateResource", Verdict::Again),
    (93, "UnacceptableCredential", Verdict::Again),
    (94, "InconsistentVoterSet", Verdict::Again),
    (95, "InvalidUpdateVersion", Verdict::Again),
    (96, "FeatureUpdateFailed", Verdict::Again),
    (97, "PrincipalDeserializationFailure", Verdict::Again),
    (98, "SnapshotNotFound", Verdict::Again),
    (99, "PositionOutOfRange", Verdict::Again),
    (101, "DuplicateBrokerRegistration", Verdict::Again),
    (102, "BrokerIdNotRegistered", Verdict::Again),
    (103, "InconsistentTopicId", Verdict::Again),
    (104, "InconsistentClusterId", Verdict::Again),
    (105, "TransactionalIdNotFound", Verdict::Again),
    (106, "FetchSessionTopicIdError", Verdict::Again),
    (107, "IneligibleReplica", Verdict::Again),
    (108, "NewLeaderElected", Verdict::Again),
    (109, "OffsetMovedToTieredStorage", Verdict::Again),
    (110, "FencedMemberEpoch", Verdict::Again),
    (111, "UnreleasedInstanceId", Verdict::Again),
    (112, "UnsupportedAssignor", Verdict::Again),
    (113, "StaleMemberEpoch", Verdict::Again),
    (114, "MismatchedEndpointType", Verdict::Again),
    (115, "UnsupportedEndpointType", Verdict::Again),
    (116, "UnknownControllerId", Verdict::Again),
    (117, "UnknownSubscriptionId", Verdict::Again),
    (118, "TelemetryTooLarge", Verdict::Again),
    (119, "InvalidRegistration", Verdict::Again),
    (120, "TransactionAbortable", Verdict::Again),
    (121, "InvalidRecordState", Verdict::Again),
    (122, "ShareSessionNotFound", Verdict::Again),
    (123, "InvalidShareSessionEpoch", Verdict::Again),
    (124, "FencedStateEpoch", Verdict::Again),
    (125, "InvalidVoterKey", Verdict::Again),
    (126, "DuplicateVoter", Verdict::Again),
    (127, "VoterNotFound", Verdict::Again),
    (128, "InvalidRegularExpression", Verdict::Again),
    (129, "RebootstrapRequired", Verdict::Again),
    (130, "StreamsInvalidTopology", Verdict::Again),
    (131, "StreamsInvalidTopologyEpoch", Verdict::Again),
    (132, "StreamsTopologyFenced", Verdict::Again),
    (133, "ShareSessionLimitReached", Verdict::Again),
];

/// Returns the consequence of an error code; one that is not listed is sent again.
pub(crate) fn of(code: i16) -> Verdict {
    let listed = VERDICTS.iter().find(|(listed, ..)| *listed == code);
    listed.map_or(Verdict::Again, |(.., verdict)| *verdict)
}

/// Returns the name of an error code, or `error 999` for one that the protocol did not have in Kafka 4.
pub fn error_name(code: i16) -> Cow<'static, str> {
    let listed = VERDICTS.iter().find(|(listed, ..)| *listed == code);
    listed.map_or_else(
        || format!("error {code}").into(),
        |(_, name, _)| (*name).into(),
    )
}

#[cfg(test)]
mod tests {
    use kafka_protocol::error::ResponseError;

    use super::*;

    #[test]
    fn codes_have_the_names_of_the_protocol() {
        for (code, name, _) in VERDICTS.iter().filter(|(code, ..)| *code > 0) {
            let error = ResponseError::try_from_code(*code).unwrap();
            assert_eq!(format!("{error:?}"), *name);
        }
    }

    #[test]
    fn every_code_has_one_name() {
        for code in 1..200 {
            let error = ResponseError::try_from_code(code).unwrap();
            let name = match error {
                ResponseError::Unknown(code) => format!("error {code}"),
                known => format!("{known:?}"),
            };
            assert_eq!(error_name(code), name);
            assert!(
                VERDICTS
                    .iter()
                    .filter(|(listed, ..)| *listed == code)
                    .count()
                    <= 1
            );
        }
        assert_eq!(error_name(-1), "UnknownServerError");
    }
}
