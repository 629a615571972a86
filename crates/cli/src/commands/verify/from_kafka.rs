//! Records of a cluster.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use herald_catalog::load::Loaded;
use herald_diagnostics::render::visible_line;
use herald_project::Project;
use herald_publish::kafka::{
    ConsumerRecord, PartitionEnd, Property, ReaderEvent, StartPosition, TopicReader,
};
use herald_verify::{Record, Verifier};

use super::stop_server::StopServer;
use crate::args::cluster::Cluster;
use crate::args::verify::{FromKafka, Verify};
use crate::connection::{self, CONNECT_TIMEOUT, cluster_error};
use crate::format::count;
use crate::interrupt::Interrupt;
use crate::terminal::{self, DIM, GREEN, YELLOW};
use crate::topic_selection::TopicSelection;
use crate::{Error, wanted_topics};

/// Time between two checks of the conditions to stop.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Time without a record after which partitions that have more count as unread.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(10);

/// Unread partitions that a failure names.
const MAX_NAMED: usize = 3;

/// Records that were read, and what was not.
pub struct Reading {
    reader: TopicReader,
    ends: Vec<PartitionEnd>,
    commits: bool,
    /// Sentences about what was not read.
    pub failures: Vec<String>,
}

impl Reading {
    /// Commits what was read for the consumer group, if there is one.
    pub fn commit(&self) -> Result<(), Error> {
        if self.commits {
            let committed = self.reader.commit(&self.ends);
            committed.map_err(|failure| cluster_error(&failure))?;
        }
        Ok(())
    }
}

/// Judges the records of the topics that the user chose.
pub fn read(
    args: &Verify,
    project: &Project,
    loaded: &Loaded,
    verifier: &mut Verifier<'_>,
) -> Result<Reading, Error> {
    let wanted = if args.kafka.topics.is_empty() {
        let names = wanted_topics::names(&loaded.catalog, args.namespace.as_deref());
        TopicSelection::of_contracts(names)
    } else {
        TopicSelection::of_arguments(&args.kafka.topics)?
    };
    read_records(
        wanted,
        &args.kafka,
        &args.cluster,
        project,
        &mut |record, partitions| judge(record, partitions, verifier),
    )
}

/// Reads records, and passes each on with the number of partitions of its topic.
pub fn read_records(
    wanted: TopicSelection,
    args: &FromKafka,
    cluster: &Cluster,
    project: &Project,
    handle: &mut dyn FnMut(&ConsumerRecord, Option<i32>),
) -> Result<Reading, Error> {
    let mut options = connection::options(cluster, project)?;
    if let Some(group) = &args.group {
        let group: Property = format!("group.id={group}")
            .parse()
            .map_err(|failure| cluster_error(&failure))?;
        options = options.with(group);
    }
    let mut reader = TopicReader::connect(&options, CONNECT_TIMEOUT)
        .map_err(|failure| cluster_error(&failure))?;
    if args.group.is_some() {
        reader = reader.continue_group();
    }
    let there = reader.topic_names(CONNECT_TIMEOUT);
    wanted.check(&there.map_err(|failure| cluster_error(&failure))?)?;
    let topics = reader
        .follow(
            move |name| wanted.takes(name),
            args.start(),
            CONNECT_TIMEOUT,
        )
        .map_err(|failure| cluster_error(&failure))?;
    // Before this, an interruption ends the process at once.
    let interrupt = Interrupt::watch()?;
    let topics = count(topics.len(), "topic");
    let servers = visible_line(options.bootstrap_servers());
    let mut run = Run {
        args,
        started: Instant::now(),
        interrupt,
        server: args.listen.map(StopServer::start).transpose()?,
        reader,
        handle,
        records: 0,
    };
    match &run.server {
        Some(server) => terminal::status(&format!(
            "listening to {topics} on {servers}; {DIM}stop with Ctrl-C or{DIM:#} curl -X POST {}/stop",
            server.url()
        )),
        None => terminal::status(&format!("{DIM}reading {topics} on {servers}{DIM:#}")),
    }
    run.follow()?;
    let (ends, failures) = run.read_to_the_end()?;
    Ok(Reading {
        reader: run.reader,
        ends,
        commits: args.group.is_some(),
        failures,
    })
}

impl FromKafka {
    fn start(&self) -> StartPosition {
        let is_live = self.listen.is_some() || self.duration.is_some();
        self.since.unwrap_or(if is_live {
            StartPosition::Now
        } else {
            StartPosition::Beginning
        })
    }
}

/// A run while it reads.
struct Run<'a> {
    args: &'a FromKafka,
    started: Instant,
    interrupt: Interrupt,
    server: Option<StopServer>,
    reader: TopicReader,
    handle: &'a mut dyn FnMut(&ConsumerRecord, Option<i32>),
    records: u64,
}

