//! Topics of a cluster: compared with what is wanted, created, extended. Nothing is deleted here.

mod apply;
mod plan;
mod refusal;
mod topic;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewPartitions, NewTopic,
    OwnedResourceSpecifier, ResourceSpecifier, TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::metadata::MetadataTopic;

pub use apply::Outcome;
pub use plan::{Difference, Plan, PlannedTopic};
pub use topic::{Entry, FoundTopic, WantedTopic};

use super::contact::{self, Contact};
use super::defaults::For;
use super::dev;
use super::options::{KafkaOptions, invalid};
use super::wait::wait;
use crate::failure::{Failure, FailureCode, FailureKind};

/// Topics of one request. A broker answers a request when all of it is done, so a larger one
/// could take longer than the time for an answer.
const BATCH: usize = 100;

/// A whole configuration, by the names of its values.
type Config = BTreeMap<String, Entry>;

/// Lets the broker choose the number.
const DEFAULT_OF_BROKER: i32 = -1;

/// Whether a request is carried out or only checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Do,
    CheckOnly,
}

/// A cluster's topics. Every call blocks until the cluster has answered, or the time for an
/// answer is over.
pub struct Admin {
    /// Changes topics. Its requests go to the controller.
    client: AdminClient<DefaultClientContext>,
    /// Asks what there is. It also hears why nobody answers, which an admin client does not.
    eyes: BaseConsumer<Contact>,
    servers: String,
    timeout: Duration,
}

impl Admin {
    /// Connects. An answer is waited for at most `timeout`, now and with every call.
    ///
    /// # Errors
    /// Those of [`KafkaOptions::client_config`], and `unreachable`, `authentication_failed` or
    /// `tls_failed`; `unsupported` for a [`DevCluster`](super::DevCluster).
    pub fn connect(options: &KafkaOptions, timeout: Duration) -> Result<Self, Failure> {
        let resolved = options.resolve(For::All)?;
        let eyes = contact::client(options, &[])?;
        let servers = options.bootstrap_servers().to_owned();
        contact::reach(&eyes, &servers, timeout)?;
        let cluster = eyes.client().fetch_cluster_id(timeout);
        if cluster.is_some_and(|id| dev::is_in_memory(&id)) {
            return Err(Failure::new(
                FailureKind::Permanent,
                FailureCode::Unsupported,
                format!(
                    "the cluster at {servers} is one in memory, which answers nothing about topics"
                ),
            ));
        }
        let client = resolved
            .config
            .create()
            .map_err(|error| invalid(&error, &resolved.scrub))?;
        Ok(Self {
            client,
            eyes,
            servers,
            timeout,
        })
    }

    /// Names of all topics that the cluster shows, its internal ones included.
    ///
    /// # Errors
    /// `unreachable`.
    pub fn topic_names(&self) -> Result<BTreeSet<String>, Failure> {
        let metadata = contact::reach(&self.eyes, &self.servers, self.timeout)?;
        let names = metadata.topics().iter().map(MetadataTopic::name);
        Ok(names.map(str::to_owned).collect())
    }

    /// Those of these topics that exist, as they are.
    ///
    /// # Errors
    /// `unreachable` and `timed_out`.
    pub fn find<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, FoundTopic>, Failure> {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let metadata = contact::reach(&self.eyes, &self.servers, self.timeout)?;
        let mut found = BTreeMap::new();
        for topic in metadata.topics() {
            if names.contains(topic.name()) && !topic.partitions().is_empty() {
                found.insert(topic.name().to_owned(), without_config(topic));
            }
        }
        let existing: Vec<String> = found.keys().cloned().collect();
        for batch in existing.chunks(BATCH) {
            for (name, config) in self.configs(batch)? {
                if let Some(topic) = found.get_mut(&name) {
                    // rdkafka passes on no error of a single topic, only an empty configuration.
                    topic.config = Some(config).filter(|config| !config.is_empty());
                }
            }
        }
        Ok(found)
    }

