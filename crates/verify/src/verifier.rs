//! The judgement of one record after the other.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use foldhash::fast::RandomState;
use herald_catalog::borrowed_value::{BorrowedObject, BorrowedValue};
use herald_catalog::category::{self, OPERATION_LIFECYCLE, Occasion, STATE_EVENTS};
use herald_catalog::instrument::InstrumentedEvents;
use herald_catalog::topics::namespace_of;
use herald_catalog::{Catalog, Declared, Event, Node};
use herald_envelope::{Envelope, Profile, Received, Timestamp, key};
use serde::Serialize;
use uuid::Uuid;

use crate::problem::{Finding, Kind, Sample};
use crate::recent::{RecentMap, RecentSet};

/// Event ids, and runs of operations, that are remembered.
const MAX_REMEMBERED: usize = 1_000_000;
/// Samples that are kept of a problem.
const MAX_SAMPLES: usize = 3;
/// Different problems that are kept; more are counted with their kind only.
const MAX_FINDINGS: usize = 1_000;
/// Characters of an event type in reports; others may be any text.
const MAX_TYPE_CHARACTERS: usize = 200;
/// Characters of a message; names of fields in it may be any text.
const MAX_MESSAGE_CHARACTERS: usize = 500;

/// Sentence of a problem.
type Message = Cow<'static, str>;

/// Time by which the clocks of producers and of this computer may differ.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Beginning of the year 2000 in UTC, in seconds since 1970.
const YEAR_2000: i64 = 946_684_800;

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Namespace of topics of contracts that set none.
    pub namespace: Option<String>,
    /// Seconds after which a run without an end is a problem, by the time of the last event. A negative
    /// number makes every run without an end a problem.
    pub run_timeout_seconds: i64,
    /// Whether the first record is the first that was published. Else runs that began before the first
    /// event may have no start.
    pub has_beginning: bool,
}

/// A record of a topic or a line of a file.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Topic, if it is known.
    pub topic: Option<&'a str>,
    /// Key, if it is known; the inner option is a record without a key.
    pub key: Option<Option<&'a [u8]>>,
    /// Partition, if it is known.
    pub partition: Option<u32>,
    /// Number of partitions of the topic, if it is known.
    pub partitions: Option<u32>,
    /// The value; a tombstone has none.
    pub value: Option<&'a [u8]>,
    /// Names and values of headers.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Time of the record, if it is known.
    pub timestamp: Option<Timestamp>,
    /// Place in reports.
    pub place: &'a dyn fmt::Display,
}

impl<'a> Record<'a> {
    /// An envelope of which only the place is known.
    pub fn of_envelope(value: &'a [u8], place: &'a dyn fmt::Display) -> Self {
        Self {
            topic: None,
            key: None,
            partition: None,
            partitions: None,
            value: Some(value),
            headers: &[],
            timestamp: None,
            place,
        }
    }
}

/// Number of times that a declared event was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Name of the node.
    pub node: String,
    /// Event type.
    pub event_type: String,
    /// Number of events.
    pub count: u64,
}

/// Result of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Number of records.
    pub records: u64,
    /// Problems, by kind and event type.
    pub findings: Vec<Finding>,
    /// Each event of the contracts.
    pub coverage: Vec<Coverage>,
    /// Runs that were forgotten before they ended, because there were too many at once.
    pub forgotten_runs: u64,
}

/// Judge of records.
#[derive(Debug)]
pub struct Verifier<'a> {
    nodes: &'a [Node],
    /// Places of events in the contracts, by event type.
    events: HashMap<&'a str, Vec<EventIndex>, RandomState>,
    /// Topics of the events, with their namespaces.
    topics: Vec<Vec<String>>,
    /// Topics on which a record without a value deletes its key.
    compacted: HashSet<String>,
    seen: Vec<Vec<u64>>,
    options: Options,
    /// Present time when it was last needed.
    now: Timestamp,
    records: u64,
    findings: HashMap<(Kind, String, Message), Finding>,
    ids: RecentSet<Uuid>,
    runs: RecentMap<(usize, usize, Uuid), Run>,
    states: RecentMap<(usize, String), StateHistory>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Index of a node, and of an event of it.
