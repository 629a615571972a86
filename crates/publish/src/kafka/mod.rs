//! Apache Kafka, through librdkafka.

mod admin;
mod classify;
mod config;
mod connection_state;
mod consumer;
mod dev;
mod log;
mod metadata_client;
mod native;
mod oauth;
mod outstanding;
mod producer;
mod start_order;
mod topic_description;
mod topic_limits;
mod topic_sets;
mod transport;

pub use admin::{
    Admin, Broker, ConfigEntry, Difference, FoundTopic, Outcome, Plan, PlannedTopic, WantedTopic,
};
pub use config::environment;
pub use config::{KafkaOptions, Property, Secret, Security};
pub use consumer::{ConsumerRecord, PartitionEnd, ReaderEvent, StartPosition, TopicReader};
pub use dev::{ApiError, ApiKey, DevCluster};
pub use herald_wire::BrokerStatistics;
pub use metadata_client::{cluster_id, missing_topics};
pub use topic_description::TopicDescription;
