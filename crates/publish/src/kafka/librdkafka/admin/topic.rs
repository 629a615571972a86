//! Wanted and existing topics.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Wanted topic. Properties that are `None` or missing are left to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedTopic {
    /// Name.
    pub name: String,
    /// Number of partitions.
    pub partitions: Option<u32>,
    /// Number of replicas of each partition.
    pub replication_factor: Option<u32>,
    /// Topic configuration, such as `retention.ms`.
    pub config: BTreeMap<String, String>,
}

impl WantedTopic {
    /// Creates a wanted topic with only a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            partitions: None,
            replication_factor: None,
            config: BTreeMap::new(),
        }
    }
}

/// Existing topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTopic {
    /// Number of partitions.
    pub partitions: u32,
    /// Lowest and highest number of replicas of a partition.
    pub replicas: RangeInclusive<u32>,
    /// Configuration including defaults; `None` if the user may not read it.
    pub config: Option<BTreeMap<String, ConfigEntry>>,
}

/// Value of a topic's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Value; `None` if Kafka keeps it secret.
    pub value: Option<String>,
    /// Whether it was set for this topic, and is not a default.
    pub is_own: bool,
}
