//! Plan: rates and sizes per contract, per topic, and in total.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use herald_catalog::example::Example;
use herald_catalog::topics::{self, Published};
use herald_catalog::volume::Range;
use herald_catalog::{Event, Node};

use crate::rates::{self, Rate};
use crate::record::Size;
use crate::retention::{self, Retention};

/// Default throughput of a partition, in bytes per second: a conservative value.
pub const PARTITION_BYTES_PER_SECOND: u32 = 10_000_000;

/// Settings that take precedence over those of contracts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Requests per second of each node.
    pub requests_per_second: Option<Range>,
    /// Retention of events.
    pub retention: Option<Duration>,
    /// Number of replicas.
    pub replication_factor: Option<u32>,
    /// Throughput of a partition, in bytes per second.
    pub partition_bytes_per_second: Option<u32>,
    /// Throughput of a consumer, in events per second.
    pub consumer_events_per_second: Option<u32>,
    /// Namespace of topics.
    pub namespace: Option<String>,
}

/// Volume of all contracts.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Contracts.
    pub contracts: Vec<ContractPlan<'a>>,
    /// Topics by name, each with the events of all contracts.
    pub topics: Vec<TopicPlan>,
    /// Total of all contracts.
    pub total: Total,
    /// Contradictions between contracts, a sentence each.
    pub problems: Vec<String>,
}

/// Volume of a contract.
#[derive(Debug)]
pub struct ContractPlan<'a> {
    /// The contract.
    pub node: &'a Node,
    /// Its rates.
    pub rates: Vec<Rate>,
    /// Its events, in its order.
    pub events: Vec<EventPlan>,
    /// Requests, if their number is known.
    pub requests_per_second: Option<Range>,
    /// Events of one request.
    pub events_per_request: Range,
    /// Bytes of one request.
    pub bytes_per_request: Range,
}

/// Volume of an event.
#[derive(Debug)]
pub struct EventPlan {
    /// Event type.
    pub event_type: String,
    /// Topic with its namespace.
    pub topic: String,
    /// Size of an example.
    pub size: Size,
    /// Whether events can have more fields than the contract declares.
    pub is_open: bool,
    /// Whether it exceeds Kafka's default maximum size.
    pub is_too_large: bool,
    /// Events of this type in a request.
    pub per_request: Range,
}

/// Volume of a topic.
#[derive(Debug)]
pub struct TopicPlan {
    /// Name with its namespace.
    pub name: String,
    /// Paths of the contracts that publish to it.
    pub contracts: Vec<String>,
    /// Event types that are published to it.
    pub event_types: Vec<String>,
    /// Bytes of its smallest and of its largest event.
    pub size: Range,
    /// Events of one request of each contract.
    pub events_per_request: Range,
    /// Their bytes.
    pub bytes_per_request: Range,
    /// Events per second, of contracts that have a rate.
    pub events_per_second: Option<Range>,
    /// Bytes per second, of contracts that have a rate.
    pub bytes_per_second: Option<Range>,
    /// Partitions.
    pub partitions: Partitions,
    /// Number of replicas, if it is configured.
    pub replication_factor: Option<u32>,
    /// Its retention.
    pub retention: Retention,
    /// Bytes that a partition keeps at most.
    pub retention_bytes: Option<u64>,
    /// Bytes on the disks of all replicas; one copy if their number is not configured.
    pub disk_bytes: Option<Range>,
}

/// Number of partitions that a topic should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partitions {
    /// Partitions that the highest rate needs; `None` without a rate.
    pub needed: Option<u64>,
    /// Number in the contract.
    pub configured: Option<u32>,
}

impl Partitions {
    /// Returns the needed number, never less than the configured one: keys would move to other
    /// partitions.
    pub fn planned(self) -> Option<u64> {
        self.needed.max(self.configured.map(u64::from))
    }

    /// Returns whether the contract configures fewer than are needed.
    pub fn are_too_few(self) -> bool {
        let configured = self.configured.map(u64::from);
        configured.is_some_and(|configured| self.needed.is_some_and(|needed| configured < needed))
    }
}

/// Volume of all contracts together. A run is counted once, although it can end in several ways, so this
/// can be less than the sum of the topics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    /// Events of one request of each contract.
    pub events_per_request: Range,
    /// Their bytes.
    pub bytes_per_request: Range,
    /// Events, of contracts that have a rate.
    pub events_per_second: Option<Range>,
    /// Bytes, of contracts that have a rate.
    pub bytes_per_second: Option<Range>,
    /// Partitions of the topics for which they are known.
    pub partitions: u64,
    /// Bytes on disk, of topics that say how long they keep their events.
    pub disk_bytes: Option<Range>,
}

