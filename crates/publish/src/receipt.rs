//! Receipt: proof that an event is safe.

use std::sync::Arc;

use herald_spool::Sequence;

/// Proof that an event is safe: acknowledged by the cluster, or flushed to the local disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Receipt {
    /// All in-sync replicas have acknowledged the event.
    Delivered {
        /// Topic.
        topic: Arc<str>,
        /// Partition of the topic.
        partition: i32,
        /// Offset in the partition, from 0.
        offset: i64,
    },
    /// The event is flushed to the local disk and will be delivered from there, also after a
    /// restart.
    Spooled {
        /// Sequence in the spool, for `herald spool show SEQUENCE`.
        sequence: Sequence,
    },
}

impl Receipt {
    /// Returns whether the cluster has the event already.
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered { .. })
    }
}
