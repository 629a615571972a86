//! Retention of a topic.

use std::time::Duration;

use herald_catalog::topics::Published;

/// Retention of a topic.
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
    /// Retention by option, otherwise of the topic, otherwise of all topics of its contracts. Time
    /// deletes nothing of a topic that is only compacted, even if the option is given.
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

/// Maximum bytes that a partition of the topic keeps, if a contract sets it.
pub(crate) fn most_bytes(topic: Option<&Published>) -> Option<u64> {
    topic?.config.get("retention.bytes")?.trim().parse().ok()
}