impl<'a> Plan<'a> {
    /// Computes the plan of these nodes.
    pub fn new(nodes: &'a [Node], options: &Options) -> Self {
        let namespace = options.namespace.as_deref();
        let (published, problems) = topics::published(nodes, namespace);
        let published: BTreeMap<_, _> = (published.into_iter())
            .map(|topic| (topic.name.clone(), topic))
            .collect();
        let contracts: Vec<_> = (nodes.iter())
            .map(|node| ContractPlan::new(node, options))
            .collect();
        let mut parts: BTreeMap<&str, Vec<Part<'_>>> = BTreeMap::new();
        for contract in &contracts {
            for (name, part) in contract.parts() {
                parts.entry(name).or_default().push(part);
            }
        }
        let topics: Vec<_> = (parts.iter())
            .map(|(name, parts)| TopicPlan::new(name, published.get(*name), parts, options))
            .collect();
        let total = Total::new(&contracts, &topics);
        Self {
            contracts,
            topics,
            total,
            problems,
        }
    }
}

/// Events of a contract on one topic.
struct Part<'a> {
    contract: &'a ContractPlan<'a>,
    /// Their rates.
    rates: Vec<Rate>,
    events: Vec<&'a EventPlan>,
}

impl<'a> ContractPlan<'a> {
    fn new(node: &'a Node, options: &Options) -> Self {
        let rates = rates::rates(node);
        let mut per_request = vec![Range::default(); node.events.len()];
        for rate in &rates {
            for (event, when) in &rate.events {
                per_request[*event] = rate.per_request * rate.share(*when);
            }
        }
        let namespace = topics::namespace_of(node, options.namespace.as_deref());
        let plan = |(event, per_request): (&Event, Range)| {
            let example = Example::typical(node, event);
            EventPlan {
                event_type: event.event_type.clone(),
                topic: event.topic.in_namespace(namespace),
                // A catalog has no empty event type and no year that an envelope refuses.
                size: Size::of(node.profile(), node.optional_headers(), &example.envelope)
                    .unwrap_or_default(),
                is_open: example.is_open,
                is_too_large: example.is_cut,
                per_request,
            }
        };
        let events: Vec<_> = node.events.iter().zip(per_request).map(plan).collect();
        let requests = options.requests_per_second;
        Self {
            requests_per_second: requests.or(node.volume.requests_per_second),
            events_per_request: rates::per_request(&rates, |_| 1.0),
            bytes_per_request: rates::per_request(&rates, |at| events[at].bytes()),
            node,
            rates,
            events,
        }
    }

    /// Returns the events of each topic.
    fn parts(&self) -> BTreeMap<&str, Part<'_>> {
        let mut parts: BTreeMap<&str, Part<'_>> = BTreeMap::new();
        for event in &self.events {
            let part = parts.entry(&event.topic).or_insert_with(|| Part {
                contract: self,
                rates: Vec::new(),
                events: Vec::new(),
            });
            part.events.push(event);
        }
        for rate in &self.rates {
            let topic = |event: usize| self.events[event].topic.as_str();
            let topics: BTreeSet<_> = rate.events.iter().map(|(event, _)| topic(*event)).collect();
            for name in topics {
                let mut of_topic = rate.clone();
                of_topic.events.retain(|(event, _)| topic(*event) == name);
                parts
                    .entry(name)
                    .and_modify(|part| part.rates.push(of_topic));
            }
        }
        parts
    }

    /// Returns the weighted sum of the events of these rates per second.
    fn per_second(&self, rates: &[Rate], weight: impl Fn(&EventPlan) -> f64) -> Option<Range> {
        let requests = self.requests_per_second?;
        Some(requests * rates::per_request(rates, |at| weight(&self.events[at])))
    }
}

impl EventPlan {
    /// Bytes of one, as Kafka stores it.
    #[expect(clippy::cast_precision_loss, reason = "no event has 2⁵³ bytes")]
    pub fn bytes(&self) -> f64 {
        self.size.stored as f64
    }
}

impl Part<'_> {
    fn per_request(&self, weight: impl Fn(&EventPlan) -> f64) -> Range {
        rates::per_request(&self.rates, |at| weight(&self.contract.events[at]))
    }

    fn per_second(&self, weight: impl Fn(&EventPlan) -> f64) -> Option<Range> {
        self.contract.per_second(&self.rates, weight)
    }
}

/// Returns the sum of the known ranges; `None` if none is known.
fn sum(ranges: impl Iterator<Item = Option<Range>>) -> Option<Range> {
    ranges.flatten().reduce(|one, other| one + other)
}

