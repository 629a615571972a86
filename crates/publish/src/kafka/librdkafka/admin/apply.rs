//! Execution of a plan, and verification of its result.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use super::plan::{Difference, Plan, PlannedTopic};
use super::refusal::INVALID_CONFIG;
use super::topic::{FoundTopic, WantedTopic};
use super::{Admin, RequestMode, validate};
use crate::failure::{Failure, FailureCode, FailureKind};

/// Time that a change may take to reach the broker that is asked about it.
const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Outcome of a plan for one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Name of the topic.
    pub topic: String,
    /// State of the topic now; `None` if it does not exist or can't be read.
    pub found: Option<FoundTopic>,
    /// Differences that were resolved, as read back from the cluster.
    pub done: Vec<Difference>,
    /// Differences that remain, including those that can't be applied.
    pub left: Vec<Difference>,
    /// Failure of a difference that can be applied.
    pub failure: Option<Failure>,
}

impl Admin {
    /// Compares these topics with the cluster, and asks the cluster which changes it would refuse.
    /// Nothing is changed.
    ///
    /// # Errors
    /// Those of [`Admin::find`].
    pub fn plan(&self, wanted: Vec<WantedTopic>) -> Result<Plan, Failure> {
        let found = self.find(wanted.iter().map(|topic| topic.name.as_str()))?;
        let mut plan = Plan::new(wanted, &found);
        self.predict_refusals(&mut plan)?;
        Ok(plan)
    }

    /// Fills in the refusals: of the local validation, then of the cluster.
    fn predict_refusals(&self, plan: &mut Plan) -> Result<(), Failure> {
        let brokers = self.broker_count()?;
        let mut impossible = BTreeSet::new();
        for (index, topic) in plan.topics.iter_mut().enumerate() {
            topic.refusal = validate::planned(topic, brokers).err();
            if topic.refusal.is_some() {
                impossible.insert(index);
            }
        }
        let missing = |topic: &&mut PlannedTopic| {
            topic.refusal.is_none() && topic.differences.contains(&Difference::Missing)
        };
        let mut missing: Vec<_> = plan.topics.iter_mut().filter(missing).collect();
        let asked: Vec<_> = missing.iter().map(|topic| &topic.wanted).collect();
        let answers = self.create(&asked, RequestMode::ValidateOnly);
        for (topic, answer) in missing.iter_mut().zip(answers) {
            topic.refusal = answer.err();
        }
        self.predict_refused_values(plan, &impossible);
        Ok(())
    }

    /// Finds the values of configurations that the cluster does not take. It can be asked about a
    /// topic that is to be made, and reports only that something is wrong: so each value is asked
    /// about alone, on a topic that does not exist and is not made.
    ///
    /// Topics that are impossible anyway are left out.
    fn predict_refused_values(&self, plan: &mut Plan, impossible: &BTreeSet<usize>) {
        let (mut subjects, mut probes) = (Vec::new(), Vec::new());
        let topics = plan.topics.iter().enumerate();
        for (index, topic) in topics.filter(|(index, _)| !impossible.contains(index)) {
            for (name, value) in values_to_set(topic) {
                probes.push(probe(&topic.wanted.name, subjects.len(), name, value));
                subjects.push((index, format!("{name}={value}")));
            }
        }
        let answers = self.create(
            &probes.iter().collect::<Vec<_>>(),
            RequestMode::ValidateOnly,
        );
        let mut refused: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for ((index, value), answer) in subjects.into_iter().zip(answers) {
            // A user who may change a topic may lack the right to create one of another name; then
            // the answer contains nothing about the value.
            if answer.is_err_and(|failure| failure.code == INVALID_CONFIG) {
                refused.entry(index).or_default().push(value);
            }
        }
        for (index, values) in refused {
            let detail = format!("Kafka does not accept {}", values.join(", "));
            let failure = Failure::new(FailureKind::Permanent, INVALID_CONFIG, detail);
            plan.topics[index].refusal = Some(failure);
        }
    }

