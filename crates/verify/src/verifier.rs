//! The judgement of one record after the other.

use std::collections::HashMap;

use herald_catalog::category::{self, OPERATION_LIFECYCLE, Occasion, STATE_EVENTS};
use herald_catalog::instrument::InstrumentedEvents;
use herald_catalog::topics::namespace_of;
use herald_catalog::{Catalog, Declared, Event, Node, value};
use herald_envelope::{Envelope, Timestamp};
use serde_json::{Map, Value};
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
/// Time by which the clocks of producers and of this computer may differ.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Beginning of the year 2000 in UTC, in seconds since 1970.
const YEAR_2000: i64 = 946_684_800;

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Namespace of topics of contracts that set none.
    pub namespace: Option<String>,
    /// Seconds after which a run without an end is a problem, by the time of the last event.
    pub run_timeout_seconds: i64,
    /// Present time.
    pub now: Timestamp,
}

/// A record of a topic or a line of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// Topic, if it is known.
    pub topic: Option<&'a str>,
    /// Key, if it is known; the inner option is a record without a key.
    pub key: Option<Option<&'a [u8]>>,
    /// The envelope.
    pub value: &'a [u8],
    /// Place in reports.
    pub place: &'a str,
}

/// Number of times that a declared event was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    events: HashMap<&'a str, Vec<(usize, usize)>>,
    /// Topics of the events, with their namespaces.
    topics: Vec<Vec<String>>,
    seen: Vec<Vec<u64>>,
    options: Options,
    records: u64,
    findings: HashMap<(Kind, String, String), Finding>,
    ids: RecentSet<Uuid>,
    runs: RecentMap<(usize, usize, Uuid), Run>,
    states: RecentMap<(usize, String), String>,
    last: Option<Timestamp>,
}

/// A run of an operation that has started.
#[derive(Debug)]
struct Run {
    event_type: String,
    at: Timestamp,
    sample: Sample,
}

impl<'a> Verifier<'a> {
    /// A verifier that has seen nothing.
    pub fn new(catalog: &'a Catalog, options: Options) -> Self {
        let mut events: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
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
        Self {
            topics: catalog.nodes.iter().map(topics_of).collect(),
            seen: (catalog.nodes.iter())
                .map(|node| vec![0; node.events.len()])
                .collect(),
            nodes: &catalog.nodes,
            events,
            options,
            records: 0,
            findings: HashMap::new(),
            ids: RecentSet::new(MAX_REMEMBERED),
            runs: RecentMap::new(MAX_REMEMBERED),
            states: RecentMap::new(MAX_REMEMBERED),
            last: None,
        }
    }

    /// Judges a record.
    pub fn judge(&mut self, record: &Record<'_>) {
        self.records += 1;
        let envelope = match Envelope::parse(record.value) {
            Ok(envelope) => envelope,
            Err(error) => {
                let sample = sample(record, None);
                // The text of the error may contain a part of the event.
                let field = error.field().map(|field| format!(" in `{field}`"));
                let what = format!(
                    "not an envelope: {}{}",
                    error.code().as_str(),
                    field.unwrap_or_default()
                );
                self.found(Kind::Envelope, "", what, sample);
                return;
            }
        };
        if self.last.is_none_or(|last| last < envelope.event_timestamp) {
            self.last = Some(envelope.event_timestamp);
        }
        let mut problems = Vec::new();
        if !self.ids.insert(envelope.event_id) {
            problems.push((
                Kind::Duplicate,
                "an event with this id was there before".to_owned(),
            ));
        }
        problems.extend(self.time(&envelope));
        if envelope.correlation_id.is_none() {
            problems.push((Kind::Correlation, "there is no correlation id".to_owned()));
        }
        if !herald_redact::redact(envelope.payload.get()).eq(envelope.payload.get()) {
            problems.push((
                Kind::Secret,
                "the payload looks as if it contained a secret".to_owned(),
            ));
        }
        match self.find(&envelope, record) {
            None => problems.push((
                Kind::EventType,
                "no contract declares this event type".to_owned(),
            )),
            Some((node, at)) => {
                self.seen[node][at] += 1;
                let nodes = self.nodes;
                let event = &nodes[node].events[at];
                problems.extend(self.topic((node, at), record));
                problems.extend(judge_payload(&nodes[node], event, &envelope, record));
                problems.extend(self.lifecycle(node, event, &envelope, record));
                problems.extend(self.state(node, event, &envelope));
            }
        }
        for (kind, message) in problems {
            let sample = sample(record, Some(&envelope));
            self.found(kind, &envelope.event_type, message, sample);
        }
    }

