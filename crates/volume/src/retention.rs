//! Retention of topics.

use std::time::Duration;

use herald_catalog::topics::Published;

/// Retention of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// At least this long.
    For(Duration),
    /// Nothing is ever deleted.
    Forever,
    /// The last event of each key, however old.
    Compacted,
    /// Not configured: the broker decides.
    Unknown,
}

impl Retention {
    /// Returns the requested retention, else that of the topic in the contracts, else their
    /// default. Time deletes nothing of a topic that is only compacted, even on request.
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

/// Returns the bytes that a partition of the topic keeps at most, if a contract limits them.
pub(crate) fn max_bytes(topic: Option<&Published>) -> Option<u64> {
    topic?.config.get("retention.bytes")?.trim().parse().ok()
}
