//! The second transport, consumers, topics, and the development cluster: what librdkafka does.

mod admin;
mod client_config;
mod connection_errors;
mod consumer;
mod dev;
mod error;
mod limit_requests;
mod log;
mod metadata_client;
mod outstanding;
mod producer;
mod refused_batches;
mod start_order;
mod tokens;
mod topic_description;
mod transport;

pub use admin::{
    Admin, Broker, ConfigEntry, Difference, FoundTopic, Outcome, Plan, PlannedTopic, WantedTopic,
};
pub use consumer::{ConsumerRecord, PartitionEnd, ReaderEvent, StartPosition, TopicReader};
pub use dev::{ApiError, ApiKey, DevCluster};
pub(super) use limit_requests::{LimitRequests, ask_limit};
pub use metadata_client::{cluster_id, missing_topics};
pub(super) use refused_batches::RefusedBatchTopics;
pub use topic_description::TopicDescription;
pub(super) use transport::connect;
