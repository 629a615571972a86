//! Transports: the traits by which the publisher sends messages to a cluster.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "kafka")]
use herald_wire::BrokerStatistics;

use crate::failure::Failure;
use crate::message::Message;

/// Metadata of a delivered record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordMetadata {
    /// Partition of the topic, from 0.
    pub partition: i32,
    /// Offset in the partition, from 0.
    pub offset: i64,
}

/// Connector: opens connections, once when a publisher starts and again after each fatal failure.
pub trait Connector: Send + Sync + 'static {
    /// Opens a connection. It need not reach the cluster yet: an unreachable cluster is reported to
    /// `listener`, not returned as an error.
    ///
    /// `delivery_timeout` is the time for which a message is tried before it is reported as
    /// [`crate::FailureKind::Retriable`] with the code `timed_out`. `None` means no limit: a
    /// publisher with a spool uses that, because it has a safe copy and keeps the order.
    ///
    /// # Errors
    /// Invalid settings: an unknown property, a missing certificate.
    fn connect(
        &self,
        listener: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Result<Arc<dyn Transport>, Failure>;

    /// Most bytes that a message may take on the wire by these settings, whatever the cluster
    /// allows: see [`Message::wire_bytes`]. `None` where only the cluster decides.
    fn max_message_bytes(&self) -> Option<usize> {
        None
    }

    /// Addresses of the cluster, for people. Empty if it has none.
    fn servers(&self) -> String {
        String::new()
    }

    /// Most bytes that a batch of this topic may take, where that is known and certain: see
    /// [`Message::min_batch_bytes`]. `None` where only the cluster decides.
    fn max_batch_bytes(&self, _topic: &str) -> Option<usize> {
        None
    }

    /// Returns a description of the settings, such as addresses, without secrets.
    fn describe(&self) -> String;
}

/// Connection to a cluster.
///
/// Requirements on every transport, tested by the conformance suite (`tests/conformance`):
///
/// - `send` returns at once. Every accepted message is reported exactly once, whatever happens,
///   also by `close`. No lock that `send` needs is held during a report: the report may wait for a
///   `send` on another thread.
/// - A report of success means that all in-sync replicas have the message.
/// - Messages of one topic and key are written in the order of the calls.
/// - A message that is not reported yet may still be written, however long it took. Without
///   `delivery_timeout` there is no time-out inside: only the publisher decides when to stop
///   waiting, and the message is not forgotten here when it does.
/// - Without `delivery_timeout`: after a retriable or fatal failure of a message nothing sent later
///   for the same topic and key is written, unless it was sent after the report returned. So who
///   keeps the failed message in the report can keep the order.
pub trait Transport: Send + Sync + 'static {
    /// Sends a message. Reports come from a thread of the transport, never from within this call.
    ///
    /// # Errors
    /// The message was not accepted, and nothing will be reported: [`crate::FailureKind::Full`] if the
    /// transport's queue has no room, or a failure of the message.
    fn send(&self, message: &Message, delivery: Arc<dyn DeliveryCallback>) -> Result<(), Failure>;

    /// Sends a message that others follow at once, and then [`Self::flush`]. It may be held back until
    /// then, so that they leave in fewer requests.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    fn send_with_more(
        &self,
        message: &Message,
        delivery: Arc<dyn DeliveryCallback>,
    ) -> Result<(), Failure> {
        self.send(message, delivery)
    }

    /// Sends the messages that are held back. Returns at once.
    fn flush(&self) {}

    /// Asks the cluster for the limits of a topic, without waiting for the answer. `answered` is
    /// called once, on a thread of the transport, when [`Connector::max_batch_bytes`] knows what can
    /// be known.
    ///
    /// Returns `false` if there is nothing to wait for; `answered` is not called then.
    fn ask_limits(&self, topic: &str, answered: LimitsAnswered) -> bool {
        let _ = (topic, answered);
        false
    }

    /// Returns what was done with each broker, if the transport counts it.
    #[cfg(feature = "kafka")]
    fn statistics(&self) -> Vec<BrokerStatistics> {
        Vec::new()
    }

    /// Returns why messages of a topic are not acknowledged, if it is known and not the fault of the
    /// cluster: the topic does not exist.
    fn topic_failure(&self, topic: &str) -> Option<Failure> {
        let _ = topic;
        None
    }

    /// Returns why no broker could be reached, if none has answered since.
    fn outage(&self) -> Option<Failure> {
        None
    }

    /// Probes the cluster, and refreshes its metadata. Blocks for at most `timeout`.
    ///
    /// # Errors
    /// The cluster did not answer.
    fn probe(&self, timeout: Duration) -> Result<(), Failure>;

    /// Returns the id of the cluster: no two clusters have the same. `None` if it has none. Blocks
    /// for at most `timeout`.
    ///
    /// # Errors
    /// The cluster did not answer.
    fn cluster_id(&self, timeout: Duration) -> Result<Option<String>, Failure> {
        let _ = timeout;
        Ok(None)
    }

    /// Closes the connection, for at most about `timeout`. Unacknowledged messages are reported as
    /// [`crate::FailureKind::Abandoned`] before this returns; they may have been written. Later
    /// sends fail.
    fn close(&self, timeout: Duration);
}

/// Callback for [`Transport::ask_limits`].
pub type LimitsAnswered = Box<dyn FnOnce() + Send>;

/// Callback with the outcome of one message.
pub trait DeliveryCallback: Send + Sync + 'static {
    /// Called exactly once, on a thread of the transport. It must be quick.
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>);
}

/// Listener for the state of a connection.
pub trait ConnectionListener: Send + Sync + 'static {
    /// Called when no broker can be reached. It may be called many times in one outage.
    fn on_unreachable(&self, failure: Failure);

    /// Called when the connection is broken for good: every later send fails, and a new connection
    /// is needed.
    fn on_fatal(&self, failure: Failure);
}

/// Listener of tests that need none.
#[cfg(test)]
pub(crate) struct IgnoreEvents;

#[cfg(test)]
impl ConnectionListener for IgnoreEvents {
    fn on_unreachable(&self, _: Failure) {}

    fn on_fatal(&self, _: Failure) {}
}
