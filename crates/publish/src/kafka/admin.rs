//! Administration of topics: compares them with the wanted ones, creates and extends them. Nothing
//! is deleted.

mod apply;
mod plan;
mod refusal;
mod topic;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
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
pub use topic::{ConfigEntry, FoundTopic, WantedTopic};

use super::config::ClientKind;
use super::config::{KafkaOptions, invalid};
use super::dev;
use super::metadata_client::{self, ErrorRecorder};
use crate::failure::{Failure, FailureCode, FailureKind};

/// Maximum number of topics in a request. A broker answers when all of it is done, so a larger one
/// could take longer than the timeout.
const MAX_TOPICS_PER_REQUEST: usize = 100;

/// Configuration of a topic, by name.
type Config = BTreeMap<String, ConfigEntry>;

/// Number that makes the broker use its default.
const BROKER_DEFAULT: i32 = -1;

/// Mode of a request: executed, or only validated by the broker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RequestMode {
    Execute,
    ValidateOnly,
}

/// Admin client for topics. Every call blocks until the cluster answers or the timeout has passed.
pub struct Admin {
    /// Client that changes topics. Its requests go to the controller.
    client: AdminClient<DefaultClientContext>,
    /// Client that reads metadata. Unlike the admin client it also learns why no broker answers.
    metadata_client: BaseConsumer<ErrorRecorder>,
    servers: String,
    timeout: Duration,
}

impl Admin {
    /// Connects. Each call, including this one, waits at most `timeout` for an answer.
    ///
    /// # Errors
    /// Those of [`KafkaOptions::client_config`], and `unreachable`, `authentication_failed` or
    /// `tls_failed`; `unsupported` for a [`DevCluster`](super::DevCluster).
    pub fn connect(options: &KafkaOptions, timeout: Duration) -> Result<Self, Failure> {
        let resolved = options.resolve(ClientKind::Any)?;
        let metadata_client = metadata_client::client(options, &[])?;
        let servers = options.bootstrap_servers().to_owned();
        metadata_client::reach(&metadata_client, &servers, timeout)?;
        let cluster = metadata_client.client().fetch_cluster_id(timeout);
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
            .map_err(|error| invalid(&error, &resolved.redactor))?;
        Ok(Self {
            client,
            metadata_client,
            servers,
            timeout,
        })
    }

    /// Returns the names of all visible topics, including internal ones.
    ///
    /// # Errors
    /// `unreachable`.
    pub fn topic_names(&self) -> Result<BTreeSet<String>, Failure> {
        let metadata = metadata_client::reach(&self.metadata_client, &self.servers, self.timeout)?;
        let names = metadata.topics().iter().map(MetadataTopic::name);
        Ok(names.map(str::to_owned).collect())
    }

    /// Returns those of the topics that exist, with partitions and configuration.
    ///
    /// # Errors
    /// `unreachable` and `timed_out`.
    pub fn find<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, FoundTopic>, Failure> {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let metadata = metadata_client::reach(&self.metadata_client, &self.servers, self.timeout)?;
        let mut found = BTreeMap::new();
        for topic in metadata.topics() {
            if names.contains(topic.name()) && !topic.partitions().is_empty() {
                found.insert(topic.name().to_owned(), without_config(topic));
            }
        }
        let existing: Vec<String> = found.keys().cloned().collect();
        for batch in existing.chunks(MAX_TOPICS_PER_REQUEST) {
            for (name, config) in self.configs(batch)? {
                if let Some(topic) = found.get_mut(&name) {
                    // rdkafka reports the error of a single topic only as an empty configuration.
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
                .describe_configs(&topics, &self.options(RequestMode::Execute)),
        )
        .map_err(|error| refusal::of_request(&error, "reading configurations"))?;
        let config = |resource: ConfigResource| match resource.specifier {
            OwnedResourceSpecifier::Topic(name) => {
                let entries = resource.entries.into_iter().map(|entry| {
                    let own = entry.source == ConfigSource::DynamicTopic;
                    let value = entry.value.filter(|_| !entry.is_sensitive);
                    (entry.name, ConfigEntry { value, is_own: own })
                });
                Some((name, entries.collect()))
            }
            _ => None,
        };
        Ok(answers.into_iter().flatten().filter_map(config).collect())
    }

    /// Creates topics, or validates their creation. Returns a result for each, in the same order.
    fn create(&self, topics: &[&WantedTopic], mode: RequestMode) -> Vec<Result<(), Failure>> {
        request_in_batches(topics, "creating", |batch| {
            let topics: Vec<_> = batch.iter().map(|topic| new_topic(topic)).collect();
            wait(self.client.create_topics(&topics, &self.options(mode)))
        })
    }

    /// Adds partitions to topics. Returns a result for each, in the same order.
    fn add_partitions(&self, topics: &[&WantedTopic]) -> Vec<Result<(), Failure>> {
        request_in_batches(topics, "adding partitions", |batch| {
            let topics: Vec<_> = batch
                .iter()
                .filter_map(|topic| {
                    let partitions = usize::try_from(topic.partitions?).ok()?;
                    Some(NewPartitions::new(&topic.name, partitions))
                })
                .collect();
            wait(
                self.client
                    .create_partitions(&topics, &self.options(RequestMode::Execute)),
            )
        })
    }

    /// Replaces the whole configuration of a topic: values that are not in `config` are reset to
    /// their defaults. Success only means that the cluster answered: rdkafka does not return the
    /// result for the topic, so the configuration has to be read again.
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
                .alter_configs(&[change], &self.options(RequestMode::Execute)),
        )
        .map(|_| ())
        .map_err(|error| refusal::of_request(&error, "changing the configuration"))
    }

    fn options(&self, mode: RequestMode) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.timeout))
            .operation_timeout(Some(self.timeout))
            .validate_only(mode == RequestMode::ValidateOnly)
    }
}

/// Sends a request per batch of topics, and returns the answers in the order of the topics.
fn request_in_batches(
    topics: &[&WantedTopic],
    doing: &'static str,
    request: impl Fn(&[&WantedTopic]) -> KafkaResult<Vec<TopicResult>>,
) -> Vec<Result<(), Failure>> {
    let mut results = Vec::with_capacity(topics.len());
    for batch in topics.chunks(MAX_TOPICS_PER_REQUEST) {
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
    let replicas = topic.replication_factor.map_or(BROKER_DEFAULT, number);
    let replication = TopicReplication::Fixed(replicas);
    let partitions = topic.partitions.map_or(BROKER_DEFAULT, number);
    let mut new = NewTopic::new(&topic.name, partitions, replication);
    for (name, value) in &topic.config {
        new = new.set(name, value);
    }
    new
}

/// Converts a number for Kafka, which uses signed 32-bit numbers and refuses large ones itself.
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

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks this thread until the answer comes, without an async runtime. Requests have timeouts of
/// their own.
fn wait<F: Future>(answer: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut answer = pin!(answer);
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            // A wake-up between the poll and `park` is not lost: `unpark` leaves a token, with
            // which `park` returns at once.
            Poll::Pending => thread::park(),
        }
    }
}