    /// Applies a plan: creates topics, adds partitions, and sets configuration values. Nothing is
    /// deleted, and no other configuration value is changed. A failure of one topic does not affect
    /// the others. Changes that the cluster would refuse are not tried.
    ///
    /// The outcome of each topic is the state read back from the cluster, not its answer.
    pub fn apply(&self, plan: &Plan) -> Vec<Outcome> {
        let missing = topics_with(plan, |difference| *difference == Difference::Missing);
        let few = topics_with(plan, |difference| {
            matches!(difference, Difference::TooFewPartitions { .. })
        });
        let drifted = topics_with(plan, |difference| {
            matches!(difference, Difference::Config { .. })
        });
        let created = self.create(&wanted(&missing), RequestMode::Execute);
        let grown = self.add_partitions(&wanted(&few));
        let set = drifted.iter().map(|topic| self.set_config(topic));
        let results = missing.iter().zip(created);
        let results = results.chain(few.iter().zip(grown));
        let results = results.chain(drifted.iter().zip(set));
        let mut failures = BTreeMap::new();
        for topic in plan.topics.iter().filter(|topic| topic.can_be_applied()) {
            if let Some(refusal) = &topic.refusal {
                failures.insert(topic.wanted.name.as_str(), refusal.clone());
            }
        }
        for (topic, result) in results {
            if let Err(failure) = result {
                failures
                    .entry(topic.wanted.name.as_str())
                    .or_insert(failure);
            }
        }
        self.verify(plan, failures)
    }

    /// Sets the values that differ. `AlterConfigs` replaces all values of a topic, so the other
    /// values are read first and sent along.
    fn set_config(&self, topic: &PlannedTopic) -> Result<(), Failure> {
        let name = topic.wanted.name.as_str();
        let mut found = self.find([name])?;
        let found = found.remove(name).and_then(|topic| topic.config);
        let found = found.ok_or_else(|| {
            let detail = "its configuration can't be read any more";
            Failure::new(
                FailureKind::Permanent,
                FailureCode::ConfigUnreadable,
                detail,
            )
        })?;
        let mut config = BTreeMap::new();
        for (key, entry) in found.iter().filter(|(_, entry)| entry.is_own) {
            let value = entry.value.clone().ok_or_else(|| {
                Failure::new(
                    FailureKind::Permanent,
                    FailureCode::SecretConfig,
                    format!(
                        "Kafka does not show the value of {key}, which would be lost by setting \
                         another; use kafka-configs.sh"
                    ),
                )
            })?;
            config.insert(key.clone(), value);
        }
        for difference in &topic.differences {
            if let Difference::Config { name, wanted, .. } = difference {
                config.insert(name.clone(), wanted.clone());
            }
        }
        self.replace_config(name, &config)
    }

    /// Reads the topics until the changes are visible.
    fn verify(&self, plan: &Plan, mut failures: BTreeMap<&str, Failure>) -> Vec<Outcome> {
        let names = plan.topics.iter().map(|topic| topic.wanted.name.as_str());
        let names: Vec<_> = names.collect();
        let wanted = plan.topics.iter().map(|topic| topic.wanted.clone());
        let wanted: Vec<_> = wanted.collect();
        let started = Instant::now();
        loop {
            let now = match self.find(names.iter().copied()) {
                Ok(found) => Plan::new(wanted.clone(), &found),
                Err(failure) => return unverified(plan, &failure),
            };
            let waiting = now.topics.iter().any(|topic| {
                topic.can_be_applied() && !failures.contains_key(topic.wanted.name.as_str())
            });
            if waiting && started.elapsed() < PROPAGATION_TIMEOUT {
                thread::sleep(Duration::from_millis(100));
                continue;
            }
            return plan
                .topics
                .iter()
                .zip(now.topics)
                .map(|(before, after)| {
                    let failure = failures.remove(before.wanted.name.as_str());
                    outcome(before, after, failure)
                })
                .collect();
        }
    }
}

/// Returns the topics with such a difference whose change the cluster would not refuse.
fn topics_with(plan: &Plan, is: impl Fn(&Difference) -> bool) -> Vec<&PlannedTopic> {
    let topics = plan.topics.iter().filter(|topic| topic.refusal.is_none());
    topics
        .filter(|topic| topic.differences.iter().any(&is))
        .collect()
}

fn wanted<'a>(topics: &[&'a PlannedTopic]) -> Vec<&'a WantedTopic> {
    topics.iter().map(|topic| &topic.wanted).collect()
}

/// Returns the configuration values that the cluster has to validate.
fn values_to_set(topic: &PlannedTopic) -> Vec<(&str, &str)> {
    if topic.differences.contains(&Difference::Missing) {
        let refused = |refusal: &Failure| refusal.code == INVALID_CONFIG;
        let wanted = topic.wanted.config.iter();
        return match &topic.refusal {
            Some(refusal) if refused(refusal) => {
                wanted.map(|(name, value)| (&**name, &**value)).collect()
            }
            _ => Vec::new(),
        };
    }
    let values = topic.differences.iter().filter_map(|difference| {
        if let Difference::Config { name, wanted, .. } = difference {
            Some((name.as_str(), wanted.as_str()))
        } else {
            None
        }
    });
    values.collect()
}

