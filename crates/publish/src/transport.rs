//! What carries messages to a cluster: the door for Kafka, for tests, and for whatever comes.

use std::sync::Arc;
use std::time::Duration;

use crate::failure::Failure;
use crate::message::Message;

/// Where a message came to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordMetadata {
    /// Partition of the topic, from 0.
    pub partition: i32,
    /// Offset in the partition, from 0.
    pub offset: i64,
}

/// Makes connections: once when a publisher starts, and again after each fatal failure.
pub trait Connector: Send + Sync + 'static {
    /// Makes a connection. It need not reach the cluster yet: an absent cluster is told to
    /// `watch`, not returned as an error.
    ///
    /// `delivery_timeout` is how long a message is tried before it is reported as
    /// [`crate::FailureKind::Retriable`] with the code `timed_out`. `None` is for ever: a
    /// publisher with a spool wants that, because it has a safe copy and the order to keep.
    ///
    /// # Errors
    /// Where the settings can't work: an unknown property, a certificate that is not there.
    fn connect(
        &self,
        watch: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Result<Arc<dyn Transport>, Failure>;

    /// Most bytes that a message may take on the wire by these settings, whatever the cluster
    /// allows: see [`Message::wire_bytes`]. `None` where only the cluster decides.
    fn max_message_bytes(&self) -> Option<usize> {
        None
    }

    /// Settings for a person to read, such as addresses. No secrets.
    fn describe(&self) -> String;
}

/// One connection to a cluster.
///
/// Every transport holds to this, and the conformance suite (`tests/conformance`) holds every
/// transport to it:
///
/// - `send` returns at once. Every message that it took is reported exactly once, whatever
///   happens, also by `close`. It holds no lock while it reports that `send` needs: the report
///   may wait for a `send` on another thread to return.
/// - A report of success means that all in-sync replicas have the message.
/// - Messages of one topic and key are written in the order of the calls.
/// - A message that is not reported yet may still be written, however long it took. Without
///   `delivery_timeout` there is no time-out inside: only the publisher decides when to stop
///   waiting, and the message is not forgotten here when it does.
/// - Without `delivery_timeout`: after a retriable or fatal failure of a message nothing sent later
///   for the same topic and key is written, unless it was sent after the report returned. So who
///   keeps the failed message in the report can keep the order.
pub trait Transport: Send + Sync + 'static {
    /// Takes a message on its way. Reports come from a thread of the transport, never from
    /// within this call.
    ///
    /// # Errors
    /// The message was not taken, and nothing will be reported: [`crate::FailureKind::Full`]
    /// where the transport's queue has no room now, or what is wrong with the message.
    fn send(&self, message: &Message, delivery: Arc<dyn DeliveryCallback>) -> Result<(), Failure>;

    /// Asks the cluster for a sign of life and refreshes what is known about it. Blocks for at
    /// most `timeout`.
    ///
    /// # Errors
    /// The cluster did not answer.
    fn probe(&self, timeout: Duration) -> Result<(), Failure>;

    /// Ends the connection, for at most about `timeout`. What was sent and is not acknowledged
    /// is reported as [`crate::FailureKind::Abandoned`] before this returns; it may have been
    /// written all the same. Later sends fail.
    fn close(&self, timeout: Duration);
}

/// Hears what became of one message.
pub trait DeliveryCallback: Send + Sync + 'static {
    /// Called exactly once, on a thread of the transport: it must be quick.
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>);
}

/// Hears about the connection as a whole.
pub trait ConnectionListener: Send + Sync + 'static {
    /// No broker can be reached now. May be called many times for one outage.
    fn on_unreachable(&self, failure: Failure);

    /// The connection is broken for good: every later send fails. Make a new one.
    fn on_fatal(&self, failure: Failure);
}
