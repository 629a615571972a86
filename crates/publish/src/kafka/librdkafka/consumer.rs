//! Topic reader: a consumer that joins no group.

mod end;
mod record;
mod start;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::{Offset, TopicPartitionList};

pub use end::PartitionEnd;
pub use record::ConsumerRecord;
pub use start::StartPosition;

use super::error::{error_code, failure_of};
use super::metadata_client::{self, ErrorRecorder};
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::kafka::cluster_id;
use crate::kafka::config::KafkaOptions;
use crate::kafka::error_code::ErrorCode;
use record::{from_millis, to_millis};

/// Properties of the consumer. librdkafka requires a group id, but partitions are assigned by hand:
/// no group is joined and no offset is committed.
const PROPERTIES: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // If retention has deleted the next offset, continue with the oldest record.
    ("auto.offset.reset", "earliest"),
    ("allow.auto.create.topics", "false"),
];

/// Group id, of a group that is never joined.
const GROUP_ID: &str = "herald-listen";

/// Default interval of metadata requests for new topics and partitions.
const DEFAULT_REFRESH_INTERVAL: Duration = Duration::from_secs(2);

/// A metadata request that takes long takes at most one part of this many of the time.
const REFRESH_SHARE: u32 = 10;

/// Time without any answer after which a cluster is unreachable.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(10);

/// Failures that are over once the cluster answers.
const CONNECTION_FAILURES: [FailureCode; 3] = [
    FailureCode::Unreachable,
    FailureCode::AuthenticationFailed,
    FailureCode::TlsFailed,
];

/// Event of a topic reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReaderEvent {
    /// Record.
    Record(Box<ConsumerRecord>),
    /// Reading is interrupted; reported once until it continues. librdkafka keeps trying.
    Interrupted(Failure),
    /// Reading continues after [`ReaderEvent::Interrupted`].
    Recovered,
}

/// Reader of topics: all partitions, in order within each.
///
/// New topics and partitions are read from their beginning. No group is joined, and no offset is
/// committed unless [`TopicReader::commit`] is called.
pub struct TopicReader {
    consumer: BaseConsumer<ErrorRecorder>,
    servers: String,
    follows: Box<dyn Fn(&str) -> bool + Send>,
    /// Number of partitions that are read, per topic.
    read: BTreeMap<String, i32>,
    /// Offsets at which partitions start, if they are known as numbers.
    starts: HashMap<(String, i32), i64>,
    /// Whether the offsets that the group has committed come before the start position.
    continues_group: bool,
    /// Time before which records are skipped.
    not_before: Option<SystemTime>,
    refresh_interval: Duration,
    /// Time of the next metadata request.
    next_refresh: Instant,
    /// Time of the last answer.
    last_answer: Instant,
    failures: BTreeSet<FailureCode>,
}

impl TopicReader {
    /// Connects; waits at most `timeout` for an answer. Nothing is read yet.
    ///
    /// # Errors
    /// Those of [`KafkaOptions::client_config`], and `unreachable`, `authentication_failed` or
    /// `tls_failed`.
    pub fn connect(options: &KafkaOptions, timeout: Duration) -> Result<Self, Failure> {
        let mut properties = PROPERTIES.to_vec();
        if options.text("group.id").is_none() {
            properties.push(("group.id", GROUP_ID));
        }
        Ok(Self {
            consumer: metadata_client::connect(options, &properties, timeout)?,
            servers: options.bootstrap_servers().to_owned(),
            follows: Box::new(|_| false),
            read: BTreeMap::new(),
            starts: HashMap::new(),
            continues_group: false,
            not_before: None,
            refresh_interval: DEFAULT_REFRESH_INTERVAL,
            next_refresh: Instant::now(),
            last_answer: Instant::now(),
            failures: BTreeSet::new(),
        })
    }

