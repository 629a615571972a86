//! The state machine of the producer: what is sent where, and what follows from each answer.
//!
//! It does no I/O, reads no clock and starts no thread: the event loop tells it what happened, and
//! carries out its [`Effect`]s.
//!
//! Order and duplicates: batches of a partition have consecutive sequences, so a broker writes none
//! that stands behind a missing one, and none twice. There are two exceptions, and two rules:
//!
//! - A broker that knows nothing of a producer id takes any batch as its first. So only one batch is
//!   under way until the first one of an id is acknowledged on the partition.
//! - A batch that a broker refuses for its content leaves a gap. Its partition then waits until
//!   nothing is under way, and goes on with a producer id of its own.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::accumulator::{Accumulator, Batch, Ready, Topic};
use crate::buffers::Buffers;
use crate::producer::{Delivery, Failed, Settings};
use crate::protocol::{
    self, BrokerMetadata, Leader, Malformed, Metadata, ProduceRequest, SaslAuthenticate, TopicId,
    TopicMetadata, Versions,
};
use crate::record_batch::{Identity, Records, next_sequence};
use crate::sasl::Exchange;
use crate::security::{Source, Trouble};
use crate::statistics::Statistics;
use crate::tls::Tls;
use crate::verdict::{self, Verdict};

/// Id of a broker; of the bootstrap servers -1, -2 and so on.
pub(crate) type Node = i32;

/// Index of a partition among all that the engine knows.
type Slot = usize;

/// Error code with which a batch is sent again that a broker did not mention in its answer.
const NOT_ANSWERED: i16 = 13;

/// Error code for a record that is too large for its topic.
const MESSAGE_TOO_LARGE: i16 = 10;

/// Error code for a batch that is too large for its topic.
const BATCH_TOO_LARGE: i16 = 18;

/// Error code for a topic that does not exist.
const UNKNOWN_TOPIC: i16 = 3;

/// Error code for records of a partition that their topic does not have since it was created again.
const UNKNOWN_TOPIC_ID: i16 = 100;

/// Error codes of a cluster whose coordinator is not ready yet.
const COORDINATOR_STARTS: [i16; 2] = [14, 15];

/// First and longest wait before a failed connection or a refused batch is tried again.
const MIN_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// Wait before metadata is asked for again that did not help.
const METADATA_BACKOFF: Duration = Duration::from_millis(50);

/// Wait before a producer id is asked for again.
const IDENTITY_BACKOFF: Duration = Duration::from_millis(100);

/// Time after which an older leader epoch, or fewer partitions, count, because no broker knows more any
/// more.
pub(crate) const MAX_STALENESS: Duration = Duration::from_secs(10);

/// Time after which another broker is asked for metadata.
const METADATA_PATIENCE: Duration = Duration::from_secs(2);

/// Time for which the cluster's verdict on a topic counts without asking again.
const REJECTION: Duration = Duration::from_secs(1);

/// Age at which the limit of a topic is asked for again that is lower than batches of this client:
/// somebody may have raised it.
const LIMIT_AGE: Duration = Duration::from_secs(60);

/// Bytes of a batch beside its records, with room for the headers of one.
const BATCH_OVERHEAD: usize = 1_085;

/// Longest time for which a broker is left alone because it asked for it.
const MAX_THROTTLING: Duration = Duration::from_secs(30);

/// Size of a request after which no batch is added to it.
const MAX_REQUEST_BYTES: usize = 8_000_000;

/// Time after the last batch after which free buffers are given back to the system.
const BUFFER_AGE: Duration = Duration::from_secs(1);

/// Longest sleep of the event loop while something is under way, and while nothing is.
const BUSY_SLEEP: Duration = Duration::from_millis(50);
const IDLE_SLEEP: Duration = Duration::from_secs(1);

/// Work for the event loop.
pub(crate) enum Effect<D> {
    Connect {
        node: Node,
        host: String,
        port: u16,
    },
    Disconnect(Node),
    Write {
        node: Node,
        bytes: Vec<u8>,
    },
    Report(Report<D>),
    Unreachable(Trouble),
    /// A topic of records is absent so far.
    Absent(String),
    /// All is known about the limit of a topic that can be known: the bytes of its largest batch.
    Limit {
        topic: String,
        bytes: Option<usize>,
    },
    /// A broker has answered a probe.
    Answered(Option<String>),
}

/// Outcome of records.
pub(crate) enum Report<D> {
    /// All records of a batch, in order.
    Delivered {
        partition: i32,
        first_offset: i64,
        deliveries: Vec<D>,
    },
    Failed {
        topic: Arc<Topic<D>>,
        deliveries: Vec<D>,
        failed: Failed,
    },
}

impl<D: Delivery> Report<D> {
    /// Calls the deliveries.
    pub(crate) fn deliver(self, context: &D::Context) {
        match self {
            Self::Delivered {
                partition,
                first_offset,
                deliveries,
            } => {
                for (index, delivery) in (0..).zip(deliveries) {
                    // A broker may tell a lie.
                    let offset = first_offset.saturating_add(index);
                    delivery.delivered(context, partition, offset);
                }
            }
            Self::Failed {
                topic,
                deliveries,
                failed,
            } => {
                for delivery in deliveries {
                    delivery.failed(context, &topic.name, failed);
                }
            }
        }
    }
}

struct Broker {
    host: String,
    port: u16,
    link: Link,
    /// Wait before the next attempt to connect.
    backoff: Duration,
    /// Requests without an answer, oldest first: a broker answers in this order.
    requests: VecDeque<Request>,
    /// Number of them that are `Produce`.
    producing: usize,
    next_correlation: i32,
    /// Partitions that it leads and that have something to send.
    ready: VecDeque<Slot>,
    /// Set while the next record for it has to wake the event loop.
    is_awaited: Arc<AtomicBool>,
    /// Messages of the login that is under way.
    login: Option<Exchange>,
    /// Time at which the client has to log in again.
    login_again_at: Option<Instant>,
    /// End of the time for which it takes no batches from this client.
    throttled_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Link {
    Down {
        retry_at: Instant,
    },
    Connecting {
        since: Instant,
    },
    /// Connected; the versions of its requests are not known yet.
    Negotiating,
    /// The client logs in, for the first time or again.
    LoggingIn(Versions),
    Up(Versions),
}

struct Request {
    correlation: i32,
    at: Instant,
    kind: RequestKind,
}

enum RequestKind {
    ApiVersions,
    SaslHandshake,
    SaslAuthenticate,
    Metadata,
    /// For one partition, or for all that have no id of their own.
    InitProducerId(Option<Slot>),
    /// Limits of these topics.
    Limits(Vec<Box<str>>),
    Produce(Vec<Slot>),
}

enum Met {
    Not,
    /// Its limit is asked for.
    Half(TopicMetadata),
    Whole,
}

struct Entry<D> {
    topic: Arc<Topic<D>>,
    /// `None` while no broker has told it.
    id: Option<TopicId>,
    /// Number of its partitions.
    count: usize,
    /// Time since which brokers only tell of fewer.
    fewer_since: Option<Instant>,
    /// Partitions, also those that it had before it was created again.
    slots: Vec<Slot>,
    /// Time at which the cluster first said that it does not exist.
    absent_since: Option<Instant>,
    /// Time at which its limit is asked for again; `None` while it is being asked for.
    limit_at: Option<Instant>,
    /// Progress of getting to know it: no record is sent before the limit is known.
    met: Met,
}

struct Partition<D> {
    topic: Arc<Topic<D>>,
    index: usize,
    /// -1 while there is none.
    leader: Node,
    /// Epoch of the leader; -1 while it is not known.
    epoch: i32,
    /// Time since which brokers only tell older epochs.
    stale_since: Option<Instant>,
    numbering: Numbering,
    /// Batches under way, oldest first, all at the same broker.
    in_flight: VecDeque<Batch<D>>,
    in_flight_at: Node,
    /// Batches to be sent before those of the accumulator.
    again: VecDeque<Batch<D>>,
    /// Batches whose answer asks for another attempt, while later ones are under way.
    returned: VecDeque<Batch<D>>,
    /// Whether nothing is sent until nothing is under way.
    is_recovering: bool,
    /// Whether it needs another identity: its sequences have a gap.
    needs_reset: bool,
    /// Whether its topic may have been created again, whose brokers know no batch of this producer.
    may_be_recreated: bool,
    retry_at: Option<Instant>,
    backoff: Duration,
    work: Work,
}

/// Sequences of a partition.
#[derive(Clone, Copy)]
enum Numbering {
    /// It begins with the identity of the producer.
    New,
    /// It waits for an identity of its own.
    Awaited,
    Begun {
        identity: Identity,
        next: i32,
        /// Whether the cluster has a batch of this identity.
        is_known: bool,
    },
}

/// Whether a partition may have something to send.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    None,
    /// It has, and waits for a leader.
    Waiting,
    /// It is among the ready ones of its leader.
    Queued,
}