    fn configs(&self, names: &[String]) -> Result<BTreeMap<String, Config>, Failure> {
        let topics: Vec<_> = names
            .iter()
            .map(|name| ResourceSpecifier::Topic(name))
            .collect();
        let answers = wait(
            self.client
                .describe_configs(&topics, &self.options(Mode::Do)),
        )
        .map_err(|error| refusal::of_request(&error, "reading configurations"))?;
        let config = |resource: ConfigResource| match resource.specifier {
            OwnedResourceSpecifier::Topic(name) => {
                let entries = resource.entries.into_iter().map(|entry| {
                    let own = entry.source == ConfigSource::DynamicTopic;
                    let value = entry.value.filter(|_| !entry.is_sensitive);
                    (entry.name, Entry { value, is_own: own })
                });
                Some((name, entries.collect()))
            }
            _ => None,
        };
        Ok(answers.into_iter().flatten().filter_map(config).collect())
    }

    /// Creates topics, or checks whether the cluster would. A result for each, in the same order.
    fn create(&self, topics: &[&WantedTopic], mode: Mode) -> Vec<Result<(), Failure>> {
        each(topics, "creating", |batch| {
            let topics: Vec<_> = batch.iter().map(|topic| new_topic(topic)).collect();
            wait(self.client.create_topics(&topics, &self.options(mode)))
        })
    }

    /// Brings topics to a number of partitions. A result for each, in the same order.
    fn add_partitions(&self, topics: &[&WantedTopic]) -> Vec<Result<(), Failure>> {
        each(topics, "adding partitions", |batch| {
            let topics: Vec<_> = batch
                .iter()
                .filter_map(|topic| {
                    let partitions = usize::try_from(topic.partitions?).ok()?;
                    Some(NewPartitions::new(&topic.name, partitions))
                })
                .collect();
            wait(
                self.client
                    .create_partitions(&topics, &self.options(Mode::Do)),
            )
        })
    }

    /// Sets the whole configuration of a topic: what is not in `config` goes back to its default.
    /// Success means only that the cluster answered: rdkafka does not pass on what it said about
    /// the topic, so the configuration has to be read again.
    fn replace_config(
        &self,
        topic: &str,
        config: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let mut change = AlterConfig::new(ResourceSpecifier::Topic(topic));
        for (name, value) in config {
            change = change.set(name, value);
        }
        wait(
            self.client
                .alter_configs(&[change], &self.options(Mode::Do)),
        )
        .map(|_| ())
        .map_err(|error| refusal::of_request(&error, "changing the configuration"))
    }

    fn options(&self, mode: Mode) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.timeout))
            .operation_timeout(Some(self.timeout))
            .validate_only(mode == Mode::CheckOnly)
    }
}

/// One request for each batch of topics, and the answers in the order of the topics.
fn each(
    topics: &[&WantedTopic],
    doing: &'static str,
    request: impl Fn(&[&WantedTopic]) -> KafkaResult<Vec<TopicResult>>,
) -> Vec<Result<(), Failure>> {
    let mut results = Vec::with_capacity(topics.len());
    for batch in topics.chunks(BATCH) {
        match request(batch) {
            Ok(answers) => {
                let mut answers: BTreeMap<String, Result<(), Failure>> = answers
                    .into_iter()
                    .map(|answer| match answer {
                        Ok(name) => (name, Ok(())),
                        Err((name, code)) => (name, Err(refusal::of_topic(code))),
                    })
                    .collect();
                results.extend(batch.iter().map(|topic| {
                    let answer = answers.remove(&topic.name);
                    answer.unwrap_or_else(|| Err(refusal::no_answer(doing)))
                }));
            }
            Err(error) => {
                let failure = refusal::of_request(&error, doing);
                results.extend(batch.iter().map(|_| Err(failure.clone())));
            }
        }
    }
    results
}

fn new_topic(topic: &WantedTopic) -> NewTopic<'_> {
    let replicas = topic.replication_factor.map_or(DEFAULT_OF_BROKER, number);
    let replication = TopicReplication::Fixed(replicas);
    let partitions = topic.partitions.map_or(DEFAULT_OF_BROKER, number);
    let mut new = NewTopic::new(&topic.name, partitions, replication);
    for (name, value) in &topic.config {
        new = new.set(name, value);
    }
    new
}

/// Kafka counts in 32 bits with a sign; it refuses what is too large by itself.
fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn without_config(topic: &MetadataTopic) -> FoundTopic {
    let replicas = topic.partitions().iter().map(|p| count(p.replicas().len()));
    let least = replicas.clone().min().unwrap_or_default();
    let most = replicas.max().unwrap_or_default();
    FoundTopic {
        partitions: count(topic.partitions().len()),
        replicas: least..=most,
        config: None,
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
