//! Errors of librdkafka.

use rdkafka::error::KafkaError;

use crate::failure::{Failure, FailureCode, FailureKind};
use crate::kafka::classify;
use crate::kafka::error_code::ErrorCode;

/// Returns the code of an error; `None` if it comes from wrong use or from settings.
pub(super) fn error_code(error: &KafkaError) -> Option<ErrorCode> {
    error.rdkafka_error_code().map(code)
}

/// Converts a code of rdkafka.
pub(super) fn code(code: rdkafka::types::RDKafkaErrorCode) -> ErrorCode {
    ErrorCode::from(code as i32)
}

/// Converts an error to a failure.
pub(super) fn failure_of(error: &KafkaError, about: &str) -> Failure {
    match error_code(error) {
        Some(code) => classify::failure(code, about),
        None => Failure::new(
            FailureKind::Permanent,
            FailureCode::InvalidRequest,
            format!("{about}: {error}"),
        ),
    }
}

/// Returns whether a broker reports this error for a whole batch although a single message in it is
/// the cause.
pub(super) fn is_batch_verdict(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::MessageTooLarge
            | ErrorCode::RecordListTooLarge
            | ErrorCode::InvalidFetchSize
            | ErrorCode::InvalidRecord
            | ErrorCode::InvalidTimestamp
            | ErrorCode::InvalidDifferentRecord
    )
}

/// Returns whether the error is about the topic as a whole: it does not exist, or may not be
/// written.
pub(super) fn is_topic_verdict(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::UnknownTopic
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::TopicAuthorizationFailed
    )
}

#[cfg(test)]
mod tests {
    use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

    use super::*;

    #[test]
    fn codes_of_clients_have_their_names() {
        for (number, named) in ErrorCode::ALL.iter().filter(|(number, _)| *number < 0) {
            let theirs = RDKafkaErrorCode::from(RDKafkaRespErr::try_from(*number).unwrap());
            assert_eq!(code(theirs), *named);
            assert!(format!("{theirs:?}").eq_ignore_ascii_case(&named.to_string()));
        }
    }
}