pub(crate) struct Engine<D> {
    settings: Settings,
    accumulator: Arc<Accumulator<D>>,
    brokers: BTreeMap<Node, Broker>,
    topics: HashMap<Box<str>, Entry<D>>,
    partitions: Vec<Partition<D>>,
    /// Identity of the partitions that have none of their own.
    identity: Option<Identity>,
    is_identity_asked: bool,
    identity_waiters: VecDeque<Slot>,
    /// Earliest time of the next request for an identity.
    identity_at: Instant,
    metadata_at: Instant,
    metadata_asked: Option<(Node, Instant)>,
    /// Broker that was asked last.
    metadata_from: Option<Node>,
    /// Topics whose limits are to be asked for.
    limits_wanted: Vec<Box<str>>,
    is_probing: bool,
    /// Awaited flag of partitions without a leader: every record of them wakes the event loop.
    leaderless: Arc<AtomicBool>,
    statistics: Statistics,
    request_buffers: Arc<Buffers>,
    /// Time of the last request with batches.
    sent_at: Instant,
    effects: Vec<Effect<D>>,
    is_closed: bool,
}

impl<D: Delivery> Engine<D> {
    pub(crate) fn new(settings: Settings, accumulator: Arc<Accumulator<D>>, now: Instant) -> Self {
        let servers = settings.bootstrap_servers.iter();
        let brokers = (1..).zip(servers).map(|(number, (host, port))| {
            let broker = Broker::new(host.clone(), *port, now);
            (-number, broker)
        });
        Self {
            brokers: brokers.collect(),
            accumulator,
            settings,
            topics: HashMap::new(),
            partitions: Vec::new(),
            identity: None,
            is_identity_asked: false,
            identity_waiters: VecDeque::new(),
            identity_at: now,
            metadata_at: now,
            metadata_asked: None,
            metadata_from: None,
            limits_wanted: Vec::new(),
            is_probing: false,
            leaderless: Arc::new(AtomicBool::new(true)),
            statistics: Statistics::default(),
            request_buffers: Arc::default(),
            sent_at: now,
            effects: Vec::new(),
            is_closed: false,
        }
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.statistics.clone()
    }

