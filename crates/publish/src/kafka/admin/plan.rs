//! Topics as wanted, held against topics as they are.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::topic::{FoundTopic, WantedTopic};
use crate::failure::Failure;

/// What has to be done so that topics are as wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order of their names, each once.
    pub topics: Vec<PlannedTopic>,
}

/// A topic and how it differs from what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTopic {
    /// As it should be.
    pub wanted: WantedTopic,
    /// As it is; `None` when there is none.
    pub found: Option<FoundTopic>,
    /// Empty when all is as wanted.
    pub differences: Vec<Difference>,
    /// Why the cluster would refuse what can be done, as far as it was asked.
    pub refusal: Option<Failure>,
}

/// One way in which a topic is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// There is no such topic.
    Missing,
    /// Partitions can be added. Events of a key may then go to another partition than before.
    TooFewPartitions {
        /// How many there are.
        found: u32,
        /// How many there should be.
        wanted: u32,
    },
    /// Kafka can't take partitions away.
    TooManyPartitions {
        /// How many there are.
        found: u32,
        /// How many there should be.
        wanted: u32,
    },
    /// Replicas are moved by Kafka's own tools only: it takes bandwidth, and somebody has to
    /// choose the brokers.
    Replication {
        /// The fewest and the most replicas that a partition has.
        found: RangeInclusive<u32>,
        /// How many each should have.
        wanted: u32,
    },
    /// A value of the configuration is another one.
    Config {
        /// Name of the value.
        name: String,
        /// What it is; `None` where Kafka keeps it secret.
        found: Option<String>,
        /// What it should be.
        wanted: String,
    },
    /// The user may not see the configuration, so nobody knows whether it differs.
    HiddenConfig,
    /// The cluster knows no configuration of this name.
    UnknownConfig {
        /// The name.
        name: String,
    },
}

impl Difference {
    /// Whether [`Admin::apply`](super::Admin::apply) does it.
    pub fn can_be_applied(&self) -> bool {
        matches!(
            self,
            Self::Missing | Self::TooFewPartitions { .. } | Self::Config { .. }
        )
    }
}

impl Plan {
    /// Compares. Nothing is asked and nothing is changed.
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

    /// Whether all topics are as wanted.
    pub fn is_in_sync(&self) -> bool {
        self.topics.iter().all(PlannedTopic::is_in_sync)
    }
}

impl PlannedTopic {
    /// Whether it is as wanted.
    pub fn is_in_sync(&self) -> bool {
        self.differences.is_empty()
    }

    /// Whether there is something to do that can be done.
    pub fn can_be_applied(&self) -> bool {
        self.differences.iter().any(Difference::can_be_applied)
    }

    /// Whether there is something to do that is left to a person.
    pub fn needs_a_person(&self) -> bool {
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

/// Whether two values mean the same: Kafka takes spaces around the commas of a list, and booleans
/// in any case, and gives them back as they were written.
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
    use super::super::topic::Entry;
    use super::*;

    fn found(partitions: u32, replicas: u32, config: &[(&str, &str)]) -> FoundTopic {
        let entry = |value: &str| Entry {
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
    fn what_nobody_asked_for_is_no_difference() {
        let found = found(7, 2, &[("retention.ms", "1")]);
        assert_eq!(differences(&WantedTopic::new("orders"), Some(&found)), []);
    }

    #[test]
    fn partitions_can_be_added_and_never_taken_away() {
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
    fn one_partition_with_fewer_replicas_is_a_difference_that_is_not_applied() {
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
    fn values_of_the_configuration_are_compared_by_what_they_mean() {
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
    fn a_configuration_that_nobody_may_see_is_never_set() {
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
    fn a_configuration_that_the_cluster_does_not_know_is_never_sent() {
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
