//! Administration of topics: compares them with the wanted ones, creates and extends them. Nothing
//! is deleted.

mod apply;
mod plan;
mod refusal;
mod topic;
mod validate;

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

use super::client_config::invalid;
use super::error;
use super::metadata_client::{self, ErrorRecorder};
use super::tokens::TokenKeeper;
use super::topic_description::{self, TopicDescription};
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::kafka::classify;
use crate::kafka::cluster_id;
use crate::kafka::config::{ClientKind, KafkaOptions};
use crate::kafka::error_code::ErrorCode;

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

/// Broker of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Id of the broker.
    pub id: i32,
    /// Host that it advertises.
    pub host: String,
    /// Port that it advertises.
    pub port: u16,
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
        let resolved = options.configure(ClientKind::Any)?;
        let metadata_client = metadata_client::connect(options, &[], timeout)?;
        let servers = options.bootstrap_servers().to_owned();
        let cluster = metadata_client.client().fetch_cluster_id(timeout);
        if cluster.is_some_and(|id| cluster_id::is_in_memory(&id)) {
            return Err(Failure::new(
                FailureKind::Permanent,
                FailureCode::Unsupported,
                format!(
                    "the cluster at {servers} is one in memory, which answers nothing about topics"
                ),
            ));
        }
        let client: AdminClient<DefaultClientContext> = resolved
            .config
            .create()
            .map_err(|error| invalid(&error, &resolved.redactor))?;
        if let Some(mut tokens) = TokenKeeper::new(options)? {
            // The metadata client has it already.
            tokens.keep(client.inner()).map_err(|problem| {
                classify::connection_failure(ErrorCode::Authentication, &problem)
            })?;
        }
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

    /// Returns the brokers that are available, with the addresses that they advertise.
    ///
    /// # Errors
    /// `unreachable`.
    pub fn brokers(&self) -> Result<Vec<Broker>, Failure> {
        let metadata = metadata_client::reach(&self.metadata_client, &self.servers, self.timeout)?;
        let brokers = metadata.brokers().iter().map(|broker| Broker {
            id: broker.id(),
            host: broker.host().to_owned(),
            port: u16::try_from(broker.port()).unwrap_or_default(),
        });
        Ok(brokers.collect())
    }

    /// Returns the number of brokers that are available.
    ///
    /// # Errors
    /// `unreachable`.
    pub fn broker_count(&self) -> Result<u32, Failure> {
        Ok(count(self.brokers()?.len()))
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

    /// Asks what this client may do with topics, and how large their batches may be. Topics that the
    /// cluster does not describe are missing from the answer.
    pub fn describe(&self, topics: &[String]) -> BTreeMap<String, TopicDescription> {
        let topics: Vec<Box<str>> = topics.iter().map(|name| name.as_str().into()).collect();
        let mut described = BTreeMap::new();
        for batch in topics.chunks(MAX_TOPICS_PER_REQUEST) {
            let client = self.client.inner();
            let answers = topic_description::describe(client, batch, self.timeout, || true);
            let named = answers.into_iter().map(|(name, it)| (name.into(), it));
            described.extend(named);
        }
        described
    }

    /// Returns the id of the cluster, if it has told one.
    pub fn cluster_id(&self) -> Option<String> {
        self.metadata_client.client().fetch_cluster_id(self.timeout)
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

/// Sends one request for each batch of topics and returns the results in the order of the topics.
///
/// A topic that makes the whole request fail does not take the others of its batch with it: they
/// are sent again one by one.
fn request_in_batches(
    topics: &[&WantedTopic],
    doing: &'static str,
    request: impl Fn(&[&WantedTopic]) -> KafkaResult<Vec<TopicResult>>,
) -> Vec<Result<(), Failure>> {
    let send = |batch: &[&WantedTopic]| match request(batch) {
        Ok(answers) => {
            let mut answers: BTreeMap<String, Result<(), Failure>> = answers
                .into_iter()
                .map(|answer| match answer {
                    Ok(name) => (name, Ok(())),
                    Err((name, code)) => (name, Err(refusal::of_topic(error::code(code)))),
                })
                .collect();
            let answer = |topic: &&WantedTopic| {
                let answer = answers.remove(&topic.name);
                answer.unwrap_or_else(|| Err(refusal::no_answer(doing)))
            };
            batch.iter().map(answer).collect::<Vec<_>>()
        }
        Err(error) => {
            let failure = refusal::of_request(&error, doing);
            batch.iter().map(|_| Err(failure.clone())).collect()
        }
    };
    let mut results = Vec::with_capacity(topics.len());
    for batch in batches(topics) {
        let of_batch = send(batch);
        if batch.len() > 1 && may_be_fault_of_one(&of_batch) {
            results.extend(batch.chunks(1).flat_map(send));
        } else {
            results.extend(of_batch);
        }
    }
    results
}

/// Splits topics into requests with at most [`MAX_TOPICS_PER_REQUEST`] topics and as many partitions as Kafka takes.
fn batches<'a, 't>(topics: &'t [&'a WantedTopic]) -> Vec<&'t [&'a WantedTopic]> {
    let mut batches = Vec::new();
    let (mut start, mut partitions) = (0, 0_u32);
    for (at, topic) in topics.iter().enumerate() {
        partitions = partitions.saturating_add(topic.partitions.unwrap_or(1));
        if at > start
            && (at - start == MAX_TOPICS_PER_REQUEST || partitions > validate::MAX_PARTITIONS)
        {
            batches.push(&topics[start..at]);
            start = at;
            partitions = topic.partitions.unwrap_or(1);
        }
    }
    if start < topics.len() {
        batches.push(&topics[start..]);
    }
    batches
}

