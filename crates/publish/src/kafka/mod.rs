//! Apache Kafka.

mod classify;
mod cluster_id;
mod config;
mod connection_state;
mod connector;
mod error_code;
#[cfg(feature = "librdkafka")]
mod librdkafka;
mod log;
mod native;
mod oauth;
mod topic_limits;
mod topic_sets;

pub use config::environment;
pub use config::{KafkaOptions, Property, Secret, Security};
pub use herald_wire::BrokerStatistics;
#[cfg(feature = "librdkafka")]
pub use librdkafka::{
    Admin, ApiError, ApiKey, Broker, ConfigEntry, ConsumerRecord, DevCluster, Difference,
    FoundTopic, Outcome, PartitionEnd, Plan, PlannedTopic, ReaderEvent, StartPosition,
    TopicDescription, TopicReader, WantedTopic, cluster_id, missing_topics,
};
pub use oauth::{LoginToken, TokenProvider};