    pub(crate) fn take_effects(&mut self) -> Vec<Effect<D>> {
        std::mem::take(&mut self.effects)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Returns the pool to which requests are given back when they are written.
    pub(crate) fn request_buffers(&self) -> Arc<Buffers> {
        self.request_buffers.clone()
    }

    /// Returns the preparation of a connection, if there is one.
    pub(crate) fn preparation(&self) -> Option<Source<()>> {
        self.settings.security.preparation.clone()
    }

    /// Returns what connections need for TLS, if they need it.
    pub(crate) fn tls(&self) -> Option<Source<Tls>> {
        self.settings.security.tls.clone()
    }

    /// Returns whether records came that the engine has not been told of.
    pub(crate) fn has_news(&self) -> bool {
        self.accumulator.has_ready()
    }

    /// Returns how long the event loop may sleep.
    pub(crate) fn sleep(&self, now: Instant) -> Duration {
        let is_sending = self
            .brokers
            .values()
            .any(|broker| broker.producing > 0 || (broker.is_up() && !broker.ready.is_empty()));
        if is_sending {
            return self
                .settings
                .linger
                .clamp(Duration::from_millis(1), BUSY_SLEEP);
        }
        let is_busy = self
            .partitions
            .iter()
            .any(|partition| partition.work != Work::None)
            || !self.brokers.values().any(Broker::is_up)
            || self
                .brokers
                .values()
                .any(|broker| !broker.requests.is_empty())
            || self.identity.is_none()
            || !self.identity_waiters.is_empty();
        let longest = if is_busy { BUSY_SLEEP } else { IDLE_SLEEP };
        // A request that is due and was not sent waits for a connection or an answer, not for a time.
        let left = self.metadata_at.saturating_duration_since(now);
        if left.is_zero() {
            longest
        } else {
            left.min(longest)
        }
    }

    /// Returns the id of a topic, and the leader of a partition with its epoch.
    #[cfg(test)]
    pub(crate) fn leader(&self, topic: &str, index: usize) -> Option<(Option<TopicId>, Node, i32)> {
        let entry = self.topics.get(topic)?;
        let partition = &self.partitions[*entry.slots.get(index)?];
        Some((entry.id, partition.leader, partition.epoch))
    }

    // Events.

    pub(crate) fn on_connected(&mut self, node: Node, now: Instant) {
        let client_id = self.settings.client_id.clone();
        if let Some(broker) = self.brokers.get_mut(&node) {
            broker.link = Link::Negotiating;
            self.statistics.update(node, |it| {
                it.address = broker.address();
                it.connections += 1;
            });
            let correlation = broker.request(RequestKind::ApiVersions, now);
            let bytes = protocol::api_versions(correlation, &client_id);
            self.effects.push(Effect::Write { node, bytes });
        }
    }

    /// A connection has ended, or could not be made.
    pub(crate) fn on_disconnected(&mut self, node: Node, trouble: Trouble, now: Instant) {
        let Some(broker) = self.brokers.get_mut(&node) else {
            return;
        };
        self.statistics.update(node, |it| {
            it.is_connected = false;
            it.in_flight = 0;
        });
        let was_up = broker.is_up();
        if was_up {
            // At once: most connections end for a reason that has passed.
            broker.backoff = MIN_BACKOFF;
            broker.link = Link::Down { retry_at: now };
        } else {
            broker.link = Link::Down {
                retry_at: now + broker.backoff,
            };
            broker.backoff = (broker.backoff * 2).min(MAX_BACKOFF);
        }
        broker.producing = 0;
        broker.login = None;
        broker.login_again_at = None;
        let requests = std::mem::take(&mut broker.requests);
        for request in requests {
            self.forget(node, request.kind, now);
        }
        self.refresh_metadata(now);
        let is_lost = !was_up && !self.brokers.values().any(Broker::is_up);
        if is_lost {
            self.effects.push(Effect::Unreachable(trouble));
        }
    }

    /// An answer has come.
    pub(crate) fn on_answer(&mut self, node: Node, answer: Bytes, now: Instant) {
        let Some(broker) = self.brokers.get_mut(&node) else {
            return;
        };
        let expected = broker.requests.front().map(|request| request.correlation);
        if expected.is_none() || expected != protocol::correlation(&answer) {
            let trouble = Trouble::network("an answer to no request");
            return self.distrust(node, trouble, now);
        }
        let Some(request) = broker.requests.pop_front() else {
            return;
        };
        let versions = broker.versions();
        let handled = match (request.kind, versions) {
            (RequestKind::ApiVersions, _) => self.on_api_versions(node, answer, now),
            (RequestKind::SaslHandshake, Some(versions)) => {
                self.on_sasl_handshake(node, versions, answer, now)
            }
            (RequestKind::SaslAuthenticate, Some(versions)) => {
                self.on_sasl_authenticate(node, versions, answer, now)
            }
            (RequestKind::Metadata, Some(versions)) => {
                self.metadata_asked = None;
                protocol::read_metadata(versions, answer)
                    .map(|metadata| self.on_metadata(node, &metadata, now))
                    .map_err(Trouble::network)
            }
            (RequestKind::InitProducerId(slot), Some(_)) => {
                let answer = protocol::read_init_producer_id(answer);
                if answer.is_err() {
                    self.forget(node, RequestKind::InitProducerId(slot), now);
                }
                let answer = answer.map_err(Trouble::network);
                answer.map(|answer| {
                    let identity = Identity {
                        id: answer.id,
                        epoch: answer.epoch,
                    };
                    self.on_identity(slot, answer.error_code, identity, now);
                })
            }
            (RequestKind::Limits(topics), Some(_)) => {
                let limits = protocol::read_topic_limits(answer);
                let limits = limits.map_err(Trouble::network);
                match limits {
                    Ok(limits) => {
                        self.on_limits(topics, &limits.into_iter().collect(), now);
                        Ok(())
                    }
                    Err(trouble) => {
                        self.forget(node, RequestKind::Limits(topics), now);
                        Err(trouble)
                    }
                }
            }
            (RequestKind::Produce(slots), Some(versions)) => {
                broker.producing -= 1;
                self.statistics.update(node, |it| {
                    it.in_flight = it.in_flight.saturating_sub(1);
                    it.add_latency(now.saturating_duration_since(request.at));
                });
                self.on_produced(node, versions, slots, answer, now)
                    .map_err(Trouble::network)
            }
            (_, None) => Err(Trouble::network("an answer before the versions are known")),
        };
        if let Err(trouble) = handled {
            self.distrust(node, trouble, now);
        }
    }

    /// Records came to these places.
    pub(crate) fn on_ready(&mut self, now: Instant) {
        for Ready { topic, partition } in self.accumulator.take_ready() {
            let entry = self.entry(topic, now);
            let slot = partition.and_then(|partition| entry.slots.get(partition).copied());
            match slot {
                Some(slot) => self.mark_work(slot, now),
                None => self.refresh_metadata(now),
            }
        }
    }

    fn entry(&mut self, topic: Arc<Topic<D>>, now: Instant) -> &mut Entry<D> {
        let entry = self.topics.entry(topic.name.clone());
        entry.or_insert_with(|| Entry {
            topic,
            id: None,
            count: 0,
            fewer_since: None,
            slots: Vec::new(),
            absent_since: None,
            limit_at: Some(now),
            met: Met::Not,
        })
    }

    /// Somebody waits for [`Effect::Limit`] of a topic.
    pub(crate) fn on_limit_wanted(&mut self, topic: &str, now: Instant) {
        let topic = self.accumulator.topic(topic);
        let name = self.entry(topic, now).topic.name.clone();
        self.ask_again_for_limit(&name, now);
    }

    /// Asks all brokers for a sign of life.
    pub(crate) fn on_probe(&mut self, now: Instant) {
        self.is_probing = true;
        for broker in self.brokers.values_mut() {
            if let Link::Down { retry_at } = &mut broker.link {
                *retry_at = now;
            }
        }
        self.refresh_metadata(now);
    }

    /// Fails everything that has no outcome.
    pub(crate) fn on_close(&mut self) {
        self.is_closed = true;
        for topic in self.accumulator.close() {
            let deliveries = topic.take_all(None);
            self.fail(&topic, deliveries, Failed::Closed);
        }
        for slot in 0..self.partitions.len() {
            let partition = &mut self.partitions[slot];
            let topic = partition.topic.clone();
            let batches = partition.in_flight.drain(..);
            let batches = batches.chain(partition.returned.drain(..));
            let deliveries = batches
                .chain(partition.again.drain(..))
                .flat_map(|batch| batch.deliveries)
                .collect();
            self.fail(&topic, deliveries, Failed::Closed);
        }
    }

    /// Does what the time and the events before ask for.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.time_out(now);
        self.expire(now);
        self.connect(now);
        self.log_in_again(now);
        self.ask_for_metadata(now);
        self.ask_for_identities(now);
        let nodes: Vec<Node> = self.brokers.keys().copied().collect();
        for node in nodes {
            while self.send_batches(node, now) {}
        }
        // After batches, which then need not wait for the answer.
        self.ask_for_limits(now);
        for broker in self.brokers.values() {
            if broker.producing == 0 && broker.ready.is_empty() {
                broker.is_awaited.store(true, Ordering::SeqCst);
            }
        }
        self.leaderless.store(true, Ordering::SeqCst);
        if now >= self.sent_at + BUFFER_AGE {
            self.accumulator.buffers.clear();
            self.request_buffers.clear();
        }
    }

    // Connections.

    fn time_out(&mut self, now: Instant) {
        let late: Vec<Node> = self
            .brokers
            .iter()
            .filter(|(_, broker)| match broker.link {
                Link::Connecting { since } => now >= since + self.settings.connect_timeout,
                _ => broker
                    .requests
                    .front()
                    .is_some_and(|request| now >= request.at + self.settings.socket_timeout),
            })
            .map(|(node, _)| *node)
            .collect();
        for node in late {
            self.distrust(node, Trouble::network("no answer in time"), now);
        }
    }

    /// Closes a connection.
    fn distrust(&mut self, node: Node, trouble: Trouble, now: Instant) {
        let address = self.brokers.get(&node).map(Broker::address);
        let trouble = trouble.at(&address.unwrap_or_default());
        tracing::debug!(target: "herald::kafka", "{}", trouble.cause);
        self.effects.push(Effect::Disconnect(node));
        self.on_disconnected(node, trouble, now);
    }

    fn connect(&mut self, now: Instant) {
        // Bootstrap servers are asked until a broker is known to answer.
        let has_broker = self.brokers.range(0..).any(|(_, broker)| broker.is_up());
        let any_up = self.brokers.values().any(Broker::is_up);
        // One is connected before there is something to send, so that the first record finds it.
        let first = self.brokers.range(0..).next().map(|(node, _)| *node);
        for (node, broker) in &mut self.brokers {
            if *node < 0 && has_broker {
                if !matches!(broker.link, Link::Down { .. }) && broker.requests.is_empty() {
                    self.effects.push(Effect::Disconnect(*node));
                    broker.link = Link::Down { retry_at: now };
                }
                continue;
            }
            let is_first = !has_broker && Some(*node) == first;
            let is_needed = !any_up || !broker.ready.is_empty() || is_first;
            if let Link::Down { retry_at } = broker.link
                && retry_at <= now
                && (is_needed || self.is_probing)
            {
                broker.link = Link::Connecting { since: now };
                self.effects.push(Effect::Connect {
                    node: *node,
                    host: broker.host.clone(),
                    port: broker.port,
                });
            }
        }
    }

