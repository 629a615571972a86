//! A first contract from events.
//!
//! [`Inference`] collects the types of fields, keys, topics and versions of each event type, with
//! bounded memory, and writes a contract for each service. Values of events are in it only as values of
//! enumerations: few short words that repeat.

mod shape;
mod yaml;

use std::collections::BTreeMap;

use herald_catalog::borrowed_value::{BorrowedObject, BorrowedValue};
use herald_catalog::ident;
use herald_envelope::{Envelope, Received, Timestamp};

use shape::Shape;

/// Services, and event types of each, that are kept.
const MAX_SERVICES: usize = 1_000;
const MAX_EVENT_TYPES: usize = 10_000;
/// Different topics and versions of an event type that are kept.
const MAX_VARIANTS: usize = 10;
/// Bytes of the name of a service, an event type or a topic.
const MAX_NAME_BYTES: usize = 249;

/// Events, as far as contracts tell about them.
#[derive(Debug, Default)]
pub struct Inference {
    services: BTreeMap<String, Service>,
    records: u64,
    not_envelopes: u64,
    left_out: u64,
}

/// A contract, and the service that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferredContract {
    /// Name of the service in its events.
    pub service: String,
    /// The contract as YAML.
    pub text: String,
    /// Number of event types.
    pub event_types: usize,
}

#[derive(Debug, Default)]
struct Service {
    events: BTreeMap<String, EventShape>,
}

/// Observations of an event type.
#[derive(Debug)]
struct EventShape {
    count: u64,
    first: Timestamp,
    last: Timestamp,
    versions: BTreeMap<String, u64>,
    topics: BTreeMap<String, u64>,
    payload: Shape,
    /// Fields that have been the partition key of all events so far.
    keys: Option<Vec<String>>,
}

impl Inference {
    /// Number of records so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Number of records that are not envelopes.
    pub fn not_envelopes(&self) -> u64 {
        self.not_envelopes
    }

    /// Number of events that are in no contract, because there are too many event types, or their names
    /// are too long or without a letter or digit.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Adds a record.
    pub fn add(&mut self, topic: Option<&str>, received: &Received<'_, '_>) {
        self.records += 1;
        let parsed = Envelope::of_record(received).ok();
        let payload = parsed.as_ref().and_then(|envelope| {
            let payload = envelope.payload.decode::<BorrowedObject<'_>>();
            payload.ok()
        });
        match (&parsed, payload) {
            (Some(envelope), Some(payload)) => self.add_event(topic, envelope, &payload),
            _ => self.not_envelopes += 1,
        }
    }

    fn add_event(
        &mut self,
        topic: Option<&str>,
        envelope: &Envelope<'_>,
        payload: &BorrowedObject<'_>,
    ) {
        let service = &*envelope.source_service;
        let is_new = !self.services.contains_key(service);
        let is_long = service.len().max(envelope.event_type.len()) > MAX_NAME_BYTES;
        // Generated code has a name for each event type.
        let has_name = ident::is_meaningful(&ident::ident(&envelope.event_type));
        if is_long || !has_name || (is_new && self.services.len() >= MAX_SERVICES) {
            self.left_out += 1;
            return;
        }
        let events = &mut self.services.entry(service.to_owned()).or_default().events;
        if !events.contains_key(&*envelope.event_type) && events.len() >= MAX_EVENT_TYPES {
            self.left_out += 1;
            return;
        }
        events
            .entry(envelope.event_type.clone().into_owned())
            .or_insert_with(|| EventShape::new(envelope.event_timestamp))
            .add(topic, envelope, payload);
    }

    /// Writes a contract for each service, by name.
    pub fn contracts(&self) -> Vec<InferredContract> {
        let services = self.services.iter();
        services
            .map(|(name, service)| InferredContract {
                service: name.clone(),
                text: yaml::contract(name, &service.events),
                event_types: service.events.len(),
            })
            .collect()
    }
}

impl EventShape {
    fn new(time: Timestamp) -> Self {
        Self {
            count: 0,
            first: time,
            last: time,
            versions: BTreeMap::new(),
            topics: BTreeMap::new(),
            payload: Shape::object(),
            keys: None,
        }
    }

    fn add(&mut self, topic: Option<&str>, envelope: &Envelope<'_>, payload: &BorrowedObject<'_>) {
        self.count += 1;
        self.first = self.first.min(envelope.event_timestamp);
        self.last = self.last.max(envelope.event_timestamp);
        count(&mut self.versions, &envelope.event_version);
        if let Some(topic) = topic {
            count(&mut self.topics, topic);
        }
        let key = envelope.partition_key.as_deref().unwrap_or_default();
        let is_key = |value: &BorrowedValue<'_>| match value {
            BorrowedValue::Text(text) => text == key,
            BorrowedValue::Number(number) => number.to_string() == key,
            _ => false,
        };
        if let Some(keys) = &mut self.keys {
            keys.retain(|name| payload.get(name).is_some_and(is_key));
        } else {
            let keys = payload
                .iter()
                .filter(|(_, value)| !key.is_empty() && is_key(value));
            self.keys = Some(keys.map(|(name, _)| name.to_owned()).collect());
        }
        self.payload.add_object(payload, 0);
    }
}

/// Counts a text, up to a number of different ones.
fn count(texts: &mut BTreeMap<String, u64>, text: &str) {
    if let Some(count) = texts.get_mut(text) {
        *count += 1;
    } else if texts.len() < MAX_VARIANTS && text.len() <= MAX_NAME_BYTES {
        texts.insert(text.to_owned(), 1);
    }
}
