//! Contracts as written: one shape for both formats, before names and topics are resolved.

use herald_diagnostics::Location;

use crate::contract::Located;
use crate::node::{Declared, EventTypeSource, Node};
use crate::onex::topics::OnexTopic;
use crate::topics::split_version;

/// A contract as written.
///
/// [`node`](Self::node) has everything that means what is written; [`resolve`](crate::resolve)
/// fills in the rest of it from the other fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContractFile {
    /// The node, without slug, service name, namespace, events and redaction patterns.
    pub(crate) node: Node,
    /// Name of the node; the service name in the native format.
    pub(crate) name: Option<Located<String>>,
    /// Namespace of the topics.
    pub(crate) namespace: Option<Located<String>>,
    /// Version of generated events, in their topics.
    pub(crate) topic_version: Option<u32>,
    /// Whether the node publishes changes of its state.
    pub(crate) state_events: bool,
    /// Whether the node publishes metrics.
    pub(crate) metric_events: bool,
    /// Declared events.
    pub(crate) events: Vec<WrittenEvent>,
    /// Topics of events that end the node's work.
    pub(crate) terminal_topics: Vec<Located<String>>,
    /// Operations that are routed to handlers, one entry for each handler.
    pub(crate) routes: Vec<Located<String>>,
    /// Patterns of secrets in error messages.
    pub(crate) redact: Vec<Located<String>>,
}

impl ContractFile {
    /// Returns the topics of declared events, as far as they are written.
    pub(crate) fn published_topics(&self) -> impl Iterator<Item = &str> {
        let events = self.events.iter();
        events.filter_map(|event| Some(event.topic.as_ref()?.value.as_str()))
    }
}

/// A declared event as written.
#[derive(Clone, Debug)]
pub(crate) struct WrittenEvent {
    /// The place of diagnostics about it.
    pub(crate) location: Location,
    /// The event type, unless only the topic is written.
    pub(crate) event_type: Option<Located<String>>,
    /// Its version, if it is written.
    pub(crate) version: Option<u32>,
    /// The topic, unless only the event type is written.
    pub(crate) topic: Option<Located<String>>,
    /// Description for people.
    pub(crate) description: Option<String>,
    /// Payload field whose value is the partition key.
    pub(crate) partition_key: Option<Located<String>>,
    /// Everything that means what is written.
    pub(crate) declared: Declared,
}

impl WrittenEvent {
    /// An event at `location` about which nothing else is known.
    pub(crate) fn new(location: Location) -> Self {
        Self {
            location,
            event_type: None,
            version: None,
            topic: None,
            description: None,
            partition_key: None,
            declared: Declared::default(),
        }
    }

    /// Returns the version: it is written, or that of the topic.
    pub(crate) fn version(&self) -> u32 {
        let of_topic = || Some(version_of(&self.topic.as_ref()?.value));
        self.version.or_else(of_topic).unwrap_or(1)
    }

    /// Returns the event type and its source: it is written, or follows from the topic.
    pub(crate) fn event_type(&self) -> (String, EventTypeSource) {
        let topic = self.topic.as_ref().map_or("", |topic| &topic.value);
        match (&self.event_type, OnexTopic::parse(topic)) {
            (Some(event_type), _) => (event_type.value.clone(), EventTypeSource::Declared),
            (None, Some(topic)) => (
                format!("{}.{}", topic.producer, topic.event_name),
                EventTypeSource::Derived,
            ),
            (None, None) => (topic.to_owned(), EventTypeSource::Verbatim),
        }
    }
}

/// Returns the version that a topic states: the number at its end (`.v2`), else 1.
pub(crate) fn version_of(topic: &str) -> u32 {
    split_version(topic)
        .map_or(1, |(_, version)| version)
        .max(1)
}
