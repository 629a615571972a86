//! The producing side of the [Kafka protocol](https://kafka.apache.org/protocol.html).
//!
//! A [`Producer`] encodes each record once, into the open batch of its partition, and reports
//! outcomes by batch. It is idempotent, asks for `acks=all`, and keeps the order of each partition
//! through lost connections, moved leaders and refused batches: nothing of a partition is sent while
//! an earlier batch of it has to be sent again.
//!
//! One thread owns the connections (`event_loop`). What it does with their events is decided by a
//! state machine without I/O, clock or thread (`engine`), which tests drive by hand.

mod accumulator;
mod buffers;
mod engine;
mod event_loop;
#[cfg(any(test, fuzzing))]
pub mod hostile_broker;
mod producer;
mod protocol;
pub mod record_batch;
mod sasl;
mod security;
#[cfg(test)]
mod simulation;
mod statistics;
mod tls;
mod verdict;

pub use producer::{Delivery, Failed, Listener, Producer, Refused, Settings};
pub use sasl::{Login, Mechanism};
pub use security::{Security, Source, Trouble, TroubleKind};
pub use statistics::BrokerStatistics;
pub use tls::{ClientIdentity, Tls, Verification};
pub use verdict::error_name;
