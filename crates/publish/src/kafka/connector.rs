//! Choice of the transport, and the limits that both keep.

use std::sync::Arc;
use std::time::Duration;

use super::config::KafkaOptions;
use super::native;
use crate::failure::Failure;
use crate::transport::{ConnectionListener, Connector, Transport};

/// Default of `message.max.bytes`.
pub(super) const DEFAULT_MAX_MESSAGE_BYTES: usize = 1_000_000;

/// Bytes that the protocol adds to a batch at most, beyond those that librdkafka counts.
const BATCH_OVERHEAD: usize = 1024;

/// Longest wait, so that times can be added, and converted for librdkafka, without overflow.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Time that dropping an open connection takes at most.
pub(super) const DROP_TIMEOUT: Duration = Duration::from_secs(2);

impl Connector for KafkaOptions {
    fn connect(
        &self,
        listener: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Result<Arc<dyn Transport>, Failure> {
        if self.is_native()? {
            return native::connect(self, listener, delivery_timeout);
        }
        #[cfg(feature = "librdkafka")]
        return super::librdkafka::connect(self, listener, delivery_timeout);
        #[cfg(not(feature = "librdkafka"))]
        Err(Failure::invalid_property(
            "transport=librdkafka is not possible: this program was built without the feature `librdkafka` of \
             `herald-publish`",
        ))
    }

    fn max_message_bytes(&self) -> Option<usize> {
        let set = self.text("message.max.bytes");
        set.map_or(Some(DEFAULT_MAX_MESSAGE_BYTES), |bytes| bytes.parse().ok())
    }

    fn servers(&self) -> String {
        self.bootstrap_servers().to_owned()
    }

    fn max_batch_bytes(&self, topic: &str) -> Option<usize> {
        let bytes = self.limits().get(topic)?;
        // It may have been changed; until the answer the old one holds.
        #[cfg(feature = "librdkafka")]
        super::librdkafka::ask_limit(self, topic);
        Some(bytes)
    }

    fn describe(&self) -> String {
        format!("Kafka at {}", self.bootstrap_servers())
    }
}

impl KafkaOptions {
    /// Bytes that a batch of this client may have.
    pub(super) fn largest_batch(&self) -> usize {
        self.max_message_bytes()
            .map_or(usize::MAX, |bytes| bytes.saturating_add(BATCH_OVERHEAD))
    }

    /// Notes the largest batch that a topic allows.
    pub(super) fn note_limit(&self, topic: &str, bytes: usize) {
        if bytes < self.largest_batch() {
            self.limits().set(topic, bytes);
            #[cfg(feature = "librdkafka")]
            self.limit_requests().answered(topic);
        } else {
            self.limits().remove(topic);
        }
    }
}