    fn on_api_versions(&mut self, node: Node, answer: Bytes, now: Instant) -> Result<(), Trouble> {
        let versions = Versions::read(answer).map_err(Trouble::network)?;
        if self.settings.security.login.is_some() {
            return self.log_in(node, versions, now);
        }
        self.on_up(node, versions, now);
        Ok(())
    }

    /// A broker takes requests.
    fn on_up(&mut self, node: Node, versions: Versions, now: Instant) {
        if let Some(broker) = self.brokers.get_mut(&node) {
            broker.link = Link::Up(versions);
            broker.backoff = MIN_BACKOFF;
            self.statistics.update(node, |it| it.is_connected = true);
        }
        if self.is_probing {
            self.refresh_metadata(now);
        }
    }

    // Login: https://kafka.apache.org/protocol.html#sasl_handshake, and again before a session
    // ends, KIP-368.

    fn log_in(&mut self, node: Node, versions: Versions, now: Instant) -> Result<(), Trouble> {
        let (Some(source), Some(broker)) =
            (&self.settings.security.login, self.brokers.get_mut(&node))
        else {
            return Ok(());
        };
        let exchange = source
            .read()
            .and_then(Exchange::new)
            .map_err(Trouble::login)?;
        let mechanism = exchange.mechanism().name();
        broker.link = Link::LoggingIn(versions);
        broker.login = Some(exchange);
        broker.login_again_at = None;
        let correlation = broker.request(RequestKind::SaslHandshake, now);
        let bytes = protocol::sasl_handshake(correlation, &self.settings.client_id, mechanism);
        self.effects.push(Effect::Write { node, bytes });
        Ok(())
    }

    fn on_sasl_handshake(
        &mut self,
        node: Node,
        versions: Versions,
        answer: Bytes,
        now: Instant,
    ) -> Result<(), Trouble> {
        let answer = protocol::read_sasl_handshake(answer).map_err(Trouble::network)?;
        if answer.error_code != 0 {
            return Err(Trouble::login(format!(
                "the broker does not have the way of logging in; it has {}",
                answer.mechanisms.join(", ")
            )));
        }
        self.continue_login(node, versions, None, now)
    }

    fn on_sasl_authenticate(
        &mut self,
        node: Node,
        versions: Versions,
        answer: Bytes,
        now: Instant,
    ) -> Result<(), Trouble> {
        let SaslAuthenticate {
            error_code,
            error_message,
            message,
            session_lifetime_ms,
        } = protocol::read_sasl_authenticate(versions, answer).map_err(Trouble::network)?;
        if error_code != 0 {
            let told = error_message.unwrap_or_default();
            return Err(Trouble::login(format!(
                "the broker refused the login ({}): {told}",
                verdict::error_name(error_code)
            )));
        }
        if let Some(broker) = self.brokers.get_mut(&node) {
            let lifetime = u64::try_from(session_lifetime_ms).unwrap_or_default();
            let lifetime = Duration::from_millis(lifetime) / 5 * 4;
            broker.login_again_at = (!lifetime.is_zero())
                .then(|| now.checked_add(lifetime))
                .flatten();
        }
        self.continue_login(node, versions, Some(&message), now)
    }

    fn continue_login(
        &mut self,
        node: Node,
        versions: Versions,
        challenge: Option<&[u8]>,
        now: Instant,
    ) -> Result<(), Trouble> {
        let Some(broker) = self.brokers.get_mut(&node) else {
            return Ok(());
        };
        let Some(exchange) = &mut broker.login else {
            return Ok(());
        };
        let Some(message) = exchange.answer(challenge).map_err(Trouble::login)? else {
            broker.login = None;
            self.on_up(node, versions, now);
            return Ok(());
        };
        let correlation = broker.request(RequestKind::SaslAuthenticate, now);
        let client_id = &self.settings.client_id;
        let bytes = protocol::sasl_authenticate(versions, correlation, client_id, &message)
            .ok_or_else(|| Trouble::login("the broker is older than Kafka 1.0"))?;
        self.effects.push(Effect::Write { node, bytes });
        Ok(())
    }

    /// Logs in again where a session ends soon. Nothing new is sent meanwhile; what is under way is
    /// answered first.
    fn log_in_again(&mut self, now: Instant) {
        let due = |broker: &Broker| broker.login_again_at.is_some_and(|at| at <= now);
        let nodes: Vec<(Node, Versions)> = (self.brokers.iter())
            .filter(|(_, broker)| broker.is_up() && due(broker))
            .filter_map(|(node, broker)| Some((*node, broker.versions()?)))
            .collect();
        for (node, versions) in nodes {
            if let Err(trouble) = self.log_in(node, versions, now) {
                self.distrust(node, trouble, now);
            }
        }
    }

    /// A request has no answer: does again what it was for.
    fn forget(&mut self, node: Node, kind: RequestKind, now: Instant) {
        match kind {
            RequestKind::ApiVersions
            | RequestKind::SaslHandshake
            | RequestKind::SaslAuthenticate => {}
            RequestKind::Metadata => {
                if self.metadata_asked.is_some_and(|(asked, _)| asked == node) {
                    self.metadata_asked = None;
                }
            }
            RequestKind::InitProducerId(None) => self.is_identity_asked = false,
            RequestKind::InitProducerId(Some(slot)) => self.identity_waiters.push_back(slot),
            RequestKind::Limits(topics) => self.limits_wanted.extend(topics),
            RequestKind::Produce(slots) => {
                for slot in slots {
                    let partition = &mut self.partitions[slot];
                    partition.is_recovering = true;
                    let batches = partition.in_flight.drain(..);
                    partition.returned.extend(batches);
                    self.recover(slot, now);
                }
            }
        }
    }

    // Metadata.

    fn refresh_metadata(&mut self, at: Instant) {
        self.metadata_at = self.metadata_at.min(at);
    }

    fn ask_for_metadata(&mut self, now: Instant) {
        if self.metadata_at > now {
            return;
        }
        let asked = match self.metadata_asked {
            Some((_, at)) if now < at + METADATA_PATIENCE && !self.is_probing => return,
            Some((node, _)) => Some(node),
            None => None,
        };
        let up = self
            .brokers
            .iter()
            .filter(|(_, broker)| broker.is_up() && !broker.is_asked_for_metadata());
        let mut nodes: Vec<Node> = up
            .filter(|(node, _)| Some(**node) != asked)
            .map(|(node, _)| *node)
            .collect();
        // The one with the fewest requests answers first. Another one each time: one that is cut off
        // from the rest of the cluster would tell the same old leaders again and again.
        nodes.sort_by_key(|node| {
            let was_last = self.metadata_from == Some(*node);
            (was_last, self.brokers[node].requests.len())
        });
        if !self.is_probing {
            nodes.truncate(1);
        }
        for node in nodes {
            let Some(broker) = self.brokers.get_mut(&node) else {
                continue;
            };
            let Some(versions) = broker.versions() else {
                continue;
            };
            let correlation = broker.request(RequestKind::Metadata, now);
            let bytes = protocol::metadata(
                versions,
                correlation,
                &self.settings.client_id,
                self.topics.keys().map(|name| &**name),
            );
            self.effects.push(Effect::Write { node, bytes });
            self.metadata_asked = Some((node, now));
            self.metadata_from = Some(node);
            self.metadata_at = now + self.settings.metadata_age;
        }
    }

