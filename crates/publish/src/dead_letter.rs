//! Dead letters: messages that the cluster rejected permanently.

use std::time::SystemTime;

use herald_envelope::{Profile, Received, Timestamp, topic};

use crate::failure::Failure;
use crate::message::Message;

/// Suffix of dead letter topics of the default envelope profile.
pub const TOPIC_SUFFIX: &str = ".dlq";

/// Header with the code of the failure, such as `too_large`.
pub const REASON_HEADER: &str = "dlq_reason";
/// Header with the description of the failure.
pub const ERROR_HEADER: &str = "dlq_error";
/// Header with the topic of the event.
pub const ORIGINAL_TOPIC_HEADER: &str = "dlq_original_topic";
/// Header with the number of attempts, in decimal digits.
pub const ATTEMPTS_HEADER: &str = "dlq_attempts";
/// Header with the time at which it became a dead letter: RFC 3339, UTC.
pub const TIME_HEADER: &str = "dlq_time";

/// Returns the dead letter of a message: its key, payload and headers, and five more headers with
/// the reason, on the topic that its envelope profile derives, such as `{topic}.dlq`. It is created
/// now: the time of the event may be what the cluster refuses. `None` if that is not a valid topic.
pub(crate) fn of(
    message: &Message,
    failure: &Failure,
    attempts: u32,
    now: SystemTime,
) -> Option<Message> {
    let headers: Vec<_> = message.headers().collect();
    let received = Received {
        headers: &headers,
        ..Received::of_value(message.payload())
    };
    let name = Profile::of_record(&received).dead_letter_topic(message.topic());
    topic::validate(&name).ok()?;
    let time = Timestamp::try_from(now).map_or_else(|_| String::new(), |time| time.to_string());
    let letter = message
        .on_topic(&name, now)
        .with_header(REASON_HEADER, failure.code.as_str())
        .with_header(ERROR_HEADER, &failure.detail)
        .with_header(ORIGINAL_TOPIC_HEADER, message.topic())
        .with_header(ATTEMPTS_HEADER, attempts.to_string())
        .with_header(TIME_HEADER, time);
    Some(letter)
}

#[cfg(test)]
mod tests {
    use herald_envelope::headers::HeaderSet;
    use herald_envelope::{Envelope, Origin};
    use serde_json::json;

    use super::*;
    use crate::failure::{FailureCode, FailureKind};

    #[test]
    fn dead_letter_has_the_event_and_the_reason() {
        let message = Message::new("orders", Some(b"k"), b"{}".to_vec())
            .unwrap()
            .with_header("event_id", "7");
        let failure = Failure::new(FailureKind::Permanent, FailureCode::TooLarge, "it is 2 MB");
        let letter = of(&message, &failure, 3, SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(letter.topic(), "orders.dlq");
        assert_eq!(letter.key(), message.key());
        assert_eq!(letter.payload(), message.payload());
        assert_eq!(letter.created(), SystemTime::UNIX_EPOCH);
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
    fn topic_follows_the_envelope_profile() {
        let message = Message::new("onex.evt.shop.order.v1", None, b"{}".to_vec())
            .unwrap()
            .with_header("message_id", "7")
            .with_header("schema_version", "1.0.0");
        let failure = Failure::new(FailureKind::Permanent, FailureCode::TooLarge, "");
        let letter = of(&message, &failure, 1, SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(letter.topic(), "onex.dlq.omnibase-infra.events.v1");
    }

    #[test]
    fn dead_letters_of_every_profile_are_read_as_their_event() {
        let origin = Origin::new("shop", "1.4.0", "test");
        let event = origin.envelope("order.placed", "shop-1", json!({"order": "A-17"}));
        for profile in Profile::all() {
            let message = Message::of_profile(profile, "orders", &event, HeaderSet::ALL).unwrap();
            let failure = Failure::new(FailureKind::Permanent, FailureCode::TooLarge, "");
            let letter = of(&message, &failure, 1, SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(letter.topic(), "orders.dlq", "{profile}");
            assert_eq!(letter.key(), message.key(), "{profile}");
            let headers: Vec<_> = letter.headers().collect();
            let received = Received {
                headers: &headers,
                ..Received::of_value(letter.payload())
            };
            assert_eq!(Profile::of_record(&received), profile);
            let read = Envelope::of_record(&received).unwrap();
            assert_eq!(read.event_id, event.event_id, "{profile}");
            assert_eq!(read.event_type, "order.placed", "{profile}");
            assert_eq!(read.payload.get(), r#"{"order":"A-17"}"#, "{profile}");
        }
    }

    #[test]
    fn no_dead_letter_if_the_topic_would_be_too_long() {
        let message = Message::new(&"t".repeat(246), None, Vec::new()).unwrap();
        let failure = Failure::new(FailureKind::Permanent, FailureCode::TooLarge, "");
        assert!(of(&message, &failure, 1, SystemTime::UNIX_EPOCH).is_none());
    }
}