type EventIndex = (usize, usize);

/// Runs of an operation with one correlation id of which events are missing so far. Starts and ends are
/// on topics of their own, so they may be read in any order.
#[derive(Clone, Debug)]
struct Run {
    /// The first event that lacks its counterpart.
    event: EventIndex,
    /// When it started.
    start: Timestamp,
    event_id: Uuid,
    place: Box<str>,
    /// Starts without an end; negative if there are more ends.
    open: i64,
}

/// Changes of the state of an instance of a node.
#[derive(Debug)]
struct StateHistory {
    /// State after the last change.
    state: String,
    /// Partition of the first change, if it is known.
    partition: Option<u32>,
    /// Whether all changes are in that partition. Else their order is not known.
    is_ordered: bool,
    /// First change that does not begin with the state before it, and the number of such changes.
    gap: Option<(Gap, u64)>,
}

#[derive(Debug)]
struct Gap {
    event: EventIndex,
    event_id: Uuid,
    place: Box<str>,
}

/// Problems of one event. Most events have none, and then nothing is allocated.
#[derive(Default)]
struct Problems(Vec<(Kind, Message)>);

impl Problems {
    fn add(&mut self, kind: Kind, message: impl Into<Message>) {
        self.0.push((kind, message.into()));
    }
}

impl<'a> Verifier<'a> {
    /// A verifier that has seen nothing.
    pub fn new(catalog: &'a Catalog, options: Options) -> Self {
        let mut events: HashMap<&str, Vec<EventIndex>, RandomState> = HashMap::default();
        for (node, one) in catalog.nodes.iter().enumerate() {
            for (at, event) in one.events.iter().enumerate() {
                events
                    .entry(&event.event_type)
                    .or_default()
                    .push((node, at));
            }
        }
        let topics_of = |node: &Node| {
            let namespace = namespace_of(node, options.namespace.as_deref());
            let events = node.events.iter();
            events.map(|it| it.topic.in_namespace(namespace)).collect()
        };
        let topics: Vec<Vec<String>> = catalog.nodes.iter().map(topics_of).collect();
        Self {
            compacted: compacted_topics(&catalog.nodes, &topics),
            topics,
            seen: (catalog.nodes.iter())
                .map(|node| vec![0; node.events.len()])
                .collect(),
            nodes: &catalog.nodes,
            events,
            options,
            now: Timestamp::now(),
            records: 0,
            findings: HashMap::new(),
            ids: RecentSet::new(MAX_REMEMBERED),
            runs: RecentMap::new(MAX_REMEMBERED),
            states: RecentMap::new(MAX_REMEMBERED),
            first: None,
            last: None,
        }
    }

    /// Number of records so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Judges a record.
    pub fn judge(&mut self, record: &Record<'_>) {
        self.records += 1;
        let Some(value) = record.value else {
            if record
                .topic
                .is_some_and(|topic| self.compacted.contains(topic))
            {
                return;
            }
            let message = "it has no value (a tombstone)";
            self.found(Kind::Envelope, "", message.into(), record.place, None);
            return;
        };
        let received = Received {
            value,
            headers: record.headers,
            timestamp: record.timestamp,
        };
        let profile = Profile::of_record(&received);
        match profile.parse(&received) {
            Ok(envelope) => self.judge_envelope(profile, &envelope, record),
            Err(error) => {
                // The text of the error may contain a part of the event.
                let field = error.field().map(|field| format!(" in `{field}`"));
                let message = format!(
                    "not an envelope: {}{}",
                    error.code().as_str(),
                    field.unwrap_or_default()
                );
                self.found(Kind::Envelope, "", message.into(), record.place, None);
            }
        }
    }

    /// Judges a record whose envelope is parsed, in the default profile.
    pub(crate) fn judge_parsed(&mut self, envelope: &Envelope<'_>, record: &Record<'_>) {
        self.records += 1;
        self.judge_envelope(Profile::default(), envelope, record);
    }