    fn on_metadata(&mut self, from: Node, metadata: &Metadata, now: Instant) {
        // Numbers below 0 are those of bootstrap servers.
        for broker in (metadata.brokers.iter()).filter(|broker| broker.id >= 0) {
            self.on_broker(from, broker, now);
        }
        if self.is_probing {
            self.is_probing = false;
            let cluster = metadata.cluster_id.clone();
            self.effects.push(Effect::Answered(cluster));
        }
        for topic in &metadata.topics {
            self.on_topic(topic, now);
        }
    }

    /// A broker has told the address of one.
    fn on_broker(&mut self, from: Node, broker: &BrokerMetadata, now: Instant) {
        let (host, port) = (broker.host.clone(), broker.port);
        let port = u16::try_from(port).unwrap_or_default();
        let known = self.brokers.entry(broker.id);
        let known = known.or_insert_with(|| Broker::new(host.clone(), port, now));
        if (&known.host, known.port) != (&host, port) {
            (known.host, known.port) = (host, port);
            if broker.id != from && known.is_connected() {
                let trouble = Trouble::network("it has another address now");
                self.distrust(broker.id, trouble, now);
            }
        }
    }

    fn on_topic(&mut self, metadata: &TopicMetadata, now: Instant) {
        let name = metadata.name.as_str();
        let Some(entry) = self.topics.get_mut(name) else {
            return;
        };
        match verdict::of(metadata.error_code) {
            _ if metadata.error_code == 0 && !metadata.partitions.is_empty() => {
                entry.absent_since = None;
                if entry.limit_at.is_some_and(|at| at <= now) {
                    entry.limit_at = None;
                    self.limits_wanted.push(name.into());
                }
                match entry.met {
                    Met::Whole => self.on_partitions(name, metadata, now),
                    Met::Not | Met::Half(_) => entry.met = Met::Half(metadata.clone()),
                }
            }
            Verdict::Topic => self.reject_topic(name, metadata.error_code, now),
            _ if metadata.error_code == UNKNOWN_TOPIC => {
                let since = *entry.absent_since.get_or_insert_with(|| {
                    self.effects.push(Effect::Absent(name.to_owned()));
                    now
                });
                if now >= since + self.settings.topic_propagation {
                    entry.absent_since = None;
                    self.reject_topic(name, UNKNOWN_TOPIC, now);
                } else {
                    self.refresh_metadata(now + METADATA_BACKOFF);
                }
            }
            _ => self.refresh_metadata(now + METADATA_BACKOFF),
        }
    }

    fn on_partitions(&mut self, name: &str, metadata: &TopicMetadata, now: Instant) {
        let Some(entry) = self.topics.get_mut(name) else {
            return;
        };
        let topic = entry.topic.clone();
        let told = metadata.partitions.len();
        if told >= entry.count {
            entry.fewer_since = None;
        }
        // Epochs of two topics, or of one that might be another, say nothing about each other.
        let is_same = entry.id.is_some() && entry.id == metadata.id;
        let is_recreated = match (entry.id, metadata.id) {
            (Some(known), Some(id)) => known != id,
            // Before Kafka 2.8. No topic has fewer partitions than before, unless it is another one.
            _ => told < entry.count && now >= *entry.fewer_since.get_or_insert(now) + MAX_STALENESS,
        };
        entry.id = metadata.id.or(entry.id);
        entry.count = if is_recreated {
            told
        } else {
            told.max(entry.count)
        };
        while entry.slots.len() < entry.count {
            let index = entry.slots.len();
            entry.slots.push(self.partitions.len());
            self.partitions.push(Partition::new(topic.clone(), index));
        }
        let (count, slots) = (entry.count, entry.slots.clone());
        if is_recreated {
            self.on_recreated(&topic, &slots, now);
        }
        if count < slots.len() && self.remove_partitions(&topic, count, &slots, now) {
            // Their failures are reported before the answer comes, and the topic takes records again.
            return self.refresh_metadata(now);
        }
        let filled = topic.set_partitions(
            count,
            |_| self.leaderless.clone(),
            &self.accumulator.buffers,
        );
        for partition in &metadata.partitions {
            let index = usize::try_from(partition.index).unwrap_or(usize::MAX);
            let Some(slot) = slots.get(index).copied() else {
                continue;
            };
            if is_same && self.is_stale(slot, partition.leader.epoch, now) {
                if self.partitions[slot].work != Work::None {
                    self.refresh_metadata(now + METADATA_BACKOFF);
                }
            } else {
                self.set_leader(slot, partition.leader, now);
            }
            if self.partitions[slot].work != Work::None || filled.contains(&index) {
                self.mark_work(slot, now);
            }
        }
    }

    /// Returns whether a broker has told of an older leader than is known (KIP-320): it is behind.
    fn is_stale(&mut self, slot: Slot, epoch: i32, now: Instant) -> bool {
        let partition = &mut self.partitions[slot];
        if epoch < 0 || partition.epoch <= epoch {
            partition.stale_since = None;
            return false;
        }
        now < *partition.stale_since.get_or_insert(now) + MAX_STALENESS
    }

    /// Moves a partition to its leader.
    fn set_leader(&mut self, slot: Slot, leader: Leader, now: Instant) {
        let partition = &mut self.partitions[slot];
        if leader.epoch >= 0 {
            if partition.epoch >= 0 && partition.epoch < leader.epoch {
                // The wait is for what the leader before refused.
                partition.retry_at = None;
            }
            partition.epoch = leader.epoch;
            partition.stale_since = None;
        }
        let broker = self.brokers.get(&leader.id).filter(|_| leader.id >= 0);
        let leader = broker.map_or(-1, |_| leader.id);
        if partition.leader == leader {
            return;
        }
        let is_awaited = broker.map_or(&self.leaderless, |broker| &broker.is_awaited);
        let (topic, index) = (partition.topic.clone(), partition.index);
        topic.set_awaited(index, is_awaited.clone());
        let old = std::mem::replace(&mut partition.leader, leader);
        if let Some(old) = self.brokers.get_mut(&old) {
            old.ready.retain(|ready| *ready != slot);
        }
        // A record may have come while nobody was to be woken for this partition.
        if partition.work != Work::None || topic.front(index, |_| true) {
            partition.work = Work::Waiting;
            self.mark_work(slot, now);
        }
    }

    /// A topic was deleted and created again: its logs are empty, and epochs of leaders begin anew.
    fn on_recreated(&mut self, topic: &Topic<D>, slots: &[Slot], now: Instant) {
        let name = &topic.name;
        tracing::warn!(target: "herald::kafka", topic = &**name, "a topic was deleted and created again");
        for slot in slots {
            let partition = &mut self.partitions[*slot];
            (partition.epoch, partition.stale_since) = (-1, None);
            partition.may_be_recreated = true;
            partition.is_recovering = true;
            self.recover(*slot, now);
        }
        self.ask_again_for_limit(name, now);
    }

    /// Fails the records of partitions that a topic does not have since it was created again: at the
    /// next attempt their keys belong to others. Returns whether there were such partitions.
    fn remove_partitions(
        &mut self,
        topic: &Arc<Topic<D>>,
        count: usize,
        slots: &[Slot],
        now: Instant,
    ) -> bool {
        let rejected = (UNKNOWN_TOPIC_ID, now + REJECTION);
        let removed = topic.remove_partitions(count, rejected);
        let any_removed = removed.is_some();
        for slot in &slots[count..] {
            let nobody = Leader { id: -1, epoch: -1 };
            self.set_leader(*slot, nobody, now);
            self.refuse_waiting(*slot, UNKNOWN_TOPIC_ID, now);
            self.partitions[*slot].work = Work::None;
        }
        let deliveries = removed.unwrap_or_default();
        self.fail(topic, deliveries, Failed::Refused(UNKNOWN_TOPIC_ID));
        any_removed
    }

