//! Doing what a plan says, and looking whether it was done.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::plan::{Difference, Plan, PlannedTopic};
use super::refusal::INVALID_CONFIG;
use super::topic::{FoundTopic, WantedTopic};
use super::{Admin, Mode};
use crate::failure::{Failure, FailureCode, FailureKind};

/// How long a change may take to reach the broker that is asked about it.
const SETTLING: Duration = Duration::from_secs(10);

/// What became of one topic of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The topic.
    pub topic: String,
    /// As it is now; `None` when it is not there, or can't be read back.
    pub found: Option<FoundTopic>,
    /// What was changed, read back from the cluster.
    pub done: Vec<Difference>,
    /// What is still not as wanted; all that can't be applied is among it.
    pub left: Vec<Difference>,
    /// Why something that can be applied was not.
    pub failure: Option<Failure>,
}

impl Admin {
    /// Compares these topics with the cluster, and asks the cluster what of it would be refused.
    /// Nothing is changed.
    ///
    /// # Errors
    /// Those of [`Admin::find`].
    pub fn plan(&self, wanted: Vec<WantedTopic>) -> Result<Plan, Failure> {
        let found = self.find(wanted.iter().map(|topic| topic.name.as_str()))?;
        let mut plan = Plan::new(wanted, &found);
        self.foresee(&mut plan);
        Ok(plan)
    }

    /// Fills in what the cluster would refuse.
    fn foresee(&self, plan: &mut Plan) {
        let missing = |topic: &&mut PlannedTopic| topic.differences.contains(&Difference::Missing);
        let mut missing: Vec<_> = plan.topics.iter_mut().filter(missing).collect();
        let asked: Vec<_> = missing.iter().map(|topic| &topic.wanted).collect();
        let answers = self.create(&asked, Mode::CheckOnly);
        for (topic, answer) in missing.iter_mut().zip(answers) {
            topic.refusal = answer.err();
        }
        self.foresee_values(plan);
    }

    /// Finds the values of configurations that the cluster does not take. It can be asked about a
    /// topic that is to be made, and says only that something is wrong: so each value is asked
    /// about alone, on a topic that does not exist and is not made.
    fn foresee_values(&self, plan: &mut Plan) {
        let (mut subjects, mut probes) = (Vec::new(), Vec::new());
        for (index, topic) in plan.topics.iter().enumerate() {
            for (name, value) in values_to_set(topic) {
                probes.push(probe(&topic.wanted.name, subjects.len(), name, value));
                subjects.push((index, format!("{name}={value}")));
            }
        }
        let answers = self.create(&probes.iter().collect::<Vec<_>>(), Mode::CheckOnly);
        let mut refused: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for ((index, value), answer) in subjects.into_iter().zip(answers) {
            // Whoever may change a topic need not be allowed to make one of another name; then the
            // answer says nothing about the value.
            if answer.is_err_and(|failure| failure.code == INVALID_CONFIG) {
                refused.entry(index).or_default().push(value);
            }
        }
        for (index, values) in refused {
            let detail = format!("Kafka does not take {}", values.join(", "));
            let failure = Failure::new(FailureKind::Permanent, INVALID_CONFIG, detail);
            plan.topics[index].refusal = Some(failure);
        }
    }

    /// Does what can be done. Topics are created, partitions added, values of the configuration
    /// set; nothing is deleted and no other value of the configuration is touched. One topic's
    /// failure does not keep the others from being done. What the cluster said it would refuse is
    /// not tried.
    ///
    /// The result for each topic is what the cluster shows afterwards, not what it promised.
    pub fn apply(&self, plan: &Plan) -> Vec<Outcome> {
        let missing = topics_with(plan, |difference| *difference == Difference::Missing);
        let few = topics_with(plan, |difference| {
            matches!(difference, Difference::TooFewPartitions { .. })
        });
        let drifted = topics_with(plan, |difference| {
            matches!(difference, Difference::Config { .. })
        });
        let created = self.create(&wanted(&missing), Mode::Do);
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

    /// Sets the values that differ. Kafka's request for that replaces all values of a topic, so
    /// those that were set before are read just before and sent along.
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

    /// Reads the topics again until they are as they should be now.
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
            if waiting && started.elapsed() < SETTLING {
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

/// Topics with a difference of this sort that the cluster would not refuse to mend.
fn topics_with(plan: &Plan, is: impl Fn(&Difference) -> bool) -> Vec<&PlannedTopic> {
    let topics = plan.topics.iter().filter(|topic| topic.refusal.is_none());
    topics
        .filter(|topic| topic.differences.iter().any(&is))
        .collect()
}

fn wanted<'a>(topics: &[&'a PlannedTopic]) -> Vec<&'a WantedTopic> {
    topics.iter().map(|topic| &topic.wanted).collect()
}

/// Values of the configuration about which the cluster has to be asked.
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

/// A topic that nobody has, with one value of the configuration. Its name begins as that of the
/// topic, as rights are often given by the beginning of a name.
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
        // Somebody else was quicker, and the topic is as it should be.
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

/// Whether two differences are about the same thing, whatever was found there.
fn same_subject(left: &Difference, right: &Difference) -> bool {
    match (left, right) {
        (Difference::Config { name: a, .. }, Difference::Config { name: b, .. }) => a == b,
        (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
    }
}

/// The cluster took a request and yet did nothing.
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
        "Kafka took the request, but the topic did not change".to_owned()
    } else {
        format!(
            "Kafka did not set {}: the value may be one that it does not take, or the user may \
             lack the right AlterConfigs",
            names.join(", ")
        )
    };
    Failure::new(FailureKind::Permanent, FailureCode::Unchanged, detail)
}

/// Nobody knows what became of a plan.
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
    fn the_probe_of_a_long_topic_is_a_topic_too() {
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
    fn a_value_that_kafka_did_not_set_is_a_failure_without_anybody_saying_so() {
        let before = drifted("orders");
        let outcome = outcome(&before, before.clone(), None);
        let failure = outcome.failure.unwrap();
        assert_eq!(failure.code, FailureCode::Unchanged);
        assert!(failure.detail.contains("retention.ms"));
        assert_eq!((outcome.done, outcome.left), (vec![], before.differences));
    }

    #[test]
    fn a_topic_that_somebody_else_just_made_is_done() {
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