impl Run<'_> {
    /// Reads new records until a condition to stop holds. Without one there is nothing to wait for.
    fn follow(&mut self) -> Result<(), Error> {
        while self.goes_on() {
            if let Some(record) = self.next(POLL_INTERVAL)? {
                self.handle(&record);
            }
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        if self.interrupt.is_set() || self.has_enough() {
            return false;
        }
        let is_stopped = self.server.as_ref().is_some_and(StopServer::is_stopped);
        let is_over = |duration| self.started.elapsed() >= duration;
        match (self.args.duration, self.args.until) {
            (Some(duration), _) => !is_over(duration) && !is_stopped,
            (None, Some(until)) => SystemTime::now() < until,
            (None, None) => self.server.is_some() && !is_stopped,
        }
    }

    fn has_enough(&self) -> bool {
        let wanted = self.args.count;
        wanted.is_some_and(|wanted| self.records >= wanted)
    }

    /// Reads everything that was published before now, and returns what is missing.
    fn read_to_the_end(&mut self) -> Result<(Vec<PartitionEnd>, Vec<String>), Error> {
        let ends = self.reader.ends(self.args.until, CONNECT_TIMEOUT);
        let ends = ends.map_err(|failure| cluster_error(&failure))?;
        let limits: HashMap<_, _> = ends
            .iter()
            .map(|end| ((end.topic.as_str(), end.partition), end.end))
            .collect();
        let was_interrupted = self.interrupt.is_set();
        let mut last_record = Instant::now();
        let mut next_check = Instant::now();
        let mut unread = Vec::new();
        while !self.has_enough() {
            if Instant::now() >= next_check {
                let found = self.reader.unread_before(&ends);
                unread = found.map_err(|failure| cluster_error(&failure))?;
                next_check = Instant::now() + POLL_INTERVAL;
            }
            let is_silent = last_record.elapsed() >= SILENCE_TIMEOUT;
            // Only a run that has no other end ends here without having read everything.
            let is_interrupted = self.interrupt.is_set() && !was_interrupted;
            if unread.is_empty() || is_silent || is_interrupted {
                break;
            }
            if let Some(record) = self.next(POLL_INTERVAL)? {
                last_record = Instant::now();
                let limit = limits.get(&(record.topic.as_str(), record.partition));
                if limit.is_some_and(|limit| record.offset < *limit) {
                    self.handle(&record);
                }
            }
        }
        let mut failures = Vec::new();
        if let Some(wanted) = self.args.count {
            let read = self.records;
            if read < wanted {
                failures.push(format!("{read} of {}", count(wanted, "record")));
            }
        } else if !unread.is_empty() {
            failures.push(about(&unread));
        }
        Ok((ends, failures))
    }

    /// The next record, if one arrives in time.
    fn next(&mut self, timeout: Duration) -> Result<Option<ConsumerRecord>, Error> {
        let event = self.reader.next(timeout);
        match event.map_err(|failure| cluster_error(&failure))? {
            Some(ReaderEvent::Record(record)) => Ok(Some(*record)),
            Some(ReaderEvent::Interrupted(failure)) => {
                let detail = visible_line(&failure.detail);
                terminal::status(&format!("{YELLOW}waiting{YELLOW:#}: {detail}"));
                Ok(None)
            }
            Some(ReaderEvent::Recovered) => {
                terminal::status(&format!("{GREEN}reconnected{GREEN:#}"));
                Ok(None)
            }
            None => Ok(None),
        }
    }

    fn handle(&mut self, record: &ConsumerRecord) {
        let is_late = |until: SystemTime| record.timestamp.is_some_and(|time| time >= until);
        if self.args.until.is_some_and(is_late) {
            return;
        }
        (self.handle)(record, self.reader.partition_count(&record.topic));
        self.records += 1;
        if let Some(server) = &self.server {
            server.report(self.records);
        }
    }
}

fn judge(record: &ConsumerRecord, partitions: Option<i32>, verifier: &mut Verifier<'_>) {
    verifier.judge(&Record {
        topic: Some(&record.topic),
        key: Some(record.key.as_deref()),
        partition: u32::try_from(record.partition).ok(),
        partitions: partitions.and_then(|count| u32::try_from(count).ok()),
        value: record.payload.as_deref(),
        headers: &record.header_pairs(),
        timestamp: record.timestamp.and_then(|time| time.try_into().ok()),
        place: &Place(record),
    });
}

/// Place of a record, as `herald listen` prints it.
struct Place<'a>(&'a ConsumerRecord);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConsumerRecord {
            topic,
            partition,
            offset,
            ..
        } = self.0;
        write!(f, "{topic}/{partition}@{offset}")
    }
}

/// A sentence about partitions that were not read to their end.
fn about(unread: &[(PartitionEnd, i64)]) -> String {
    let named = unread.iter().take(MAX_NAMED).map(|(end, missing)| {
        let missing = count(*missing, "record");
        format!("{}/{} ({missing} missing)", end.topic, end.partition)
    });
    let mut text = format!(
        "{} not read to the end: {}",
        count(unread.len(), "partition"),
        named.collect::<Vec<_>>().join(", ")
    );
    if unread.len() > MAX_NAMED {
        text.push_str(", …");
    }
    text
}
