//! How long a topic keeps its events.

use std::time::Duration;

use herald_catalog::topics::Published;

/// How long a topic keeps its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// At least this long.
    For(Duration),
    /// Nothing is ever deleted.
    Forever,
    /// The last event of each key, however old.
    Compacted,
    /// Nobody said it: the broker decides.
    Unknown,
}

impl Kept {
    /// What is asked for, else what the contracts say of the topic, else of all of theirs. Time
    /// deletes nothing of a topic that is only compacted, whoever asks for it.
    pub(crate) fn of(
        topic: Option<&Published>,
        asked: Option<Duration>,
        otherwise: Option<Duration>,
    ) -> Self {
        let setting = |name: &str| Some(topic?.config.get(name)?.trim());
        let policy = setting("cleanup.policy").unwrap_or_default();
        if policy.contains("compact") && !policy.contains("delete") {
            return Self::Compacted;
        }
        if let Some(asked) = asked {
            return Self::For(asked);
        }
        let milliseconds = setting("retention.ms").and_then(|text| text.parse::<i64>().ok());
        match (milliseconds.map(u64::try_from), otherwise) {
            (Some(Ok(milliseconds)), _) => Self::For(Duration::from_millis(milliseconds)),
            (Some(Err(_)), _) => Self::Forever,
            (None, Some(otherwise)) => Self::For(otherwise),
            (None, None) => Self::Unknown,
        }
    }
}

/// Bytes that a partition of the topic keeps at most, when a contract says it.
pub(crate) fn most_bytes(topic: Option<&Published>) -> Option<u64> {
    topic?.config.get("retention.bytes")?.trim().parse().ok()
}