    fn judge_envelope(&mut self, profile: Profile, envelope: &Envelope<'_>, record: &Record<'_>) {
        let mut problems = Problems::default();
        let at = envelope.event_timestamp;
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = self.last.max(Some(at));
        if !self.ids.insert(envelope.event_id) {
            problems.add(Kind::Duplicate, "an event with this id was there before");
        }
        self.time(envelope, &mut problems);
        if envelope.correlation_id.is_none() {
            problems.add(Kind::Correlation, "there is no correlation id");
        }
        if matches!(herald_redact::redact(envelope.payload.get()), Cow::Owned(_)) {
            problems.add(
                Kind::Secret,
                "the payload looks as if it contained a secret",
            );
        }
        judge_key(profile, envelope, record, &mut problems);
        match self.find(envelope, record) {
            None => problems.add(Kind::EventType, self.undeclared(envelope)),
            Some(event) => {
                judge_profile(&self.nodes[event.0], profile, &mut problems);
                self.judge_event(event, envelope, record, &mut problems);
            }
        }
        for (kind, message) in problems.0 {
            self.found(
                kind,
                &envelope.event_type,
                message,
                record.place,
                Some(envelope.event_id),
            );
        }
    }

    /// Compares an envelope with its contract.
    fn judge_event(
        &mut self,
        index: EventIndex,
        envelope: &Envelope<'_>,
        record: &Record<'_>,
        problems: &mut Problems,
    ) {
        self.seen[index.0][index.1] += 1;
        let nodes = self.nodes;
        let node = &nodes[index.0];
        let event = &node.events[index.1];
        self.topic(index, record, problems);
        match envelope.payload.decode::<BorrowedObject<'_>>() {
            Ok(payload) => {
                judge_payload(node, event, &payload, envelope, problems);
                self.lifecycle(index, event, &payload, envelope, record);
                self.state(index, event, &payload, envelope, record, problems);
            }
            // Envelopes have an object, but its content is not parsed with them.
            Err(_) => problems.add(Kind::Payload, "the payload can't be read"),
        }
    }

    /// Ends the run.
    pub fn finish(mut self) -> Report {
        self.report_incomplete_runs();
        self.report_gaps();
        let mut findings: Vec<_> = self.findings.into_values().collect();
        findings.sort_by(|one, other| {
            let key = |finding: &Finding| {
                (
                    finding.kind,
                    finding.event_type.clone(),
                    finding.message.clone(),
                )
            };
            key(one).cmp(&key(other))
        });
        let coverage = self.nodes.iter().zip(&self.seen).flat_map(|(node, seen)| {
            node.events.iter().zip(seen).map(|(event, count)| Coverage {
                node: node.identity.slug.clone(),
                event_type: event.event_type.clone(),
                count: *count,
            })
        });
        Report {
            records: self.records,
            findings,
            coverage: coverage.collect(),
            forgotten_runs: self.runs.forgotten,
        }
    }

    fn report_incomplete_runs(&mut self) {
        let limit = self.options.run_timeout_seconds;
        let last = self.last.unwrap_or(self.now);
        let is_late = |run: &Run| seconds_between(run.start, last) > limit;
        let has_no_start = |run: &Run| {
            let operation = &self.nodes[run.event.0].events[run.event.1].operation;
            let operation = operation.map(|at| &self.nodes[run.event.0].operations[at]);
            operation.is_some_and(|operation| {
                let instrument = &operation.instrument;
                instrument.events == InstrumentedEvents::All && instrument.sample_started >= 1.0
            }) && (self.options.has_beginning || Some(run.start) >= self.first)
        };
        let is_incomplete = |run: &&Run| {
            if run.open > 0 {
                is_late(run)
            } else {
                has_no_start(run)
            }
        };
        let runs = self.runs.values();
        let mut incomplete: Vec<_> = runs.filter(is_incomplete).cloned().collect();
        incomplete.sort_by_key(|run| run.start);
        for run in incomplete {
            let event_type = &self.nodes[run.event.0].events[run.event.1].event_type;
            let message: Message = if run.open < 0 {
                "the run ended without a start".into()
            } else if limit < 0 {
                "the run has no end".into()
            } else {
                format!("the run has no end within {limit} s").into()
            };
            let id = Some(run.event_id);
            self.found(Kind::Lifecycle, event_type, message, &run.place, id);
        }
    }

    /// Reports changes of states that do not begin with the state before, where the order is known.
    fn report_gaps(&mut self) {
        let histories = self.states.values_mut();
        let in_order = histories.filter(|history| history.is_ordered);
        let gaps: Vec<_> = in_order.filter_map(|history| history.gap.take()).collect();
        for (gap, count) in gaps {
            let event_type = &self.nodes[gap.event.0].events[gap.event.1].event_type;
            for _ in 0..count {
                self.found(
                    Kind::State,
                    event_type,
                    "its old state is not the new state of the event before".into(),
                    &gap.place,
                    Some(gap.event_id),
                );
            }
        }
    }

    fn found(
        &mut self,
        kind: Kind,
        event_type: &str,
        message: Message,
        place: &dyn fmt::Display,
        event_id: Option<Uuid>,
    ) {
        let event_type: String = event_type.chars().take(MAX_TYPE_CHARACTERS).collect();
        // Names of fields in it may be as long as the event.
        let message = match message {
            Message::Owned(text) if text.len() > MAX_MESSAGE_CHARACTERS => text
                .chars()
                .take(MAX_MESSAGE_CHARACTERS)
                .collect::<String>()
                .into(),
            message => message,
        };
        let mut key = (kind, event_type, message);
        if self.findings.len() >= MAX_FINDINGS && !self.findings.contains_key(&key) {
            key = (kind, String::new(), "more problems of this kind".into());
        }
        let finding = self
            .findings
            .entry(key)
            .or_insert_with_key(|(_, event_type, message)| Finding {
                kind,
                event_type: event_type.clone(),
                message: message.clone().into_owned(),
                count: 0,
                samples: Vec::new(),
            });
        finding.count += 1;
        if finding.samples.len() < MAX_SAMPLES {
            finding.samples.push(Sample {
                place: place.to_string(),
                event_id: event_id.map(|id| id.to_string()),
            });
        }
    }

    /// Describes an event that [`find`](Self::find) did not find.
    fn undeclared(&self, envelope: &Envelope<'_>) -> String {
        if self.events.contains_key(&*envelope.event_type) {
            let version = envelope.major_version();
            let version = version.map_or("an unknown version".to_owned(), |number| {
                format!("version {number}")
            });
            return format!("no contract declares {version} of this event type");
        }
        "no contract declares this event type".to_owned()
    }

    /// The event that an envelope is, by its type and version, of the node that its service or its
    /// topic names.
    fn find(&self, envelope: &Envelope<'_>, record: &Record<'_>) -> Option<EventIndex> {
        let all = self.events.get(&*envelope.event_type)?;
        let version = envelope.major_version()?;
        let candidates = || {
            let is_version = move |(node, at): &&EventIndex| {
                u64::from(self.nodes[*node].events[*at].version) == version
            };
            all.iter().filter(is_version)
        };
        let is_of_service = |(node, _): &&EventIndex| {
            let node = &self.nodes[*node];
            node.service_name == envelope.source_service
                || node.identity.slug == envelope.source_service
        };
        let is_on_topic =
            |(node, at): &&EventIndex| record.topic == Some(self.topics[*node][*at].as_str());
        let chosen = candidates().find(is_of_service);
        chosen
            .or_else(|| candidates().find(is_on_topic))
            .or_else(|| candidates().next())
            .copied()
    }

    fn topic(&self, (node, at): EventIndex, record: &Record<'_>, problems: &mut Problems) {
        let expected = &self.topics[node][at];
        if let Some(actual) = record.topic
            && actual != expected
        {
            problems.add(
                Kind::Topic,
                format!("it is on `{actual}`; its contract declares `{expected}`"),
            );
        }
    }

    fn time(&mut self, envelope: &Envelope<'_>, problems: &mut Problems) {
        let time = envelope.event_timestamp;
        if seconds_between(self.now, time) > CLOCK_SKEW_SECONDS {
            // The clock is read only now: most events are older than the last reading.
            self.now = Timestamp::now();
            if seconds_between(self.now, time) > CLOCK_SKEW_SECONDS {
                problems.add(Kind::Time, "its timestamp is in the future");
            }
        } else if time.as_second() < YEAR_2000 {
            problems.add(Kind::Time, "its timestamp is before the year 2000");
        }
    }

    fn lifecycle(
        &mut self,
        index: EventIndex,
        event: &Event,
        payload: &BorrowedObject<'_>,
        envelope: &Envelope<'_>,
        record: &Record<'_>,
    ) {
        let (Some(stage), Some(operation)) = (event.stage, event.operation) else {
            return;
        };
        let Some(correlation) = envelope.correlation_id else {
            return;
        };
        if event.category != &OPERATION_LIFECYCLE {
            return;
        }
        let is_start = stage.occasion == Occasion::Start;
        let change = if is_start { 1 } else { -1 };
        let key = (index.0, operation, correlation);
        if let Some(run) = self.runs.get_mut(&key) {
            run.open += change;
            if run.open == 0 {
                self.runs.remove(&key);
            }
            return;
        }
        let at = envelope.event_timestamp;
        let run = Run {
            event: index,
            start: if is_start {
                at
            } else {
                before(at, payload.get("execution_time_ms"))
            },
            event_id: envelope.event_id,
            place: record.place.to_string().into(),
            open: change,
        };
        self.runs.insert(key, run);
    }

    fn state(
        &mut self,
        index: EventIndex,
        event: &Event,
        payload: &BorrowedObject<'_>,
        envelope: &Envelope<'_>,
        record: &Record<'_>,
        problems: &mut Problems,
    ) {
        let node = index.0;
        if event.category != &STATE_EVENTS {
            return;
        }
        let Some(machine) =
            (self.nodes[node].states.as_ref()).filter(|machine| !machine.states.is_empty())
        else {
            return;
        };
        let text = |key: &str| payload.get(key).and_then(BorrowedValue::as_str);
        let (Some(old), Some(new)) = (text("old_state"), text("new_state")) else {
            return;
        };
        let is_known = |state: &str| machine.states.iter().any(|known| known == state);
        let is_legal = machine.transitions.is_empty()
            || machine.transitions.iter().any(|legal| {
                legal.to.value == new && (legal.from.value == old || legal.from.value == "*")
            });
        let is_possible = is_known(old) && is_known(new) && is_legal;
        if !is_known(old) || !is_known(new) {
            problems.add(
                Kind::State,
                "it names a state that the contract does not have",
            );
        } else if !is_legal {
            problems.add(
                Kind::State,
                format!("the contract has no transition from `{old}` to `{new}`"),
            );
        }
        let instance = (node, envelope.source_node_id.to_string());
        let Some(history) = self.states.get_mut(&instance) else {
            let history = StateHistory {
                state: new.to_owned(),
                partition: record.partition,
                is_ordered: true,
                gap: None,
            };
            self.states.insert(instance, history);
            return;
        };
        history.is_ordered &= history.partition == record.partition;
        if history.state != old && is_possible {
            let gap = || Gap {
                event: index,
                event_id: envelope.event_id,
                place: record.place.to_string().into(),
            };
            history.gap.get_or_insert_with(|| (gap(), 0)).1 += 1;
        }
        new.clone_into(&mut history.state);
    }
}

