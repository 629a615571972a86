//! Apache Kafka, through librdkafka.

mod absent;
mod admin;
mod classify;
mod condition;
mod consumer;
mod contact;
mod defaults;
mod dev;
pub mod environment;
mod exposed;
mod lane;
mod log;
mod names;
mod options;
mod outstanding;
mod promises;
mod property;
mod refused;
mod secret;
mod transport;
mod wait;

pub use admin::{Admin, Difference, Entry, FoundTopic, Outcome, Plan, PlannedTopic, WantedTopic};
pub use consumer::{Heard, Listener, Received, Start};
pub use dev::{ApiError, ApiKey, DevCluster};
pub use options::KafkaOptions;
pub use property::Property;
pub use secret::Secret;