impl TopicPlan {
    fn new(
        name: &str,
        published: Option<&Published>,
        parts: &[Part<'_>],
        options: &Options,
    ) -> Self {
        let volumes = || parts.iter().map(|part| &part.contract.node.volume);
        let events = || parts.iter().flat_map(|part| &part.events);
        let events_per_second = sum(parts.iter().map(|part| part.per_second(|_| 1.0)));
        let bytes_per_second = sum(parts.iter().map(|part| part.per_second(EventPlan::bytes)));
        let of_partition = (options.partition_bytes_per_second)
            .or_else(|| volumes().filter_map(|v| v.partition_bytes_per_second).min())
            .unwrap_or(PARTITION_BYTES_PER_SECOND);
        let of_consumer = (options.consumer_events_per_second)
            .or_else(|| volumes().filter_map(|v| v.consumer_events_per_second).min());
        let for_bytes = bytes_per_second.map(|range| ratio(range.high, of_partition));
        let for_consumers =
            of_consumer.and_then(|consumer| Some(ratio(events_per_second?.high, consumer)));
        let partitions = Partitions {
            needed: for_bytes.max(for_consumers),
            configured: published.and_then(|topic| topic.partitions),
        };

        let replication_factor = (options.replication_factor)
            .or(published.and_then(|topic| topic.replication_factor))
            .or_else(|| volumes().filter_map(|v| v.replication_factor).max());
        let otherwise = volumes().filter_map(|v| v.retention).max();
        let retention = Retention::of(published, options.retention, otherwise);
        let mut types: Vec<String> = Vec::new();
        for event in events() {
            if !types.contains(&event.event_type) {
                types.push(event.event_type.clone());
            }
        }
        let sizes = events().map(|event| event.bytes());
        let mut plan = Self {
            name: name.to_owned(),
            contracts: (parts.iter())
                .map(|part| part.contract.node.origin.path.clone())
                .collect(),
            event_types: types,
            size: Range::between(
                sizes.clone().reduce(f64::min).unwrap_or_default(),
                sizes.reduce(f64::max).unwrap_or_default(),
            ),
            events_per_request: parts.iter().map(|part| part.per_request(|_| 1.0)).sum(),
            bytes_per_request: (parts.iter())
                .map(|part| part.per_request(EventPlan::bytes))
                .sum(),
            events_per_second,
            bytes_per_second,
            partitions,
            replication_factor,
            retention,
            retention_bytes: retention::max_bytes(published),
            disk_bytes: None,
        };
        plan.disk_bytes = plan.disk();
        plan
    }

    /// Seconds for which an event is on a disk, those of all replicas together; nothing where that
    /// has no end.
    fn seconds_on_disks(&self) -> Option<f64> {
        match self.retention {
            Retention::For(time) => Some(time.as_secs_f64() * f64::from(self.replicas())),
            _ => None,
        }
    }

    fn disk(&self) -> Option<Range> {
        let rate = self.bytes_per_second?;
        let Some(most) = self.most_on_disks() else {
            return Some(rate * self.seconds_on_disks()?);
        };
        // What is not limited by time fills up to the limit, sooner or later.
        let seconds = self.seconds_on_disks().unwrap_or(f64::INFINITY);
        let filled = |rate: f64| {
            if rate > 0.0 {
                (rate * seconds).min(most)
            } else {
                0.0
            }
        };
        let is_deleted = matches!(self.retention, Retention::For(_) | Retention::Forever);
        is_deleted.then(|| Range::between(filled(rate.low), filled(rate.high)))
    }

    /// Bytes at which all partitions are full, of all replicas together.
    fn most_on_disks(&self) -> Option<f64> {
        let partitions = self.partitions.planned()?;
        #[expect(clippy::cast_precision_loss, reason = "to 16 digits is enough")]
        let most = self.retention_bytes? as f64 * partitions as f64;
        Some(most * f64::from(self.replicas()))
    }

    /// Returns the number of replicas, one if it is not configured.
    pub fn replicas(&self) -> u32 {
        self.replication_factor.unwrap_or(1)
    }
}

/// Returns the number of units of `each` in the sum, at least one.
fn ratio(sum: f64, each: u32) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and `as` saturates"
    )]
    let whole = (sum / f64::from(each)).ceil() as u64;
    whole.max(1)
}

impl Total {
    fn new(contracts: &[ContractPlan<'_>], topics: &[TopicPlan]) -> Self {
        let by_name: BTreeMap<_, _> = topics.iter().map(|t| (t.name.as_str(), t)).collect();
        let in_a_second = |weight: &dyn Fn(&EventPlan) -> f64| {
            let contracts = contracts.iter();
            sum(contracts.map(|contract| contract.per_second(&contract.rates, weight)))
        };
        // A topic that is full has no more, whatever comes; of the others runs are counted once.
        let is_full = |topic: &TopicPlan| topic.most_on_disks().is_some();
        let on_disks = |event: &EventPlan| {
            let topic = by_name.get(event.topic.as_str());
            let topic = topic.filter(|topic| !is_full(topic));
            topic
                .and_then(|topic| topic.seconds_on_disks())
                .unwrap_or(0.0)
                * event.bytes()
        };
        let full = topics.iter().filter(|topic| is_full(topic));
        let full: Range = full.filter_map(|topic| topic.disk_bytes).sum();
        let is_known = topics.iter().any(|topic| topic.disk_bytes.is_some());
        Self {
            events_per_request: contracts.iter().map(|c| c.events_per_request).sum(),
            bytes_per_request: contracts.iter().map(|c| c.bytes_per_request).sum(),
            events_per_second: in_a_second(&|_| 1.0),
            bytes_per_second: in_a_second(&EventPlan::bytes),
            partitions: (topics.iter().filter_map(|topic| topic.partitions.planned()))
                .fold(0, u64::saturating_add),
            disk_bytes: in_a_second(&on_disks)
                .filter(|_| is_known)
                .map(|range| range + full),
        }
    }
}
