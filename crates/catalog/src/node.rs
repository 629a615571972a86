//! What contracts mean.

use herald_diagnostics::{Location, Sources};
use herald_envelope::topic::Topic;
use sha2::{Digest, Sha256};

use crate::category::{Category, Part, Stage};
use crate::contract::{Format, Metric, StateMachine, TopicSettings};
use crate::fields::{Definition, Field};
use crate::instrument::Instrument;
use crate::kind::Kind;
use crate::version::Version;
use crate::volume::{Range, Volume};

/// All nodes of a run, and the texts that they were read from.
#[derive(Debug, Default)]
pub struct Catalog {
    /// In the order of their paths.
    pub nodes: Vec<Node>,
    /// What was read.
    pub sources: Sources,
}

/// What one contract means.
#[derive(Clone, Debug)]
pub struct Node {
    /// Which of the two formats the contract is written in.
    pub format: Format,
    /// Names and versions.
    pub identity: Identity,
    /// `None` when the contract does not say it or says what nobody knows: then the node has
    /// only its declared events.
    pub kind: Option<Kind>,
    /// The service in the topics of generated events.
    pub service_name: String,
    /// Namespace of the topics, when contract or project set one.
    pub namespace: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// In the order of the contract.
    pub operations: Vec<Operation>,
    /// Its states, when it has any.
    pub states: Option<StateMachine>,
    /// Metrics that the contract names.
    pub metrics: Vec<Metric>,
    /// Everything that it announces, by category in the order of the table of categories.
    pub events: Vec<Event>,
    /// Topics that it reads.
    pub consumed: Vec<Consumed>,
    /// Fields of the node's input, where they are not said of an operation.
    pub inputs: Vec<Field>,
    /// Fields of the node's output, where they are not said of an operation.
    pub outputs: Vec<Field>,
    /// Named groups of fields, in the order of the contract. They may have each other for types,
    /// and themselves.
    pub definitions: Vec<Definition>,
    /// How much it publishes.
    pub volume: Volume,
    /// Regular expressions (without look-around, so that every engine takes them) of secrets in
    /// error messages, beside the built-in ones.
    pub redact: Vec<String>,
    /// The place of diagnostics about the whole contract.
    pub location: Location,
    /// Where the contract was read from.
    pub origin: Origin,
}

impl Node {
    /// Events of one category.
    pub fn events_of(&self, category: &'static Category) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .filter(move |event| event.category == category)
    }

    /// The definition that a type names.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|known| known.name == name)
    }

    /// What the contract lists itself.
    pub fn declared(&self) -> impl Iterator<Item = (&Event, &Declared)> {
        self.events
            .iter()
            .filter_map(|event| Some((event, event.declared.as_ref()?)))
    }
}

/// Who the node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As written; `None` when the contract has none.
    pub name: Option<String>,
    /// In lowercase, an identifier: the name of generated files. Stands in for a missing name.
    pub slug: String,
    /// Version of the contract.
    pub contract_version: Option<Version>,
    /// Version of the node's code.
    pub node_version: Option<Version>,
}

/// One thing that a node does.
#[derive(Clone, Debug)]
pub struct Operation {
    /// As written, in event types.
    pub name: String,
    /// In identifiers.
    pub ident: String,
    /// For people.
    pub description: Option<String>,
    /// Fields of the input that the contract declares.
    pub input: Vec<Field>,
    /// Fields of the result that the contract declares.
    pub result: Vec<Field>,
    /// What it announces of itself, and how often.
    pub instrument: Instrument,
    /// Runs in a request, when the contract says it.
    pub per_request: Option<Range>,
    /// Share of runs that fail, when the contract says it of the operation.
    pub failure_ratio: Option<Range>,
    /// Which parts of the contract name it.
    pub sources: Vec<&'static str>,
    /// Where it is declared.
    pub location: Location,
}

impl Operation {
    /// Returns the declared fields of its input or its result.
    pub fn fields_of(&self, part: Part) -> &[Field] {
        match part {
            Part::Input => &self.input,
            Part::Result => &self.result,
            Part::Payload => &[],
        }
    }
}

/// An event that a node publishes.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which family it belongs to.
    pub category: &'static Category,
    /// Which of the family; `None` for declared events.
    pub stage: Option<&'static Stage>,
    /// Index of its operation in [`Node::operations`].
    pub operation: Option<usize>,
    /// On the wire.
    pub event_type: String,
    /// Where it goes.
    pub topic: Topic,
    /// In identifiers; unique in its node, whatever the case.
    pub ident: String,
    /// For people.
    pub description: Option<String>,
    /// What only declared events have.
    pub declared: Option<Declared>,
    /// What in the contract it comes from.
    pub location: Location,
    /// Where its topic is written; [`location`](Self::location) when it is not.
    pub topic_location: Location,
}

/// What a contract says about an event that it lists itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Fields of the payload; empty when the payload is open.
    pub payload: Vec<Field>,
    /// Payload field whose value is the partition key.
    pub partition_key: Option<String>,
    /// How the topic should be made.
    pub settings: Option<TopicSettings>,
    /// Whether the topic follows the ONEX platform's rule.
    pub conforming: bool,
    /// Where the event type comes from.
    pub event_type_source: EventTypeSource,
    /// What else the contract says of the topic: `terminal`, `success`, `failure`,
    /// `externally_consumed`.
    pub roles: Vec<&'static str>,
    /// The model of the payload that the contract names.
    pub schema_ref: Option<String>,
    /// How many of it in a request, when the contract says it.
    pub per_request: Option<Range>,
    /// Which parts of the contract declare it.
    pub sources: Vec<&'static str>,
}

/// Where the event type of a declared event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTypeSource {
    /// The contract says it.
    Declared,
    /// Producer and event name of an `onex.…` topic.
    Derived,
    /// The topic itself.
    Verbatim,
}

impl EventTypeSource {
    /// The word in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Derived => "derived",
            Self::Verbatim => "verbatim",
        }
    }
}

/// A topic that a node reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// The topic, a leading `{env}.` stripped.
    pub topic: String,
    /// The event type that the contract expects there.
    pub event_type: Option<String>,
    /// Whether the topic follows the ONEX platform's rule.
    pub conforming: bool,
    /// Which parts of the contract name it.
    pub sources: Vec<&'static str>,
}

/// Where a contract was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Path as shown to people: what they typed, and what was found below it.
    pub path: String,
    /// Path below the folder that was searched, with `/` between its parts.
    pub relative_path: String,
    /// Name of a contract that has none: that of its file, or of the folder around it.
    pub fallback_name: String,
    /// Identifies what it says.
    pub fingerprint: Fingerprint,
}

/// Identifies what a contract says: the first 16 hexadecimal digits of the SHA-256 of its values as
/// JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// The fingerprint of a text.
    pub fn of(text: &[u8]) -> Self {
        let mut digits = String::with_capacity(16);
        for byte in Sha256::digest(text).iter().take(8) {
            digits.extend(
                [byte >> 4, byte & 15]
                    .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
        }
        Self(digits)
    }
}