/// The time so many milliseconds earlier.
fn before(time: Timestamp, milliseconds: Option<&BorrowedValue<'_>>) -> Timestamp {
    let milliseconds = match milliseconds {
        Some(BorrowedValue::Number(number)) => number.as_f64().unwrap_or_default(),
        _ => 0.0,
    };
    let duration = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
    time.checked_sub(duration).unwrap_or(time)
}

fn compacted_topics(nodes: &[Node], topics: &[Vec<String>]) -> HashSet<String> {
    let is_compacted = |event: &Event| {
        let settings = event
            .declared
            .as_ref()
            .and_then(|one| one.settings.as_ref());
        let policy = settings.and_then(|settings| settings.config.get("cleanup.policy"));
        policy.is_some_and(|policy| policy.contains("compact"))
    };
    let events = nodes.iter().zip(topics);
    events
        .flat_map(|(node, topics)| node.events.iter().zip(topics))
        .filter(|(event, _)| is_compacted(event))
        .map(|(_, topic)| topic.clone())
        .collect()
}

/// Compares the profile of a record with that of the contract. Without one, the service chooses.
fn judge_profile(node: &Node, profile: Profile, problems: &mut Problems) {
    if let Some(expected) = node.envelope.filter(|expected| *expected != profile) {
        problems.add(
            Kind::Envelope,
            format!("the envelope is `{profile}`, and that of the contract is `{expected}`"),
        );
    }
}