    /// The cluster takes nothing for a topic: fails what is there for it.
    fn reject_topic(&mut self, name: &str, code: i16, now: Instant) {
        let Some(entry) = self.topics.get(name) else {
            return;
        };
        let (topic, slots) = (entry.topic.clone(), entry.slots.clone());
        for slot in slots {
            self.refuse_waiting(slot, code, now);
        }
        let deliveries = topic.take_all(Some((code, now + REJECTION)));
        self.fail(&topic, deliveries, Failed::Refused(code));
        // Nobody needs to wait for its limit.
        self.effects.push(Effect::Limit {
            topic: name.to_owned(),
            bytes: None,
        });
    }

    /// Fails the batches of a partition that are to be sent again.
    fn refuse_waiting(&mut self, slot: Slot, code: i16, now: Instant) {
        let partition = &mut self.partitions[slot];
        let topic = partition.topic.clone();
        let batches = std::mem::take(&mut partition.again);
        partition.needs_reset |= batches.iter().any(|batch| batch.sequence.is_some());
        let deliveries = batches.into_iter().flat_map(|batch| batch.deliveries);
        let deliveries = deliveries.collect();
        self.fail(&topic, deliveries, Failed::Refused(code));
        if self.partitions[slot].needs_reset {
            self.partitions[slot].is_recovering = true;
            self.recover(slot, now);
        }
    }

    // Limits.

    fn ask_for_limits(&mut self, now: Instant) {
        if self.limits_wanted.is_empty() {
            return;
        }
        let up = self.brokers.iter_mut().filter(|(_, broker)| broker.is_up());
        let Some((node, broker)) = up.min_by_key(|(_, broker)| broker.requests.len()) else {
            return;
        };
        let topics = std::mem::take(&mut self.limits_wanted);
        if !broker
            .versions()
            .is_some_and(|versions| versions.describes_configs)
        {
            return self.on_limits(topics, &HashMap::new(), now);
        }
        let names = topics.iter().map(|name| &**name);
        let client_id = &self.settings.client_id;
        let bytes = protocol::describe_topics(broker.next_correlation, client_id, names);
        broker.request(RequestKind::Limits(topics), now);
        self.effects.push(Effect::Write { node: *node, bytes });
    }

    /// The limit of a topic was lowered, or could not be told before.
    fn ask_again_for_limit(&mut self, topic: &str, now: Instant) {
        if let Some(at) = self
            .topics
            .get_mut(topic)
            .and_then(|it| it.limit_at.as_mut())
        {
            *at = now;
            self.refresh_metadata(now);
        }
    }

    /// The cluster has told the limits of topics, of those whose limits it tells.
    fn on_limits(&mut self, topics: Vec<Box<str>>, limits: &HashMap<String, usize>, now: Instant) {
        for name in topics {
            let Some(entry) = self.topics.get_mut(&name) else {
                continue;
            };
            let bytes = limits.get(&*name).copied();
            let batch_bytes = bytes.map_or(usize::MAX, |it| it.saturating_sub(BATCH_OVERHEAD));
            let is_lower = batch_bytes < self.settings.batch_bytes;
            let batch_bytes = batch_bytes.min(self.settings.batch_bytes);
            let too_large = entry.topic.set_limit(batch_bytes, bytes);
            let topic = entry.topic.clone();
            let met = std::mem::replace(&mut entry.met, Met::Whole);
            let age = if is_lower {
                LIMIT_AGE
            } else {
                self.settings.metadata_age
            };
            entry.limit_at = Some(now + age);
            if is_lower {
                self.refresh_metadata(now + LIMIT_AGE);
            }
            // First, so that who is told of failed records can be told why.
            self.effects.push(Effect::Limit {
                topic: name.to_string(),
                bytes,
            });
            self.fail(&topic, too_large, Failed::Refused(MESSAGE_TOO_LARGE));
            if let Met::Half(metadata) = met {
                self.on_partitions(&name, &metadata, now);
            }
        }
    }

    // Identities.

    fn ask_for_identities(&mut self, now: Instant) {
        if now < self.identity_at {
            return;
        }
        let mut wanted = Vec::new();
        if self.identity.is_none() && !self.is_identity_asked {
            wanted.push(None);
        }
        wanted.extend(self.identity_waiters.iter().copied().map(Some));
        if wanted.is_empty() {
            return;
        }
        let up = self.brokers.iter_mut().filter(|(_, broker)| broker.is_up());
        let Some((node, broker)) = up.min_by_key(|(_, broker)| broker.requests.len()) else {
            return;
        };
        let Some(versions) = broker.versions() else {
            return;
        };
        self.identity_waiters.clear();
        for slot in wanted {
            self.is_identity_asked |= slot.is_none();
            let correlation = broker.request(RequestKind::InitProducerId(slot), now);
            let client_id = &self.settings.client_id;
            let bytes = protocol::init_producer_id(versions, correlation, client_id);
            self.effects.push(Effect::Write { node: *node, bytes });
        }
    }

    fn on_identity(&mut self, slot: Option<Slot>, code: i16, identity: Identity, now: Instant) {
        if code != 0 {
            // A cluster that was just started takes a moment.
            if !COORDINATOR_STARTS.contains(&code) {
                let error = &*verdict::error_name(code);
                tracing::warn!(target: "herald::kafka", error, "the cluster gave no producer id");
            }
            self.identity_at = now + IDENTITY_BACKOFF;
            match slot {
                None => self.is_identity_asked = false,
                Some(slot) => self.identity_waiters.push_back(slot),
            }
            return;
        }
        match slot {
            None => self.identity = Some(identity),
            Some(slot) => {
                let partition = &mut self.partitions[slot];
                partition.numbering = Numbering::begin(identity);
            }
        }
    }

    // Batches.

    /// Notes that a partition may have something to send.
    fn mark_work(&mut self, slot: Slot, now: Instant) {
        let partition = &mut self.partitions[slot];
        if partition.work == Work::Queued {
            return;
        }
        let leader = partition.leader;
        if let Some(broker) = self.brokers.get_mut(&leader).filter(|_| leader >= 0) {
            broker.ready.push_back(slot);
            partition.work = Work::Queued;
        } else {
            partition.work = Work::Waiting;
            self.refresh_metadata(now + METADATA_BACKOFF);
        }
    }

