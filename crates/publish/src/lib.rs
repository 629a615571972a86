//! Publisher of events to Kafka: accepts envelopes, and returns receipts for events that are safe.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::time::Duration;
//!
//! use herald_envelope::Origin;
//! use herald_publish::memory::MemoryCluster;
//! use herald_publish::spool::SpoolOptions;
//! use herald_publish::{Publisher, PublisherOptions, Receipt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("spool.db");
//! // In a service: kafka::KafkaOptions::new("kafka-1:9092,kafka-2:9092").
//! let cluster = MemoryCluster::new().with_auto_created_topics(3);
//! let options = PublisherOptions::new(cluster).spool(SpoolOptions::new(path));
//! let publisher = Publisher::open(options)?;
//!
//! let origin = Origin::new("shop", "1.4.0", "production");
//! let payload = BTreeMap::from([("order", "A-17")]);
//! let event = origin.envelope("effect.place.completed", "node-7", payload);
//! match publisher.publish(event).await? {
//!     Receipt::Delivered { topic, partition, offset } => {
//!         println!("{topic} has it at {partition}/{offset}");
//!     }
//!     Receipt::Spooled { sequence } => println!("the disk has it as {sequence}"),
//! }
//!
//! let closed = publisher.close(Duration::from_secs(10))?;
//! assert_eq!(closed.spooled, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Receipts
//!
//! An event with a [`Receipt`] is safe: all in-sync replicas of the cluster have it, or it is
//! flushed to the local disk, from where it is delivered, also after a kill, a crash or a power
//! cut. Without a spool ([`PublisherOptions::spool`]) there is only the first kind, and an event
//! that the cluster does not acknowledge in time is an error; the caller has to keep it.
//!
//! An error means that the event is not safe. It may still arrive, if only its acknowledgement was
//! lost.
//!
//! # Order and duplicates
//!
//! Per topic and key, events reach the cluster in the order of publishing, through outages and
//! restarts of one publisher. After a crash, a kill or a broken connection an event may arrive
//! twice, with the same `event_id`: the first occurrences are in order. An event that the
//! cluster rejects permanently is not part of the order; later ones overtake it.
//!
//! # Behaviour in failures
//!
//! | | with a spool | without |
//! | --- | --- | --- |
//! | no acknowledgement within the deadline | spooled; delivered once, by the transport or by the relay | `deadline` |
//! | all brokers lost | everything in flight is spooled at once, and new events after one commit | waits for the deadline |
//! | retriable failure | retried with backoff from the spool, see [`RetryPolicy`] | the failure |
//! | rejected permanently: too large, no such topic, not authorised | `{topic}.dlq`; where that fails too, the spool's dead letters | `{topic}.dlq`, and an error that names it |
//! | the in-flight limit is reached | waits, then `busy` | the same |
//! | the spool or its disk is full | an error while the cluster is unreachable | |
//! | the process forks | every call in the child is the error `forked` | the same |
//!
//! # Threads
//!
//! `herald-relay` delivers the spool and maintains the connection, `herald-deadlines` watches
//! deadlines, `herald-spool` writes the spool, and Kafka's transport has its own threads. No async
//! runtime is needed, and futures of this crate run on any.
//!
//! # Features
//!
//! | feature | default | content |
//! | --- | --- | --- |
//! | `kafka` | yes | Herald's own transport of Kafka |
//! | `librdkafka` | | librdkafka: a second transport, consumers, topics and the development cluster; needs a C compiler and OpenSSL |
//! | `registry` | | records carry schema ids from a schema registry |
//! | `opentelemetry` | | metrics, and trace context from the current span |

mod buffers;
mod circuit;
mod clock;
mod core;
pub mod dead_letter;
mod deadline_timer;
mod error;
mod event_state;
mod failure;
mod in_flight_event;
mod in_flight_limiter;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod memory;
mod message;
mod options;
mod publisher;
mod receipt;
mod relay;
mod retry;
pub mod schemas;
#[cfg(test)]
mod simulator;
mod stats;
mod store;
#[cfg(feature = "opentelemetry")]
mod telemetry;
mod topic_names;
mod trace;
mod transport;

pub use clock::Clock;
pub use error::{PublishError, PublishErrorCode};
pub use failure::{Failure, FailureCode, FailureKind};
pub use in_flight_event::Pending;
pub use message::Message;
pub use options::{Mode, PublisherOptions};
pub use publisher::{CloseReport, Publisher};
pub use receipt::Receipt;
pub use retry::RetryPolicy;
pub use stats::{Latency, Stats};
pub use transport::{
    ConnectionListener, Connector, DeliveryCallback, LimitsAnswered, RecordMetadata, Transport,
};

/// The spool, for its settings and for inspection.
pub use herald_spool as spool;