/// Creates a topic for validation, with one configuration value. Its name begins like that of the
/// topic, because rights are often granted by prefix.
fn probe(topic: &str, number: usize, name: &str, value: &str) -> WantedTopic {
    let suffix = format!(".herald-check-{number}");
    let most = herald_envelope::topic::MAX_LENGTH - suffix.len();
    let beginning = topic.get(..most).unwrap_or(topic);
    WantedTopic {
        config: [(name.to_owned(), value.to_owned())].into(),
        ..WantedTopic::new(format!("{beginning}{suffix}"))
    }
}

fn outcome(before: &PlannedTopic, after: PlannedTopic, failure: Option<Failure>) -> Outcome {
    let is_left = |difference: &&Difference| {
        let still = |left: &Difference| same_subject(left, difference);
        after.differences.iter().any(still)
    };
    let done = before.differences.iter().filter(|d| !is_left(d)).cloned();
    let done: Vec<_> = done.collect();
    let failure = match failure {
        // Another process was faster, and the topic is as wanted.
        Some(_) if !after.can_be_applied() => None,
        None if after.can_be_applied() => Some(unchanged(&after)),
        other => other,
    };
    Outcome {
        topic: after.wanted.name,
        found: after.found,
        done,
        left: after.differences,
        failure,
    }
}

/// Returns whether two differences concern the same property of a topic.
fn same_subject(left: &Difference, right: &Difference) -> bool {
    match (left, right) {
        (Difference::Config { name: a, .. }, Difference::Config { name: b, .. }) => a == b,
        (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
    }
}

/// Returns the failure of a request that the cluster confirmed without changing the topic.
fn unchanged(after: &PlannedTopic) -> Failure {
    let names: Vec<_> = after
        .differences
        .iter()
        .filter_map(|difference| match difference {
            Difference::Config { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let detail = if names.is_empty() {
        "Kafka accepted the request, but the topic did not change".to_owned()
    } else {
        format!(
            "Kafka did not set {}: the value may not be valid, or the user may \
             lack the right AlterConfigs",
            names.join(", ")
        )
    };
    Failure::new(FailureKind::Permanent, FailureCode::Unchanged, detail)
}

/// Returns the outcomes of a plan whose result can't be read.
fn unverified(plan: &Plan, failure: &Failure) -> Vec<Outcome> {
    let outcome = |topic: &PlannedTopic| Outcome {
        topic: topic.wanted.name.clone(),
        found: None,
        done: Vec::new(),
        left: topic.differences.clone(),
        failure: topic.can_be_applied().then(|| Failure {
            detail: format!("what was done can't be read back: {}", failure.detail),
            ..failure.clone()
        }),
    };
    plan.topics.iter().map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drifted(name: &str) -> PlannedTopic {
        PlannedTopic {
            wanted: WantedTopic::new(name),
            found: Some(FoundTopic {
                partitions: 1,
                replicas: 1..=1,
                config: None,
            }),
            differences: vec![Difference::Config {
                name: "retention.ms".to_owned(),
                found: Some("1".to_owned()),
                wanted: "2".to_owned(),
            }],
            refusal: None,
        }
    }

    #[test]
    fn probe_of_a_long_topic_is_a_valid_topic() {
        for length in [1, 240, 249] {
            let topic = drifted(&"t".repeat(length));
            let values = values_to_set(&topic);
            assert_eq!(values, [("retention.ms", "2")]);
            let probe = probe(&topic.wanted.name, 1_000_000, "retention.ms", "2");
            assert_eq!(herald_envelope::topic::validate(&probe.name), Ok(()));
            assert_ne!(probe.name, topic.wanted.name);
        }
    }

    #[test]
    fn value_that_kafka_did_not_set_is_a_failure() {
        let before = drifted("orders");
        let outcome = outcome(&before, before.clone(), None);
        let failure = outcome.failure.unwrap();
        assert_eq!(failure.code, FailureCode::Unchanged);
        assert!(failure.detail.contains("retention.ms"));
        assert_eq!((outcome.done, outcome.left), (vec![], before.differences));
    }

    #[test]
    fn topic_created_by_another_process_is_done() {
        let before = PlannedTopic {
            differences: vec![Difference::Missing],
            ..drifted("orders")
        };
        let after = PlannedTopic {
            differences: vec![],
            ..drifted("orders")
        };
        let failure = Failure::new(FailureKind::Permanent, FailureCode::TopicExists, "");
        let outcome = outcome(&before, after, Some(failure));
        assert_eq!(outcome.failure, None);
        assert_eq!(outcome.done, [Difference::Missing]);
    }
}