    /// Sets the interval of metadata requests for new topics and partitions. Each request is for
    /// all topics of the cluster.
    #[must_use]
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.refresh_interval = interval;
        self
    }

    /// Starts at the offsets that the consumer group of the options has committed, where it has. The
    /// group is not joined.
    #[must_use]
    pub fn continue_group(mut self) -> Self {
        self.continues_group = true;
        self
    }

    /// Returns the names of all visible topics, including internal ones.
    ///
    /// # Errors
    /// `unreachable`.
    pub fn topic_names(&self, timeout: Duration) -> Result<BTreeSet<String>, Failure> {
        let metadata = metadata_client::reach(&self.consumer, &self.servers, timeout)?;
        let names = metadata.topics().iter().map(MetadataTopic::name);
        Ok(names.map(str::to_owned).collect())
    }

    /// Starts to read every topic whose name `follows` selects, now and later. Returns the existing
    /// topics once all offsets are known: everything published from then on is read. Called again,
    /// it starts anew.
    ///
    /// # Errors
    /// `unreachable`, and `positions_unknown` if the cluster does not return the offsets in time.
    pub fn follow(
        &mut self,
        follows: impl Fn(&str) -> bool + Send + 'static,
        start: StartPosition,
        timeout: Duration,
    ) -> Result<BTreeSet<String>, Failure> {
        self.follows = Box::new(follows);
        self.read.clear();
        self.not_before = None;
        let metadata = metadata_client::reach(&self.consumer, &self.servers, timeout)?;
        let new = self.unread(&metadata);
        let start = self.supported_start(start, timeout);
        let mut positions = start::offsets(&self.consumer, &new, start, timeout)?;
        if self.continues_group {
            start::set_committed(&self.consumer, &mut positions, timeout)?;
        }
        self.starts = start::known(&positions);
        self.consumer
            .assign(&positions)
            .map_err(|error| not_read(&error))?;
        self.last_answer = Instant::now();
        self.next_refresh = self.last_answer + self.refresh_interval;
        self.note(new);
        Ok(self.read.keys().cloned().collect())
    }

    /// Returns the next event, waiting at most `timeout`; `None` if there was none.
    ///
    /// # Errors
    /// `connection_broken`: reading can't continue.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<ReaderEvent>, Failure> {
        if Instant::now() >= self.next_refresh
            && let Some(heard) = self.refresh()?
        {
            return Ok(Some(heard));
        }
        match self.consumer.poll(timeout) {
            None => Ok(None),
            Some(Ok(message)) => {
                self.last_answer = Instant::now();
                let record = ConsumerRecord::of(&message);
                let is_old = match (record.timestamp, self.not_before) {
                    (Some(time), Some(limit)) => time < limit,
                    _ => false,
                };
                Ok((!is_old).then(|| ReaderEvent::Record(Box::new(record))))
            }
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => Err(Failure::new(
                FailureKind::Fatal,
                FailureCode::ConnectionBroken,
                format!("reading can't go on: {code}"),
            )),
            Some(Err(error)) => Ok(self.interruption(&error)),
        }
    }

    /// Returns the number of partitions of a topic that is read.
    pub fn partition_count(&self, topic: &str) -> Option<i32> {
        self.read.get(topic).copied()
    }

    /// Returns the present ends of all partitions, also of new ones, or the ends of the records before
    /// `until`. A development cluster finds no offsets by time and returns the present ends.
    ///
    /// # Errors
    /// `positions_unknown` if the cluster does not return the offsets in time.
    pub fn ends(
        &mut self,
        until: Option<SystemTime>,
        timeout: Duration,
    ) -> Result<Vec<PartitionEnd>, Failure> {
        self.refresh()?;
        let read: Vec<_> = (self.read.iter())
            .map(|(topic, partitions)| (topic.clone(), 0..*partitions))
            .collect();
        end::of_partitions(&self.consumer, &read, until, timeout)
    }

    /// Returns the partitions that were not read up to their end, with the number of missing offsets.
    ///
    /// # Errors
    /// `positions_unknown`.
    pub fn unread_before(
        &self,
        ends: &[PartitionEnd],
    ) -> Result<Vec<(PartitionEnd, i64)>, Failure> {
        let positions = self.consumer.position().map_err(|error| not_read(&error))?;
        let unread = ends.iter().filter_map(|end| {
            let key = (end.topic.clone(), end.partition);
            let start = self.starts.get(&key).copied().unwrap_or(end.first);
            let position = positions.find_partition(&end.topic, end.partition);
            // Transactions end with a record that is not delivered, but the position passes it.
            let next = match position.map(|one| one.offset()) {
                Some(Offset::Offset(next)) => next,
                _ => start,
            };
            let missing = end.end - next.max(end.first);
            (missing > 0).then(|| (end.clone(), missing))
        });
        Ok(unread.collect())
    }

    /// Commits the positions, at most those of `ends`, for the consumer group of the options.
    ///
    /// # Errors
    /// `not_readable` if the cluster does not accept them, such as for a group with members.
    pub fn commit(&self, ends: &[PartitionEnd]) -> Result<(), Failure> {
        let positions = self.consumer.position().map_err(|error| not_read(&error))?;
        let mut commits = TopicPartitionList::new();
        for end in ends {
            let position = positions.find_partition(&end.topic, end.partition);
            let key = (end.topic.clone(), end.partition);
            let offset = match position.map(|one| one.offset()) {
                Some(Offset::Offset(next)) => Some(next.min(end.end)),
                _ => self.starts.get(&key).copied(),
            };
            if let Some(offset) = offset {
                commits
                    .add_partition_offset(&end.topic, end.partition, Offset::Offset(offset))
                    .map_err(|error| not_read(&error))?;
            }
        }
        if commits.count() == 0 {
            return Ok(());
        }
        let committed = self.consumer.commit(&commits, CommitMode::Sync);
        committed.map_err(|error| {
            Failure::new(
                FailureKind::Permanent,
                FailureCode::NotReadable,
                format!(
                    "the offsets of the group were not committed: {error}; it must have no members"
                ),
            )
        })
    }

    /// Requests metadata: finds new topics and partitions, and checks that the cluster answers.
    fn refresh(&mut self) -> Result<Option<ReaderEvent>, Failure> {
        const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
        let started = Instant::now();
        // Without a new one, the old token may be valid for a while; then the brokers refuse it, which is reported.
        let _ = metadata_client::keep_token(&self.consumer);
        let answer = self.consumer.fetch_metadata(None, REQUEST_TIMEOUT);
        let now = Instant::now();
        self.next_refresh = now + self.refresh_interval;
        let Ok(metadata) = answer else {
            // Failed connections are reported by `poll` earlier, with their cause.
            let silent = now - self.last_answer >= SILENCE_TIMEOUT;
            let failure = || {
                let detail = format!("no answer from Kafka at {}", self.servers);
                Failure::new(FailureKind::Retriable, FailureCode::Unreachable, detail)
            };
            return Ok(silent
                .then(failure)
                .and_then(|failure| self.interrupted(failure)));
        };
        self.last_answer = now;
        self.next_refresh = now + self.refresh_interval.max(REFRESH_SHARE * (now - started));
        // Earlier errors are over.
        self.consumer.context().take();
        let new = self.unread(&metadata);
        if !new.is_empty() {
            let mut positions = TopicPartitionList::new();
            let added = new
                .iter()
                .flat_map(|(topic, partitions)| partitions.clone().map(move |p| (topic, p)))
                .try_for_each(|(topic, partition)| {
                    positions.add_partition_offset(topic, partition, Offset::Beginning)
                })
                .and_then(|()| self.consumer.incremental_assign(&positions));
            added.map_err(|error| not_read(&error))?;
            self.note(new);
        }
        let before = self.failures.len();
        self.failures
            .retain(|code| !CONNECTION_FAILURES.contains(code));
        Ok((self.failures.len() < before).then_some(ReaderEvent::Recovered))
    }

    /// Returns the partitions that are selected and not read yet.
    fn unread(&self, metadata: &Metadata) -> Vec<(String, Range<i32>)> {
        let topics = metadata.topics().iter();
        topics
            .filter(|topic| (self.follows)(topic.name()))
            .filter_map(|topic| {
                let read = self.read.get(topic.name()).copied().unwrap_or_default();
                let there = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
                (there > read).then(|| (topic.name().to_owned(), read..there))
            })
            .collect()
    }

    fn note(&mut self, new: Vec<(String, Range<i32>)>) {
        for (topic, partitions) in new {
            self.read.insert(topic, partitions.end);
        }
    }

    /// Returns a start that the cluster supports. A development cluster finds no offsets by time,
    /// so everything is read and older records are skipped.
    fn supported_start(&mut self, start: StartPosition, timeout: Duration) -> StartPosition {
        let StartPosition::At(time) = start else {
            return start;
        };
        let cluster = self.consumer.client().fetch_cluster_id(timeout);
        if cluster.is_some_and(|id| cluster_id::is_in_memory(&id)) {
            // In milliseconds, the precision of records.
            self.not_before = from_millis(to_millis(time));
            return StartPosition::Beginning;
        }
        start
    }

    /// Converts an error of librdkafka to an event, if it interrupts reading.
    fn interruption(&mut self, error: &KafkaError) -> Option<ReaderEvent> {
        let code = error_code(error)?;
        // The group is never joined, so a missing right to it does not matter.
        if code == ErrorCode::GroupAuthorizationFailed {
            return None;
        }
        let failure = failure_of(error, "reading");
        if code == ErrorCode::AllBrokersDown || failure.code == FailureCode::AuthenticationFailed {
            let told = self.consumer.context().take();
            return self.interrupted(told.unwrap_or(failure));
        }
        // Otherwise it is one broker of several, or a temporary state: librdkafka continues by
        // itself.
        let lasts = failure.kind == FailureKind::Permanent;
        lasts.then(|| self.interrupted(failure))?
    }

    fn interrupted(&mut self, failure: Failure) -> Option<ReaderEvent> {
        self.failures
            .insert(failure.code)
            .then_some(ReaderEvent::Interrupted(failure))
    }
}

fn not_read(error: &KafkaError) -> Failure {
    Failure::new(
        FailureKind::Permanent,
        FailureCode::NotReadable,
        format!("topics can't be read: {error}"),
    )
}