/// Compares the key of a record with its envelope, and its partition with the key.
fn judge_key(
    profile: Profile,
    envelope: &Envelope<'_>,
    record: &Record<'_>,
    problems: &mut Problems,
) {
    match record.key {
        None => return,
        Some(None) => return problems.add(Kind::Key, "the record has no key"),
        Some(Some(key)) if key != profile.key(&envelope.as_event()).as_bytes() => {
            problems.add(
                Kind::Key,
                "the key of the record is not that of the envelope",
            );
        }
        Some(Some(_)) => {}
    }
    if let (Some(Some(bytes)), Some(actual)) = (record.key, record.partition)
        && let Some(partitions) = record.partitions
        && partitions > 0
        && key::partition(bytes, partitions) != actual
    {
        problems.add(
            Kind::Partition,
            format!("it is not in the partition of its key among {partitions}"),
        );
    }
}

fn judge_payload(
    node: &Node,
    event: &Event,
    payload: &BorrowedObject<'_>,
    envelope: &Envelope<'_>,
    problems: &mut Problems,
) {
    match (&event.declared, event.stage) {
        (Some(declared), _) => {
            for message in declared.check_borrowed(payload, &node.definitions, "payload") {
                problems.add(Kind::Payload, message);
            }
            declared_key(declared, payload, envelope, problems);
        }
        (None, Some(stage)) => {
            for field in stage.payload.iter().filter(|field| field.required) {
                match payload.get(field.name) {
                    None => {
                        problems.add(Kind::Payload, format!("payload.{} is missing", field.name));
                    }
                    Some(value) if !is_of(field.ty, value) => {
                        let message = format!("payload.{} has another type", field.name);
                        problems.add(Kind::Payload, message);
                    }
                    Some(_) => {}
                }
            }
        }
        (None, None) => {}
    }
}

fn declared_key(
    declared: &Declared,
    payload: &BorrowedObject<'_>,
    envelope: &Envelope<'_>,
    problems: &mut Problems,
) {
    let Some(name) = &declared.partition_key else {
        return;
    };
    let expected = match payload.get(name) {
        Some(BorrowedValue::Text(text)) => Cow::Borrowed(&**text),
        Some(BorrowedValue::Bool(value)) => value.to_string().into(),
        Some(BorrowedValue::Number(number)) => number.to_string().into(),
        // A key has to be a scalar; anything else does not have its declared type.
        _ => return,
    };
    if envelope.partition_key.as_deref() != Some(&*expected) {
        problems.add(
            Kind::Key,
            format!("the partition key is not the value of payload.{name}"),
        );
    }
}

fn is_of(ty: category::PayloadType, value: &BorrowedValue<'_>) -> bool {
    use category::PayloadType;
    match ty {
        PayloadType::Text | PayloadType::Uuid | PayloadType::Timestamp => value.as_str().is_some(),
        PayloadType::Number => matches!(value, BorrowedValue::Number(_)),
        PayloadType::Boolean => matches!(value, BorrowedValue::Bool(_)),
        PayloadType::Object => matches!(value, BorrowedValue::Object(_)),
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}
