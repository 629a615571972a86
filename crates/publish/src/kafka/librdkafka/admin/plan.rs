//! Plan: differences between wanted and existing topics.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::topic::{FoundTopic, WantedTopic};
use crate::failure::Failure;

/// Changes that make topics as wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Topics in the order of their names, each once.
    pub topics: Vec<PlannedTopic>,
}

/// Topic with its differences from the wanted state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTopic {
    /// Wanted state.
    pub wanted: WantedTopic,
    /// Existing state; `None` if the topic does not exist.
    pub found: Option<FoundTopic>,
    /// Differences; empty if the topic is as wanted.
    pub differences: Vec<Difference>,
    /// Refusal of the cluster, as far as it was asked.
    pub refusal: Option<Failure>,
}

/// Difference between a wanted and an existing topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The topic does not exist.
    Missing,
    /// There are too few partitions. They can be added, but events of a key may then go to another
    /// partition than before.
    TooFewPartitions {
        /// Existing number.
        found: u32,
        /// Wanted number.
        wanted: u32,
    },
    /// There are too many partitions, which Kafka can't remove.
    TooManyPartitions {
        /// Existing number.
        found: u32,
        /// Wanted number.
        wanted: u32,
    },
    /// The replication factor differs. Only Kafka's own tools move replicas: it takes bandwidth,
    /// and an operator has to choose the brokers.
    Replication {
        /// Lowest and highest number of replicas of a partition.
        found: RangeInclusive<u32>,
        /// Wanted number of replicas.
        wanted: u32,
    },
    /// A configuration value differs.
    Config {
        /// Name of the value.
        name: String,
        /// Existing value; `None` if Kafka keeps it secret.
        found: Option<String>,
        /// Wanted value.
        wanted: String,
    },
    /// The user may not read the configuration, so it is not known whether it differs.
    HiddenConfig,
    /// The cluster does not know a configuration value of this name.
    UnknownConfig {
        /// Name of the value.
        name: String,
    },
}

impl Difference {
    /// Returns whether [`Admin::apply`](super::Admin::apply) can resolve it.
    pub fn can_be_applied(&self) -> bool {
        matches!(
            self,
            Self::Missing | Self::TooFewPartitions { .. } | Self::Config { .. }
        )
    }
}

impl Plan {
    /// Compares wanted with existing topics, without any request.
    pub fn new(
        wanted: impl IntoIterator<Item = WantedTopic>,
        found: &BTreeMap<String, FoundTopic>,
    ) -> Self {
        let wanted: BTreeMap<_, _> = wanted
            .into_iter()
            .map(|topic| (topic.name.clone(), topic))
            .collect();
        let topics = wanted.into_values().map(|wanted| {
            let found = found.get(&wanted.name).cloned();
            PlannedTopic {
                differences: differences(&wanted, found.as_ref()),
                wanted,
                found,
                refusal: None,
            }
        });
        Self {
            topics: topics.collect(),
        }
    }

    /// Returns whether all topics are as wanted.
    pub fn is_in_sync(&self) -> bool {
        self.topics.iter().all(PlannedTopic::is_in_sync)
    }
}

impl PlannedTopic {
    /// Returns whether the topic is as wanted.
    pub fn is_in_sync(&self) -> bool {
        self.differences.is_empty()
    }

    /// Returns whether a difference can be applied.
    pub fn can_be_applied(&self) -> bool {
        self.differences.iter().any(Difference::can_be_applied)
    }

    /// Returns whether a difference needs manual action.
    pub fn needs_manual_action(&self) -> bool {
        self.differences.iter().any(|d| !d.can_be_applied())
    }
}

fn differences(wanted: &WantedTopic, found: Option<&FoundTopic>) -> Vec<Difference> {
    let Some(found) = found else {
        return vec![Difference::Missing];
    };
    let mut differences = Vec::new();
    if let Some(partitions) = wanted.partitions {
        let numbers = (found.partitions, partitions);
        if found.partitions < partitions {
            let (found, wanted) = numbers;
            differences.push(Difference::TooFewPartitions { found, wanted });
        } else if found.partitions > partitions {
            let (found, wanted) = numbers;
            differences.push(Difference::TooManyPartitions { found, wanted });
        }
    }
    if let Some(factor) = wanted.replication_factor
        && found.replicas != (factor..=factor)
    {
        differences.push(Difference::Replication {
            found: found.replicas.clone(),
            wanted: factor,
        });
    }
    let Some(config) = &found.config else {
        differences.extend((!wanted.config.is_empty()).then_some(Difference::HiddenConfig));
        return differences;
    };
    for (name, wanted) in &wanted.config {
        match config.get(name) {
            None => differences.push(Difference::UnknownConfig { name: name.clone() }),
            Some(entry) if !is_same(entry.value.as_deref(), wanted) => {
                differences.push(Difference::Config {
                    name: name.clone(),
                    found: entry.value.clone(),
                    wanted: wanted.clone(),
                });
            }
            Some(_) => {}
        }
    }
    differences
}

