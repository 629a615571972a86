//! Dead letters: the messages that the cluster refuses for good.

use std::time::SystemTime;

use herald_envelope::{Timestamp, topic};

use crate::failure::Failure;
use crate::message::Message;

/// Added to a topic's name for its dead letters.
pub const TOPIC_SUFFIX: &str = ".dlq";

/// Code of the failure, such as `too_large`.
pub const REASON_HEADER: &str = "dlq_reason";
/// What the cluster said.
pub const ERROR_HEADER: &str = "dlq_error";
/// The topic that the event was for.
pub const ORIGINAL_TOPIC_HEADER: &str = "dlq_original_topic";
/// How many times it was tried, in decimal digits.
pub const ATTEMPTS_HEADER: &str = "dlq_attempts";
/// When it was given up: RFC 3339, UTC.
pub const TIME_HEADER: &str = "dlq_time";

/// The dead letter of a message: its key, its bytes and its headers, and five headers more that
/// say why, on the topic `{topic}.dlq`. `None` where Kafka takes no topic of that name.
pub(crate) fn of(
    message: &Message,
    failure: &Failure,
    attempts: u32,
    now: SystemTime,
) -> Option<Message> {
    let name = format!("{}{TOPIC_SUFFIX}", message.topic());
    topic::validate(&name).ok()?;
    let time = Timestamp::try_from(now).map_or_else(|_| String::new(), |time| time.to_string());
    let letter = message
        .on_topic(&name)
        .with_header(REASON_HEADER, failure.code.as_str())
        .with_header(ERROR_HEADER, &failure.detail)
        .with_header(ORIGINAL_TOPIC_HEADER, message.topic())
        .with_header(ATTEMPTS_HEADER, attempts.to_string())
        .with_header(TIME_HEADER, time);
    Some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{FailureCode, FailureKind};

    #[test]
    fn a_dead_letter_says_what_happened_and_keeps_the_event() {
        let message = Message::new("orders", Some(b"k"), b"{}".to_vec())
            .unwrap()
            .with_header("event_id", "7");
        let failure = Failure::new(FailureKind::Permanent, FailureCode::TooLarge, "it is 2 MB");
        let letter = of(&message, &failure, 3, SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(letter.topic(), "orders.dlq");
        assert_eq!(letter.key(), message.key());
        assert_eq!(letter.payload(), message.payload());
        let headers: Vec<_> = letter
            .headers()
            .map(|(name, value)| (name, std::str::from_utf8(value).unwrap()))
            .collect();
        assert_eq!(
            headers,
            [
                ("event_id", "7"),
                ("dlq_reason", "too_large"),
                ("dlq_error", "it is 2 MB"),
                ("dlq_original_topic", "orders"),
                ("dlq_attempts", "3"),
                ("dlq_time", "1970-01-01T00:00:00Z"),
            ]
        );
    }

    #[test]
    fn a_name_that_would_be_too_long_has_no_dead_letter_topic() {
        let message = Message::new(&"t".repeat(246), None, Vec::new()).unwrap();
        let failure = Failure::new(FailureKind::Permanent, FailureCode::TooLarge, "");
        assert!(of(&message, &failure, 1, SystemTime::UNIX_EPOCH).is_none());
    }
}
