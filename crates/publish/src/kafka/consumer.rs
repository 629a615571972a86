//! Reading topics as they grow, without a trace on the cluster.

mod record;
mod start;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::{Offset, TopicPartitionList};

pub use record::Received;
pub use start::Start;

use super::classify;
use super::contact::{self, Contact};
use super::dev;
use super::options::KafkaOptions;
use crate::failure::{Failure, FailureCode, FailureKind};
use time::{milliseconds, moment};

/// What librdkafka asks of a consumer. There is no group behind the name: nothing joins it and
/// nothing is committed.
const PROPERTIES: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // What is read was deleted by retention in the meantime: go on with what is there.
    ("auto.offset.reset", "earliest"),
    ("allow.auto.create.topics", "false"),
];

/// Name of the group that does not come to be.
const GROUP: &str = "herald-listen";

/// How often is looked for new topics and partitions, unless somebody wants it otherwise.
const REFRESH: Duration = Duration::from_secs(2);

/// Where a look takes long, it takes at most one part of so many of the time.
const SHARE: u32 = 10;

/// Without any sign of life for so long, a cluster is called unreachable.
const SILENCE: Duration = Duration::from_secs(10);

/// Troubles that are over once the cluster answers.
const OF_CONNECTIONS: [FailureCode; 3] = [
    FailureCode::Unreachable,
    FailureCode::AuthenticationFailed,
    FailureCode::TlsFailed,
];

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A record.
    Record(Box<Received>),
    /// Reading does not go on for now; said once, until it does. librdkafka keeps trying.
    Trouble(Failure),
    /// Reading goes on after [`Heard::Trouble`].
    Recovered,
}

/// Reads topics from all of their partitions, in order within each.
///
/// Topics and partitions that come into being are read from their beginning. No group is joined
/// and no position is committed.
pub struct Listener {
    consumer: BaseConsumer<Contact>,
    servers: String,
    follows: Box<dyn Fn(&str) -> bool + Send>,
    /// How many partitions of a topic are read.
    read: BTreeMap<String, i32>,
    /// What is older is not passed on.
    not_before: Option<SystemTime>,
    refresh: Duration,
    /// When to look for new topics.
    look: Instant,
    /// The last sign of life.
    alive: Instant,
    trouble: BTreeSet<FailureCode>,
}

impl Listener {
    /// Connects; an answer is waited for at most `timeout`. Nothing is read yet.
    ///
    /// # Errors
    /// Those of [`KafkaOptions::client_config`], and `unreachable`, `authentication_failed` or
    /// `tls_failed`.
    pub fn connect(options: &KafkaOptions, timeout: Duration) -> Result<Self, Failure> {
        let mut properties = PROPERTIES.to_vec();
        if options.text("group.id").is_none() {
            properties.push(("group.id", GROUP));
        }
        let listener = Self {
            consumer: contact::client(options, &properties)?,
            servers: options.bootstrap_servers().to_owned(),
            follows: Box::new(|_| false),
            read: BTreeMap::new(),
            not_before: None,
            refresh: REFRESH,
            look: Instant::now(),
            alive: Instant::now(),
            trouble: BTreeSet::new(),
        };
        contact::reach(&listener.consumer, &listener.servers, timeout)?;
        Ok(listener)
    }

    /// Looks for new topics and partitions as often as this. Each look asks for all topics of the
    /// cluster.
    #[must_use]
    pub fn refreshed_every(mut self, time: Duration) -> Self {
        self.refresh = time;
        self
    }

    /// Names of all topics that the cluster shows, its internal ones included.
    ///
    /// # Errors
    /// `unreachable`.
    pub fn topic_names(&self, timeout: Duration) -> Result<BTreeSet<String>, Failure> {
        let metadata = contact::reach(&self.consumer, &self.servers, timeout)?;
        let names = metadata.topics().iter().map(MetadataTopic::name);
        Ok(names.map(str::to_owned).collect())
    }