    /// Sends one request with batches, if there is reason to; returns whether it did.
    fn send_batches(&mut self, node: Node, now: Instant) -> bool {
        let Some(broker) = self.brokers.get(&node) else {
            return false;
        };
        if !broker.is_up()
            || broker.producing >= self.settings.max_in_flight
            || broker.throttled_until.is_some_and(|until| now < until)
        {
            return false;
        }
        let is_idle = broker.producing == 0;
        let is_due = |slot: &Slot| {
            let partition = &self.partitions[*slot];
            self.may_send(partition, now) && (is_idle || self.has_due_batch(partition, now))
        };
        if !broker.ready.iter().any(is_due) {
            return false;
        }
        let mut batches = self.take_batches(node, now);
        if batches.is_empty() {
            return false;
        }
        // Batches of a topic stand together in a request.
        batches.sort_by(|(one, _), (other, _)| {
            let name = |slot: &Slot| &self.partitions[*slot].topic.name;
            name(one).cmp(name(other))
        });
        let Some(broker) = self.brokers.get_mut(&node) else {
            return false;
        };
        let Link::Up(versions) = broker.link else {
            return false;
        };
        let slots = batches.iter().map(|(slot, _)| *slot).collect();
        let correlation = broker.request(RequestKind::Produce(slots), now);
        broker.producing += 1;
        self.sent_at = now;
        let bytes = batches.iter().map(|(_, batch)| batch.records.bytes());
        let expected = bytes.sum::<usize>() / 2 + 1_024;
        let timeout = i32::try_from(self.settings.request_timeout.as_millis());
        // Of any size: it is held for a moment.
        let mut buffer = self.request_buffers.take(usize::MAX);
        buffer.reserve(expected);
        let mut request = ProduceRequest::new(
            versions,
            correlation,
            &self.settings.client_id,
            timeout.unwrap_or(i32::MAX),
            buffer,
        );
        let mut topic: Option<&str> = None;
        for (slot, batch) in &batches {
            let partition = &self.partitions[*slot];
            if topic != Some(&partition.topic.name) {
                request.topic(&partition.topic.name);
                topic = Some(&partition.topic.name);
            }
            let Some((identity, sequence)) = batch.sequence else {
                continue;
            };
            let index = i32::try_from(partition.index).unwrap_or(i32::MAX);
            request.partition(index, batch.records.bytes() / 2, |out| {
                let compression = self.settings.compression;
                batch.records.seal(compression, identity, sequence, out);
            });
        }
        let bytes = request.finish();
        self.statistics.update(node, |it| {
            it.requests += 1;
            it.in_flight += 1;
            it.request_bytes += bytes.len() as u64;
            for (_, batch) in &batches {
                it.batches += 1;
                it.repeated_batches += u64::from(batch.was_sent);
                it.records += batch.records.len() as u64;
                it.record_bytes += batch.records.bytes() as u64;
            }
        });
        for (slot, mut batch) in batches {
            batch.was_sent = true;
            self.partitions[slot].in_flight_at = node;
            self.partitions[slot].in_flight.push_back(batch);
        }
        self.effects.push(Effect::Write { node, bytes });
        true
    }

    fn may_send(&self, partition: &Partition<D>, now: Instant) -> bool {
        let limit = match partition.numbering {
            Numbering::New => usize::from(self.identity.is_some()),
            Numbering::Awaited => 0,
            Numbering::Begun { is_known, .. } if !is_known => 1,
            Numbering::Begun { .. } => self.settings.max_in_flight,
        };
        !partition.is_recovering
            && partition.retry_at.is_none_or(|at| at <= now)
            && partition.in_flight.len() < limit
            && (partition.in_flight.is_empty() || partition.in_flight_at == partition.leader)
    }

    /// Returns whether a partition has a batch that need not wait for others.
    fn has_due_batch(&self, partition: &Partition<D>, now: Instant) -> bool {
        let linger = self.settings.linger;
        !partition.again.is_empty()
            || partition.topic.front(partition.index, |batch| {
                batch.is_full || now >= batch.since + linger
            })
    }

    /// Takes the oldest batch of each partition that a broker leads.
    fn take_batches(&mut self, node: Node, now: Instant) -> Vec<(Slot, Batch<D>)> {
        let Some(broker) = self.brokers.get_mut(&node) else {
            return Vec::new();
        };
        let ready = std::mem::take(&mut broker.ready);
        let (mut batches, mut still_ready, mut bytes) = (Vec::new(), VecDeque::new(), 0);
        for slot in ready {
            let partition = &self.partitions[slot];
            if !self.may_send(partition, now) || bytes > MAX_REQUEST_BYTES {
                still_ready.push_back(slot);
                continue;
            }
            let partition = &mut self.partitions[slot];
            let (batch, has_more) = match partition.again.pop_front() {
                Some(batch) => (Some(batch), true),
                None => partition.topic.take_batch(partition.index),
            };
            if has_more {
                still_ready.push_back(slot);
            } else {
                partition.work = Work::None;
            }
            if let Some(mut batch) = batch {
                batch.is_full = true;
                bytes += batch.records.bytes();
                if batch.sequence.is_none() {
                    batch.sequence = partition.numbering.take(self.identity, &batch.records);
                }
                batches.push((slot, batch));
            }
        }
        if let Some(broker) = self.brokers.get_mut(&node) {
            broker.ready.extend(still_ready);
        }
        batches
    }

    fn on_produced(
        &mut self,
        node: Node,
        versions: Versions,
        slots: Vec<Slot>,
        answer: Bytes,
        now: Instant,
    ) -> Result<(), Malformed> {
        let mut left: HashSet<Slot> = slots.iter().copied().collect();
        let answer = protocol::read_produce(versions, answer);
        if let Ok(answer) = &answer {
            self.throttle(node, answer.throttled_ms, now);
        }
        let (topics, leaders) = answer.as_ref().map_or((&[][..], &[][..]), |answer| {
            (&answer.topics, &answer.leaders)
        });
        for (name, partitions) in topics {
            for partition in partitions {
                let entry = self.topics.get(name.as_str());
                let index = usize::try_from(partition.index).unwrap_or(usize::MAX);
                let slot = entry.and_then(|entry| entry.slots.get(index).copied());
                if let Some(slot) = slot
                    && left.remove(&slot)
                {
                    if let Some(leader) = partition.leader {
                        self.on_current_leader(node, slot, leader, leaders, now);
                    }
                    self.on_batch(slot, partition.error_code, partition.first_offset, now);
                }
            }
        }
        for slot in slots {
            if left.contains(&slot) {
                self.on_batch(slot, NOT_ANSWERED, -1, now);
            }
        }
        answer.map(|_| ())
    }

    /// A broker that does not lead a partition has told who does (KIP-951).
    fn on_current_leader(
        &mut self,
        from: Node,
        slot: Slot,
        leader: Leader,
        addresses: &[BrokerMetadata],
        now: Instant,
    ) {
        let partition = &self.partitions[slot];
        // What is not newer may be wrong, as behind a proxy: metadata is asked for then. And the answer
        // may be about a topic that was deleted since.
        if leader.id < 0 || leader.epoch <= partition.epoch || partition.may_be_recreated {
            return;
        }
        if let Some(broker) = addresses.iter().find(|broker| broker.id == leader.id) {
            self.on_broker(from, broker, now);
        }
        if self.brokers.contains_key(&leader.id) {
            self.set_leader(slot, leader, now);
        }
    }

    /// A broker takes no more from this client for a time: it would not read requests before its end
    /// (KIP-219).
    fn throttle(&mut self, node: Node, milliseconds: i32, now: Instant) {
        let time = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
        if let Some(broker) = self.brokers.get_mut(&node).filter(|_| !time.is_zero()) {
            let time = time.min(MAX_THROTTLING);
            broker.throttled_until = Some(now + time);
            self.statistics.update(node, |it| it.throttled += time);
        }
    }

