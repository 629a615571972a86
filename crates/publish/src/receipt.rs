//! Proof that an event is safe.

use herald_spool::Sequence;

/// The event is safe: the cluster has it, or the local disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Receipt {
    /// All in-sync replicas acknowledged it.
    Delivered {
        /// Where it was sent.
        topic: String,
        /// Partition of the topic.
        partition: i32,
        /// Offset in the partition, from 0.
        offset: i64,
    },
    /// It is flushed to the local disk and will be delivered from there, also after a restart.
    Spooled {
        /// Names it in the spool: `herald spool show SEQUENCE`.
        sequence: Sequence,
    },
}

impl Receipt {
    /// Whether the cluster has it already.
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered { .. })
    }
}