    /// Ends the run.
    pub fn finish(mut self) -> Report {
        if let Some(last) = self.last {
            let limit = self.options.run_timeout_seconds;
            let open: Vec<_> = (self.runs.values())
                .filter(|run| seconds_between(run.at, last) > limit)
                .map(|run| (run.event_type.clone(), run.sample.clone()))
                .collect();
            for (event_type, sample) in open {
                let message = format!("the run has no end within {limit} s");
                self.found(Kind::Lifecycle, &event_type, message, sample);
            }
        }
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

    fn found(&mut self, kind: Kind, event_type: &str, message: String, sample: Sample) {
        let event_type: String = event_type.chars().take(MAX_TYPE_CHARACTERS).collect();
        let mut key = (kind, event_type, message);
        if self.findings.len() >= MAX_FINDINGS && !self.findings.contains_key(&key) {
            key = (kind, String::new(), "more problems of this kind".to_owned());
        }
        let finding = self
            .findings
            .entry(key)
            .or_insert_with_key(|(_, event_type, message)| Finding {
                kind,
                event_type: event_type.clone(),
                message: message.clone(),
                count: 0,
                samples: Vec::new(),
            });
        finding.count += 1;
        if finding.samples.len() < MAX_SAMPLES {
            finding.samples.push(sample);
        }
    }

    /// The event that an envelope is, of the node that its service or its topic names.
    fn find(&self, envelope: &Envelope<'_>, record: &Record<'_>) -> Option<(usize, usize)> {
        let candidates = self.events.get(&*envelope.event_type)?;
        let is_of_service = |(node, _): &&(usize, usize)| {
            let node = &self.nodes[*node];
            node.service_name == envelope.source_service
                || node.identity.slug == envelope.source_service
        };
        let is_on_topic =
            |(node, at): &&(usize, usize)| record.topic == Some(self.topics[*node][*at].as_str());
        let chosen = candidates.iter().find(is_of_service);
        chosen
            .or_else(|| candidates.iter().find(is_on_topic))
            .or(candidates.first())
            .copied()
    }

    fn topic(&self, (node, at): (usize, usize), record: &Record<'_>) -> Option<(Kind, String)> {
        let actual = record.topic?;
        let expected = &self.topics[node][at];
        (actual != expected).then(|| {
            (
                Kind::Topic,
                format!("it is on `{actual}`; its contract declares `{expected}`"),
            )
        })
    }

    fn time(&self, envelope: &Envelope<'_>) -> Option<(Kind, String)> {
        let ahead = seconds_between(self.options.now, envelope.event_timestamp);
        if ahead > CLOCK_SKEW_SECONDS {
            return Some((Kind::Time, "its timestamp is in the future".to_owned()));
        }
        (envelope.event_timestamp.as_second() < YEAR_2000).then(|| {
            (
                Kind::Time,
                "its timestamp is before the year 2000".to_owned(),
            )
        })
    }

    fn lifecycle(
        &mut self,
        node: usize,
        event: &Event,
        envelope: &Envelope<'_>,
        record: &Record<'_>,
    ) -> Option<(Kind, String)> {
        let (stage, operation, run) = (event.stage?, event.operation?, envelope.correlation_id?);
        if event.category != &OPERATION_LIFECYCLE {
            return None;
        }
        let key = (node, operation, run);
        if stage.occasion == Occasion::Start {
            let run = Run {
                event_type: envelope.event_type.to_string(),
                at: envelope.event_timestamp,
                sample: sample(record, Some(envelope)),
            };
            self.runs.insert(key, run);
            return None;
        }
        let has_started = self.runs.remove(&key).is_some();
        let instrument = &self.nodes[node].operations[operation].instrument;
        let starts_are_published =
            instrument.events == InstrumentedEvents::All && instrument.sample_started >= 1.0;
        (!has_started && starts_are_published).then(|| {
            (
                Kind::Lifecycle,
                "the run ended without a start before".to_owned(),
            )
        })
    }

    fn state(
        &mut self,
        node: usize,
        event: &Event,
        envelope: &Envelope<'_>,
    ) -> Option<(Kind, String)> {
        if event.category != &STATE_EVENTS {
            return None;
        }
        let machine = self.nodes[node]
            .states
            .as_ref()
            .filter(|machine| !machine.states.is_empty())?;
        let payload: Map<String, Value> = envelope.payload.decode().ok()?;
        let text = |key: &str| payload.get(key).and_then(Value::as_str);
        let (old, new) = (text("old_state")?, text("new_state")?);
        let instance = (node, envelope.source_node_id.to_string());
        let before = self.states.remove(&instance);
        self.states.insert(instance, new.to_owned());
        for state in [old, new] {
            if !machine.states.iter().any(|known| known == state) {
                return Some((
                    Kind::State,
                    "it names a state that the contract does not have".to_owned(),
                ));
            }
        }
        let is_legal = machine.transitions.is_empty()
            || machine.transitions.iter().any(|legal| {
                legal.to.value == new && (legal.from.value == old || legal.from.value == "*")
            });
        if !is_legal {
            return Some((
                Kind::State,
                format!("the contract has no transition from `{old}` to `{new}`"),
            ));
        }
        let is_gap = before.is_some_and(|before| before != old);
        is_gap.then(|| {
            (
                Kind::State,
                "its old state is not the new state of the event before".to_owned(),
            )
        })
    }
}

fn judge_payload(
    node: &Node,
    event: &Event,
    envelope: &Envelope<'_>,
    record: &Record<'_>,
) -> Vec<(Kind, String)> {
    let mut problems = Vec::new();
    let Ok(payload) = envelope.payload.decode::<Map<String, Value>>() else {
        problems.push((Kind::Payload, "the payload is not an object".to_owned()));
        return problems;
    };
    if let Some(Some(key)) = record.key
        && key != envelope.key().as_bytes()
    {
        problems.push((
            Kind::Key,
            "the key of the record is not that of the envelope".to_owned(),
        ));
    }
    match (&event.declared, event.stage) {
        (Some(declared), _) => {
            if !declared.payload.is_empty() {
                let found = value::check(&declared.payload, &payload, &node.definitions, "payload");
                problems.extend(found.into_iter().map(|message| (Kind::Payload, message)));
            }
            problems.extend(declared_key(declared, &payload, envelope));
        }
        (None, Some(stage)) => {
            for field in stage.payload.iter().filter(|field| field.required) {
                let value = payload.get(field.name);
                let fits = value.is_some_and(|value| is_of(field.ty, value));
                if !fits {
                    let problem = if value.is_some() {
                        "has another type"
                    } else {
                        "is missing"
                    };
                    problems.push((Kind::Payload, format!("payload.{} {problem}", field.name)));
                }
            }
        }
        (None, None) => {}
    }
    problems
}

fn declared_key(
    declared: &Declared,
    payload: &Map<String, Value>,
    envelope: &Envelope<'_>,
) -> Option<(Kind, String)> {
    let name = declared.partition_key.as_ref()?;
    let value = payload.get(name).filter(|value| !value.is_null())?;
    let expected = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (envelope.partition_key.as_deref() != Some(expected.as_str())).then(|| {
        (
            Kind::Key,
            format!("the partition key is not the value of payload.{name}"),
        )
    })
}

fn is_of(ty: category::PayloadType, value: &Value) -> bool {
    use category::PayloadType;
    match ty {
        PayloadType::Text | PayloadType::Uuid | PayloadType::Timestamp => value.is_string(),
        PayloadType::Number => value.is_number(),
        PayloadType::Boolean => value.is_boolean(),
        PayloadType::Object => value.is_object(),
    }
}

fn sample(record: &Record<'_>, envelope: Option<&Envelope<'_>>) -> Sample {
    Sample {
        place: record.place.to_owned(),
        event_id: envelope.map(|envelope| envelope.event_id.to_string()),
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}
