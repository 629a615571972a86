//! An event that can be told apart from all others.

use std::sync::LazyLock;
use std::time::SystemTime;

use herald_envelope::{Envelope, Origin, Stamp, Timestamp, Uuid};
use herald_publish::Message;
use serde::{Deserialize, Serialize};

/// Numbers of a key grow in the order of publishing, also from one process to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    pub key: u32,
    pub number: u64,
}

#[derive(Serialize, Deserialize)]
struct Content<'a> {
    number: u64,
    note: &'a str,
}

static ORIGIN: LazyLock<Origin> = LazyLock::new(|| Origin::new("faults", "1.0.0", "test"));

impl Event {
    /// The envelope of the event, with a note of so many bytes.
    pub fn message(self, topic: &str, note_bytes: usize) -> Message {
        self.message_at(topic, note_bytes, SystemTime::now())
    }

    /// The envelope of the event, of another time.
    pub fn message_at(self, topic: &str, note_bytes: usize, time: SystemTime) -> Message {
        let content = Content {
            number: self.number,
            note: &"x".repeat(note_bytes),
        };
        let stamp = Stamp {
            event_timestamp: Timestamp::try_from(time).expect("a time"),
            ..Stamp::now()
        };
        let envelope = ORIGIN
            .stamped(stamp, "effect.fault.completed", "node-1", content)
            .with_partition_key(format!("key-{}", self.key));
        Message::of_envelope(topic, &envelope).expect("it is an envelope on a topic")
    }

    /// The event in the bytes of a message, and its id. It must be whole.
    pub fn read(payload: &[u8]) -> (Self, Uuid) {
        let envelope = Envelope::parse(payload).expect("what arrives is an envelope");
        let key = envelope.partition_key.as_deref();
        let key = key.and_then(|key| key.strip_prefix("key-"));
        let content: Content = serde_json::from_str(envelope.payload.get()).expect("whole");
        let event = Self {
            key: key.and_then(|key| key.parse().ok()).expect("a key"),
            number: content.number,
        };
        (event, envelope.event_id)
    }
}