    /// Reads every topic whose name `follows` picks, now and later. Returns, once all positions
    /// are known, the topics that are there: what is published from then on is heard. Called
    /// again, it begins anew.
    ///
    /// # Errors
    /// `unreachable`, and `positions_unknown` where the cluster does not tell them in time.
    pub fn follow(
        &mut self,
        follows: impl Fn(&str) -> bool + Send + 'static,
        start: Start,
        timeout: Duration,
    ) -> Result<BTreeSet<String>, Failure> {
        self.follows = Box::new(follows);
        self.read.clear();
        self.not_before = None;
        let metadata = contact::reach(&self.consumer, &self.servers, timeout)?;
        let new = self.unread(&metadata);
        let start = self.possible(start, timeout);
        let positions = start::positions(&self.consumer, &new, start, timeout)?;
        self.consumer
            .assign(&positions)
            .map_err(|error| not_read(&error))?;
        self.alive = Instant::now();
        self.look = self.alive + self.refresh;
        self.note(new);
        Ok(self.read.keys().cloned().collect())
    }

    /// What comes next, waited for at most `timeout`. `None` when nothing came.
    ///
    /// # Errors
    /// Reading can't go on: the connection is broken for good.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Heard>, Failure> {
        if Instant::now() >= self.look
            && let Some(heard) = self.refresh()?
        {
            return Ok(Some(heard));
        }
        match self.consumer.poll(timeout) {
            None => Ok(None),
            Some(Ok(message)) => {
                self.alive = Instant::now();
                let record = Received::of(&message);
                let is_old = match (record.timestamp, self.not_before) {
                    (Some(time), Some(limit)) => time < limit,
                    _ => false,
                };
                Ok((!is_old).then(|| Heard::Record(Box::new(record))))
            }
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => Err(Failure::new(
                FailureKind::Fatal,
                FailureCode::ConnectionBroken,
                format!("reading can't go on: {code}"),
            )),
            Some(Err(error)) => Ok(self.complaint(&error)),
        }
    }

    /// Looks for new topics and partitions, and whether the cluster still answers.
    fn refresh(&mut self) -> Result<Option<Heard>, Failure> {
        const PATIENCE: Duration = Duration::from_secs(1);
        let started = Instant::now();
        let answer = self.consumer.fetch_metadata(None, PATIENCE);
        let now = Instant::now();
        self.look = now + self.refresh;
        let Ok(metadata) = answer else {
            // Where connections fail, `poll` says so before, and why.
            let silent = now - self.alive >= SILENCE;
            let failure = || {
                let detail = format!("no answer from Kafka at {}", self.servers);
                Failure::new(FailureKind::Retriable, FailureCode::Unreachable, detail)
            };
            return Ok(silent
                .then(failure)
                .and_then(|failure| self.troubled(failure)));
        };
        self.alive = now;
        self.look = now + self.refresh.max(SHARE * (now - started));
        // Whatever was complained about is over.
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
        let before = self.trouble.len();
        self.trouble.retain(|code| !OF_CONNECTIONS.contains(code));
        Ok((self.trouble.len() < before).then_some(Heard::Recovered))
    }

    /// Partitions that are followed and not read yet.
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

    /// A start that the cluster knows. One in memory finds no offset by time, so all of it is
    /// read and what is too old is passed over.
    fn possible(&mut self, start: Start, timeout: Duration) -> Start {
        let Start::At(time) = start else {
            return start;
        };
        let cluster = self.consumer.client().fetch_cluster_id(timeout);
        if cluster.is_some_and(|id| dev::is_in_memory(&id)) {
            // In milliseconds, as records have it.
            self.not_before = moment(milliseconds(time));
            return Start::Beginning;
        }
        start
    }

    /// What an error of librdkafka means for somebody who listens.
    fn complaint(&mut self, error: &KafkaError) -> Option<Heard> {
        let code = error.rdkafka_error_code()?;
        // The group does not come to be, so nobody needs a right to it.
        if code == Code::GroupAuthorizationFailed {
            return None;
        }
        let failure = classify::failure_of(error, "reading");
        if code == Code::AllBrokersDown || failure.code == FailureCode::AuthenticationFailed {
            let told = self.consumer.context().take();
            return self.troubled(told.unwrap_or(failure));
        }
        // Otherwise it is one broker of several, or a passing state: librdkafka goes on by itself.
        let lasts = failure.kind == FailureKind::Permanent;
        lasts.then(|| self.troubled(failure))?
    }

    fn troubled(&mut self, failure: Failure) -> Option<Heard> {
        self.trouble
            .insert(failure.code)
            .then_some(Heard::Trouble(failure))
    }
}

fn not_read(error: &KafkaError) -> Failure {
    Failure::new(
        FailureKind::Permanent,
        FailureCode::NotReadable,
        format!("topics can't be read: {error}"),
    )
}