/// Returns whether all topics of a batch failed with one permanent error that a single topic of it
/// can cause. Missing permissions and time-outs concern every topic, so those are not asked again.
fn may_be_fault_of_one(results: &[Result<(), Failure>]) -> bool {
    let Some(Err(first)) = results.first() else {
        return false;
    };
    first.kind == FailureKind::Permanent
        && !matches!(
            first.code,
            FailureCode::NotAuthorized | FailureCode::TopicExists
        )
        && results
            .iter()
            .all(|result| matches!(result, Err(failure) if failure.code == first.code))
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use rdkafka::error::{KafkaError, RDKafkaErrorCode};

    use super::*;

    fn topics(names: &[&str]) -> Vec<WantedTopic> {
        names.iter().map(|name| WantedTopic::new(*name)).collect()
    }

    /// Fails every request that contains the topic `bad`, as Kafka's controller does.
    fn results(
        topics: &[WantedTopic],
        code: RDKafkaErrorCode,
    ) -> (Vec<Option<FailureCode>>, Vec<Vec<String>>) {
        let requests = RefCell::new(Vec::new());
        let request = |batch: &[&WantedTopic]| {
            let names: Vec<_> = batch.iter().map(|topic| topic.name.clone()).collect();
            requests.borrow_mut().push(names.clone());
            let fails = names.iter().any(|name| name == "bad");
            let answer = |name| if fails { Err((name, code)) } else { Ok(name) };
            Ok(names.into_iter().map(answer).collect())
        };
        let all: Vec<_> = topics.iter().collect();
        let results = request_in_batches(&all, "creating", request);
        let codes = results.into_iter().map(|it| it.err().map(|it| it.code));
        (codes.collect(), requests.into_inner())
    }

    #[test]
    fn one_impossible_topic_does_not_fail_its_batch() {
        let (codes, requests) = results(
            &topics(&["a", "bad", "c"]),
            RDKafkaErrorCode::PolicyViolation,
        );
        assert_eq!(codes[0], None);
        assert!(codes[1].is_some());
        assert_eq!(codes[2], None);
        assert_eq!(requests.len(), 4, "one batch, then one by one");
    }

    #[test]
    fn missing_permissions_are_not_asked_about_one_by_one() {
        let (codes, requests) = results(
            &topics(&["a", "bad"]),
            RDKafkaErrorCode::TopicAuthorizationFailed,
        );
        assert_eq!(codes, [Some(FailureCode::NotAuthorized); 2]);
        assert_eq!(requests.len(), 1);
    }

    #[test]
    fn a_request_that_cannot_be_built_is_repeated_one_by_one() {
        let request = |batch: &[&WantedTopic]| {
            if batch.iter().any(|topic| topic.name == "bad") {
                return Err(KafkaError::AdminOpCreation("num_partitions".to_owned()));
            }
            Ok(batch.iter().map(|topic| Ok(topic.name.clone())).collect())
        };
        let topics = topics(&["a", "bad"]);
        let all: Vec<_> = topics.iter().collect();
        let results = request_in_batches(&all, "creating", request);
        assert!(results[0].is_ok(), "{results:?}");
        assert!(results[1].is_err());
    }

    #[test]
    fn splits_batches_by_topics_and_partitions() {
        let many = topics(&["t"; 250]);
        let all: Vec<_> = many.iter().collect();
        let sizes: Vec<_> = batches(&all).iter().map(|batch| batch.len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
        let large: Vec<_> = topics(&["t"; 3])
            .into_iter()
            .map(|topic| WantedTopic {
                partitions: Some(6_000),
                ..topic
            })
            .collect();
        let all: Vec<_> = large.iter().collect();
        let sizes: Vec<_> = batches(&all).iter().map(|batch| batch.len()).collect();
        assert_eq!(sizes, [1, 1, 1]);
        assert!(batches(&[]).is_empty());
    }
}
