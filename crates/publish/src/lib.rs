//! The publisher: an envelope in, a receipt out, and nothing lost between.

mod clock;
mod core;
mod dead_letter;
mod error;
mod failure;
mod flight;
mod health;
#[cfg(feature = "kafka")]
pub mod kafka;
mod keeper;
pub mod memory;
mod message;
mod options;
mod process;
mod publisher;
mod receipt;
mod relay;
mod retry;
mod room;
mod stats;
mod trace;
mod transport;

pub use clock::Clock;
pub use dead_letter::{ATTEMPTS, ERROR, ORIGINAL_TOPIC, REASON, TIME, TOPIC_SUFFIX};
pub use error::PublishError;
pub use failure::{Failure, FailureKind};
pub use flight::Pending;
pub use message::Message;
pub use options::{Mode, PublisherOptions};
pub use publisher::{Closed, Publisher};
pub use receipt::Receipt;
pub use retry::RetryPolicy;
pub use stats::{Latency, Stats};
pub use transport::{Connect, Delivery, Position, Transport, Watch};

/// What the settings of a spool are made of.
pub use herald_spool as spool;
