//! Topics: as wanted, and as they are.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A topic as it should be. What is `None` or missing is left to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedTopic {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: Option<u32>,
    /// How many replicas of each partition.
    pub replication_factor: Option<u32>,
    /// Kafka's own configuration of topics, such as `retention.ms`.
    pub config: BTreeMap<String, String>,
}

impl WantedTopic {
    /// A topic about which nothing is said but its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            partitions: None,
            replication_factor: None,
            config: BTreeMap::new(),
        }
    }
}

/// A topic as it is on the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTopic {
    /// How many partitions.
    pub partitions: u32,
    /// The fewest and the most replicas that a partition of it has.
    pub replicas: RangeInclusive<u32>,
    /// Its whole configuration, defaults included; `None` where the user may not see it.
    pub config: Option<BTreeMap<String, Entry>>,
}

/// A value of a topic's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value; `None` where Kafka keeps it secret.
    pub value: Option<String>,
    /// Whether it was set for this topic, and is no default.
    pub is_own: bool,
}