/// Returns whether two values are equivalent: Kafka accepts spaces around the commas of a list, and
/// booleans in any case, and returns them as written.
fn is_same(found: Option<&str>, wanted: &str) -> bool {
    let Some(found) = found else {
        return false;
    };
    let is_boolean =
        |text: &str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    if is_boolean(found.trim()) {
        return found.trim().eq_ignore_ascii_case(wanted.trim());
    }
    let items = |text| str::split(text, ',').map(str::trim);
    items(found).eq(items(wanted))
}

#[cfg(test)]
mod tests {
    use super::super::topic::ConfigEntry;
    use super::*;

    fn found(partitions: u32, replicas: u32, config: &[(&str, &str)]) -> FoundTopic {
        let entry = |value: &str| ConfigEntry {
            value: Some(value.to_owned()),
            is_own: false,
        };
        FoundTopic {
            partitions,
            replicas: replicas..=replicas,
            config: Some(
                config
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), entry(value)))
                    .collect(),
            ),
        }
    }

    fn wanted(partitions: u32, replicas: u32, config: &[(&str, &str)]) -> WantedTopic {
        WantedTopic {
            partitions: Some(partitions),
            replication_factor: Some(replicas),
            config: config
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..WantedTopic::new("orders")
        }
    }

    #[test]
    fn ignores_properties_that_are_not_wanted() {
        let found = found(7, 2, &[("retention.ms", "1")]);
        assert_eq!(differences(&WantedTopic::new("orders"), Some(&found)), []);
    }

    #[test]
    fn partitions_can_be_added_but_not_removed() {
        let more = differences(&wanted(6, 1, &[]), Some(&found(3, 1, &[])));
        let (found_3, wanted_6) = (3, 6);
        assert_eq!(
            more,
            [Difference::TooFewPartitions {
                found: found_3,
                wanted: wanted_6
            }]
        );
        assert!(more[0].can_be_applied());
        let fewer = differences(&wanted(3, 1, &[]), Some(&found(6, 1, &[])));
        assert!(matches!(fewer[..], [Difference::TooManyPartitions { .. }]));
        assert!(!fewer[0].can_be_applied());
    }

    #[test]
    fn uneven_replication_is_a_difference_that_cannot_be_applied() {
        let uneven = FoundTopic {
            replicas: 2..=3,
            ..found(1, 3, &[])
        };
        let differences = differences(&wanted(1, 3, &[]), Some(&uneven));
        assert_eq!(
            differences,
            [Difference::Replication {
                found: 2..=3,
                wanted: 3
            }]
        );
        assert!(!differences[0].can_be_applied());
    }

    #[test]
    fn compares_configuration_values_by_meaning() {
        let same = [
            ("delete,compact", "delete, compact"),
            ("true", "True"),
            ("604800000", " 604800000"),
            ("", ""),
        ];
        for (a, b) in same {
            assert!(is_same(Some(a), b), "{a} {b}");
        }
        for (a, b) in [("delete", "compact"), ("true", "1"), ("zstd", "ZSTD")] {
            assert!(!is_same(Some(a), b), "{a} {b}");
        }
        assert!(
            !is_same(None, "x"),
            "a secret value is not known to be right"
        );
    }

    #[test]
    fn hidden_configuration_is_never_set() {
        let hidden = FoundTopic {
            config: None,
            ..found(1, 1, &[])
        };
        let mine = wanted(1, 1, &[("retention.ms", "2")]);
        let hidden_from_me = differences(&mine, Some(&hidden));
        assert_eq!(hidden_from_me, [Difference::HiddenConfig]);
        assert!(!hidden_from_me[0].can_be_applied());
        assert_eq!(differences(&wanted(1, 1, &[]), Some(&hidden)), []);
    }

    #[test]
    fn unknown_configuration_is_never_sent() {
        let differences = differences(
            &wanted(1, 1, &[("retention.ms", "2"), ("retenton.ms", "2")]),
            Some(&found(1, 1, &[("retention.ms", "1")])),
        );
        assert_eq!(
            differences,
            [
                Difference::Config {
                    name: "retention.ms".to_owned(),
                    found: Some("1".to_owned()),
                    wanted: "2".to_owned()
                },
                Difference::UnknownConfig {
                    name: "retenton.ms".to_owned()
                },
            ]
        );
        assert!(!differences[1].can_be_applied());
    }
}