    /// Handles the answer to the oldest batch of a partition that is under way.
    fn on_batch(&mut self, slot: Slot, code: i16, first_offset: i64, now: Instant) {
        let partition = &mut self.partitions[slot];
        let Some(batch) = partition.in_flight.pop_front() else {
            return;
        };
        let topic = partition.topic.clone();
        if code == 0 && first_offset >= 0 {
            partition.numbering.acknowledge();
            partition.backoff = MIN_BACKOFF;
            self.accumulator
                .buffers
                .give_back(batch.records.into_buffer());
            self.effects.push(Effect::Report(Report::Delivered {
                partition: i32::try_from(partition.index).unwrap_or(i32::MAX),
                first_offset,
                deliveries: batch.deliveries,
            }));
        } else {
            partition.is_recovering = true;
            match verdict::of(code) {
                // A success without an offset tells not where the batch is.
                _ if code == 0 => {
                    partition.needs_reset = true;
                    partition.returned.push_back(batch);
                }
                Verdict::Again => partition.returned.push_back(batch),
                Verdict::AgainElsewhere => {
                    partition.may_be_recreated |= code == UNKNOWN_TOPIC;
                    partition.returned.push_back(batch);
                    if !partition.has_moved() {
                        self.refresh_metadata(now);
                    }
                }
                Verdict::OutOfSequence => {
                    // Expected behind one that has to be sent again.
                    partition.needs_reset |= partition.returned.is_empty();
                    partition.returned.push_back(batch);
                }
                Verdict::Batch if batch.records.len() > 1 => {
                    partition.needs_reset = true;
                    let (first, second) = batch.halve();
                    partition.returned.extend([first, second]);
                }
                Verdict::Batch => {
                    partition.needs_reset = true;
                    self.fail(&topic, batch.deliveries, Failed::Refused(code));
                }
                Verdict::Topic => {
                    partition.needs_reset = true;
                    self.fail(&topic, batch.deliveries, Failed::Refused(code));
                    self.reject_topic(&topic.name, code, now);
                }
            }
        }
        if [MESSAGE_TOO_LARGE, BATCH_TOO_LARGE].contains(&code) {
            self.ask_again_for_limit(&topic.name, now);
        }
        self.recover(slot, now);
    }

    /// Ends a recovery, if nothing of the partition is under way any more.
    fn recover(&mut self, slot: Slot, now: Instant) {
        let partition = &mut self.partitions[slot];
        if !partition.is_recovering || !partition.in_flight.is_empty() {
            return;
        }
        partition.is_recovering = false;
        let mut again = std::mem::take(&mut partition.returned);
        again.append(&mut partition.again);
        // Expired ones leave a gap if they were sent before.
        let expired = |batch: &Batch<D>| batch.deliveries.is_empty();
        partition.needs_reset |= again
            .iter()
            .any(|batch| expired(batch) && batch.sequence.is_some());
        again.retain(|batch| !expired(batch));
        if std::mem::take(&mut partition.may_be_recreated) {
            partition.numbering.forget();
        }
        if partition.needs_reset {
            partition.needs_reset = false;
            for batch in &mut again {
                batch.sequence = None;
            }
            partition.numbering = Numbering::Awaited;
            self.identity_waiters.push_back(slot);
        } else {
            // The first other leader gets it at once. Brokers that name each other would get it for ever.
            let is_first = partition.backoff == MIN_BACKOFF;
            let is_at_once = is_first && partition.has_moved();
            partition.retry_at = (!is_at_once).then(|| now + partition.backoff);
            partition.backoff = (partition.backoff * 2).min(MAX_BACKOFF);
        }
        partition.again = again;
        if !partition.again.is_empty() || partition.topic.front(partition.index, |_| true) {
            self.mark_work(slot, now);
        }
    }

    /// Reports what was tried for too long.
    fn expire(&mut self, now: Instant) {
        let Some(timeout) = self.settings.delivery_timeout else {
            return;
        };
        let Some(before) = now.checked_sub(timeout) else {
            return;
        };
        let topics: Vec<_> = self
            .topics
            .values()
            .map(|entry| entry.topic.clone())
            .collect();
        for topic in topics {
            let expired = topic.take_expired(before);
            self.fail(&topic, expired, Failed::Expired);
        }
        for slot in 0..self.partitions.len() {
            let partition = &mut self.partitions[slot];
            let topic = partition.topic.clone();
            let batches = partition.in_flight.iter_mut();
            let batches = batches.chain(&mut partition.returned);
            let batches = batches.chain(&mut partition.again);
            let expired = batches.filter(|batch| batch.since <= before);
            // What is under way keeps its place: later ones wait for its answer.
            let deliveries: Vec<D> = expired
                .flat_map(|batch| std::mem::take(&mut batch.deliveries))
                .collect();
            let is_waiting = partition
                .again
                .iter()
                .any(|batch| batch.deliveries.is_empty());
            if is_waiting {
                partition.is_recovering = true;
                self.recover(slot, now);
            }
            self.fail(&topic, deliveries, Failed::Expired);
        }
    }

    fn fail(&mut self, topic: &Arc<Topic<D>>, deliveries: Vec<D>, failed: Failed) {
        if !deliveries.is_empty() {
            self.effects.push(Effect::Report(Report::Failed {
                topic: topic.clone(),
                deliveries,
                failed,
            }));
        }
    }
}

impl Broker {
    fn new(host: String, port: u16, now: Instant) -> Self {
        Self {
            host,
            port,
            link: Link::Down { retry_at: now },
            backoff: MIN_BACKOFF,
            requests: VecDeque::new(),
            producing: 0,
            next_correlation: 0,
            ready: VecDeque::new(),
            is_awaited: Arc::new(AtomicBool::new(true)),
            login: None,
            login_again_at: None,
            throttled_until: None,
        }
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn is_up(&self) -> bool {
        matches!(self.link, Link::Up(_))
    }

    fn is_connected(&self) -> bool {
        matches!(
            self.link,
            Link::Up(_) | Link::LoggingIn(_) | Link::Negotiating
        )
    }

    fn versions(&self) -> Option<Versions> {
        match self.link {
            Link::Up(versions) | Link::LoggingIn(versions) => Some(versions),
            _ => None,
        }
    }

    fn is_asked_for_metadata(&self) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|request| matches!(request.kind, RequestKind::Metadata))
    }

    /// Notes a request, and returns its correlation id.
    fn request(&mut self, kind: RequestKind, now: Instant) -> i32 {
        let correlation = self.next_correlation;
        self.next_correlation = correlation.wrapping_add(1);
        self.requests.push_back(Request {
            correlation,
            at: now,
            kind,
        });
        correlation
    }
}

impl Numbering {
    fn begin(identity: Identity) -> Self {
        Self::Begun {
            identity,
            next: 0,
            is_known: false,
        }
    }

    /// Returns the identity and the first sequence of a batch.
    fn take(&mut self, shared: Option<Identity>, records: &Records) -> Option<(Identity, i32)> {
        if let (Self::New, Some(shared)) = (&self, shared) {
            *self = Self::begin(shared);
        }
        let Self::Begun { identity, next, .. } = self else {
            return None;
        };
        let first = *next;
        *next = next_sequence(first, records.len());
        Some((*identity, first))
    }

    fn acknowledge(&mut self) {
        if let Self::Begun { is_known, .. } = self {
            *is_known = true;
        }
    }

    /// The cluster may have no batch of this identity any more.
    fn forget(&mut self) {
        if let Self::Begun { is_known, .. } = self {
            *is_known = false;
        }
    }
}

impl<D> Partition<D> {
    fn new(topic: Arc<Topic<D>>, index: usize) -> Self {
        Self {
            topic,
            index,
            leader: -1,
            epoch: -1,
            stale_since: None,
            numbering: Numbering::New,
            in_flight: VecDeque::new(),
            in_flight_at: -1,
            again: VecDeque::new(),
            returned: VecDeque::new(),
            is_recovering: false,
            needs_reset: false,
            may_be_recreated: false,
            retry_at: None,
            backoff: MIN_BACKOFF,
            work: Work::None,
        }
    }
    /// Returns whether it has another leader than the broker to which batches were sent last.
    fn has_moved(&self) -> bool {
        self.leader >= 0 && self.leader != self.in_flight_at
    }
}
